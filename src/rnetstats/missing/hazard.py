"""The cumulative hazard as a predictor in imputation models.

References
----------
White IR, Royston P (2009). Imputing missing covariate values for the Cox model. Stat Med
28:1982-1998.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["nelson_aalen"]

Floats = NDArray[np.float64]


def nelson_aalen(
    stop: Floats,
    event: NDArray[np.bool_],
    start: Floats | None = None,
    freq: Floats | None = None,
) -> Floats:
    """Return each row's own cumulative hazard, by the Nelson-Aalen estimator.

    Parameters
    ----------
    stop : array of shape (n,)
    event : bool array of shape (n,)
    start : array of shape (n,), optional
        Entry; a row is at risk on (start, stop].
    freq : array of shape (n,), optional
        How often each row counts.

    Returns
    -------
    array of shape (n,)
        Gathered from entry to exit; zero if there is no event.
    """
    weight = np.ones(len(stop)) if freq is None else freq
    seen = event & (weight > 0.0)
    times = np.unique(stop[seen])
    deaths = np.bincount(
        np.searchsorted(times, stop[seen]), weights=weight[seen], minlength=len(times)
    )
    at_risk = _weight_from(stop, weight, times)
    if start is not None:
        at_risk = at_risk - _weight_from(start, weight, times)
    hazard = np.concatenate([[0.0], np.cumsum(deaths / np.where(at_risk > 0.0, at_risk, 1.0))])
    gathered = hazard[np.searchsorted(times, stop, side="right")]
    if start is not None:
        gathered = gathered - hazard[np.searchsorted(times, start, side="right")]
    return np.asarray(gathered)


def _weight_from(values: Floats, weight: Floats, times: Floats) -> Floats:
    """Total weight of the rows whose value is at least each time."""
    order = np.argsort(values, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weight[order])])
    return np.asarray(below[-1] - below[np.searchsorted(values[order], times, side="left")])
