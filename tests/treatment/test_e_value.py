"""E-values: reference values, invariants, numbers worked by hand."""

from __future__ import annotations

import math
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import DataError, OptionError
from support import assert_close, case, case_ids

IDS = [name for name in case_ids("weights") if name.startswith("evalue")]
ratios = st.floats(0.02, 50.0)


def of_case(name: str) -> Any:
    found = case("weights", name)
    told = found["values"]["input"]
    measure = name.split("_")[1]
    rare: Any = None if measure == "rr" else "rare = TRUE" in found["call"]
    return rn.e_value(
        told["estimate"],
        told["lower"],
        told["upper"],
        measure=measure,
        rare=rare,
        true=told["true"],
    )


def test_all_ten_cases_are_there() -> None:
    assert len(IDS) == 10


@pytest.mark.parametrize("name", IDS)
def test_reference(name: str) -> None:
    values = case("weights", name)["values"]
    frame = of_case(name).to_frame().set_index("quantity")
    for quantity, key in {"estimate": "point", "conf_low": "lower", "conf_high": "upper"}.items():
        given_key = "estimate" if key == "point" else key
        assert_close(frame.loc[quantity, "value"], values["input"][given_key])
        assert_close(frame.loc[quantity, "risk_ratio"], values["rr_scale"][key])
        assert_close(frame.loc[quantity, "e_value"], values[f"e_value_{key}"])
    assert set(values) == {"input", "rr_scale", "e_value_point", "e_value_lower", "e_value_upper"}


def test_by_hand() -> None:
    # RR 2: 2 + sqrt(2 * 1) = 3.414; the bounding factor of that pair is E^2 / (2 E - 1) = 2
    e = rn.e_value(2.0, measure="rr").e_value
    assert math.isclose(e, 2.0 + math.sqrt(2.0))
    assert math.isclose(e**2 / (2.0 * e - 1.0), 2.0)


@given(ratios)
def test_two_confounders_of_the_e_value_explain_the_estimate(ratio: float) -> None:
    e = rn.e_value(ratio, measure="rr").e_value
    assert math.isclose(e * e / (2.0 * e - 1.0), max(ratio, 1.0 / ratio), rel_tol=1e-9)


@given(ratios, st.floats(0.3, 1.0), st.floats(1.0, 3.0), st.sampled_from(["rr", "or", "hr"]))
def test_inverting_the_exposure_changes_nothing(
    ratio: float, below: float, above: float, measure: str
) -> None:
    rare = None if measure == "rr" else False
    one = rn.e_value(ratio, ratio * below, ratio * above, measure=measure, rare=rare)
    other = rn.e_value(1 / ratio, 1 / ratio / above, 1 / ratio / below, measure=measure, rare=rare)
    assert math.isclose(one.e_value, other.e_value, rel_tol=1e-6, abs_tol=1e-6)
    if abs(math.log(ratio)) > 1e-6:
        assert math.isclose(one.e_value_limit, other.e_value_limit, rel_tol=1e-6, abs_tol=1e-5)


@given(ratios)
def test_a_common_outcome_needs_less_confounding(ratio: float) -> None:
    for measure in ("or", "hr"):
        rare = rn.e_value(ratio, measure=measure, rare=True).e_value
        common = rn.e_value(ratio, measure=measure, rare=False).e_value
        assert 1.0 <= common <= rare + 1e-12


def test_rare_is_decided_at_fifteen_per_cent() -> None:
    assert rn.e_value(2.0, measure="or", outcome_share=0.149).rare
    assert not rn.e_value(2.0, measure="or", outcome_share=0.15).rare


def test_start_stop_rows_are_no_patients() -> None:
    # 2 of 10 patients have the event, in 15 rows: common by patient, rare by row
    months = {"month": [9, 8] + [10] * 8, "event": [1, 1] + [0] * 8}
    split = rn.split_at_treatment(
        months | {"salvage": [1, None, 2, 3, 4, 5, None, None, None, None]},
        "Surv(month, event)",
        treatment_time="salvage",
    )
    fit = rn.cox(split, "Surv(start, stop, event) ~ treated")
    assert fit.glance()["n"].item() == 15
    with pytest.raises(OptionError, match="outcome_share="):
        rn.e_value(fit)
    found = rn.e_value(fit, outcome_share=0.2)
    assert found.share == 0.2
    assert not found.rare
    assert found.notes[0].startswith("The fit rests on 2 events of 15 start-stop rows")
    assert rn.tipping_point(fit).estimate == fit.to_frame()["estimate"].item()


