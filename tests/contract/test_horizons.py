"""A time asked for that differs by rounding alone from one of the data is that one, in every verb.

Each verb is asked on a cohort in tenths of a month, and on the same cohort whose tied times differ
in their last digits, at the largest of the tied times: both must answer alike.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import RnetError

LAST, AMID = 60.0, 24.3
SURV = "Surv(t, e)"
DRAWS: dict[str, Any] = {"resamples": 20, "seed": 1}


@cache
def cohorts() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the cohort with tied times, and with times that rounding has parted."""
    draw, n = np.random.default_rng(1), 80
    time = np.clip(np.round(draw.exponential(40, n), 1), 0.5, LAST)
    event = (draw.random(n) < 0.5).astype(int)
    time[:10], event[:10] = LAST, [1, 0] * 5
    time[10:16], event[10:16] = AMID, [1, 0, 1, 0, 1, 1]
    x = draw.normal(size=n) + 0.5 * event
    arm = (draw.random(n) < 0.5).astype(int)
    arm[:16] = [0, 0, 1, 1] * 4
    cause = np.where(event == 1, np.where(draw.random(n) < 0.6, 1, 2), 0)
    cause[[0, 10, 12]] = 1
    cohort = pd.DataFrame(
        {
            "id": [f"p{i}" for i in range(n)],
            "t": time,
            "e": event,
            "cause": cause,
            "x": x,
            "arm": arm,
            "risk": 1.0 / (1.0 + np.exp(-x)),
            "salvage": np.where((arm == 1) & (time > 1.0), np.round(0.3 * time, 1), np.nan),
        }
    )
    parted = time.copy()
    for value in np.unique(time):
        tied = np.flatnonzero(time == value)
        parted[tied] = value * (1.0 + np.arange(tied.size) * 2.0**-51)
    return cohort, cohort.assign(t=parted)


def largest(value: float) -> float:
    """Return the largest of the parted times of one moment."""
    plain, parted = cohorts()
    return float(parted["t"][plain["t"] == value].max())


def cox(data: pd.DataFrame) -> rn.CoxResult:
    return rn.cox(data, f"{SURV} ~ x + arm")


def model(data: pd.DataFrame, t: float) -> dict[str, rn.RiskModel]:
    return {"model": rn.risk_model(cox(data), horizon=t, resamples=0)}


# what may be asked up to the last time itself
UP_TO_THE_LAST: dict[str, Callable[[pd.DataFrame, float], Any]] = {
    "kaplan_meier.at": lambda d, t: rn.kaplan_meier(d, f"{SURV} ~ arm").at(t),
    "kaplan_meier.risk_table": lambda d, t: rn.kaplan_meier(d, f"{SURV} ~ arm").risk_table(t),
    "follow_up.followed": lambda d, t: rn.follow_up(d, f"{SURV} ~ arm").followed(t),
    "incidence.at": lambda d, t: rn.cumulative_incidence(d, "Surv(t, cause) ~ arm").at(t),
    "rmst": lambda d, t: rn.rmst(d, f"{SURV} ~ arm", tau=t),
    "rmst.window": lambda d, t: rn.rmst(d, f"{SURV} ~ arm").window([10, t]),
    "milestone": lambda d, t: rn.milestone(d, f"{SURV} ~ arm", times=t),
    "cox.survival": lambda d, t: cox(d).survival(d.head(3), times=[t]),
    "parametric.survival": lambda d, t: rn.parametric(d, f"{SURV} ~ x + arm").survival(
        d.head(3), times=[t]
    ),
    "fine_gray.cumulative_incidence": lambda d, t: rn.fine_gray(
        d, "Surv(t, cause) ~ x + arm", cause=1
    ).cumulative_incidence(d.head(3), [t]),
    "risk_model": lambda d, t: rn.risk_model(cox(d), horizon=t, **DRAWS).predict(d.head(3)),
    "shrink": lambda d, t: rn.shrink(cox(d), horizon=t, **DRAWS),
    "recipe": lambda d, t: rn.recipe(f"{SURV} ~ x + arm", horizon=t).fit(d).predict(d.head(3)),
    "discrimination.tau": lambda d, t: rn.discrimination(d, f"{SURV} ~ risk", tau=t),
    "calibration": lambda d, t: rn.calibration(d, f"{SURV} ~ 1", models=model(d, t), time=t),
    "decision_curve": lambda d, t: rn.decision_curve(
        d, f"{SURV} ~ risk", models=model(d, t), time=t, thresholds=[0.1, 0.3]
    ),
    "decision_curve, causes": lambda d, t: rn.decision_curve(
        d, "Surv(t, cause) ~ risk", cause=1, time=t, thresholds=[0.1, 0.3]
    ),
    "treatment_effect": lambda d, t: rn.treatment_effect(
        d, f"{SURV} ~ x", treatment_time="salvage", id="id", landmarks=[12], horizon=t, **DRAWS
    ),
    "treatment_effect, landmark": lambda d, t: rn.treatment_effect(
        d, f"{SURV} ~ x", treatment_time="salvage", methods="landmark", landmarks=t
    ),
    "adjusted_survival": lambda d, t: rn.adjusted_survival(
        d, f"{SURV} ~ arm + x", times=t, **DRAWS
    ),
    "adjusted_survival.tau": lambda d, t: rn.adjusted_survival(
        d, f"{SURV} ~ arm + x", tau=t, **DRAWS
    ),
    "propensity.risk": lambda d, t: rn.propensity(d, "arm ~ x").risk(SURV, horizon=t, **DRAWS),
    "equivalence": lambda d, t: rn.equivalence(d, f"{SURV} ~ arm", horizon=t, margin=0.2),
    "equivalence, rmst": lambda d, t: rn.equivalence(
        d, f"{SURV} ~ arm", measure="rmst", tau=t, margin=5.0
    ),
    "no_events": lambda d, t: rn.no_events(d.assign(e=0), f"{SURV} ~ arm", times=t),
}
# what needs patients who are followed further
BEFORE_THE_LAST: dict[str, Callable[[pd.DataFrame, float], Any]] = {
    "validate": lambda d, t: rn.validate(cox(d), time=t, **DRAWS),
    "validate, recipe": lambda d, t: rn.validate(
        rn.recipe(f"{SURV} ~ x + arm", horizon=t), d, **DRAWS
    ),
    "validate, external": lambda d, t: rn.validate(
        model(d, t)["model"], external=d, time=t, **DRAWS
    ),
    "stability": lambda d, t: rn.stability(cox(d), time=t, **DRAWS),
    "discrimination": lambda d, t: rn.discrimination(d, f"{SURV} ~ risk", time=[12, t]),
    "discrimination.roc": lambda d, t: rn.discrimination(d, f"{SURV} ~ risk", time=[12, t]).roc(
        time=t
    ),
    "cutpoint": lambda d, t: rn.cutpoint(
        d, f"{SURV} ~ x", method="youden", time=t, permutations=99, seed=1
    ),
    "immortal_time": lambda d, t: rn.immortal_time(
        d, f"{SURV} ~ 1", treatment_time="salvage", horizon=t, cohorts=5, patients=500, seed=1
    ),
}
EVERY = UP_TO_THE_LAST | BEFORE_THE_LAST


