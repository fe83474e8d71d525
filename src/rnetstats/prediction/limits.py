"""Risks and their limits from a linear predictor: bootstrap percentiles, or Wald."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from rnetstats._core.distributions import normal_quantile
from rnetstats.formula.variables import Floats
from rnetstats.kernels.cox_baseline import BaselineHazard, cumulative_hazard
from rnetstats.kernels.percentiles import percentile_limits

if TYPE_CHECKING:
    from rnetstats.prediction.model import RiskModel

__all__ = ["Patients", "point_risk", "risk_limits"]

_NUMBERS = 1 << 20  # in one temporary array


@dataclass(frozen=True, slots=True, eq=False)
class Patients:
    """Design X (m, p), offset (m,) and stratum code (m,) of new patients."""

    X: Floats
    offset: Floats
    strata: np.ndarray

    def take(self, rows: np.ndarray | slice) -> Patients:
        """Return some of the patients."""
        return Patients(self.X[rows], self.offset[rows], self.strata[rows])


def point_risk(model: RiskModel, patients: Patients) -> Floats:
    """Return the risk (m,) of a linear model."""
    if model.baseline is None:
        return np.asarray(expit(patients.X @ model.coef + patients.offset))
    base = model.baseline
    eta = (patients.X - base["centre"]) @ model.coef + patients.offset
    with np.errstate(over="ignore"):
        return np.asarray(-np.expm1(-base["hazard"][patients.strata] * np.exp(eta)))


def risk_limits(model: RiskModel, patients: Patients) -> Floats:
    """Return lower and upper limits (2, m) of the risk, missing where the model has none.

    With bootstrap draws, percentiles over them. Else Wald limits: for a logistic model on the
    linear predictor, for a Cox model on the logarithm of the cumulative hazard.
    """
    if model.draws is not None:
        step = max(1, _NUMBERS // len(model.draws))
        parts = [
            _percentiles(model, patients.take(slice(at, at + step)))
            for at in range(0, len(patients.X), step)
        ]
        return np.concatenate(parts, axis=1)
    if model.covariance is None:
        return np.full((2, len(patients.X)), np.nan)
    z = normal_quantile(model.conf_level)
    side = np.array([[-z], [z]])
    if model.baseline is None:
        eta = patients.X @ model.coef + patients.offset
        error = np.sqrt(np.einsum("ij,jk,ik->i", patients.X, model.covariance, patients.X))
        return np.asarray(expit(eta + side * error))
    return _wald_hazard(model, patients, side)


def _wald_hazard(model: RiskModel, patients: Patients, side: Floats) -> Floats:
    base = model.baseline
    assert base is not None
    if base.get("variance") is None:
        return np.full((2, len(patients.X)), np.nan)
    count = len(base["hazard"])
    steps = BaselineHazard(
        times=np.zeros(count),
        strata=np.arange(count),
        hazard=base["hazard"],
        variance=base["variance"],
        mean_hazard=base["mean_hazard"],
        centre=base["centre"],
        coef=model.coef,
    )
    hazard, error = cumulative_hazard(
        steps,
        patients.X,
        [0.0],
        strata=patients.strata,
        offset=patients.offset,
        covariance=model.covariance,
    )
    assert error is not None
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        log_hazard, spread = np.log(hazard[:, 0]), error[:, 0] / hazard[:, 0]
        limits = -np.expm1(-np.exp(log_hazard + side * spread))
    return np.asarray(limits)


def _percentiles(model: RiskModel, patients: Patients) -> Floats:
    assert model.draws is not None
    if model.baseline is None:
        risk = expit(patients.X @ model.draws.T + patients.offset[:, None])
    else:
        assert model.draw_hazard is not None
        eta = (patients.X - model.baseline["centre"]) @ model.draws.T
        eta += patients.offset[:, None]
        with np.errstate(over="ignore", invalid="ignore"):
            cumulative = model.draw_hazard.T[patients.strata] * np.exp(eta)
        risk = -np.expm1(-cumulative)
    return np.stack(percentile_limits(risk.T, model.conf_level))
