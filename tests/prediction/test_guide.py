"""The examples of docs/prediction.md run, in order, as a reader would run them."""

from __future__ import annotations

import pytest

import rnetstats as rn
from guides import DOCS, beside, calls, run_examples

GUIDE = DOCS / "prediction.md"

pytestmark = beside(GUIDE)


@pytest.mark.slow
def test_the_examples_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = run_examples(GUIDE)
    shown = capsys.readouterr().out
    assert "size_mm is 60, outside" in shown
    assert "14.89 is neither an observed value" in shown
    assert rn.RiskModel.load(tmp_path / "model.json").performance
    assert str(names["text"]).startswith("# TRIPOD+AI checklist")


def test_the_guide_names_public_calls_only():
    used = calls(GUIDE)
    assert {"recipe", "validate", "stability"} <= used
    assert used <= set(rn.__all__)
