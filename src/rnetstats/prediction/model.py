"""A model of absolute risk: predictions inside its domain, equation, nomogram, JSON."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data
from rnetstats._core.options import positive_int
from rnetstats._core.result import Result
from rnetstats.errors import RnetError
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.spec import Spec
from rnetstats.formula.terms import Condition
from rnetstats.prediction.model_sources import ModelSources
from rnetstats.prediction.predict import predicted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rnetstats.prediction.foreign import Foreign
    from rnetstats.prediction.nomogram import NomogramResult

__all__ = ["RiskModel"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RiskModel(ModelSources, Result):
    """A model of absolute risk; see :func:`rnetstats.prediction.risk_model.risk_model`.

    Attributes
    ----------
    outcome : str
        The event, as the formula names it.
    spec : dict
        The design, enough to make its columns for new patients.
    coef : array of shape (p,)
        Log odds ratios with the intercept first, or log hazard ratios; empty for an estimator
        that is not linear.
    variables : dict
        Of each column needed: ``low`` and ``high``, or its ``values``, and a ``typical`` one.
    labels : dict
        Printed name of each variable and term.
    method, limits : str
        How the risk, and its limits, were estimated.
    covariance : array of shape (p, p) or None
    draws : array of shape (B, p) or None
        Coefficients of bootstrap resamples.
    baseline : dict or None
        Of a Cox model: cumulative hazard at the horizon of a patient at ``centre``, by stratum,
        and each stratum's events by then.
    draw_hazard : array of shape (B, S) or None
        The same in each resample.
    horizon : float or None
        The time by which the risk is meant; None for a binary outcome.
    leverage : dict or None
        ``inverse`` (q, q) and ``largest``: the joint domain.
    summary : dict
        Counts behind the model.
    fingerprint : str
        A mark of the rows of the fit, from which they cannot be read; "" if unknown.
    performance : dict or None
        A validation's summary, attached by :meth:`with_performance`.
    thin : tuple of dict
        Levels with fewer than 5 of the rarer outcome (of a time, events by the horizon): there are
        no limits by resampling there, and without any none by Wald.
    estimator : Foreign or None
        What predicts, of a model made by :meth:`from_estimator` that is not linear; never written.
    """

    outcome: str
    spec: dict[str, Any]
    coef: np.ndarray
    variables: dict[str, dict[str, Any]]
    labels: dict[str, str] = field(default_factory=dict)
    method: str = ""
    limits: str = ""
    covariance: np.ndarray | None = None
    draws: np.ndarray | None = None
    baseline: dict[str, Any] | None = None
    draw_hazard: np.ndarray | None = None
    horizon: float | None = None
    leverage: dict[str, Any] | None = None
    summary: dict[str, Any] = field(default_factory=dict)
    fingerprint: str = ""
    performance: dict[str, dict[str, float]] | None = None
    thin: tuple[dict[str, Any], ...] = ()
    estimator: Foreign | None = field(default=None, metadata={"rows": True})

    def __post_init__(self) -> None:
        if self.estimator is not None and self.coef.size == 0:
            return
        p = len(self.design.columns)
        if np.shape(self.coef) != (p,) or not np.isfinite(self.coef).all():
            raise RnetError(f"A risk model of {p} columns needs {p} finite coefficients.")
        if (self.baseline is None) != self.design.intercept:
            raise RnetError("A risk model has either an intercept or a baseline hazard.")
        if self.draws is not None and np.shape(self.draws)[1:] != (p,):
            raise RnetError(
                f"The draws of a risk model of {p} columns have {p} columns each, not the shape "
                f"{np.shape(self.draws)}."
            )
        if self.covariance is not None and np.shape(self.covariance) != (p, p):
            raise RnetError(f"The covariance of a risk model of {p} columns is {p} by {p}.")

    @cached_property
    def design(self) -> Spec:
        """The frozen design, rebuilt from ``spec``."""
        return Spec.from_dict(self.spec)

    @property
    def conf_level(self) -> float:
        """The level of the limits."""
        return float(self.options.get("conf_level", 0.95))

    @property
    def event(self) -> str:
        """The event in words: its column's label, or the condition."""
        left = parse_formula(f"{self.outcome} ~ 1").outcome
        assert left is not None
        if isinstance(left.event, Condition):
            return left.event.comparison
        return self.label(left.event.column)

    def label(self, name: str) -> str:
        """Return the printed name of a term or variable."""
        return self.labels.get(name, name)

    def predict(self, data: Data, *, outside: str = "raise") -> pd.DataFrame:
        """Return the risk of new patients.

        Parameters
        ----------
        data : DataFrame or mapping of columns
            The model's variables, one row a patient.
        outside : {"raise", "flag", "extrapolate"}
            What to do with a patient outside the model's domain: refuse all, saying why; give no
            risk, the reason beside; or compute the risk, the warning beside.

        Returns
        -------
        DataFrame
            Columns ``risk, conf_low, conf_high, in_domain, reason``, with the index of ``data``.
            The domain is that of each variable and of all together (by leverage). ``reason`` also
            says where a risk is given without limits, its level having too few events.

        Raises
        ------
        ColumnError
            If a variable is absent or of another type.
        DataError
            If a patient is outside the domain (``"raise"``), or if a value is missing or a level
            unknown (``"raise"`` and ``"extrapolate"``).
        OptionError
            If ``outside`` is none of the three.
        """
        return predicted(self, data, outside)

    def equation(self, digits: int = 10) -> str:
        """Return the model in words: every coefficient, and how the risk comes of them.

        Parameters
        ----------
        digits : int
            Significant digits; the pieces of a spline have as many more as their sum needs.

        Raises
        ------
        OptionError
            If the digits are no whole number of at least 1.
        """
        from rnetstats.prediction.equation import equation

        return equation(self, positive_int("digits", digits))

    def nomogram(self, *, points: float = 100.0) -> NomogramResult:
        """Return the points chart of the model; see :mod:`rnetstats.prediction.nomogram`.

        Raises
        ------
        OptionError
            If the points are no number above 0, or the model is one that a chart cannot show.
        """
        from rnetstats.prediction.nomogram import nomogram

        return nomogram(self, points=points)

    def with_performance(self, performance: Mapping[str, Mapping[str, float]]) -> Self:
        """Return the model with a validation's summary attached.

        Parameters
        ----------
        performance : mapping
            Of each index, such as ``"auc"``, numbers by name: ``apparent``, ``corrected``,
            ``conf_low``, ``conf_high``, and the ``conf_level`` of these limits; of a time the
            ``horizon`` too.

        Raises
        ------
        OptionError
            If it is no such mapping, or is of risks by another horizon than the model's.
        """
        from rnetstats.prediction.model_file import checked_performance

        return replace(self, performance=checked_performance(performance, self.horizon))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a JSON file, whole or not at all.

        Raises
        ------
        OutputError
            If the model cannot be written as JSON, or the file system refuses.
        """
        from rnetstats.prediction.model_file import save

        save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a model that :meth:`save` wrote, in this version or an earlier one.

        Raises
        ------
        ReadError
            If the file cannot be read or holds no RiskModel.
        """
        from rnetstats.prediction.model_file import load

        return load(cls, path)

    def to_dict(self) -> dict[str, Any]:
        """Return the model as strict JSON types, without patient rows.

        Raises
        ------
        OutputError
            If it stands on an estimator that is not linear.
        """
        if self.estimator is not None:
            self.estimator.refuse_to_write()
        return super().to_dict()

    @classmethod
    def _rebuilt(cls, stored: Mapping[str, Any]) -> Self:
        """Make a model of what :meth:`to_dict` wrote, whose every part predictions can use."""
        from rnetstats.prediction.stored_model import check_stored

        model = super()._rebuilt(stored)
        check_stored(model)
        return model

    def to_frame(self) -> pd.DataFrame:
        """Return one row a coefficient: ``term, level, coef, measure, estimate``."""
        from rnetstats.prediction.model_tables import coefficient_table

        return coefficient_table(self)

    def glance(self) -> pd.DataFrame:
        """Return one row: outcome, horizon, method, limits, counts."""
        head = {"outcome": self.outcome, "horizon": self.horizon, "method": self.method}
        return pd.DataFrame([{**head, "limits": self.limits, **self.summary}])

    def display(self) -> pd.DataFrame:
        """Return the coefficients and the domain as text."""
        from rnetstats.prediction.model_tables import model_display

        return model_display(self)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the nomogram."""
        return self.nomogram().plot(ax=ax)
