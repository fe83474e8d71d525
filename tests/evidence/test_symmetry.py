"""Checks of the scale behind limits, of a figure after a ±, and remarks."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import rnetstats as rn
from rnetstats.errors import FactsError

SYMMETRY = {"kind": "symmetry", "low": "low", "high": "high", "estimate": "estimate"}
STD_ERROR = {"kind": "std_error", "estimate": "estimate", "std_error": "error"}


def audited(check: dict[str, Any], unit: str = "", **values: str) -> pd.Series:
    """The one line of a sheet with these figures and this check."""
    facts = {
        key: {
            "label": key,
            "value": value,
            "unit": unit,
            "standing": "printed" if value else "unknown",
            "where": "here" if value else "",
        }
        for key, value in values.items()
    }
    content = {
        "schema": 1,
        "study": {"name": "mine", "title": "Mine"},
        "facts": facts,
        "checks": [check],
    }
    frame = rn.audit(content).to_frame()
    assert len(frame) == 1
    return frame.iloc[0]


def limits(**options: Any) -> pd.Series:
    """The residual tumour of the meta-analysis, as proportions of two decimals."""
    return audited({**SYMMETRY, **options}, low="0.12", high="0.40", estimate="0.25")


def test_one_scale_on_which_the_limits_are_even_is_enough() -> None:
    line = limits()
    assert line["verdict"] == "consistent"
    # sin2((asin(sqrt .12) + asin(sqrt .40)) / 2) = 0.246; (.12 + .40) / 2 = 0.26, at the edge
    assert line["sentence"] == (
        "Rounding allowed for, the limits are even about the estimate on the arcsine scale; on the "
        "plain scale consistent only at the edge of rounding; not on the log and logit scales."
    )
    assert "arcsine 0.241 to 0.252" in line["recomputed"]
    assert "plain 0.255 to 0.265" in line["recomputed"]


def test_limits_that_fit_only_at_the_edge_of_rounding_say_so() -> None:
    """The middle lies between 0.255 and 0.265; 0.25 stands for 0.245 to 0.255: one value fits."""
    line = limits(scales=["identity"])
    assert line["verdict"] == "consistent"
    assert line["sentence"] == (
        "Consistent only at the edge of rounding, the limits are even about the estimate on the "
        "plain scale."
    )
    interval = {"kind": "interval", "low": "low", "high": "high", "estimate": "estimate"}
    figures = {"low": "0.12", "high": "0.40"}
    edge = audited({**interval, "scale": "identity"}, **figures, estimate="0.25")
    assert edge["verdict"] == "consistent"
    assert edge["sentence"].startswith("Consistent only at the edge of rounding: the middle")
    inside = audited({**interval, "scale": "identity"}, **figures, estimate="0.26")
    assert "edge" not in inside["sentence"]
    other = audited({**interval, "scale": "identity"}, **figures, estimate="0.27")
    assert other["sentence"].startswith("Consistent only at the edge of rounding")


def test_limits_that_are_even_on_no_scale_are_inconsistent() -> None:
    line = limits(scales=["log", "logit"])
    assert line["verdict"] == "inconsistent"
    assert line["sentence"] == (
        "The limits are not even about the estimate on the log and logit scales."
    )
    assert "arcsine" not in line["recomputed"]


def test_trailing_zeros_that_are_no_digits_are_named() -> None:
    line = audited(SYMMETRY, "%", low="12.0", high="40.0", estimate="25.0")
    assert line["verdict"] == "rounding"
    assert "only if digits were cut off or trailing zeros are no digits" in line["sentence"]
    assert line["sentence"].endswith("not on the log and logit scales.")
    line = limits(scales=["arcsine"])
    assert line["sentence"].endswith("even about the estimate on the arcsine scale.")


def test_limits_out_of_order_or_without_an_estimate() -> None:
    line = audited(SYMMETRY, low="0.40", high="0.12", estimate="0.25")
    assert line["verdict"] == "inconsistent"
    line = audited(SYMMETRY, low="0.12", high="0.40", estimate="")
    assert line["verdict"] == "cannot be checked"
    line = audited(SYMMETRY, low="2.11", high="7.93", estimate="4.09")  # no share
    assert line["verdict"] == "consistent"
    assert "even about the estimate on the log scale; not on" in line["sentence"]


def test_a_standard_error_on_the_scale_of_the_odds_ratio() -> None:
    """Pagano 2019: 8.7 ± 7.5, P 0.013; 7.5 / 8.7 = 0.86, 8.7 exp(± 1.96 0.86) = 1.6 to 47."""
    line = audited(
        {**STD_ERROR, "p": "p", "reported": "estimate"}, estimate="8.7", error="7.5", p="0.013"
    )
    assert line["verdict"] == "consistent"
    assert line["printed"] == "8.7 ± 7.5, P 0.013"
    assert line["recomputed"].startswith("1.61 to 47.1, P 0.01")
    assert "0.86 on the log scale" in line["sentence"]


def test_the_same_figure_read_as_the_model_s_own_is_inconsistent() -> None:
    line = audited({**STD_ERROR, "p": "p"}, estimate="8.7", error="7.5", p="0.013")
    assert line["verdict"] == "inconsistent"
    assert "P 0.77" in line["recomputed"]


@given(
    effect=st.floats(-3.0, 3.0).filter(lambda x: abs(x) > 0.05),
    error=st.floats(0.05, 2.0),
    reported=st.sampled_from(["coef", "estimate"]),
)
def test_figures_printed_from_a_real_estimate_are_consistent(
    effect: float, error: float, reported: str
) -> None:
    ratio = math.exp(effect)
    shown = error if reported == "coef" else error * ratio
    if shown < 0.01 or ratio < 0.1:
        return  # two decimals would leave nothing
    p = 2 * stats.norm.sf(abs(effect) / error)
    line = audited(
        {**STD_ERROR, "p": "p", "reported": reported},
        estimate=f"{ratio:.2f}",
        error=f"{shown:.2f}",
        p=f"{p:.3f}",
    )
    assert line["verdict"] == "consistent"


def test_a_standard_error_without_p_is_for_information() -> None:
    line = audited({**STD_ERROR, "scale": "identity"}, estimate="1.0", error="0.5")
    assert line["verdict"] == "cannot be checked"
    assert line["recomputed"].startswith("0.0200 to 1.98")
    unknown = audited(STD_ERROR, estimate="8.7", error="")
    assert unknown["verdict"] == "cannot be checked"
    negative = audited(STD_ERROR, estimate="-1", error="0.5")
    assert "no number on the log scale" in negative["sentence"]
    bound = audited(STD_ERROR, estimate="< 2", error="0.5")
    assert "printed as a bound" in bound["sentence"]


def test_a_remark_is_shown_with_its_figures_and_stays_open() -> None:
    line = audited(
        {"kind": "remark", "facts": ["country"], "text": "Another country."}, country="Japan"
    )
    assert line["verdict"] == "cannot be checked"
    assert (line["printed"], line["sentence"]) == ("Japan", "Another country.")


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ({**SYMMETRY, "scales": ["arcsin"]}, "Did you mean 'arcsine'"),
        ({**SYMMETRY, "scales": []}, "must be a list of some of"),
        ({**SYMMETRY, "scales": "log"}, "must be a list of some of"),
        ({**STD_ERROR, "error": "low"}, "'error'"),
        ({**STD_ERROR, "std_error": "low", "reported": "or"}, "'or' is none of"),
        ({"kind": "remark", "facts": ["low"], "text": " "}, "text is empty"),
        ({"kind": "remark", "facts": ["low"], "text": 3}, "not a text"),
        ({"kind": "remark", "facts": [], "text": "x"}, "facts is empty"),
    ],
)
def test_a_check_that_is_misspelt_is_refused(check: dict[str, Any], said: str) -> None:
    with pytest.raises(FactsError, match=said):
        audited(check, low="0.12", high="0.40", estimate="0.25")


def test_a_negative_standard_error_and_a_p_above_one_are_refused() -> None:
    with pytest.raises(FactsError, match="no standard error"):
        audited(STD_ERROR, estimate="2", error="-1")
    with pytest.raises(FactsError, match="no P value"):
        audited({**STD_ERROR, "p": "p"}, estimate="2", error="1", p="1.3")
