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


def test_every_kind_is_explained_and_every_call_is_public() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert all(f"`{kind}`" in text for kind in KINDS)
    assert calls(GUIDE) <= set(rn.__all__)
