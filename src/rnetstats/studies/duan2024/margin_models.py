"""Models of a positive margin: one term at a time and together, printed cut-offs and splines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.result import Result
from rnetstats.evidence.facts import FactSheet
from rnetstats.regression.logistic import logistic
from rnetstats.regression.univariable import univariable
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.cohort import Cohort

__all__ = ["OTHER_FACTORS", "MarginModels", "Predictor", "fit_margin_models", "predictors"]

OTHER_FACTORS = ("age", "sex", "grade", "lvi")
BOTH = {"firth": "firth", "ml": None}


@dataclass(frozen=True)
class Predictor:
    """A printed predictor.

    Attributes
    ----------
    key, label : str
    column : str
        The column in the models.
    term : str
        The term in a formula.
    cutoff : float, optional
        The exposed are above it.
    binary : bool
        The column is 1 for the exposed, else 0.
    """

    key: str
    column: str
    term: str
    label: str
    cutoff: float | None = None
    binary: bool = False

    def exposed(self, frame: pd.DataFrame) -> np.ndarray | None:
        """Return who has the predictor, or None for one with several levels."""
        if self.cutoff is not None:
            return (frame[self.column] > self.cutoff).to_numpy(dtype=bool)
        if self.binary:
            return (frame[self.column] == 1).to_numpy(dtype=bool)
        return None

    def varies(self, frame: pd.DataFrame) -> bool:
        """Say whether the predictor takes more than one value among complete rows."""
        exposed = self.exposed(frame)
        if exposed is None:
            return bool(frame[self.column].nunique() > 1)
        return bool(exposed.any() and not exposed.all())


@dataclass(frozen=True)
class MarginModels:
    """The fitted models by name, and the rows that the multivariable ones rest on.

    Attributes
    ----------
    fits : dict
        ``multi_firth, multi_ml, spline_firth, spline_ml, single_firth, single_ml``; None where
        the data do not carry the model.
    complete : DataFrame
        The rows with all four predictors and the margin known.
    missing : dict of str to int
        Missing values of each column that has any.
    n_incomplete : int
        Rows left out for them.
    used : tuple of Predictor
        Predictors in the model; a predictor that does not vary is left out.
    alike : tuple of str
        The labels of those left out.
    """

    fits: dict[str, Any]
    complete: pd.DataFrame
    missing: dict[str, int]
    n_incomplete: int
    used: tuple[Predictor, ...]
    alike: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Any:
        return self.fits[name]

    def results(self) -> dict[str, Result]:
        """Return the fits that exist."""
        return {name: fit for name, fit in self.fits.items() if fit is not None}


def predictors(facts: FactSheet) -> tuple[Predictor, ...]:
    """Return the four printed predictors, with the printed cut-offs."""
    nlr, size = facts["nlr_cutoff"], facts["size_cutoff"]
    return (
        Predictor("method", "method", "method", "Resection method"),
        Predictor("lower", "lower_rectum", "lower_rectum", "Lower rectum", binary=True),
        Predictor("nlr", "nlr", f"I(nlr > {nlr.value})", f"NLR > {nlr.value}", nlr.number),
        Predictor(
            "size",
            "size_mm",
            f"I(size_mm > {size.value})",
            f"Size > {size.value} {size.unit}",
            size.number,
        ),
    )


def fit_margin_models(
    cohort: Cohort, facts: FactSheet, attempts: Attempts, *, full: bool = True
) -> MarginModels:
    """Fit the published model and its neighbours, by Firth's penalty and by maximum likelihood.

    With ``full=False`` only the model that the claims are judged by.
    """
    frame = cohort.modelled
    four = predictors(facts)
    values = frame[["margin_positive", *(p.column for p in four)]]
    known = values.notna().all(axis=1)
    missing = {str(name): int(n) for name, n in values.isna().sum().items() if n}
    complete = frame[known]
    used = tuple(p for p in four if p.varies(complete))
    alike = tuple(p.label for p in four if p not in used)
    for label in alike:
        attempts.skip(
            f"{label} in the models of a positive margin", "all patients have the same value"
        )
    fits: dict[str, Any] = {}
    if not full:
        formula = _formula([p.term for p in used])
        fits["multi_firth"] = attempts.run(
            "Multivariable model of a positive margin", lambda: logistic(frame, formula)
        )
        return MarginModels(fits, complete, missing, int((~known).sum()), used, alike)
    forms = {"multi": _formula([p.term for p in used]), "spline": _spline_formula(complete)}
    names = {"multi": "at the printed cut-offs", "spline": "with splines"}
    for form, formula in forms.items():
        for suffix, penalty in BOTH.items():
            fits[f"{form}_{suffix}"] = attempts.run(
                f"Multivariable model of a positive margin {names[form]} ({_WORDS[suffix]})",
                lambda f=formula, p=penalty: logistic(frame, f, penalty=p),  # type: ignore[misc]
            )
    single = _single_formula(frame, [p.term for p in used])
    for suffix, penalty in BOTH.items():
        fits[f"single_{suffix}"] = attempts.run(
            f"Models of a positive margin with one term each ({_WORDS[suffix]})",
            lambda p=penalty: univariable(frame, single, penalty=p),  # type: ignore[misc]
        )
    return MarginModels(fits, complete, missing, int((~known).sum()), used, alike)


_WORDS = {"firth": "Firth", "ml": "maximum likelihood"}


def _formula(terms: list[str]) -> str:
    return "margin_positive ~ " + " + ".join(terms or ["1"])


def _spline_formula(frame: pd.DataFrame) -> str:
    """Return the model with smooth terms; factors and numbers that do not vary are left out."""
    terms = [name for name in ("method", "location") if frame[name].nunique() > 1]
    for name in ("nlr", "size_mm"):
        distinct = frame[name].nunique()
        if distinct >= 10:
            terms.append(f"rcs({name}, 3)")
        elif distinct > 1:
            terms.append(name)
    return _formula(terms)


def _single_formula(frame: pd.DataFrame, terms: list[str]) -> str:
    """Return all terms of the one-at-a-time table: printed ones, then the numbers, then others."""
    varying = [
        name
        for name in ("nlr", "size_mm", *OTHER_FACTORS)
        if name in frame.columns and frame[name].nunique() > 1
    ]
    return _formula([*terms, *varying])
