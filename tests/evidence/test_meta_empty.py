"""Arms without an event in any study: no limits by inverse variance, but bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import TooFewEventsError
from rnetstats.evidence.meta_empty import Arms, arms_of
from rnetstats.evidence.meta_measures import MEASURES
from rnetstats.formatting import fmt_interval, fmt_percent

SIZES = {"study": list("ABCD"), "n_1": [50, 80, 30, 100], "n_2": [55, 81, 29, 90]}
TIMES = {"study": list("ABC"), "time_1": [50.0, 80.0, 30.0], "time_2": [55.0, 81.0, 29.0]}
ONE_EMPTY = {**SIZES, "events_1": [0] * 4, "events_2": [1, 2, 0, 1]}
LIMITS = ["conf_low", "conf_high", "std_error", "statistic", "p_value"]


def upper(n: int) -> str:
    """Clopper and Pearson's limit of 0 of n, by hand."""
    return fmt_percent(1.0 - 0.025 ** (1.0 / n), 2)


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_without_an_event_there_is_a_bound_and_no_effect(measure: str) -> None:
    none = {**SIZES, "events_1": [0] * 4, "events_2": [0] * 4}
    with pytest.raises(TooFewEventsError, match=f"no {MEASURES[measure].words}") as caught:
        rn.meta_analysis(none, measure=measure)
    text = str(caught.value)
    assert f"{upper(260)} in arm 1 (0 of 260) and {upper(255)} in arm 2 (0 of 255)" in text


def test_nothing_but_events_is_bounded_from_below() -> None:
    everyone = {**SIZES, "events_1": SIZES["n_1"], "events_2": SIZES["n_2"]}
    low = fmt_percent(0.025 ** (1.0 / 260), 2)
    with pytest.raises(TooFewEventsError, match="Every patient of every study") as caught:
        rn.meta_analysis(everyone, measure="RD")
    assert f"Exact lower 95 % limits of the risk, if it is one for all studies: {low}" in str(
        caught.value
    )


def test_rates_without_an_event_are_bounded_too() -> None:
    none = {**TIMES, "events_1": [0] * 3, "events_2": [0] * 3}
    high = -np.log(0.025) / 160.0
    with pytest.raises(TooFewEventsError, match="no rate difference") as caught:
        rn.meta_analysis(none, measure="IRD")
    assert f"{high:.3f} in arm 1 (0 in 160.0)" in str(caught.value)


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
@pytest.mark.parametrize("ci", ["hartung-knapp", "hartung-knapp-adhoc", "wald"])
def test_an_empty_arm_gets_no_limits(measure: str, ci: str) -> None:
    found = rn.meta_analysis(ONE_EMPTY, measure=measure, ci=ci)
    assert found.pooled["coef"].notna().all()
    assert found.pooled[[*LIMITS, "pi_low", "pi_high"]].isna().all(axis=None)
    assert found.pooled["std_error_wald"].notna().all()
    text = next(note for note in found.notes if "no event in arm 1 of any study" in note)
    a, n1, c, n2 = (0, 260, 4, 255) if measure == "RD" else (0, 230, 4, 226)  # C has no event
    exact = rn.exact_table([[a, n1 - a], [c, n2 - c]])
    if measure == "OR":
        row = found.rare_events().method("exact")
        bound = fmt_interval(row["conf_low"], row["conf_high"])
    else:
        row = exact.method("miettinen-nurminen", MEASURES[measure].words)
        digits = 3 if measure == "RD" else 2
        bound = fmt_interval(row["conf_low"], row["conf_high"], digits)
    assert bound in text
    assert not any("times the classical" in note for note in found.notes)
    assert found.to_dict() == type(found).from_dict(found.to_dict()).to_dict()


def test_an_empty_arm_of_rates_is_bounded_by_the_sums() -> None:
    data = {**TIMES, "events_1": [0] * 3, "events_2": [2, 3, 0]}
    found = rn.meta_analysis(data, measure="IRR")
    exact = rn.exact_rate_ratio(0, 130.0, 5, 136.0).method("central")  # of A and B
    assert np.isnan(found.conf_high)
    assert any(fmt_interval(0.0, exact["conf_high"]) in note for note in found.notes)
    other = rn.meta_analysis(data, measure="IRD")
    assert np.isnan(other.conf_high)
    assert any(f"{-np.log(0.025) / 160.0:.3f} in arm 1" in note for note in other.notes)


def test_of_risk_differences_the_crude_one_has_score_limits() -> None:
    rare = rn.meta_analysis(ONE_EMPTY, measure="RD").rare_events()
    exact = rn.exact_table([[0, 260], [4, 251]]).method("miettinen-nurminen", "risk difference")
    crude = rare.method("crude")
    for name in ("estimate", "conf_low", "conf_high", "p_value"):
        assert crude[name] == pytest.approx(exact[name], rel=1e-9)
    for method in ("mantel-haenszel", "inverse-variance"):
        row = rare.method(method)
        assert np.isfinite(row["estimate"])
        assert row[["conf_low", "conf_high", "p_value", "std_error"]].isna().all()
        assert "no event" in row["note"]


