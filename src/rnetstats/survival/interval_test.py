"""Score test of equal survival in groups with interval-censored times, by permutation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.distributions import chi_square_p
from rnetstats._core.random import chunk_generators
from rnetstats._core.result import Result
from rnetstats.errors import DataError, TooFewEventsError
from rnetstats.formatting import fmt_count, fmt_number, fmt_p
from rnetstats.kernels.turnbull import innermost, npmle
from rnetstats.survival.interval_rows import IntervalRows
from rnetstats.survival.logrank_permutation import least_as_large

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["IntervalTestResult", "hazard_scores", "score_test"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class IntervalTestResult(Result):
    """A score test of equal survival; see :meth:`TurnbullResult.test`.

    Attributes
    ----------
    table : DataFrame
        ``group, n, n_events, score``: scores sum to 0 over the groups, positive where events came
        earlier than in all groups together.
    statistic, df, p_value, p_value_mcse : float
        Chi-square by the permutation variance, its degrees of freedom, P by Monte Carlo
        permutation and its Monte Carlo standard error.
    p_value_asymptotic : float
        P of the chi-square law.
    labels : dict
    """

    table: pd.DataFrame
    statistic: float
    df: int
    p_value: float
    p_value_mcse: float
    p_value_asymptotic: float
    labels: dict[str, str]

    def to_frame(self) -> pd.DataFrame:
        """Return a row a group."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the statistic and its P."""
        return pd.DataFrame(
            {
                "n": [self.table["n"].sum()],
                "n_events": self.table["n_events"].sum(),
                "statistic": self.statistic,
                "df": self.df,
                "p_value": self.p_value,
                "p_value_mcse": self.p_value_mcse,
                "p_value_asymptotic": self.p_value_asymptotic,
                "resamples": self.options["resamples"],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text."""
        rows = self.table.to_dict("records")
        last = [""] * (len(rows) - 1)
        return pd.DataFrame(
            {
                self.labels["group"]: [row["group"] for row in rows],
                "N": [fmt_count(row["n"]) for row in rows],
                "Events": [fmt_count(row["n_events"]) for row in rows],
                "Score": [fmt_number(row["score"]) for row in rows],
                "Chi-square": [fmt_number(self.statistic), *last],
                "P (permutation)": [fmt_p(self.p_value), *last],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each group's score with a line at 0."""
        from rnetstats.plots.intervals import draw_intervals
        from rnetstats.plots.style import marked

        rows = pd.DataFrame(
            {
                "label": self.table["group"],
                "estimate": self.table["score"],
                "conf_low": np.minimum(self.table["score"], 0.0),
                "conf_high": np.maximum(self.table["score"], 0.0),
            }
        )
        label = "Score (positive: events earlier than expected)"
        return marked(draw_intervals(rows, ax=ax, xlabel=label, reference=0.0), self.synthetic)


def hazard_scores(rows: IntervalRows) -> Floats:
    """Return each row's derivative of its log-likelihood by a log hazard ratio, at 0, (n,).

    Survival is the estimate of all groups together. With S before and S after the row's interval,
    the score is (S before log S before - S after log S after) / (S before - S after). The
    scores, each times its weight, sum to zero.
    """
    inner = innermost(rows.left, rows.right)
    fit = npmle(inner.first, inner.last, len(inner.left), rows.freq, tolerance=1e-13)
    later = np.append(np.flip(np.cumsum(np.flip(fit.mass))), 0.0)
    before, after = np.minimum(later[inner.first], 1.0), later[inner.last + 1]
    gap = np.maximum(before - after, 1e-300)
    return np.asarray((_entropy(before) - _entropy(after)) / gap)


def _entropy(survival: Floats) -> Floats:
    """Return S log S, 0 at 0."""
    return np.asarray(survival * np.log(np.where(survival > 0.0, survival, 1.0)))


def score_test(
    rows: IntervalRows,
    *,
    labels: dict[str, str],
    resamples: int,
    seed: int,
    synthetic: bool,
    formula: str,
) -> IntervalTestResult:
    """Compare the groups of the rows."""
    if len(rows.labels) < 2:
        raise DataError(
            "The test compares at least two groups; the formula gives one. Write the groups on "
            "the right, as in 'Interval(left, right) ~ group'."
        )
    if not rows.event.any():
        raise TooFewEventsError("All rows are right-censored: there is no event to compare.")
    rows = rows.expanded()
    scores = hazard_scores(rows)
    counts = [rows.counts(code) for code in range(len(rows.labels))]
    sizes = np.array([count["n"] for count in counts], dtype=float)
    total = _group_sums(scores[None, :], rows)[0]
    statistic = float(_chi_square(total[None, :], scores, sizes)[0])
    least, extreme = least_as_large(statistic), 0
    for where, rng in chunk_generators(seed, resamples):
        many = np.tile(scores, (where.stop - where.start, 1))
        shuffled = rng.permuted(many, axis=1)
        drawn = _chi_square(_group_sums(shuffled, rows), scores, sizes)
        extreme += int(np.count_nonzero(drawn >= least))
    p_value = (1.0 + extreme) / (1.0 + resamples)
    table: dict[str, Any] = {
        "group": list(rows.labels),
        "n": [count["n"] for count in counts],
        "n_events": [count["n_events"] for count in counts],
        "score": total,
    }
    df = len(sizes) - 1
    return IntervalTestResult(
        table=pd.DataFrame(table),
        statistic=statistic,
        df=df,
        p_value=p_value,
        p_value_mcse=float(np.sqrt(p_value * (1.0 - p_value) / resamples)),
        p_value_asymptotic=float(chi_square_p(statistic, df)),
        labels=labels,
        synthetic=synthetic,
        notes=(
            "P by permutation supposes the same visits and the same follow-up in all groups. "
            "Where a group is seen more often, its events are found earlier: compare by "
            "interval_regression(model='cox'), and see schedule_sensitivity().",
        ),
        seed=seed,
        options={"formula": formula, "resamples": resamples},
    )


def _group_sums(scores: Floats, rows: IntervalRows) -> Floats:
    """Sum scores (B, n) by group, (B, groups)."""
    member = (rows.group[:, None] == np.arange(len(rows.labels))).astype(float)
    return np.asarray(scores @ member)


def _chi_square(sums: Floats, scores: Floats, sizes: Floats) -> Floats:
    """Return U' V^- U for sums (B, groups), V the variance over all relabellings."""
    n = float(sizes.sum())
    spread = float(((scores - scores.mean()) ** 2).sum()) / (n - 1.0)
    if not spread > 0.0:  # one interval for all: nothing tells the groups apart
        return np.zeros(len(sums))
    centred = sums - sizes * scores.mean()
    # V = spread (diag(n_g) - n_g n_h / n): its generalised inverse acts as 1 / (spread n_g)
    return np.asarray((centred**2 / sizes).sum(axis=1) / spread)
