"""What follows from the printed numbers alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from rnetstats.evidence.facts import read_facts
from rnetstats.studies.duan2024.arithmetic import (
    PrintedNumbers,
    at_most,
    ceiling,
    event_splits,
    first_significant,
    needed_salvages,
    percent_check,
    share_at_which,
    share_curve,
)

PRINTED = PrintedNumbers.of(read_facts("rnetstats.studies.duan2024"))


def test_counts_come_from_the_facts() -> None:
    assert PrintedNumbers(527, 181, 12, "2.2") == PRINTED
    assert PRINTED.negative == 346


def test_the_printed_percentage_is_cut_off() -> None:
    check = percent_check(PRINTED)
    assert check["exact"] == pytest.approx(100 * 12 / 527)
    assert (check["rounded"], check["truncated"]) == ("2.3", "2.2")
    assert check["is_truncated"]
    assert not check["is_rounded"]


def test_a_rounded_percentage_is_recognised() -> None:
    check = percent_check(PrintedNumbers(527, 181, 12, "2.28"))
    assert check["is_rounded"]
    assert not check["is_truncated"]


def test_the_ceiling_of_salvage() -> None:
    top = ceiling(PRINTED)
    assert top["free"] == 169
    assert top["free_share"] == pytest.approx(169 / 181)
    assert top["salvages_per_prevented"] == pytest.approx(181 / 12)
    assert top["salvages_per_prevented"] == pytest.approx(1 / top["risk"])


def test_fisher_p_of_each_split_is_the_derived_one() -> None:
    expected = {12: 0.0, 11: 0.0001, 10: 0.0006, 9: 0.0044, 8: 0.0274, 7: 0.1197}
    expected |= {6: 0.3556, 5: 0.5565, 4: 1.0}
    splits = event_splits(PRINTED).set_index("positive_events")
    for a, p in expected.items():
        assert round(float(splits.loc[a, "fisher_p"]), 4) == p
        table = [[a, 181 - a], [12 - a, 346 - 12 + a]]
        assert splits.loc[a, "fisher_p"] == pytest.approx(stats.fisher_exact(table)[1], rel=1e-9)


def test_eight_of_twelve_is_the_first_significant_split() -> None:
    assert first_significant(event_splits(PRINTED)) == 8


def test_seven_is_enough_for_the_log_rank_at_about_thirty_percent() -> None:
    share = share_at_which(7, 12)
    z = (7 - 12 * share) / math.sqrt(12 * share * (1 - share))
    assert z == pytest.approx(stats.norm.ppf(0.975), rel=1e-12)
    assert at_most(share) == "31.9 %"
    assert share < 181 / 527 < share_at_which(8, 12)


def test_the_curve_crosses_five_percent_at_the_share() -> None:
    for events in (6, 7, 8):
        share = share_at_which(events, 12)
        assert share_curve(PRINTED, events, np.array([share])) == pytest.approx(0.05)


def test_the_fewest_salvages_are_the_fewest() -> None:
    table = needed_salvages(PRINTED).set_index(["recurrences", "salvaged_events"])["salvages"]
    assert table[(12, 0)] == 44
    for (total, hits), salvages in table.items():
        if hits > 1 or total < 9:
            continue
        before = _fisher(total, hits, salvages - 1)
        assert _fisher(total, hits, salvages) < 0.05 <= before


def test_a_benefit_that_no_number_of_salvages_shows_is_said_so() -> None:
    table = needed_salvages(PRINTED)
    all_after = table[table["recurrences"] == table["salvaged_events"]]
    assert (all_after["salvages"] == 0).all()
    assert all_after["fisher_p"].isna().all()


def _fisher(total: int, hits: int, salvages: int) -> float:
    cells = [[hits, salvages - hits], [total - hits, 181 - salvages - (total - hits)]]
    return float(stats.fisher_exact(cells)[1])


def test_a_bound_is_cut_off_not_rounded() -> None:
    assert at_most(0.31955) == "31.9 %"
    assert at_most(0.32) == "32.0 %"
