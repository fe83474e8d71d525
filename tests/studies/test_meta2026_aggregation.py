from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2_contingency

import rnetstats as rn
from rnetstats.errors import ColumnError, DataError, OptionError
from rnetstats.studies.meta2026.aggregation import CrudeDecomposition, decompose_crude
from rnetstats.studies.meta2026.aggregation_printed import printed_decomposition
from rnetstats.studies.meta2026.aggregation_simulation import _crude, aggregation_simulation
from rnetstats.studies.meta2026.aggregation_world import (
    AggregationWorld,
    aggregation_world,
    binomial_quantiles,
    draw_world,
)
from support import assert_close

SHEET = rn.read_facts("meta2026")
COLUMNS = ["events_1", "n_1", "events_2", "n_2"]
WORLD = AggregationWorld(
    studies=31, comparative=9, salvage_only=11, patients=2077.0, observed_risk=0.0296
)


def table(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


def part(found: CrudeDecomposition, name: str) -> float:
    return float(found.parts.set_index("part")["log_odds_ratio"][name])


def test_by_hand():
    """Odds 1/49 in both arms of the one study; then 5/595 and 26/774 over all."""
    found = decompose_crude(table((2, 100, 2, 100), (3, 500, 0, 0), (0, 0, 24, 700)))
    odds = found.parts.set_index("part")["odds_ratio"]
    assert_close(odds[["within", "comparative"]], [1.0, 1.0])
    assert_close(odds["only_1"], (5 / 595) / (2 / 98))
    assert_close(odds["only_2"], (2 / 98) / (26 / 774))
    assert_close(odds["crude"], (5 / 595) / (26 / 774))
    assert_close(found.parts["share"].iloc[2:4].sum(), 1.0)
    assert list(found.arms["studies"]) == [1, 1, 1, 3]
    assert found.notes == ()


def test_confounding_among_the_studies_with_both_arms_has_its_own_part():
    """Simpson: no effect in either study, but arm 1 is mostly treated where risks are low."""
    found = decompose_crude(table((9, 900, 1, 100), (10, 100, 90, 900)))
    assert_close(part(found, "within"), 0.0)
    assert_close(part(found, "comparative"), math.log((19 / 981) / (91 / 909)))
    assert part(found, "only_1") == part(found, "only_2") == 0.0


arms = st.tuples(st.integers(1, 8), st.integers(1, 300)).map(lambda x: (x[0], x[0] + x[1]))
none = st.just((0, 0))


@pytest.mark.slow
@settings(max_examples=20)
@given(
    st.lists(st.tuples(arms, arms), min_size=1, max_size=5),
    st.lists(arms, max_size=5),
    st.lists(arms, max_size=5),
    st.integers(0, 1000),
)
def test_the_parts_add_up_whatever_the_counts(both, only_1, only_2, seed):
    rows = [(*x, *y) for x, y in both]
    rows += [(*x, 0, 0) for x in only_1] + [(0, 0, *y) for y in only_2]
    found = decompose_crude(table(*rows))
    parts = found.parts.set_index("part")["log_odds_ratio"]
    assert_close(parts.iloc[:4].sum(), parts["crude"])
    assert_close(parts[["comparative", "only_1", "only_2"]].sum(), parts["between"])
    a, n1, c, n2 = np.sum(rows, axis=0)
    assert_close(parts["crude"], math.log(a * (n2 - c) / ((n1 - a) * c)))
    shuffled = decompose_crude(table(*rows).sample(frac=1.0, random_state=seed))
    assert_close(shuffled.parts["log_odds_ratio"], found.parts["log_odds_ratio"])
    swapped = decompose_crude(table(*[(*r[2:], *r[:2]) for r in rows]))
    assert_close(part(swapped, "between"), -part(found, "between"))


def test_studies_that_are_alike_leave_nothing_between():
    found = decompose_crude(table((2, 100, 4, 100), (4, 200, 8, 200), (6, 300, 0, 0)))
    assert abs(part(found, "between")) < 1e-12


def test_what_is_undefined_is_named():
    nothing = decompose_crude(table((3, 500, 0, 0), (0, 0, 24, 700)))
    assert math.isnan(part(nothing, "within"))
    assert math.isfinite(part(nothing, "crude"))
    assert "No study with both arms" in nothing.notes[0]
    zero = decompose_crude(table((0, 50, 3, 70), (2, 40, 0, 0)))
    assert part(zero, "within") == -math.inf
    assert "without events" in zero.notes[0]
    assert "has no shares" not in zero.notes[0]
    even = decompose_crude(table((3, 100, 3, 100)))
    assert even.parts["share"].isna().all()
    assert "no shares" in even.notes[0]


def test_missing_counts_are_an_absent_arm():
    frame = pd.DataFrame(
        {
            "events_1": pd.array([2, None], dtype="Int64"),
            "n_1": [100.0, np.nan],
            "events_2": [4, 5],
            "n_2": [100, 90],
        }
    )
    assert_close(
        decompose_crude(frame).parts["log_odds_ratio"],
        decompose_crude(table((2, 100, 4, 100), (0, 0, 5, 90))).parts["log_odds_ratio"],
    )


BAD = {
    "no column": (lambda f: f.drop(columns="n_2"), ColumnError, "n_2"),
    "words": (lambda f: f.assign(n_1="many"), ColumnError, "no number"),
    "more events": (lambda f: f.assign(events_1=400), DataError, "row 1"),
    "negative": (lambda f: f.assign(events_2=-1), DataError, "row 1"),
    "infinite": (lambda f: f.assign(n_1=np.inf), DataError, "row 1"),
    "half an event": (lambda f: f.assign(events_2=0.5), DataError, "whole numbers"),
    "one arm": (lambda f: f.assign(events_2=0, n_2=0), DataError, "no crude comparison"),
    "no rows": (lambda f: f.iloc[:0], DataError, "no rows"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(name):
    change, error, words = BAD[name]
    with pytest.raises(error, match=words):
        decompose_crude(change(table((2, 100, 4, 100))))


def test_the_printed_figures_split_as_they_stand():
    found = printed_decomposition(SHEET).set_index("part")
    crude = 0.0096 / 0.9904 / (0.0296 / 0.9704)
    assert_close(found.loc["crude", "odds_ratio"], crude)
    assert_close(found.loc["between", "odds_ratio"], crude / 0.89)
    assert f"{crude:.2f}" == SHEET["crude_or"].value
    assert_close(found["share"][["within", "between"]].sum(), 1.0)
    for name, row in found.iterrows():
        assert row["low"] < row["odds_ratio"] < row["high"], name
    low = 0.00955 / 0.99045 / (0.02965 / 0.97035)
    assert_close(found.loc["between", "low"], low / 0.895)
    assert_close(found.loc["between_uncertain", "low"], low / 2.02)
    assert found.loc["between_uncertain", "high"] < 1.0  # even at the printed limit within studies


def test_a_world_takes_its_shape_from_the_facts():
    world = aggregation_world(SHEET)
    assert (world.studies, world.comparative, world.salvage_only) == (31, 9, 11)
    assert_close(world.patients, 2279 * 31 / 34)


def test_draws_are_what_they_should_be():
    world = AggregationWorld(
        studies=12,
        comparative=4,
        salvage_only=3,
        patients=3000.0,
        observed_risk=0.1,
        within_or=0.5,
        between_or=0.4,
        heterogeneity=0.5,
    )
    a, n1, c, n2 = draw_world(world, 600, 1)
    assert (n1[:, 4:7] > 0).all()
    assert (n2[:, 4:7] == 0).all()
    assert (n1[:, 7:] == 0).all()
    assert (np.minimum(n1, n2)[:, :4] > 0).all()
    assert ((a >= 0) & (a <= n1) & (c >= 0) & (c <= n2)).all()
    risk = c.sum(axis=1) / n2.sum(axis=1)
    assert abs(np.mean(risk) - 0.1) < 4.0 * np.std(risk) / np.sqrt(600)
    patients = (n1 + n2).sum(axis=1)
    assert abs(patients.mean() - 3000.0) < 4.0 * patients.std() / np.sqrt(600)
    for part, whole in zip(draw_world(world, 40, 1), (a, n1, c, n2), strict=True):
        np.testing.assert_array_equal(part, whole[:40])  # a shorter run is a prefix


def test_counts_by_inversion_are_binomial_quantiles():
    rng = np.random.default_rng(5)
    n, p = rng.integers(0, 60, 500).astype(float), rng.uniform(0.001, 0.6, 500)
    chance = rng.uniform(size=500)
    np.testing.assert_array_equal(
        binomial_quantiles(chance, n, p), np.maximum(binom.ppf(chance, n, p), 0)
    )


def test_the_crude_test_is_pearsons():
    coef, p = _crude(*(np.array([x], dtype=float) for x in (9, 940, 33, 1115)))
    known = chi2_contingency([[9, 931], [33, 1082]], correction=False)
    assert_close(p, known.pvalue)
    assert_close(coef, math.log(9 * 1082 / (931 * 33)))
    assert _crude(*(np.array([x], dtype=float) for x in (0, 10, 0, 10)))[1] == 1.0


def test_one_draw_is_judged_as_by_hand():
    found = aggregation_simulation(
        4, world=WORLD, between_or=(0.5,), heterogeneity=(0.3,), replicates=1
    ).iloc[0]
    a, n1, c, n2 = draw_world(
        AggregationWorld(**{**WORLD.__dict__, "between_or": 0.5, "heterogeneity": 0.3}), 1, 4
    )
    split = decompose_crude(pd.DataFrame(np.concatenate([a, n1, c, n2]).T, columns=COLUMNS))
    assert_close(found["crude_or"], math.exp(part(split, "crude")))
    assert_close(found["within_estimate"], math.exp(part(split, "within")))
    assert math.isnan(found["as_printed"])


def test_sums_over_studies_find_what_no_study_has():
    found = aggregation_simulation(
        1,
        world=aggregation_world(SHEET),
        replicates=400,
        between_or=(1.0, 0.25),
        printed_p=SHEET["crude_p"].number,
        printed_or=SHEET["crude_or"].number,
    ).set_index(["between_or", "heterogeneity"])
    level = found.loc[(1.0, 0.0)]
    assert abs(level["crude_significant"] - 0.05) < 3.0 * level["crude_significant_mcse"]
    assert level["as_printed"] < 0.01
    spread, centres = found.loc[(1.0, 0.7)], found.loc[(0.25, 0.0)]
    assert spread["crude_significant"] > 0.1  # studies, not patients, are what varies
    assert centres["crude_lower"] > 0.7
    assert centres["as_printed"] > 0.2
    assert centres["crude_or"] < 0.5
    assert (found["within_significant"] < 0.06).all()
    assert (found["within_covers"] > 0.93).all()
    assert found["within_estimate"].between(0.85, 1.15).all()


def test_a_simulation_can_be_repeated():
    options = {"world": WORLD, "replicates": 30, "between_or": (0.5,), "heterogeneity": (0.0,)}
    first, again = (aggregation_simulation(7, **options) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    drawn = aggregation_simulation(None, **options)
    pd.testing.assert_frame_equal(
        aggregation_simulation(int(drawn["seed"].iloc[0]), **options), drawn
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"comparative": 40}, "more than the 31"),
        ({"comparative": 0}, "comparative"),
        ({"patients": 10.0}, "patients"),
        ({"observed_risk": 0.0}, "observed_risk"),
        ({"between_or": 0.0}, "between_or"),
        ({"within_or": math.nan}, "within_or"),
        ({"heterogeneity": -0.1}, "heterogeneity"),
    ],
)
def test_impossible_worlds_are_refused(change, words):
    with pytest.raises(OptionError, match=words):
        AggregationWorld(**{**WORLD.__dict__, **change})


def test_bad_options_are_refused():
    for options in ({"replicates": 0}, {"alpha": 0.0}, {"between_or": (-1.0,)}):
        with pytest.raises(OptionError):
            aggregation_simulation(1, world=WORLD, **options)
    with pytest.raises(OptionError, match="seed"):
        aggregation_simulation(-1, world=WORLD)
