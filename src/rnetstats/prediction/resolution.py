"""Whether a printed cut-off can come from values of a given resolution.

A cut-off found on data is an observed value, the midpoint of two neighbouring ones, or the mean of
two such that are equally good. Values in steps of 0.5 thus give multiples of 0.25, or of 0.125:
14.75 or 14.875, but not 14.89.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import gcd, lcm
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.options import real
from rnetstats._core.result import Result
from rnetstats.errors import DataError, OptionError
from rnetstats.formula.variables import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["CutResolution", "cut_resolution"]

KINDS = ("observed value", "midpoint", "mean of two midpoints")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CutResolution(Result):
    """What a cut-off could be, given how the values were recorded.

    Attributes
    ----------
    table : DataFrame
        ``candidate, basis, value, distance, agrees``: the nearest observed value, midpoint of
        neighbours and mean of two midpoints by the values (basis "data"), and the nearest
        multiple of the step, of its half and of its quarter (basis "step"). ``agrees`` says
        whether the value, rounded as the cut-off is printed, is the cut-off.
    cut : str
        As printed.
    step : float
        Smallest step of the values, or as stated.
    below, above : float
        Neighbouring values on the two sides of the cut-off; missing where there is none.
    possible : bool
        Whether any candidate agrees.
    sentence : str
    label : str
    """

    table: pd.DataFrame
    cut: str
    step: float
    below: float
    above: float
    possible: bool
    sentence: str
    label: str = "Value"

    def to_frame(self) -> pd.DataFrame:
        """Return the candidates nearest to the cut-off."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the cut-off, its neighbours, and whether it is possible."""
        return pd.DataFrame(
            [
                {
                    "cut": float(self.cut),
                    "step": self.step,
                    "below": self.below,
                    "above": self.above,
                    "possible": self.possible,
                }
            ]
        )

    def display(self) -> pd.DataFrame:
        """Return the candidates as text."""
        return pd.DataFrame(
            {
                "Candidate": self.table["candidate"],
                "By": self.table["basis"],
                "Nearest": [f"{value:.10g}" for value in self.table["value"]],
                f"Is {self.cut}": ["yes" if agrees else "no" for agrees in self.table["agrees"]],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the candidates beside the cut-off."""
        from rnetstats.plots.cutpoint import cut_candidates
        from rnetstats.plots.style import marked

        axes = cut_candidates(self.table, cut=float(self.cut), label=self.label, ax=ax)
        return marked(axes, self.synthetic)

    def labelled(self, label: str, synthetic: bool) -> CutResolution:
        """Return the same with the marker's label."""
        return replace(self, label=label, synthetic=synthetic)


def cut_resolution(
    values: ArrayLike | None, cut: float | str, *, step: float | None = None
) -> CutResolution:
    """Say whether a printed cut-off can come from values recorded in such steps.

    Parameters
    ----------
    values : array of shape (n,) or None
        The measured values; None judges by the step alone.
    cut : float or str
        As printed; a text keeps its trailing zeros, that is how far it was rounded.
    step : float, optional
        The smallest step of the measurement, such as 0.5; by default that of the values.

    Returns
    -------
    CutResolution

    Raises
    ------
    OptionError
        If the cut-off is no number, the step is not above 0, or there are neither values nor a
        step.
    DataError
        If the values are not finite numbers, or not all are multiples of the stated step.

    Examples
    --------
    Sizes recorded in half millimetres cannot have a cut-off of 14.89.

    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> found = rn.cut_resolution(cohort["size_mm"], 14.89)
    >>> found.to_frame()[["candidate", "basis", "value", "agrees"]]
                   candidate basis   value  agrees
    0         observed value  data  15.000   False
    1               midpoint  data  15.250   False
    2  mean of two midpoints  data  14.875   False
    3         observed value  step  15.000   False
    4               midpoint  step  15.000   False
    5  mean of two midpoints  step  14.875   False
    """
    text, exact, half_digit = _printed(cut)
    if values is None and step is None:
        raise OptionError("Give the values, or the step of the measurement, as in step=0.5.")
    known = None if values is None else _numbers(values)
    unit = _step(known, step)
    candidates = [] if known is None else _by_data(known, float(exact))
    candidates += [
        (kind, "step", float(round(exact / part) * part))
        for kind, part in zip(KINDS, (unit, unit / 2, unit / 4), strict=True)
    ]
    near = float(half_digit) * (1.0 + 1e-9) + 1e-12
    table = pd.DataFrame(candidates, columns=["candidate", "basis", "value"])
    table["distance"] = (table["value"] - float(exact)).abs()
    table["agrees"] = table["distance"] <= near
    judged = table if known is None else table[table["basis"] == "data"]
    possible = bool(judged["agrees"].any())
    below, above = _neighbours(known, float(exact), unit)
    return CutResolution(
        table=table,
        cut=text,
        step=float(unit),
        below=below,
        above=above,
        possible=possible,
        sentence=_sentence(text, unit, below, above, judged, possible),
        options={"cut": text, "step": step},
        notes=(_sentence(text, unit, below, above, judged, possible),),
    )


def _printed(cut: Any) -> tuple[str, Fraction, Fraction]:
    """Return the cut-off's text, its value, and half a unit of its last digit."""
    try:
        number = Decimal(cut.strip() if isinstance(cut, str) else repr(float(cut)))
    except (InvalidOperation, TypeError, ValueError):
        raise OptionError(f"cut={cut!r} is no number.") from None
    if not number.is_finite():
        raise OptionError(f"cut={cut!r} is no finite number.")
    digits = number.as_tuple().exponent
    assert isinstance(digits, int)
    if not isinstance(cut, str) and number == number.to_integral_value():
        number, digits = number.to_integral_value(), 0
    return f"{number:f}", Fraction(number), Fraction(10) ** digits / 2


def _numbers(values: ArrayLike) -> Floats:
    try:
        known = np.asarray(values, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        raise DataError("The values of which the resolution is asked must be numbers.") from None
    known = known[~np.isnan(known)]
    if not known.size or not np.isfinite(known).all():
        raise DataError("The values must be finite numbers, and at least one.")
    return np.unique(known)


def _step(known: Floats | None, step: float | None) -> Fraction:
    """The stated step, or the largest step of which all values are multiples."""
    if step is not None:
        unit = Fraction(repr(real("step", step, low=0.0, closed=False)))
        if known is not None:
            ratio = known / float(unit)
            wrong = np.abs(ratio - np.round(ratio)) > 1e-6
            if wrong.any():
                raise DataError(
                    f"{known[wrong][0]:.10g} is no multiple of step={step:g}; "
                    "leave step out to take that of the values."
                )
        return unit
    assert known is not None
    parts = [Fraction(repr(round(value, 9))) for value in known.tolist() if value != 0.0]
    if not parts:
        return Fraction(1)
    below = lcm(*(part.denominator for part in parts))
    return Fraction(gcd(*(int(part * below) for part in parts)), below)


def _by_data(known: Floats, cut: float) -> list[tuple[str, str, float]]:
    """The nearest observed value, midpoint of neighbours, and mean of two midpoints."""
    middles = (known[:-1] + known[1:]) / 2.0
    found = [(KINDS[0], "data", _nearest(known, cut))]
    if middles.size:
        found.append((KINDS[1], "data", _nearest(middles, cut)))
    if middles.size > 1:
        # The nearest mean of two midpoints: each one's best partner is next to its mirror image.
        place = np.searchsorted(middles, 2.0 * cut - middles)
        partners = [middles[np.clip(place + k, 0, middles.size - 1)] for k in (-1, 0)]
        means = np.concatenate([(middles + partner) / 2.0 for partner in partners])
        found.append((KINDS[2], "data", _nearest(means, cut)))
    return found


def _nearest(values: Floats, cut: float) -> float:
    return float(values[np.argmin(np.abs(values - cut))])


def _neighbours(known: Floats | None, cut: float, unit: Fraction) -> tuple[float, float]:
    """The values next to the cut-off on its two sides."""
    if known is None:
        lower = float((Fraction(repr(cut)) // unit) * unit)
        return lower, lower + float(unit)
    low, high = known[known <= cut], known[known > cut]
    return (
        float(low[-1]) if low.size else float("nan"),
        float(high[0]) if high.size else float("nan"),
    )


def _sentence(
    cut: str, unit: Fraction, below: float, above: float, judged: pd.DataFrame, possible: bool
) -> str:
    recorded = f"The values are recorded in steps of {float(unit):g}"
    if possible:
        kind = judged.loc[judged["agrees"], "candidate"].iloc[0]
        which = f"an {kind}" if kind == KINDS[0] else f"a {kind} of such values"
        return f"{recorded}; {cut} can be {which}."
    between = ""
    if np.isfinite(below) and np.isfinite(above):
        between = (
            f" The neighbours {below:.10g} and {above:.10g} have the midpoint "
            f"{(below + above) / 2.0:.10g}."
        )
    return (
        f"{recorded}: {cut} is neither an observed value, nor the midpoint of two neighbouring "
        f"values, nor the mean of two such midpoints.{between} It cannot have been found on "
        "values recorded like these."
    )