def test_sampling_weights_say_how_frequent_the_outcome_is() -> None:
    """All 40 cases and 60 of 3,960 others: 40 % of the rows, 1 % of those for whom they stand."""
    case = np.repeat([1, 0], [40, 60])
    drawn = {"y": case, "x": [1, 0] * 20 + [1, 0, 0] * 20, "w": np.where(case == 1, 1.0, 66.0)}
    fit = rn.logistic(drawn, "y ~ x", sampling_weights="w")
    found = rn.e_value(fit)
    assert found.share == pytest.approx(40 / (40 + 60 * 66))
    assert found.rare  # as common its E-value was that of the square root
    ratio = fit.to_frame()["estimate"].iloc[-1]
    assert found.e_value == pytest.approx(ratio + math.sqrt(ratio * (ratio - 1)))
    counted = "The fit rests on 40 events of 100 patients (20 of 40 exposed, 20 of 60 unexposed)."
    assert found.notes[0] == counted
    assert found.notes[1] == "Of those for whom the sampling weights stand 1.0 % have it."
    assert any("of a rare outcome" in note for note in rn.tipping_point(fit).notes)
    again = type(fit).from_dict(fit.to_dict())  # which does not say how its rows were weighted
    with pytest.raises(OptionError, match="outcome_share="):
        rn.e_value(again)
    plain = rn.logistic(drawn, "y ~ x")
    assert rn.e_value(type(plain).from_dict(plain.to_dict())).share == 0.4


def test_a_fit_knows_its_events() -> None:
    data = rn.load_cohort("duan2024")
    fit = rn.cox(data, "Surv(dfs_months, recurrence) ~ margin_positive + size_mm")
    found = rn.e_value(fit, term="margin_positive")
    row = fit.to_frame().set_index("term").loc["margin_positive"]
    same = rn.e_value(row["estimate"], row["conf_low"], row["conf_high"], measure="hr", rare=True)
    np.testing.assert_allclose(found.to_frame().iloc[:, 1:], same.to_frame().iloc[:, 1:])
    assert found.rare
    assert found.synthetic
    margin = rn.logistic(data, "margin_positive ~ lvi + location")  # 34 %: common
    assert not rn.e_value(margin, term="lvi").rare
    assert rn.e_value(margin, term="location", level="lower").label.endswith("lower")


def test_events_are_counted_in_both_groups() -> None:
    data = rn.load_cohort("duan2024")
    fit = rn.logistic(data, "recurrence ~ margin_positive + size_mm")
    table = data.groupby("margin_positive")["recurrence"].agg(["sum", "count"])
    (b, n), (a, m) = table.to_numpy()
    note = rn.e_value(fit, term="margin_positive").notes[0]
    assert f"({a} of {m} exposed, {b} of {n} unexposed)" in note
    assert "unexposed" not in rn.e_value(fit, term="size_mm").notes[0]
    with pytest.raises(OptionError, match="UnivariableResult"):
        rn.e_value(rn.univariable(data, "recurrence ~ margin_positive"))


@pytest.mark.parametrize("limits", [(0.8, 5.0), (0.0, 9.0), (1.0, 4.0)])
def test_a_limit_beyond_the_null_is_a_point_and_no_curve(limits: tuple[float, float]) -> None:
    axes = rn.e_value(2.0, *limits, measure="rr").plot()
    drawn = {str(line.get_label()): line.get_xydata() for line in axes.lines}
    assert drawn["to explain the limit (E-value 1.00)"].tolist() == [[1.0, 1.0]]
    first, second = drawn["to explain the estimate (E-value 3.41)"].T
    np.testing.assert_allclose(first * second / (first + second - 1.0), 2.0)
    plt.close(axes.figure)


def test_only_the_effect_of_one_thing_against_another_is_explained_away() -> None:
    """A spline's column and an interaction's parts are ratios, but of nothing that is observed."""
    data = rn.load_cohort("duan2024")
    both = rn.logistic(data, "margin_positive ~ lvi * size_mm + location")
    curve = rn.logistic(data, "margin_positive ~ lvi + rcs(size_mm, 3)")
    for fit in (both, type(both).from_dict(both.to_dict())):
        for term in ("lvi", "size_mm", "lvi:size_mm"):
            with pytest.raises(OptionError, match=r"interaction.* no single effect"):
                rn.e_value(fit, term=term, rare=False)
        assert rn.e_value(fit, term="location", level="lower", rare=False).e_value > 1.0
    with pytest.raises(OptionError, match="is a spline"):
        rn.e_value(curve, term="rcs(size_mm, 3)", level="1")
    assert rn.e_value(curve, term="lvi").e_value > 1.0
    held = both.effect("lvi", values=[1], reference=0, at={"size_mm": 8}).to_frame().iloc[0]
    assert rn.e_value(*held[["estimate", "conf_low", "conf_high"]], measure="or", rare=False)
    line = rn.logistic(data, "margin_positive ~ lvi + size_mm")
    unit = "The ratio is that of one unit of Tumour size (mm)"
    assert any(note.startswith(unit) for note in rn.e_value(line, term="size_mm").notes)
    assert not any("one unit" in note for note in rn.e_value(line, term="lvi").notes)


