"""Flexible calibration curves with a pointwise band, and how far they are from the risks.

References
----------
Austin PC, Steyerberg EW (2014). Graphical assessment of internal and external calibration of
logistic regression models by using loess smoothers. Statistics in Medicine 33:517-535.
Austin PC, Steyerberg EW (2019). The Integrated Calibration Index (ICI) and related metrics.
Statistics in Medicine 38:4051-4065.
Wilson EB (1927). Probable inference, the law of succession, and statistical inference. J Am Stat
Assoc 22:209-212.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.calibration_error import distances
from rnetstats.kernels.loess import loess, loess_operator
from rnetstats.kernels.loess_interpolated import interpolated_operator, loess_interpolated
from rnetstats.kernels.lowess import lowess, lowess_operator
from rnetstats.kernels.neighbourhoods import Distinct, distinct
from rnetstats.prediction.calibration_spline import Curve, Smoother, SplineBasis, spline
from rnetstats.tables.proportion_limits import wilson_limits

__all__ = [
    "LOCAL",
    "Curve",
    "Smoother",
    "SplineBasis",
    "curve_distances",
    "grid_of",
    "local_operator",
    "smooth",
]

Floats = NDArray[np.float64]

LOCAL: Final = ("loess", "loess-interpolated", "lowess")
_GRID: Final = 101  # points of a curve


def grid_of(risk: Floats) -> Floats:
    """Evenly spaced risks from the smallest to the largest; no patient's own but these two."""
    low, high = float(risk.min()), float(risk.max())
    return np.linspace(low, high, _GRID) if high > low else np.array([low])


def smooth(
    y: Floats,
    risk: Floats,
    freq: Floats | None,
    how: Smoother,
    conf_level: float,
    *,
    pseudo: bool = False,
) -> Curve:
    """Smooth an outcome over its predicted risk.

    The limits of a local smoother are Wilson's: a smoothed value is a proportion among an
    effective number of patients, one over the sum of the squared weights that it gives to them.

    Parameters
    ----------
    y
        Outcomes (n,), or pseudo-values.
    risk, freq
        (n,)
    how
    conf_level
    pseudo
        The outcomes are pseudo-values: an effective number of patients is smaller by as much as
        they vary more about the curve than 0/1 outcomes would.
    """
    at = grid_of(risk)
    if how.name not in LOCAL:
        return spline(y, risk, freq, how, at, conf_level)
    rows = distinct(risk, freq)
    mean = rows.mean(y, freq)
    operator = local_operator(rows, at, how)
    if how.name == "lowess":
        fitted = lowess(risk, y, freq, span=how.span, delta=how.delta)
    else:
        smoother = loess if how.name == "loess" else loess_interpolated
        fitted = smoother(risk, y, freq, span=how.span, degree=how.degree)
    observed = operator @ mean
    effective = 1.0 / np.einsum("mk,mk,k->m", operator, operator, 1.0 / rows.count)
    inside = np.clip(observed, 0.0, 1.0)
    if pseudo:
        effective *= _share_known(y, fitted, freq)
    low, high = wilson_limits(inside * effective, effective, conf_level)
    return Curve(at, observed, low, high, fitted, _outside_note(fitted, freq, how.name))


def local_operator(rows: Distinct, at: Floats, how: Smoother, *, quick: bool = False) -> Floats:
    """Return a local smoother as a matrix (m, k) upon the outcome's means (``quick``: rougher)."""
    if how.name == "lowess":
        return lowess_operator(rows, at, span=how.span, delta=how.delta)
    if how.name == "loess":
        return loess_operator(rows, at, span=how.span, degree=how.degree, quick=quick)
    return interpolated_operator(rows, at, span=how.span, degree=how.degree)


def _share_known(y: Floats, fitted: Floats, freq: Floats | None) -> float:
    """Variance of 0/1 outcomes over that of pseudo-values about one curve, at most 1."""
    weight = np.ones_like(y) if freq is None else freq
    inside = np.clip(fitted, 0.0, 1.0)
    binary, found = weight @ (inside * (1.0 - inside)), weight @ (y - fitted) ** 2
    return min(1.0, float(binary / found)) if binary > 0.0 and found > 0.0 else 1.0


def curve_distances(risk: Floats, fitted: Floats, freq: Floats | None) -> dict[str, float]:
    """Return ICI, E50, E90, Emax and the mean squared distance in per cent (ECI)."""
    weight = np.ones(len(risk)) if freq is None else freq
    found = distances(risk[None], fitted[None], weight[None])[0]
    eci = 100.0 * float(weight @ (risk - fitted) ** 2) / float(weight.sum())
    return dict(zip(("ici", "e50", "e90", "emax"), map(float, found), strict=True)) | {"eci": eci}


def _outside_note(fitted: Floats, freq: Floats | None, name: str) -> tuple[str, ...]:
    outside = (fitted < 0.0) | (fitted > 1.0)
    count = int(outside.sum() if freq is None else freq[outside].sum())
    if not count:
        return ()
    return (
        f"The {name} curve leaves [0, 1] for {count} patient{'s' * (count != 1)} (at the edges, "
        "where few are); it stands as it is in ICI, E50, E90 and Emax.",
    )
