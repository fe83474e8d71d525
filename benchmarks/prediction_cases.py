"""Lines on prediction models: validation, decision curves, DeLong's variance."""

from __future__ import annotations

import importlib.util
import warnings
from functools import cache

import numpy as np
from peers import r_has, r_median_seconds
from timing import Line, alternate, median_of

import rnetstats as rn
from data import FIVE_TERMS, cohort
from rnetstats.formula.design import model_frame
from rnetstats.kernels.roc import delong
from rnetstats.regression.logistic import LogisticResult

SIX = ("auc", "brier", "slope", "intercept", "nagelkerke_r2", "ici")
RESAMPLES = 1000


@cache
def _fit() -> LogisticResult:
    return rn.logistic(cohort(), FIVE_TERMS, penalty=None)


def _validate() -> None:
    rn.validate(_fit(), resamples=RESAMPLES, indices=SIX, seed=1)


def validate_rms(quick: bool) -> Line:
    """rms needs validate() for the indices and calibrate() for the curve; fewer resamples there."""
    share = 20 if quick else 200
    rounds = 2 if quick else 5
    if not r_has("rms"):
        return Line(
            median_of(_validate, rounds=rounds), None, "R rms", "40", "rms is not installed"
        )
    setup = f"""
        suppressMessages(library(rms))
        fit <- lrm({FIVE_TERMS}, data = d, x = TRUE, y = TRUE)
        both <- function() {{
          validate(fit, B = {share}); calibrate(fit, B = {share})
        }}
    """
    theirs = r_median_seconds(cohort(), setup, "invisible(capture.output(both()))", rounds=rounds)
    mine = median_of(_validate, rounds=rounds)
    remark = f"rms with {share} resamples, scaled up"
    return Line(mine, theirs * RESAMPLES / share, "R rms validate + calibrate", "40", remark)


def validate_python(quick: bool) -> Line:
    """A loop of the fits and measures that a Python user has: no ICI, lowess of statsmodels."""
    if importlib.util.find_spec("sklearn") is None:
        mine = median_of(_validate, rounds=2)
        return Line(mine, None, "statsmodels + scikit-learn loop", "100", "not installed")
    import statsmodels.api as sm
    from sklearn.metrics import brier_score_loss, roc_auc_score

    frame = model_frame(cohort(), FIVE_TERMS, kind="binary")
    X, y = frame.design.X, frame.outcome.y
    share = 5 if quick else 40
    draws = np.random.default_rng(2).integers(0, len(y), (share, len(y)))

    def measures(outcome: np.ndarray, risk: np.ndarray) -> None:
        roc_auc_score(outcome, risk)
        brier_score_loss(outcome, risk)
        logit = np.log(risk / (1 - risk))
        sm.GLM(outcome, sm.add_constant(logit), family=sm.families.Binomial()).fit()
        sm.GLM(outcome, np.ones(len(risk)), offset=logit, family=sm.families.Binomial()).fit()
        curve = sm.nonparametric.lowess(outcome, risk, it=0, return_sorted=False)
        np.abs(curve - risk).mean()

    def peer() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for rows in draws:
                fit = sm.GLM(y[rows], X[rows], family=sm.families.Binomial()).fit()
                measures(y[rows], fit.predict(X[rows]))
                measures(y, fit.predict(X))

    mine, theirs = alternate(_validate, peer, rounds=2 if quick else 5)
    remark = f"loop of {share} resamples scaled up"
    return Line(mine, theirs * RESAMPLES / share, "statsmodels + scikit-learn loop", "100", remark)


def decision_curves(quick: bool) -> Line:
    """100 thresholds, 1,000 resamples."""
    thresholds = np.arange(1, 100) / 100
    data = cohort()[["margin_positive"]].assign(risk=_fit().predict(cohort()))

    def ours() -> None:
        rn.decision_curve(
            data, "margin_positive ~ risk", thresholds=thresholds, resamples=RESAMPLES, seed=1
        )

    rounds, share = (2, 3) if quick else (5, 20)
    if importlib.util.find_spec("dcurves") is None:
        return Line(median_of(ours, rounds=rounds), None, "dcurves loop", "100", "not installed")
    from dcurves import dca

    draws = np.random.default_rng(2).integers(0, len(data), (share, len(data)))
    plain = data.astype(float)

    def peer() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for rows in draws:
                dca(
                    data=plain.iloc[rows].reset_index(drop=True),
                    outcome="margin_positive",
                    modelnames=["risk"],
                    thresholds=thresholds,
                )

    mine, theirs = alternate(ours, peer, rounds=rounds)
    remark = f"loop of {share} resamples scaled up"
    return Line(mine, theirs * RESAMPLES / share, "dcurves loop", "100", remark)


def delong_sort(quick: bool) -> Line:
    """One million predictions; the goal is the time of three sorts of the same array."""
    n = 100_000 if quick else 1_000_000
    rng = np.random.default_rng(3)
    score = rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(-score))).astype(float)
    mine, theirs = alternate(
        lambda: delong(y, score[None, :]), lambda: np.sort(score), rounds=3 if quick else 9
    )
    return Line(mine, theirs, "one np.sort", "0.33", f"{n:,} predictions")
