"""What every risk model of a fit takes from it: design, variables, domain, labels, fingerprint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.formula.parser import parse_formula
from rnetstats.formula.terms import Plain
from rnetstats.formula.variables import Floats
from rnetstats.prediction.domain import joint_domain
from rnetstats.prediction.judged import fingerprint

if TYPE_CHECKING:
    from rnetstats.regression.engine import Engine
    from rnetstats.regression.model import RegressionResult

__all__ = ["bare_strata", "lacks_limits", "shared_fields", "thin_levels", "thin_notes"]

_FEWEST = 5  # events in an arm: below, no limits by resampling; without any, none by Wald either


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


def thin_levels(engine: Engine, event: np.ndarray, *, binary: bool) -> tuple[dict[str, Any], ...]:
    """Find the levels with fewer than 5 events (of a binary outcome: or 5 without).

    Parameters
    ----------
    engine : Engine
    event : bool array of shape (n,)
    binary : bool

    Returns
    -------
    tuple of dict
        Of each such level its term's ``columns`` (start, stop), its ``place`` among them (-1 for
        the reference, with all of them 0), the ``count`` and the level in words, ``text``.
    """
    freq = engine.frame.freq_weights
    weight = np.ones(engine.frame.n) if freq is None else freq
    found = []
    for term in engine.spec.terms:
        block = engine.X[:, term.columns]
        if term.kind not in {"factor", "numeric"} or not np.isin(block, (0.0, 1.0)).all():
            continue
        names = term.levels or ("0", "1")
        for place, name in enumerate(names, start=-1):
            here = at_level(engine.X, (term.start, term.stop), place)
            count = float(weight @ (here & event))
            if binary:
                count = min(count, float(weight @ (here & ~event)))
            if count < _FEWEST:
                text = f"{term.name} = {name}"
                columns = (term.start, term.stop)
                found.append({"columns": columns, "place": place, "count": count, "text": text})
    return tuple(found)


def at_level(X: Floats, columns: tuple[int, int], place: int) -> np.ndarray:
    """Whether each row of a design is at a level; see :func:`thin_levels`."""
    block = X[:, columns[0] : columns[1]]
    return np.asarray((block == 0.0).all(axis=1) if place < 0 else block[:, place] == 1.0)


def thin_notes(
    thin: tuple[dict[str, Any], ...], baseline: dict[str, Any] | None, *, resampled: bool
) -> list[str]:
    """Say for which levels, and strata, the risk has no limits."""
    fewest = _FEWEST if resampled else 1
    found = [(level["text"], level["count"]) for level in thin if level["count"] < fewest]
    if baseline is not None:
        for code in bare_strata(baseline, resampled=resampled):
            text = f"Stratum {baseline['labels'][code]!r}"
            found.append((text, float(baseline["events"][code])))
    return [
        f"{text}: {_counted(count, timed=baseline is not None)}, so that risks there are given "
        "without limits."
        for text, count in found
    ]


def _counted(count: float, *, timed: bool) -> str:
    if timed:
        return f"{count:g} event{'s' * (count != 1)} by the horizon"
    return f"{count:g} patient{'s' * (count != 1)} with the rarer outcome"


def bare_strata(baseline: dict[str, Any], *, resampled: bool) -> dict[int, str]:
    """Return the places of the strata whose risks have no limits, and why.

    Those with fewer than 5 events by the horizon, where limits are made by resampling; unknown in
    a model that was stored without these counts.
    """
    events = baseline.get("events")
    if not resampled or events is None:
        return {}
    return {
        code: f"no limits: too few events by the horizon in the stratum {label!r}"
        for code, (label, count) in enumerate(zip(baseline["labels"], events, strict=True))
        if count < _FEWEST
    }


def lacks_limits(
    thin: tuple[dict[str, Any], ...], X: Floats, *, resampled: bool, timed: bool
) -> list[str]:
    """Return for each row why its risk has no limits, "" where it has (m,)."""
    told = [""] * len(X)
    few = "events by the horizon" if timed else "of the rarer outcome"
    for level in thin:
        if level["count"] >= (_FEWEST if resampled else 1):
            continue
        for row in np.flatnonzero(at_level(X, level["columns"], level["place"])):
            told[row] = f"no limits: too few {few} with {level['text']}"
    return told
