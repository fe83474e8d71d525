"""Lines on evidence: pooling many meta-analyses at once."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.special import stdtrit
from timing import Line, alternate

from rnetstats.kernels.meta_pool import inverse_variance
from rnetstats.kernels.meta_tau2 import tau_squared

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
