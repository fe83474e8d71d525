"""The guide to the formula language: its examples run, and its tables hold what is read."""

from __future__ import annotations

import re

import pytest

from guides import DOCS, beside, run_examples
from rnetstats.errors import FormulaError
from rnetstats.formula.parser import parse_formula

GUIDE = DOCS / "formula.md"
pytestmark = beside(GUIDE)


def forms(part: str) -> list[str]:
    """What stands in the first column of a part's table."""
    text = GUIDE.read_text(encoding="utf-8").split(f"## {part} side")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (.+?) \|", text, re.MULTILINE)[2:]
    return [a or b for cell in cells for a, b in re.findall(r"`` (.+?) ``|`([^`]+)`", cell)]


def test_each_form_of_the_tables_is_read() -> None:
    left, right = forms("Left"), forms("Right")
    assert len(left) >= 6
    assert len(right) >= 17
    for form in left:
        parse_formula(f"{form} ~ x")
    for form in right:
        alone = {"a:b": "a + b + a:b"}.get(form, form)
        parse_formula(f"y ~ {alone}")


def test_the_examples_run_and_end_in_a_refusal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_examples(GUIDE)["fit"].glance()["converged"].item()
    assert "there are no powers" in capsys.readouterr().out
    with pytest.raises(FormulaError):
        parse_formula("y ~ a - b")
