"""Conversions of units; a month is 30.4375 days, a year 12 months."""

from __future__ import annotations

__all__ = ["DAYS_PER_MONTH", "UNITS", "conversion", "convertible"]

DAYS_PER_MONTH = 30.4375

_DAYS = {"days": 1.0, "weeks": 7.0, "months": DAYS_PER_MONTH, "years": 12 * DAYS_PER_MONTH}
_MILLIMETRES = {"mm": 1.0, "cm": 10.0}
UNITS = (*_DAYS, *_MILLIMETRES)


def convertible(unit: str) -> tuple[str, ...]:
    """Units that can be converted to ``unit``, itself included."""
    for family in (_DAYS, _MILLIMETRES):
        if unit in family:
            return tuple(family)
    return ()


def conversion(unit_in: str, unit: str) -> tuple[float, float]:
    """Return (multiplier, divisor) from ``unit_in`` to ``unit``.

    Both, not their ratio, so that a conversion rounds once: 365.25 days are 12 months exactly.
    """
    for family in (_DAYS, _MILLIMETRES):
        if unit in family and unit_in in family:
            return family[unit_in], family[unit]
    raise KeyError(f"no conversion from {unit_in} to {unit}")
