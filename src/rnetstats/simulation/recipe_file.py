"""Reading a recipe: TOML into frozen classes, every value with its standing."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from math import log
from pathlib import Path
from typing import Any

from rnetstats.errors import OptionError, ReadError, RnetError, closest
from rnetstats.simulation.recipe import Calendar, Effects, Recipe, Term, Totals, Variable

__all__ = ["check_name", "load_recipe", "recipe_names"]

_STANDINGS = ("printed", "derived", "inferred", "chosen")


@lru_cache(maxsize=16)
def load_recipe(name: str) -> Recipe:
    """Read a built-in recipe by its study's name, or a recipe file by its path.

    Raises
    ------
    OptionError
        If there is no such study, or the name is no text.
    ReadError
        If the file is missing or is no TOML.
    RnetError
        If the recipe lacks a table, or a value has no standing.
    """
    if not isinstance(name, str):
        raise OptionError(
            f"A recipe is the name of a study or a path ending in '.toml', not {name!r}."
        )
    if name.endswith(".toml"):
        text = _read(Path(name))
    else:
        check_name(name, recipe_names())
        text = (_studies() / name / "recipe.toml").read_text(encoding="utf-8")
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ReadError(f"The recipe {name!r} is not valid TOML: {error}.") from error
    try:
        return _build(raw)
    except KeyError as error:
        raise RnetError(f"The recipe {name!r} lacks the entry {error}.") from error


def recipe_names() -> list[str]:
    """Return the studies that have a recipe of this form."""
    return sorted(p.name for p in _studies().iterdir() if (p / "recipe.toml").is_file())


def check_name(name: str, known: Collection[str]) -> None:
    """Refuse a name that is not known.

    Raises
    ------
    OptionError
        With the known names, and the nearest.
    """
    if name not in known:
        listed = ", ".join(map(repr, known))
        raise OptionError(f"There is no recipe {name!r}; known: {listed}.{closest(name, known)}")


def _studies() -> Traversable:
    return files("rnetstats") / "studies"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ReadError(f"The recipe {str(path)!r} cannot be read: {error.strerror}.") from error


def _terms(table: Mapping[str, Any]) -> tuple[Term, ...]:
    return tuple(Term(**term) for term in table["terms"])


def _variable(name: str, table: Mapping[str, Any]) -> Variable:
    label, unit = str(table.get("label", "")), str(table.get("unit", ""))
    if table["law"] == "levels":
        total = float(sum(table["shares"]))
        shares = tuple(share / total for share in table["shares"])
        levels = tuple(table["levels"])
        return Variable(name, "levels", levels=levels, shares=shares, label=label, unit=unit)
    if table["law"] not in ("normal", "lognormal"):
        raise RnetError(f"The law {table['law']!r} of {name!r} is not normal, lognormal or levels.")
    normal = table["law"] == "normal"
    return Variable(
        name,
        table["law"],
        location=table["mean"] if normal else log(table["median"]),
        scale=table["sd"] if normal else table["sdlog"],
        lower=table["lower"],
        upper=table["upper"],
        step=table["step"],
        label=label,
        unit=unit,
    )


def _effects(name: str, table: Mapping[str, Any]) -> Effects:
    return Effects(
        name=name,
        label=table["label"],
        margin=_terms(table["margin"]),
        recurrence=_terms(table["recurrence"]),
        endoscopic=float(table["salvage_effect"]["endoscopic"]),
        radical=float(table["salvage_effect"]["radical"]),
    )


def _totals(table: Mapping[str, Any]) -> Totals:
    return Totals(
        patients=table["patients"]["value"],
        margin_positive=table["margin_positive"]["value"],
        recurrences=table["recurrences"]["value"],
        method=tuple(table["method"]["value"].items()),
        median_follow_up=table["median_follow_up"]["value"],
        tolerance=table["follow_up_tolerance"]["value"],
    )


def _build(raw: Mapping[str, Any]) -> Recipe:
    salvage, death, calendar = raw["salvage"], raw["death"], raw["calendar"]
    return Recipe(
        name=raw["name"],
        title=raw["title"],
        prefix=raw["prefix"],
        seed=raw["seed"],
        totals=_totals(raw["totals"]),
        calendar=Calendar(
            calendar["enrolment"]["first"],
            calendar["enrolment"]["last"],
            calendar["cutoff"]["date"],
            calendar["loss"]["per_month"],
        ),
        variables=tuple(_variable(name, table) for name, table in raw["variables"].items()),
        pairs=tuple((a, b, float(r)) for a, b, r in raw["copula"]["pairs"]),
        salvage_share=salvage["share"]["events"] / salvage["share"]["total"],
        salvage=_terms(salvage["indication"]),
        radical_share=salvage["radical_share"]["events"] / salvage["radical_share"]["total"],
        radical=_terms(salvage["radical"]),
        delay_mean=salvage["delay"]["mean"],
        delay_sd=salvage["delay"]["sd"],
        death_months=death["survival"]["months"],
        death_survival=death["survival"]["value"],
        death_shape=death["hazard"]["shape"],
        death=_terms(death["hazard"]),
        recurrence_shape=raw["recurrence"]["hazard"]["shape"],
        recurrence=_terms(raw["recurrence"]["hazard"]),
        missingness=_terms(raw["missingness"]),
        truths=tuple(_effects(name, table) for name, table in raw["truths"].items()),
        parameters=tuple(_parameters(raw)),
    )


def _parameters(table: Mapping[str, Any], path: str = "") -> list[tuple[str, str, str, str]]:
    """List every value below ``table`` with the standing of the table that holds it."""
    found: list[tuple[str, str, str, str]] = []
    for key, value in table.items():
        name = f"{path}{key}"
        if not isinstance(value, Mapping):
            continue
        if "standing" not in value:
            if path and not any(isinstance(item, Mapping) for item in value.values()):
                raise RnetError(f"The recipe's table [{name}] has no standing.")
            found += _parameters(value, f"{name}.")
            continue
        if value["standing"] not in _STANDINGS:
            raise RnetError(
                f"The standing {value['standing']!r} of [{name}] is not one of {_STANDINGS}."
            )
        found += [
            (f"{name}.{item}", _text(content), value["standing"], value.get("source", ""))
            for item, content in value.items()
            if item not in ("standing", "source", "label", "unit")
        ]
    return found


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        if "variable" in value:
            return f"{Term(**value).label}: {value['coefficient']:g}"
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    if isinstance(value, list):
        inner = " / ".join if value and isinstance(value[0], (list, Mapping)) else ", ".join
        return inner(_text(item) for item in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
