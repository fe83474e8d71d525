"""Guidelines against each other, counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import DataNotKeptError, GuidelineError, OptionError
from rnetstats.studies.management.disagreement_result import DisagreementResult

# 1: 8 mm, nobody's rule. 2: 15 mm without, 3: with a risk factor, 4: 15 mm and T2
FOUR = {
    "size_mm": [8, 15, 15, 15],
    "lvi": [0, 0, 1, 0],
    "grade": ["G1", "G1", "G1", "G1"],
    "t_stage": ["T1", "T1", "T1", "T2"],
    "n_stage": ["N0", "N0", "N0", "N0"],
}
BY_HAND = {
    "enets2023": ["tumour board"] * 3,
    "nccn2025": ["local resection"] * 3,
    "jnets": ["radical resection"] * 3,
    "cnets": ["local resection", "radical resection", "radical resection"],
    "csco": ["local resection", "local resection", "radical resection"],
}


def test_five_guidelines_by_hand() -> None:
    result = rn.guideline_disagreement(FOUR, situation="1-2 cm")
    assert result.guidelines == tuple(BY_HAND)
    for key, steps in BY_HAND.items():
        assert list(result.patients[key]) == ["no rule", *steps]
    assert list(result.patients["differ"]) == [False, True, True, True]
    pairs = result.pairs[result.pairs["band"] == "all sizes"].set_index(
        ["guideline_1", "guideline_2"]
    )
    for (first, second), row in pairs.iterrows():
        expected = sum(a != b for a, b in zip(BY_HAND[first], BY_HAND[second], strict=True))
        assert (row["n"], row["n_both"], row["n_one"]) == (4, 3, 0)
        assert row["n_disagree"] == expected
        assert row["share"] == pytest.approx(expected / 3)
    bands = result.bands.set_index("band")
    assert list(bands["n_disagree"]) == [3, 0, 3]
    assert np.isnan(bands.loc["< 10 mm", "share"])
    assert any("not defined" in note for note in result.notes)


def test_a_tumour_board_may_agree_with_either_resection() -> None:
    keys = ["enets2023", "nccn2025"]
    apart = rn.guideline_disagreement(FOUR, guidelines=keys, situation="1-2 cm")
    either = rn.guideline_disagreement(
        FOUR, guidelines=keys, situation="1-2 cm", tumour_board="either"
    )
    assert apart.glance()["n_disagree"].iloc[0] == 3
    assert either.glance()["n_disagree"].iloc[0] == 0
    # local against radical stays one
    other = rn.guideline_disagreement(
        FOUR, guidelines=[*keys, "jnets"], situation="1-2 cm", tumour_board="either"
    )
    assert other.glance()["n_disagree"].iloc[0] == 3


def test_cross_tables() -> None:
    result = rn.guideline_disagreement(FOUR, situation="1-2 cm")
    table = result.cross_table("cnets", "csco")
    assert table.loc["radical resection", "local resection"] == 1
    assert table.loc["no rule", "no rule"] == 1
    assert table.to_numpy().sum() == 4
    pd.testing.assert_frame_equal(
        result.cross_table("csco", "cnets").sort_index().sort_index(axis=1),
        table.T.sort_index().sort_index(axis=1),
    )
    with pytest.raises(OptionError, match="'page' is not allowed"):
        result.cross_table("page", "csco")
    with pytest.raises(OptionError, match="name two"):
        result.cross_table("csco", "csco")


def test_guidelines_with_rules_for_the_situation_are_taken() -> None:
    data = {"size_mm": [8], "margin": ["R1"]}
    after = rn.guideline_disagreement(data)
    assert after.guidelines == ("enets2023", "nccn2025", "enets2016", "page")
    primary = rn.guideline_disagreement(data, situation="primary")
    assert primary.guidelines == ("enets2023", "nccn2025")


def test_answers_are_those_of_classify() -> None:
    cohort = rn.load_cohort("duan2024")
    how = {"assume": {"invasion": "submucosa", "n_stage": "N0"}, "higher_g2": "none"}
    told = rn.guideline_disagreement(cohort, **how)
    assert told.synthetic
    for key in told.guidelines:
        alone = rn.classify(cohort, guideline=key, **how)
        words = alone.patients["step"].where(
            alone.patients["answer"] == "step", alone.patients["answer"]
        )
        assert (words == told.patients[key]).all()
        mine = told.answers[told.answers["guideline"] == key]
        bands = alone.bands[alone.bands["n"] > 0]
        assert mine[["band", "answer", "n"]].values.tolist() == bands.values.tolist()


def test_bad_input_is_refused_in_words() -> None:
    data = {"size_mm": [8]}
    for how, error, match in (
        ({"guidelines": ["enets2023"]}, OptionError, "at least two"),
        ({"guidelines": "enets2023"}, OptionError, "must be a list"),
        ({"guidelines": ["page", "page"]}, OptionError, "twice"),
        ({"guidelines": ["enets2023", "jnets"]}, GuidelineError, "JNETS has no rules"),
        ({"situation": "later"}, GuidelineError, "no rules for the situation 'later'"),
        ({"tumour_board": "both"}, OptionError, "tumour_board='both'"),
        ({"edge_10": "up"}, OptionError, "edge_10"),
    ):
        with pytest.raises(error, match=match):
            rn.guideline_disagreement(data, **how)
    with pytest.raises(TypeError, match="edge_30"):
        rn.guideline_disagreement(data, edge_30="smaller")


def test_patients_are_not_kept_on_paper() -> None:
    result = rn.classify({"size_mm": [8]}, situation="primary")
    again = type(result).from_dict(result.to_dict())
    assert again.patients is None
    with pytest.raises(DataNotKeptError):
        again.explain(0)
    told = rn.guideline_disagreement({"size_mm": [8]}, situation="primary")
    assert DisagreementResult.from_dict(told.to_dict()).patients is None
