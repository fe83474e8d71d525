"""Cohorts that are drawn by a module of their own, and the files that are embedded of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import pandas as pd

from rnetstats.simulation.cohort_file import CohortFile, read_cohort_file

__all__ = ["DRAWERS", "Draw", "drawn_parts", "embedded_files"]

DRAWERS: dict[str, str] = {
    "cha2019": "rnetstats.simulation.cha2019",
    "nelm2024": "rnetstats.simulation.nelm2024",
}
"""Per study the module that draws it; each has a function ``draw(values, seed, fixed) -> Draw``."""


@dataclass(frozen=True, eq=False)
class Draw:
    """What a drawer returns.

    Attributes
    ----------
    data : DataFrame
        One row a patient, as a registry would record it, in the codebook's columns.
    latent : DataFrame
        What no registry knows: latent times and unrounded values, row by row.
    quantities : list of tuple
        ``(quantity, published, standing, drawn, tolerance)``: what is printed against what was
        drawn.
    coefficients : DataFrame
        ``model, term, coefficient`` of the generating models.
    estimands : DataFrame
        ``estimand, endpoint, group, months, measure, value``: true values.
    """

    data: pd.DataFrame
    latent: pd.DataFrame
    quantities: list[tuple[str, float, str, float, float]]
    coefficients: pd.DataFrame
    estimands: pd.DataFrame

    @property
    def fidelity(self) -> pd.DataFrame:
        """The printed figures against the drawn ones, with whether each is met."""
        columns = ["quantity", "published", "standing", "drawn", "tolerance"]
        frame = pd.DataFrame(self.quantities, columns=columns)
        away = (frame["drawn"] - frame["published"]).abs()
        return frame.assign(met=away <= frame["tolerance"] + 1e-9)


def drawn_parts(name: str, truth: str, seed: int, *, fixed: bool) -> tuple[CohortFile, Draw]:
    """Draw a cohort; return it with the file it was drawn from."""
    recipe = read_cohort_file(name)
    module = import_module(DRAWERS[name])
    draw: Callable[..., Draw] = module.draw
    return recipe, draw(recipe.under(truth), seed, fixed)


def embedded_files(name: str) -> dict[str, str]:
    """Return the text of every embedded file of a study, by file name.

    One file a truth, named ``<study>_<truth>.csv``, and under ``<study>/`` the parameters, true
    values and fidelity of all truths.
    """
    recipe = read_cohort_file(name)
    texts: dict[str, str] = {}
    tables: dict[str, list[pd.DataFrame]] = {"fidelity": [], "truth": [], "coefficients": []}
    for truth in recipe.truths:
        _, drawn = drawn_parts(name, truth, recipe.seed, fixed=True)
        texts[f"{name}_{truth}.csv"] = _csv(drawn.data)
        found = (drawn.fidelity, drawn.estimands, drawn.coefficients)
        for rows, frame in zip(tables.values(), found, strict=True):
            rows.append(frame.assign(cohort=f"{name}_{truth}"))
    texts[f"{name}/parameters.csv"] = _csv(recipe.parameters)
    for kind, frames in tables.items():
        texts[f"{name}/{kind}.csv"] = _csv(pd.concat(frames, ignore_index=True))
    return texts


def _csv(frame: pd.DataFrame) -> str:
    """Return a frame as text, the same on every platform."""
    return frame.to_csv(index=False, lineterminator="\n", float_format="%.6g")
