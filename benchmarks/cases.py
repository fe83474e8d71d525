"""One function a line of the table: ours and the peer's, in turn."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
from peers import r_has, r_median_seconds
from timing import Line, alternate, median_of

import rnetstats as rn
from data import FIVE_TERMS, SURVIVAL, cohort, environment, million
from rnetstats.formula.design import model_frame
from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.ranks import logrank_scores, permutation_sums
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.kernels.risksets import prepare


def _counts(n: int, size: int) -> np.ndarray:
    return bootstrap_counts(np.random.default_rng(1), n, size)


def bootstrap_logistic(quick: bool) -> Line:
    """Draws included; the peer's loop is timed on a share of the replicates."""
    import statsmodels.api as sm

    size, share = 500, 20 if quick else 100
    frame = model_frame(cohort(), FIVE_TERMS, kind="binary")
    X, y = frame.design.X, frame.outcome.y
    draws = np.random.default_rng(2).integers(0, len(y), (share, len(y)))

    def ours() -> None:
        fit_logistic(X, y, freq=_counts(len(y), size))

    def peer() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for rows in draws:
                sm.GLM(y[rows], X[rows], family=sm.families.Binomial()).fit()

    mine, theirs = alternate(ours, peer, rounds=2 if quick else 7)
    remark = f"the loop's time is {size // share} times that of {share} replicates"
    return Line(mine, theirs * size / share, "statsmodels GLM loop", "50", remark)


def bootstrap_firth(quick: bool) -> Line:
    """The same with Firth's penalty, estimates alone."""
    size, share, peer_name = 500, 10 if quick else 50, "firthmodels, numpy, loop"
    frame = model_frame(cohort(), FIVE_TERMS, kind="binary")
    X, y = frame.design.X, frame.outcome.y
    draws = np.random.default_rng(2).integers(0, len(y), (share, len(y)))

    def ours() -> None:
        fit_logistic(X, y, freq=_counts(len(y), size), firth=True)

    if importlib.util.find_spec("firthmodels") is None:
        mine = median_of(ours, rounds=2 if quick else 7)
        return Line(mine, None, peer_name, "-", "firthmodels is not installed")
    from firthmodels import FirthLogisticRegression

    def peer() -> None:
        for rows in draws:
            FirthLogisticRegression(backend="numpy").fit(X[rows, 1:], y[rows])

    mine, theirs = alternate(ours, peer, rounds=2 if quick else 7)
    remark = f"loop of {share} scaled up; its tolerances are 1e-4"
    return Line(mine, theirs * size / share, peer_name, "-", remark)


def bootstrap_cox(quick: bool) -> Line:
    """The same for Cox; lifelines is the peer."""
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError

    size, share = 500, 3 if quick else 20
    data = cohort()[["dfs_months", "recurrence", "margin_positive", "size_mm", "lvi"]].astype(float)
    frame = model_frame(cohort(), SURVIVAL, kind="survival", intercept=False)
    sets = prepare(None, frame.outcome.stop, frame.outcome.event)
    draws = np.random.default_rng(2).integers(0, len(data), (share, len(data)))

    def ours() -> None:
        fit_cox(frame.design.X, sets, freq=_counts(len(data), size))

    def peer() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for rows in draws:
                with suppress(ConvergenceError):  # a resample without an event in one arm
                    CoxPHFitter().fit(data.iloc[rows], "dfs_months", "recurrence")

    mine, theirs = alternate(ours, peer, rounds=2 if quick else 5)
    return Line(mine, theirs * size / share, "lifelines loop", "-", f"loop of {share} scaled up")


def _against_firthmodels(quick: bool, backend: str, package: str) -> Line:
    """Estimates, penalised profile limits and likelihood-ratio tests of all coefficients."""

    def ours() -> None:
        rn.logistic(cohort(), FIVE_TERMS)

    rounds, peer_name = 5 if quick else 25, f"firthmodels, {backend}"
    for name in ("firthmodels", package):
        if importlib.util.find_spec(name) is None:
            mine = median_of(ours, rounds=rounds)
            return Line(mine, None, peer_name, "20", f"{name} is not installed")
    from firthmodels import FirthLogisticRegression

    frame = model_frame(cohort(), FIVE_TERMS, kind="binary")
    X, y = frame.design.X[:, 1:], frame.outcome.y

    def peer() -> None:
        model = FirthLogisticRegression(backend=backend).fit(X, y)
        model.lrt()
        model.conf_int(method="pl")

    mine, theirs = alternate(ours, peer, rounds=rounds)
    return Line(mine, theirs, peer_name, "20", "both after a first call; its tolerances are 1e-4")


