"""Properties of every classification: one answer each, sound under missing values, no order."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.studies.management.vocabulary import CANNOT, NO_RULE, STEP, STEPS

VALUES: dict[str, list[Any]] = {
    "size_mm": [8.0, 10.0, 15.0, 20.0, 25.0],
    "margin": ["R0", "Rx", "R1"],
    "grade": ["G1", "G2", "G3"],
    "lvi": [0, 1],
    "t_stage": ["T1", "T2", "T3"],
    "n_stage": ["N0", "N1"],
    "incidental": [0, 1],
    "distant_metastases": [0, 1],
    "fit_for_surgery": [0, 1],
}
PLACES = [
    ("enets2023", "after resection"),
    ("enets2023", "primary"),
    ("nccn2025", "after resection"),
    ("nccn2025", "primary"),
    ("enets2016", "after resection"),
    ("page", "after resection"),
    ("cnets", "1-2 cm"),
    ("csco", "1-2 cm"),
    ("jnets", "1-2 cm"),
]

patient = st.fixed_dictionaries(
    {name: st.sampled_from([None, *values]) for name, values in VALUES.items()}
)
cohort = st.lists(patient, min_size=1, max_size=12).map(pd.DataFrame)
place = st.sampled_from(PLACES)


def rows(frame: pd.DataFrame, where: tuple[str, str], **how: Any) -> pd.DataFrame:
    guideline, situation = where
    return rn.classify(frame, guideline=guideline, situation=situation, **how).patients


@pytest.mark.slow
@settings(max_examples=25)
@given(cohort, place, st.randoms(use_true_random=False))
def test_one_answer_each_whatever_the_order_and_the_company(
    frame: pd.DataFrame, where: tuple[str, str], random: Any
) -> None:
    told = rows(frame, where)
    assert len(told) == len(frame)
    for row in told.itertuples():
        has = (bool(row.step), bool(row.why), bool(row.needs))
        assert has == (row.answer == STEP, row.answer == NO_RULE, row.answer == CANNOT)
        assert (bool(row.rule) and bool(row.source) and bool(row.standing)) == (row.answer == STEP)
        assert not row.step or row.step in STEPS
    order = list(range(len(frame)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(told.iloc[order], rows(frame.iloc[order], where))
    pd.testing.assert_frame_equal(told.iloc[[-1]], rows(frame.iloc[[-1]], where))


@pytest.mark.slow
@settings(max_examples=25)
@given(
    patient.map(lambda one: {k: v for k, v in one.items() if v is not None}),
    st.sets(st.sampled_from(sorted(VALUES)), min_size=1, max_size=3),
    place,
)
def test_an_answer_holds_whatever_the_missing_values_are(
    known: dict[str, Any], hidden: set[str], where: tuple[str, str]
) -> None:
    """What is said in ignorance is said, too, once the rest is known; and only then."""
    names = sorted(hidden | (set(VALUES) - set(known)))
    seen = {name: value for name, value in known.items() if name not in hidden}
    provisos = ("distant_metastases", "fit_for_surgery")
    open_ = [name for name in names if name not in provisos]
    frame = pd.DataFrame([{**dict.fromkeys(VALUES), **seen}])
    # what a T stage says of the layers is left to it: no column of invasion
    told = rows(frame, where, higher_g2="all").iloc[0]
    filled = [
        {**dict.fromkeys(VALUES), **seen, **dict(zip(open_, values, strict=True))}
        for values in product(*(VALUES[name] for name in open_))
    ]
    full = rows(pd.DataFrame(filled), where, higher_g2="all")
    assert not (full["answer"] == CANNOT).any()
    if told["answer"] != CANNOT:
        assert set(zip(full["answer"], full["step"], strict=True)) == {
            (told["answer"], told["step"])
        }


@settings(max_examples=12)
@given(cohort, place)
def test_known_provisos_only_close_what_was_open(
    frame: pd.DataFrame, where: tuple[str, str]
) -> None:
    free = {"distant_metastases": 0, "fit_for_surgery": 1}
    before = rows(frame.drop(columns=list(free)), where)
    after = rows(frame.assign(**free), where)
    same = ["answer", "step", "rule", "why", "needs"]
    pd.testing.assert_frame_equal(before[same], after[same])
    assert set(after["open"]) <= {"", "tumour board"}


@pytest.mark.slow
@settings(max_examples=12)
@given(cohort)
def test_disagreement_is_symmetric_and_counts_within_bounds(frame: pd.DataFrame) -> None:
    keys = ["enets2023", "nccn2025", "page"]
    told = rn.guideline_disagreement(frame, guidelines=keys, higher_g2="none")
    back = rn.guideline_disagreement(frame, guidelines=keys[::-1], higher_g2="none")
    numbers = ["n", "n_compared", "n_disagree"]
    assert told.glance()[numbers].equals(back.glance()[numbers])
    for row in told.pairs.itertuples():
        assert 0 <= row.n_disagree <= row.n_both <= row.n - row.n_one <= row.n
        assert np.isnan(row.share) == (row.n_both == 0)
    total = told.cross.groupby(["guideline_1", "guideline_2"])["n"].sum()
    assert (total == len(frame)).all()


@pytest.mark.parametrize("where", PLACES, ids=lambda where: f"{where[0]} {where[1]}")
def test_every_rule_can_fire_or_say_why(where: tuple[str, str]) -> None:
    """No rule stands behind others that hold wherever it does."""
    guideline, situation = where
    layers = {**VALUES, "invasion": [None, "submucosa", "muscularis propria"]}
    del layers["distant_metastases"], layers["fit_for_surgery"]
    frame = pd.DataFrame(list(product(*layers.values())), columns=list(layers))
    result = rn.classify(
        frame, guideline=guideline, situation=situation, higher_g2=10, assume={"ki67": 12}
    )
    listed = rn.guidelines(guideline)
    listed = listed[listed["situation"] == situation]
    fired = {
        part for rule in result.rules["rule"] for part in rule.replace(" >", " or").split(" or ")
    }
    assert set(listed.loc[listed["answer"] != NO_RULE, "rule"]) <= fired
    assert set(listed.loc[listed["answer"] == NO_RULE, "why"]) <= set(result.rules["why"])
