"""Coverage, refusals, width and level of the methods for a treatment, with Monte Carlo errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.simulation.summaries import estimation_summary, inconsistent
from rnetstats.simulation.treatment_answers import Question

__all__ = ["COLUMNS", "broken", "summary"]

Floats = NDArray[np.float64]

COLUMNS = (
    "family",
    "method",
    "estimand",
    "limits",
    "role",
    "ratio",
    "target",
    "cohorts",
    "no_estimate",
    "no_interval",
    "median_estimate",
    "median_bias",
    "median_bias_mcse",
    "coverage",
    "coverage_mcse",
    "coverage_given",
    "coverage_given_mcse",
    "interval_above",
    "interval_below",
    "median_width",
    "rejected",
    "rejected_mcse",
    "favours",
    "favours_mcse",
)


def _share(flags: NDArray[np.bool_], name: str) -> dict[str, float]:
    n = flags.size
    share = float(flags.mean()) if n else np.nan
    error = float(np.sqrt(share * (1.0 - share) / n)) if n else np.nan
    return {name: share, f"{name}_mcse": error}


def _places(low: Floats, high: Floats, value: float) -> Floats:
    """Where intervals lie of a value: 1 above, -1 below, 0 across it, missing without one."""
    known = ~(np.isnan(low) | np.isnan(high))
    side = (low > value).astype(float) - (high < value)
    return np.where(known, side, np.nan)


def summary(question: Question, answers: Floats) -> dict[str, object]:
    """Summarise estimates and limits (R, 3) of one method.

    Returns
    -------
    dict
        The entries of :data:`COLUMNS` but ``family``. ``coverage`` counts a cohort without an
        interval as not covered, ``coverage_given`` leaves it out. ``favours`` is the share of all
        cohorts whose interval lies on the side of a benefit; the treatment is of use where its
        hazard ratio is below 1, its risk lower, its mean time longer.
    """
    estimate, low, high = answers.T
    target = 0.0 if abs(question.target) < 1e-9 else float(question.target)
    of_truth, of_zero = _places(low, high, target), _places(low, high, 0.0)
    places = np.column_stack([estimate, of_truth, of_zero])
    found = estimation_summary(places, target, tested=question.tested)
    given = of_truth[~np.isnan(of_truth)]
    width = (high - low)[~np.isnan(of_truth)]
    known = estimate[~np.isnan(estimate)]
    better = 1.0 if question.estimand.startswith("RMST") else -1.0
    kept = (
        "no_estimate",
        "no_interval",
        "median_bias",
        "median_bias_mcse",
        "coverage",
        "coverage_mcse",
        "interval_above",
        "interval_below",
        "rejected",
        "rejected_mcse",
    )
    favours = _share(of_zero == better, "favours")
    return {
        "method": question.method,
        "estimand": question.estimand,
        "limits": question.limits,
        "role": question.role,
        "ratio": question.ratio,
        "target": target,
        "cohorts": len(answers),
        "median_estimate": float(np.median(known)) if known.size else np.nan,
        "median_width": float(np.median(width)) if width.size else np.nan,
        **{name: found[name] for name in kept},
        **_share(given == 0.0, "coverage_given"),
        **(favours if question.tested else dict.fromkeys(favours, np.nan)),
    }


def broken(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose coverage is not 95 % within three Monte Carlo errors.

    Where the target is no effect, this is the level of the test by the interval, 5 %. Of limits
    that are known to be too wide, only a coverage below 95 % counts; of a naive method nothing.
    """
    bad = [
        row["role"] != "naive"
        and inconsistent(
            row["coverage"], 0.95, int(row["cohorts"]), at_least=row["role"] == "at least"
        )
        for row in table.to_dict("records")
    ]
    return table[np.array(bad, dtype=bool)]
