"""Searches for possible worlds of very many patients: refused in words, bounded, shown in brief."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

import rnetstats as rn
from rnetstats.errors import BudgetError
from rnetstats.evidence.worlds_figures import OddsRatioFigures

HUGE = 10**30


@pytest.mark.parametrize(
    "search",
    [
        lambda: rn.event_splits(3, HUGE, 20),
        lambda: rn.tables_from_odds_ratio("2.5", n=HUGE),
        lambda: rn.matching_counts("50", at_most=HUGE),
        lambda: rn.matching_counts("50", at_most=1_000_000),
        lambda: rn.matching_tables("0", "0", at_most=HUGE),
        lambda: rn.matching_tables("0", "100", p="< 0.001", at_most=20_000),
    ],
)
def test_what_is_too_large_is_refused_in_words(search: object) -> None:
    with pytest.raises(BudgetError, match=r"\d{1,3}(,\d{3})+"):
        search()  # type: ignore[operator]


def test_p_is_worked_out_for_few_of_the_tables_behind_an_odds_ratio() -> None:
    """No table of 70 patients has this odds ratio with this P; only those that do need tests."""
    tested, whole = [], OddsRatioFigures.prints_p

    def counted(figures: OddsRatioFigures, cells: np.ndarray, added: float) -> np.ndarray:
        tested.append(cells.shape[1])
        return whole(figures, cells, added)

    with patch.object(OddsRatioFigures, "prints_p", counted):
        found = rn.tables_from_odds_ratio("3.6", p="0.9", n=70)
    assert found.conflict.startswith("No table of 70 patients has odds ratio 3.6 and P = 0.9")
    assert len(found.nearest) == 10
    assert sum(tested) < 0.6 * found.looked_at


def test_many_rows_are_shown_in_brief_and_the_note_says_so() -> None:
    for found, rows in (
        (rn.matching_counts("50", at_most=400), None),
        (rn.event_splits(300, 400, 500), 301),
        (rn.tables_from_odds_ratio("2", n=30, p="1.0"), None),
        (rn.matching_tables("50", "50", at_most=450), None),
    ):
        assert len(found.display()) == 20
        assert found.notes[-1].startswith("The table shows the first 20 of ")
        assert len(found.to_frame()) > 100
        assert rows is None or len(found.to_frame()) == rows
    few = rn.event_splits(12, 181, 346)
    assert len(few.display()) == 13
    assert not any("first 20" in note for note in few.notes)


def test_missing_values_behind_an_odds_ratio_have_a_note() -> None:
    found = rn.tables_from_odds_ratio("0", n=20, events=3)
    assert found.to_frame().isna().any(axis=None)
    assert found.glance()["std_error_low"].isna().all()
    assert any(note.startswith("Limits and P values are missing") for note in found.notes)
    assert any(note.startswith("No standard error is implied") for note in found.notes)
