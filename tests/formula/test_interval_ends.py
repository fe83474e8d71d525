"""Interval-censored outcomes: what the left side gives, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import ColumnError, DataError, FormulaError
from rnetstats.formula.design import model_frame
from rnetstats.formula.groups import group_frame
from rnetstats.formula.parser import parse_formula

FRAME = pd.DataFrame(
    {
        "l": [0.0, 3, 6, 6, 5],
        "r": [3.0, 6, np.inf, np.nan, 5],
        "x": [1.0, 2, 4, 3, 7],
        "arm": list("ababa"),
        "e": [0, 1, 0, 1, 1],
    }
)


def test_ends_that_differ_by_rounding_alone_are_one_time() -> None:
    """Months as parts of a year: 7 x (1 / 12) is not 7 / 12 to a computer."""
    left, right = np.array([0, 3, 7, 6, 14, 7]), np.array([7, 7, 14, 14, np.inf, np.inf])
    months = {"l": left.astype(float), "r": right, "g": [0, 1, 0, 1, 0, 1]}
    years = {**months, "l": left * (1 / 12), "r": right / 12}
    for data, unit in ((months, 1.0), (years, 12.0)):
        curve = rn.turnbull(data, "Interval(l, r) ~ 1")
        assert any("rounding" in note for note in curve.notes) == (unit > 1.0)
        np.testing.assert_allclose(
            curve.to_frame()[["left", "right"]] * unit,
            rn.turnbull(months, "Interval(l, r) ~ 1").to_frame()[["left", "right"]],
            rtol=1e-9,
        )
    fits = [
        rn.interval_regression(data, "Interval(l, r) ~ g", model="cox").to_frame()
        for data in (months, years)
    ]
    np.testing.assert_allclose(*(fit["estimate"] for fit in fits), rtol=1e-7)
    seen = model_frame(
        {"l": [0.1 + 0.2, 1.0], "r": [0.3, 2.0]}, "Interval(l, r) ~ 1", kind="interval"
    ).outcome
    assert seen.left[0] == seen.right[0] == 0.3


def test_interval_is_read() -> None:
    frame = model_frame(FRAME, "Interval(l, r) ~ x", kind="interval", intercept=False)
    outcome = frame.outcome
    assert outcome is not None
    assert (outcome.kind, outcome.name) == ("interval", "Interval(l, r)")
    assert outcome.columns == ("l", "r")
    np.testing.assert_array_equal(outcome.left, [0, 3, 6, 6, 5])
    np.testing.assert_array_equal(outcome.right, [3, 6, np.inf, np.inf, 5])
    assert outcome.stop is None and outcome.event is None
    assert frame.n_missing == 0
    assert "2 rows of 5 have no right end" in frame.notes[0]


def test_the_text_of_a_formula_can_be_read_again() -> None:
    parsed = parse_formula("Interval(`left end`, r) ~ arm")
    assert str(parsed) == "Interval(`left end`, r) ~ arm"
    assert parse_formula(str(parsed)) == parsed
    assert parsed.outcome_columns == ("left end", "r")


@pytest.mark.parametrize(
    "right",
    [
        [3.0, 6.0, np.inf, np.nan, 5.0],
        pd.array([3, 6, None, None, 5], dtype="Int64"),
        np.array([3, 6, None, np.inf, 5.0], dtype=object),
    ],
)
def test_open_ends_of_every_type(right: Any) -> None:
    frame = FRAME.assign(r=right)
    outcome = group_frame(frame, "Interval(l, r) ~ arm", kind="interval").outcome
    np.testing.assert_array_equal(outcome.right, [3, 6, np.inf, np.inf, 5])


def test_all_right_censored_is_read() -> None:
    for gap in (np.nan, np.inf, None):
        outcome = group_frame(FRAME.assign(r=gap), "Interval(l, r) ~ 1", kind="interval").outcome
        assert np.isinf(outcome.right).all()


def test_a_missing_left_end_is_a_missing_value() -> None:
    frame = FRAME.assign(l=[np.nan, 3, 6, np.nan, 5])
    read = group_frame(frame, "Interval(l, r) ~ 1", kind="interval")
    assert read.n_missing == 2
    assert "2 of 5 rows left out for missing values: l (2)." in read.notes
    with pytest.raises(DataError, match="rows 1, 4"):
        group_frame(frame, "Interval(l, r) ~ 1", kind="interval", missing="raise")


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"l": [4.0, 3, 6, 6, 5]}, DataError, "'l' is after 'r' in row 1"),
        ({"l": [-1.0, 3, 6, 6, 5]}, DataError, "'l' is negative in row 1"),
        ({"r": [3.0, -6, 7, 8, 5]}, DataError, "'r' is negative in row 2"),
        ({"l": [0.0, np.inf, 1, 1, 1]}, DataError, "'l' has infinite values in row 2"),
        ({"r": list("abcde")}, ColumnError, "holds categories"),
        ({"r": ["3", "6", None, None, "5"]}, ColumnError, "look like numbers"),
        ({"r": [3.0, -np.inf, 7, 8, 5]}, DataError, "infinite values in row 2"),
    ],
)
def test_ends_that_are_refused(
    changed: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        group_frame(FRAME.assign(**changed), "Interval(l, r) ~ 1", kind="interval")


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("Interval(l) ~ 1", "expected ','"),
        ("Interval(l, l) ~ 1", "both ends are the column 'l'"),
        ("Interval(l, r == 3) ~ 1", "expected '\\)'"),
        ("Interval(l, r, e) ~ 1", "expected '\\)'"),
        ("interval(l, r) ~ 1", "Did you mean 'Interval'"),
        ("Interval(l, r) ~ r", "its column is the outcome's"),
    ],
)
def test_forms_that_are_refused(formula: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        parse_formula(formula)


@pytest.mark.parametrize(
    "verb", [rn.kaplan_meier, rn.logrank, rn.cox, rn.logistic, rn.follow_up, rn.separation]
)
def test_other_verbs_refuse_intervals_and_name_those_that_take_them(verb: Any) -> None:
    with pytest.raises(FormulaError, match=r"is an interval, but.*turnbull\(\)"):
        verb(FRAME, "Interval(l, r) ~ arm")


def test_what_needs_an_interval_says_so() -> None:
    with pytest.raises(FormulaError, match=r"no interval; this analysis needs Interval\(left"):
        group_frame(FRAME, "Surv(x, e) ~ arm", kind="interval")
    with pytest.raises(FormulaError, match="needs Interval"):
        model_frame(FRAME, "~ x", kind="interval")
