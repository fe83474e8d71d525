"""The examples of the pages that no room owns run, in order, as a reader would run them."""

from __future__ import annotations

from pathlib import Path

import pytest

import rnetstats as rn
from guides import DOCS, beside, calls, run_examples

PAGES = {
    page.name: page
    for page in (
        DOCS.parent / "README.md",
        DOCS / "calculator.md",
        DOCS / "cutpoints.md",
        DOCS / "facts.md",
        DOCS / "meta_validation.md",
    )
}
pytestmark = beside(DOCS / "facts.md")


@pytest.mark.parametrize("name", PAGES)
def test_the_calls_are_public(name: str) -> None:
    assert calls(PAGES[name]) <= set(rn.__all__)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_the_examples_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "rn" in run_examples(PAGES[name])
    capsys.readouterr()
    written = {path.name for path in tmp_path.iterdir()}
    assert written == ({"model.json", "calculator.html"} if name == "calculator.md" else set())
