"""One group's estimate by Turnbull's method, and what is to be said of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rnetstats.errors import ConvergenceError
from rnetstats.kernels.turnbull import innermost, npmle
from rnetstats.survival.interval_rows import IntervalRows

__all__ = ["FEWEST_EVENTS", "fit_group", "fit_notes"]

FEWEST_EVENTS = 5
_NO_MASS = 1e-12


def fit_group(rows: IntervalRows, code: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return one group's innermost intervals with mass, and what is said of it."""
    mine = rows.group == code
    inner = innermost(rows.left[mine], rows.right[mine])
    fit = npmle(inner.first, inner.last, len(inner.left), rows.weight[mine])
    if not fit.converged:
        raise ConvergenceError(
            f"The maximum of group {rows.labels[code]!r} could not be certified (excess "
            f"{fit.excess:.1e} a patient, 1e-10 wanted). Look for times that differ by rounding "
            "only, and round them."
        )
    kept = fit.mass > _NO_MASS
    mass = fit.mass[kept] / fit.mass[kept].sum()
    gone = np.cumsum(mass)
    after = np.where(np.arange(len(mass)) == len(mass) - 1, 0.0, 1.0 - gone)
    table = pd.DataFrame(
        {
            "group": rows.labels[code],
            "left": inner.left[kept],
            "right": inner.right[kept],
            "mass": mass,
            "survival_before": np.append(1.0, after[:-1]),
            "survival_after": after,
        }
    )
    about = {
        "group": rows.labels[code],
        **rows.counts(code),
        "n_intervals": len(mass),
        "log_likelihood": fit.log_likelihood,
        "excess": fit.excess,
        "unique": fit.unique,
    }
    return table, about


def fit_notes(rows: IntervalRows, groups: pd.DataFrame, resamples: int) -> list[str]:
    """Say what is not determined, and where limits are missing or rough."""
    notes = []
    for row in groups.to_dict("records"):
        if row["n_events"] == 0:
            notes.append(
                f"Group {row['group']}: no event among {row['n']}; survival is 1 up to the last "
                "time at which somebody was known to be free of it, and unknown after."
            )
        elif resamples and row["n_events"] < FEWEST_EVENTS:
            notes.append(
                f"Group {row['group']}: {row['n_events']} events among {row['n']} patients; "
                f"bootstrap limits need at least {FEWEST_EVENTS} and are not given."
            )
        if not row["unique"]:
            notes.append(
                f"Group {row['group']}: the masses of some innermost intervals are not determined "
                "by the likelihood; one of the solutions is shown."
            )
    if resamples:
        ends = rows.right[rows.event & (rows.left < rows.right)]
        if len(ends) >= 10 and len(np.unique(ends)) > 0.5 * len(ends):
            notes.append(
                "Most visits fall on times of their own: bootstrap limits of this estimate are "
                "rough there (cube-root convergence), more so than on a shared schedule."
            )
    return notes
