"""The probability of a residual above which surgery is better than surveillance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.options import real
from rnetstats.errors import OptionError
from rnetstats.studies.management.threshold_inputs import (
    MORTALITY,
    QUANTITIES,
    Given,
    Inputs,
    read_range,
)
from rnetstats.studies.management.threshold_result import ThresholdResult
from rnetstats.studies.management.vocabulary import ADVICE

__all__ = ["ThresholdResult", "treatment_threshold"]

Range = float | Sequence[float]


def treatment_threshold(
    *,
    fatal: Range,
    fatal_within: float,
    efficacy: Range,
    operative_mortality: Range,
    utility_loss: Range,
    death_rate: Range | None = None,
    death_probability: Range | None = None,
    life_expectancy: Range | None = None,
    horizon: float | None = None,
    probability: Range | None = None,
) -> ThresholdResult:
    """Ask how probable a residual must be before surgery is better than surveillance.

    All inputs are the caller's; none has a default. Each is a number or a range, ``(low, high)``
    or ``(low, central, high)``, and the result is the range of thresholds that these leave, drawn
    as a region. It is no answer for a patient.

    Parameters
    ----------
    fatal : float or range
        Probability that a residual under surveillance, with whatever treatment surveillance leads
        to, is the cause of death within ``fatal_within`` years, were there no other.
    fatal_within : float
        Years.
    efficacy : float or range
        Share of residuals that surgery removes.
    operative_mortality : float or range
        Probability.
    utility_loss : float or range
        Share of the utility of each later year that surgery costs (a stoma, its complications).
    death_rate, death_probability, life_expectancy : float or range
        Mortality from other causes, exactly one of these: deaths a year, the probability of death
        within a year (a life table's q), or the years of life expected without the tumour.
    horizon : float, optional
        Years that count; a lifetime by default.
    probability : float or range, optional
        The caller's probability of a residual; drawn beside the threshold, nothing more.

    Returns
    -------
    ThresholdResult

    Raises
    ------
    OptionError
        If an input is missing, given twice, outside what it can be, or a range is not in order.

    Notes
    -----
    With a constant hazard ``m`` of other deaths and ``l`` of death from a residual, ``Y(h)`` the
    expected years at hazard h, ``r = Y(m + l) / Y(m)`` and ``s = (1 - operative_mortality)(1 -
    utility_loss)``, surveillance is worth r with a residual and 1 without; surgery
    ``s (efficacy + (1 - efficacy) r)`` and s. Setting the expectations equal gives

    ``threshold = (1 - s) / ((1 - r) (1 - s (1 - efficacy)))``.

    Without a horizon ``1 - r = l / (m + l)``: the threshold grows in proportion to ``1 + m / l``,
    which is what competing mortality does. Above 1 no probability is high enough: it is infinite.
    It is monotone in every input, so that its extremes over the ranges stand at two corners; these
    are exact. Hazards are taken as constant; in old age the true one rises, so that a life
    expectancy is the safer input than a yearly rate.

    References
    ----------
    Pauker SG, Kassirer JP (1975). Therapeutic decision making: a cost-benefit analysis. N Engl J
    Med 293:229-234. Pauker SG, Kassirer JP (1980). The threshold approach to clinical decision
    making. N Engl J Med 302:1109-1117. Beck JR, Kassirer JP, Pauker SG (1982). A convenient
    approximation of life expectancy (the "DEALE"). Am J Med 73:883-888.

    Examples
    --------
    >>> import rnetstats as rn
    >>> found = rn.treatment_threshold(  # numbers made up for the example
    ...     fatal=(0.2, 0.6), fatal_within=10, efficacy=(0.8, 0.95),
    ...     operative_mortality=(0.01, 0.05), utility_loss=(0.02, 0.1), life_expectancy=(8, 12),
    ... )
    >>> found.glance()[["threshold_low", "threshold", "threshold_high"]].round(3)
       threshold_low  threshold  threshold_high
    0           0.06      0.294             inf
    """
    mortality = {
        "death_rate": death_rate,
        "death_probability": death_probability,
        "life_expectancy": life_expectancy,
    }
    inputs = _inputs(
        {
            **_one_of(mortality),
            "operative_mortality": operative_mortality,
            "utility_loss": utility_loss,
            "efficacy": efficacy,
            "fatal": fatal,
        },
        fatal_within=real("fatal_within", fatal_within, low=0.0, closed=False),
        horizon=math.inf if horizon is None else real("horizon", horizon, low=0.0, closed=False),
    )
    expected = _probability(probability)
    values = [inputs.corner(highest=False), inputs.central(), inputs.corner(highest=True)]
    low, central, high = (float(inputs.threshold(at)) for at in values)
    return ThresholdResult(
        inputs=_input_table(inputs),
        tornado=_tornado(inputs),
        threshold_low=low,
        threshold=central,
        threshold_high=high,
        fatal_within=inputs.fatal_within,
        horizon=inputs.horizon,
        probability_low=expected.low if expected else math.nan,
        probability_high=expected.high if expected else math.nan,
        notes=_notes(inputs, (low, central, high)),
        options={name: [g.low, g.central, g.high] for name, g in inputs.given.items()},
    )


def _one_of(mortality: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in mortality.items() if value is not None}
    if len(told) != 1:
        said = f"{' and '.join(told)} are given" if told else "none is given"
        raise OptionError(
            f"Mortality from other causes is given by exactly one of {', '.join(MORTALITY)}; "
            f"{said}. There is no default: take it from a life table for the patient's age."
        )
    return told


def _inputs(values: dict[str, Any], *, fatal_within: float, horizon: float) -> Inputs:
    given = {name: read_range(name, values[name]) for name in QUANTITIES if name in values}
    return Inputs(given, fatal_within, horizon)


def _probability(value: Any) -> Given | None:
    """Read the caller's probability of a residual."""
    if value is None:
        return None
    numbers = [value] if np.ndim(value) == 0 else list(value)
    if len(numbers) not in (1, 2):
        raise OptionError("probability must be a number or (low, high).")
    checked = [real("probability", one, low=0.0, high=1.0) for one in numbers]
    if checked != sorted(checked):
        raise OptionError(f"probability={tuple(checked)} is not in order, from low to high.")
    return Given(checked[0], checked[0], checked[-1])


def _input_table(inputs: Inputs) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "input": name,
                "label": QUANTITIES[name].label
                + (f" within {inputs.fatal_within:g} years" if name == "fatal" else ""),
                "unit": QUANTITIES[name].unit,
                "low": given.low,
                "central": given.central,
                "high": given.high,
            }
            for name, given in inputs.given.items()
        ]
    )


