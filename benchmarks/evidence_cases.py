"""Lines on evidence: pooling many meta-analyses at once, millions of 2x2 tables."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.special import stdtrit
from scipy.stats import chi2_contingency, fisher_exact
from timing import Line, alternate

import rnetstats as rn
from rnetstats.kernels.meta_pool import inverse_variance
from rnetstats.kernels.meta_tau2 import tau_squared
from rnetstats.kernels.two_by_two_fisher import fisher_two_sided
from rnetstats.tables.fisher import log_factorials

META_ANALYSES, STUDIES = 1000, 34


def _sets() -> tuple[np.ndarray, np.ndarray]:
    """Estimates and variances of heterogeneous studies, one meta-analysis a row."""
    rng = np.random.default_rng(3)
    variance = rng.uniform(0.02, 0.8, (META_ANALYSES, STUDIES))
    effect = rng.normal(-0.3, np.sqrt(0.1 + variance))
    return effect, variance


def meta_analyses(quick: bool) -> Line:
    """Paule and Mandel's tau2, the estimate and Hartung-Knapp limits of each."""
    from statsmodels.stats.meta_analysis import combine_effects

    share = 20 if quick else 200
    effect, variance = _sets()

    def ours() -> None:
        tau2 = tau_squared(effect, variance, "PM")
        fit = inverse_variance(effect, variance, tau2)
        half = stdtrit(STUDIES - 1.0, 0.975) * np.sqrt(fit.q / fit.df) * fit.std_error
        np.stack([fit.estimate - half, fit.estimate + half])

    def peer() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for y, v in zip(effect[:share], variance[:share], strict=True):
                combine_effects(y, v, method_re="iterated", use_t=True).conf_int()

    mine, theirs = alternate(ours, peer, rounds=2 if quick else 7)
    remark = f"Paule-Mandel and Hartung-Knapp, {STUDIES} studies each; loop of {share} scaled up"
    return Line(mine, theirs * META_ANALYSES / share, "statsmodels loop", "-", remark)


def fisher_tables(quick: bool) -> Line:
    """Fisher's two-sided P of tables of all sizes, each with margins of its own."""
    tables, share = (20_000, 20) if quick else (1_000_000, 500)
    rng = np.random.default_rng(4)
    sizes = rng.integers(100, 1500, (2, tables))
    events = rng.binomial(sizes, 0.02)
    cells = events[0], sizes[0] - events[0], events[1], sizes[1] - events[1]
    logs = np.asarray(log_factorials(3000), dtype=np.float64)
    few = np.stack(cells, axis=1)[:share].reshape(-1, 2, 2)

    def ours() -> None:
        fisher_two_sided(*cells, logs)

    def peer() -> None:
        for table in few:
            fisher_exact(table)

    mine, theirs = alternate(ours, peer, rounds=1 if quick else 3)
    remark = f"{tables / mine / 1e6:.2g} million tables a second; loop of {share} scaled up"
    return Line(mine, theirs * tables / share, "scipy fisher_exact loop", "-", remark)


def matching_tables(quick: bool) -> Line:
    """All tables that print two percentages and a P; most are left out by proof."""
    most, share = (300, 20) if quick else (1500, 500)
    rng = np.random.default_rng(5)
    few = rng.integers(1, 400, (share, 2, 2))
    searched = rn.matching_tables("1", "3", p="0.003", at_most=most, tests="pearson").searched

    def ours() -> None:
        rn.matching_tables("1", "3", p="0.003", at_most=most, tests="pearson")

    def peer() -> None:
        for table in few:
            chi2_contingency(table, correction=False)

    mine, theirs = alternate(ours, peer, rounds=1 if quick else 3)
    rate = f"{searched / mine / 1e6:.3g} million tables a second"
    remark = f"{searched:,} tables, Pearson: {rate}; loop of {share} scaled up"
    return Line(mine, theirs * searched / share, "scipy chi2_contingency loop", "-", remark)
