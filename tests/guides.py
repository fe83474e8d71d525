"""Guides of docs/ as tests read them: their examples run, their calls are public."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"

CALL = re.compile(r"\brn\.([A-Za-z_]\w*)")
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def beside(guide: Path) -> pytest.MarkDecorator:
    """The mark of a module whose guide may be missing, as where only the tests were installed."""
    return pytest.mark.skipif(not guide.is_file(), reason="the guide is not beside the tests")


def run_examples(guide: Path) -> dict[str, Any]:
    """Run the examples in order, as a reader would; the names that they leave."""
    names: dict[str, Any] = {}
    with mpl.rc_context({"backend": "agg"}):
        for example in EXAMPLE.findall(guide.read_text(encoding="utf-8")):
            exec(example, names)
        plt.close("all")
    return names


def calls(guide: Path) -> set[str]:
    """The names that the guide calls as rn.name, in text and examples."""
    return set(CALL.findall(guide.read_text(encoding="utf-8")))
