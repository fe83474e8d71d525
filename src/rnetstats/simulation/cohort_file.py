"""``cohort.toml`` of a study: what its synthetic cohort is drawn from, each value with standing.

The cohort of a margin study has a recipe of its own (:mod:`rnetstats.simulation.recipe`). Smaller
cohorts are drawn by a module of their own from a flat list of values::

    name = "nelm2024"
    title = "..."
    seed = 527

    [truths.null]
    label = "..."          # in words
    primary_effect = 0.0   # values that differ from [values] under this truth

    [values.patients]
    value = 81
    standing = "printed"
    source = "abstract"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd

from rnetstats.errors import OptionError, RnetError, closest

__all__ = ["PARAMETER_COLUMNS", "CohortFile", "read_cohort_file"]

PARAMETER_COLUMNS = ("parameter", "value", "standing", "source")
_STANDINGS = ("printed", "derived", "inferred", "chosen")


@dataclass(frozen=True, eq=False)
class CohortFile:
    """What a synthetic cohort is drawn from.

    Attributes
    ----------
    name, title : str
    seed : int
        Of the embedded cohort.
    values : mapping
        Value by name.
    parameters : DataFrame
        ``parameter, value, standing, source``, as text.
    truths : mapping
        Per truth its ``label`` and the values that differ.
    """

    name: str
    title: str
    seed: int
    values: Mapping[str, Any]
    parameters: pd.DataFrame
    truths: Mapping[str, Mapping[str, Any]]

    def under(self, truth: str) -> dict[str, Any]:
        """Return the values under a truth.

        Raises
        ------
        OptionError
            If there is no such truth.
        """
        if not isinstance(truth, str) or truth not in self.truths:
            known = ", ".join(map(repr, self.truths))
            raise OptionError(
                f"truth={truth!r} is not allowed; choose one of {known}."
                + closest(str(truth), self.truths)
            )
        changed = {key: value for key, value in self.truths[truth].items() if key != "label"}
        return {**self.values, **changed}

    def label(self, truth: str) -> str:
        """Return what a truth says."""
        return str(self.truths[truth]["label"])


@cache
def read_cohort_file(name: str) -> CohortFile:
    """Read the ``cohort.toml`` of a study.

    Raises
    ------
    RnetError
        If a value has no standing or source, or a truth changes a value that is not there.
    """
    file = files("rnetstats").joinpath("studies", name, "cohort.toml")
    raw = tomllib.loads(file.read_text(encoding="utf-8"))
    values = raw["values"]
    for key, body in values.items():
        if body.get("standing") not in _STANDINGS or not body.get("source"):
            raise RnetError(f"{name}/cohort.toml: [values.{key}] needs a standing and a source.")
    for truth, body in raw["truths"].items():
        unknown = [key for key in body if key != "label" and key not in values]
        if unknown:
            raise RnetError(f"{name}/cohort.toml: [truths.{truth}] changes unknown {unknown}.")
    rows = [(key, str(v["value"]), v["standing"], v["source"]) for key, v in values.items()]
    return CohortFile(
        name=raw["name"],
        title=raw["title"],
        seed=raw["seed"],
        values={key: body["value"] for key, body in values.items()},
        parameters=pd.DataFrame(rows, columns=list(PARAMETER_COLUMNS)),
        truths=raw["truths"],
    )
