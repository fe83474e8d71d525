"""Words as readers expect them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnetstats.formatting import digits_beside, file_name, inside, listed


def test_a_name_of_an_old_disk_can_be_written() -> None:
    old = os.fsdecode("Größe.csv".encode("latin-1"))
    for path in (f"ward/{old}", Path("ward") / old):
        assert file_name(path) == "Gr??e.csv"
    assert file_name(Path("ward/Größe.csv")) == "Größe.csv"


def test_words_are_listed_as_in_a_sentence() -> None:
    assert [listed(words) for words in ([], ["a"], ["a", "b"])] == ["", "a", "a and b"]
    assert listed("abc", "or") == "a, b or c"


@pytest.mark.parametrize(
    ("label", "written"),
    [
        ("Positive margin", "positive margin"),
        ("Recurrence = 1", "recurrence = 1"),
        ("Recurrence, any", "recurrence, any"),
        ("Lymph-node metastasis", "lymph-node metastasis"),
        ("Äußerer Rand", "äußerer Rand"),
        ("Death from NET", "death from NET"),
        *((same, same) for same in ("DFS event", "Ki-67", "T stage", "R1", "G2 tumour", "CgA")),
        *((same, same) for same in ("Margin_positive", "Surv(t, e)", "Crohn's disease", "ÄÖ", "x")),
        *((same, same) for same in ("dfs_event", "Child-Pugh class", "N", "5-year", "", " ")),
    ],
)
def test_a_label_within_a_sentence(label: str, written: str) -> None:
    assert inside(label) == written


@pytest.mark.parametrize(
    ("value", "bounds", "digits"),
    [(0.998, (1.0,), 3), (1.0, (1.0,), 2), (0.9, (1.0,), 2), (1.00002, (1.0,), 5), (0.8, (), 2)],
)
def test_digits_that_keep_a_value_on_its_side(
    value: float, bounds: tuple[float, ...], digits: int
) -> None:
    assert digits_beside(value, *bounds) == digits
