"""The examples of docs/salvage.md run, in order, as a reader would run them."""

from __future__ import annotations

import re

import pytest

import rnetstats as rn
from guides import DOCS, beside, calls, run_examples

GUIDE = DOCS / "salvage.md"

pytestmark = beside(GUIDE)


@pytest.mark.slow
def test_the_examples_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run_examples(GUIDE)
    shown = capsys.readouterr().out
    assert "Immortal time is the smallest of the 5" in shown
    assert "fewer than 5: no interval and no P" in shown
    assert "not shown to be equivalent" in shown
    for printed in (
        "systematic error",  # bias_analysis
        "sHR",  # fine_gray
        "RMTL ratio",
        "At risk",  # milestone
        "log-F(1, 1), profile",  # few_events
        "not on the visits of salvaged",  # schedule_sensitivity with data
        "detection time as if exact",  # and without
    ):
        assert printed in shown, printed


@pytest.mark.slow
def test_the_numbers_of_the_text_are_those_of_the_simulation():
    text = GUIDE.read_text(encoding="utf-8")
    cohort = rn.load_cohort("duan2024")
    positives = cohort[cohort["margin_positive"] == 1]
    for options in ({}, {"risk": 0.05}):
        table = rn.immortal_time(
            positives, "Surv(dfs_months, recurrence)", seed=1, **options
        ).to_frame()
        at = table.set_index("delay")["hazard_ratio"]
        early, late = (f"{at[a]:.2f} to {at[b]:.2f}" for a, b in ((1, 3), (12, 24)))
        assert re.search(rf"{early}\s+(at delays of 1 to 3 months )?and\s+{late}", text), early


def test_the_guide_names_public_calls_only():
    used = calls(GUIDE)
    assert {"immortal_time", "treatment_effect", "propensity", "no_events", "equivalence"} <= used
    assert {"bias_analysis", "few_events", "schedule_sensitivity", "rmst", "milestone"} <= used
    assert {"cumulative_incidence", "fine_gray", "gray_test", "turnbull"} <= used
    assert used <= set(rn.__all__)
