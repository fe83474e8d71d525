"""The result of a threshold analysis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.options import choice
from rnetstats._core.result import Result
from rnetstats.errors import OptionError, closest
from rnetstats.formatting import MISSING, fmt_number, fmt_percent
from rnetstats.studies.management.threshold_inputs import QUANTITIES, Given, Inputs
from rnetstats.studies.management.threshold_model import Floats
from rnetstats.studies.management.vocabulary import ADVICE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ThresholdResult"]

_POINTS, _FINE = 201, 501  # along a line, and along each side of a surface


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ThresholdResult(Result):
    """Thresholds over ranges of inputs; see :func:`rnetstats.treatment_threshold`.

    Attributes
    ----------
    inputs : DataFrame
        ``input, label, unit, low, central, high``, as given.
    tornado : DataFrame
        ``input, low, high, threshold_at_low, threshold_at_high``: one input at an end of its
        range, the others central; the widest first.
    threshold_low, threshold, threshold_high : float
        Lowest over all ranges together, at the central values, and highest; infinite where no
        probability is high enough.
    fatal_within, horizon : float
        Years.
    probability_low, probability_high : float
        The caller's probability of a residual; missing if not told.
    """

    inputs: pd.DataFrame
    tornado: pd.DataFrame
    threshold_low: float
    threshold: float
    threshold_high: float
    fatal_within: float
    horizon: float
    probability_low: float = math.nan
    probability_high: float = math.nan

    @property
    def _inputs(self) -> Inputs:
        given = {
            str(name): Given(float(low), float(central), float(high))
            for name, low, central, high in zip(
                *(self.inputs[part] for part in ("input", "low", "central", "high")), strict=True
            )
        }
        return Inputs(given, self.fatal_within, self.horizon)

    def at(self, **values: Any) -> Floats:
        """Return the threshold at other values of inputs, those not named at their central value.

        Parameters
        ----------
        **values : float or array
            By the names in ``inputs``; arrays broadcast together. They are taken as they are.

        Returns
        -------
        array

        Raises
        ------
        OptionError
            If there is no such input.
        """
        inputs = self._inputs
        for name in values:
            if name not in inputs.given:
                raise OptionError(
                    f"There is no input {name!r} here.{closest(name, inputs.given)} The inputs "
                    f"are: {', '.join(inputs.given)}."
                )
        return inputs.threshold({**inputs.central(), **values})

    def to_frame(self) -> pd.DataFrame:
        """Return one row an input, with the thresholds at the ends of its range."""
        ends = self.tornado[["input", "threshold_at_low", "threshold_at_high"]]
        table = self.inputs.merge(ends, on="input", how="left")
        # an input without a range has one threshold
        for name in ("threshold_at_low", "threshold_at_high"):
            table[name] = table[name].where(table["low"] < table["high"], self.threshold)
        return table

    def glance(self) -> pd.DataFrame:
        """Return one row: the thresholds, and the caller's probability."""
        return pd.DataFrame(
            {
                "threshold_low": [self.threshold_low],
                "threshold": self.threshold,
                "threshold_high": self.threshold_high,
                "probability_low": self.probability_low,
                "probability_high": self.probability_high,
                "horizon": self.horizon,
            }
        )

    def display(self) -> pd.DataFrame:
        """Return inputs and thresholds as text; the last row says what they are for."""
        rows = [
            {
                "Input": row["label"],
                "Unit": row["unit"],
                "Range": _range(row["low"], row["high"]),
                "Central": fmt_number(row["central"], 3),
                "Threshold over its range": _between(
                    row["threshold_at_low"], row["threshold_at_high"]
                ),
            }
            for row in self.to_frame().to_dict("records")
        ]
        rows.append(
            {
                "Input": "All together",
                "Unit": "probability of a residual",
                "Range": MISSING,
                "Central": _share(self.threshold),
                "Threshold over its range": _between(self.threshold_low, self.threshold_high),
            }
        )
        rows.append({**dict.fromkeys(rows[0], ""), "Input": ADVICE})
        return pd.DataFrame(rows)

    def region(self, along: str | None = None) -> pd.DataFrame:
        """Return the threshold against one input, over the ranges of all others.

        Parameters
        ----------
        along : str, optional
            An input; mortality from other causes by default. One without a range is moved from
            nearly none to twice its value, within what it can be.

        Returns
        -------
        DataFrame
            The input by its name, and ``threshold_low, threshold, threshold_high``.

        Raises
        ------
        OptionError
            If there is no such input.
        """
        inputs = self._inputs
        name = inputs.mortality if along is None else choice("along", along, list(inputs.given))
        x = self._points(inputs.given[name], name)
        lowest, highest = inputs.corner(highest=False), inputs.corner(highest=True)
        ways: Mapping[str, Mapping[str, float]] = {
            "threshold_low": lowest,
            "threshold": inputs.central(),
            "threshold_high": highest,
        }
        found = {way: inputs.threshold({**at, name: x}) for way, at in ways.items()}
        return pd.DataFrame({name: x, **found})

    def _points(self, given: Given, name: str, count: int = _POINTS) -> Floats:
        if given.ranges:
            return np.linspace(given.low, given.high, count)
        top = min(2.0 * given.central, QUANTITIES[name].high) or 1.0
        inside = np.linspace(0.0, top, count + 1)[1:]
        return inside[inside < 1.0] if QUANTITIES[name].high_open and top == 1.0 else inside

    def plot(self, ax: Axes | None = None, *, along: str | None = None) -> Axes:
        """Draw the thresholds against one input as a region: which action is better where.

        Parameters
        ----------
        ax : Axes, optional
        along : str, optional
            As in :meth:`region`.
        """
        from rnetstats.plots.threshold import threshold_region

        region = self.region(along)
        name = str(region.columns[0])
        row = self.inputs.set_index("input").loc[name]
        return threshold_region(
            region.rename(columns={name: "x"}),
            x_label=f"{row['label']} ({row['unit']})",
            probability=(self.probability_low, self.probability_high),
            ax=ax,
        )

    def plot_tornado(self, ax: Axes | None = None) -> Axes:
        """Draw how far each input's range alone moves the threshold."""
        from rnetstats.plots.threshold import threshold_tornado

        if self.tornado.empty:
            raise OptionError("No input has a range, so there is nothing to compare.")
        labels = dict(zip(self.inputs["input"], self.inputs["label"], strict=True))
        bars = self.tornado.assign(label=self.tornado["input"].map(labels))
        return threshold_tornado(bars, central=self.threshold, ax=ax)

    def plot_two_way(self, first: str, second: str, ax: Axes | None = None) -> Axes:
        """Draw contours of the threshold over the ranges of two inputs, the others central.

        Parameters
        ----------
        first, second : str
            Inputs, along the horizontal and the vertical axis.
        ax : Axes, optional

        Raises
        ------
        OptionError
            If there is no such input, or both are the same.
        """
        from rnetstats.plots.threshold import threshold_contours

        inputs = self._inputs
        choice("first", first, list(inputs.given))
        choice("second", second, list(inputs.given))
        if first == second:
            raise OptionError(f"first and second are both {first!r}; name two inputs.")
        x, y = (self._points(inputs.given[name], name, _FINE) for name in (first, second))
        surface = inputs.threshold({**inputs.central(), first: x[None, :], second: y[:, None]})
        rows = self.inputs.set_index("input")
        labels = [f"{rows['label'][n]!s} ({rows['unit'][n]!s})" for n in (first, second)]
        return threshold_contours(x, y, surface, x_label=labels[0], y_label=labels[1], ax=ax)


def _share(value: float) -> str:
    return "none high enough" if math.isinf(value) else fmt_percent(value)


def _range(low: float, high: float) -> str:
    return fmt_number(low, 3) if low == high else f"{fmt_number(low, 3)} to {fmt_number(high, 3)}"


def _between(one: float, other: float) -> str:
    low, high = min(one, other), max(one, other)
    return _share(low) if low == high else f"{_share(low)} to {_share(high)}"
