"""The nomogram of a risk model: points for each value, and the risk of their total.

The variable with the widest effect spans 100 points. Variables joined by an interaction have one
axis for each combination of the others' levels; two numeric variables that interact have none.

References
----------
Iasonos A, Schrag D, Raj GV, Panageas KS (2008). How to build and interpret a nomogram for cancer
prognosis. J Clin Oncol 26:1364-1370.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit

from rnetstats._core.frame import Data, as_frame, column
from rnetstats._core.options import real
from rnetstats._core.result import Result
from rnetstats.errors import DataError, OptionError
from rnetstats.formatting import fmt_number, inside
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.variables import Floats, level_text
from rnetstats.prediction.nomogram_axes import Axis, variable_axes
from rnetstats.prediction.nomogram_ticks import percent, round_risks, tick_texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rnetstats.prediction.model import RiskModel

__all__ = ["NomogramResult", "nomogram"]

_TOTALS = 1000  # intervals, at least, of the table from total points to risk
_STEP = 0.1  # of the linear predictor, at most, from one to the next
_MOST = 50_000  # of them in all, for a range that no risk can tell apart


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NomogramResult(Result):
    """A nomogram; see :mod:`rnetstats.prediction.nomogram`.

    Attributes
    ----------
    table : DataFrame
        Columns ``axis, term, given, kind, value, points, tick``: a row a value of an axis.
        ``value`` is a number or a level, ``given`` the levels for which the axis holds, ``tick``
        the mark's text ("" between marks).
    totals : DataFrame
        Columns ``points, linear_predictor, risk``, over all totals that can occur.
    axes : tuple of dict
        The axes: ``component, variable, given, kind, label``.
    outcome : str
    horizon : float or None
    """

    table: pd.DataFrame
    totals: pd.DataFrame
    axes: tuple[dict[str, Any], ...]
    outcome: str
    horizon: float | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return the points of each value (a copy)."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: axes, largest total, and the risks at both ends."""
        ends = self.totals.iloc[[0, -1]]
        return pd.DataFrame(
            [
                {
                    "outcome": self.outcome,
                    "horizon": self.horizon,
                    "axes": len(self.axes),
                    "total_points": float(ends["points"].iloc[1]),
                    "risk_low": float(ends["risk"].iloc[0]),
                    "risk_high": float(ends["risk"].iloc[1]),
                }
            ]
        )

    def display(self) -> pd.DataFrame:
        """Return the points of the marked values, and totals with their risks, as text."""
        marked = self.table[self.table["tick"] != ""]
        rows = [
            {
                "axis": self.axes[int(row["axis"])]["label"],
                "value": row["tick"],
                "points": fmt_number(row["points"], 1),
            }
            for row in marked.to_dict("records")
        ]
        rows += [
            {"axis": "Risk", "value": tick, "points": f"total {fmt_number(points, 1)}"}
            for tick, points in self.risk_ticks()
        ]
        return pd.DataFrame(rows)

    def risk_ticks(self) -> list[tuple[str, float]]:
        """Return round risks within reach, each with its total points."""
        points, risk = self.totals["points"].to_numpy(), self.totals["risk"].to_numpy()
        inside = round_risks(float(risk[0]), float(risk[-1]))
        at = np.interp(inside, risk, points)
        return [(percent(p), float(x)) for p, x in zip(inside, at, strict=True)]

    def read(self, data: Data) -> pd.DataFrame:
        """Read the chart for patients: ``points`` and ``risk``, interpolated between values.

        Parameters
        ----------
        data : DataFrame or mapping of columns
            Patients inside the model's domain.

        Raises
        ------
        ColumnError
            If a variable is absent.
        DataError
            If a value is on no axis.
        """
        frame = as_frame(data)
        total = np.zeros(len(frame))
        done = np.zeros((len({axis["component"] for axis in self.axes}), len(frame)), dtype=bool)
        for place, axis in enumerate(self.axes):
            here = np.ones(len(frame), dtype=bool)
            for name, value in axis["given"].items():
                same = column(frame, name) == value
                here &= same.fillna(False).to_numpy(dtype=bool)
            part = self.table[self.table["axis"] == place]
            found = _read_axis(axis, part, column(frame, axis["variable"]))
            here &= np.isfinite(found)
            total[here] += found[here]
            done[axis["component"], here] = True
        lacking = np.flatnonzero(~done.all(axis=0))
        if lacking.size:
            raise DataError(f"Row {lacking[0] + 1} has a value that is on no axis.")
        risk = np.interp(total, self.totals["points"], self.totals["risk"])
        return pd.DataFrame({"points": total, "risk": risk}, index=frame.index)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the points chart."""
        from rnetstats.plots.nomogram import nomogram_chart
        from rnetstats.plots.style import marked

        horizon = "" if self.horizon is None else f" by {self.horizon:g}"
        axes = nomogram_chart(
            self.table,
            labels=[axis["label"] for axis in self.axes],
            totals=self.totals,
            risk_ticks=self.risk_ticks(),
            risk_label=f"Risk of {inside(self.outcome)}{horizon}",
            ax=ax,
        )
        return marked(axes, self.synthetic)


def nomogram(model: RiskModel, *, points: float = 100.0) -> NomogramResult:
    """Return the nomogram of a risk model.

    Parameters
    ----------
    model : RiskModel
        Linear; without offset and strata.
    points : float
        Of the widest axis.

    Raises
    ------
    OptionError
        If the model is not linear, has an offset, strata or two interacting numbers, or a range
        is not known.
    """
    span = real("points", points, low=0.0, closed=False)
    if model.coef.size == 0:
        raise OptionError("An estimator that is not linear has no nomogram.")
    if parse_formula(model.design.formula).offsets:
        raise OptionError("An offset has no axis in a nomogram; use predict().")
    if model.baseline is not None and len(model.baseline["labels"]) > 1:
        raise OptionError("Strata have a risk axis each, which is no nomogram; use predict().")
    axes = variable_axes(model)
    if not axes:
        raise OptionError("The model has no variable to draw.")
    components = sorted({axis.component for axis in axes})
    low = np.array([min(a.effect.min() for a in axes if a.component == c) for c in components])
    high = np.array([max(a.effect.max() for a in axes if a.component == c) for c in components])
    widest = float((high - low).max())
    if widest == 0.0:
        raise OptionError("All coefficients are zero: there is nothing to draw.")
    scale = span / widest
    reach = float((high - low).sum())
    intervals = max(_TOTALS, int(np.ceil(min(reach / _STEP, _MOST))))
    total = np.linspace(0.0, reach, intervals + 1)
    predictor = _start(model) + float(low.sum()) + total
    return NomogramResult(
        table=pd.concat(
            [
                _axis_table(i, axis, (axis.effect - low[axis.component]) * scale)
                for i, axis in enumerate(axes)
            ],
            ignore_index=True,
        ),
        totals=pd.DataFrame(
            {
                "points": total * scale,
                "linear_predictor": predictor,
                "risk": _risk(model, predictor),
            }
        ),
        axes=tuple(
            {
                "component": axis.component,
                "variable": axis.variable,
                "given": axis.given,
                "kind": axis.kind,
                "label": _label(model, axis),
            }
            for axis in axes
        ),
        outcome=model.event,
        horizon=model.horizon,
        synthetic=model.synthetic,
        notes=(
            "A nomogram shows each variable over its own range; whether values occur together is "
            "for predict() to say.",
        ),
        options={"points": span},
    )


def _start(model: RiskModel) -> float:
    """The linear predictor, or log cumulative hazard, of columns that are all zero."""
    if model.baseline is None:
        return float(model.coef[0])
    return float(np.log(model.baseline["hazard"][0]) - model.baseline["centre"] @ model.coef)


def _risk(model: RiskModel, predictor: Floats) -> Floats:
    if model.baseline is None:
        return np.asarray(expit(predictor))
    return np.asarray(-np.expm1(-np.exp(predictor)))


def _label(model: RiskModel, axis: Axis) -> str:
    name = model.label(axis.variable)
    if not axis.given:
        return name
    given = ", ".join(f"{model.label(k)} = {level_text(v)}" for k, v in axis.given.items())
    return f"{name} ({given})"


def _axis_table(place: int, axis: Axis, points: Floats) -> pd.DataFrame:
    given = ", ".join(f"{name} = {level_text(value)}" for name, value in axis.given.items())
    return pd.DataFrame(
        {
            "axis": place,
            "term": axis.variable,
            "given": given,
            "kind": axis.kind,
            "value": pd.Series(axis.values, dtype=object),
            "points": points,
            "tick": tick_texts(axis.kind, axis.values, axis.effect),
        }
    )


def _read_axis(axis: dict[str, Any], part: pd.DataFrame, given: pd.Series) -> Floats:
    """Points of each patient on one axis, missing where the value is not on it."""
    points = part["points"].to_numpy(dtype=float)
    if axis["kind"] == "levels":
        known = dict(zip(part["value"], points, strict=True))
        return np.array([known.get(value, np.nan) for value in given.tolist()], dtype=float)
    # what is no number is on no axis
    x = pd.to_numeric(given, errors="coerce").to_numpy(dtype=float)
    values = part["value"].to_numpy(dtype=float)
    found = np.interp(x, values, points)
    return np.where((x < values[0]) | (x > values[-1]), np.nan, found)
