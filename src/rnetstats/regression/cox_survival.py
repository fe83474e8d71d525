"""Absolute risk from a Cox model: baseline hazard and survival of new patients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.distributions import normal_quantile
from rnetstats._core.frame import Data, as_frame
from rnetstats.errors import DataError
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.variables import level_text
from rnetstats.kernels.cox_baseline import BaselineHazard, baseline_hazard, cumulative_hazard
from rnetstats.kernels.cox_residuals import FittedCox
from rnetstats.regression.times import times_until
from rnetstats.regression.variables import complete_variable, new_offset

if TYPE_CHECKING:
    from rnetstats.regression.cox_result import CoxResult
    from rnetstats.regression.engine import Engine

__all__ = ["baseline_frame", "follow_up_times", "survival_frame"]


def baseline_frame(fitted: FittedCox, engine: Engine) -> pd.DataFrame:
    """Return the cumulative baseline hazard with all covariates zero.

    Returns
    -------
    DataFrame
        Columns ``stratum, time, cumulative_hazard, survival``, one row an event time.
    """
    steps = baseline_hazard(fitted)
    labels = ("",) if engine.frame.strata is None else engine.frame.strata.labels
    running = pd.Series(steps.hazard).groupby(steps.strata).cumsum().to_numpy()
    with np.errstate(over="ignore"):  # covariates of zero may be far from every patient
        hazard = np.exp(np.log(running) - steps.centre @ steps.coef)
    return pd.DataFrame(
        {
            "stratum": [labels[int(code)] for code in steps.strata],
            "time": steps.times,
            "cumulative_hazard": hazard,
            "survival": np.exp(-hazard),
        }
    )


def survival_frame(
    fit: CoxResult, fitted: FittedCox, data: Data, times: Sequence[float]
) -> pd.DataFrame:
    """Return each new patient's survival probability at each time, with log-scale limits."""
    engine: Engine = fit._need("engine", "A survival probability")
    moments = follow_up_times(times, engine)
    table = as_frame(data)
    X = fit.design.matrix(table)
    steps = baseline_hazard(fitted)
    cumulative, error = cumulative_hazard(
        steps,
        X,
        moments,
        strata=_strata_codes(engine, table, steps),
        offset=new_offset(fit.design, table),
        covariance=engine.covariance,
    )
    assert error is not None
    reach = normal_quantile(fit.options["conf_level"]) * error
    with np.errstate(over="ignore"):
        survival = np.exp(-cumulative)
        low, high = np.exp(-cumulative - reach), np.minimum(np.exp(-cumulative + reach), 1.0)
    count = moments.size
    return pd.DataFrame(
        {
            "row": np.repeat(table.index.to_numpy(), count),
            "time": np.tile(moments, len(table)),
            "survival": survival.ravel(),
            "risk": -np.expm1(-cumulative).ravel(),
            "std_error": (survival * error).ravel(),
            "conf_low": low.ravel(),
            "conf_high": high.ravel(),
        }
    )


def follow_up_times(times: Sequence[float], engine: Engine) -> np.ndarray:
    """Check the times (T,) at which a probability is asked for: within follow-up."""
    outcome = engine.frame.outcome
    assert outcome is not None
    assert outcome.stop is not None
    return times_until(times, outcome.stop, "follow-up ends")


def _strata_codes(engine: Engine, table: pd.DataFrame, steps: BaselineHazard) -> np.ndarray | None:
    """The stratum of each new patient, among those of the fit."""
    strata = engine.frame.strata
    if strata is None:
        return None
    columns = parse_formula(engine.spec.formula).strata
    texts = [_level_texts(table, name) for name in columns]
    if len(columns) == 1:
        labels = texts[0]
    else:
        labels = [
            ", ".join(f"{name}={text}" for name, text in zip(columns, row, strict=True))
            for row in zip(*texts, strict=True)
        ]
    known = {label: code for code, label in enumerate(strata.labels)}
    with_events = set(steps.strata.tolist())
    for position, label in enumerate(labels):
        if label not in known:
            raise DataError(
                f"Row {position + 1} is in stratum {label!r}, which the fit has not seen; it knows "
                f"{', '.join(strata.labels)}."
            )
        if known[label] not in with_events:
            raise DataError(
                f"Row {position + 1} is in stratum {label!r}, which had no event: its baseline "
                "hazard is not estimated."
            )
    return np.array([known[label] for label in labels])


def _level_texts(table: pd.DataFrame, name: str) -> list[str]:
    codes, levels = complete_variable(table, name).as_factor()
    return [level_text(levels[code]) for code in codes]