def frame(found: Any) -> pd.DataFrame:
    return found if isinstance(found, pd.DataFrame) else found.to_frame()


@pytest.mark.parametrize("verb", EVERY)
def test_a_time_amid_follow_up(verb: str) -> None:
    plain, parted = cohorts()
    expected, found = EVERY[verb](plain, AMID), EVERY[verb](parted, largest(AMID))
    pd.testing.assert_frame_equal(frame(found), frame(expected), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("verb", UP_TO_THE_LAST)
def test_the_last_time(verb: str) -> None:
    plain, parted = cohorts()
    assert largest(LAST) == parted["t"].max() > LAST
    expected, found = EVERY[verb](plain, LAST), EVERY[verb](parted, float(parted["t"].max()))
    pd.testing.assert_frame_equal(frame(found), frame(expected), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("verb", BEFORE_THE_LAST)
def test_the_last_time_is_refused_in_the_same_words(verb: str) -> None:
    plain, parted = cohorts()
    said = []
    for data, time in ((plain, LAST), (parted, float(parted["t"].max()))):
        with pytest.raises(RnetError) as refusal:
            frame(EVERY[verb](data, time))
        said.append(str(refusal.value))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "verb",
    [
        *("rmst", "milestone", "cox.survival", "risk_model", "decision_curve", "treatment_effect"),
        *("adjusted_survival", "adjusted_survival.tau", "propensity.risk", "equivalence"),
    ],
)
def test_a_time_truly_beyond_follow_up_is_still_refused(verb: str) -> None:
    _, parted = cohorts()
    with pytest.raises(RnetError):
        EVERY[verb](parted, LAST * (1.0 + 1e-8))


def test_what_is_asked_of_a_treatment_later() -> None:
    plain, parted = cohorts()
    for verb in (
        lambda found, time: found.simon_makuch(since=time),
        lambda found, time: found.landmark_curve([time]),
        lambda found, time: found.plot(kind="landmark", landmark=time).get_title(loc="left"),
    ):
        said = []
        for data, time in ((plain, AMID), (parted, largest(AMID))):
            found = rn.treatment_effect(
                data, f"{SURV} ~ 1", treatment_time="salvage", methods="landmark", landmarks=time
            )
            said.append(verb(found, time))
        if isinstance(said[0], pd.DataFrame):
            pd.testing.assert_frame_equal(said[0], said[1], rtol=1e-9, atol=1e-12)
        else:
            assert said[0] == said[1]


def test_a_treatment_at_the_end_of_follow_up_may_be_rounded_otherwise() -> None:
    plain, parted = cohorts()
    found = [
        rn.split_at_treatment(
            data.assign(salvage=data["t"]), f"{SURV} ~ x", treatment_time="salvage", id="id"
        )
        for data in (plain, parted)
    ]
    pd.testing.assert_frame_equal(found[0], found[1].assign(salvage=found[0]["salvage"]))
    assert not found[1]["treated"].any()
