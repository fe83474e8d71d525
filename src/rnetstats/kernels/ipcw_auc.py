"""AUC at a time under censoring, with the standard error that goes with the IPCW Brier score.

Cases have the event of the cause by the time; everybody else is a control, those with another
event included. A score's AUC is a ratio of weighted sums; its influence function has the same
part by the censoring distribution as that of the Brier score.

References
----------
Blanche P, Dartigues JF, Jacqmin-Gadda H (2013). Estimating and comparing time-dependent areas under
receiver operating characteristic curves for censored event times with competing risks. Statistics
in Medicine 32:5381-5397.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.censoring import censoring_survival, ipcw_weights
from rnetstats.kernels.ipcw_brier import censoring_part
from rnetstats.kernels.newton import FloatArray

__all__ = ["ipcw_auc"]


def ipcw_auc(
    stop: ArrayLike,
    code: ArrayLike,
    score: ArrayLike,
    horizon: float,
    freq: ArrayLike | None = None,
    *,
    cause: int = 1,
) -> tuple[float, float]:
    """AUC of a score for the risk of a cause by a time.

    Parameters
    ----------
    stop, score : arrays of shape (n,)
    code : int array of shape (n,)
        0 for censored, else the cause.
    horizon : float
    freq : array of shape (n,), optional
        Whole numbers.
    cause : int

    Returns
    -------
    auc, std_error : float
        NaN without cases or without controls.
    """
    ends, values = np.asarray(stop, dtype=np.float64), np.asarray(score, dtype=np.float64)
    codes = np.asarray(code)
    copies = np.ones(ends.size) if freq is None else np.asarray(freq, dtype=np.float64)
    total = float(copies.sum())
    weight = ipcw_weights(ends, codes > 0, horizon, censoring_survival(ends, codes > 0, copies))
    case = (codes == cause) & (ends <= horizon)
    cases, controls = weight * case, weight * ~case
    of_cases, of_controls = float(copies @ cases), float(copies @ controls)
    if of_cases <= 0.0 or of_controls <= 0.0:
        return float("nan"), float("nan")
    below = _below(values, copies * controls) / of_controls
    above = 1.0 - _below(values, copies * cases) / of_cases
    auc = float(copies @ (cases * below)) / of_cases
    own = cases * (below - auc) / of_cases + controls * (above - auc) / of_controls
    influence = total * own
    influence += censoring_part(ends, codes == 0, influence[None], copies, horizon)[0]
    return auc, float(np.sqrt(copies @ influence**2 / (total * (total - 1.0))))


def _below(values: FloatArray, weight: FloatArray) -> FloatArray:
    """Weight of the rows with a smaller value, and half that of those with the same, (n,)."""
    levels, place = np.unique(values, return_inverse=True)
    held = np.bincount(place, weight, len(levels))
    return np.asarray((np.cumsum(held) - 0.5 * held)[place])
