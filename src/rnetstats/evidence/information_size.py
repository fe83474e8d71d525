"""How many patients and events a meta-analysis needs to settle a stated effect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.options import effect_measure, level, positive_int, real
from rnetstats.errors import OptionError
from rnetstats.evidence.information_size_result import InformationSizeResult
from rnetstats.formatting import fmt_number
from rnetstats.kernels.information_size import (
    detectable_risks,
    effect_of,
    required_patients,
    treated_risk,
)

__all__ = ["InformationSizeResult", "information_size"]

Floats = NDArray[np.float64]

MEASURES = ("OR", "RR", "RD")
_AN = {"OR": "An OR", "RR": "An RR", "RD": "An RD"}
_CURVE = 60  # control risks of the figure
_MOST = 1e12


def information_size(
    *,
    measure: str,
    effect: float,
    control_risk: float | Sequence[float],
    diversity: float | Sequence[float] | None = None,
    std_errors: tuple[float, float] | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    allocation: float = 0.5,
    patients: int | None = None,
    events: int | None = None,
) -> InformationSizeResult:
    """Return the information size that a meta-analysis of two risks requires, and what is there.

    Parameters
    ----------
    measure : {"OR", "RR", "RD"}
        What ``effect`` is: an odds ratio, a risk ratio or a risk difference, treated against
        control.
    effect : float
        The smallest effect that would matter. There is no default, and the pooled estimate is not
        one: at it the size only repeats P.
    control_risk : float or sequence of float
        Risks in the control arm, each in (0, 1).
    diversity : float or sequence of float, optional
        D2 (or I2) in [0, 1): the size is divided by 1 - D2. 0 by default, no heterogeneity.
    std_errors : tuple of float, optional
        In place of ``diversity``: the standard errors of the pooled effect in the common-effect
        and in the random-effects model; D2 is 1 less the ratio of their squares.
    alpha, power : float
        Two-sided level of the test, and the chance to find the effect.
    allocation : float
        Share of the patients treated.
    patients, events : int, optional
        What the studies hold already, both arms together.

    Returns
    -------
    InformationSizeResult
        A row each control risk and diversity: patients and events required, the share of them
        that is there, and the effects in both directions that the patients there can show.

    Raises
    ------
    OptionError
        For an option that is not allowed: an effect of none, risks outside (0, 1), a treated risk
        outside (0, 1), diversity not in [0, 1), more events than patients.

    References
    ----------
    Wetterslev J, Thorlund K, Brok J, Gluud C. Trial sequential analysis may establish when firm
    evidence is reached in cumulative meta-analysis. J Clin Epidemiol 2008;61:64-75. Wetterslev J,
    Thorlund K, Brok J, Gluud C. Estimating required information size by quantifying diversity in
    random-effects model meta-analyses. BMC Med Res Methodol 2009;9:86.

    Examples
    --------
    Patients needed to settle whether the odds of incomplete resection are halved, when one in ten
    or one in four of the controls has it, with and without heterogeneity:

    >>> import rnetstats as rn
    >>> needed = rn.information_size(
    ...     measure="OR", effect=0.5, control_risk=[0.1, 0.25], diversity=[0, 0.4], patients=900
    ... )
    >>> columns = ["control_risk", "diversity", "patients", "events", "share_patients"]
    >>> needed.to_frame()[columns].round(2)
       control_risk  diversity  patients  events  share_patients
    0          0.10        0.0       987      76            0.91
    1          0.10        0.4      1644     126            0.55
    2          0.25        0.0       432      85            2.08
    3          0.25        0.4       720     142            1.25
    """
    measure = effect_measure(measure, MEASURES)
    size = _effect(measure, effect)
    control = _grid("control_risk", control_risk, closed=False)
    spread = _diversity(diversity, std_errors)
    share = real("allocation", allocation, low=0.0, high=1.0, closed=False)
    alpha, wanted = level(alpha, "alpha"), level(power, "power")
    if wanted <= alpha:
        raise OptionError(f"power={wanted:g} is no more than alpha={alpha:g}: any effect has it.")
    z = NormalDist().inv_cdf(wanted) - NormalDist().inv_cdf(alpha / 2.0)
    there = _present(patients, events)
    _check_risks(control, size, measure)
    table = size_table(control, spread, measure, size, z, share, there)
    around = _around(control, size, measure, z=z, share=share, diversity=spread.max())
    curve = size_table(around, spread, measure, size, z, share, there)
    return InformationSizeResult(
        table=table,
        curve=curve[["control_risk", "diversity", "patients", "events"]],
        notes=_notes(table, spread, there, measure, std_errors),
        options={
            "measure": measure,
            "effect": size,
            "alpha": alpha,
            "power": wanted,
            "allocation": share,
            "patients": patients,
            "events": events,
        },
    )


def size_table(
    control: Floats,
    diversity: Floats,
    measure: str,
    effect: float,
    z: float,
    share: float,
    there: tuple[float, float],
) -> pd.DataFrame:
    """Build the rows: every control risk with every diversity."""
    risk, spread = (part.ravel() for part in np.meshgrid(control, diversity, indexing="ij"))
    treated = treated_risk(risk, effect, measure)
    exact = required_patients(risk, treated, z=z, share=share, diversity=spread)
    if exact.max() > _MOST:
        raise OptionError(
            f"{_AN[measure]} of {effect:.10g} at a control risk of {risk[exact.argmax()]:g} would "
            "need more patients than there are; state an effect that could be shown."
        )
    plain = required_patients(risk, treated, z=z, share=share, diversity=np.zeros(1))
    mean = (1.0 - share) * risk + share * treated
    patients, events = there
    # events alone stand for the patients that would be expected to have them
    known = patients if not math.isnan(patients) else events / mean
    low, high = detectable_risks(risk, known, z=z, share=share, diversity=spread)
    return pd.DataFrame(
        {
            "control_risk": risk,
            "treated_risk": treated,
            "diversity": spread,
            "patients": _whole(exact),
            "events": _whole(exact * mean),
            "patients_unadjusted": _whole(plain),
            "share_patients": patients / exact,
            "share_events": events / (exact * mean),
            "detectable_low": effect_of(risk, low, measure),
            "detectable_high": effect_of(risk, high, measure),
        }
    )


def _whole(sizes: Floats) -> NDArray[np.int64]:
    """Round up, but for rounding dust above a whole number."""
    return np.ceil(sizes * (1.0 - 1e-12)).astype(np.int64)


def _effect(measure: str, effect: float) -> float:
    none = 0.0 if measure == "RD" else 1.0
    low = -1.0 if measure == "RD" else 0.0
    high = 1.0 if measure == "RD" else math.inf
    value = real("effect", effect, low=low, high=high, closed=False)
    if value == none:
        raise OptionError(f"effect={value:g} is no effect; no number of patients shows it.")
    return value


def _grid(name: str, given: Any, *, closed: bool) -> Floats:
    """Numbers in (0, 1), or in [0, 1) if ``closed``, from one or several."""
    values = [given] if np.ndim(given) == 0 or isinstance(given, str) else list(given)
    if not values:
        raise OptionError(f"{name} is empty.")
    numbers = np.array([real(name, value, low=0.0, high=1.0) for value in values])
    wrong = (numbers >= 1.0) | ((numbers <= 0.0) & (not closed))
    if wrong.any():
        where = "0 included, below 1" if closed else "strictly between 0 and 1"
        raise OptionError(f"{name}={numbers[wrong][0]:g} is not allowed; it lies {where}.")
    return numbers


def _diversity(
    diversity: float | Sequence[float] | None, std_errors: tuple[float, float] | None
) -> Floats:
    if std_errors is None:
        return _grid("diversity", 0.0 if diversity is None else diversity, closed=True)
    if diversity is not None:
        raise OptionError("Give diversity or std_errors, not both.")
    if not isinstance(std_errors, Sequence) or len(std_errors) != 2:
        raise OptionError("std_errors are two: of the common-effect and random-effects model.")
    common, random = (
        real("std_errors", value, low=0.0, high=math.inf, closed=False) for value in std_errors
    )
    if random < common:
        raise OptionError(
            f"The random-effects standard error, {random:g}, is below that of the common effect, "
            f"{common:g}; the common one comes first."
        )
    return np.array([1.0 - (common / random) ** 2])


def _present(patients: int | None, events: int | None) -> tuple[float, float]:
    n = math.nan if patients is None else float(positive_int("patients", patients))
    d = math.nan if events is None else float(positive_int("events", events, minimum=0))
    if d > n:
        raise OptionError(f"events={events} is more than the {patients} patients.")
    return n, d


def _check_risks(control: Floats, effect: float, measure: str) -> None:
    treated = treated_risk(control, effect, measure)
    wrong = (treated <= 0.0) | (treated >= 1.0)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise OptionError(
            f"{_AN[measure]} of {effect:.10g} makes {treated[at]:g} of a control risk of "
            f"{control[at]:g}, which is no risk between 0 and 1."
        )


def _around(control: Floats, effect: float, measure: str, **how: float) -> Floats:
    """Control risks for the figure: those given and beyond, as far as the effect allows."""
    low, high = control.min() / 3.0, min(control.max() * 3.0, 0.9)
    grid = np.geomspace(low, max(high, control.max()), _CURVE)
    treated = treated_risk(grid, effect, measure)
    fine = (treated > 0.0) & (treated < 1.0)
    grid, treated = grid[fine], treated[fine]
    share, diversity = how["share"], np.full(1, how["diversity"])
    size = required_patients(grid, treated, z=how["z"], share=share, diversity=diversity)
    return np.unique(np.append(grid[size <= _MOST], control))


def _notes(
    table: pd.DataFrame,
    diversity: Floats,
    there: tuple[float, float],
    measure: str,
    std_errors: tuple[float, float] | None,
) -> tuple[str, ...]:
    notes = [
        "The effect is the one that would matter, stated beforehand; at the pooled estimate the "
        "size would only repeat P.",
        "The size is that of one analysis, when all is in. Looked at repeatedly on the way, a "
        "meta-analysis needs sequential limits, and more.",
    ]
    if std_errors is not None:
        notes.append(f"Diversity D2 from the standard errors: {fmt_number(diversity[0], 3)}.")
    if (diversity == 0.0).all():
        notes.append("Without heterogeneity (diversity 0) the size is the least that can do.")
    else:
        notes.append("Diversity of few studies is hardly known: give a range of it.")
    n, d = there
    if math.isnan(n) and math.isnan(d):
        notes.append(
            "Neither patients= nor events= that are there were given: shares and detectable "
            "effects are missing."
        )
        return tuple(notes)
    for name, number in (("patients", n), ("events", d)):
        if math.isnan(number):
            notes.append(f"{name}= that are there were not given: their share is missing.")
    for column, words in (("detectable_low", "below"), ("detectable_high", "above")):
        if table[column].isna().any():
            notes.append(
                f"Where no {measure} {words} {'0' if measure == 'RD' else '1'}, however extreme, "
                "can be shown by the patients there, it is missing."
            )
    return tuple(notes)
