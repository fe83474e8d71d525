"""Biases beside immortal time: each by its closed form, none where its cause is absent."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import OptionError
from rnetstats.treatment.immortal_biases import ImmortalBiases
from rnetstats.treatment.immortal_inputs import BiasInputs, bias_inputs
from rnetstats.treatment.immortal_result import ImmortalTimeResult
from rnetstats.treatment.immortal_scenes import ALL, SCENES

END = 60.0
RARE = 0.05

NONE = {
    "large_treated": 0.2,
    "lvi_treated": 0.07,
    "visits_treated": 6.0,
    "missed_treated": 0.0,
    "residual_counted": 0.0,
}
"""Both arms alike, and no residual tumour counted."""


@pytest.fixture(scope="module")
def followed() -> ImmortalTimeResult:
    """Everybody is followed for five years: what is known in closed form is simple."""
    n = 100
    treated = np.where(np.arange(n) < 30, 1.0, np.nan)
    event = (np.arange(n) == 50).astype(float)
    data = {"months": np.full(n, END + 0.5), "event": event, "salvage_months": treated}
    return rn.immortal_time(data, "Surv(months, event)", delays=[1.0], seed=5, patients=1000)


@pytest.fixture(scope="module")
def found() -> ImmortalBiases:
    cohort = rn.load_cohort("duan2024")
    positives = cohort[cohort["margin_positive"] == 1]
    result = rn.immortal_time(
        positives, "Surv(dfs_months, recurrence)", delays=[2.0], patients=500, seed=1
    )
    return result.biases()


def rows(result: ImmortalTimeResult, inputs: dict[str, float], **options: Any) -> pd.DataFrame:
    return result.biases(inputs=inputs, risk=RARE, **options).to_frame().set_index("bias")


def test_nothing_is_seen_where_the_arms_are_alike(followed: ImmortalTimeResult) -> None:
    table = rows(followed, NONE)
    for bias in ("large", "lvi", "surveillance", "residual"):
        row = table.loc[bias]
        # an event can fall a visit later, or leave the follow-up, in either arm alike
        assert abs(np.log(row["hazard_ratio"])) < 3.0 * row["mcse"] + 1e-12, bias
        assert row["direction"] == "none seen"
        assert abs(row["risk_difference"]) < 3.0 * row["risk_difference_mcse"] + 1e-12
    assert table.loc["residual", "hazard_ratio"] == 1.0


def test_confounding_follows_the_mixture_of_hazards(followed: ImmortalTimeResult) -> None:
    inputs = {"lvi_treated": 0.4, "lvi_untreated": 0.1, "lvi_hazard_ratio": 3.0}
    row = rows(followed, inputs).loc["lvi"]
    share = 0.3
    # rare events: rates of the arms are mixtures of 1 and 3
    arms = np.array([1.0 + 0.4 * 2.0, 1.0 + 0.1 * 2.0])
    expected = arms[0] / arms[1]
    assert row["hazard_ratio"] == pytest.approx(expected, abs=3.0 * row["mcse"] + 0.02)
    # the risk of all patients together is the one asked for
    together = share * row["risk_treated"] + (1.0 - share) * row["risk_untreated"]
    assert together == pytest.approx(100.0 * RARE, abs=0.15)
    assert row["direction"] == "against treatment"


def test_recurrences_never_found_leave_the_hazard(followed: ImmortalTimeResult) -> None:
    often = {"visits_treated": 0.01, "visits_untreated": 0.01, "visit_sensitivity": 1.0}
    row = rows(followed, {**often, "missed_treated": 0.3}).loc["surveillance"]
    assert row["hazard_ratio"] == pytest.approx(0.7, abs=3.0 * row["mcse"] + 0.01)
    assert row["direction"] == "flatters treatment"


def test_visits_delay_what_they_find(followed: ImmortalTimeResult) -> None:
    # every 24 months, found at the first: on average 12 months late; the other arm at once
    inputs = {
        "visits_treated": 24.0,
        "visits_untreated": 0.01,
        "visit_sensitivity": 1.0,
        "missed_treated": 0.0,
    }
    row = rows(followed, inputs).loc["surveillance"]
    late = 100.0 * RARE * 12.0 / END
    assert row["risk_difference"] == pytest.approx(-late, abs=3 * row["risk_difference_mcse"] + 0.1)
    # half of the visits fail: one more interval on average
    worse = rows(followed, {**inputs, "visit_sensitivity": 0.5}).loc["surveillance"]
    assert worse["risk_difference"] < row["risk_difference"] - 1.0


def test_residual_tumour_adds_its_share_to_the_untreated(followed: ImmortalTimeResult) -> None:
    row = rows(followed, {"residual": 0.4, "residual_counted": 0.1}).loc["residual"]
    added = 100.0 * 0.04 * (1.0 - RARE)  # but for those who would recur anyway
    tolerance = 3.0 * row["risk_difference_mcse"] + 0.03
    assert row["risk_difference"] == pytest.approx(-added, abs=tolerance)
    assert row["risk_treated"] == pytest.approx(100.0 * RARE, abs=0.15)


def test_immortal_time_is_that_of_the_delays(followed: ImmortalTimeResult) -> None:
    row = rows(followed, {}).loc["immortal"]
    # a delay of 1 in 60.5 months, three tenths treated, hardly any event
    expected = (1.0 - 1.0 / 60.5) / (1.0 + 0.3 / 0.7 / 60.5)
    assert row["hazard_ratio"] == pytest.approx(expected, abs=3.0 * row["mcse"] + 0.001)
    assert row["mcse"] < 0.01


def test_the_larger_biases_come_first(found: ImmortalBiases) -> None:
    table = found.to_frame()
    single = table[table["bias"] != ALL]
    assert set(single["bias"]) == set(SCENES)
    apart = np.abs(np.log(single["hazard_ratio"]))
    assert apart.is_monotonic_decreasing
    assert single["rank"].tolist() == [1, 2, 3, 4, 5]
    assert table["bias"].iloc[-1] == ALL
    last = single.iloc[-1]
    assert (last["bias"], last["size"]) == ("immortal", "minor")
    assert (single["size"].iloc[:-1] != "minor").all()
    assert found.glance()["immortal_rank"].item() == 5
    assert "Immortal time is the smallest of the 5" in found.sentence
    assert "immortal time 0.96" in found.sentence


def test_differences_are_those_of_the_risks_shown(found: ImmortalBiases) -> None:
    table = found.to_frame()
    shown = table["risk_treated"] - table["risk_untreated"]
    # the difference has the chance taken out that all scenes share
    shared = shown - table["risk_difference"]
    np.testing.assert_allclose(shared, shared.iloc[0])
    assert abs(shared.iloc[0]) < 0.2


def test_inputs_have_names_values_and_sources(found: ImmortalBiases) -> None:
    assert set(found.inputs["input"]) == set(BiasInputs.__dataclass_fields__)
    assert (found.inputs["source"].str.len() > 0).all()
    given = bias_inputs({"lvi_treated": 0.5}).table().set_index("input")
    assert given.loc["lvi_treated", "source"] == "given by the caller"
    assert given.loc["lvi_untreated", "source"].startswith("chosen")


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"lvi_treatd": 0.5}, "Did you mean 'lvi_treated'"),
        ({"lvi_treated": 1.5}, "between 0 and 1"),
        ({"lvi_hazard_ratio": 0.0}, "must be above 0"),
        ({"visit_sensitivity": 0.0}, "must be above 0"),
        ({"missed_treated": 1.0}, "must be below 1"),
        ({"visits_treated": -1.0}, "must be at least 0, not"),
        ([0.4], "inputs must be a mapping"),
    ],
)
def test_inputs_that_cannot_be_are_refused(inputs: Any, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        bias_inputs(inputs)


def test_another_horizon_needs_its_risk(followed: ImmortalTimeResult) -> None:
    with pytest.raises(OptionError, match="give the risk="):
        followed.biases(horizon=24.0)
    small = followed.biases(horizon=24.0, risk=0.1, cohorts=4, patients=1000)
    assert small.options["horizon"] == 24.0
    with pytest.raises(OptionError, match="an arm with too few events"):
        followed.biases(risk=1e-4, cohorts=4, patients=200)


def test_the_same_seed_gives_the_same_numbers(followed: ImmortalTimeResult) -> None:
    one, two = (rows(followed, {}, cohorts=4, patients=1000) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    other = rows(followed, {}, cohorts=4, patients=1000, seed=99)
    assert not one.equals(other)


def test_the_figure_has_a_bar_a_bias(found: ImmortalBiases) -> None:
    axes = found.plot()
    assert len(axes.patches) == 6
    assert "without effect" in axes.get_xlabel()
    plt.close("all")
