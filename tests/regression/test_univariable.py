"""Options of the fits behind a univariable table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import rnetstats as rn
from rnetstats.errors import OptionError
from support import read

BINARY = "margin_positive ~ lvi + size_mm"
TIME = "Surv(dfs_months, recurrence) ~ lvi + size_mm"


@pytest.mark.parametrize(
    ("verb", "formula"),
    [
        (rn.logistic, BINARY),
        (rn.cox, TIME),
        (rn.univariable, BINARY),
        (rn.univariable, TIME),
        (rn.separation, BINARY),
        (rn.kaplan_meier, "Surv(dfs_months, recurrence) ~ lvi"),
        (rn.draw_cohort, "duan2024"),
    ],
)
def test_a_keyword_that_nothing_has_is_a_type_error_everywhere(
    verb: Callable[..., Any], formula: str
) -> None:
    data = () if verb is rn.draw_cohort else (read("rnet_like_a.csv"),)
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'unknown'"):
        verb(*data, formula, unknown=1)


def test_an_option_of_the_other_model_is_named() -> None:
    with pytest.raises(OptionError, match=r"ties= belongs to cox\(\)"):
        rn.univariable(read("rnet_like_a.csv"), BINARY, ties="efron")


def test_an_option_of_both_models_is_checked_by_them() -> None:
    for formula in (BINARY, TIME):
        with pytest.raises(OptionError, match="penalty"):
            rn.univariable(read("rnet_like_a.csv"), formula, penalty="ridge")
