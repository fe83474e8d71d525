"""Cohorts with a known truth, seen on two schedules, and what their analyses find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.distributions import normal_quantile
from rnetstats._core.options import draw_count, positive_int, real
from rnetstats._core.random import resolve_seed
from rnetstats.errors import OptionError
from rnetstats.survival.visits import group_schedules
from rnetstats.treatment.schedule_cells import Cells, arm_cells, draw_counts, joined
from rnetstats.treatment.schedule_fits import AS_EXACT, Fits, fit_all
from rnetstats.treatment.schedule_result import ScheduleSimulationResult

__all__ = ["PerArm", "simulate"]

Floats = NDArray[np.float64]
PerArm = float | Mapping[Any, float]


def simulate(
    visits: Mapping[Any, Any],
    *,
    n: int | Mapping[Any, int] = 500,
    hazard: PerArm = 0.02,
    shape: float = 1.0,
    follow_up: float | Sequence[float] = 60.0,
    sensitivity: float = 1.0,
    horizon: float | None = None,
    replicates: int = 200,
    seed: int | None = None,
) -> ScheduleSimulationResult:
    """Simulate and analyse; the arguments are those of :func:`schedule_sensitivity`."""
    arms = [str(name) for name in visits]
    if len(arms) != 2:
        raise OptionError(f"The simulation compares two arms; visits names {len(arms)}.")
    ends, times = _follow_up(follow_up)
    share = times / times.sum()
    sizes = [positive_int(f"n of {arm}", _of(n, arm, "n"), minimum=2) for arm in arms]
    rates = [real(f"hazard of {arm}", _of(hazard, arm, "hazard"), low=1e-8) for arm in arms]
    bend = real("shape", shape, low=0.05, high=20.0)
    seen = real("sensitivity", sensitivity, low=0.01, high=1.0)
    time = float(ends.min()) if horizon is None else real("horizon", horizon, low=1e-8)
    if time > ends.min():
        raise OptionError(f"horizon={time:g} lies beyond the shortest follow-up, {ends.min():g}.")
    draws = draw_count("replicates", replicates, minimum=2)
    grids = group_schedules(visits, arms, float(ends.max()), ends)
    for arm, grid in zip(arms, grids, strict=True):
        if not len(grid):
            raise OptionError(f"Arm {arm!r} has no visit by the end of follow-up.")
    drawn = resolve_seed(seed)
    parts = [
        arm_cells(grid, ends, share, hazard=rate, shape=bend, sensitivity=seen, arm=code)
        for code, (grid, rate) in enumerate(zip(grids, rates, strict=True))
    ]
    cells = joined(parts)
    counts = draw_counts(cells, sizes, draws, drawn)
    determined = all(bool(np.isclose(grid, time).any()) for grid in grids)
    fits = fit_all(cells, counts, time, determined=determined)
    delays = cells.delay
    return ScheduleSimulationResult(
        table=_table(fits, rates, bend, time),
        arms=_arms(arms, sizes, grids, rates, parts, (ends, share), bend),
        lead_time=float(delays[1] - delays[0]),
        notes=_notes(arms, seen, determined, time, fits),
        seed=drawn,
        synthetic=True,
        options={
            "visits": {arm: grid.tolist() for arm, grid in zip(arms, grids, strict=True)},
            "n": dict(zip(arms, sizes, strict=True)),
            "hazard": dict(zip(arms, rates, strict=True)),
            "shape": bend,
            "follow_up": np.repeat(ends, times).tolist(),
            "sensitivity": seen,
            "horizon": time,
            "replicates": draws,
        },
    )


def _of(value: Any, arm: str, name: str) -> Any:
    """Return an arm's value of an option that may be given for each."""
    if not isinstance(value, Mapping):
        return value
    given = {str(key): item for key, item in value.items()}
    if arm not in given:
        raise OptionError(f"{name} does not say what it is in arm {arm!r}.")
    return given[arm]


