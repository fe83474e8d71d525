from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import rnetstats as rn
from rnetstats.errors import OptionError
from rnetstats.evidence.meta_operating import (
    LIKELIHOODS,
    LIMITS,
    PREDICTIONS,
    _judged,
    _predicted,
    meta_operating,
)
from rnetstats.evidence.meta_scene import MetaScene, draw_tables
from support import assert_close

SCRIPT = Path(__file__).parents[2] / "docs" / "build_meta_validation.py"
SCENE = MetaScene(k=6, risk=0.1, odds_ratio=0.6, tau2=0.2)


def test_drawn_tables_are_as_the_scene_says():
    scene = MetaScene(k=20, risk=0.3, odds_ratio=2.0, tau2=0.0, baseline=0.0, patients=400.0)
    t = draw_tables(scene, 300, 1)
    assert t.a.shape == (300, 20)
    assert ((t.a >= 0) & (t.a <= t.n1) & (t.c <= t.n2) & (t.n2 >= 1)).all()
    assert_close(t.c.sum() / t.n2.sum(), 0.3, rel=0.01)
    odds = 0.3 / 0.7 * 2.0
    assert_close(t.a.sum() / t.n1.sum(), odds / (1.0 + odds), rel=0.01)
    assert_close(np.median(t.n), 400.0, rel=0.05)
    for part, whole in zip(vars(draw_tables(scene, 7, 1)).values(), vars(t).values(), strict=True):
        np.testing.assert_array_equal(part, whole[:7])


def test_one_meta_analysis_is_judged_by_the_limits_that_a_user_gets():
    found = meta_operating(SCENE, replicates=1, fits=1, seed=3).set_index("method")
    t = draw_tables(SCENE, 1, 3)
    data = {"study": list("abcdef"), "events_1": t.a[0], "n_1": t.n1[0]}
    data |= {"events_2": t.c[0], "n_2": t.n2[0]}
    for ci in ("wald", "hartung-knapp", "hartung-knapp-adhoc"):
        row = rn.meta_analysis(data, measure="OR", ci=ci).glance().iloc[0]
        assert_close(found.loc[ci, "width"], row["conf_high"] / row["conf_low"])
        assert_close(found.loc[ci, "odds_ratio_found"], row["estimate"])
        inside = row["conf_low"] <= 0.6 <= row["conf_high"]
        assert found.loc[ci, "coverage"] == float(inside)
    for name in PREDICTIONS:
        row = rn.meta_analysis(data, measure="OR", prediction=name).glance().iloc[0]
        low, high = (math.log(row[end] / 0.6) / math.sqrt(0.2) for end in ("pi_low", "pi_high"))
        assert_close(found.loc[name, "coverage"], norm.cdf(high) - norm.cdf(low))
    assert found.loc["hts", "events"] == (t.a + t.c).sum()
    assert set(found.index) == {*LIMITS, *LIKELIHOODS, *PREDICTIONS}


def test_judging_by_hand():
    low = np.array([-1.0, 0.1, -2.0, np.nan, -math.inf])
    high = np.array([1.0, 0.5, -0.2, np.nan, 1.0])
    coef = np.array([0.0, 0.3, -1.0, 0.0, -math.inf])
    found = _judged((coef, low, high), 0.0)
    assert found["none"] == 0.4  # one missing, one infinite
    assert (found["coverage"], found["above"], found["below"]) == (1 / 3, 1 / 3, 1 / 3)
    assert_close(found["excludes_one"], 2 / 3)
    assert_close(found["coverage_mcse"], math.sqrt(2 / 27))
    assert_close(found["width"], math.exp(1.8))
    nothing = _judged((coef[3:4], low[3:4], high[3:4]), 0.0)
    assert nothing["none"] == 1.0
    assert math.isnan(nothing["coverage"])


def test_a_prediction_interval_is_judged_by_probability():
    ends = np.array([-1.0, -2.0]), np.array([1.0, 2.0])
    found = _predicted((np.zeros(2), *ends), 0.0, 0.5)
    held = [norm.cdf(2) - norm.cdf(-2), norm.cdf(4) - norm.cdf(-4)]
    assert_close(found["coverage"], np.mean(held))
    assert_close(found["coverage_mcse"], abs(held[1] - held[0]) / 2.0 / math.sqrt(2.0))
    assert _predicted((np.zeros(2), *ends), 0.0, 0.0) == {}


def test_with_many_events_and_no_heterogeneity_95_percent_is_95_percent():
    scene = MetaScene(k=5, risk=0.3, patients=800.0)
    found = meta_operating(scene, replicates=500, fits=1, seed=5).set_index("method")
    for name in ("mantel-haenszel", "peto", "hartung-knapp"):
        row = found.loc[name]
        assert abs(row["coverage"] - 0.95) < 3.0 * row["coverage_mcse"], name
        assert row["none"] == 0.0
    assert found.loc["hartung-knapp-adhoc", "coverage"] > found.loc["hartung-knapp", "coverage"]


def test_common_effect_limits_miss_under_heterogeneity():
    scene = MetaScene(k=20, risk=0.3, tau2=0.5, patients=400.0)
    found = meta_operating(scene, replicates=100, fits=1, seed=5).set_index("method")["coverage"]
    assert found["mantel-haenszel"] < 0.6
    assert found["hartung-knapp"] > 0.85


def test_hardly_any_event_gives_no_interval_rather_than_a_wrong_one():
    scene = MetaScene(k=2, risk=0.0005, patients=20.0)
    found = meta_operating(scene, replicates=60, fits=5, seed=1)
    assert (found["none"] > 0.9).all()
    assert found["coverage"].isna().any()


@pytest.mark.parametrize(
    "change",
    [
        {"k": 1},
        {"risk": 0.0},
        {"odds_ratio": 0.0},
        {"tau2": -0.1},
        {"patients": 1.0},
        {"sizes": -1.0},
    ],
)
def test_impossible_scenes_are_refused(change):
    with pytest.raises(OptionError):
        MetaScene(**{"k": 5, "risk": 0.1, **change})


def script():
    spec = importlib.util.spec_from_file_location("build_meta_validation", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_coverage_is_marked_where_it_is_not_95_percent():
    cell = script()._cell
    row = {"replicates": 1000.0, "none": 0.0}
    assert cell(pd.Series(row | {"coverage": 0.93})) == "93.0"
    assert cell(pd.Series(row | {"coverage": 0.92})) == "92.0 −"
    assert cell(pd.Series(row | {"coverage": 0.99})) == "99.0 +"
    assert cell(pd.Series(row | {"coverage": math.nan})) == "–"


@pytest.mark.slow
def test_the_page_is_written(tmp_path):
    module = script()
    module.QUICK = (40, 4)
    page = tmp_path / "page.md"
    assert module.main(["--quick", "--output", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "## 9 studies with rare events" in text
    assert "nan" not in text.split()
    assert text.count("| Mantel-Haenszel |") == 6