def _tornado(inputs: Inputs) -> pd.DataFrame:
    """Return the threshold with one input at each end of its range, the others central."""
    rows = []
    for name, given in inputs.given.items():
        if not given.ranges:
            continue
        ends = inputs.threshold({**inputs.central(), name: np.array([given.low, given.high])})
        rows.append(
            {
                "input": name,
                "low": given.low,
                "high": given.high,
                "threshold_at_low": float(ends[0]),
                "threshold_at_high": float(ends[1]),
            }
        )
    columns = ["input", "low", "high", "threshold_at_low", "threshold_at_high"]
    table = pd.DataFrame(rows, columns=columns)
    # an infinite threshold is drawn, and sorted, as one of 1
    shown = table[columns[3:]].clip(upper=1.0)
    spread = (shown.iloc[:, 1] - shown.iloc[:, 0]).abs()
    return table.iloc[spread.argsort(kind="stable")[::-1]].reset_index(drop=True)


def _notes(inputs: Inputs, thresholds: tuple[float, float, float]) -> tuple[str, ...]:
    notes = ["Every input is the caller's; hazards are taken as constant."]
    chosen = [name for name, given in inputs.given.items() if given.middle_chosen]
    if chosen:
        notes.append(f"Central values chosen as the middle of the range: {', '.join(chosen)}.")
    if any(math.isinf(value) for value in thresholds):
        notes.append(
            "An infinite threshold: there even a certain residual does not make surgery better."
        )
    if any(math.isnan(value) for value in thresholds):
        notes.append(
            "A missing threshold: there surgery neither harms nor helps, and there is none."
        )
    return (*notes, ADVICE)
