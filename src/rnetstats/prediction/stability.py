"""Stability: how much a model's predictions would differ had other patients been sampled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.frame import Data, as_frame, is_synthetic_data
from rnetstats._core.options import choice, draw_count, level
from rnetstats._core.random import chunk_generators, resolve_seed
from rnetstats.errors import OptionError, TooFewEventsError
from rnetstats.kernels.percentiles import percentile_limits
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.prediction.judges import Judge, judge_of
from rnetstats.prediction.refit import Refit, replicate_seeds
from rnetstats.prediction.stability_result import StabilityResult
from rnetstats.prediction.validation_notes import stability_notes
from rnetstats.prediction.validation_rows import made_of_all, refit_of
from rnetstats.prediction.validation_tables import inner_thresholds

__all__ = ["StabilityResult", "stability"]

Floats = NDArray[np.float64]
_CURVES = 100  # curves that are drawn
_THRESHOLDS = np.arange(1, 50) / 50.0


def stability(
    model: Any,
    data: Data | None = None,
    *,
    resamples: int = 500,
    time: float | None = None,
    thresholds: Any = None,
    intercept: str = "flic",
    conf_level: float = 0.95,
    seed: int | None = None,
) -> StabilityResult:
    """Ask how far the predictions for the same patients move when the model is made again.

    Parameters
    ----------
    model : LogisticResult, CoxResult, Recipe or callable
        As in :func:`rnetstats.validate`; a recipe is repeated whole.
    data : DataFrame, optional
    resamples : int
        Models made of bootstrap resamples.
    time : float, optional
        Horizon of a survival model, which needs one.
    thresholds : sequence of float, optional
        For classification and net benefit; by default .02 to .98.
    intercept : {"flic", "model"}
    conf_level : float
        Of the limits around each patient's risk.
    seed : int, optional

    Returns
    -------
    StabilityResult

    Raises
    ------
    OptionError
        If an option is not allowed, or a survival model has no horizon.
    ColumnError, DataError
        If the data cannot be used.
    TooFewEventsError
        If the data themselves give no model, or no resample does.

    References
    ----------
    Riley RD, Collins GS (2023). Stability of clinical prediction models developed using
    statistical or machine learning methods. Biometrical Journal 65:2200302.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> fit = rn.logistic(cohort, "margin_positive ~ size_mm + nlr + lvi")
    >>> found = rn.stability(fit, resamples=50, seed=1)
    >>> found.glance()[["resamples", "mape", "mape_max", "slope_low", "slope_high"]].round(2)
       resamples  mape  mape_max  slope_low  slope_high
    0         50  0.03       0.1      -1.59        2.98
    """
    resamples = draw_count("resamples", resamples, minimum=2)
    conf_level = level(conf_level)
    choice("intercept", intercept, ("flic", "model"))
    seed = resolve_seed(seed)
    limits = inner_thresholds(_THRESHOLDS if thresholds is None else thresholds)
    refit = refit_of(model, data, time, intercept)
    judge = judge_of(refit.outcome, refit.horizon)
    if not judge.has_curves:
        raise OptionError("A survival model gives risks by a horizon: name it, time=.")
    own = made_of_all(refit, seed).risk.mean(axis=0)  # over the imputations
    risks, predictors, failed, lost = _models(refit, resamples, seed)
    if not len(risks):
        raise TooFewEventsError(f"None of {resamples} resamples gave a model.")
    low, high = percentile_limits(risks, conf_level)
    mape = np.abs(risks - own).mean(axis=0)
    slopes = judge.indices(risks, predictors, None)[:, judge.names.index("slope")]
    slopes = slopes[np.isfinite(slopes)]
    return StabilityResult(
        summary={
            "n": refit.n,
            "n_events": int(judge.events.sum()),
            "resamples": resamples,
            "n_failed": failed,
            "n_lost_term": lost,
            "mape": float(mape.mean()),
            "mape_max": float(mape.max()),
            "width_median": float(np.median(high - low)),
            "slope_low": float(slopes.min()) if slopes.size else np.nan,
            "slope_high": float(slopes.max()) if slopes.size else np.nan,
        },
        classification_table=_classification(own, risks, limits),
        calibration_table=_curves(judge, own, risks),
        benefit_table=_benefit(judge, own, risks, limits),
        patient_table={
            "risk": own,
            "conf_low": low,
            "conf_high": high,
            "mape": mape,
        },
        notes=stability_notes(refit, judge, failed, lost),
        options={
            "formula": refit.formula,
            "resamples": resamples,
            "time": time,
            "intercept": intercept,
            "conf_level": conf_level,
        },
        seed=seed,
        synthetic=bool(getattr(model, "synthetic", False))
        or (data is not None and is_synthetic_data(as_frame(data))),
    )


def _models(refit: Refit, resamples: int, seed: int) -> tuple[Floats, Floats, int, int]:
    """Return the risks and predictors (B, n) of the resampled models, and what was lost."""
    risks, predictors, lost = [], [], 0
    for part, rng in chunk_generators(seed, resamples):
        drawn = bootstrap_counts(rng, refit.n, part.stop - part.start, cluster=refit.cluster)
        counts = drawn.astype(np.float64)
        made = refit.again(counts, replicate_seeds(seed, np.arange(part.start, part.stop)))
        risks.append(made.risk[made.usable])
        predictors.append(made.predictor[made.usable])
        lost += int((made.lost & made.usable).sum())
    together = np.concatenate(risks)
    return together, np.concatenate(predictors), resamples - len(together), lost


def _classification(risk: Floats, risks: Floats, thresholds: Floats) -> dict[str, Any]:
    changed = np.array([((risks >= t) != (risk >= t)).mean(axis=0) for t in thresholds])
    return {
        "threshold": thresholds,
        "instability": changed.mean(axis=1),
        "unstable": (changed > 0.1).mean(axis=1),
    }


def _curves(judge: Judge, own: Floats, risks: Floats) -> dict[str, Any]:
    low, high = np.quantile(own, [0.01, 0.99])
    if high <= low:
        return {}
    grid = np.linspace(low, high, 31)
    models = np.concatenate([own[None], risks[:_CURVES]])
    observed = judge.curve(models, None, grid)
    return {
        "model": np.repeat(np.arange(len(models)), grid.size),
        "predicted": np.tile(grid, len(models)),
        "observed": observed.ravel(),
    }


def _benefit(judge: Judge, own: Floats, risks: Floats, thresholds: Floats) -> dict[str, Any]:
    models = np.concatenate([own[None], risks[:_CURVES]])
    found = judge.net_benefit(models, None, thresholds)
    return {
        "model": np.repeat(np.arange(len(models)), thresholds.size),
        "threshold": np.tile(thresholds, len(models)),
        "net_benefit": found.ravel(),
    }
