"""The study of the limits of optimism-corrected indices, in a small size."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnetstats.errors import OptionError
from rnetstats.simulation.corrected_limits import CorrectedLimitsStudy, corrected_limits_study

SCRIPT = Path(__file__).parents[2] / "docs" / "build_corrected_limits.py"
SMALL = "200 with 60 events"


def test_summary_by_hand() -> None:
    found = pd.DataFrame(
        {
            "index": "auc",
            "apparent": [0.8, 0.8, 0.8, 0.8],
            "training": [0.82, 0.82, 0.82, 0.82],
            "corrected": [0.75, 0.75, 0.75, 0.79],
            "conf_low": [0.70, 0.70, 0.70, 0.70],
            "conf_high": [0.80, 0.80, 0.80, 0.80],
            "true": [0.75, 0.69, 0.81, 0.79],
        }
    )
    row = CorrectedLimitsStudy(found, SMALL, "binary", 20, 1).summary().iloc[0]
    assert row["coverage"] == 0.5
    assert row["above"] == row["below"] == 0.25
    # moved down by 0.02 the limits are 0.68 to 0.78: they hold 0.75 and 0.69
    assert row["centred"] == 0.5
    np.testing.assert_allclose(row["corrected_error"], (0 + 0.06 - 0.06 + 0) / 4, atol=1e-12)
    np.testing.assert_allclose(row["width"], 0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "index"), [("binary", "auc"), ("time", "c")])
def test_apparent_performance_flatters(kind: str, index: str) -> None:
    study = corrected_limits_study(SMALL, kind, replicates=8, resamples=30, patients=20_000, seed=3)
    row = study.summary().set_index("index").loc[index]
    assert 0.65 < row["true"] < 0.75
    part = study.found[study.found["index"] == index]
    assert (part["corrected"] < part["apparent"]).all()
    assert (part["apparent"] < part["training"]).all()
    assert 45 < study.found["n_events"].mean() < 75
    again = corrected_limits_study(SMALL, kind, replicates=8, resamples=30, patients=20_000, seed=3)
    pd.testing.assert_frame_equal(study.found, again.found)


def test_options_are_checked() -> None:
    with pytest.raises(OptionError, match="size"):
        corrected_limits_study("12", "binary")
    with pytest.raises(OptionError, match="kind"):
        corrected_limits_study(SMALL, "survival")


@pytest.mark.slow
def test_the_page_is_written(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("build_corrected_limits", SCRIPT)
    assert spec and spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = tmp_path / "page.md"
    assert script.main(["--quick", "--output", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "Harrell's C" in text
    assert "nan" not in text.split()
