"""The guide to guideline rules: its examples run, its table of rules is the one that is used."""

from __future__ import annotations

import warnings

import pytest

import rnetstats as rn
from guides import DOCS, beside, calls, run_examples
from rnetstats.studies.management.guidelines import GUIDELINES
from rnetstats.studies.management.page_verdicts import PAGE_RULES
from rnetstats.studies.management.vocabulary import ADVICE, STEPS
from rnetstats.studies.verdict_table import as_markdown

GUIDE = DOCS / "guidelines.md"
pytestmark = beside(GUIDE)


@pytest.mark.slow
def test_every_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        names = run_examples(GUIDE)
    shown = capsys.readouterr().out
    assert "nan" not in shown.replace("NaN", "")
    assert names["ours"].to_frame()["n"].sum() == 527
    older = names["older"]
    assert (older[1:] > older[:-1]).all()
    assert "page: radical resection (the_case); first: nothing" in shown
    assert "size_mm is 60, outside" in shown


def test_names_and_rules_are_those_of_the_package() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert calls(GUIDE) <= set(rn.__all__)
    table = text.split("<!-- page rules -->\n")[1].split("<!-- /page rules -->")[0]
    assert table == as_markdown(PAGE_RULES)
    assert ADVICE.rstrip(".") in text
    assert all(f"`{key}`" in text for key in (*GUIDELINES, *STEPS))