def test_counts_give_the_risk_ratio() -> None:
    found = rn.e_value([[8, 173], [4, 342]])
    assert found.measure == "rr"
    assert math.isclose(found.to_frame()["value"][0], (8 / 181) / (4 / 346))


def test_infinite_limits_are_taken() -> None:
    assert rn.e_value(5.0, 2.0, math.inf, measure="rr").e_value_limit == pytest.approx(2 + 2**0.5)
    assert rn.e_value(0.2, 0.0, 0.9, measure="hr", rare=False).e_value > 1


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: rn.e_value(2.0), OptionError, "Say what the estimate is"),
        (lambda: rn.e_value(2.0, measure="or"), OptionError, "how frequent"),
        (lambda: rn.e_value(2.0, 2.5, 3.0, measure="rr"), DataError, "do not hold"),
        (lambda: rn.e_value(-0.7, measure="rr"), DataError, "exponential"),
        (lambda: rn.e_value(0.0, measure="rr"), DataError, "above 0"),
        (lambda: rn.e_value(math.nan, measure="rr"), OptionError, "number"),
        (lambda: rn.e_value(2.0, "1.2", 3.3, measure="rr"), OptionError, "conf_low must be a num"),
        (lambda: rn.e_value(2.0, measure="rd"), OptionError, "not allowed"),
        (lambda: rn.e_value(2.0, measure="rr", true=0.0), OptionError, "true"),
        (
            lambda: rn.e_value(2.0, measure="or", rare=True, outcome_share=0.4),
            OptionError,
            "contra",
        ),
        (lambda: rn.e_value(2.0, measure="or", outcome_share=40), OptionError, "outcome_share"),
        (lambda: rn.e_value([[0, 12], [2, 45]]), DataError, "no event"),
        (lambda: rn.e_value(2.0, measure="rr", term="x"), OptionError, "term"),
    ],
)
def test_refusals(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_a_wrong_term_is_named() -> None:
    fit = rn.logistic(rn.load_cohort("duan2024"), "recurrence ~ margin_positive + location")
    with pytest.raises(OptionError, match="several terms"):
        rn.e_value(fit)
    with pytest.raises(OptionError, match="margin_positive"):
        rn.e_value(fit, term="margin")
    with pytest.raises(OptionError, match="several levels"):
        rn.e_value(fit, term="location")


def test_a_table_of_tests_has_no_ratio_to_take() -> None:
    table = rn.exact_table([[11, 170], [1, 345]])
    with pytest.raises(OptionError, match="no single ratio to take from ExactTableResult"):
        rn.e_value(table)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"measure": "or", "rare": True}, "The odds ratio is taken for a risk ratio, the outcome "
         "being rare; the bound is 15 %."),
        ({"measure": "or", "rare": False}, "The odds ratio is turned into an approximate risk "
         "ratio, the outcome being common; the bound is 15 %."),
        ({"measure": "or", "outcome_share": 0.1}, "The odds ratio is taken for a risk ratio, the "
         "outcome being rare (10.0 % have the outcome); the bound is 15 %."),
        ({"measure": "hr", "outcome_share": 0.4}, "The hazard ratio is turned into an approximate "
         "risk ratio, the outcome being common (40.0 % have the outcome); the bound is 15 %."),
    ],
)  # fmt: skip
def test_how_a_ratio_was_taken_is_said(options: dict[str, Any], words: str) -> None:
    notes = rn.e_value(2.0, 1.5, 3.0, **options).notes
    assert notes[0] == words
    assert len(notes) == 2


def test_no_effect_needs_no_confounding_and_a_limit_only_where_there_is_one() -> None:
    for ratio, expected, holds in (
        ((1.0, 0.8, 1.2), [1.0, 1.0, np.nan], True),
        ((1.0, None, None), [1.0, np.nan, np.nan], False),
        ((2.0, 0.9, 4.0), [2.0 + np.sqrt(2.0), 1.0, np.nan], True),
        ((0.5, 0.2, 1.1), [2.0 + np.sqrt(2.0), np.nan, 1.0], True),
        ((2.0, 1.5, 4.0), [2.0 + np.sqrt(2.0), 1.5 + np.sqrt(0.75), np.nan], False),
    ):
        found = rn.e_value(*ratio, measure="rr")
        np.testing.assert_allclose(found.to_frame()["e_value"], expected)
        assert any("The interval holds the null" in note for note in found.notes) is holds
