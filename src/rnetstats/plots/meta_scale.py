"""The axis of a meta-analysis: ratios on a log scale, differences, or percentages."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnetstats.formatting import fmt_interval, fmt_number
from rnetstats.plots.ratio_axis import at_least, ratio_ticks, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MetaScale", "scale_of"]

RATIOS = {
    "OR": "Odds ratio",
    "RR": "Risk ratio",
    "HR": "Hazard ratio",
    "IRR": "Rate ratio",
}
DIFFERENCES = {
    "RD": "Risk difference",
    "IRD": "Rate difference",
    "MD": "Mean difference",
    "SMD": "Standardised mean difference",
    "generic": "Estimate",
}
PERCENT = "proportion"
_BEYOND = 5.0  # a limit is shown up to so many times beyond the outermost estimate
_FURTHEST = 1000.0  # an axis of ratios reaches no further from its middle
_SHARE = 0.75  # the same for differences, as a share of the span of the estimates


@dataclass(frozen=True)
class MetaScale:
    """How the effects of one measure are drawn and written.

    Attributes
    ----------
    name : str
        The measure in words.
    short : str
        Its abbreviation, for the head of the column.
    log : bool
        Whether the axis is logarithmic.
    factor : float
        What effects are multiplied by: 100 for percentages.
    null : float or None
        Where the line of no effect stands.
    digits : int
        Decimals.
    """

    name: str
    short: str
    log: bool
    factor: float
    null: float | None
    digits: int

    def shown(self, values: np.ndarray) -> np.ndarray:
        """Return effects as the axis shows them."""
        return self.factor * np.asarray(values, dtype=float)

    def drawable(self, values: np.ndarray) -> np.ndarray:
        """Say which values the axis can show at all."""
        return visible(values) if self.log else np.isfinite(values)

    def words(self, estimate: float, low: float, high: float) -> str:
        """Return ``'0.89 (0.40 to 2.02)'``; without an estimate ``'(0.40 to 2.02)'``."""
        est, lo, hi = (self.factor * value for value in (estimate, low, high))
        limits = f"({fmt_interval(lo, hi, self.digits)})" if not math.isnan(lo + hi) else ""
        number = "" if math.isnan(est) else fmt_number(est, self.digits)
        return f"{number} {limits}".strip()

    def ends(self, core: np.ndarray, limits: np.ndarray) -> tuple[float, float]:
        """Return the ends of the axis: all of ``core``, and ``limits`` unless far outside it."""
        if self.null is not None:
            core = np.append(core, self.null)
        core = core[self.drawable(core)]
        outer = limits[self.drawable(limits)]
        if core.size == 0:
            core = np.array([1.0]) if self.log else np.array([0.0])
        return self._log_ends(core, outer) if self.log else self._plain_ends(core, outer)

    def _log_ends(self, core: np.ndarray, outer: np.ndarray) -> tuple[float, float]:
        middle = math.exp(float(np.mean(np.log([core.min(), core.max()]))))
        left, right = core.min() / _BEYOND, core.max() * _BEYOND
        if outer.size:
            left, right = (
                max(left, min(outer.min(), core.min())),
                min(right, max(outer.max(), core.max())),
            )
        left, right = max(left, middle / _FURTHEST), min(right, middle * _FURTHEST)
        pad = max((right / left) ** 0.04, 1.05)
        return at_least(float(left / pad), float(right * pad))

    def _plain_ends(self, core: np.ndarray, outer: np.ndarray) -> tuple[float, float]:
        span = float(np.ptp(core)) or (float(np.ptp(outer)) if outer.size else 0.0) or 1.0
        left, right = core.min(), core.max()
        if outer.size:
            room = span * (2.0 * _SHARE if self.factor == 100.0 else _SHARE)
            left, right = (
                min(left, max(outer.min(), left - room)),
                max(right, min(outer.max(), right + room)),
            )
        pad = 0.04 * (right - left or 1.0)
        left, right = left - pad, right + pad
        if self.factor == 100.0:
            left, right = max(left, -1.0), min(right, 101.0)
        return float(left), float(right)

    def dress(self, axes: Axes, ends: tuple[float, float]) -> None:
        """Give the x axis its scale, its ends and its ticks."""
        if self.log:
            axes.set_xscale("log")
            axes.set_xlim(*ends)
            ratio_ticks(axes.xaxis, *ends)
            return
        from matplotlib.ticker import MaxNLocator

        axes.set_xlim(*ends)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))


def scale_of(
    measure: str, *, null: float | str | None = "auto", digits: int | None = None
) -> MetaScale:
    """Return the scale of a measure by its abbreviation.

    Parameters
    ----------
    measure : str
        ``"OR"``, ``"RR"``, ``"HR"`` and ``"IRR"`` are ratios, ``"proportion"`` is shown in per
        cent, all else as it is.
    null : float, None or "auto"
        Where the line of no effect stands; by default at 1, at 0, or nowhere for proportions.
    digits : int, optional
        Decimals; by default 2, of a risk difference 3, of percentages 1.
    """
    log, percent = measure in RATIOS, measure == PERCENT
    usual = None if percent else 1.0 if log else 0.0
    decimals = 1 if percent else 3 if measure in ("RD", "IRD") else 2
    name = (
        RATIOS.get(measure) or DIFFERENCES.get(measure) or ("Proportion, %" if percent else measure)
    )
    at = usual if isinstance(null, str) else null
    return MetaScale(
        name=name,
        short="%" if percent else name if measure == "generic" else measure,
        log=log,
        factor=100.0 if percent else 1.0,
        null=at,
        digits=decimals if digits is None else digits,
    )
