"""Two arms with few or no events: every method that still holds, beside what it assumes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data
from rnetstats._core.options import draw_count, level, real, row_of_method
from rnetstats._core.random import resolve_seed
from rnetstats._core.result import Result
from rnetstats.errors import FormulaError
from rnetstats.formatting import digits_beside, fmt_interval, fmt_number, fmt_p, group_names
from rnetstats.survival.follow_up import follow_up
from rnetstats.survival.logrank_methods import p_text
from rnetstats.treatment.few_events_rows import FewRows, Settings, binary_rows, survival_rows
from rnetstats.treatment.two_arms import FEW_EVENTS, TwoArms, two_arms

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FewEventsResult", "few_events"]

_DIFFERS = 0.1  # a reverse Kaplan-Meier P below it speaks against equal follow-up
_ALPHA = 0.05


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FewEventsResult(Result):
    """One table of methods for two arms; see :func:`few_events`.

    Attributes
    ----------
    table : DataFrame
        ``method, measure, estimate, conf_low, conf_high, p_value, assumes``; arm 1 against arm 2.
        A test has no estimate, a bound no P, and what is undefined is missing, with a note.
    counts : DataFrame
        ``arm, n, n_events, person_time, rate, median_follow_up`` of arms 1 and 2: rates per unit of
        time, the median by reverse Kaplan-Meier; missing without times.
    endpoint : str
        The left side of the formula.
    group : str
        The column of the arms, as printed.
    censoring_p_value : float
        Of the reverse Kaplan-Meier comparison of follow-up; missing without times.
    """

    table: pd.DataFrame
    counts: pd.DataFrame
    endpoint: str
    group: str
    censoring_p_value: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row a method."""
        return self.table.copy()

    def method(self, method: str, measure: str | None = None) -> pd.Series:
        """Return the row of one method (of the first measure that has it, unless named).

        Raises
        ------
        OptionError
            If there is no such measure, or it has no such method.
        """
        return row_of_method(self.table, method, measure)

    def glance(self) -> pd.DataFrame:
        """Return one row: endpoint, counts, the comparison of follow-up, the range of P."""
        one, two = self.counts.to_dict("records")
        p = self.table["p_value"]
        return pd.DataFrame(
            {
                "endpoint": [self.endpoint],
                "events_1": [one["n_events"]],
                "n_1": [one["n"]],
                "events_2": [two["n_events"]],
                "n_2": [two["n"]],
                "censoring_p_value": [self.censoring_p_value],
                "p_smallest": [p.min()],
                "p_largest": [p.max()],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text."""
        percent = f"{100 * self.options['conf_level']:g} % limits"
        columns = self.table.to_dict("list")
        digits = [3 if m == "risk difference" else 2 for m in columns["measure"]]
        return pd.DataFrame(
            {
                "Measure": columns["measure"],
                "Method": columns["method"],
                "Estimate": [
                    fmt_number(x, d) for x, d in zip(columns["estimate"], digits, strict=True)
                ],
                percent: [
                    fmt_interval(low, high, d)
                    for low, high, d in zip(
                        columns["conf_low"], columns["conf_high"], digits, strict=True
                    )
                ],
                "P": [fmt_p(p) for p in columns["p_value"]],
                "Assumes": columns["assumes"],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the ratios with their limits; where no event happened, the risk differences."""
        from rnetstats.plots.intervals import draw_intervals
        from rnetstats.plots.style import marked

        ratio = self.table["measure"].str.endswith("ratio")
        known = ratio & self.table["estimate"].notna()
        any_ratio = bool(known.any())
        shown = self.table[known if any_ratio else self.table["measure"] == "risk difference"]
        labels = [f"{row.measure}: {row.method}" for row in shown.itertuples(index=False)]
        names = group_names(self.counts["arm"])
        one, two = (names.get(arm, arm) for arm in self.counts["arm"])
        what = "Ratio" if any_ratio else "Risk difference"
        percent = f"{100 * self.options['conf_level']:g} % limits"
        axes = draw_intervals(
            shown.assign(label=labels).reset_index(drop=True),
            ax=ax,
            xlabel=f"{what}, {self.group}: {one} against {two}, {percent}",
            log=any_ratio,
            reference=1.0 if any_ratio else 0.0,
        )
        return marked(axes, self.synthetic)


def few_events(
    data: Data,
    formula: str,
    *,
    new: Any = None,
    m: float = 1.0,
    resamples: int = 10_000,
    seed: int | None = None,
    conf_level: float = 0.95,
    freq_weights: Any = None,
    missing: str = "drop",
) -> FewEventsResult:
    """Compare two arms with few or no events by every method that holds there.

    Parameters
    ----------
    data : DataFrame or mapping
    formula : str
        ``"Surv(time, event) ~ arm"`` or ``"y ~ arm"``.
    new : level, optional
        Arm 1, which is compared with the other; by default the later level.
    m : float
        Strength of the log-F priors, in patients.
    resamples : int
        Permutations B; P is (1 + b) / (1 + B).
    seed : int, optional
        Drawn and recorded if not given.
    conf_level : float
    freq_weights : str or array of shape (n,), optional
    missing : {"drop", "raise"}

    Returns
    -------
    FewEventsResult
        Log-rank tests (exact; by permutation; by permutation for unequal follow-up), hazard ratios
        (Firth, log-F; profile limits), exact rate ratios, exact odds ratios (Fisher, mid-P,
        Blaker) and risk differences (Newcombe, Miettinen-Nurminen). Without times: the last two,
        with odds ratios by Firth and log-F. One method is to be chosen before P is seen.

    Raises
    ------
    FormulaError
        For late entry, strata or clusters.
    ColumnError, DataError
        If the data cannot be used, or there are not two arms.
    OptionError
        If an option is not allowed.

    References
    ----------
    Heinze G, Gnant M, Schemper M (2003) Exact log-rank tests for unequal follow-up. Biometrics
    59:1151-1157. Heinze G, Schemper M (2001) A solution to the problem of monotone likelihood in
    Cox regression. Biometrics 57:114-119. Greenland S, Mansournia MA (2015) Stat Med 34:3133-3143.
    Fay MP (2010) Biostatistics 11:373-374. Newcombe RG (1998) Stat Med 17:873-890. Miettinen O,
    Nurminen M (1985) Stat Med 4:213-226.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> found = rn.few_events(cohort, "recurrence ~ margin_positive", seed=1)
    >>> found.to_frame()[["measure", "method", "estimate", "conf_low", "conf_high"]].round(2)
               measure                method  estimate  conf_low  conf_high
    0       odds ratio                Fisher     22.21      3.34     475.04
    1       odds ratio                 mid-P     22.21      3.75     486.09
    2       odds ratio                Blaker     22.21      3.41     475.04
    3  risk difference              Newcombe      0.06      0.03       0.10
    4  risk difference    Miettinen-Nurminen      0.06      0.03       0.10
    5       odds ratio        Firth, profile     15.54      3.66     144.06
    6       odds ratio  log-F(1, 1), profile     14.86      3.50     137.88
    """
    settings = Settings(
        m=real("m", m, low=0.0, closed=False),
        resamples=draw_count("resamples", resamples),
        seed=resolve_seed(seed),
        conf_level=level(conf_level),
    )
    arms = two_arms(data, formula, new=new, freq_weights=freq_weights, missing=missing)
    if arms.start is not None:
        raise FormulaError(
            "few_events() counts from time 0, for which its exact methods are made: write "
            "Surv(time, event)."
        )
    found = binary_rows(arms, settings) if arms.stop is None else survival_rows(arms, settings)
    table, counts = found.frame(), _counts(arms)
    return FewEventsResult(
        table=table,
        counts=counts,
        endpoint=arms.endpoint,
        group=arms.group,
        censoring_p_value=found.censoring_p_value,
        synthetic=arms.synthetic,
        notes=(*arms.notes, *_notes(arms, counts, found, table)),
        seed=None if arms.stop is None else settings.seed,
        options={
            "formula": arms.formula,
            "m": settings.m,
            "resamples": settings.resamples,
            "conf_level": settings.conf_level,
            "missing": missing,
        },
    )


def _counts(arms: TwoArms) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "arm": list(arms.names),
            "n": list(arms.sizes),
            "n_events": list(arms.events),
            "person_time": math.nan,
            "rate": math.nan,
            "median_follow_up": math.nan,
        }
    )
    if arms.stop is None:
        return frame
    times = np.array([arms.stop[arms.is_new].sum(), arms.stop[~arms.is_new].sum()])
    frame["person_time"] = times
    events = np.array(arms.events, dtype=float)
    frame["rate"] = np.divide(events, times, out=np.full(2, math.nan), where=times > 0)
    rows = {"t": arms.stop, "e": arms.event.astype(int), "arm": (~arms.is_new).astype(int)}
    reverse = follow_up(rows, "Surv(t, e) ~ arm").to_frame().set_index("group")
    frame["median_follow_up"] = reverse.loc[["0", "1"], "median"].to_numpy(float)
    return frame


