"""Splits of a known number of events."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import rnetstats as rn
from rnetstats.errors import BudgetError, DataError, OptionError
from rnetstats.evidence.facts import read_facts
from rnetstats.evidence.worlds_shares import binomial_p, share_at_which, share_curve, share_exact

FACTS = read_facts("rnetstats.studies.duan2024")
EVENTS, POSITIVE = FACTS["recurrences"].count, FACTS["positive_margin"].count
NEGATIVE = FACTS["patients"].count - POSITIVE
POINT = stats.norm.ppf(0.975)
Z_95 = stats.norm.ppf(0.975)
MODEL = rn.event_splits(EVENTS, POSITIVE, NEGATIVE, deaths=True)


def test_fisher_p_of_each_split_is_the_derived_one() -> None:
    derived = [1.0, 0.5565, 0.3556, 0.1197, 0.0274, 0.0044, 0.0006, 0.0001, 0.0]
    rows = MODEL.to_frame().set_index("events_1")
    for a, p in zip(range(4, 13), derived, strict=True):
        assert round(float(rows.loc[a, "fisher_p"]), 4) == p
    for a, row in rows.iterrows():
        table = [[a, POSITIVE - a], [EVENTS - a, NEGATIVE - EVENTS + a]]
        assert row["fisher_p"] == pytest.approx(stats.fisher_exact(table)[1], rel=1e-9)
        less = stats.fisher_exact(table, alternative="less")[1]
        greater = stats.fisher_exact(table, alternative="greater")[1]
        point = less + greater - 1.0
        assert row["mid_p"] == pytest.approx(2 * min(less, greater) - point, abs=1e-9)


def test_where_significance_begins_on_either_side() -> None:
    row = MODEL.glance().iloc[0]
    assert (row["worse_from"], row["better_to"], row["next_split"]) == (8, 0, 7)
    assert (row["worse_from_mid_p"], row["worse_from_logrank"]) == (8, 8)
    verdicts = MODEL.to_frame()["verdict"].tolist()
    assert verdicts == ["better"] + ["not significant"] * 7 + ["worse"] * 5


def test_seven_suffice_the_log_rank_below_about_thirty_percent_of_the_time() -> None:
    row = MODEL.glance().iloc[0]
    share = row["next_share_logrank"]
    z = (7 - 12 * share) / math.sqrt(12 * share * (1 - share))
    assert z == pytest.approx(stats.norm.ppf(0.975), rel=1e-12)
    assert 0.30 < share < 0.32
    assert row["next_share_exact"] == pytest.approx(0.2767, abs=5e-5)
    at = rn.event_splits(EVENTS, POSITIVE, NEGATIVE, share_of_time=0.30).glance().iloc[0]
    assert (at["worse_from"], at["worse_from_logrank"]) == (8, 7)


@settings(max_examples=25)
@given(total=st.integers(1, 60), data=st.data())
def test_shares_are_limits_of_a_proportion(total: int, data: st.DataObject) -> None:
    events = data.draw(st.integers(0, total))
    interval = stats.binomtest(events, total)
    wilson = interval.proportion_ci(method="wilson")
    clopper = interval.proportion_ci(method="exact")
    assert share_at_which(events, total) == pytest.approx(wilson.low, abs=1e-9)
    assert share_exact(events, total) == pytest.approx(clopper.low, abs=1e-9)
    rows = rn.event_splits(total, 100, 150).to_frame().set_index("events_1")
    assert rows.loc[events, "share_better_logrank"] == pytest.approx(wilson.high, abs=1e-9)
    assert rows.loc[events, "share_better_exact"] == pytest.approx(clopper.high, abs=1e-9)


def test_both_p_values_reach_the_level_at_the_share() -> None:
    for a in (6, 7, 8):
        share = float(share_at_which(a, 12, level=0.01))
        assert share_curve(a, 12, share) == pytest.approx(0.01)
        assert binomial_p(a, 12, float(share_exact(a, 12))) == pytest.approx(0.05)
    q = 0.3
    below = sum(math.comb(12, k) * q**k * (1 - q) ** (12 - k) for k in range(3))
    assert binomial_p(2, 12, q) == pytest.approx(2 * below, rel=1e-12)


@pytest.mark.parametrize("events_1", [0, 3, 7, 12])
@pytest.mark.parametrize("worse", [True, False])
def test_with_deaths_every_split_goes_with_either_verdict(events_1: int, worse: bool) -> None:
    made = MODEL.made_cohort(events_1, worse=worse)
    assert (made["group"] == 1).sum() == POSITIVE
    assert len(made) == POSITIVE + NEGATIVE
    recurrences = made[made["event"] == 1]
    assert (len(recurrences), (recurrences["group"] == 1).sum()) == (EVENTS, events_1)
    either = made.assign(dfs=(made["event"] > 0).astype(int))
    test = rn.logrank(either, "Surv(time, dfs) ~ group")
    rows = test.to_frame().set_index("group")
    more = rows.loc["1", "observed"] > rows.loc["1", "expected"]
    assert (more and test.glance()["p_value"].iloc[0] < 0.05) == worse
    column = "deaths_to_worse" if worse else "deaths_to_not_worse"
    counted = MODEL.to_frame().set_index("events_1").loc[events_1, column]
    assert abs(counted - (made["event"] == 2).sum()) <= 1
    assert "no such bound" in MODEL.notes[-1]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.7])
def test_the_deaths_that_turn_a_verdict_are_no_more_than_the_patients_left(share: float) -> None:
    """By trying each number: of twelve patients of each group some have recurred already."""
    rows = (
        rn.event_splits(11, 12, 12, deaths=True, share_of_time=share)
        .to_frame()
        .set_index("events_1")
    )
    lacking = 0
    for a, row in rows.iterrows():
        for name, each, room, turned in (
            ("deaths_to_worse", 1, 12 - a, lambda z: z >= Z_95),
            ("deaths_to_not_worse", 0, 12 - (11 - a), lambda z: z < Z_95),
        ):
            n = 11 + np.arange(room + 1)
            z = (a + each * np.arange(room + 1) - n * share) / np.sqrt(n * share * (1 - share))
            enough = np.flatnonzero(turned(z))
            lacking += not enough.size
            np.testing.assert_equal(row[name], enough[0] if enough.size else np.nan)
    assert lacking


@settings(max_examples=15)
@given(total=st.integers(1, 25), deaths=st.integers(0, 30), share=st.floats(0.05, 0.95))
def test_a_known_number_of_deaths_by_trying_each(total: int, deaths: int, share: float) -> None:
    rows = rn.event_splits(total, 40, 60, deaths=deaths, share_of_time=share).to_frame()
    for _, row in rows.iterrows():
        a = row["events_1"]
        tried = {
            d: (a + d - (total + deaths) * share)
            / math.sqrt((total + deaths) * share * (1 - share))
            for d in range(deaths + 1)
            if a + d <= 40 and total - a + deaths - d <= 60
        }
        worse = [d for d, z in tried.items() if z >= POINT]
        better = [d for d, z in tried.items() if z <= -POINT]
        for column, found in (
            ("deaths_1_worse_from", min(worse, default=math.nan)),
            ("deaths_1_better_to", max(better, default=math.nan)),
        ):
            np.testing.assert_equal(row[column], found)


def test_groups_change_their_places() -> None:
    one = rn.event_splits(9, 30, 50).to_frame()
    two = rn.event_splits(9, 50, 30).to_frame().iloc[::-1].reset_index(drop=True)
    np.testing.assert_allclose(one["fisher_p"], two["fisher_p"], rtol=1e-10)
    np.testing.assert_array_equal(one["events_1"], two["events_2"])
    np.testing.assert_allclose(one["share_logrank"], 1 - two["share_better_logrank"], atol=1e-12)
    swapped = {"worse": "better", "better": "worse"}
    assert [swapped.get(v, v) for v in one["verdict"]] == two["verdict"].tolist()


def test_splits_fit_the_groups() -> None:
    rows = rn.event_splits(8, 5, 6).to_frame()
    assert rows["events_1"].tolist() == [2, 3, 4, 5]
    assert (rows["events_1"] + rows["events_2"] == 8).all()
    everyone = rn.event_splits(11, 5, 6)
    assert everyone.to_frame()["fisher_p"].tolist() == [1.0]
    assert "No split makes" in " ".join(everyone.notes)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        ((12, 5, 3), {}, DataError, "more than the 8 patients"),
        ((0, 5, 3), {}, OptionError, "events"),
        ((-1, 5, 3), {}, OptionError, "events"),
        ((2, 0, 3), {}, OptionError, "n_1"),
        ((2, 5, 3.5), {}, OptionError, "n_2"),
        (("2", 5, 3), {}, OptionError, "events"),
        ((2, 5, 3), {"share_of_time": 0.0}, OptionError, "share_of_time"),
        ((2, 5, 3), {"share_of_time": 30}, OptionError, "share_of_time"),
        ((2, 5, 3), {"share_of_time": math.nan}, OptionError, "share_of_time"),
        ((2, 5, 3), {"alpha": 5}, OptionError, "alpha"),
        ((2, 5, 3), {"deaths": -1}, OptionError, "deaths"),
        ((2, 5, 3), {"deaths": 7}, DataError, "2 events and 7 deaths"),
        ((200_000, 10**6, 10**6), {}, BudgetError, "100,000"),
        ((2, 10**30, 5), {}, BudgetError, "10,000,000 patients"),
        ((1000, 10**6, 10**6), {"deaths": True}, OptionError, "too many to try"),
    ],
)
def test_bad_input(arguments: tuple, options: dict, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        rn.event_splits(*arguments, **options)


def test_cohorts_that_cannot_be_made() -> None:
    few = rn.event_splits(2, 3, 40, deaths=True)
    with pytest.raises(DataError, match="No split has 9"):
        few.made_cohort(9)
    with pytest.raises(DataError, match="No split has 9"):
        few.plot_shares(events_1=9)
    with pytest.raises(DataError, match="no number of deaths"):
        rn.event_splits(2, 2, 2, deaths=True).made_cohort(1)


def test_figures_show_the_splits_and_the_level() -> None:
    axes = MODEL.plot()
    drawn = {line.get_label(): line.get_xdata() for line in axes.lines}
    assert list(drawn["group 1 significantly worse"]) == [8, 9, 10, 11, 12]
    assert list(drawn["group 1 significantly better"]) == [0]
    shares = MODEL.plot_shares()
    labels = [text.get_text() for text in shares.get_legend().get_texts()]
    assert labels == ["6 : 6", "7 : 5", "8 : 4"]
