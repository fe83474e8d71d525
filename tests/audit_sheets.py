"""Facts files in memory, for the tests of the audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import rnetstats as rn
from rnetstats.evidence.audit_result import AuditResult


def content(
    values: Mapping[str, str], *checks: Mapping[str, Any], units: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A facts file: figures by key, all printed; an empty value is unknown."""
    units = units or {}
    facts = {
        key: {
            "label": key.replace("_", " "),
            "value": value,
            "unit": units.get(key, "patients"),
            "standing": "printed" if value else "unknown",
            "where": "here" if value else "",
        }
        for key, value in values.items()
    }
    study = {"name": "test", "title": "A test"}
    return {"schema": 1, "study": study, "facts": facts, "checks": [dict(c) for c in checks]}


def audited(
    values: Mapping[str, str],
    *checks: Mapping[str, Any],
    units: Mapping[str, str] | None = None,
    conf_level: float = 0.95,
) -> AuditResult:
    """The audit of such a file."""
    return rn.audit(content(values, *checks, units=units), conf_level=conf_level)


def line(
    values: Mapping[str, str], units: Mapping[str, str] | None = None, part: str = "", **check: Any
) -> dict[str, Any]:
    """The line of one check, or of one part of it where it has several."""
    frame = audited(values, check, units=units).to_frame()
    several = len(frame) > 1
    rows = frame[frame["check"].str.endswith(part)] if part and several else frame
    assert len(rows) == 1, frame["check"].tolist()
    return rows.iloc[0].to_dict()
