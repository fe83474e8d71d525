"""Whether limits of optimism-corrected indices hold the performance that they speak of.

Cohorts are drawn from a known law, a model is fitted to each and validated by the bootstrap; the
truth is how that very model performs in a population large enough for chance not to matter.

References
----------
Noma H, Shinozaki T, Iba K, Teramukai S, Furukawa TA (2021). Confidence intervals of prediction
accuracy measures for multivariable prediction models based on the bootstrap-based optimism
correction methods. Statistics in Medicine 40:5691-5701.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from rnetstats._core.options import choice, draw_count, positive_int
from rnetstats._core.random import resolve_seed
from rnetstats.kernels.calibration import brier, brier_scaled
from rnetstats.kernels.concordance_many import harrell
from rnetstats.kernels.roc import auc
from rnetstats.prediction.risk_model import risk_model
from rnetstats.prediction.validation import validate
from rnetstats.regression.cox import cox
from rnetstats.regression.cox_result import CoxResult
from rnetstats.regression.logistic import LogisticResult, logistic

__all__ = ["SIZES", "CorrectedLimitsStudy", "corrected_limits_study"]


SIZES: Final = {"527 with 181 events": (527, 181), "200 with 60 events": (200, 60)}
INDICES: Final = {
    "binary": ("auc", "brier", "brier_scaled"),
    "time": ("c",),
}
_SLOPES: Final = np.array([0.6, 0.4, 0.3, 0.5, 0.4, 0.0])  # of x1 to x3 normal, x4 to x6 of 0 and 1
_SHARES: Final = np.array([0.5, 0.3, 0.2])
_COLUMNS: Final = tuple(f"x{j}" for j in range(1, 7))
_LEFT: Final = {"binary": "y", "time": "Surv(time, event)"}
_LARGE: Final = 100_000
_KEPT: Final = ("index", "apparent", "training", "corrected", "conf_low", "conf_high")


@dataclass(frozen=True, eq=False)
class CorrectedLimitsStudy:
    """What was found in the cohorts.

    Attributes
    ----------
    found : DataFrame
        ``index, apparent, training, corrected, conf_low, conf_high, cohort, n_events, true``.
    size, kind : str
    resamples, seed : int
    """

    found: pd.DataFrame
    size: str
    kind: str
    resamples: int
    seed: int

    def summary(self) -> pd.DataFrame:
        """Return a row an index.

        Returns
        -------
        DataFrame
            ``index, cohorts, true`` (mean), ``apparent_error, corrected_error`` (mean less the
            truth), ``corrected_mcse, coverage, coverage_mcse, above, below`` (the share of cohorts
            whose truth lies above or below the limits), ``width`` (median), ``centred``: the
            coverage of limits moved until the mean of the resamples, by whose percentiles they
            are made, falls on the corrected index.
        """
        rows = []
        for index, part in self.found.groupby("index", sort=False):
            above = float((part["true"] > part["conf_high"]).mean())
            below = float((part["true"] < part["conf_low"]).mean())
            coverage, n = 1.0 - above - below, len(part)
            gap = part["corrected"] - part["true"]
            moved = part["true"] + part["training"] - part["apparent"]
            centred = (part["conf_low"] <= moved) & (moved <= part["conf_high"])
            rows.append(
                {
                    "index": index,
                    "cohorts": n,
                    "true": float(part["true"].mean()),
                    "apparent_error": float((part["apparent"] - part["true"]).mean()),
                    "corrected_error": float(gap.mean()),
                    "corrected_mcse": float(gap.std(ddof=1) / np.sqrt(n)),
                    "coverage": coverage,
                    "coverage_mcse": float(np.sqrt(coverage * (1.0 - coverage) / n)),
                    "above": above,
                    "below": below,
                    "width": float((part["conf_high"] - part["conf_low"]).median()),
                    "centred": float(centred.mean()),
                }
            )
        return pd.DataFrame(rows)


def corrected_limits_study(
    size: str,
    kind: str,
    *,
    replicates: int = 300,
    resamples: int = 200,
    patients: int = _LARGE,
    seed: int | None = None,
) -> CorrectedLimitsStudy:
    """Validate a model in each of many drawn cohorts, and see whether the limits hold the truth.

    Parameters
    ----------
    size : {"527 with 181 events", "200 with 60 events"}
        Numbers of events are right in expectation, not fixed.
    kind : {"binary", "time"}
        Logistic regression (Firth, FLIC), or Cox regression (maximum likelihood).
    replicates, resamples : int
        Cohorts, and bootstrap resamples in each.
    patients : int
        Of the population.
    seed : int, optional

    Raises
    ------
    OptionError
        If an option is not allowed.
    """
    choice("size", size, tuple(SIZES))
    choice("kind", kind, tuple(INDICES))
    total = draw_count("replicates", replicates, minimum=2)
    drawn = resolve_seed(seed)
    n, events = SIZES[size]
    seeds = np.random.SeedSequence(drawn).generate_state(total + 1, np.uint32)
    level = _level(kind, events / n)
    population = _draw(kind, level, positive_int("patients", patients), int(seeds[-1]))
    parts = []
    for k in range(total):
        cohort = _draw(kind, level, n, int(seeds[k]))
        fit = _fit(kind, cohort)
        table = validate(
            fit, resamples=resamples, indices=INDICES[kind], seed=int(seeds[k])
        ).to_frame()
        true = _performance(fit, population)
        parts.append(
            table[list(_KEPT)].assign(
                cohort=k,
                n_events=float(cohort["y" if kind == "binary" else "event"].sum()),
                true=table["index"].map(true),
            )
        )
    return CorrectedLimitsStudy(
        pd.concat(parts, ignore_index=True), size, kind, int(resamples), drawn
    )


def _draw(kind: str, level: float, patients: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=(patients, 3)), rng.random((patients, 3)) < _SHARES])
    data = pd.DataFrame(x, columns=list(_COLUMNS))
    eta, u = level + x @ _SLOPES, rng.random(patients)
    if kind == "binary":
        return data.assign(y=(u < 1.0 / (1.0 + np.exp(-eta))).astype(int))
    time, left = -np.log(u) / np.exp(eta), rng.uniform(1.0, 10.0, patients)
    return data.assign(time=np.minimum(time, left), event=(time <= left).astype(int))


def _level(kind: str, share: float) -> float:
    """Find the intercept (or log hazard) that gives a share of events, by bisection."""
    low, high = -8.0, 4.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        found = _draw(kind, middle, 20_000, 1)["y" if kind == "binary" else "event"].mean()
        low, high = (middle, high) if found < share else (low, middle)
    return 0.5 * (low + high)


def _fit(kind: str, data: pd.DataFrame) -> LogisticResult | CoxResult:
    formula = f"{_LEFT[kind]} ~ {' + '.join(_COLUMNS)}"
    if kind == "binary":
        return logistic(data, formula, ci="wald")
    return cox(data, formula, penalty=None, ci="wald")


def _performance(fit: LogisticResult | CoxResult, population: pd.DataFrame) -> dict[str, float]:
    """How a model does in the population."""
    if isinstance(fit, CoxResult):
        predictor = fit.design.matrix(population) @ fit.coef.to_numpy()
        time, event = population["time"].to_numpy(), population["event"].to_numpy() == 1
        return {"c": float(harrell(time, event, predictor[None], None)[0])}
    model = risk_model(fit)
    risk = 1.0 / (1.0 + np.exp(-(model.design.matrix(population) @ model.coef)))
    y = population["y"].to_numpy(dtype=np.float64)
    found = {"auc": auc(y, risk), "brier": brier(y, risk), "brier_scaled": brier_scaled(y, risk)}
    return {name: float(values[0]) for name, values in found.items()}
