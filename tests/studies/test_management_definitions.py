"""Definitions that differ: edges of size, margins, grade and stage, worked by hand."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import rnetstats as rn
from rnetstats.studies.management.definitions import Definitions
from rnetstats.studies.management.inputs import read_inputs
from rnetstats.studies.management.possible import possible_values
from rnetstats.studies.management.vocabulary import LEVELS


def possible(about: str, how: dict[str, Any] | None = None, **patient: Any) -> set[str]:
    """The values that one patient may have."""
    import pandas as pd

    frame = pd.DataFrame({name: [value] for name, value in patient.items()})
    definitions = Definitions(**(how or {}))
    found = possible_values(read_inputs(frame, None, definitions.assumed), definitions)
    bits = int(found.possible[about][0])
    return {level for place, level in enumerate(LEVELS[about]) if bits >> place & 1}


ALL_GRADES = {"G1", "lower G2", "higher G2", "G3"}
G2 = {"lower G2", "higher G2"}


@pytest.mark.parametrize(
    ("ki67", "mitoses", "grade"),
    [
        (2.9, 1.0, {"G1"}),
        (3.0, 1.0, G2),
        (2.9, 2.0, G2),
        (20.0, 1.0, G2),
        (20.1, 1.0, {"G3"}),
        (1.0, 20.0, G2),
        (1.0, 20.1, {"G3"}),
        (5.0, 25.0, {"G3"}),
    ],
)
def test_grade_by_who_2019_takes_the_higher(ki67: float, mitoses: float, grade: set[str]) -> None:
    assert possible("grade", ki67=ki67, mitoses=mitoses) == grade
    assert possible("grade", {"grade_from": "both"}, ki67=ki67, mitoses=mitoses) == grade


def test_grade_by_one_index_alone() -> None:
    both = {"grade_from": "both"}
    assert possible("grade", ki67=1.5) == {"G1"}
    assert possible("grade", both, ki67=1.5) == ALL_GRADES
    assert possible("grade", both, ki67=5.0) == {*G2, "G3"}
    assert possible("grade", both, mitoses=30.0) == {"G3"}
    assert possible("grade", lvi=0) == ALL_GRADES


def test_the_recorded_grade_goes_before_the_indices_and_contradictions_are_named() -> None:
    assert possible("grade", grade="G1", ki67=10.0) == {"G1"}
    result = rn.classify(
        {"size_mm": [8, 8], "margin": ["R1", "R1"], "grade": ["G1", "G1"], "ki67": [10, 1]}
    )
    assert any("grade contradicts Ki-67 and mitoses in row 1;" in note for note in result.notes)


MARGIN = "margin contradicts margin_positive in row 1; margin as recorded is taken."
RIM = "margin contradicts rim_mm in row 1; margin as recorded is taken."
FLAG = "margin_positive contradicts rim_mm in row 1; margin_positive as recorded is taken."
VESSELS = "lvi contradicts invasion of lymphatics or veins in row 1; lvi as recorded is taken."


@pytest.mark.parametrize(
    ("patient", "how", "note"),
    [
        ({"margin": "R1", "margin_positive": 0}, {}, MARGIN),
        ({"margin": "R0", "margin_positive": 1}, {}, MARGIN),
        ({"margin": "R2", "margin_positive": 1}, {}, None),
        ({"margin": "Rx", "margin_positive": 1}, {}, None),
        ({"margin": "Rx", "margin_positive": 0}, {}, None),
        ({"margin": "R0", "margin_positive": 1, "lvi": 1}, {"lvi_as_positive": True}, None),
        ({"margin": "R0", "margin_positive": 1, "lvi": 0}, {"lvi_as_positive": True}, MARGIN),
        ({"margin": "R1", "rim_mm": 2.0}, {}, RIM),
        ({"margin": "R0", "rim_mm": 0.0}, {}, RIM),
        ({"margin": "R0", "rim_mm": 0.05}, {"positive_rim_mm": 0.1}, None),
        ({"margin": "R1", "rim_mm": 0.05}, {"positive_rim_mm": 0.1}, None),
        ({"margin": "R1", "rim_mm": 0.1}, {"positive_rim_mm": 0.1}, RIM),
        ({"margin_positive": 1, "rim_mm": 0.5}, {}, FLAG),
        ({"margin_positive": 0, "rim_mm": 0.0}, {}, FLAG),
        ({"margin_positive": 0, "rim_mm": 0.05}, {"positive_rim_mm": 0.1}, None),
        ({"margin_positive": 1, "rim_mm": 0.0}, {}, None),
        ({"lvi": 0, "lymphatic_invasion": 1}, {}, VESSELS),
        ({"lvi": 1, "lymphatic_invasion": 0, "vascular_invasion": 0}, {}, VESSELS),
        ({"lvi": 1, "lymphatic_invasion": 0}, {}, None),
    ],
)
def test_margins_and_vessels_that_disagree_are_named(
    patient: dict[str, Any], how: dict[str, Any], note: str | None
) -> None:
    cohort = {name: [value, None] for name, value in ({"size_mm": 8.0} | patient).items()}
    cohort["size_mm"] = [8.0, 9.0]
    notes = rn.classify(cohort, guideline="enets2023", **how).notes
    assert [text for text in notes if "contradicts" in text] == ([note] if note else [])


@pytest.mark.parametrize(
    ("ki67", "bound", "found"),
    [(9.9, 10.0, {"lower G2"}), (10.0, 10.0, {"higher G2"}), (np.nan, 10.0, G2)],
)
def test_higher_g2_by_ki67(ki67: float, bound: float, found: set[str]) -> None:
    assert possible("grade", {"higher_g2": bound}, grade="G2", ki67=ki67) == found


@pytest.mark.parametrize(
    ("size", "invasion", "stage"),
    [
        (9.9, "submucosa", {"T1a"}),
        (9.9, "mucosa", {"T1a"}),
        (10.0, "submucosa", {"T1b"}),
        (20.0, "submucosa", {"T1b"}),
        (20.1, "submucosa", {"T2"}),
        (5.0, "muscularis propria", {"T2"}),
        (5.0, "subserosa", {"T3"}),
        (5.0, "beyond", {"T4"}),
        (np.nan, "submucosa", {"T1a", "T1b", "T2"}),
        (np.nan, "muscularis propria", {"T2"}),
        (9.0, None, {"T1a", "T2", "T3", "T4"}),
        (25.0, None, {"T2", "T3", "T4"}),
        (np.nan, None, {"T1a", "T1b", "T2", "T3", "T4"}),
    ],
)
def test_t_stage_by_ajcc_8(size: float, invasion: str | None, stage: set[str]) -> None:
    assert possible("t_stage", size_mm=size, invasion=invasion) == stage


@pytest.mark.parametrize(
    ("stage", "size", "layers"),
    [
        ("T1", 8.0, {"submucosa"}),
        ("T2", 18.0, {"muscularis propria"}),
        ("T2", 25.0, {"submucosa", "muscularis propria"}),
        ("T2", np.nan, {"submucosa", "muscularis propria"}),
        ("T3", 8.0, {"subserosa"}),
        ("pT4", 8.0, {"beyond"}),
    ],
)
def test_layers_follow_from_the_stage(stage: str, size: float, layers: set[str]) -> None:
    assert possible("invasion", t_stage=stage, size_mm=size) == layers


def test_the_recorded_stage_goes_before_size_and_invasion() -> None:
    assert possible("t_stage", t_stage="T1", size_mm=8) == {"T1a"}
    assert possible("t_stage", t_stage="T1b", size_mm=60) == {"T1b"}
    result = rn.classify({"size_mm": [60], "t_stage": ["T1"], "margin": ["R0"]})
    assert any("t_stage contradicts size and invasion in row 1;" in n for n in result.notes)


def test_lvi_from_its_two_parts() -> None:
    def parts(lymphatic: Any, vascular: Any) -> set[str]:
        return possible("lvi", lymphatic_invasion=lymphatic, vascular_invasion=vascular)

    assert parts(1, 0) == parts("L0", "V1") == parts(None, 1) == {"present"}
    assert parts(0, 0) == {"absent"}
    assert parts(0, None) == {"absent", "present"}
    assert possible("lvi", lvi=0, vascular_invasion=1) == {"absent"}


def test_an_indeterminate_margin_is_apart_unless_told() -> None:
    for how, found in (("apart", "Rx"), ("positive", "R1"), ("negative", "R0")):
        assert possible("margin", {"indeterminate": how}, margin="indeterminate") == {found}
        assert possible("margin", {"indeterminate": how}, margin="R2") == {"R2"}


@pytest.mark.parametrize(
    ("rim", "least", "margin"),
    [
        (0.05, 0.0, {"R0"}),  # ENETS 2023: a free rim of less than 1 mm is R0
        (0.05, 0.1, {"R1"}),  # Cha B 2022: less than 100 um counts as positive
        (0.1, 0.1, {"R0"}),
        (0.9, 1.0, {"R1"}),
        (np.nan, 0.1, {"R0", "R1"}),
        (np.nan, 0.0, {"R0"}),
    ],
)
def test_a_narrow_rim_under_each_definition(rim: float, least: float, margin: set[str]) -> None:
    how = {"positive_rim_mm": least}
    assert possible("margin", how, margin_positive=0, rim_mm=rim) == margin
    assert possible("margin", how, margin_positive=1, rim_mm=rim) == {"R1"}


def test_a_rim_alone_gives_the_margin() -> None:
    assert possible("margin", rim_mm=0.0) == {"R1"}
    assert possible("margin", rim_mm=0.4) == {"R0"}
    assert possible("margin", size_mm=8) == set(LEVELS["margin"])


def test_lvi_as_incomplete_is_that_of_the_meta_analysis() -> None:
    how = {"lvi_as_positive": True, "indeterminate": "positive"}
    assert possible("margin", how, margin="R0", lvi=1) == {"R1"}
    assert possible("margin", how, margin="R0", lvi=0) == {"R0"}
    assert possible("margin", how, margin="R0") == {"R0", "R1"}
    assert possible("margin", how, margin="Rx", lvi=0) == {"R1"}
    assert possible("margin", how, margin="R2", lvi=1) == {"R2"}


# exactly 10 and 20 mm, under each definition

SMALLER, PRINTED, LARGER = "smaller", "as printed", "larger"


@pytest.mark.parametrize(
    ("edge", "primary", "r1", "nccn"),
    [
        (PRINTED, "local resection", "r1_10_20", "local_10_20"),
        (SMALLER, "local resection", "r1_under_10", "incidental_r0 or local_under_10"),
        (LARGER, "tumour board", "r1_10_20", "local_10_20"),
    ],
)
def test_exactly_10_mm(edge: str, primary: str, r1: str, nccn: str) -> None:
    first = rn.classify({"size_mm": [10]}, situation="primary", edge_10=edge)
    assert first.patients["step"].iloc[0] == primary
    patient = {"size_mm": [10], "margin": ["R1"], "grade": ["G1"], "lvi": [0]}
    assert rn.classify(patient, edge_10=edge).patients["rule"].iloc[0] == r1
    patient = {"size_mm": [10], "margin": ["R0"], "t_stage": ["T1"], "n_stage": ["N0"]}
    told = rn.classify(patient, guideline="nccn2025", edge_10=edge)
    assert told.patients["rule"].iloc[0] == nccn
    assert rn.classify(patient, edge_10=edge).bands["band"].iloc[0] == (
        "< 10 mm" if edge == SMALLER else "10 to 20 mm"
    )


@pytest.mark.parametrize(
    ("edge", "primary", "r1", "stage"),
    [
        (PRINTED, "radical resection", "r1_10_20", {"T1b"}),
        (SMALLER, "tumour board", "r1_10_20", {"T1b"}),
        (LARGER, "radical resection", "r1_high_risk", {"T2"}),
    ],
)
def test_exactly_20_mm(edge: str, primary: str, r1: str, stage: set[str]) -> None:
    first = rn.classify({"size_mm": [20]}, situation="primary", edge_20=edge)
    assert first.patients["step"].iloc[0] == primary
    patient = {"size_mm": [20], "margin": ["R1"], "grade": ["G1"], "lvi": [0]}
    assert rn.classify(patient, edge_20=edge).patients["rule"].iloc[0] == r1
    how = {"edge_20": edge}
    assert possible("t_stage", how, size_mm=20, invasion="submucosa") == stage
    between = rn.classify(
        {"size_mm": [20]}, guideline="jnets", situation="1-2 cm", edge_20=edge
    ).patients["answer"]
    assert between.iloc[0] == ("no rule" if edge == LARGER else "step")


def test_every_size_has_one_primary_rule_under_every_edge() -> None:
    sizes = {"size_mm": np.arange(1.0, 60.0, 0.5)}
    for low, high in product((PRINTED, SMALLER, LARGER), repeat=2):
        result = rn.classify(sizes, situation="primary", edge_10=low, edge_20=high)
        assert set(result.patients["answer"]) == {"step"}
        order = ["local resection", "tumour board", "radical resection"]
        codes = result.patients["step"].map(order.index)
        assert codes.is_monotonic_increasing
