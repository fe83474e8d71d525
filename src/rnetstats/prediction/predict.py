"""Risks of new patients with their limits, inside the model's domain or by name beyond it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, as_frame
from rnetstats._core.options import choice
from rnetstats.errors import DataError
from rnetstats.formula.encoders import source_values
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.partition import part_of, partition
from rnetstats.formula.variables import Floats, Variable
from rnetstats.prediction.domain import Examined, examine, leverage
from rnetstats.prediction.limits import Patients, point_risk, risk_limits
from rnetstats.prediction.source import bare_strata, lacks_limits

if TYPE_CHECKING:
    from rnetstats.prediction.model import RiskModel

__all__ = ["predicted"]

_SHOWN = 3


def predicted(model: RiskModel, data: Data, outside: str) -> pd.DataFrame:
    """Return ``risk, conf_low, conf_high, in_domain, reason`` of each row of ``data``."""
    choice("outside", outside, ("raise", "flag", "extrapolate"))
    table = as_frame(data)
    found = examine(model.variables, table)
    _check_strata(model, found)
    if outside == "extrapolate" and found.blocked.any():
        raise DataError(_refusal(found, found.blocked, "A risk cannot be extrapolated"))
    rows = np.flatnonzero(~(found.blocked if outside == "extrapolate" else found.outside))
    patients = _patients(model, found, rows)
    _check_leverage(model, patients.X, found, rows)
    flagged = found.outside
    if outside == "raise" and flagged.any():
        raise DataError(_refusal(found, flagged, "The model does not hold"))
    if outside == "flag":
        inside = ~flagged[rows]
        rows, patients = rows[inside], patients.take(inside)
    values = np.full((3, len(table)), np.nan)
    if len(rows):
        values[0, rows] = (
            point_risk(model, patients)
            if model.estimator is None
            else model.estimator.risk(table.iloc[rows], patients.X)
        )
        values[1:, rows] = risk_limits(model, patients)
        for row, why in zip(rows, _without_limits(model, patients), strict=True):
            if why:
                values[1:, row] = np.nan
                found.reasons[row].append(why)
    return pd.DataFrame(
        {
            "risk": values[0],
            "conf_low": values[1],
            "conf_high": values[2],
            "in_domain": ~flagged,
            "reason": ["; ".join(part) for part in found.reasons],
        },
        index=table.index,
    )


def _without_limits(model: RiskModel, patients: Patients) -> list[str]:
    """Why the risk of each patient has no limits, "" where it has: its stratum, or a level."""
    resampled, base = model.draws is not None, model.baseline
    told = lacks_limits(model.thin, patients.X, resampled=resampled, timed=base is not None)
    if base is None:
        return told
    bare = bare_strata(base, resampled=resampled)
    return [bare.get(code, why) for code, why in zip(patients.strata, told, strict=True)]


def _patients(model: RiskModel, found: Examined, rows: np.ndarray) -> Patients:
    if not len(rows):
        p = len(model.design.columns)
        return Patients(np.empty((0, p)), np.empty(0), np.empty(0, dtype=np.intp))
    variables = {name: found.variables[name].take(rows) for name in model.variables}
    X = model.design.build(variables, len(rows))
    offset = np.zeros(len(rows))
    for source in parse_formula(model.design.formula).offsets:
        offset += source_values(variables[source.column], source)
    return Patients(X, offset, _stratum_codes(model, variables, len(rows)))


def _stratum_codes(model: RiskModel, variables: dict[str, Variable], n: int) -> np.ndarray:
    labels = _stratum_labels(model, variables)
    if labels is None or model.baseline is None:
        return np.zeros(n, dtype=np.intp)
    known = {label: code for code, label in enumerate(model.baseline["labels"])}
    return np.array([known.get(label, -1) for label in labels], dtype=np.intp)


def _stratum_labels(model: RiskModel, variables: dict[str, Variable]) -> list[str] | None:
    if model.baseline is None or not model.baseline["columns"]:
        return None
    names = model.baseline["columns"]
    groups = partition([part_of(name, *variables[name].as_factor()) for name in names])
    return [groups.labels[code] for code in groups.codes]


def _check_strata(model: RiskModel, found: Examined) -> None:
    """Block patients of a stratum whose baseline hazard is not known."""
    rows = np.flatnonzero(~found.blocked)
    if model.baseline is None or not model.baseline["columns"] or not len(rows):
        return
    variables = {name: found.variables[name].take(rows) for name in model.baseline["columns"]}
    labels = _stratum_labels(model, variables)
    assert labels is not None
    known = model.baseline["labels"]
    for row, label in zip(rows, labels, strict=True):
        if label not in known:
            found.reasons[row].append(
                f"the stratum {label!r} has no baseline hazard; known are {', '.join(known)}"
            )
            found.blocked[row] = True


def _check_leverage(model: RiskModel, X: Floats, found: Examined, rows: np.ndarray) -> None:
    """Give a reason to patients inside every range, but unlike all of the model's together."""
    if model.leverage is None or not len(rows):
        return
    values, beyond = leverage(model.leverage, X)
    for place in np.flatnonzero(beyond):
        if not found.reasons[rows[place]]:
            found.reasons[rows[place]].append(
                f"no patient of the model has such values together (leverage {values[place]:.3g}, "
                f"the largest of the model's {model.leverage['largest']:.3g})"
            )


def _refusal(found: Examined, flagged: np.ndarray, what: str) -> str:
    places = np.flatnonzero(flagged)
    told = "; ".join(
        f"row {place + 1}: {', '.join(found.reasons[place])}" for place in places[:_SHOWN]
    )
    more = f"; and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    count = f"{len(places)} of {len(flagged)} patients"
    if what.startswith("The model"):
        hint = (
            "Fill or correct the values; outside='flag' marks such patients without a risk, "
            "outside='extrapolate' computes it all the same."
        )
        return f"{what} for {count} ({told}{more}). {hint}"
    return f"{what} for {count} ({told}{more}). Fill, correct or leave out these rows."
