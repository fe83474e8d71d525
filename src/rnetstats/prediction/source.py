"""What every risk model of a fit takes from it: design, variables, domain, labels, fingerprint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.formula.parser import parse_formula
from rnetstats.formula.terms import Plain
from rnetstats.prediction.domain import joint_domain
from rnetstats.prediction.judged import fingerprint

if TYPE_CHECKING:
    from rnetstats.regression.engine import Engine
    from rnetstats.regression.model import RegressionResult

__all__ = ["shared_fields", "thin_levels"]

_FEWEST = 5


def shared_fields(fit: RegressionResult, engine: Engine, *, method: str) -> dict[str, Any]:
    """Return the fields of a RiskModel that do not depend on the kind of fit."""
    frame = engine.frame
    assert frame.outcome is not None
    return {
        "outcome": frame.outcome.name,
        "spec": fit.spec,
        "variables": {**fit.variables, **_offset_variables(engine), **_strata_variables(engine)},
        "labels": fit.labels,
        "leverage": joint_domain(engine.X, frame.freq_weights, intercept=frame.design.intercept),
        "summary": {name: fit.summary[name] for name in ("n", "n_missing", "n_events", "df")},
        "fingerprint": fingerprint(frame.outcome, engine.X),
        "method": method,
        "synthetic": fit.synthetic,
        "notes": fit.notes,
    }


def _offset_variables(engine: Engine) -> dict[str, dict[str, Any]]:
    """Range of the offset's column; unknown where several columns make the offset."""
    sources = parse_formula(engine.spec.formula).offsets
    if len(sources) != 1 or engine.frame.offset is None:
        return {source.column: {"values": ()} for source in sources}
    values = engine.frame.offset
    low, high = float(values.min()), float(values.max())
    if not isinstance(sources[0], Plain):  # back from logarithms, with room for rounding
        low, high = float(np.exp(low)) * (1.0 - 1e-12), float(np.exp(high)) * (1.0 + 1e-12)
        values = np.exp(values)
    about = {"typical": float(np.median(values)), "values": (), "low": low, "high": high}
    return {sources[0].column: about}


def _strata_variables(engine: Engine) -> dict[str, dict[str, Any]]:
    """Columns of the strata; their levels are compared as strata, not here."""
    columns = parse_formula(engine.spec.formula).strata
    return {name: {"values": (), "stratum": True} for name in columns}


def thin_levels(fit: RegressionResult) -> tuple[str, ...]:
    """Name the levels with fewer than 5 events, or 5 without: resampling does not serve them."""
    binary = "OR" in set(fit.coefficients["measure"])
    notes = []
    for table in (fit.references, fit.coefficients):
        for row in table.to_dict("records"):
            if not row["level"] or ":" in row["term"] or row["term"].startswith(("rcs(", "ns(")):
                continue
            few = row["n_events"]
            if binary:
                few = min(few, row["n"] - row["n_events"])
            if few < _FEWEST:
                notes.append(
                    f"{row['term']} = {row['level']}: {few:g} patients with the rarer outcome; "
                    "limits by resampling are too narrow at this level."
                )
    return tuple(notes)
