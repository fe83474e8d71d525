"""Reading a recipe: TOML into frozen classes, every value with its standing."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from math import inf, log
from pathlib import Path
from typing import Any

from rnetstats._core.options import choice, real
from rnetstats.errors import OptionError, ReadError, RnetError, closest
from rnetstats.simulation.recipe import Calendar, Effects, Recipe, Term, Totals, Variable
from rnetstats.simulation.recipe_checks import check_form, check_recipe
from rnetstats.simulation.recipe_fields import Fields

__all__ = ["check_name", "load_recipe", "recipe_names"]

_LARGEST = 10.0  # of a shape, and of the effect of salvage on the log scale
_STANDINGS = ("printed", "derived", "inferred", "chosen")


def load_recipe(name: str) -> Recipe:
    """Read a built-in recipe by its study's name, or a recipe file by its path.

    The same text gives the same object, since what is computed of a recipe is kept with it.

    Raises
    ------
    OptionError
        If there is no such study, or the name is no text.
    ReadError
        If the file is missing, is no text or is no TOML.
    RnetError
        If the recipe lacks a table, a value is not what it must be or has no standing, or its
        variables are not those of its study.
    """
    if not isinstance(name, str):
        raise OptionError(
            f"A recipe is the name of a study or a path ending in '.toml', not {name!r}."
        )
    if name.endswith(".toml"):
        return _parsed(name, _read(Path(name)))
    check_name(name, recipe_names())
    return _parsed(name, (_studies() / name / "recipe.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=16)
def _parsed(name: str, text: str) -> Recipe:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ReadError(f"The recipe {name!r} is not valid TOML: {error}.") from error
    try:
        recipe = _build(Fields(raw, ""))
        check_recipe(recipe)
        if name.endswith(".toml"):
            check_form(recipe, _usual(recipe.name))
        return replace(recipe, parameters=tuple(_parameters(raw)))
    except RnetError as error:
        raise RnetError(f"The recipe {name!r} cannot be used. {error}") from None


def _usual(study: str) -> Recipe:
    """Return the built-in recipe of the study that a recipe of one's own is for."""
    if study not in recipe_names():
        listed = ", ".join(map(repr, recipe_names()))
        raise RnetError(f"Its name must be that of the study whose columns it fills: {listed}.")
    return load_recipe(study)


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
    except UnicodeDecodeError as error:
        raise ReadError(f"The recipe {str(path)!r} is no text in UTF-8.") from error


def _terms(model: Fields) -> tuple[Term, ...]:
    return tuple(_term(Fields(item, f"{model.place} terms")) for item in model.items("terms"))


def _term(term: Fields) -> Term:
    term.only(*(field.name for field in fields(Term)))
    return Term(
        term.text("variable"),
        term.number("coefficient"),
        level=term.text("level") if "level" in term else None,
        above=term.number("above") if "above" in term else None,
        centre=term.number("centre") if "centre" in term else 0.0,
    )


def _variable(name: str, table: Fields) -> Variable:
    label = table.text("label") if "label" in table else ""
    unit = table.text("unit") if "unit" in table else ""
    law = choice(f"[{table.place}] law", table.get("law"), ("normal", "lognormal", "levels"))
    if law == "levels":
        levels = tuple(table.items("levels"))
        if not all(isinstance(level, str) for level in levels):
            raise RnetError(f"[{table.place}] levels must be texts, not {list(levels)!r}.")
        where = f"[{table.place}] shares"
        given = [real(where, share, low=0.0) for share in table.items("shares")]
        total = sum(given)
        if not total > 0.0:
            raise RnetError(f"{where} must not all be 0.")
        shares = tuple(share / total for share in given)
        return Variable(name, "levels", levels=levels, shares=shares, label=label, unit=unit)
    normal = law == "normal"
    least = -inf if normal else 0.0
    return Variable(
        name,
        law,
        location=table.number("mean") if normal else log(_above_zero(table, "median")),
        scale=_above_zero(table, "sd" if normal else "sdlog"),
        lower=table.number("lower", low=least, closed=normal),
        upper=table.number("upper", low=least, closed=normal),
        step=_above_zero(table, "step"),
        label=label,
        unit=unit,
    )


def _above_zero(table: Fields, name: str, high: float = inf) -> float:
    return table.number(name, low=0.0, high=high, closed=False)


def _effects(name: str, table: Fields) -> Effects:
    salvage = table.table("salvage_effect")
    return Effects(
        name=name,
        label=table.text("label"),
        margin=_terms(table.table("margin")),
        recurrence=_terms(table.table("recurrence")),
        endoscopic=salvage.number("endoscopic", low=-_LARGEST, high=_LARGEST),
        radical=salvage.number("radical", low=-_LARGEST, high=_LARGEST),
    )


def _totals(table: Fields) -> Totals:
    counts = table.table("method").table("value")
    return Totals(
        patients=table.table("patients").whole("value", 20),
        margin_positive=table.table("margin_positive").whole("value", 1),
        recurrences=table.table("recurrences").whole("value", 1),
        method=tuple((level, counts.whole(level)) for level, _ in counts.entries()),
        median_follow_up=_above_zero(table.table("median_follow_up"), "value"),
        tolerance=table.table("follow_up_tolerance").number("value", low=0.0),
    )


def _share(table: Fields) -> float:
    """Return events over total, which must be a share between 0 and 1."""
    total = _above_zero(table, "total")
    return table.number("events", low=0.0, high=total, closed=False) / total


def _pair(item: Any) -> tuple[str, str, float]:
    if (
        not isinstance(item, list)
        or len(item) != 3
        or not all(isinstance(n, str) for n in item[:2])
    ):
        raise RnetError(
            f"[copula] pairs must be lists of two variables and a correlation, not {item!r}."
        )
    return item[0], item[1], real("[copula] pairs", item[2], low=-1.0, high=1.0, closed=False)


def _build(raw: Fields) -> Recipe:
    salvage, death, calendar = raw.table("salvage"), raw.table("death"), raw.table("calendar")
    recurrence = raw.table("recurrence").table("hazard")
    return Recipe(
        name=raw.text("name"),
        title=raw.text("title"),
        prefix=raw.text("prefix"),
        seed=raw.whole("seed"),
        totals=_totals(raw.table("totals")),
        calendar=Calendar(
            calendar.table("enrolment").day("first"),
            calendar.table("enrolment").day("last"),
            calendar.table("cutoff").day("date"),
            _above_zero(calendar.table("loss"), "per_month"),
        ),
        variables=tuple(_variable(name, table) for name, table in raw.table("variables").tables()),
        pairs=tuple(map(_pair, raw.table("copula").items("pairs"))),
        salvage_share=_share(salvage.table("share")),
        salvage=_terms(salvage.table("indication")),
        radical_share=_share(salvage.table("radical_share")),
        radical=_terms(salvage.table("radical")),
        delay_mean=_above_zero(salvage.table("delay"), "mean"),
        delay_sd=salvage.table("delay").number("sd", low=0.0),
        death_months=_above_zero(death.table("survival"), "months"),
        death_survival=_above_zero(death.table("survival"), "value", 1.0),
        death_shape=_above_zero(death.table("hazard"), "shape", _LARGEST),
        death=_terms(death.table("hazard")),
        recurrence_shape=_above_zero(recurrence, "shape", _LARGEST),
        recurrence=_terms(recurrence),
        missingness=_terms(raw.table("missingness")),
        truths=tuple(_effects(name, table) for name, table in raw.table("truths").tables()),
        parameters=(),
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
