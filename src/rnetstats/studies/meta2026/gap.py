"""From residual tumour in a quarter to recurrence in few: what has to be true in between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnetstats.evidence.facts import Fact, FactSheet
from rnetstats.formatting import fmt_interval, fmt_number, fmt_percent
from rnetstats.studies.exhibit import Exhibit

__all__ = ["FOUND", "Gap", "benefit_table", "gap_of", "gap_table"]

FOUND = (1.0, 0.5, 0.25)
"""Shares of recurrences that observation finds: chosen, to show what follows."""

ASSUMPTIONS = (
    "The observed leave as much residual tumour behind as was found in the salvaged. Salvage is "
    "chosen for the doubtful cases, so that the observed may well have had less.",
    "A recurrence under observation grows from residual tumour, and from nothing else.",
    "The crude rate is that of one population followed for one time. It is summed over studies "
    "that differ in both.",
)


@dataclass(frozen=True)
class Gap:
    """The printed figures as ranges of all values that print so; shares of 1.

    Attributes
    ----------
    residual : (float, float, float)
        Lower limit, estimate, upper limit.
    observed, salvaged : (float, float, float)
        Crude recurrence: lowest that prints so, as printed, highest.
    odds_ratio : (float, float, float)
        Within studies: estimate, lower and upper limit.
    """

    residual: tuple[float, float, float]
    observed: tuple[float, float, float]
    salvaged: tuple[float, float, float]
    odds_ratio: tuple[float, float, float]

    def product(self, residual: float) -> float:
        """Probability that a residual grows within the follow-up and is found."""
        return self.observed[1] / residual

    def recurring(self, found: float) -> float:
        """Recurrence under observation, found or not, if this share is found."""
        return self.observed[1] / found

    def within(self, odds_ratio: float) -> float:
        """Absolute benefit of salvage at the printed risk under observation."""
        p = self.observed[1]
        odds = odds_ratio * p / (1.0 - p)
        return p - odds / (1.0 + odds)


def gap_of(sheet: FactSheet) -> Gap:
    """Take the figures from the sheet."""
    return Gap(
        residual=tuple(  # type: ignore[arg-type]
            sheet[f"residual_{name}"].number / 100.0 for name in ("low", "percent", "high")
        ),
        observed=_rounded(sheet["crude_observation"]),
        salvaged=_rounded(sheet["crude_salvage"]),
        odds_ratio=tuple(  # type: ignore[arg-type]
            sheet[f"comparative_{name}"].number for name in ("or", "low", "high")
        ),
    )


def _rounded(fact: Fact) -> tuple[float, float, float]:
    half = 0.5 * 10.0**-fact.decimals
    low, mid, high = ((fact.number + shift) / 100.0 for shift in (-half, 0.0, half))
    return low, mid, high


def gap_table(gap: Gap) -> Exhibit:
    """Return, for shares of residual tumour, what growth and finding must multiply to."""
    rows = []
    for share, words in zip(
        gap.residual, ("lower limit", "as printed", "upper limit"), strict=True
    ):
        rows.append(
            {
                "residual": share,
                "words": words,
                "product_low": gap.observed[0] / share,
                "product": gap.product(share),
                "product_high": gap.observed[2] / share,
            }
        )
    numbers = pd.DataFrame(rows)
    numbers["one_in"] = 1.0 / numbers["product"]
    shown = pd.DataFrame(
        {
            "Residual tumour": [
                f"{fmt_percent(x)} ({words})"
                for x, words in zip(numbers["residual"], numbers["words"], strict=True)
            ],
            "Grows and is found": [
                f"{fmt_percent(p)} ({fmt_interval(100 * low, 100 * high, 2)})"
                for p, low, high in zip(
                    numbers["product"], numbers["product_low"], numbers["product_high"], strict=True
                )
            ],
            "One in": [fmt_number(x, 1) for x in numbers["one_in"]],
        }
    )
    return Exhibit(
        name="gap",
        title="What lies between residual tumour and recurrence",
        caption="Recurrence under observation = residual tumour × probability that it grows to a "
        "recurrence within the follow-up × probability that this is found. In brackets: what "
        f"rounding of the printed {fmt_percent(gap.observed[1], 2)} allows.",
        numbers=numbers,
        shown=shown,
        from_print=True,
        notes=(
            *(f"Assumed: {words}" for words in ASSUMPTIONS),
            "Only the product is in print. Slow growth with good surveillance and quick growth "
            "with poor surveillance give the same figure; the pairs on a curve cannot be told "
            "apart.",
        ),
    )


def benefit_table(gap: Gap) -> Exhibit:
    """Return what salvage could prevent at most, under each reading of the printed figures."""
    p = gap.observed[1]
    rows = [
        ("Found recurrences, if salvage prevents all", p, "a bound: recurrence would be 0"),
        (
            "Crude difference of the arms",
            p - gap.salvaged[1],
            "studies of different patients side by side",
        ),
        ("Odds ratio within studies", gap.within(gap.odds_ratio[0]), "at the printed risk"),
        ("Its lower limit", gap.within(gap.odds_ratio[1]), "the most that it allows"),
        ("Its upper limit", gap.within(gap.odds_ratio[2]), "harm"),
    ]
    for found in FOUND[1:]:
        words = f"All recurrences, if {fmt_percent(found, 0)} are found and salvage prevents all"
        rows.append((words, min(gap.recurring(found), 1.0), "the share found is chosen"))
    most = "All residual tumour, if every one grows and salvage removes it"
    rows.append((most, gap.residual[1], f"{fmt_percent(gap.product(gap.residual[1]))} found"))
    numbers = pd.DataFrame(rows, columns=["reading", "difference", "note"])
    numbers["treated_per_one"] = np.where(
        numbers["difference"] > 0, 1.0 / numbers["difference"], np.nan
    )
    shown = pd.DataFrame(
        {
            "Reading": numbers["reading"],
            "Fewer recurrences per 100": [fmt_number(100 * x) for x in numbers["difference"]],
            "Salvaged for one fewer": [fmt_number(x, 0) for x in numbers["treated_per_one"]],
            "Remark": numbers["note"],
        }
    )
    return Exhibit(
        name="benefit",
        title="What salvage could prevent at most",
        caption="Absolute differences in recurrence within the follow-up of these studies. None of "
        "them is an estimate of what salvage does.",
        numbers=numbers,
        shown=shown,
        from_print=True,
        notes=(
            "A recurrence that is found late is not a death prevented; what salvage costs "
            "(complications, surgery) stands on the other side and is not in these figures.",
        ),
    )
