"""Verbs and methods of results refuse what they cannot take in the package's own words."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import ColumnError, DataError, OptionError, closest

TIME = "Surv(dfs_months, recurrence) ~ margin_positive"
DISEASE_FREE = "Surv(dfs_months, dfs_event) ~ margin_positive + age"


@cache
def cohort() -> pd.DataFrame:
    return rn.load_cohort("duan2024").assign(score=0.3)


@cache
def logistic() -> Any:
    return rn.logistic(cohort(), "margin_positive ~ size_mm + lvi")


@cache
def pooled() -> Any:
    return rn.pool([logistic(), logistic()])


@cache
def numbers() -> Any:
    spread = np.diag([0.1, 0.2])
    return rn.pool_estimates([[0.1, 0.2], [0.2, 0.1]], [spread, spread], names=["a", "b"])


def net_benefit() -> Any:
    return rn.decision_curve(cohort(), "margin_positive ~ score", thresholds=[0.2, 0.3])


def discrimination() -> Any:
    return rn.discrimination(cohort(), "margin_positive ~ size_mm", scale="score")


def parametric() -> Any:
    return rn.parametric(cohort(), DISEASE_FREE)


def incidence() -> Any:
    return rn.cumulative_incidence(cohort(), "Surv(dfs_months, event_type) ~ margin_positive")


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a list of variables": (lambda: logistic().effect(["size_mm"]), "is not in the model"),
    "risks of a list": (lambda: logistic().risks(["lvi"]), "is not in the model"),
    "a coefficient by number": (
        lambda: rn.cox(cohort(), DISEASE_FREE).proportional_hazards().plot(column=0),
        "no coefficient 0",
    ),
    "scores in words": (lambda: rn.logrank(cohort(), TIME).trend("low"), "2 finite numbers"),
    "no law": (lambda: parametric().compare([]), "names of laws"),
    "a law by number": (lambda: parametric().compare(3), "names of laws"),
    "a strategy by number": (lambda: net_benefit().difference(0, "treat all"), "no strategy 0"),
    "a curve in words": (
        lambda: net_benefit().with_corrected("score", net_benefit=["a", "b"]),
        "net_benefit must be numbers",
    ),
    "a horizon of no time": (lambda: discrimination().roc(36), "which a binary outcome has not"),
    "a plot at no time": (lambda: discrimination().plot(time=36), "which a binary outcome has not"),
    "terms by number": (lambda: pooled().joint_test(1), "no term 1"),
    "numbers by place": (lambda: numbers().joint_test(1), "no estimate 1"),
    "no group": (lambda: incidence().plot_stacked(group=[]), "group is empty"),
    "a group that is not there": (lambda: incidence().plot_stacked(group=9.0), "group='9'"),
    "a split in words": (
        lambda: rn.event_splits(12, 181, 346).plot_shares(events_1="8"),
        "whole number",
    ),
    "a threshold in words": (
        lambda: rn.table_one(cohort(), "lvi", columns=["age"]).plot(threshold="0.1"),
        "threshold must be a finite number",
    ),
    "several patients": (
        lambda: rn.classify(cohort(), higher_g2="none").explain([0, 1]),
        "label of 0 rows",
    ),
    "another measure": (
        lambda: rn.exact_table([[8, 173], [4, 342]]).method("central", "odds"),
        "measure='odds' is not allowed; choose one of 'odds ratio'",
    ),
    "another measure of few events": (
        lambda: rn.few_events(cohort(), "recurrence ~ margin_positive", seed=1).method(
            "mid-P", "x"
        ),
        "measure='x' is not allowed; choose one of 'odds ratio'",
    ),
    "another estimand": (
        lambda: rn.draw_cohort(seed=1).truth.value("survivel"),
        r"no estimand 'survivel'. Did you mean 'survival'",
    ),
    "an estimand elsewhere": (
        lambda: rn.draw_cohort(seed=1).truth.value("survival", "margin negative"),
        r"months=60, endpoint='time to recurrence'; .* more, see to_frame\(\)",
    ),
}


CHECKLIST = {"recipe": "recipe", "decision": [0.2], "answers": ["A model"]}
REFUSED |= {
    f"a checklist's {name}": (
        lambda name=name, given=given: rn.tripod_checklist(
            rn.risk_model(logistic()), **{name: given}
        ),
        f"{name}= is ",
    )
    for name, given in CHECKLIST.items()
}
REFUSED |= {
    "selection by yes": (
        lambda: rn.recipe("margin_positive ~ lvi", select=True),
        "select= is 'univariable'",
    ),
    "selection by a list": (
        lambda: rn.recipe("margin_positive ~ lvi", select=["backward"]),
        "select= is 'univariable'",
    ),
    "several clusters": (
        lambda: rn.bootstrap(cohort(), len, cluster=["centre"]),
        "cluster names no column",
    ),
    "counts in words": (
        lambda: rn.bootstrap_limits(np.arange(30.0), 15.0, counts="many"),
        "counts must be a list of numbers",
    ),
    "a list of terms": (
        lambda: rn.time_varying_effect(
            cohort(),
            DISEASE_FREE,
            term=["age"],
            cuts=36,
        ),
        "is not in the formula",
    ),
    "columns without order": (
        lambda: rn.table_one(cohort(), columns={"age", "lvi"}),
        "list of names in their order",
    ),
    "a list of summaries": (
        lambda: rn.table_one(cohort(), summaries=["mean"]),
        "summaries is one of mean, median, both or a mapping",
    ),
    "rounding by yes": (
        lambda: rn.matching_counts("71.4", at_most=12, rounding=True),
        "rounding=True is not allowed",
    ),
    "tests by number": (
        lambda: rn.matching_tables("10", "50", at_most=30, tests=1),
        "tests=1 is not allowed",
    ),
    "several codes of censoring": (
        lambda: rn.split_at_treatment(
            {"months": [10, 20], "event": [1, 1], "since": [None, 6]},
            "Surv(months, event)",
            treatment_time="since",
            censor=[0, 9],
        ),
        "censor must be one code",
    ),
    "a grade by number": (
        lambda: rn.not_curative({"grade": ["G2"]}, grades=[2]),
        "a grade is a text",
    ),
    "a margin by number": (
        lambda: rn.not_curative({"margin": ["positive"]}, margins=1),
        "choose of 'indeterminate' and 'positive'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_taken_is_refused_in_words(case: str) -> None:
    call, words = REFUSED[case]
    with pytest.raises(OptionError, match=words):
        call()
    plt.close("all")


def test_nomogram_is_read_for_patients_who_have_its_variables() -> None:
    chart = rn.risk_model(logistic()).nomogram()
    with pytest.raises(ColumnError, match="no column 'lvi'"):
        chart.read({"size_mm": [8.0]})
    with pytest.raises(DataError, match="Row 2 has a value that is on no axis"):
        chart.read({"size_mm": [8.0, "large"], "lvi": [0, 1]})


def test_one_name_or_number_may_stand_for_a_list_of_one() -> None:
    cost = rn.dichotomising_cost(cohort(), "margin_positive ~ nlr", cuts={"nlr": 3}, thresholds=0.3)
    assert "net_benefit_0.3" in cost.to_frame()
    patients = {"months": [10, 20], "event": [1, 1], "death": [0, 1], "since": [None, 6]}
    split = rn.split_at_treatment(
        patients, "Surv(months, event)", treatment_time="since", outcomes="death"
    )
    assert split["death"].tolist() == [0, 0, 1]
    coded = rn.table_one(cohort(), columns=["age", "lvi"], categorical="lvi")
    assert coded.comparisons["kind"].tolist()[0] == "continuous"


def test_one_law_and_one_cause_may_stand_alone() -> None:
    assert parametric().compare("weibull")["distribution"].tolist() == ["weibull"]
    curves = incidence()
    assert len(curves.plot(cause=np.int64(1)).lines) < len(curves.plot().lines)
    plt.close("all")


def test_what_is_no_text_has_no_nearest_name() -> None:
    assert closest(3, ["age", "size"]) == ""
    assert closest(["age"], ["size"]) == ""
