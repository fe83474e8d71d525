"""Bias analysis of times: each draw reclassifies the patients and fits the Cox model again.

Each patient stands twice in one design, once as each truth would have him, with frequency weights
0 and 1 that say which: all draws share the design and are fitted in batches.

References
----------
Fox MP, Lash TL, Greenland S (2005). A method to automate probabilistic sensitivity analyses of
misclassified binary variables. Int J Epidemiol 34:1370-1376.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.random import CHUNK, chunk_generators
from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.newton import OK
from rnetstats.kernels.risksets import prepare
from rnetstats.treatment.bias_draws import BiasModel, Drawn, draw_shares, table_of_shares
from rnetstats.treatment.bias_matrix import Cells, Classified, corrected, truth_given_observed
from rnetstats.treatment.two_arms import TwoArms

__all__ = ["cells_of", "draw_records"]

Floats = NDArray[np.float64]


def cells_of(arms: TwoArms) -> Cells:
    """Count the patients by arm and event."""
    new, event = arms.is_new, arms.event
    parts = (new & event, new & ~event, ~new & event, ~new & ~event)
    return Cells(*(np.asarray(part.sum(), dtype=float) for part in parts))


def draw_records(
    arms: TwoArms, model: BiasModel, draws: int, seed: int, *, random_error: bool
) -> Drawn:
    """Reclassify the patients by each draw and estimate the hazard ratio (Firth).

    The probability that a patient is truly positive depends on what was observed of exposure and
    event (the matrix method's predictive values), not on the time. A missed event is dated at the
    end of the patient's follow-up; a false one is taken for the end of follow-up.

    Total error draws the observed shares too, as :func:`draw_counts` does: predictive values taken
    as known would leave out the variance of misclassified data.

    Parameters
    ----------
    arms : TwoArms
    model : BiasModel
    draws, seed : int
    random_error : bool
        Whether there is total error: each estimate then gets a normal error of its own standard
        error.
    """
    exposure = model.misclassified == "exposure"
    z, noise = np.empty((draws, 4)), np.empty(draws)
    truth, sampled = np.zeros((2, draws, len(arms.event)), dtype=bool)
    by_parts: list[Classified] = []
    possible, possible_total = np.zeros((2, draws), dtype=bool)
    cells = cells_of(arms)
    for rows, generator in chunk_generators(seed, draws):
        size = rows.stop - rows.start
        z[rows] = generator.standard_normal((CHUNK, 4))[:size]
        noise[rows] = generator.standard_normal(CHUNK)[:size]
        u = generator.random((CHUNK, len(arms.event)))[:size]
        shares = draw_shares(cells, model.misclassified, generator)[:, :size]
        by = model.classified(z[rows])
        truth[rows], possible[rows] = _reclassified(arms, cells, by, model.misclassified, u)
        table = table_of_shares(shares, model.misclassified)
        sampled[rows], possible_total[rows] = _reclassified(arms, table, by, model.misclassified, u)
        by_parts.append(by)
    estimate, _ = _hazard_ratios(arms, truth, possible, exposure=exposure)
    total = np.full(draws, np.nan)
    if random_error:
        centre, error = _hazard_ratios(arms, sampled, possible_total, exposure=exposure)
        total = centre + noise * error
    return Drawn(
        by=_joined(by_parts),
        systematic=np.exp(estimate),
        total=np.exp(total),
        possible=possible,
        possible_total=possible_total,
    )


def _reclassified(
    arms: TwoArms, table: Cells, by: Classified, misclassified: str, u: Floats
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The truth of each patient, drawn by uniform numbers (k, n); and which draws are possible."""
    exposure = misclassified == "exposure"
    observed = arms.is_new if exposure else arms.event
    first = arms.event if exposure else arms.is_new
    true, possible = corrected(table, by, misclassified)
    positive, negative = truth_given_observed(true, by, misclassified)
    hit = np.where(first, positive[0][:, None], positive[1][:, None])
    miss = np.where(first, negative[0][:, None], negative[1][:, None])
    return u < np.where(observed, hit, miss), possible


def _joined(parts: list[Classified]) -> Classified:
    def pair(name: str) -> tuple[Floats, Floats]:
        both = [getattr(part, name) for part in parts]
        return np.concatenate([b[0] for b in both]), np.concatenate([b[1] for b in both])

    return Classified(pair("sensitivity"), pair("specificity"))


def _hazard_ratios(
    arms: TwoArms, truth: NDArray[np.bool_], possible: NDArray[np.bool_], *, exposure: bool
) -> tuple[Floats, Floats]:
    """Log hazard ratios and standard errors (draws,); missing where not defined."""
    assert arms.stop is not None
    stop = np.tile(arms.stop, 2)
    start = None if arms.start is None else np.tile(arms.start, 2)
    yes = np.repeat([True, False], len(arms.stop))
    event = np.tile(arms.event, 2) if exposure else yes
    x = (yes if exposure else np.tile(arms.is_new, 2)).astype(float)
    estimate, error = np.full((2, len(truth)), np.nan)
    usable = np.flatnonzero(possible & (arms.event.any() if exposure else truth.any(axis=1)))
    if not usable.size:
        return estimate, error
    kept = truth[usable]
    freq = np.concatenate([kept, ~kept], axis=1).astype(float)
    fit = fit_cox(x[:, None], prepare(start, stop, event, None), freq=freq, firth=True)
    fine = np.asarray(fit.status == OK)
    estimate[usable] = np.where(fine, fit.coef[:, 0], np.nan)
    error[usable] = np.where(fine, np.sqrt(np.abs(fit.covariance[:, 0, 0])), np.nan)
    return estimate, error
