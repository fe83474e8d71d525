"""The left side: what it gives, and the checks that an outcome must pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import ColumnError, DataError, FormulaError, OptionError
from rnetstats.formula.design import model_frame
from rnetstats.formula.groups import group_frame
from rnetstats.formula.outcome import Outcome

FRAME = pd.DataFrame(
    {
        "y": [0, 1, 1, 0],
        "flag": [False, True, True, False],
        "text": ["no", "yes", "yes", "no"],
        "two": [1, 2, 2, 1],
        "code": [0, 2, 1, 2],
        "kind": ["alive", "dead", "recurred", "dead"],
        "start": [0.0, 1, 0, 2],
        "time": [0.0, 2, 3, 4],
        "gap": [1.0, 2, np.nan, -1],
        "far": [1.0, 1e200, 3, 4],
        "x": [1.0, 2, 4, 3],
    }
)


def outcome(left: str, **options: Any) -> Outcome:
    result = model_frame(FRAME, f"{left} ~ x", **options).outcome
    assert result is not None
    return result


@pytest.mark.parametrize("left", ["y", "flag", "two == 2", 'text == "yes"', "flag == True"])
def test_binary(left: str) -> None:
    result = outcome(left, kind="binary")
    assert result.kind == "binary"
    assert result.name == left
    np.testing.assert_array_equal(result.y, [0, 1, 1, 0])
    assert result.stop is None
    assert result.time_name == ""


def test_survival() -> None:
    result = outcome("Surv(time, two == 2)", kind="survival")
    assert result.kind == "survival"
    assert result.columns == ("time", "two")
    assert result.time_name == "time"
    assert result.start is None
    np.testing.assert_array_equal(result.stop, [0, 2, 3, 4])
    np.testing.assert_array_equal(result.event, [False, True, True, False])


def test_time_zero_is_allowed_and_noted() -> None:
    assert model_frame(FRAME, "Surv(time, y) ~ x").notes == ("1 row has time = 0.",)


def test_late_entry() -> None:
    result = model_frame(FRAME.iloc[1:], "Surv(start, time, y) ~ x").outcome
    assert result is not None
    assert result.time_name == "time"
    np.testing.assert_array_equal(result.start, [1, 0, 2])
    np.testing.assert_array_equal(result.stop, [2, 3, 4])


def test_times_that_differ_by_rounding_alone_are_ties() -> None:
    times = [0.3, 0.1 + 0.2, 1.1, 2.2, 1.1 + 1.1, 3.3, 1.1 * 3, 4.0, 5.0, 6.0]
    data = {"t": times, "e": [1, 1, 1, 1, 1, 0, 1, 1, 0, 1], "g": [0, 1, 0, 1, 0, 1, 0, 1, 1, 0]}
    frame = model_frame(data, "Surv(t, e) ~ g", intercept=False)
    assert frame.outcome.stop.tolist() == [0.3, 0.3, 1.1, 2.2, 2.2, 3.3, 3.3, 4.0, 5.0, 6.0]
    assert any("rounding" in note for note in frame.notes)
    fit = rn.cox(data, "Surv(t, e) ~ g", penalty=None)  # R's coxph, whose default does the same
    assert fit.coef["g"] == pytest.approx(-0.5374766358937674, rel=1e-10)
    curve = rn.kaplan_meier(data, "Surv(t, e) ~ 1").to_frame()
    assert curve["time"].tolist() == [0.3, 1.1, 2.2, 3.3, 4.0, 5.0, 6.0]
    statistic = rn.logrank(data, "Surv(t, e) ~ g").glance()["statistic"].iloc[0]
    assert statistic == pytest.approx(0.5286411917286149, rel=1e-10)


def test_the_last_time_as_given_may_be_asked_for() -> None:
    data = {"t": [0.1, 0.2, 0.3, 0.1 + 0.2], "e": [1, 0, 1, 1], "g": [0, 1, 1, 0]}
    table = rn.cox(data, "Surv(t, e) ~ g").survival({"g": [0]}, [0.1 + 0.2])
    assert table["time"].tolist() == [0.3]


def test_an_entry_at_an_exit_but_for_rounding_is_no_interval() -> None:
    data = {"a": [0.0, 0.3, 0.0], "b": [0.1 + 0.2, 0.1 + 0.2, 1.0], "e": [1, 0, 1]}
    with pytest.raises(DataError, match="row 2"):
        model_frame(data, "Surv(a, b, e) ~ 1")


def test_times_apart_by_more_than_rounding_stay_apart() -> None:
    data = {"t": [1.0, 1.0 + 1e-8, 365.25, 365.25001], "e": [1, 1, 0, 1]}
    frame = model_frame(data, "Surv(t, e) ~ 1")
    assert frame.outcome.stop.tolist() == data["t"]
    assert not any("rounding" in note for note in frame.notes)


@pytest.mark.parametrize(
    ("left", "censor", "cause", "causes", "chosen"),
    [
        ("Surv(time, code)", 0, 1, ("1", "2"), 1),
        ("Surv(time, code)", 0, 2, ("1", "2"), 2),
        ("Surv(time, code)", 0, None, ("1", "2"), None),
        ("Surv(time, kind)", "alive", "recurred", ("dead", "recurred"), 2),
        ("Surv(time, code)", 2, 1, ("0", "1"), 2),
    ],
)
def test_competing_risks(
    left: str, censor: Any, cause: Any, causes: tuple[str, ...], chosen: int | None
) -> None:
    result = outcome(left, kind="competing", censor=censor, cause=cause)
    assert result.kind == "competing"
    assert result.causes == causes
    assert result.cause == chosen
    assert result.cause_codes is not None
    seen = result.cause_codes > 0 if chosen is None else result.cause_codes == chosen
    np.testing.assert_array_equal(result.event, seen)


def test_codes_of_competing_risks() -> None:
    result = outcome("Surv(time, code)", kind="competing")
    assert result.cause_codes is not None
    assert result.cause_codes.tolist() == [0, 2, 1, 2]


def test_numeric_and_one_sided() -> None:
    np.testing.assert_array_equal(outcome("gap", kind="numeric").y, [1, 2, -1])
    assert model_frame(FRAME, "~ x", kind="none").outcome is None
    assert model_frame(FRAME, "gap ~ x", kind="none").n == 4


def test_an_event_that_no_row_has_is_noted() -> None:
    assert model_frame(FRAME, "Surv(time, code == 7) ~ x").notes == (
        "1 row has time = 0.",
        "No row has code == 7.",
    )


@pytest.mark.parametrize(
    ("left", "options", "error", "message"),
    [
        ("code", {}, DataError, r"it is 2 in rows 2, 4.*write code == 1 for one kind alone"),
        ("Surv(time, two)", {}, DataError, "'two' must be 0 or 1; it is 2 in rows 2, 3.*two == 2"),
        ("text", {}, ColumnError, 'holds categories.*text == "yes"'),
        ('text == "Yes"', {}, DataError, "no level 'Yes'.*Did you mean 'yes'"),
        ("text == 1", {}, DataError, "no level 1; it has 'no', 'yes'"),
        ('two == "2"', {}, ColumnError, "compares with text; write the number without quotes"),
        ("Surv(gap, y)", {}, DataError, "time 'gap' is negative in row 4"),
        ("Surv(far, y)", {}, DataError, "time 'far' is 1e.200 in row 2"),
        ("Surv(text, y)", {}, ColumnError, "but a time takes numbers"),
        ("Surv(start, time, y)", {}, DataError, "'start' is not before 'time' in row 1"),
        ("Surv(time, y)", {"kind": "binary"}, FormulaError, "needs a 0/1 column"),
        ("y", {"kind": "survival"}, FormulaError, r"needs Surv\(time, event\)"),
        ("", {"kind": "binary"}, FormulaError, "needs a 0/1 column"),
        ("", {}, FormulaError, "needs a 0/1 column, column == value, or Surv"),
        ("y", {"kind": "ordinal"}, OptionError, "kind='ordinal'"),
        ("text", {"kind": "numeric"}, ColumnError, "this outcome takes numbers"),
        ("Surv(time, code == 1)", {"kind": "competing"}, FormulaError, "by the option cause="),
        ("Surv(time, code)", {"kind": "competing", "cause": 3}, OptionError, "events are 1, 2"),
        ("Surv(time, code)", {"kind": "competing", "cause": "1"}, OptionError, "cause='1'"),
        ("Surv(time, y)", {"kind": "competing", "cause": 0}, OptionError, "cause=0 is no event"),
    ],
)
def test_outcomes_that_are_refused(
    left: str, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        model_frame(FRAME, f"{left} ~ x", **options)


def test_no_event_at_all_in_competing_risks() -> None:
    with pytest.raises(DataError, match="has no event: every row is 0"):
        model_frame(FRAME.assign(code=0), "Surv(time, code) ~ x", kind="competing")


def test_codes_that_the_codebook_does_not_declare_are_refused() -> None:
    frame = FRAME.copy()
    frame.attrs["rnetstats"] = {"codes": {"code": {"0": "censored", "1": "relapse"}}}
    with pytest.raises(DataError, match=r"'code' is 2 in rows 2, 4.*0 = censored, 1 = relapse"):
        model_frame(frame, "Surv(time, code) ~ x", kind="competing")
    with pytest.raises(DataError, match="is 2 in rows 2, 4"):
        group_frame(frame, "Surv(time, code) ~ 1", kind="competing")
    plain = model_frame(frame, "Surv(time, y) ~ x")
    assert plain.outcome is not None


@pytest.mark.parametrize(
    ("column", "censor", "error", "message"),
    [
        ([0, 1.5, 1, 2], 0, DataError, "codes of events, but is 1.5 in row 2"),
        (["no", "yes", "no", "yes"], 0, OptionError, "censor=0 is no level of column 'code'"),
        (["no", "yes", "no", "yes"], "non", OptionError, "Did you mean 'no'"),
        ([0, 1, 2, 1], "no", OptionError, "is text, but column 'code' holds numbers"),
        ([0, 1, 2, 1], [0, 1], OptionError, r"censor must be one code, not \[0, 1\]"),
    ],
)
def test_censoring_codes_must_be_those_of_the_column(
    column: list[Any], censor: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        model_frame(
            FRAME.assign(code=column), "Surv(time, code) ~ x", kind="competing", censor=censor
        )


def test_rows_are_numbered_as_given_after_others_were_left_out() -> None:
    frame = FRAME.assign(x=[np.nan, 1, 2, 3], y=[0, 1, 1, 5])
    with pytest.raises(DataError, match="it is 5 in row 4"):
        model_frame(frame, "y ~ x")


def test_a_measurement_is_not_taken_for_a_code() -> None:
    weights = {"x": np.arange(30.0), "w": np.arange(30.0) + 2000.0}
    with pytest.raises(DataError, match=r"must be 0 or 1; it is 2000 .* made an event first"):
        rn.logistic(weights, "w ~ x")
    with pytest.raises(DataError, match="write w == 3"):
        rn.logistic({"x": np.arange(30.0), "w": 1 + np.arange(30) % 3}, "w ~ x")


def test_the_event_suggested_is_a_level_that_occurs() -> None:
    grade = pd.Categorical(["low", "high", "low", "high"], categories=["low", "high", "unused"])
    with pytest.raises(ColumnError, match='as in y == "high"'):
        model_frame(FRAME.assign(y=grade), "y ~ x")
