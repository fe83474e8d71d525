"""Positivity: could every patient have been in either arm? What says that some could not.

References
----------
Petersen ML, Porter KE, Gruber S, Wang Y, van der Laan MJ (2012). Diagnosing and responding to
violations in the positivity assumption. Statistical Methods in Medical Research 21:31-54.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.treatment_weights import probability
from rnetstats.treatment.covariate_columns import CovariateColumns, plain_term

__all__ = ["Positivity", "judge_positivity", "level_counts"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

BOTH, NEARLY, ONE = "both arms", "nearly one arm", "one arm"

_FEW = 0.05  # share of a level's patients in its rarer arm
_ENOUGH = 20  # patients of a level before a share says something
_DETERMINED = 1e-6  # a maximum-likelihood score as near to 0 or 1 as this
_TOO_MANY = 0.05  # share of patients without a counterpart
_EXTREME = 0.01
_FEWEST_EFFECTIVE = 5.0
_COLLAPSE = 0.25  # effective size of an arm as a share of its patients
_SEPARATING = 0.95  # c-statistic
_STRONG = 20.0  # odds ratio of treatment


@dataclass(frozen=True)
class Positivity:
    """The verdict and what it rests on.

    Attributes
    ----------
    verdict
        ``violated``, ``doubtful`` or ``no sign against it``.
    reasons
        In words, the gravest first.
    n_determined, n_extreme
        Patients whose arm the covariates determine, and whose score is below 0.01 or above 0.99.
    """

    verdict: str
    reasons: tuple[str, ...]
    n_determined: int
    n_extreme: int


def level_counts(columns: CovariateColumns, treated: Flags, freq: Floats) -> pd.DataFrame:
    """Count both arms in each level of the factors and of the 0/1 covariates.

    Returns
    -------
    DataFrame
        ``variable, level, n, n_treated, n_control, finding``.
    """
    rows = []
    for j in np.flatnonzero(columns.binary & columns.main):
        inside = columns.values[:, j] == 1.0
        named = columns.level[j] != ""
        sides = [(columns.level[j], inside)] if named else [("0", ~inside), ("1", inside)]
        for level, here in sides:
            counts = [int(freq[here & arm].sum()) for arm in (treated, ~treated)]
            rows.append((columns.variable[j], level, sum(counts), *counts, _finding(counts)))
    names = ["variable", "level", "n", "n_treated", "n_control", "finding"]
    return pd.DataFrame(rows, columns=names)


def _finding(counts: list[int]) -> str:
    n, rarer = sum(counts), min(counts)
    if n and not rarer:
        return ONE
    return NEARLY if n >= _ENOUGH and rarer < _FEW * n else BOTH


def determined_rows(
    X: Floats, treated: Flags, freq: Floats, offset: Floats | None
) -> tuple[Flags, Flags]:
    """Rows whose maximum-likelihood score is 0, and rows in which it is 1, up to 1e-6."""
    fit = fit_logistic(X, treated, freq=freq, offset=offset)
    predictor = X @ fit.coef[0] + (0.0 if offset is None else offset)
    return probability(predictor) < _DETERMINED, probability(-predictor) < _DETERMINED


def judge_positivity(
    *,
    estimand: str,
    treated: Flags,
    freq: Floats,
    determined: tuple[Flags, Flags],
    score: Floats,
    levels: pd.DataFrame,
    effective: tuple[float, float],
    c_statistic: float,
    odds: dict[str, float],
) -> Positivity:
    """Judge whether the arms can be compared.

    The rule: positivity is *violated* if all patients' arms are determined by the covariates, if
    at least 5 % of the patients for whom the estimand speaks have no counterpart (a
    maximum-likelihood score of 0 or 1), or if an arm's weights leave fewer than 5 effective
    patients. It is *doubtful* if any patient has no counterpart, a level stands in one arm only
    (or has less than 5 % of at least 20 patients in the rarer), a score is below 0.01 or above
    0.99, an arm keeps less than a quarter of its patients, a level has over 20 times (or less than
    a twentieth of) the odds of treatment of its reference, or the c-statistic exceeds 0.95.

    Parameters
    ----------
    estimand : str
    treated : bool array of shape (n,)
    freq, score : arrays of shape (n,)
    determined : pair of bool arrays of shape (n,)
        Never treated; always treated.
    levels : DataFrame
        From :func:`level_counts`.
    effective : pair of float
        Effective sizes of the treated and of the controls.
    c_statistic : float
    odds : dict
        Odds ratio of treatment of each level or 0/1 covariate in the score model.
    """
    never, always = determined
    total = float(freq.sum())
    n_determined = int(freq[never | always].sum())
    needed = {"ate": never | always, "att": always, "atc": never}.get(estimand)
    asked = {"att": treated, "atc": ~treated}.get(estimand, np.ones(treated.size, dtype=bool))
    lacking = 0.0 if needed is None else float(freq[needed].sum() / freq[asked].sum())
    n_extreme = int(freq[np.minimum(score, 1.0 - score) < _EXTREME].sum())
    worst = []
    if n_determined >= total:
        worst.append(
            "The covariates determine the treatment of every patient: no adjustment can compare "
            "the arms."
        )
    elif lacking >= _TOO_MANY:
        worst.append(
            f"{n_determined} of {total:g} patients have no counterpart in the other arm "
            f"(their score is 0 or 1): no adjustment can compare the arms there."
        )
    for name, size in zip(("treated", "control"), effective, strict=True):
        if size < _FEWEST_EFFECTIVE:
            worst.append(
                f"The weights leave {size:.1f} effective patients in the {name} arm: it rests on "
                "a few patients with very large weights, or is too small to be compared."
            )
    doubts = _level_words(levels)
    if n_determined and not worst:
        doubts.append(
            f"{n_determined} of {total:g} patients have no counterpart in the other arm; nothing "
            "can be said of them."
        )
    if n_extreme:
        doubts.append(f"{n_extreme} of {total:g} patients have a score below 0.01 or above 0.99.")
    sizes = (float(freq[treated].sum()), float(freq[~treated].sum()))
    for name, size, n in zip(("treated", "control"), effective, sizes, strict=True):
        if _FEWEST_EFFECTIVE <= size < _COLLAPSE * n:
            doubts.append(
                f"The weights leave {size:.0f} effective patients of {n:g} in the {name} arm."
            )
    flagged = levels[levels["finding"] != BOTH]
    named = {*flagged["variable"], *(flagged["variable"] + " = " + flagged["level"])}
    doubts += [
        f"{plain_term(name)} changes the odds of treatment {max(ratio, 1.0 / ratio):.0f}-fold: it "
        "almost determines the treatment, and few patients there have a counterpart."
        for name, ratio in odds.items()
        if not 1.0 / _STRONG <= ratio <= _STRONG and name not in named
    ]
    if c_statistic > _SEPARATING and n_determined < total:
        doubts.append(f"The score all but tells the arms apart (c-statistic {c_statistic:.3f}).")
    verdict = "violated" if worst else "doubtful" if doubts else "no sign against it"
    return Positivity(verdict, (*worst, *doubts), n_determined, n_extreme)


def _level_words(levels: pd.DataFrame) -> list[str]:
    """Name the levels in which an arm is absent, and those in which it nearly is."""
    said = []
    ends = {
        ONE: "No adjustment can compare the arms there.",
        NEARLY: "Any comparison there rests on these few, and no adjustment can add to them.",
    }
    for finding, word in ((ONE, "no"), (NEARLY, "hardly any")):
        rows = levels[levels["finding"] == finding]
        if rows.empty:
            continue
        names = [
            f"{plain_term(str(r.variable))} = {r.level} "
            f"({r.n_treated} treated, {r.n_control} controls)"
            for r in rows.itertuples(index=False)
        ]
        said.append(
            f"The treatment is almost determined by a covariate, with {word} patients in one arm: "
            f"{'; '.join(names)}. {ends[finding]}"
        )
    return said