def test_what_bounds_the_effect_is_displayed() -> None:
    odds = rn.meta_analysis(ONE_EMPTY, measure="OR").display()
    row = odds[odds["Study"] == "Exact, conditional"].iloc[0]
    assert row["95 % CI"] == "0.00 to 1.52"
    difference = rn.meta_analysis(ONE_EMPTY, measure="RD").display()
    assert "Crude sums" in difference["Study"].tolist()


ONE_STUDY = {**SIZES, "events_1": [0, 0, 3, 0], "events_2": [1, 2, 0, 1], "place": list("xxyy")}


def test_sets_of_studies_without_limits_are_found_one_by_one() -> None:
    found = rn.meta_analysis(ONE_STUDY, measure="RD")
    assert np.isfinite(found.conf_low)
    without = found.leave_one_out()
    assert without.sets["conf_low"].isna().tolist() == [False, False, True, False]
    assert without.sets["estimate"].notna().all()
    assert any("No limits" in note for note in without.notes)
    after = found.cumulative()
    assert after.sets["p_value"].isna().tolist() == [True, True, False, False]
    groups = found.subgroups("place").groups.set_index("group")
    assert groups["conf_high"].isna().to_dict() == {"x": True, "y": False}


def test_no_note_speaks_of_limits_of_one_study_that_are_not_there() -> None:
    found = rn.meta_analysis(ONE_STUDY | {"place": list("xyyy")}, measure="RD")
    notes = (*found.subgroups("place").notes, *found.cumulative().notes)
    assert not any("Wald limits" in note for note in notes)
    assert "The first row is the first study alone." in notes
    alone = {name: values[:1] for name, values in ONE_EMPTY.items()}
    notes = rn.meta_analysis(alone, measure="OR").notes
    assert not any("Wald limits" in note for note in notes)
    assert any(note.startswith("One study alone") for note in notes)


def test_a_meta_regression_says_that_effects_are_those_of_the_correction() -> None:
    data = {**ONE_EMPTY, "events_2": [1, 2, 3, 1], "year": [1, 2, 3, 4]}
    found = rn.meta_analysis(data, measure="OR").meta_regression("year")
    assert any("rest on what was added to zero cells" in note for note in found.notes)
    other = rn.meta_analysis({**data, "events_1": [1, 0, 0, 2]}, measure="OR")
    assert not any("zero cells" in note for note in other.meta_regression("year").notes)


def test_filled_studies_bring_no_limits_either() -> None:
    rng = np.random.default_rng(3)
    k = 12
    data = {
        "events_1": np.zeros(k, int),
        "n_1": rng.integers(20, 200, k),
        "events_2": rng.integers(1, 6, k),
        "n_2": rng.integers(20, 200, k),
    }
    found = rn.meta_analysis(data, measure="OR").trim_and_fill()
    assert found.pooled["conf_low"].isna().all()
    assert found.pooled["estimate"].notna().all()


def test_an_effect_without_limits_is_a_mark_in_the_forest() -> None:
    axes = rn.meta_analysis(ONE_EMPTY, measure="OR").plot()
    assert len(axes.collections) == 2
    assert not axes.patches


counts = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=5)


@given(counts=counts)
def test_limits_are_missing_exactly_where_an_arm_is_empty(counts: list[tuple[int, int]]) -> None:
    events = np.array(counts)
    data: dict[str, Any] = {"events_1": events[:, 0], "events_2": events[:, 1]}
    data |= {"n_1": np.full(len(events), 30), "n_2": np.full(len(events), 40)}
    sums = events.sum(axis=0)
    if not sums.any():
        with pytest.raises(TooFewEventsError):
            rn.meta_analysis(data, measure="RD")
        return
    found = rn.meta_analysis(data, measure="RD", ci="wald")
    assert np.isnan(found.conf_low) == (0 in sums)
    others = Arms(np.array([30, 40]) - events, np.tile([30, 40], (len(events), 1)), rates=False)
    assert others.empty()[0] == (0 in sums)


def test_arms_by_hand() -> None:
    arms = Arms(np.array([[0.0, 3.0], [2.0, 5.0]]), np.array([[4.0, 3.0], [6.0, 5.0]]), rates=False)
    held = np.array([[True, False], [False, True], [True, True]])
    assert arms.silent(held) == [["none", "all"], ["", "all"], ["", "all"]]
    assert arms.empty(held).tolist() == [True, True, True]
    rates = Arms(arms.events, arms.size, rates=True)
    assert rates.silent(held) == [["none", ""], ["", ""], ["", ""]]
    assert arms_of(pd.DataFrame({"coef": [1.0]})) is None


def test_a_rate_without_events_is_bounded_in_its_own_arm_alone() -> None:
    """Three events at most in 75 years: -log(0.025) / 75 = 0.049."""
    data = pd.DataFrame(
        {
            "study": list("abc"),
            "events_1": [0, 0, 0],
            "time_1": [20.0, 30.0, 25.0],
            "events_2": [2, 1, 1],
            "time_2": [20.0, 15.0, 18.0],
        }
    )
    note = next(n for n in rn.meta_analysis(data, measure="IRD").notes if "no event in arm 1" in n)
    assert note.endswith("if it is one for all studies: 0.049 in arm 1 (0 in 75.00).")
    assert "Exact upper 95 % limit of the rate" in note
