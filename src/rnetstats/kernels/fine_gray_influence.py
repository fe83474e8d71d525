"""What each row does to a Fine-Gray fit: scores, and influences on the baseline incidence.

A row acts in two ways: by its own part of the estimating equation with the weights known, and by
its part in the censoring distribution from which the weights are made. The sum of both is the
derivative of the estimate by the row's weight, and their squares give its variance.

References
----------
Fine JP, Gray RJ (1999). A proportional hazards model for the subdistribution of a competing risk.
Journal of the American Statistical Association 94, 496-509, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnetstats.kernels.fine_gray_likelihood import FineGrayLikelihood, Moments
from rnetstats.kernels.newton import FloatArray
from rnetstats.kernels.ratio import ratio

__all__ = ["FittedFineGray", "fitted_fine_gray", "influences", "row_scores"]


@dataclass(frozen=True, eq=False)
class FittedFineGray:
    """A single fit at its estimate, in the scaled and centred columns of the likelihood.

    Attributes
    ----------
    likelihood
        Of one replicate.
    coef
        (p,) coefficients of the columns as given.
    at
        Sums over the risk sets.
    relative_risk
        (n,) exp(eta), x counted from the centre.
    hazard
        (E,) steps of the subdistribution hazard of a row at the centre.
    """

    likelihood: FineGrayLikelihood
    coef: FloatArray
    at: Moments
    relative_risk: FloatArray
    hazard: FloatArray


def fitted_fine_gray(likelihood: FineGrayLikelihood, coef: FloatArray) -> FittedFineGray:
    """Evaluate a single model at its estimate.

    Raises
    ------
    ValueError
        If the likelihood has more than one replicate.
    """
    if len(likelihood.freq) != 1:
        msg = "influences are those of one replicate"
        raise ValueError(msg)
    gamma = np.asarray(coef, dtype=np.float64) * likelihood.scale
    at = likelihood.moments(gamma[None], np.zeros(1, dtype=np.int64))
    unit = np.exp(-at.shift[0])
    return FittedFineGray(
        likelihood=likelihood,
        coef=np.asarray(coef, dtype=np.float64),
        at=at,
        relative_risk=np.exp(likelihood.x @ gamma + likelihood.offset),
        hazard=likelihood.events[0] / at.s0[0] * unit,
    )


def row_scores(fitted: FittedFineGray, *, weights_known: bool = False) -> FloatArray:
    """Each row's part of the score, (n, p) in the columns as given.

    Parameters
    ----------
    fitted
        From :func:`fitted_fine_gray`.
    weights_known
        Leave out the row's part in the censoring distribution.
    """
    likelihood = fitted.likelihood
    mean = fitted.at.mean[0]
    scores = influences(fitted, likelihood.x, mean, fitted.hazard, weights_known=weights_known)
    return scores * likelihood.scale


def influences(
    fitted: FittedFineGray,
    x: FloatArray,
    mean: FloatArray,
    hazard: FloatArray,
    *,
    weights_known: bool = False,
) -> FloatArray:
    """Sum over event times of (x - mean) dM, a row's weight made part of its own martingale M.

    Parameters
    ----------
    fitted
        From :func:`fitted_fine_gray`.
    x
        (n, c) a value of each row.
    mean
        (E, c) what is subtracted from it at each event time.
    hazard
        (E,) steps of the hazard; zero at times to be left out, events included.
    weights_known
        Leave out the row's part in the censoring distribution.

    Returns
    -------
    array of shape (n, c)
    """
    likelihood, risk = fitted.likelihood, fitted.relative_risk[:, None]
    own, columns, competing = (
        likelihood.layout.own,
        likelihood.layout.columns,
        likelihood.layout.competing,
    )
    places, uncensored = likelihood.layout.places, likelihood.uncensored[0]
    steps = _running(hazard[:, None])
    moved = _running(hazard[:, None] * mean)
    found: FloatArray = -risk * (x * steps[places] - moved[places])
    counted = (hazard > 0.0)[columns]
    found[own] += np.where(counted[:, None], x[own] - mean[columns], 0.0)
    later = _running((uncensored * hazard)[:, None])
    moved = _running((uncensored * hazard)[:, None] * mean)
    inverse = likelihood.inverse[0][:, None]
    after = x[competing] * (later[-1] - later[places[competing]])
    after = after - (moved[-1] - moved[places[competing]])
    found[competing] -= risk[competing] * inverse * after
    if weights_known or not competing.size:
        return found
    weight = (likelihood.freq[0][competing] * fitted.relative_risk[competing])[:, None] * inverse
    return found + _through_censoring(fitted, (weight, weight * x[competing]), later, moved)


def _running(values: FloatArray) -> FloatArray:
    """Running sums (E + 1, c) that begin with zero."""
    sums = np.zeros((len(values) + 1, values.shape[1]))
    np.cumsum(values, axis=0, out=sums[1:])
    return sums


def _through_censoring(
    fitted: FittedFineGray,
    past: tuple[FloatArray, FloatArray],
    later: FloatArray,
    moved: FloatArray,
) -> FloatArray:
    """Each row's part that comes by the censoring distribution, (n, c)."""
    likelihood = fitted.likelihood
    stop, code, freq = likelihood.stop, likelihood.code, likelihood.freq[0]
    together = likelihood.censoring == "with-events"
    time = np.unique(stop[code == 0])
    if not time.size:
        return np.zeros((stop.size, later.shape[1]))
    # competing events so far, and what they will still add to the score
    ends = stop[likelihood.layout.competing]
    order = np.argsort(ends, kind="stable")
    seen = np.searchsorted(ends[order], time, side="left" if together else "right")
    one, weighted = (_running(part[order])[seen] for part in past)
    reached = np.searchsorted(likelihood.layout.times, time, side="left" if together else "right")
    ahead = weighted * (later[-1] - later[reached]) - one * (moved[-1] - moved[reached])
    slot = np.searchsorted(time, stop, side="left")
    at = np.searchsorted(time, stop, side="right")
    censored = code == 0
    leaving = np.bincount(slot[censored], freq[censored], time.size)
    # at risk of censoring: the rows beyond, those censored now, and by choice the events of now
    last = at if together else np.where(censored, at, slot)
    by_last = np.bincount(last, freq, time.size + 1)
    risk = np.cumsum(by_last[::-1])[::-1][1:]
    # the derivative of log(1 - c / n) by c; cmprsk takes that of the hazard, c / n
    left = risk if together else risk - leaving
    jump = ahead * ratio(1.0, left)[:, None]
    drift = _running(jump * (leaving / risk)[:, None])
    found: FloatArray = -drift[last]
    found[censored] += jump[slot[censored]]
    return found
