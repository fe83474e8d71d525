"""The study of searched cut-offs on cohorts whose truth is known."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from rnetstats.errors import OptionError
from rnetstats.simulation.cutpoint_study import cutpoint_study

SCRIPT = Path(__file__).parents[2] / "docs" / "build_cutpoint_study.py"


@pytest.mark.slow
def test_search_flatters_and_the_adjusted_p_does_not() -> None:
    study = cutpoint_study("null", replicates=24, seed=1)
    assert len(study.cuts) == 24 * 4 and len(study.models) == 24 * 4
    summary = study.cut_summary()
    np.testing.assert_allclose(summary["true"], 0.5, atol=0.01)
    assert (summary["optimism"] > 5 * summary["mcse"]).all()
    share = study.rejections().pivot(index="marker", columns="p", values="share")
    assert (share["unadjusted"] > 0.15).all()
    assert (share["permutation"] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 24)).all()
    models = study.model_summary().set_index("model")["optimism"]
    assert models["cut by Youden's index"] > models["cut at 4.44 and 14.89"]


def test_same_seed_same_study() -> None:
    one, two = (cutpoint_study("smooth", replicates=2, seed=5) for _ in range(2))
    np.testing.assert_array_equal(one.cuts["cut"], two.cuts["cut"])
    with pytest.raises(OptionError, match="truth"):
        cutpoint_study("none")


@pytest.mark.slow
def test_the_page_is_written(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("build_cutpoint_study", SCRIPT)
    assert spec and spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = tmp_path / "page.md"
    assert script.main(["--quick", "--replicates", "12", "--output", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "14.89 is neither an observed value" in text
    assert "nan" not in text.split()
