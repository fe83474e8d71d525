"""The examples of docs/prediction.md run, in order, as a reader would run them."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

import rnetstats as rn

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "prediction.md"

pytestmark = pytest.mark.skipif(not GUIDE.is_file(), reason="the guide is not beside the tests")


@pytest.mark.slow
def test_the_examples_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.M | re.S)
    names: dict[str, object] = {}
    with mpl.rc_context({"backend": "agg"}):
        for block in blocks:
            exec(block, names)
        plt.close("all")
    shown = capsys.readouterr().out
    assert "size_mm is 60, outside" in shown
    assert "14.89 is neither an observed value" in shown
    assert rn.RiskModel.load(tmp_path / "model.json").performance
    assert str(names["text"]).startswith("# TRIPOD+AI checklist")


def test_the_guide_names_public_calls_only():
    text = GUIDE.read_text(encoding="utf-8")
    used = set(re.findall(r"\brn\.([A-Za-z_]\w*)", text))
    assert {"recipe", "validate", "stability"} <= used
    assert used <= set(rn.__all__)
