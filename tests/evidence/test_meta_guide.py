"""The examples of docs/meta_analysis.md run, in order, as a reader would run them."""

from __future__ import annotations

import pytest

import rnetstats as rn
from guides import DOCS, beside, calls, run_examples

GUIDE = DOCS / "meta_analysis.md"

pytestmark = beside(GUIDE)


@pytest.mark.slow
def test_the_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    names = run_examples(GUIDE)
    shown = capsys.readouterr().out
    for printed in (
        "Random effects (REML, Hartung-Knapp)",
        "SubgroupsResult",
        "MetaRegressionResult",
        "LeaveOneOutResult",
        "CumulativeResult",
        "InfluenceResult",
        "SmallStudyResult",
        "TrimAndFillResult",
        "Mantel-Haenszel, no correction",
        "Beta-binomial",
    ):
        assert printed in shown, printed
    assert names["few"].rare
    assert not names["pooled"].rare


def test_the_guide_names_public_calls_only() -> None:
    used = calls(GUIDE)
    assert "meta_analysis" in used
    assert used <= set(rn.__all__)
