"""The adjusted effect of one variable over its values, from any regression model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from rnetstats._core.distributions import normal_quantile
from rnetstats._core.result import Result
from rnetstats.errors import ConvergenceError, OptionError
from rnetstats.formatting import fmt_interval, fmt_number
from rnetstats.regression.variables import checked_value, checked_values, known

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rnetstats.formula.spec import Spec
    from rnetstats.regression.model import RegressionResult

__all__ = ["Contrasts", "EffectResult", "Modelled", "contrasts", "effect_result", "partial_effect"]

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


class Modelled(Protocol):
    """What an effect needs to know of a model: one fit, or several pooled."""

    @property
    def coefficients(self) -> pd.DataFrame:
        """Coefficients in the shared schema."""

    @property
    def design(self) -> Spec:
        """The frozen design."""

    @property
    def variables(self) -> dict[str, dict[str, Any]]:
        """Of each variable: typical value, levels, range."""

    @property
    def labels(self) -> dict[str, str]:
        """Printed name of each variable."""

    @property
    def options(self) -> dict[str, Any]:
        """Options of the call; ``conf_level`` among them."""

    @property
    def synthetic(self) -> bool:
        """Whether the rows were drawn rather than observed."""


@dataclass(frozen=True, eq=False)
class Contrasts:
    """The values of a variable against a reference value, for coefficients to multiply.

    Attributes
    ----------
    variable : str
    values : list
    reference : number or str
    rows : array of shape (k, p)
        The columns of the design at each value, less those at the reference value.
    held : dict
        Other variables that the caller fixed.
    """

    variable: str
    values: list[Any]
    reference: Any
    rows: np.ndarray
    held: dict[str, Any]


def contrasts(
    fit: Modelled,
    variable: str,
    *,
    values: Sequence[Any] | None = None,
    reference: Any = None,
    at: Mapping[str, Any] | None = None,
) -> Contrasts:
    """Contrast the columns of the design at each value with those at the reference value.

    Other variables are held where ``at`` has them, or at their typical value (median, reference
    level): without interactions with ``variable`` the contrast does not depend on them.

    Raises
    ------
    OptionError
        If the model has no such variable, or ``at`` names the variable itself, or a value is none
        of the model's.
    """
    known(fit.variables, variable)
    held = _held(fit, variable, at)
    typical = {name: about["typical"] for name, about in fit.variables.items()} | held
    grid = _grid(fit, variable, values)
    if reference is None:
        reference = typical[variable]
    else:
        reference = checked_value(fit.variables, variable, reference)
    base = {name: [value] * (len(grid) + 1) for name, value in typical.items()}
    base[variable] = [*grid, reference]
    X = fit.design.matrix(base)
    return Contrasts(variable, grid, reference, X[:-1] - X[-1], held)


def partial_effect(fit: RegressionResult, wanted: Contrasts) -> EffectResult:
    """Return the linear predictor's contrasts as ratios, with Wald limits.

    Raises
    ------
    ConvergenceError
        If a coefficient of the variable is infinite.
    """
    coef = fit.coefficients["coef"].to_numpy()
    used = np.flatnonzero(np.any(wanted.rows != 0.0, axis=0))
    if not np.isfinite(coef[used]).all():
        raise ConvergenceError(
            f"The effect of {wanted.variable!r} is infinite (separation). Use penalty='firth'."
        )
    part = wanted.rows[:, used]
    value = part @ coef[used]
    covariance = fit.covariance[np.ix_(used, used)]
    error = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", part, covariance, part), 0.0))
    reach = normal_quantile(fit.options["conf_level"]) * error
    return effect_result(fit, wanted, value, error, (value - reach, value + reach))


def effect_result(
    fit: Modelled,
    wanted: Contrasts,
    coef: np.ndarray,
    std_error: np.ndarray,
    limits: tuple[np.ndarray, np.ndarray],
    notes: tuple[str, ...] = (),
) -> EffectResult:
    """Return contrasts on the model's scale, (k,), as ratios with their limits.

    ``notes`` stand behind those that every effect has.
    """
    with np.errstate(over="ignore"):  # far outside the data a ratio may be infinite
        ratios = [np.exp(coef), *map(np.exp, limits)]
    variable = wanted.variable
    frame = pd.DataFrame(
        {
            "value": wanted.values,
            **dict(zip(("estimate", "conf_low", "conf_high"), ratios, strict=True)),
            "coef": coef,
            "std_error": std_error,
        }
    )
    return EffectResult(
        effects=frame,
        variable=variable,
        label=fit.labels.get(variable, variable),
        measure=str(fit.coefficients["measure"].iloc[-1]),
        reference=wanted.reference,
        numeric=not fit.variables[variable]["values"],
        synthetic=fit.synthetic,
        notes=(*_notes(fit, variable, wanted.held), *notes),
        options={
            "conf_level": fit.options["conf_level"],
            "variable": variable,
            "at": wanted.held,
        },
    )


def _held(fit: Modelled, variable: str, at: Mapping[str, Any] | None) -> dict[str, Any]:
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


def _grid(fit: Modelled, variable: str, values: Sequence[Any] | None) -> list[Any]:
    if values is not None:
        return checked_values(fit.variables, variable, values)
    about = fit.variables[variable]
    if about["values"]:
        return list(about["values"])
    return [float(v) for v in np.linspace(about["low"], about["high"], _POINTS)]


def _notes(fit: Modelled, variable: str, held: Mapping[str, Any]) -> tuple[str, ...]:
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
