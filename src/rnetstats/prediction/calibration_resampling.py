"""Limits over resampled patients: of a calibration curve, of O/E and of the distances.

References
----------
Austin PC, Harrell FE, van Klaveren D (2020). Graphical calibration curves and the integrated
calibration index (ICI) for survival models. Statistics in Medicine 39:2714-2742.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from rnetstats._core.random import chunk_generators
from rnetstats.kernels.calibration_error import distances
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.neighbourhoods import distinct
from rnetstats.kernels.newton import LOST_TERM, OK
from rnetstats.kernels.percentiles import percentile_limits
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.prediction.calibration_curve import LOCAL, local_operator
from rnetstats.prediction.calibration_levels import FEWEST_EVENTS
from rnetstats.prediction.calibration_spline import Curve, Smoother, SplineBasis
from rnetstats.prediction.resamples import few_resamples

__all__ = ["Again", "Curves", "binary_curves", "local_curves", "with_limits"]

Floats = NDArray[np.float64]
Curves = Callable[[Floats], Floats]
"""``counts (b, n) -> curves (b, m)``, missing where a resample has none."""

DISTANCES: Final = ("ici", "e50", "e90", "emax")


@dataclass(frozen=True, slots=True, eq=False)
class Again:
    """What is made again in each resample.

    Attributes
    ----------
    curves : Curves
    rarer : float
        Patients with the rarer outcome.
    what : str
        Who they are, where they are too few.
    observed : callable or None
        ``counts (b, n) -> observed risk (b,)``, for limits of O/E; None where they are analytic.
    """

    curves: Curves
    rarer: float
    what: str
    observed: Callable[[Floats], Floats] | None = None


def with_limits(
    curve: Curve,
    measures: dict[str, Any],
    risk: Floats,
    freq: Floats | None,
    again: Again,
    *,
    conf_level: float,
    resamples: int,
    seed: int,
) -> tuple[Curve, dict[str, float], list[str]]:
    """Return the curve with percentile limits, limits of O/E and of the distances, and notes.

    Distances of a resample are read from its curve between the points at which it is drawn. A
    distance whose percentiles do not hold the estimate has no limits.
    """
    bare = np.full(curve.at.shape, np.nan)
    ends = {f"{name}_{end}": np.nan for name in DISTANCES for end in ("low", "high")}
    if again.rarer < FEWEST_EVENTS:
        note = f"no resampling limits with fewer than five {again.what} ({again.rarer:g} here)"
        return replace(curve, low=bare, high=bare), ends, [note]
    curves, found, ratios = _resampled(curve.at, risk, freq, again, resamples, seed)
    notes, good = few_resamples(resamples), np.isfinite(curves).all(axis=1)
    failed = int(np.count_nonzero(~good))
    if failed:
        notes.append(f"{failed} of {resamples} resamples had no curve")
    if again.observed is not None:
        ends["oe_low"], ends["oe_high"] = map(float, percentile_limits(ratios, conf_level))
    if not good.any():
        return replace(curve, low=bare, high=bare), ends, notes
    low, high = percentile_limits(curves[good], conf_level)
    beside = []
    for name, values in zip(DISTANCES, found[good].T, strict=True):
        least, most = map(float, percentile_limits(values, conf_level))
        if least <= measures[name] <= most:
            ends[f"{name}_low"], ends[f"{name}_high"] = least, most
        elif np.isfinite(measures[name]):
            beside.append(name if name == "ici" else name.capitalize())
    notes.append(_said(beside, again.observed is not None))
    return replace(curve, low=low, high=high), ends, notes


def _resampled(
    at: Floats, risk: Floats, freq: Floats | None, again: Again, resamples: int, seed: int
) -> tuple[Floats, Floats, Floats]:
    """Curves (B, m), distances (B, 4) and O/E (B,) of the resamples."""
    curves = np.full((resamples, at.size), np.nan)
    found, ratios = np.full((resamples, 4), np.nan), np.full(resamples, np.nan)
    for rows, rng in chunk_generators(seed, resamples):
        drawn = bootstrap_counts(rng, len(risk), rows.stop - rows.start, freq=freq)
        counts = drawn.astype(np.float64)
        curves[rows] = again.curves(counts)
        whole = np.array([np.interp(risk, at, curve) for curve in curves[rows]])
        found[rows] = distances(np.broadcast_to(risk, counts.shape), whole, counts)
        if again.observed is not None:
            ratios[rows] = again.observed(counts) * counts.sum(axis=1) / (counts @ risk)
    return curves, found, ratios


def _said(beside: list[str], ratio: bool) -> str:
    first = "Limits of O/E and of ICI, E50, E90 and Emax" if ratio else "Those of ICI to Emax"
    text = (
        f"{first} are percentiles over resamples. A distance cannot be below 0, and resampling "
        "adds to it: its limits lie high, and do not reach 0 even for right risks"
    )
    if beside:
        names = ", ".join(name.upper() if name == "ici" else name for name in beside)
        text += f". Where they do not hold the estimate, none are given ({names})"
    return text + "."


def local_curves(
    values: Callable[[Floats], Floats], risk: Floats, how: Smoother, at: Floats
) -> Curves:
    """Return the curves of a local smoother; missing beyond a resample's own risks: carried on.

    Parameters
    ----------
    values : callable
        ``counts (b, n) -> outcomes (b, n)``, or pseudo-values made anew.
    risk, how, at
    """

    def curves(counts: Floats) -> Floats:
        found = []
        for outcome, weight in zip(values(counts), counts, strict=True):
            held = weight > 0
            found.append(_local(outcome[held], risk[held], weight[held], how, at))
        return np.array(found)

    return curves


def _local(y: Floats, risk: Floats, freq: Floats, how: Smoother, at: Floats) -> Floats:
    """The curve of one resample; beyond its risks the value at their end."""
    rows = distinct(risk, freq)
    here = (at >= rows.x[0]) & (at <= rows.x[-1])
    if not here.any():
        return np.full(at.size, np.nan)
    operator = local_operator(rows, at[here], how, quick=True)
    curve = np.interp(at, at[here], operator @ rows.mean(y, freq))
    return np.asarray(np.clip(curve, 0.0, 1.0))


def binary_curves(
    y: Floats, risk: Floats, freq: Floats | None, how: Smoother, at: Floats
) -> Curves:
    """Return the curves of a binary outcome; knots stay where they are."""
    if how.name in LOCAL:
        return local_curves(lambda counts: np.broadcast_to(y, counts.shape), risk, how, at)
    inner, open_ = (risk > 0.0) & (risk < 1.0), (at > 0.0) & (at < 1.0)
    if not inner.any():
        return lambda counts: np.full((len(counts), at.size), np.nan)
    basis = SplineBasis(logit(risk[inner]), None if freq is None else freq[inner], how)
    X, points = basis(logit(risk[inner])), basis(logit(at[open_]))
    outcome = y[inner]

    def curves(counts: Floats) -> Floats:
        here = counts[:, inner]
        both = (here @ outcome > 0) & (here @ (1.0 - outcome) > 0)
        fit = fit_logistic(X, outcome, freq=np.where(both[:, None], here, 1.0))
        found = np.tile(at.astype(np.float64), (len(counts), 1))
        found[:, open_] = expit(fit.coef @ points.T)
        found[~(both & np.isin(fit.status, (OK, LOST_TERM)))] = np.nan
        return found

    return curves
