"""Recurrences in the patients at hand: what the file itself bounds, group by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_percent
from rnetstats.studies.cha2019.bounds import YEAR
from rnetstats.studies.cha2019.cohort import Cohort
from rnetstats.studies.exhibit import Exhibit
from rnetstats.tables.exact_proportion import exact_proportion
from rnetstats.tables.exact_rate import exact_rate

__all__ = ["EVERYBODY", "TREATED", "UNTREATED", "Seen", "seen_in", "seen_table"]

PER = 100.0
EVERYBODY = "all patients"
TREATED = "not curative, additional treatment"
UNTREATED = "not curative, no additional treatment"


@dataclass(frozen=True)
class Seen:
    """Recurrences in one group of patients of whom it is known.

    Attributes
    ----------
    group : str
    events, n : int
    low, high : float
        Clopper-Pearson limits of the risk within each patient's follow-up.
    years : float
        Patient-years of those whose follow-up is known.
    untimed : int
        Patients whose follow-up is not known: they and their recurrences are in no rate.
    rate_estimate, rate_low, rate_high : float
        The rate per 100 of these patient-years, with Poisson limits; NaN without time at risk.
    """

    group: str
    events: int
    n: int
    low: float
    high: float
    years: float
    untimed: int
    rate_estimate: float
    rate_low: float
    rate_high: float

    @property
    def counts(self) -> str:
        """Recurrences of patients."""
        return f"{fmt_count(self.events)} of {fmt_count(self.n)}"

    @property
    def risk(self) -> str:
        """The risk: a bound where there is no recurrence, else the share with its limits."""
        if self.events == 0:
            return f"at most {fmt_percent(self.high)}"
        limits = f"{fmt_percent(self.low)} to {fmt_percent(self.high)}"
        return f"{fmt_percent(self.events / self.n)} ({limits})"

    @property
    def rate(self) -> str:
        """The rate per 100 patient-years: a bound where there is no recurrence."""
        if not self.years > 0.0:
            return "no bound, for want of time at risk"
        if self.rate_estimate == 0.0:
            return f"at most {fmt_number(self.rate_high)}"
        return f"{fmt_number(self.rate_estimate)} ({fmt_interval(self.rate_low, self.rate_high)})"


def seen_in(cohort: Cohort) -> tuple[Seen, ...]:
    """Count the recurrences of the file, all patients first; groups without a patient are left out.

    Rates hold the patients whose recurrence and follow-up are both known.
    """
    return tuple(_groups(cohort))


def _groups(cohort: Cohort) -> Iterator[Seen]:
    frame = cohort.everyone
    no, treated = frame["not_curative"] == 1, frame["treated"]
    for name, patients in (
        (EVERYBODY, cohort.whole),
        ("curative", frame[~no]),
        (UNTREATED, frame[no & (treated == 0)]),
        (TREATED, frame[no & (treated == 1)]),
    ):
        known = patients[patients["recurrence"].notna()]
        if len(known):
            yield _seen(name, known)


def _seen(name: str, known: pd.DataFrame) -> Seen:
    events, n = int(known["recurrence"].sum()), len(known)
    risk = exact_proportion(events, n).glance().iloc[0]
    timed = known[known["follow_up_months"].notna()]
    years = float(timed["follow_up_months"].sum()) / YEAR
    rate = [float("nan")] * 3
    if years > 0.0:
        row = exact_rate(int(timed["recurrence"].sum()), years).glance().iloc[0]
        rate = [PER * float(row[column]) for column in ("estimate", "conf_low", "conf_high")]
    limits = float(risk["conf_low"]), float(risk["conf_high"])
    return Seen(name, events, n, *limits, years, n - len(timed), *rate)


def seen_table(groups: Sequence[Seen]) -> Exhibit | None:
    """Return the recurrences of each group of the file, with exact limits."""
    if not groups:
        return None
    untimed = max(group.untimed for group in groups)
    note = (
        f"The rates leave out {fmt_count(untimed)} patient{'s' * (untimed > 1)} whose follow-up is "
        "not known, with their recurrences."
    )
    return Exhibit(
        name="recurrences_seen",
        title="Recurrences in the patients analysed here",
        caption="Exact limits: Clopper-Pearson for the risk within each patient’s own follow-up, "
        "Poisson for the rate. A bound of each group, no comparison of groups.",
        numbers=pd.DataFrame([vars(group) for group in groups]),
        shown=pd.DataFrame(
            {
                "Patients": [group.group for group in groups],
                "Recurrences": [group.counts for group in groups],
                "Risk (95 % CI)": [group.risk for group in groups],
                "Patient-years": [fmt_count(round(group.years)) for group in groups],
                "Per 100 patient-years (95 % CI)": [group.rate for group in groups],
            }
        ),
        notes=(note,) * (untimed > 0),
    )
