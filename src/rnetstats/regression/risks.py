"""Standardised risks, risk differences and risk ratios from a logistic model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from rnetstats._core.distributions import normal_quantile, two_sided_p
from rnetstats._core.result import Result
from rnetstats.errors import ConvergenceError, OptionError
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p, fmt_percent
from rnetstats.regression.logistic_ways import binary_outcome
from rnetstats.regression.variables import checked_value, checked_values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rnetstats.regression.engine import Engine
    from rnetstats.regression.logistic import LogisticResult

__all__ = [
    "RisksResult",
    "averaging_notes",
    "level_note",
    "mean_risks",
    "separation_note",
    "standardised_risks",
    "values_compared",
]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RisksResult(Result):
    """Standardised risks of an outcome at each value of a variable.

    Attributes
    ----------
    risks : DataFrame
        Columns ``variable, value, reference, measure, estimate, conf_low, conf_high, std_error,
        p_value, method``. ``measure`` is ``risk``, ``risk difference`` or ``risk ratio``; the
        standard error of a ratio is that of its logarithm.
    label, outcome : str
    n : float
        Patients over whom the risk is averaged.
    """

    risks: pd.DataFrame
    label: str
    outcome: str
    n: float

    def to_frame(self) -> pd.DataFrame:
        """Return the risks, differences and ratios (a copy)."""
        return self.risks.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: variable, reference, number of patients averaged over."""
        first = self.risks.iloc[0]
        return pd.DataFrame(
            [{"variable": first["variable"], "reference": first["reference"], "n": self.n}]
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text, risks and differences in per cent."""
        rows = []
        for row in self.risks.to_dict("records"):
            share = row["measure"] != "risk ratio"
            scale = 100.0 if share else 1.0
            digits = 1 if share else 2
            rows.append(
                {
                    self.label: _plain(row["value"]),
                    "measure": row["measure"],
                    "estimate": fmt_percent(row["estimate"])
                    if share
                    else fmt_number(row["estimate"]),
                    f"{100 * self.options['conf_level']:g} % CI": fmt_interval(
                        scale * row["conf_low"], scale * row["conf_high"], digits
                    ),
                    "P": fmt_p(row["p_value"]),
                }
            )
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the standardised risk at each value with its limits."""
        from rnetstats.plots.effects import risk_points
        from rnetstats.plots.style import marked

        shown = self.risks[self.risks["measure"] == "risk"]
        axes = risk_points(
            shown,
            label=self.label,
            outcome=self.outcome,
            conf_level=self.options["conf_level"],
            ax=ax,
        )
        return marked(axes, self.synthetic)


def standardised_risks(
    fit: LogisticResult,
    engine: Engine,
    covariates: dict[str, Any],
    variable: str,
    *,
    values: Sequence[Any] | None,
    reference: Any,
) -> RisksResult:
    """Average the model's risk over all patients, each given each value in turn.

    The g-formula with the model's covariates as observed; standard errors by the delta method
    on the covariance of the coefficients. Limits of a risk are built on the logit scale, of a
    ratio on the log scale, of a difference as it is.

    References
    ----------
    Localio AR, Margolis DJ, Berlin JA (2007). Relative risks and confidence intervals were easily
    computed indirectly from multivariable logistic regression. J Clin Epidemiol 60:874-882.
    """
    coef = fit.coefficients["coef"].to_numpy()
    if not np.isfinite(coef).all():
        raise ConvergenceError(
            f"The coefficient of {fit._first_infinite()} is infinite (separation): standardised "
            "risks need penalty='firth'."
        )
    grid, base = values_compared(fit.variables, variable, values, reference)
    weight = engine.patient_weights / engine.patient_weights.sum()
    risk = np.empty(len(grid))
    gradient = np.empty((len(grid), coef.size))
    for k, value in enumerate(grid):
        X = fit.design.matrix({**covariates, variable: np.full(engine.frame.n, value)})
        p = expit(X @ coef + engine.offset)
        risk[k] = weight @ p
        gradient[k] = (weight * p * (1.0 - p)) @ X
    frame = _table(variable, grid, base, risk, gradient, fit.covariance, fit.options["conf_level"])
    return RisksResult(
        risks=frame,
        label=fit.labels.get(variable, variable),
        outcome=fit.labels.get(fit.outcome, fit.outcome),
        n=float(engine.patient_weights.sum()),
        synthetic=fit.synthetic,
        notes=(
            *averaging_notes(risk),
            *separation_note(fit),
            *level_note(*mean_risks(engine, coef)),
        ),
        options={"variable": variable, "conf_level": fit.options["conf_level"]},
    )


def values_compared(
    variables: dict[str, dict[str, Any]],
    variable: str,
    values: Sequence[Any] | None,
    reference: Any,
) -> tuple[list[Any], int]:
    """Return the values to compare, and the place of the reference among them.

    Raises
    ------
    OptionError
        With fewer than two, or if a value is none of the variable.
    """
    about = variables[variable]
    if values is not None:
        grid = list(dict.fromkeys(checked_values(variables, variable, values)))
    elif about["values"]:
        grid = list(about["values"])
    else:
        grid = list(dict.fromkeys(about["quartiles"]))
    if reference is not None:
        reference = checked_value(variables, variable, reference)
        grid = grid if reference in grid else [reference, *grid]
    if len(grid) < 2:
        raise OptionError(f"A contrast of {variable!r} needs at least two values; name them.")
    return grid, 0 if reference is None else grid.index(reference)


def _plain(value: Any) -> str:
    """Write a value as the figure does: a quartile may have sixteen digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _p(estimate: float, error: float) -> float:
    return float(two_sided_p(estimate / error)) if error > 0 else float("nan")


def _table(
    variable: str,
    grid: list[Any],
    base: int,
    risk: np.ndarray,
    gradient: np.ndarray,
    covariance: np.ndarray,
    conf_level: float,
) -> pd.DataFrame:
    z = normal_quantile(conf_level)

    def error(vector: np.ndarray) -> float:
        return float(np.sqrt(max(vector @ covariance @ vector, 0.0)))

    rows: list[dict[str, Any]] = []

    def add(k: int, measure: str, est: float, low: float, high: float, se: float, p: float) -> None:
        rows.append(
            {
                "variable": variable,
                "value": grid[k],
                "reference": grid[base],
                "measure": measure,
                "estimate": est,
                "conf_low": low,
                "conf_high": high,
                "std_error": se,
                "p_value": p,
                "method": "g-formula, delta method",
            }
        )

    inside = (risk > 0.0) & (risk < 1.0)  # not so only far outside the data
    for k in range(len(grid)):
        se = error(gradient[k])
        low = high = np.nan
        if inside[k]:
            spread = z * se / (risk[k] * (1.0 - risk[k]))
            low, high = expit(logit(risk[k]) + np.array([-spread, spread]))
        add(k, "risk", risk[k], float(low), float(high), se, float("nan"))
    for k in range(len(grid)):
        if k == base:
            continue
        difference = risk[k] - risk[base]
        se = error(gradient[k] - gradient[base])
        p = _p(difference, se)
        add(k, "risk difference", difference, difference - z * se, difference + z * se, se, p)
        ratio = low = high = se = p = np.nan
        if risk[k] > 0.0 and risk[base] > 0.0:
            se = error(gradient[k] / risk[k] - gradient[base] / risk[base])
            log_ratio = np.log(risk[k]) - np.log(risk[base])
            with np.errstate(over="ignore"):
                ratio, low, high = np.exp(log_ratio + np.array([0.0, -z * se, z * se]))
            p = _p(float(log_ratio), se)
        add(k, "risk ratio", float(ratio), float(low), float(high), se, p)
    return pd.DataFrame(rows)


def separation_note(fit: LogisticResult) -> tuple[str, ...]:
    """Say where limits rest on a penalty."""
    if fit.summary["separation"] == "none":
        return ()
    return (
        "The data are separated: where all, or none, of a group have the event, limits and P "
        "by the delta method rest on the penalty and may be far too narrow. exact_table() "
        "bounds such a group, without adjustment.",
    )


def mean_risks(engine: Engine, coef: np.ndarray) -> tuple[float, float]:
    """Return the mean predicted risk of the patients, and the share who had the event."""
    weight = engine.patient_weights / engine.patient_weights.sum()
    observed = float(weight @ binary_outcome(engine.frame))
    return float(weight @ expit(engine.X @ coef + engine.offset)), observed


def level_note(predicted: float, observed: float) -> tuple[str, ...]:
    """Say where a penalty moves the level of the risks."""
    if abs(predicted - observed) <= 0.1 * min(observed, 1.0 - observed):
        return ()
    return (
        f"The penalty draws risks towards a half: these patients have {fmt_percent(predicted)} "
        f"on average, where {fmt_percent(observed)} had the event. risk_model() re-estimates "
        "the intercept.",
    )


def averaging_notes(risk: np.ndarray, values: str = "as observed") -> tuple[str, ...]:
    """Say what is averaged, over which other ``values``, and where a risk has no limits."""
    averaged = (
        f"Risks are averaged over the patients of the model, their other values {values}; "
        "they are contrasts of predictions, causal only if the model holds every confounder. A "
        "risk by itself has no P."
    )
    if ((risk > 0.0) & (risk < 1.0)).all():
        return (averaged,)
    return (
        averaged,
        "A risk is 0 or 1 to the last digit, far outside the data: it has no limits, and a ratio "
        "to a risk of 0 does not exist (shown as missing).",
    )
