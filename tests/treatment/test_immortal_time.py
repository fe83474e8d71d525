"""Immortal time: person-time by hand, the bias by formula, and the valid analysis at 1."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq

import rnetstats as rn
from rnetstats.errors import (
    DataError,
    DataNotKeptError,
    FormulaError,
    OptionError,
    TooFewEventsError,
)
from rnetstats.treatment.immortal_delays import closed_rate_ratio, size_word
from rnetstats.treatment.immortal_result import ImmortalTimeResult
from rnetstats.treatment.immortal_words import immortal_notes
from rnetstats.treatment.null_cohorts import (
    FollowUpShape,
    Sizes,
    draw_cohorts,
    follow_up_shape,
)

FIVE = pd.DataFrame(
    {
        "patient_id": ["P1", "P2", "P3", "P4", "P5"],
        "months": [10.0, 20.0, 30.0, 40.0, 50.0],
        "event": [1, 0, 1, 0, 0],
        "salvage_months": [np.nan, 5.0, 12.0, np.nan, 1.0],
    }
)
SMALL: dict[str, Any] = {"cohorts": 10, "patients": 2000, "seed": 1}


def positives() -> pd.DataFrame:
    cohort = rn.load_cohort("duan2024")
    return cohort[cohort["margin_positive"] == 1]


@pytest.fixture(scope="module")
def found() -> ImmortalTimeResult:
    return rn.immortal_time(positives(), "Surv(dfs_months, recurrence)", seed=1)


def five(**changes: Any) -> ImmortalTimeResult:
    options = {"delays": (2.0,), "horizon": 30.0, **SMALL, **changes}
    return rn.immortal_time(FIVE, "Surv(months, event)", **options)


def test_person_time_of_five_patients_by_hand() -> None:
    result = five()
    table = result.person_time.set_index(["counting", "arm"])
    naive, right = "from time zero (naive)", "from treatment (right)"
    # treated P2, P3, P5: 20 + 30 + 50; before treatment 5 + 12 + 1
    assert table.loc[(naive, "treated"), "person_time"] == 100.0
    assert table.loc[(naive, "untreated"), "person_time"] == 50.0
    assert table.loc[(right, "treated"), "person_time"] == 82.0
    assert table.loc[(right, "untreated"), "person_time"] == 68.0
    last = table.loc[("misclassified", "treated, before treatment")]
    assert (last["person_time"], last["n_events"]) == (18.0, 0)
    assert table["n"].tolist() == [3, 2, 3, 5, 3]
    assert table["n_events"].tolist() == [1, 1, 1, 1, 0]
    one = result.glance().iloc[0]
    assert one["share_of_treated"] == pytest.approx(0.18)
    assert one["share_of_all"] == pytest.approx(0.12)
    assert (one["mean_delay"], one["median_delay"], one["longest_delay"]) == (6.0, 5.0, 12.0)
    assert one["naive_rate_ratio"] == pytest.approx((1 / 100) / (1 / 50))
    assert one["rate_ratio"] == pytest.approx((1 / 82) / (1 / 68))
    assert one["naive_bias"] == pytest.approx(0.5 * 82 / 68)
    assert "18 months before treatment" in result.notes[1]
    assert "1 event in an arm, fewer than 5" in result.notes[2]


def test_misclassified_time_explains_the_naive_ratio_exactly(found: ImmortalTimeResult) -> None:
    one = found.glance().iloc[0]
    assert one["naive_rate_ratio"] / one["rate_ratio"] == pytest.approx(one["naive_bias"])
    data = positives()
    assert one["misclassified"] == pytest.approx(data["salvage_months"].sum())
    assert one["n_treated"] == data["salvage_months"].notna().sum()
    assert one["n_events"] == data["recurrence"].sum()
    assert one["person_time"] == pytest.approx(data["dfs_months"].sum())


def test_the_simulated_rate_ratio_follows_the_formula(found: ImmortalTimeResult) -> None:
    table = found.to_frame()
    gap = (table["rate_ratio"] - table["closed_form"]).abs()
    assert (gap < 3.0 * table["rate_ratio_mcse"]).all()
    assert (table["rate_ratio_mcse"] < 0.002).all()
    assert (table["mcse"] < 0.005).all()


def test_the_valid_analysis_stays_at_one(found: ImmortalTimeResult) -> None:
    table = found.to_frame()
    assert ((table["valid_hazard_ratio"] - 1.0).abs() < 3.0 * table["valid_mcse"]).all()
    assert (table["valid_mcse"] < 0.01).all()


def test_the_bias_is_minor_at_one_to_three_months_and_large_at_a_year(
    found: ImmortalTimeResult,
) -> None:
    fixed = found.to_frame().query("law == 'fixed'").set_index("delay")
    assert fixed.loc[1, "hazard_ratio"] == pytest.approx(0.97, abs=0.01)
    assert fixed.loc[3, "hazard_ratio"] == pytest.approx(0.93, abs=0.01)
    assert fixed.loc[12, "hazard_ratio"] == pytest.approx(0.73, abs=0.02)
    assert fixed.loc[24, "hazard_ratio"] == pytest.approx(0.56, abs=0.02)
    assert (fixed.loc[[1, 2, 3], "size"] == "minor").all()
    assert (fixed.loc[[12, 18, 24], "size"] == "large").all()
    assert fixed["hazard_ratio"].is_monotonic_decreasing
    assert fixed["closed_form"].is_monotonic_decreasing
    assert fixed["risk_difference"].is_monotonic_decreasing
    assert found.to_frame()["size"].iloc[-1] == "minor"
    assert "1, 2 or 3 the hazard ratio is 0.97 to 0.93 (minor)" in found.sentence


def naive_limit(rate: float, share: float, delay: float, end: float) -> float:
    """The naive hazard ratio in an endless cohort followed to ``end``, by integration."""

    def parts(t: float, beta: float) -> float:
        alive = np.exp(-rate * t)
        treated = share * np.exp(-rate * max(t, delay))
        odds = treated * np.exp(beta)
        falls = share * alive if t > delay else 0.0
        return float(rate * (falls - alive * odds / (alive - treated + odds)))

    def score(beta: float) -> float:
        early = quad(parts, 0.0, delay, args=(beta,), epsabs=1e-12)[0]
        return float(early + quad(parts, delay, end, args=(beta,), epsabs=1e-12)[0])

    return float(np.exp(brentq(score, -3.0, 1.0)))


@pytest.mark.parametrize("delay", [2.0, 12.0, 24.0])
def test_the_naive_hazard_ratio_is_the_root_of_its_score(delay: float) -> None:
    share, end, rate = 0.3, 72.0, -np.log(0.75) / 60.0
    n = 40
    treated = np.where(np.arange(n) < share * n, 1.0, np.nan)
    data = {"months": np.full(n, end), "event": np.zeros(n), "salvage_months": treated}
    result = rn.immortal_time(data, "Surv(months, event)", delays=[delay], seed=3)
    row = result.to_frame().iloc[0]
    assert abs(row["hazard_ratio"] - naive_limit(rate, share, delay, end)) < 3.0 * row["mcse"]
    # the rate ratio of one horizon, written out
    before = share * delay * np.exp(-rate * delay)
    after = share * (np.exp(-rate * delay) - np.exp(-rate * end)) / rate
    everyone = (1.0 - np.exp(-rate * end)) / rate
    hand = (after / (before + after)) / ((everyone - after) / (everyone - before - after))
    assert row["closed_form"] == pytest.approx(hand, rel=1e-12)
    assert abs(row["rate_ratio"] - hand) < 3.0 * row["rate_ratio_mcse"]
    assert row["rate_ratio_mcse"] < 0.005


@given(
    delay=st.floats(0.0, 30.0),
    rate=st.floats(1e-5, 0.05),
    share=st.floats(0.05, 0.9),
)
def test_the_formula_flatters_more_the_longer_the_delay(
    delay: float, rate: float, share: float
) -> None:
    # those who leave at 20 are treated before or not at all: the ratio leaps there
    assume(not delay < 20.0 <= delay + 1.0)
    shape = FollowUpShape(np.array([20.0, 60.0, 100.0]), np.array([0.8, 0.4, 0.0]))
    ratio = closed_rate_ratio(shape, rate, share, np.array([delay]))
    later = closed_rate_ratio(shape, rate, share, np.array([delay + 1.0]))
    assert 0.0 < later < ratio <= 1.0
    scaled = FollowUpShape(shape.time * 7.0, shape.left)
    again = closed_rate_ratio(scaled, rate / 7.0, share, np.array([delay * 7.0]))
    assert again == pytest.approx(ratio, rel=1e-9)


def test_a_delay_of_zero_is_no_bias() -> None:
    row = five(delays=[0]).to_frame().iloc[0]
    assert row["closed_form"] == 1.0
    assert row["hazard_ratio"] == 1.0
    assert row["share_misclassified"] == 0.0


@pytest.mark.parametrize("unit", [30.4375, 1.0 / 12.0])
def test_the_unit_of_time_changes_nothing(unit: float) -> None:
    months = five()
    scaled = FIVE.assign(months=FIVE["months"] * unit, salvage_months=FIVE["salvage_months"] * unit)
    other = rn.immortal_time(
        scaled, "Surv(months, event)", delays=[2.0 * unit], horizon=30.0 * unit, **SMALL
    )
    same = ["hazard_ratio", "valid_hazard_ratio", "closed_form", "risk_difference", "mcse"]
    pd.testing.assert_frame_equal(months.to_frame()[same], other.to_frame()[same], rtol=1e-9)
    assert other.glance()["naive_bias"].item() == pytest.approx(months.overview["naive_bias"])


def test_the_same_seed_gives_the_same_numbers() -> None:
    pd.testing.assert_frame_equal(five().to_frame(), five().to_frame())
    assert not five().to_frame().equals(five(seed=2).to_frame())
    drawn = five(seed=None)
    assert five(seed=drawn.seed).to_frame().equals(drawn.to_frame())
    pd.testing.assert_frame_equal(five(delays=[2.0]).to_frame(), five(delays=[2.0]).to_frame())


def test_fewer_cohorts_are_a_prefix_of_more() -> None:
    shape = follow_up_shape(FIVE["months"].to_numpy(), FIVE["event"].to_numpy() == 1)
    few, many = (draw_cohorts(shape, 0.3, Sizes(k, 50, 9), ("lvi",)) for k in (2, 5))
    np.testing.assert_array_equal(few.waiting, many.waiting[:2])
    np.testing.assert_array_equal(few.more["lvi"], many.more["lvi"][:2])
    plain = draw_cohorts(shape, 0.3, Sizes(5, 50, 9))
    np.testing.assert_array_equal(plain.censoring, many.censoring)


def test_follow_up_is_drawn_as_the_data_have_it() -> None:
    # events at 10 and 30 among five: censored at 20 (of 4), 40 (of 2) and 50
    shape = follow_up_shape(FIVE["months"].to_numpy(), FIVE["event"].to_numpy() == 1)
    np.testing.assert_allclose(shape.time, [20.0, 40.0, 50.0])
    np.testing.assert_allclose(shape.left, [0.75, 0.375, 0.0])
    np.testing.assert_allclose(
        shape.beyond(np.array([0.0, 19.9, 20.0, 45.0, 50.0])), [1.0, 1.0, 0.75, 0.375, 0.0]
    )
    drawn = shape.draw(np.array([0.0, 0.2499, 0.25, 0.62, 0.63, 0.999]))
    np.testing.assert_array_equal(drawn, [20.0, 20.0, 40.0, 40.0, 50.0, 50.0])


@pytest.mark.parametrize(
    ("ratio", "word"),
    [
        (0.95, "minor"),
        (1.09, "minor"),
        (0.85, "moderate"),
        (1.2, "moderate"),
        (0.7, "large"),
        (1.3, "large"),
    ],
)
def test_words_of_size_are_the_same_on_both_sides(ratio: float, word: str) -> None:
    assert size_word(ratio) == word


def test_more_patients_narrow_the_error() -> None:
    few, many = five(), five(patients=18_000)
    assert many.to_frame()["mcse"].iloc[0] < 0.6 * few.to_frame()["mcse"].iloc[0]


def test_treatment_after_the_end_names_the_patients() -> None:
    late = FIVE.assign(salvage_months=[np.nan, 25.0, 12.0, np.nan, 60.0])
    with pytest.raises(DataError, match="P2, P5"):
        rn.immortal_time(late, "Surv(months, event)", id="patient_id", horizon=30.0)
    with pytest.raises(DataError, match="row 2, row 5"):
        rn.immortal_time(late.drop(columns="patient_id"), "Surv(months, event)", horizon=30.0)
    with pytest.raises(DataError, match="negative"):
        rn.immortal_time(FIVE.assign(salvage_months=-1.0), "Surv(months, event)")


def test_one_arm_alone_is_refused() -> None:
    with pytest.raises(DataError, match="Nobody is treated"):
        rn.immortal_time(FIVE.assign(salvage_months=np.nan), "Surv(months, event)")
    with pytest.raises(DataError, match="Everybody is treated"):
        rn.immortal_time(FIVE.assign(salvage_months=1.0), "Surv(months, event)")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"delays": ()}, "delays is empty"),
        ({"delays": (1, -2)}, "delays must be at least 0, not -2"),
        ({"delays": (1, 50)}, "delays 50 are past the longest follow-up, 50"),
        ({"delays": ("soon",)}, "delays must be a finite number"),
        ({"horizon": 50.0}, "horizon=50 must lie between 0 and the longest follow-up, 50"),
        ({"risk": 1.0}, "risk must lie between 0 and 1"),
        ({"cohorts": 1}, "cohorts must be a whole number of at least 2"),
        ({"patients": 10**30}, "patients must be at most"),
        ({"risk": 1e-5}, "an arm with too few events"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        five(**options)


def test_covariates_have_no_place() -> None:
    with pytest.raises(FormulaError, match="outcome alone, 'Surv"):
        rn.immortal_time(FIVE, "Surv(months, event) ~ event", horizon=30.0)
    same = rn.immortal_time(FIVE, "Surv(months, event) ~ 1", delays=[2.0], horizon=30.0, **SMALL)
    assert same.to_frame().equals(five().to_frame())


def test_without_events_the_reasons_are_named() -> None:
    result = rn.immortal_time(
        FIVE.assign(event=0), "Surv(months, event)", delays=[2.0], horizon=30.0, **SMALL
    )
    assert np.isnan(result.glance()["naive_rate_ratio"].item())
    assert any("no untreated patient has the event" in note for note in result.notes)
    assert result.glance()["naive_bias"].item() == pytest.approx(0.5 * 82 / 68)
    with pytest.raises(TooFewEventsError, match="give risk="):
        result.biases()
    assert len(result.biases(risk=0.1, cohorts=5, patients=2000).to_frame()) == 6


def test_patients_are_not_written(found: ImmortalTimeResult) -> None:
    again = ImmortalTimeResult.from_dict(found.to_dict())
    with pytest.raises(DataNotKeptError):
        again.biases()
    assert again.sentence == found.sentence


def test_the_figure_names_delays_and_both_analyses(found: ImmortalTimeResult) -> None:
    axes = found.plot()
    assert axes.get_xlabel() == "Delay of treatment (months)"
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text()[:5] for text in legend.get_texts()] == ["Valid", "Naive", "Naive"]
    plt.close("all")


def test_a_delay_is_named_in_three_digits() -> None:
    table = pd.DataFrame(
        {"delay": [6.0, 1.43768], "valid_hazard_ratio": [1.2, 0.9], "valid_mcse": [0.01, 0.01]}
    )
    numbers = dict.fromkeys(
        ("misclassified", "share_of_treated", "share_of_all", "mean_delay", "median_delay"), 0.5
    )
    counts = {"n_events": 9, "n": 90, "n_events_treated": 9, "n_treated": 40, "naive_bias": 0.9}
    labels = {"unit": "months", "treatment": "salvage", "endpoint": "recurrence"}
    notes = immortal_notes({**numbers, **counts}, table, labels)
    assert any("at a delay of 6, 1.44: simulate more" in note for note in notes)
    assert "0.5 months before salvage count as treated" in notes[1]
    less = immortal_notes({**numbers, **counts, "misclassified": 1.2}, table, labels)
    more = immortal_notes({**numbers, **counts, "misclassified": 93.4}, table, labels)
    assert "zero, 1.2 months before" in less[1], "never 1 months"
    assert "zero, 93 months before" in more[1]
