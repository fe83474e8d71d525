"""A definition of curative refuses cells that would count as no reason in silence."""

from __future__ import annotations

from typing import Any

import pytest

import rnetstats as rn
from rnetstats.errors import DataError

PATIENTS: dict[str, list[Any]] = {
    "margin": ["negative", "indeterminate", "positive"],
    "lvi": [0, 0, 1],
    "size_mm": [4.0, 6.0, 12.0],
    "grade": ["G1", "G1", "G2"],
}


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("margin", ["R0", "R1", "R1"], "holds 'R0' in rows 1, 2, 3; it takes one of negative"),
        ("margin", ["negative", "Positive", None], "'Positive' in row 2"),
        ("lvi", [0, 2, 1], "it takes 0 or 1"),
        ("lvi", ["no", "yes", "no"], "it takes 0 or 1"),
        ("size_mm", [4.0, "large", 12.0], "'large' in row 2; it takes a number in mm"),
        ("size_mm", [4.0, -1.0, float("inf")], "rows 2, 3"),
        ("grade", ["G1", "2", "G3"], "'2' in row 2; it takes one of G1, G2, G3"),
    ],
)
def test_unreadable_cells_are_refused(column: str, values: list[Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        rn.not_curative(PATIENTS | {column: values})


def test_what_can_be_read_is_judged() -> None:
    assert rn.not_curative(PATIENTS).tolist() == [0.0, 1.0, 1.0]
    flags = {"lvi": [False, True, None], "margin": ["negative"] * 3}
    found = rn.not_curative(flags, above_mm=None, grades=[])
    assert found.fillna(-1.0).tolist() == [0.0, 1.0, -1.0]
    other = {"grade": ["G1", "NEC", None]}
    named = rn.not_curative(other, margins=[], lvi=False, above_mm=None, grades=["NEC"])
    assert named.fillna(-1.0).tolist() == [0.0, 1.0, -1.0]
