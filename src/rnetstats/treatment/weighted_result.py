"""Weighted comparisons of two arms: the result, and how estimates become a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from rnetstats._core.distributions import normal_quantile, two_sided_p
from rnetstats._core.result import Result
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p, fmt_percent, inside
from rnetstats.kernels.percentiles import percentile_limits, percentile_p
from rnetstats.treatment.draws import Draws

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Measures", "WeightedEffectResult", "effect_table"]

Floats = NDArray[np.float64]

ROBUST = "weighted, robust (score taken as known)"
BOOTSTRAP = "weighted, bootstrap percentile (score refitted)"
NO_LIMITS = "weighted, no limits"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WeightedEffectResult(Result):
    """A weighted comparison of two arms.

    Attributes
    ----------
    table : DataFrame
        ``measure, arm, estimate, conf_low, conf_high, std_error, p_value, method``. The standard
        error of a ratio is that of its logarithm.
    arms : DataFrame
        ``arm, n, n_events, effective_size``; the first row is the control arm. Patients and
        events are counted, not weighted.
    outcome : str
        The endpoint as the formula names it.
    endpoint : str
        The event as readers call it, for figures.
    counted : dict
        ``resamples, n_failed, n_lost_level, n_without_events`` of the bootstrap.
    reason : str
        Why there are no limits, or "".
    """

    table: pd.DataFrame
    arms: pd.DataFrame
    outcome: str
    counted: dict[str, int]
    reason: str = ""
    endpoint: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Return every measure by each method (a copy)."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: counts of both arms, what the bootstrap met, why limits are missing."""
        control, treated = self.arms.to_dict("records")
        row = {"outcome": self.outcome, "weights": self.options["weights"]}
        for name, arm in (("treated", treated), ("control", control)):
            row |= {
                f"n_{name}": arm["n"],
                f"n_events_{name}": arm["n_events"],
                f"ess_{name}": arm["effective_size"],
            }
        return pd.DataFrame([{**row, **self.counted, "reason": self.reason}])

    def display(self) -> pd.DataFrame:
        """Return the table as text, with the events of both arms in each row."""
        percent = f"{100 * self.options['conf_level']:g} % CI"
        events = {
            f"Events, {arm['arm']}": f"{arm['n_events']:g}/{arm['n']:g}"
            for arm in self.arms.to_dict("records")
        }
        rows = []
        for row in self.table.to_dict("records"):
            share = row["measure"] in ("risk", "risk difference")
            scale, digits = (100.0, 1) if share else (1.0, 2)
            estimate = row["estimate"]
            rows.append(
                {
                    "Measure": f"{row['measure']}, {row['arm']}" if row["arm"] else row["measure"],
                    "Estimate": fmt_percent(estimate) if share else fmt_number(estimate),
                    percent: fmt_interval(
                        scale * row["conf_low"], scale * row["conf_high"], digits
                    ),
                    "P": fmt_p(row["p_value"]),
                    "Method": row["method"],
                    **events,
                }
            )
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the contrast of the arms by each method: the last measure of the table."""
        from rnetstats.plots.forest import forest
        from rnetstats.plots.style import marked

        measure = self.table["measure"].iloc[-1]
        rows = self.table[self.table["measure"] == measure]
        shown = rows.assign(label=rows["method"].str.removeprefix("weighted, "))
        until = f" by {self.options['horizon']:g}" if "horizon" in self.options else ""
        axes = forest(
            shown,
            measure=f"{measure.capitalize()} of {inside(self.endpoint or self.outcome)}{until}",
            conf_level=self.options["conf_level"],
            ax=ax,
        )
        return marked(axes, self.synthetic)


@dataclass(frozen=True, eq=False, kw_only=True)
class Measures:
    """Estimates on the scale on which their limits are made.

    Attributes
    ----------
    names, arms
        (m,) measure, and the arm of a risk ("" for contrasts).
    scales
        (m,) plain, log or logit.
    values, errors
        (m,) estimates and robust standard errors on that scale.
    df
        Degrees of freedom of the t law, or infinite.
    """

    names: tuple[str, ...]
    arms: tuple[str, ...]
    scales: tuple[str, ...]
    values: Floats
    errors: Floats
    df: float = np.inf

    def shown(self, values: Floats) -> Floats:
        """Bring values (..., m) back from their scales."""
        found = np.array(values, dtype=float)
        for j, scale in enumerate(self.scales):
            if scale == "log":
                with np.errstate(over="ignore"):
                    found[..., j] = np.exp(found[..., j])
            elif scale == "logit":
                found[..., j] = 1.0 / (1.0 + np.exp(-found[..., j]))
        return found


def effect_table(
    measures: Measures, draws: Draws | None, *, conf_level: float, limits: bool
) -> pd.DataFrame:
    """Write each measure with robust limits and, with draws, by the bootstrap.

    Parameters
    ----------
    measures : Measures
    draws : Draws or None
    conf_level : float
    limits : bool
        Whether limits and P may be given at all.
    """
    if not limits:
        return _rows(measures, NO_LIMITS, {})
    robust = _rows(measures, ROBUST, _robust(measures, conf_level))
    if draws is None:
        return robust
    low, high = percentile_limits(draws.values, conf_level)
    finite = np.where(np.isfinite(draws.values), draws.values, np.nan)
    contrast = np.array([not arm for arm in measures.arms])
    drawn = {
        "conf_low": measures.shown(low),
        "conf_high": measures.shown(high),
        "std_error": _plain_errors(measures, np.nanstd(finite, axis=0, ddof=1), draws.values),
        "p_value": np.where(contrast, [percentile_p(v, 0.0) for v in draws.values.T], np.nan),
    }
    both = pd.concat([robust, _rows(measures, BOOTSTRAP, drawn)])
    return both.sort_index(kind="stable").reset_index(drop=True)


def _robust(measures: Measures, conf_level: float) -> dict[str, Floats]:
    values, errors = measures.values, measures.errors
    wide = (
        float(stdtrit(measures.df, 0.5 + conf_level / 2.0))
        if np.isfinite(measures.df)
        else normal_quantile(conf_level)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        z = values / errors
    p = two_sided_p(z) if np.isinf(measures.df) else 2.0 * stdtr(measures.df, -np.abs(z))
    contrast = np.array([not arm for arm in measures.arms])
    return {
        "conf_low": measures.shown(values - wide * errors),
        "conf_high": measures.shown(values + wide * errors),
        "std_error": _plain_errors(measures, errors),
        "p_value": np.where(contrast, p, np.nan),
    }


def _plain_errors(measures: Measures, errors: Floats, draws: Floats | None = None) -> Floats:
    """Standard errors as shown: of a risk on its own scale, of a ratio on the log scale."""
    found = errors.copy()
    for j, scale in enumerate(measures.scales):
        if scale != "logit":
            continue
        if draws is None:
            risk = measures.shown(measures.values)[j]
            found[j] = errors[j] * risk * (1.0 - risk)
        else:
            found[j] = np.nanstd(measures.shown(draws)[:, j], ddof=1)
    return found


def _rows(measures: Measures, method: str, found: dict[str, Any]) -> pd.DataFrame:
    none = np.full(len(measures.names), np.nan)
    return pd.DataFrame(
        {
            "measure": measures.names,
            "arm": measures.arms,
            "estimate": measures.shown(measures.values),
            **{
                name: found.get(name, none)
                for name in ("conf_low", "conf_high", "std_error", "p_value")
            },
            "method": method,
        }
    )
