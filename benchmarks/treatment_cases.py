"""Lines on treatment during follow-up: weighted Cox by bootstrap, stratified permutations."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from peers import r_has, r_median_seconds
from timing import Line, alternate, median_of

import rnetstats as rn
from data import cohort

SCORE = "esd ~ size_mm + lvi + nlr + age"
ENDPOINT = "Surv(dfs_months, dfs_event)"
RESAMPLES = 1000
PERMUTATIONS = 100_000
CALLS = 300


def _treated() -> pd.DataFrame:
    data = cohort()
    return data.assign(esd=(data["method"].astype(str) == "ESD").astype(int))


def weighted_cox(quick: bool) -> Line:
    """The score is refitted in every resample; the peer's loop is timed on a share of them."""
    import statsmodels.api as sm
    from lifelines import CoxPHFitter

    share = 3 if quick else 40
    data = _treated()
    names = ["size_mm", "lvi", "nlr", "age"]
    plain = data[["dfs_months", "dfs_event", "esd", *names]].astype(float)
    draws = np.random.default_rng(2).integers(0, len(plain), (share, len(plain)))

    def ours() -> None:
        rn.propensity(data, SCORE).cox(ENDPOINT, resamples=RESAMPLES, seed=1)

    def peer() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for rows in draws:
                sample = plain.iloc[rows].reset_index(drop=True)
                score = sm.Logit(sample["esd"], sm.add_constant(sample[names])).fit(disp=0)
                p = score.predict()
                sample["w"] = np.where(sample["esd"] == 1.0, 1.0 / p, 1.0 / (1.0 - p))
                CoxPHFitter().fit(
                    sample[["dfs_months", "dfs_event", "esd", "w"]],
                    "dfs_months",
                    "dfs_event",
                    weights_col="w",
                )

    mine, theirs = alternate(ours, peer, rounds=1 if quick else 3)
    remark = f"Firth's score, robust and bootstrap limits; loop of {share} scaled up"
    return Line(mine, theirs * RESAMPLES / share, "statsmodels + lifelines loop", "50", remark)


def stratified_permutations(quick: bool) -> Line:
    """Permutations within centres against single tests by survdiff."""
    draws, calls = (2_000, 6) if quick else (PERMUTATIONS, CALLS)
    data = cohort()
    formula = f"{ENDPOINT} ~ margin_positive + strata(centre)"

    def ours() -> None:
        rn.logrank(data, formula, method="permutation", resamples=draws, seed=1)

    mine = median_of(ours, rounds=1 if quick else 5)
    remark = f"{draws:,} permutations against {calls} calls"
    if not r_has("survival"):
        return Line(mine, None, "R survdiff", "1", f"{remark}; R is not installed")
    call = f"survdiff({formula}, data = d)"
    theirs = r_median_seconds(data, "library(survival)", call, rounds=3)
    return Line(mine, calls * theirs, "R survdiff", "1", remark)
