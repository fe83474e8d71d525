"""Bootstrap limits by every usual method, and the result that holds them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.options import choice, level
from rnetstats._core.result import Result
from rnetstats.errors import DataError
from rnetstats.formatting import fmt_interval, fmt_number
from rnetstats.kernels.bootstrap_limits import QUANTILES, acceleration, bca_levels, quantiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FEWEST", "BootstrapResult", "limits_of"]

Floats = NDArray[np.float64]
FEWEST = 20
"""Replicates from which a standard deviation says something."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BootstrapResult(Result):
    """Bootstrap limits of one statistic.

    Attributes
    ----------
    table : DataFrame
        ``method, estimate, conf_low, conf_high``; a row for each of normal, basic, percentile
        and BCa.
    summary : dict
        ``estimate, bias, std_error, z0, acceleration, resamples, failed, conf_level``.
    replicates : array of shape (R,)
        Those that have a value.
    """

    table: pd.DataFrame
    summary: dict[str, Any]
    replicates: Floats = field(default_factory=lambda: np.zeros(0))

    def to_frame(self) -> pd.DataFrame:
        """Return a row a method."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the estimate, its bias and standard error, and what BCa rests on."""
        return pd.DataFrame([self.summary])

    def display(self) -> pd.DataFrame:
        """Return the limits as text."""
        share = f"{100.0 * self.summary['conf_level']:.10g} % limits"
        rows = self.table.to_dict("records")
        return pd.DataFrame(
            {
                "Method": self.table["method"],
                "Estimate": [fmt_number(row["estimate"], 3) for row in rows],
                share: [fmt_interval(row["conf_low"], row["conf_high"], 3) for row in rows],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the replicates, the estimate and the limits of each method."""
        from rnetstats.plots.bootstrap import replicate_histogram
        from rnetstats.plots.style import marked

        axes = replicate_histogram(
            self.replicates,
            self.table,
            share=f"{100.0 * self.summary['conf_level']:.10g} %",
            ax=ax,
        )
        return marked(axes, self.synthetic)


def limits_of(
    values: Floats,
    estimate: float,
    influence: Floats | None,
    *,
    conf_level: float,
    quantile: str,
    **about: Any,
) -> BootstrapResult:
    """Make limits by every method of replicates, and of influence values (n,) where known."""
    share = level(conf_level)
    kind = choice("quantile", quantile, QUANTILES)
    kept = values[np.isfinite(values)]
    if len(kept) < FEWEST:
        raise DataError(
            f"{len(kept)} of {len(values)} replicates have a finite value; limits need at least "
            f"{FEWEST}."
        )
    levels = np.array([(1.0 - share) / 2.0, (1.0 + share) / 2.0])
    normal = NormalDist()
    bias, spread = float(kept.mean()) - estimate, float(kept.std(ddof=1))
    below = float((kept < estimate).mean())
    z0 = normal.inv_cdf(below) if 0.0 < below < 1.0 else math.copysign(math.inf, below - 0.5)
    a = math.nan if influence is None else acceleration(influence)
    ends = {
        "normal": estimate - bias + normal.inv_cdf(float(levels[1])) * spread * np.array([-1, 1]),
        "basic": 2.0 * estimate - quantiles(kept, levels[::-1], kind),
        "percentile": quantiles(kept, levels, kind),
        "BCa": quantiles(kept, bca_levels(z0, a, levels), kind),
    }
    table = pd.DataFrame(
        [
            {"method": name, "estimate": estimate, "conf_low": low, "conf_high": high}
            for name, (low, high) in ends.items()
        ]
    )
    summary = {
        "estimate": estimate,
        "bias": bias,
        "std_error": spread,
        "z0": z0,
        "acceleration": a,
        "resamples": len(values),
        "failed": len(values) - len(kept),
        "conf_level": share,
    }
    return BootstrapResult(
        table=table,
        summary=summary,
        replicates=kept,
        notes=_notes(summary, ends["BCa"], influence is not None),
        **about,
    )


def _notes(summary: dict[str, Any], bca: Floats, accelerated: bool) -> tuple[str, ...]:
    notes = []
    kept = summary["resamples"] - summary["failed"]
    if summary["failed"]:
        notes.append(
            f"On {summary['failed']} of {summary['resamples']} resamples the statistic has no "
            "value; the limits hold on condition that it has one."
        )
    if (kept + 1) * (1.0 - summary["conf_level"]) / 2.0 < 1.0:
        notes.append(
            f"{kept} replicates are too few for limits of {100 * summary['conf_level']:.10g} %: "
            "the extreme replicates stand in their place."
        )
    if np.isnan(bca).any():
        if not accelerated:
            why = "they need jackknife or counts"
        elif math.isinf(summary["z0"]):
            why = "the estimate lies beyond nearly all replicates"
        else:
            why = "the acceleration is unknown or too large"
        notes.append(f"No BCa limits: {why}.")
    return tuple(notes)
