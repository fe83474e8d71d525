"""Absolute risk from a Fine-Gray model: baseline, and cumulative incidence of new patients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.distributions import normal_quantile
from rnetstats._core.frame import Data, as_frame
from rnetstats.kernels.fine_gray_influence import FittedFineGray, influences, row_scores
from rnetstats.regression.cox_survival import follow_up_times
from rnetstats.regression.variables import new_offset

if TYPE_CHECKING:
    from rnetstats.regression.engine import Engine
    from rnetstats.regression.fine_gray_result import FineGrayResult

__all__ = ["baseline_frame", "incidence_frame"]


def baseline_frame(fitted: FittedFineGray) -> pd.DataFrame:
    """Return the cumulative baseline subdistribution hazard, all covariates zero.

    Returns
    -------
    DataFrame
        Columns ``time, cumulative_hazard, incidence``, one row an event time.
    """
    likelihood = fitted.likelihood
    risk = float(np.exp(-likelihood.centre @ fitted.coef))
    hazard = np.cumsum(fitted.hazard) * risk
    return pd.DataFrame(
        {
            "time": likelihood.layout.times,
            "cumulative_hazard": hazard,
            "incidence": -np.expm1(-hazard),
        }
    )


def incidence_frame(
    fit: FineGrayResult, fitted: FittedFineGray, data: Data, times: Sequence[float]
) -> pd.DataFrame:
    """Return each new patient's cumulative incidence at each time, with limits."""
    engine: Engine = fit._need("engine", "A cumulative incidence")
    moments = follow_up_times(times, engine)
    table = as_frame(data)
    likelihood = fitted.likelihood
    matrix = fit.design.matrix(table)
    x = (matrix - likelihood.centre) / likelihood.scale
    reached = np.searchsorted(likelihood.layout.times, moments, side="right")
    baseline = np.append(0.0, np.cumsum(fitted.hazard))[reached]
    eta = x @ (fitted.coef * likelihood.scale) + new_offset(fit.design, table)
    hazard = np.exp(eta)[:, None] * baseline
    error = _log_errors(fit, engine, fitted, x, baseline, reached)
    width = np.exp(normal_quantile(fit.options["conf_level"]) * error)
    eventless = (matrix[:, list(fit.unbounded)] != 0.0).any(axis=1)
    some = (baseline > 0.0) & ~eventless[:, None]
    with np.errstate(invalid="ignore"):
        low, high = -np.expm1(-hazard / width), -np.expm1(-hazard * width)
        spread = np.exp(-hazard) * hazard * error
    count = moments.size
    return pd.DataFrame(
        {
            "row": np.repeat(table.index.to_numpy(), count),
            "time": np.tile(moments, len(table)),
            "incidence": -np.expm1(-hazard).ravel(),
            "std_error": np.where(some, spread, np.nan).ravel(),
            "conf_low": np.where(some, low, np.nan).ravel(),
            "conf_high": np.where(some, high, np.nan).ravel(),
        }
    )


def _log_errors(
    fit: FineGrayResult,
    engine: Engine,
    fitted: FittedFineGray,
    x: np.ndarray,
    baseline: np.ndarray,
    reached: np.ndarray,
) -> np.ndarray:
    """Standard errors (m, T) of the log cumulative hazard, from the rows' influences on it.

    A row moves the coefficients, and with them and by itself the baseline.
    """
    likelihood, known = fitted.likelihood, fit.options["variance"] == "weights-known"
    steps = np.arange(fitted.hazard.size)[:, None] < reached
    s0 = fitted.at.s0[0] * np.exp(fitted.at.shift[0])
    own = influences(
        fitted,
        np.zeros((likelihood.stop.size, reached.size)),
        -(steps / s0[:, None]),
        fitted.hazard,
        weights_known=known,
    )
    scale = likelihood.scale
    moved = row_scores(fitted, weights_known=known) @ engine.model_covariance * scale
    drift = (steps * fitted.hazard[:, None]).T @ fitted.at.mean[0]
    weights = likelihood.freq[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        level = (own - moved @ drift.T) / baseline
    if engine.frame.cluster is not None:
        codes = engine.frame.cluster.codes
        level, moved = (_by_cluster(part * weights[:, None], codes) for part in (level, moved))
        weights = np.ones(len(level))
    constant = weights @ level**2
    cross = (level * weights[:, None]).T @ moved
    square = (moved * weights[:, None]).T @ moved
    variance = constant + 2.0 * x @ cross.T + np.einsum("mi,ij,mj->m", x, square, x)[:, None]
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def _by_cluster(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    sums = np.zeros((int(codes.max()) + 1, values.shape[1]))
    np.add.at(sums, codes, values)
    return sums
