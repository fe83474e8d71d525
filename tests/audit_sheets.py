"""Facts files in memory, for the tests of the audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import rnetstats as rn
from rnetstats.evidence.audit import CHECKS
from rnetstats.evidence.audit_result import AuditResult
from rnetstats.evidence.checks_line import CheckLine, Figures
from rnetstats.evidence.facts import read_facts


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


def lines(
    values: Mapping[str, str], units: Mapping[str, str] | None = None, **check: Any
) -> list[CheckLine]:
    """The lines of one check, without the audit around them."""
    sheet = read_facts(content(values, check, units=units))
    return CHECKS[sheet.checks[0].kind](Figures(sheet.checks[0], sheet, 0.95))


def verdicts(
    values: Mapping[str, str], units: Mapping[str, str] | None = None, **check: Any
) -> list[str]:
    """The verdicts of the lines of one check."""
    return [found.verdict for found in lines(values, units, **check)]


def line(
    values: Mapping[str, str], units: Mapping[str, str] | None = None, part: str = "", **check: Any
) -> dict[str, Any]:
    """The line of one check, or of one part of it where it has several."""
    found = lines(values, units, **check)
    if part and len(found) > 1:
        found = [row for row in found if row.part == part]
    assert len(found) == 1, found
    return {item.name: getattr(found[0], item.name) for item in fields(CheckLine)}
