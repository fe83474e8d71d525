"""Options, seeds, columns, numbers as text: the ground that every room stands on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats._core.distributions import chi_square_p, normal_quantile, two_sided_p
from rnetstats._core.frame import as_frame, column, is_synthetic, label_of
from rnetstats._core.options import choice, level, positive_int, real
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
    assert positive_int("resamples", np.int64(3)) == 3
    for bad in (0, 2.5, True, "3"):
        with pytest.raises(OptionError):
            positive_int("resamples", bad)  # type: ignore[arg-type]
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
