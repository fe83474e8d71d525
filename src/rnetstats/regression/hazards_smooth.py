"""A smooth curve through scaled Schoenfeld residuals: the coefficient over time, with a band.

A natural cubic spline of transformed time is fitted by least squares, weighted as the events are. A
scaled residual has about the variance ``d V``, with d the events (the sum of their weights) and V
the variance of the coefficient, so that the band takes no variance from the scatter of a few
residuals.

References
----------
Grambsch PM, Therneau TM (1994). Proportional hazards tests and diagnostics based on weighted
residuals. Biometrika 81:515-526. Therneau TM, Grambsch PM (2000). Modeling Survival Data. Springer,
section 6.2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rnetstats._core.distributions import normal_quantile
from rnetstats.formula.splines import natural_basis, natural_knots

__all__ = ["CURVE_COLUMNS", "smooth_residuals"]

CURVE_COLUMNS = ("column", "time", "estimate", "conf_low", "conf_high")
_DF = 4
_FROM = 10  # fewer distinct event times than this are shown without a curve


def smooth_residuals(
    times: np.ndarray,
    transformed: np.ndarray,
    values: np.ndarray,
    variance: np.ndarray,
    names: Sequence[str],
    *,
    conf_level: float,
    freq: np.ndarray | None = None,
    sampling: np.ndarray | None = None,
) -> pd.DataFrame:
    """Smooth each coefficient's residuals over transformed time.

    Parameters
    ----------
    times, transformed : arrays of shape (d,)
        Of each event.
    values : array of shape (d, p)
        Scaled Schoenfeld residuals, centred at the coefficients.
    variance : array of shape (p,)
        Of the coefficients.
    names : sequence of str, p
    conf_level : float
    freq, sampling : arrays of shape (d,), optional
        Weights of the events: so many events alike, and their probability weight.

    Returns
    -------
    DataFrame
        :data:`CURVE_COLUMNS` at the distinct event times; empty with fewer than 10 of them.
    """
    moments, first = np.unique(times, return_index=True)
    at = transformed[first]
    if len(np.unique(at)) < _FROM:
        return pd.DataFrame(columns=list(CURVE_COLUMNS)).astype(
            dict.fromkeys(CURVE_COLUMNS[1:], float)
        )
    copies = np.ones(len(times)) if freq is None else freq
    events = copies if sampling is None else copies * sampling
    inner, boundary = natural_knots(transformed, _DF, copies)

    def basis(x: np.ndarray) -> np.ndarray:
        return np.column_stack([np.ones(len(x)), natural_basis(x, inner, boundary)])

    known, wanted = basis(transformed), basis(at)
    root = np.sqrt(events)
    parts_of = wanted @ np.linalg.pinv(root[:, None] * known) * root
    curve = parts_of @ values
    share = np.sum(parts_of**2 / copies, axis=1)  # each copy has its part of an event's weight
    reach = normal_quantile(conf_level) * np.sqrt(events.sum() * np.outer(share, variance))
    parts = [
        pd.DataFrame(
            {
                "column": name,
                "time": moments,
                "estimate": curve[:, j],
                "conf_low": curve[:, j] - reach[:, j],
                "conf_high": curve[:, j] + reach[:, j],
            }
        )
        for j, name in enumerate(names)
    ]
    return pd.concat(parts, ignore_index=True)