def _follow_up(follow_up: float | Sequence[float]) -> tuple[Floats, NDArray[np.intp]]:
    """Return the distinct ends of follow-up, rising, and how often each is given."""
    try:
        ends, times = np.unique(np.asarray(follow_up, dtype=float), return_counts=True)
    except (TypeError, ValueError):
        raise OptionError(f"follow_up must be a number or a list, not {follow_up!r}.") from None
    if not ends.size or not np.isfinite(ends).all() or ends.min() <= 0.0:
        raise OptionError(f"follow_up must be positive and finite, not {follow_up!r}.")
    return ends, times


def _table(fits: Fits, rates: list[float], shape: float, horizon: float) -> pd.DataFrame:
    """Sum the replicates up, with Monte Carlo errors."""
    z = normal_quantile(0.95)
    truth = shape * np.log(rates[1] / rates[0])
    rows = []
    for name, values in fits.log_ratio.items():
        known = np.isfinite(values)
        v, error = values[known], fits.std_error[name][known]
        mean, mcse, low, high = _summed(v)
        rows.append(
            {
                "analysis": name,
                "measure": "HR",
                "truth": np.exp(truth),
                "estimate": np.exp(mean),
                "mcse": np.expm1(mcse),
                "q025": np.exp(low),
                "q975": np.exp(high),
                "rejected": float((np.abs(v) > z * error).mean()) if v.size else np.nan,
                "n_replicates": len(v),
            }
        )
    risks = [-np.expm1(-((rate * horizon) ** shape)) for rate in rates]
    for name, pair in fits.risk.items():
        difference = pair[:, 1] - pair[:, 0]
        v = difference[np.isfinite(difference)]
        mean, mcse, low, high = _summed(v)
        rows.append(
            {
                "analysis": name,
                "measure": f"risk difference at {horizon:g}",
                "truth": risks[1] - risks[0],
                "estimate": mean,
                "mcse": mcse,
                "q025": low,
                "q975": high,
                "rejected": np.nan,
                "n_replicates": len(v),
            }
        )
    return pd.DataFrame(rows)


def _summed(values: Floats) -> tuple[float, float, float, float]:
    """Mean, its Monte Carlo error and 95 % of the replicates; missing where there are too few."""
    if len(values) < 2:
        return (float(values[0]) if values.size else np.nan, np.nan, np.nan, np.nan)
    low, high = np.percentile(values, [2.5, 97.5])
    error = values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(error), float(low), float(high)


def _arms(
    arms: list[str],
    sizes: list[int],
    grids: list[Floats],
    rates: list[float],
    parts: list[Cells],
    follow_up: tuple[Floats, Floats],
    shape: float,
) -> pd.DataFrame:
    ends, share = follow_up
    return pd.DataFrame(
        {
            "arm": arms,
            "n": sizes,
            "visits": [len(grid) for grid in grids],
            "hazard": rates,
            "events": [float(-np.expm1(-((rate * ends) ** shape)) @ share) for rate in rates],
            "detected": [float(part.probability[part.event].sum()) for part in parts],
            "mean_delay": [float(part.delay[0]) for part in parts],
        }
    )


def _notes(
    arms: list[str], sensitivity: float, determined: bool, horizon: float, fits: Fits
) -> tuple[str, ...]:
    notes = [
        f"Arm {arms[0]} is the reference. Monte Carlo errors of hazard ratios are relative. "
        "'Finds a difference' is the share of cohorts with a Wald P below 0.05: under equal "
        "hazards it should be 5 %."
    ]
    if sensitivity < 1.0:
        notes.append(
            f"A visit finds {100 * sensitivity:g} % of what is there: the interval-censored "
            "analyses, which suppose 100 %, date some events too late."
        )
    if not determined:
        notes.append(
            f"The horizon {horizon:g} is no visit of both arms: Turnbull's survival is not "
            "determined there and is left out."
        )
    for name, values in fits.log_ratio.items():
        lost = int(np.count_nonzero(~np.isfinite(values)))
        if lost:
            notes.append(f"{lost} cohorts have no finite estimate by {name} and are left out.")
    if not np.isfinite(fits.risk[AS_EXACT]).all():
        notes.append("Cohorts without anybody at risk at the horizon are left out of its risks.")
    return tuple(notes)
