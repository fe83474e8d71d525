"""Options, seeds, columns, numbers as text: the ground that every room stands on."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats._core.distributions import chi_square_p, f_p, normal_quantile, two_sided_p
from rnetstats._core.frame import as_frame, column, is_synthetic, label_of, refuse_name
from rnetstats._core.json import encode
from rnetstats._core.options import choice, draw_count, flag, level, positive_int, real
from rnetstats._core.random import CHUNK, chunk_generators, resolve_seed
from rnetstats.errors import ColumnError, DataError, OptionError, RnetError, closest, rows_text
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p, fmt_percent


def test_every_error_is_a_value_error_of_the_one_tree() -> None:
    import rnetstats.errors as errors

    kinds = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]
    assert len(kinds) >= 10
    assert all(issubclass(kind, RnetError) and issubclass(kind, ValueError) for kind in kinds)


def test_closest_names_and_rows() -> None:
    assert (
        closest("marginpositive", ["nlr", "margin_positive"]) == " Did you mean 'margin_positive'?"
    )
    assert closest("AGE", ["age", "sex"]) == " Did you mean 'age'?"
    assert closest("zzz", ["age"]) == ""
    assert rows_text([3]) == "row 3"
    assert rows_text(range(1, 9)) == "rows 1, 2, 3, 4, 5 (and 3 more)"


def test_options_are_refused_in_words() -> None:
    assert choice("penalty", None, ("firth", None)) is None
    with pytest.raises(OptionError, match=r"penalty='fith'.*Did you mean 'firth'"):
        choice("penalty", "fith", ("firth", None))
    with pytest.raises(OptionError, match=r"0\.95 for 95 %"):
        level(95)
    for bad in (0, 1, "0.9", True, float("nan")):
        with pytest.raises(OptionError):
            level(bad)  # type: ignore[arg-type]
    assert flag("reverse", np.bool_(True)) is True
    for bad in (1, "yes", np.ones(2), None):
        with pytest.raises(OptionError, match="reverse must be True or False"):
            flag("reverse", bad)
    assert positive_int("resamples", np.int64(3)) == 3
    for bad in (0, 2.5, True, "3"):
        with pytest.raises(OptionError):
            positive_int("resamples", bad)  # type: ignore[arg-type]
    assert draw_count("resamples", 10**9) == 10**9
    with pytest.raises(OptionError, match=r"resamples must be at most 1,000,000,000, not 10,000,"):
        draw_count("resamples", 10**25)
    assert real("tau", 2) == 2.0
    with pytest.raises(OptionError, match="between 0 and 1"):
        real("share", 1.5, low=0, high=1)
    with pytest.raises(OptionError, match="finite"):
        real("share", float("inf"))


def test_seeds_are_recorded_and_refused() -> None:
    assert resolve_seed(7) == 7
    drawn = resolve_seed(None)
    assert 0 <= drawn < 2**63
    assert resolve_seed(None) != drawn
    for bad in (-1, 1.0, "1", True):
        with pytest.raises(OptionError, match="seed"):
            resolve_seed(bad)  # type: ignore[arg-type]


@given(short=st.integers(1, 600), more=st.integers(0, 600), seed=st.integers(0, 100))
def test_a_shorter_run_is_a_prefix_of_a_longer_one(short: int, more: int, seed: int) -> None:
    def draws(total: int) -> np.ndarray:
        out = np.empty(total)
        for rows, rng in chunk_generators(seed, total):
            out[rows] = rng.random(CHUNK)[: rows.stop - rows.start]
        return out

    np.testing.assert_array_equal(draws(short + more)[:short], draws(short))


def test_frames_and_mappings_are_taken_and_left_alone() -> None:
    data = {"y": [0, 1], "x": np.array([1.0, 2.0])}
    assert as_frame(data)["x"].tolist() == [1.0, 2.0]
    frame = pd.DataFrame(data)
    assert as_frame(frame) is frame
    with pytest.raises(DataError, match="differ in length"):
        as_frame({"y": [0, 1], "x": [1]})
    with pytest.raises(DataError, match="no rows"):
        as_frame({"y": []})
    with pytest.raises(DataError, match="not list"):
        as_frame([1, 2])  # type: ignore[arg-type]
    with pytest.raises(ColumnError, match="more than once"):
        as_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(ColumnError, match="Did you mean 'margin'"):
        column(pd.DataFrame({"margin": [1]}), "margn")
    with pytest.raises(ColumnError, match=r"name 0 is no text; .* data.columns.astype\(str\)"):
        column(pd.DataFrame({0: [1]}), "0")
    with pytest.raises(ColumnError, match="A Series names no column"):
        column(pd.DataFrame({"margin": [1]}), pd.Series([1]))  # type: ignore[arg-type]
    with pytest.raises(ColumnError, match="An array names no column: give the column's name"):
        column(pd.DataFrame({"margin": [1]}), np.ones(2000))  # type: ignore[arg-type]
    with pytest.raises(ColumnError, match="A Series names no column: give the column's name"):
        refuse_name(pd.Series([1]))
    with pytest.raises(ColumnError, match="There is no column <NA>"):
        column(pd.DataFrame({"margin": [1]}), pd.NA)  # type: ignore[arg-type]


def test_a_table_of_another_library_is_told_what_to_do() -> None:
    class Frame:
        def to_pandas(self) -> pd.DataFrame: ...

    with pytest.raises(DataError, match=r"not .*test_core\..*Frame\. Give its \.to_pandas\(\)"):
        as_frame(Frame())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1, 2], [3]], r"'x' holds several values in row 1 \(list\)"),
        ([0, [1, 2]], r"'x' holds several values in row 2 \(list\)"),
        ([np.ones(2), np.ones(3)], r"'x' holds several values in row 1 \(ndarray\)"),
        ([pd.Series([1, 2]), pd.Series([1])], r"'x' holds several values in row 1 \(Series\)"),
        ([{"a": 1}, {"a": 2}], r"'x' holds several values in row 1 \(dict\)"),
        (pd.Series([{1}, {2, 3}]), r"'x' holds several values in row 1 \(set\)"),
        (np.ones((2, 1)), r"'x' is a table \(2 x 1\)"),
        (pd.DataFrame({"a": [1, 2]}), r"'x' is a table \(2 x 1\)"),
        (1, r"'x' is a single value \(int\)"),
        (None, r"'x' is a single value \(NoneType\)"),
        ("ab", r"'x' is a single value \(str\)"),
        (np.array(3), r"'x' is a single value \(ndarray\)"),
        ({0: 1, 1: 2}, r"'x' is a dict"),
        ({1, 2}, r"'x' is a set"),
        ((i for i in range(2)), r"'x' is a generator"),
        (np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]), r"'x' cannot be read"),
        (pd.MultiIndex.from_tuples([(1, 2), (3, 4)]), r"'x' cannot be read"),
    ],
)
def test_what_is_no_column_is_refused_by_its_name(values: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        as_frame({"y": [0, 1], "x": values})


def test_names_that_are_no_single_text_are_refused() -> None:
    with pytest.raises(ColumnError, match="'1' occurs more than once"):
        as_frame({1: [0, 1], "1": [2, 3]})  # type: ignore[dict-item]
    levels = pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])
    with pytest.raises(ColumnError, match="names of 2 levels"):
        as_frame(pd.DataFrame([[1, 2]], columns=levels))


def test_columns_of_a_mapping_are_joined_by_place_and_keep_their_kind() -> None:
    frame = as_frame(
        {
            "a": pd.Series([1, 2], index=["u", "v"]),
            "b": pd.Series([3, 4], index=["v", "u"]),
            "c": pd.Categorical(["hi", "lo"], categories=["lo", "hi"]),
            "d": np.ma.array([1.0, 2.0], mask=[False, True]),
            "e": range(2),
        }
    )
    assert frame["b"].tolist() == [3, 4]
    assert frame["c"].cat.categories.tolist() == ["lo", "hi"]
    assert frame["d"].isna().tolist() == [False, True]
    assert frame["e"].tolist() == [0, 1]


def test_labels_live_in_attrs_and_losing_them_changes_text_only() -> None:
    frame = pd.DataFrame({"size_mm": [1.0]})
    assert label_of(frame, "size_mm") == "size_mm"
    assert not is_synthetic(frame)
    frame.attrs["rnetstats"] = {
        "labels": {"size_mm": "Tumour size"},
        "units": {"size_mm": "mm"},
        "synthetic": True,
    }
    assert label_of(frame, "size_mm") == "Tumour size (mm)"
    assert is_synthetic(frame)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.234, "1.23"),
        (-0.5, "−0.50"),
        (-0.001, "−0.001"),
        (0.0, "0.00"),
        (123.456, "123.5"),
        (18943.2, "19,000"),
        (2.5e9, "2.5 × 10^9"),
        (0.00123, "0.0012"),
        (1.2e-8, "1.2 × 10^−8"),
        (2.6e-15, "0.00"),
        (-9.9e-16, "0.00"),
        (float("inf"), "∞"),
        (float("-inf"), "−∞"),
        (float("nan"), "–"),
    ],
)
def test_numbers_as_text(value: float, text: str) -> None:
    assert fmt_number(value) == text


def test_intervals_percentages_and_p_values() -> None:
    assert fmt_interval(0.4, 2.02) == "0.40 to 2.02"
    assert fmt_interval(float("nan"), float("nan")) == "–"
    assert fmt_percent(12 / 527) == "2.3 %"
    assert fmt_percent(-0.241) == "−24.1 %"  # the minus sign of all other numbers
    assert fmt_percent(-0.0001) == "0.0 %"
    assert [fmt_p(p) for p in (0.0004, 0.0274, 0.0996, 0.12, 0.999, float("nan"))] == [
        "<0.001",
        "0.027",
        "0.10",
        "0.12",
        ">0.99",
        "–",
    ]


def test_distributions_agree_with_scipy() -> None:
    from scipy.stats import chi2, norm

    assert normal_quantile(0.95) == pytest.approx(norm.ppf(0.975), rel=1e-14)
    z = np.array([-3.0, 0.0, 1.96, 30.0])
    np.testing.assert_allclose(two_sided_p(z), 2 * norm.sf(np.abs(z)), rtol=1e-12)
    np.testing.assert_allclose(
        chi_square_p([0.1, 50.0], [1, 3]), chi2.sf([0.1, 50.0], [1, 3]), rtol=1e-12
    )


@pytest.mark.parametrize("df_error", [1.0, 5.5, 40.0, 1e6, 1e12, 1e17, 1e300])
def test_the_f_law_with_two_degrees_of_freedom_is_a_power(df_error: float) -> None:
    # P(F > f) = (1 + 2 f / d)^(-d / 2), which tends to exp(-f)
    for f in (0.0, 1e-3, 3.0, 50.0):
        exact = np.exp(-0.5 * df_error * np.log1p(2.0 * f / df_error))
        np.testing.assert_allclose(f_p(f, 2.0, df_error), exact, rtol=1e-12)


@given(st.floats(1e-3, 1e3), st.integers(1, 12), st.floats(1.0, 300.0))
def test_the_f_law_turned_over_is_the_other_tail(f: float, df: int, df_error: float) -> None:
    np.testing.assert_allclose(f_p(f, df, df_error) + f_p(1.0 / f, df_error, df), 1.0, rtol=1e-12)


def test_the_f_law_at_its_ends() -> None:
    np.testing.assert_allclose(f_p(3.0, 2.0, np.inf), np.exp(-3.0), rtol=1e-14)
    assert f_p(np.inf, 2.0, 5.0) == 0.0
    assert np.isnan(f_p(np.nan, 2.0, 5.0))


@pytest.mark.slow
def test_a_fresh_session_reads_results_that_it_never_made() -> None:
    data = rn.load_cohort("duan2024")
    fit = rn.logistic(data, "margin_positive ~ age")
    stored = json.dumps({"nested": {"$result": fit.to_dict()}})
    code = (
        "import json, sys; from rnetstats._core.result import Result, _decode_field\n"
        "found = _decode_field(json.load(sys.stdin)['nested'])\n"
        "print(type(found).__name__, float(found.to_frame()['estimate'].iloc[-1]))\n"
        "try: Result.from_dict({'type': 'NoSuchResult'})\n"
        "except Exception as error: print(error)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], input=stored, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    name, estimate = shown[0].split()
    assert name == "LogisticResult"
    assert float(estimate) == fit.to_frame()["estimate"].iloc[-1]
    assert shown[1] == "This dictionary holds a 'NoSuchResult', not a Result."


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint64, np.int8])
def test_whole_numbers_of_numpy_are_whole_numbers(kind: type[np.integer]) -> None:
    """Without a sign -20 is 65516: a validation of 20 resamples drew without end."""
    draws = [list(chunk_generators(1, total, size=4)) for total in (10, kind(10))]
    assert [part for part, _ in draws[0]] == [part for part, _ in draws[1]]
    cohort = rn.load_cohort("duan2024")
    fit = rn.logistic(cohort, "margin_positive ~ nlr")
    one, two = (rn.validate(fit, resamples=n, seed=1).to_dict() for n in (20, kind(20)))
    assert one == two
    gaps = {"nlr": cohort["nlr"].mask(cohort.index < 9), "age": cohort["age"]}
    filled = [rn.impute(gaps, imputations=n, iterations=1, seed=1) for n in (2, kind(2))]
    assert filled[0].to_dict() == filled[1].to_dict()


@pytest.mark.parametrize("value", [Fraction(9, 10), np.longdouble("0.9"), Decimal("0.9")])
def test_numbers_of_other_kinds_are_written_as_numbers(value: Any) -> None:
    assert encode({"a": value}) == {"a": 0.9}
    if not isinstance(value, Decimal):
        rows = {"y": [0, 1, 0, 1, 1, 0], "x": [1, 2, 2, 1, 3, 1]}
        fit = rn.logistic(rows, "y ~ x", conf_level=value)
        assert json.loads(json.dumps(fit.to_dict()))["options"]["conf_level"] == 0.9
