"""What limits or a P value imply by Wald's formula: standard errors, limits, and real tables."""

from __future__ import annotations

import math

import pandas as pd
from scipy.special import ndtri

from rnetstats.evidence.checks_printed import Printed
from rnetstats.evidence.worlds_algebra import events_from_total, events_from_variance
from rnetstats.evidence.worlds_figures import OddsRatioFigures
from rnetstats.evidence.worlds_printed import Window
from rnetstats.evidence.worlds_totals import Totals

__all__ = ["error_from_limits", "implied", "solutions"]


def implied(printed: dict[str, Printed], figures: OddsRatioFigures) -> pd.DataFrame:
    """Return the standard errors and limits that the figures allow.

    Parameters
    ----------
    printed : dict
        The figures by name.
    figures : OddsRatioFigures
        Their windows.

    Returns
    -------
    DataFrame
        One row a basis ("limits", "P"): ``std_error_low, std_error_high`` (of the log odds ratio)
        and, from the printed odds ratio with them, ``conf_low_least, conf_low_most,
        conf_high_least, conf_high_most``.
    """
    columns = ["basis", "std_error_low", "std_error_high", "conf_low_least", "conf_low_most"]
    columns += ["conf_high_least", "conf_high_most"]
    ratio = float(printed["odds_ratio"].value)
    rows = []
    if ratio > 0.0:
        spread = error_from_limits(figures)
        if spread is not None:
            rows.append(("limits", *spread, *_limits(ratio, *spread, figures.z)))
        if "p" in printed:
            spread = _from_p(figures.windows["odds_ratio"], figures.windows["p"])
            rows.append(("P", *spread, *_limits(ratio, *spread, figures.z)))
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[1:], float))


def error_from_limits(figures: OddsRatioFigures) -> tuple[float, float] | None:
    """Return the least and the largest standard error that the printed limits allow.

    From the width of the interval on the log scale; None without two positive limits in order.
    """
    if not {"conf_low", "conf_high"} <= set(figures.windows):
        return None
    low, high = figures.windows["conf_low"].ends, figures.windows["conf_high"].ends
    if low[0] <= 0.0 or not math.isfinite(high[1]) or high[0] <= low[1]:
        return None
    ends = math.log(high[0] / low[1]), math.log(high[1] / low[0])
    return ends[0] / (2.0 * figures.z), ends[1] / (2.0 * figures.z)


def _from_p(ratio: Window, p: Window) -> tuple[float, float]:
    """From the distance of the odds ratio to 1, over the quantile of P."""
    low, high = ratio.ends
    sizes = [abs(math.log(end)) if end > 0.0 else math.inf for end in (low, high)]
    least = 0.0 if low <= 1.0 <= high else min(sizes)
    p_low, p_high = max(p.ends[0], 0.0), min(p.ends[1], 1.0)
    z_low, z_high = float(-ndtri(p_high / 2.0)), float(-ndtri(p_low / 2.0)) if p_low else math.inf
    return _over(least, z_high), _over(max(sizes), z_low) if z_low > 0.0 else math.inf


def _over(size: float, z: float) -> float:
    """Return what a distance to 1 and a quantile imply; P = 1 is no distance, or no precision."""
    if z > 0.0:
        return size / z
    return math.inf if size > 0.0 else 0.0


def _limits(ratio: float, low: float, high: float, z: float) -> tuple[float, float, float, float]:
    def at(error: float, sign: float) -> float:
        power = math.log(ratio) + sign * z * error
        return math.exp(power) if power < 700.0 else math.inf

    return at(high, -1.0), at(low, -1.0), at(low, 1.0), at(high, 1.0)


def solutions(
    target: float,
    totals: Totals | None,
    printed: dict[str, Printed],
    figures: OddsRatioFigures,
) -> pd.DataFrame:
    """Return tables of real numbers from the algebra, where the sizes of the groups are known.

    Parameters
    ----------
    target : float
        The odds ratio.
    totals : Totals or None
    printed : dict
        The figures by name.
    figures : OddsRatioFigures
        Their windows.

    Returns
    -------
    DataFrame
        ``basis, events_1, events_2``; of two solutions the one with rarer events first.
    """
    rows: list[tuple[str, float, float]] = []
    if totals is not None and totals.n_1 is not None:
        sizes = totals.n_1, totals.n - totals.n_1
        if totals.events is not None:
            found = events_from_total(target, *sizes, totals.events)
            rows.append(("odds ratio and all events", *found))
        for basis, low, high in implied(printed, figures)[
            ["basis", "std_error_low", "std_error_high"]
        ].itertuples(index=False):
            if math.isfinite(high):
                variance = (0.5 * (low + high)) ** 2
                pairs = events_from_variance(target, variance, *sizes)
                rows += [(f"odds ratio and {basis}", *pair) for pair in pairs]
    return pd.DataFrame(rows, columns=["basis", "events_1", "events_2"]).astype(
        {"events_1": float, "events_2": float}
    )
