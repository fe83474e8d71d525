"""Frequency weights that would be written out beyond what memory holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rnetstats as rn
from rnetstats._core.copies import MOST_COPIES, MOST_EVENTS, check_tied_events, copies
from rnetstats.errors import BudgetError

N = 80
MANY = [10**9] * N


def patients() -> dict[str, Any]:
    rng = np.random.default_rng(1)
    time, event = rng.exponential(10.0, N) + 0.1, rng.integers(0, 2, N)
    right = np.where(event == 1, time + 2.0, np.nan)
    arm = rng.integers(0, 2, N)
    risk = np.linspace(0.05, 0.95, N)
    return {"t": time, "e": event, "arm": arm, "l": time, "r": right, "risk": risk}


def test_copies_by_hand() -> None:
    assert copies(np.array([2.0, 0.0, 3.0])).tolist() == [0, 0, 2, 2, 2]
    assert len(copies(np.array([MOST_COPIES / 2, MOST_COPIES / 2]))) == MOST_COPIES
    with pytest.raises(BudgetError, match="5,000,001 patients"):
        copies(np.array([MOST_COPIES, 1.0]))


def test_events_of_efron_are_bounded() -> None:
    check_tied_events(float(MOST_EVENTS))
    with pytest.raises(BudgetError, match="ties='breslow'"):
        check_tied_events(MOST_EVENTS + 1.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda d: rn.cox(d, "Surv(t, e) ~ arm", freq_weights=MANY),
        lambda d: rn.adjusted_survival(
            d, "Surv(t, e) ~ arm", treatment="arm", freq_weights=MANY, seed=1
        ),
        lambda d: rn.equivalence(d, "e ~ arm", margin=0.1, freq_weights=MANY),
        lambda d: rn.turnbull(d, "Interval(l, r) ~ arm", freq_weights=MANY),
        lambda d: rn.logrank(d, "Surv(t, e) ~ arm", freq_weights=MANY),
        lambda d: rn.discrimination(d, "Surv(t, e) ~ risk", time=6.0, freq_weights=MANY),
        lambda d: rn.validate(
            rn.logistic(d, "e ~ arm", penalty=None, ci="wald", freq_weights=MANY), seed=1
        ),
        lambda d: rn.shrink(
            rn.logistic(d, "e ~ arm", penalty=None, ci="wald", freq_weights=MANY),
            method="ridge-cv",
            seed=1,
        ),
        lambda _: rn.fragility(3, 10**9, 50, 10**9),
    ],
    ids=[
        "cox",
        "adjusted_survival",
        "equivalence",
        "turnbull",
        "logrank",
        "discrimination",
        "validate",
        "shrink",
        "fragility",
    ],
)
def test_too_many_patients_are_refused_in_words(call: Callable[[dict[str, Any]], Any]) -> None:
    with pytest.raises(BudgetError, match=r"number of patients seen|normal limits"):
        call(patients())


def test_breslow_takes_any_number() -> None:
    fit = rn.cox(patients(), "Surv(t, e) ~ arm", ties="breslow", penalty=None, freq_weights=MANY)
    plain = rn.cox(patients(), "Surv(t, e) ~ arm", ties="breslow", penalty=None)
    assert fit.to_frame()["coef"].iloc[0] == pytest.approx(plain.to_frame()["coef"].iloc[0])


def test_the_exact_likelihood_of_many_ties_is_refused_in_words() -> None:
    coarse = patients() | {"t": np.repeat([1.0, 2.0], N // 2)}
    with pytest.raises(BudgetError, match=r"ties='exact'.* events at one time among .* rows"):
        rn.cox(coarse, "Surv(t, e) ~ arm", ties="exact", penalty=None, freq_weights=[10**5] * N)
