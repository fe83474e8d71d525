"""What no recurrence bounds, and how it agrees with another study's rate: from print alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnetstats.evidence.facts import FactSheet
from rnetstats.formatting import fmt_number, fmt_percent
from rnetstats.studies.exhibit import Exhibit
from rnetstats.tables.exact_rate_ratio import exact_rate_ratio
from rnetstats.treatment.no_events import no_events

__all__ = ["Bounds", "bounds_of", "bounds_table", "conflict_table"]

YEAR = 12.0


@dataclass(frozen=True)
class Bounds:
    """Upper bounds of a risk and a rate without any event, and the other study's prediction.

    Attributes
    ----------
    risks : dict
        Per group in words: ``(n, upper bound of the risk)``, two-sided 95 % limits.
    least_years : float
        Patient-years that the median follow-up guarantees.
    rate : float
        Upper bound of the rate, per 100 patient-years, with ``least_years``.
    median : float
        Median follow-up, months.
    other_events, other_n, other_median : float
        Recurrences, patients and median follow-up of the other study.
    """

    risks: dict[str, tuple[int, float]]
    least_years: float
    rate: float
    median: float
    other_events: int
    other_n: int
    other_median: float

    @property
    def n(self) -> int:
        """All patients."""
        return next(iter(self.risks.values()))[0]

    @property
    def years(self) -> float:
        """Patient-years, each patient counted with the median."""
        return self.n * self.median / YEAR

    @property
    def other_years(self) -> float:
        """Patient-years of the other study, counted alike."""
        return self.other_n * self.other_median / YEAR

    @property
    def expected(self) -> float:
        """Recurrences here at the other study's rate."""
        return self.other_events / self.other_years * self.years

    @property
    def chance_of_none(self) -> float:
        """Probability of none, that rate being exact."""
        return math.exp(-self.expected)

    @property
    def chance_allowing(self) -> float:
        """Two-sided exact P of equal rates: the other study's rate is an estimate, too."""
        found = exact_rate_ratio(0, self.years, self.other_events, self.other_years)
        return float(found.method("central", "rate ratio")["p_value"])


def bounds_of(sheet: FactSheet, other: FactSheet) -> Bounds:
    """Take the bounds from the figures of this study and of the one of 527 patients."""
    groups = {
        "all patients": sheet["patients"].count,
        "not curative, no additional treatment": sheet["observation"].count,
        "not curative, additional treatment": sheet["salvage"].count,
    }
    median = sheet["median_follow_up"].number
    whole = no_events(n=groups["all patients"], median_follow_up=median)
    return Bounds(
        risks={name: (n, no_events(n=n).bound("risk")) for name, n in groups.items()},
        least_years=float(whole.glance()["person_time"].iloc[0]),
        rate=whole.bound("rate"),
        median=median,
        other_events=other["recurrences"].count,
        other_n=other["patients"].count,
        other_median=other["median_follow_up"].number,
    )


def bounds_table(bounds: Bounds) -> Exhibit:
    """Return the bound of each group, and of the rate where time at risk is known."""
    rate = f"at most {fmt_number(bounds.rate)} per 100 patient-years"
    shown = pd.DataFrame(
        {
            "Patients": list(bounds.risks),
            "Recurrences": [f"0 of {n}" for n, _ in bounds.risks.values()],
            "Risk (95 % CI)": [f"0 to {fmt_percent(high)}" for _, high in bounds.risks.values()],
            "Rate (95 % CI)": [rate, *["no bound: follow-up by arm is not printed"] * 2],
        }
    )
    return Exhibit(
        name="bounds",
        title="What no recurrence bounds",
        caption="Exact limits (Clopper-Pearson for risks, Poisson for the rate).",
        numbers=pd.DataFrame(
            [(name, n, high) for name, (n, high) in bounds.risks.items()],
            columns=["group", "n", "risk_high"],
        ).assign(
            least_person_years=[bounds.least_years, np.nan, np.nan],
            rate_high_per_100_years=[bounds.rate, np.nan, np.nan],
        ),
        shown=shown,
        from_print=True,
        notes=(
            f"At least half of {bounds.n} patients were followed for {bounds.median:g} months or "
            f"longer: at least {math.floor(bounds.least_years):,} patient-years, whatever the "
            "others contributed.",
            "A risk here is that of a recurrence within each patient’s own follow-up, however "
            "short.",
        ),
    )


def conflict_table(bounds: Bounds) -> Exhibit:
    """Return what the other study's rate predicts for these patients."""
    k = np.arange(0, 13)
    log_p = k * math.log(bounds.expected) - bounds.expected - [math.lgamma(i + 1.0) for i in k]
    p = np.exp(np.asarray(log_p, dtype=float))
    return Exhibit(
        name="conflict",
        title=f"Recurrences to be expected here at the rate of the study of {bounds.other_n}",
        caption=f"{bounds.other_events} recurrences in {bounds.other_n} patients with a median of "
        f"{bounds.other_median:g} months make {fmt_number(bounds.expected, 1)} expected here "
        "(Poisson).",
        numbers=pd.DataFrame({"recurrences": k, "probability": p, "seen": k == 0}),
        shown=pd.DataFrame(
            {
                "Recurrences": [str(i) for i in k],
                "Probability": [fmt_percent(float(x)) for x in p],
                "In print": ["seen" if i == 0 else "" for i in k],
            }
        ),
        from_print=True,
        notes=(
            "Each patient is counted with the median follow-up, in both studies: the mean is not "
            "printed, and hazards are taken to be constant.",
            f"Allowing for the other study’s rate being an estimate, the exact P of equal rates is "
            f"{fmt_number(bounds.chance_allowing, 3)}.",
        ),
    )
