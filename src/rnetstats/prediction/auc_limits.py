"""Confidence limits of an AUC or a concordance, the edges included.

Where the sample is perfectly ordered the variance estimate is 0 and Wald limits are no limits.
Each of k pairs without a row in common is then ordered rightly, and independently of the others:
the exact (Clopper-Pearson) limits of k successes in k trials hold.

References
----------
Birnbaum ZW, Klose OM (1957). Bounds for the variance of the Mann-Whitney statistic. Annals of
Mathematical Statistics 28, 933-945.
Qin G, Hotilovac L (2008). Comparison of non-parametric confidence intervals for the area under
the ROC curve of a continuous-scale diagnostic test. Statistical Methods in Medical Research 17,
207-221. (The logit scale.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from rnetstats._core.distributions import normal_quantile

__all__ = ["AucLimits", "auc_limits"]

_ZERO = 1e-10


@dataclass(frozen=True, slots=True)
class AucLimits:
    """Limits, how they were made, and what is to be said about them ("" if nothing)."""

    low: float
    high: float
    method: str
    note: str = ""


def auc_limits(
    value: float,
    std_error: float,
    *,
    pairs: float,
    constant: bool,
    method: str,
    ci: str = "plain",
    conf_level: float = 0.95,
) -> AucLimits:
    """Return limits of an AUC or concordance, always within [0, 1].

    Parameters
    ----------
    value, std_error : float
        Both may be missing.
    pairs : float
        Pairs without a row in common.
    constant : bool
        Whether all predictions are equal.
    method : str
        Name of the standard error's method.
    ci : {"plain", "logit"}
        Scale of the limits; plain ones are cut at 0 and 1.
    conf_level : float
    """
    nothing = float("nan")
    if np.isnan(value):
        return AucLimits(nothing, nothing, "not estimable", "no pair of rows can be compared.")
    if constant:
        note = "all predictions are equal: the value is 0.5 by definition, without sampling error."
        return AucLimits(0.5, 0.5, "constant prediction", note)
    if min(value, 1.0 - value) < _ZERO and pairs >= 1:
        return _perfect(float(round(value)), pairs, conf_level)
    if np.isnan(std_error):
        note = "fewer than two cases or two controls: there is no standard error and no limits."
        return AucLimits(nothing, nothing, f"{method}: not estimable", note)
    if std_error < _ZERO:
        error = float(np.sqrt(value * (1.0 - value) / max(pairs, 1.0)))
        note = (
            "the variance estimate is 0; the limits rest on its upper bound, AUC (1 - AUC) / "
            f"{pairs:g}."
        )
        return _wald(value, error, "variance bound", ci, conf_level, note)
    return _wald(value, std_error, method, ci, conf_level, "")


def _wald(
    value: float, error: float, method: str, ci: str, conf_level: float, note: str
) -> AucLimits:
    z = normal_quantile(conf_level)
    if ci == "logit":
        reach = z * error / (value * (1.0 - value))
        low, high = expit(logit(value) - reach), expit(logit(value) + reach)
        return AucLimits(float(low), float(high), f"{method}, logit", note)
    return AucLimits(max(value - z * error, 0.0), min(value + z * error, 1.0), method, note)


def _perfect(value: float, pairs: float, conf_level: float) -> AucLimits:
    inner = (0.5 * (1.0 - conf_level)) ** (1.0 / pairs)
    low, high = (inner, 1.0) if value == 1.0 else (0.0, 1.0 - inner)
    note = (
        f"all pairs are ordered {'rightly' if value == 1.0 else 'wrongly'}, so that the variance "
        f"estimate is 0; the limits are exact ones for {_pairs_text(pairs)}."
    )
    return AucLimits(low, high, "exact, independent pairs", note)


def _pairs_text(pairs: float) -> str:
    return "a single pair" if pairs == 1 else f"{pairs:g} independent pairs"
