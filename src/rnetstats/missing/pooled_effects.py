"""Effects and standardised risks of a pooled model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from rnetstats.errors import OptionError
from rnetstats.formatting import fmt_percent
from rnetstats.missing.fitted import counted_notes
from rnetstats.missing.rubin import Pooled, pool_numbers
from rnetstats.regression.effects import EffectResult, contrasts, effect_result
from rnetstats.regression.logistic import LogisticResult
from rnetstats.regression.risks import (
    RisksResult,
    averaging_notes,
    level_note,
    mean_risks,
    separation_note,
    values_compared,
)
from rnetstats.regression.variables import known

if TYPE_CHECKING:
    from rnetstats.missing.pooled_result import PooledResult

__all__ = ["pooled_effect", "pooled_risks"]

METHOD = "g-formula, delta method, Rubin's rules"

_NUMBERS = ("estimate", "conf_low", "conf_high", "std_error", "p_value")


def pooled_effect(
    fit: PooledResult,
    variable: str,
    *,
    values: Sequence[Any] | None,
    reference: Any,
    at: Mapping[str, Any] | None,
) -> EffectResult:
    """Pool each contrast of the linear predictor; see :meth:`PooledResult.effect`."""
    wanted = contrasts(fit, variable, values=values, reference=reference, at=at)
    rows = wanted.rows
    variances = np.einsum("ij,mjk,ik->mi", rows, fit.covariances, rows)
    pooled = pool_numbers(fit.coefs @ rows.T, np.maximum(variances, 0.0), fit.dfcom)
    return effect_result(
        fit,
        wanted,
        pooled.estimate,
        pooled.std_error,
        pooled.limits(fit.options["conf_level"]),
        notes=(f"The logarithms of the ratios are pooled by Rubin's rules. {_missing(pooled)}",),
    )


def pooled_risks(
    fit: PooledResult, variable: str, *, values: Sequence[Any] | None, reference: Any
) -> RisksResult:
    """Pool the standardised risks of each fit; see :meth:`PooledResult.risks`.

    A risk is pooled as its logit, a ratio as its logarithm, a difference as it is: the scales on
    which a single fit's limits are built.
    """
    known(fit.variables, variable)
    fits = _logistic(fit)
    grid, base = values_compared(fit.variables, variable, values, reference)
    each = [one.risks(variable, values=grid, reference=grid[base]) for one in fits]
    table, pooled = _pooled_table([one.risks for one in each], fit.dfcom, fit.options["conf_level"])
    shares = [mean_risks(one._need("engine", "A risk"), one.coef.to_numpy()) for one in fits]
    predicted, observed = np.mean(shares, axis=0).tolist()
    averaged = np.concatenate([one.risks["estimate"][: len(grid)] for one in each])
    return RisksResult(
        risks=table,
        label=each[0].label,
        outcome=each[0].outcome,
        n=float(np.mean([one.n for one in each])),
        synthetic=fit.synthetic,
        notes=(
            *averaging_notes(averaged, "as observed or imputed"),
            "Risks are pooled by Rubin's rules on the logit scale, ratios on the log scale, and "
            "differences as they are: the last digit of a difference or ratio may not be that of "
            f"the risks shown. {_missing(pooled)}",
            *counted_notes([separation_note(one) for one in fits]),
            *level_note(predicted, observed),
        ),
        options={"variable": variable, "conf_level": fit.options["conf_level"]},
    )


def _logistic(fit: PooledResult) -> list[LogisticResult]:
    """Return the fits, which must be logistic models."""
    fits = fit._need("fits", "A standardised risk")
    found = [one for one in fits if isinstance(one, LogisticResult)]
    if len(found) < len(fits):
        raise OptionError(
            f"Standardised risks come from logistic models; these fits are {fit.model}. effect() "
            "gives ratios from any model, adjusted_survival() risks at a time from each data set."
        )
    return found


def _pooled_table(
    tables: Sequence[pd.DataFrame], dfcom: float, conf_level: float
) -> tuple[pd.DataFrame, Pooled]:
    """Pool tables of the same rows; also return the numbers on the scales of pooling."""
    measure = tables[0]["measure"].to_numpy()
    risk, ratio = measure == "risk", measure == "risk ratio"
    shown = np.array([table["estimate"] for table in tables], dtype=float)
    error = np.array([table["std_error"] for table in tables], dtype=float)
    estimate = shown.copy()
    with np.errstate(divide="ignore", invalid="ignore"):  # a risk of 0 or 1: no limits, noted
        estimate[:, risk] = logit(shown[:, risk])
        error[:, risk] /= shown[:, risk] * (1.0 - shown[:, risk])
        estimate[:, ratio] = np.log(shown[:, ratio])
    usable = (np.isfinite(estimate) & np.isfinite(error)).all(axis=0)
    pooled = pool_numbers(estimate[:, usable], error[:, usable] ** 2, dfcom)
    columns = {name: np.full(len(measure), np.nan) for name in _NUMBERS}
    columns["estimate"] = shown.mean(axis=0)
    numbers = (pooled.estimate, *pooled.limits(conf_level), pooled.std_error, pooled.p_value)
    for name, number in zip(_NUMBERS, numbers, strict=True):
        columns[name][usable] = number
    for name in ("estimate", "conf_low", "conf_high"):
        column = columns[name]
        column[risk & usable] = expit(column[risk & usable])
        column[ratio & usable] = np.exp(column[ratio & usable])
    level = columns["estimate"][risk]
    columns["std_error"][risk] *= level * (1.0 - level)
    columns["p_value"][risk] = np.nan  # of the logit being 0, which nobody asked for
    return tables[0].assign(**columns, method=METHOD), pooled


def _missing(pooled: Pooled) -> str:
    """Say how much information is missing."""
    return (
        "Limits are by the t distribution; the fraction of missing information is up to "
        f"{fmt_percent(float(pooled.fmi.max(initial=0.0)), 0)}."
    )
