"""The examples of docs/audit.md run, and show what the page says they show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import rnetstats as rn
from guides import DOCS, beside, calls, run_examples
from rnetstats.evidence.facts_kinds import KINDS

GUIDE = DOCS / "audit.md"

pytestmark = beside(GUIDE)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("guide")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        found = run_examples(GUIDE)
        assert Path("paper.toml").is_file()
    return found


def test_the_table_of_the_page_is_that_of_the_audit(names: dict[str, Any]) -> None:
    frame = names["found"].to_frame()
    assert frame["verdict"].tolist() == [
        "rounding",
        "inconsistent",
        "consistent",
        "consistent",
        "inconsistent",
        "consistent",
        "consistent",
        "consistent",
    ]
    assert "46 of 150 is 30.667 %" in frame["sentence"][0]
    assert "any total from 179 to 181, none of which is among" in frame["sentence"][1]
    assert "P 0.0267 to 0.0273" in frame["sentence"][4]
    assert "that of Pearson 0.0157; not of Fisher 0.0244" in frame["sentence"][5]
    assert "Woolf" in frame["sentence"][7]


def test_the_answers_of_the_table_are_those_of_the_calls(names: dict[str, Any]) -> None:
    assert names["audit"].worlds[0].glance()["worse_from"].item() == 8
    counts = rn.matching_counts("71.4", at_most=12).glance().iloc[0]
    assert (counts["pairs"], counts["events_low"], counts["n_low"]) == (1, 5, 7)
    assert (round(100 * counts["conf_low"]), round(100 * counts["conf_high"])) == (29, 96)
    rates = rn.matching_tables("0.96", "2.96", p="0.003", at_most=2279).glance().iloc[0]
    assert (rates["events_1_low"], rates["n_1_low"]) == (7, 726)


@pytest.mark.slow
def test_no_table_has_the_odds_ratio_of_the_page() -> None:
    found = rn.tables_from_odds_ratio("61.971", p="< 0.001", n=142, events=44)
    assert found.conflict == "No table of 142 patients has odds ratio 61.971."


def test_every_kind_is_explained_and_every_call_is_public() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert all(f"`{kind}`" in text for kind in KINDS)
    assert calls(GUIDE) <= set(rn.__all__)