def _notes(arms: TwoArms, counts: pd.DataFrame, found: FewRows, table: pd.DataFrame) -> list[str]:
    records = counts.to_dict("records")
    said = []
    for row in records:
        unit = arms.unit or "units of time"
        time = "" if arms.stop is None else f" in {row['person_time']:,.0f} {unit} of follow-up"
        said.append(f"{row['n_events']} of {row['n']} ({arms.called(row['arm'])}){time}")
    notes = [f"{arms.endpoint}: {said[0]} against {said[1]}.", *found.notes]
    thin = [arms.called(row["arm"]) for row in records if row["n_events"] < FEW_EVENTS]
    if thin:
        arm = "arm" if len(thin) == 1 else "arms"
        notes.append(
            f"Fewer than {FEW_EVENTS} events in the {arm} {' and '.join(thin)}. "
            "Wald, Greenwood and bootstrap limits do not hold and are not shown."
        )
    if found.censoring_p_value < _DIFFERS:
        notes.append(
            f"Follow-up differs between the arms (reverse Kaplan-Meier "
            f"{p_text(found.censoring_p_value)}): the exact and permutation log-rank tests and the "
            "2x2 tables assume that it does not; read the permutation for unequal follow-up."
        )
    p = table["p_value"].dropna()
    if len(p) and p.min() < _ALPHA <= p.max():
        notes.append(
            f"P runs from {_beside_level(p.min())} to {_beside_level(p.max())} by method: one "
            "chosen after looking has no level. Name the method beforehand."
        )
    return notes


def _beside_level(p: float) -> str:
    """Write a P value with the digits that put it on its side of 5 %."""
    digits = digits_beside(p, _ALPHA, digits=3)
    return "below 0.001" if p < 0.001 else f"{p:.{digits}f}"
