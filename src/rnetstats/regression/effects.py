"""The adjusted effect of one variable over its values, from any regression model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.distributions import normal_quantile
from rnetstats._core.result import Result
from rnetstats.errors import ConvergenceError, OptionError
from rnetstats.formatting import fmt_interval, fmt_number
from rnetstats.regression.variables import checked_value, checked_values, known

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rnetstats.regression.model import RegressionResult

__all__ = ["EffectResult", "partial_effect"]

_POINTS = 101


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class EffectResult(Result):
    """The effect of a variable against a reference value.

    Attributes
    ----------
    effects : DataFrame
        Columns ``value, estimate, conf_low, conf_high, coef, std_error``.
    variable, label, measure : str
    reference : number or str
    numeric : bool
    """

    effects: pd.DataFrame
    variable: str
    label: str
    measure: str
    reference: Any
    numeric: bool

    def to_frame(self) -> pd.DataFrame:
        """Return the effects, one row a value (a copy)."""
        return self.effects.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: variable, reference, range of the estimate."""
        return pd.DataFrame(
            [
                {
                    "variable": self.variable,
                    "reference": self.reference,
                    "measure": self.measure,
                    "lowest": self.effects["estimate"].min(),
                    "highest": self.effects["estimate"].max(),
                }
            ]
        )

    def display(self) -> pd.DataFrame:
        """Return up to eleven rows as text."""
        step = max(1, (len(self.effects) - 1) // 10)
        shown = self.effects.iloc[::step]
        return pd.DataFrame(
            {
                self.label: [
                    fmt_number(v) if self.numeric else str(v) for v in shown["value"].tolist()
                ],
                self.measure: [fmt_number(v) for v in shown["estimate"]],
                f"{100 * self.options['conf_level']:g} % CI": [
                    fmt_interval(low, high)
                    for low, high in zip(shown["conf_low"], shown["conf_high"], strict=True)
                ],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the curve with its band (numeric), or points with limits (factor)."""
        from rnetstats.plots.effects import effect_curve, effect_points
        from rnetstats.plots.style import marked

        draw = effect_curve if self.numeric else effect_points
        axes = draw(
            self.effects,
            label=self.label,
            measure=self.measure,
            reference=self.reference,
            conf_level=self.options["conf_level"],
            ax=ax,
        )
        return marked(axes, self.synthetic)


def partial_effect(
    fit: RegressionResult,
    variable: str,
    *,
    values: Sequence[Any] | None = None,
    reference: Any = None,
    at: Mapping[str, Any] | None = None,
) -> EffectResult:
    """Contrast the linear predictor at each value with that at the reference value.

    Other variables are held where ``at`` has them, or at their typical value (median, reference
    level): without interactions with ``variable`` the contrast does not depend on them.

    Raises
    ------
    OptionError
        If ``at`` names the variable itself, or a value that the model cannot have.
    ConvergenceError
        If a coefficient of the variable is infinite.
    """
    held = _held(fit, variable, at)
    typical = {name: about["typical"] for name, about in fit.variables.items()} | held
    numeric = not fit.variables[variable]["values"]
    grid = _grid(fit, variable, values)
    if reference is None:
        reference = typical[variable]
    else:
        reference = checked_value(fit.variables, variable, reference)
    base = {name: [value] * (len(grid) + 1) for name, value in typical.items()}
    base[variable] = [*grid, reference]
    X = fit.design.matrix(base)
    contrast = X[:-1] - X[-1]
    coef = fit.coefficients["coef"].to_numpy()
    used = np.flatnonzero(np.any(contrast != 0.0, axis=0))
    if not np.isfinite(coef[used]).all():
        raise ConvergenceError(
            f"The effect of {variable!r} is infinite (separation). Use penalty='firth'."
        )
    part = contrast[:, used]
    value = part @ coef[used]
    covariance = fit.covariance[np.ix_(used, used)]
    error = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", part, covariance, part), 0.0))
    reach = normal_quantile(fit.options["conf_level"]) * error
    measure = str(fit.coefficients["measure"].iloc[-1])
    with np.errstate(over="ignore"):  # far outside the data a ratio may be infinite
        ratios = [np.exp(value), np.exp(value - reach), np.exp(value + reach)]
    frame = pd.DataFrame(
        {
            "value": grid,
            **dict(zip(("estimate", "conf_low", "conf_high"), ratios, strict=True)),
            "coef": value,
            "std_error": error,
        }
    )
    return EffectResult(
        effects=frame,
        variable=variable,
        label=fit.labels.get(variable, variable),
        measure=measure,
        reference=reference,
        numeric=numeric,
        synthetic=fit.synthetic,
        notes=_notes(fit, variable, held),
        options={"conf_level": fit.options["conf_level"], "variable": variable, "at": held},
    )


def _held(fit: RegressionResult, variable: str, at: Mapping[str, Any] | None) -> dict[str, Any]:
    """The values at which ``at`` holds other variables."""
    if at is None:
        return {}
    if not isinstance(at, Mapping):
        raise OptionError(f"at must map other variables to values, not {at!r}.")
    if variable in at:
        raise OptionError(
            f"at holds other variables; where {variable!r} itself is looked at, values says."
        )
    for name in at:
        known(fit.variables, name)
    return {name: checked_value(fit.variables, name, value) for name, value in at.items()}


def _grid(fit: RegressionResult, variable: str, values: Sequence[Any] | None) -> list[Any]:
    if values is not None:
        return checked_values(fit.variables, variable, values)
    about = fit.variables[variable]
    if about["values"]:
        return list(about["values"])
    return [float(v) for v in np.linspace(about["low"], about["high"], _POINTS)]


def _notes(fit: RegressionResult, variable: str, held: Mapping[str, Any]) -> tuple[str, ...]:
    notes = ["The limits are pointwise and Wald: each holds for one value, not for the curve."]
    partners = [
        t.name for t in fit.design.terms if t.kind == "interaction" and variable in t.variables
    ]
    if partners:
        others = {v for t in fit.design.terms if t.name in partners for v in t.variables}
        fixed = [f"{name} at {held[name]}" for name in held if name in others]
        rest = others - {variable} - set(held)
        fixed += ["the other variables at their median or reference level"] if rest else []
        notes.append(
            f"{variable} takes part in {', '.join(partners)}: the effect is shown with "
            f"{' and '.join(fixed)}."
        )
    return tuple(notes)