def firth_firthmodels(quick: bool) -> Line:
    """The peer in NumPy."""
    return _against_firthmodels(quick, "numpy", "numpy")


def firth_firthmodels_compiled(quick: bool) -> Line:
    """The peer compiled by numba, where that is installed (no extra asks for it)."""
    return _against_firthmodels(quick, "numba", "numba")


def firth_r(quick: bool) -> Line:
    """The same against logistf."""
    mine = median_of(lambda: rn.logistic(cohort(), FIVE_TERMS), rounds=5 if quick else 25)
    if not r_has("logistf"):
        return Line(mine, None, "R logistf", "5", "logistf is not installed")
    call = (
        "logistf::logistf(margin_positive ~ size_mm + nlr + age + lvi + sex, data = d, pl = TRUE)"
    )
    return Line(mine, r_median_seconds(cohort(), "", call, rounds=3), "R logistf", "5")


def _wald_cox() -> None:
    rn.cox(cohort(), SURVIVAL, penalty=None, ci="wald")


def cox_lifelines(quick: bool) -> Line:
    """One maximum-likelihood fit with Wald limits, from the data frame."""
    from lifelines import CoxPHFitter

    data = cohort()[["dfs_months", "recurrence", "margin_positive", "size_mm", "lvi"]].astype(float)
    mine, theirs = alternate(
        _wald_cox,
        lambda: CoxPHFitter().fit(data, "dfs_months", "recurrence"),
        rounds=5 if quick else 25,
    )
    return Line(mine, theirs, "lifelines", "10")


def cox_r(quick: bool) -> Line:
    """The same against coxph."""
    mine = median_of(_wald_cox, rounds=5 if quick else 25)
    if not r_has("survival"):
        return Line(mine, None, "R coxph", "1", "R is not installed")
    call = "coxph(Surv(dfs_months, recurrence) ~ margin_positive + size_mm + lvi, data = d)"
    theirs = r_median_seconds(cohort(), "library(survival)", call, rounds=5)
    return Line(mine, theirs, "R coxph", "1")


def cox_million(quick: bool) -> Line:
    """One fit on many rows."""
    rows = 20_000 if quick else 1_000_000
    data = million(rows)
    formula = "Surv(time, event) ~ x1 + x2 + x3 + x4 + x5"
    mine = median_of(
        lambda: rn.cox(data, formula, penalty=None, ci="wald"), rounds=1 if quick else 3
    )
    remark = f"{rows:,} rows"
    if not r_has("survival"):
        return Line(mine, None, "R coxph", "1", f"{remark}; R is not installed")
    theirs = r_median_seconds(data, "library(survival)", f"coxph({formula}, data = d)", rounds=1)
    return Line(mine, theirs, "R coxph", "1", remark)


def permutations(quick: bool) -> Line:
    """The permutation distribution of the log-rank numerator."""
    draws = 5_000 if quick else 100_000
    data = cohort()
    stop, event = data["dfs_months"].to_numpy(float), data["dfs_event"].to_numpy(bool)
    group = data["margin_positive"].to_numpy(int)
    scores = logrank_scores(prepare(None, stop, event))

    def ours() -> None:
        permutation_sums(np.random.default_rng(1), scores, group, draws)

    def peer() -> None:
        rng, block = np.random.default_rng(1), 1_000
        labels = group.astype(float)
        for _ in range(draws // block):
            rng.permuted(np.broadcast_to(labels, (block, len(labels))), axis=1) @ scores

    mine, theirs = alternate(ours, peer, rounds=2 if quick else 3)
    return Line(mine, theirs, "Generator.permuted", "3", f"{draws:,} permutations")


def bare_import(quick: bool) -> Line:
    """Time over that of an interpreter that imports nothing."""

    def start(code: str) -> None:
        subprocess.run([sys.executable, "-c", code], check=True)

    with_it, without = alternate(
        lambda: start("import rnetstats"), lambda: start("pass"), rounds=5 if quick else 15
    )
    return Line(max(with_it - without, 0.0), None, "-", "under 50 ms")


def reproduce(quick: bool) -> Line:
    """The whole main job from the command line, in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        env, output = environment(bytecode=folder), str(Path(folder) / "report")

        def run() -> None:
            subprocess.run(
                [sys.executable, "-m", "rnetstats", "reproduce", "duan2024", "--output", output],
                check=True,
                capture_output=True,
                env=env,
            )

        seconds = median_of(run, rounds=1 if quick else 3)
    remark = "after a first run: bytecode is there, as pip compiles it when it installs"
    return Line(seconds, None, "-", "under 15 s", remark)
