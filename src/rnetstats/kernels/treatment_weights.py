"""Weights from a treatment model, many replicates at once, and what they leave of each arm.

With e the probability of treatment, every patient is weighted by the tilting function h(e) over
the probability of the arm received: h = 1 (all patients), e (the treated), 1 - e (the controls)
or e (1 - e) (those whom either arm might have taken).

References
----------
Li F, Morgan KL, Zaslavsky AM (2018). Balancing covariates via propensity score weighting. Journal
of the American Statistical Association 113:390-400.
Cole SR, Hernan MA (2008). Constructing inverse probability weights for marginal structural models.
American Journal of Epidemiology 168:656-664.
"""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.newton import BoolArray, FloatArray

__all__ = ["ESTIMANDS", "effective_size", "freq_quantiles", "probability", "treatment_weights"]

ESTIMANDS = ("ate", "att", "atc", "overlap")


def probability(predictor: FloatArray) -> FloatArray:
    """Inverse logit of linear predictors (any shape), exact in both tails."""
    small = np.exp(-np.abs(predictor))
    return np.where(predictor >= 0.0, 1.0, small) / (1.0 + small)


def treatment_weights(
    predictor: FloatArray,
    treated: BoolArray,
    estimand: str,
    *,
    freq: FloatArray | None = None,
    stabilised: bool = False,
    truncate: tuple[float, float] | None = None,
) -> FloatArray:
    """Weights of B replicates.

    Parameters
    ----------
    predictor : array of shape (B, n)
        Log odds of treatment.
    treated : bool array of shape (n,)
    estimand : {"ate", "att", "atc", "overlap"}
        Whom the weighted arms stand for: all, the treated, the controls, or the overlap.
    freq : array of shape (n,) or (B, n), optional
        Whole numbers: how often each row stands in the replicate.
    stabilised : bool
        Multiply the weights of an arm by its share of the patients.
    truncate : pair of float, optional
        Shares: weights below and above these quantiles over the replicate's patients are set to
        them.

    Returns
    -------
    array of shape (B, n)
        Infinite or missing where the score is 0 or 1 to the last digit.
    """
    own = np.where(treated, predictor, -predictor)  # log odds of the arm received
    with np.errstate(over="ignore"):
        if estimand == "ate":
            weights = 1.0 + np.exp(-own)
        elif estimand == "overlap":
            weights = probability(-own)
        else:
            weights = np.where(treated == (estimand == "att"), 1.0, np.exp(-own))
    if stabilised:
        share = _share(treated, freq)
        weights = weights * np.where(treated, share, 1.0 - share)
    if truncate is not None:
        low, high = freq_quantiles(weights, truncate, freq).T
        weights = np.clip(weights, low[:, None], high[:, None])
    return weights


def _share(treated: BoolArray, freq: FloatArray | None) -> FloatArray:
    """Share of the patients who were treated, (1, 1) or (B, 1)."""
    counts = np.ones((1, treated.size)) if freq is None else np.atleast_2d(freq)
    return np.asarray(counts[:, treated].sum(axis=1) / counts.sum(axis=1))[:, None]


def freq_quantiles(
    values: FloatArray, shares: tuple[float, ...], freq: FloatArray | None = None
) -> FloatArray:
    """Quantiles (type 7) of each replicate's patients.

    Parameters
    ----------
    values : array of shape (B, n)
    shares : tuple of q floats
    freq : array of shape (n,) or (B, n), optional
        Whole numbers: how often each value stands in the replicate.

    Returns
    -------
    array of shape (B, q)
    """
    counts = np.broadcast_to(1.0 if freq is None else freq, values.shape)
    order = np.argsort(values, axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=1)
    upto = np.cumsum(np.take_along_axis(counts, order, axis=1), axis=1)
    found = np.empty((len(values), len(shares)))
    for k, share in enumerate(shares):
        place = share * (upto[:, -1] - 1.0)
        below = np.floor(place)
        above = np.minimum(below + 1.0, upto[:, -1] - 1.0)
        low, high = (
            np.take_along_axis(ordered, (upto <= at[:, None]).sum(axis=1)[:, None], axis=1)[:, 0]
            for at in (below, above)
        )
        part = place - below
        found[:, k] = np.where(part > 0.0, low + part * (high - low), low)
    return found


def effective_size(weights: FloatArray, freq: FloatArray | None = None) -> FloatArray:
    """Kish's effective number of patients of each replicate, (B,): (sum w)^2 / sum w^2.

    Parameters
    ----------
    weights : array of shape (B, n)
        Of one arm.
    freq : array of shape (n,) or (B, n), optional
    """
    counts = 1.0 if freq is None else freq
    square = (counts * weights**2).sum(axis=1)
    total = (counts * weights).sum(axis=1)
    found = np.zeros(square.shape)
    np.divide(total**2, square, out=found, where=square > 0.0)
    return found
