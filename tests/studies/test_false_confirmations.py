"""Where nothing published is true, a report confirms a claim in at most 5 % of cohorts."""

from __future__ import annotations

import math

import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.studies.duan2024.analysis import judge_cohort, judge_model_claim

LEVEL = 0.05


def judged(truth: str, replicates: int, first_seed: int) -> pd.DataFrame:
    rows = []
    for seed in range(first_seed, first_seed + replicates):
        cohort = rn.draw_cohort("duan2024", truth=truth, seed=seed).data
        rows.append(judge_cohort(cohort).set_index("claim")["rule"])
    return pd.DataFrame(rows)


@pytest.mark.slow
def test_no_more_than_five_percent_of_null_reports_confirm_anything() -> None:
    replicates = 300
    rules = judged("null", replicates, 20_000)
    share = float((rules == "confirmed").any(axis=1).mean())
    error = math.sqrt(LEVEL * (1 - LEVEL) / replicates)
    assert share <= LEVEL + error, f"{share:.3f} of the reports confirm a claim"


@pytest.mark.slow
def test_a_few_null_reports_confirm_nothing_much() -> None:
    rules = judged("null", 12, 30_000)
    assert (rules == "confirmed").any(axis=1).sum() <= 2


def accuracy(truth: str, seeds: range, resamples: int) -> list[str]:
    rules = []
    for seed in seeds:
        cohort = rn.draw_cohort("duan2024", truth=truth, seed=seed).data
        claim = judge_model_claim(cohort, seed=seed, resamples=resamples)
        rules.append(claim["rule"].item())
    return rules


@pytest.mark.slow
def test_no_model_of_nothing_is_called_highly_accurate() -> None:
    rules = accuracy("null", range(50_000, 50_004), 40)
    assert set(rules) == {"contradicted"}


@pytest.mark.slow
def test_no_model_of_nothing_is_called_highly_accurate_in_many_cohorts() -> None:
    rules = accuracy("null", range(51_000, 51_060), 60)
    assert "confirmed" not in rules


@pytest.mark.slow
def test_true_effects_are_found_more_often_than_false_ones() -> None:
    rules = judged("as_published", 40, 40_000)
    assert (rules["nlr"] == "confirmed").mean() > 0.3
    assert (rules == "confirmed").any(axis=1).mean() > 0.8


@pytest.mark.slow
def test_the_short_way_gives_the_verdicts_of_the_report() -> None:
    cohort = rn.load_cohort("duan2024")
    short = judge_cohort(cohort).set_index("claim")
    full = rn.reproduce("duan2024", resamples=20).claims.set_index("claim").loc[short.index]
    assert (short["rule"] == full["rule"]).all()
    assert short["p_adjusted"].to_numpy() == pytest.approx(full["p_adjusted"].to_numpy())
