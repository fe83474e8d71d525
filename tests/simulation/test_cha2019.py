"""Cohorts in the shape of the study of 322 patients, and cohorts of modules of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import OptionError
from rnetstats.simulation.cohort_file import read_cohort_file
from rnetstats.simulation.drawers import DRAWERS, drawn_parts, embedded_files
from rnetstats.studies.cha2019.definitions import not_curative

FOLDER = Path(__file__).parents[2] / "data" / "synthetic"


@pytest.mark.parametrize("name", DRAWERS)
def test_embedded_files_regenerate_byte_for_byte(name: str) -> None:
    for file, text in embedded_files(name).items():
        assert text.encode("utf-8") == (FOLDER / file).read_bytes(), file


@pytest.mark.parametrize("name", DRAWERS)
def test_every_value_has_a_standing_and_every_fixed_total_is_met(name: str) -> None:
    recipe = read_cohort_file(name)
    assert recipe.parameters["source"].str.len().gt(5).all()
    for truth in recipe.truths:
        for seed in (1, 2, 3):
            drawn = rn.draw_cohort(name, truth=truth, seed=seed)
            assert drawn.fidelity["met"].all(), drawn.fidelity[~drawn.fidelity["met"]]
            assert drawn.truth.label == recipe.label(truth)
    again = rn.draw_cohort(name, seed=3)
    pd.testing.assert_frame_equal(again.data, rn.draw_cohort(name, seed=3).data)


@pytest.mark.slow
def test_free_totals_are_right_in_expectation() -> None:
    counts = []
    for seed in range(60):
        _, drawn = drawn_parts("cha2019", "as_published", seed, fixed=False)
        treated = drawn.data["additional_treatment"] != "none"
        beyond = (drawn.data["follow_up_months"] > 40.49).sum()
        counts.append((not_curative(drawn.data).sum(), treated.sum(), beyond))
    mean = np.mean(counts, axis=0)
    error = np.std(counts, axis=0, ddof=1) / np.sqrt(len(counts))
    assert abs(mean[0] - 142) < 3 * error[0]
    # the intercept is solved given each cohort's covariates, so the sum is 44 whatever they are
    assert abs(mean[1] - 44) < 3 * error[1]
    assert abs(mean[2] - 161) < 3 * error[2]


@pytest.mark.slow
def test_recurrences_come_at_the_rate_of_the_other_study() -> None:
    draws = [drawn_parts("cha2019", "duan_rate", seed, fixed=True)[1].data for seed in range(80)]
    seen = sum(int(d["recurrence"].sum()) for d in draws)
    years = sum(float(d["follow_up_months"].sum()) for d in draws) / 12
    rate = 12 / (527 * 72 / 12)
    assert abs(seen - rate * years) < 3 * np.sqrt(rate * years)


def test_options_of_the_other_recipe_are_refused() -> None:
    with pytest.raises(OptionError, match="duan2024"):
        rn.draw_cohort("cha2019", split=(8, 4))
    with pytest.raises(OptionError, match="Did you mean 'null'"):
        rn.draw_cohort("cha2019", truth="nul")
