"""Turnbull's survival curves from interval-censored times, with what they leave undetermined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from rnetstats._core.frame import Data, as_frame, is_synthetic
from rnetstats._core.options import level
from rnetstats._core.random import resolve_seed
from rnetstats._core.resamples import checked_resamples
from rnetstats.survival.interval_limits import bootstrap_limits
from rnetstats.survival.interval_rows import interval_rows
from rnetstats.survival.turnbull_fit import FEWEST_EVENTS, fit_group, fit_notes
from rnetstats.survival.turnbull_result import TurnbullResult

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["TurnbullResult", "turnbull"]


def turnbull(
    data: Data,
    formula: str,
    *,
    conf_level: float = 0.95,
    resamples: int = 0,
    seed: int | None = None,
    freq_weights: str | ArrayLike | None = None,
    missing: str = "drop",
) -> TurnbullResult:
    """Estimate survival curves from interval-censored times by Turnbull's method.

    What is found at a visit happened since the visit before. The estimate is the non-parametric
    maximum of the likelihood, certified by its gradient (Kuhn-Tucker conditions to 1e-10). Its
    mass lies in the innermost intervals, and the likelihood does not say where within them.

    Parameters
    ----------
    data : DataFrame or mapping
    formula : str
        ``"Interval(left, right) ~ group"``, or ``~ 1``: the event happened after ``left`` and by
        ``right``. ``right`` infinite or missing: free of the event at ``left`` and not seen since;
        ``left`` = 0: it had happened by ``right``; ``left`` = ``right``: seen at that time.
    conf_level : float
    resamples : int
        Bootstrap samples for pointwise percentile limits, patients drawn within each group; 20
        at least, or 0 for none. A group with fewer than 5 events gets none.
    seed : int, optional
        Drawn and recorded if not given.
    freq_weights : str or array, optional
        Whole numbers that stand for replicated rows.
    missing : {"drop", "raise"}
        For rows without ``left`` or group.

    Returns
    -------
    TurnbullResult

    Raises
    ------
    DataError, ColumnError, FormulaError
        For intervals or a formula that cannot be used, such as left > right.
    OptionError
        For an option that is not allowed.
    ConvergenceError
        If the maximum could not be certified.

    Notes
    -----
    Exact and right-censored times give the Kaplan-Meier curve. The bootstrap is sound where visits
    fall on a schedule that patients share; with visit times that are all different the estimate
    converges at the cube root of n, and percentile limits are rough (a note says so).

    References
    ----------
    Turnbull BW (1976). The empirical distribution function with arbitrarily grouped, censored and
    truncated data. JRSS B 38:290-295. Gentleman R, Geyer CJ (1994). Maximum likelihood for
    interval censored data: consistency and computation. Biometrika 81:618-623.

    Examples
    --------
    Six patients seen at months 6 and 12: two had a recurrence by month 6, one between the visits,
    one had missed the first visit, and two were free at the last.

    >>> import rnetstats as rn
    >>> visits = {"left": [0, 0, 6, 0, 12, 12], "right": [6, 6, 12, 12, None, None]}
    >>> curve = rn.turnbull(visits, "Interval(left, right) ~ 1")
    >>> curve.to_frame()[["left", "right", "mass", "survival_after"]].round(4)
       left  right    mass  survival_after
    0   0.0    6.0  0.4444          0.5556
    1   6.0   12.0  0.2222          0.3333
    2  12.0    inf  0.3333          0.0000
    >>> curve.at([6, 9]).round(3)[["time", "survival_low", "survival_high", "determined"]]
       time  survival_low  survival_high  determined
    0   6.0         0.556          0.556        True
    1   9.0         0.333          0.556       False
    """
    conf_level = level(conf_level)
    draws = checked_resamples(resamples)
    drawn = resolve_seed(seed) if draws else None
    frame = as_frame(data)
    rows, info = interval_rows(frame, formula, freq_weights=freq_weights, missing=missing)
    fits = [fit_group(rows, code) for code in range(len(rows.labels))]
    groups = pd.DataFrame([about for _, about in fits])
    limited = [code for code, (_, about) in enumerate(fits) if about["n_events"] >= FEWEST_EVENTS]
    limits = bootstrap_limits(
        rows,
        limited if draws else [],
        resamples=draws,
        conf_level=conf_level,
        seed=drawn or 0,
    )
    return TurnbullResult(
        intervals=pd.concat([part for part, _ in fits], ignore_index=True),
        groups=groups,
        limits=limits,
        labels=info.labels,
        n_missing=info.n_missing,
        rows=rows,
        synthetic=is_synthetic(frame),
        notes=(*info.notes, *fit_notes(rows, groups, draws)),
        seed=drawn,
        options={
            "formula": formula,
            "conf_level": conf_level,
            "resamples": draws,
            "missing": missing,
        },
    )
