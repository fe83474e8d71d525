"""Written forms of dates, as in ``strptime``: which are usable, and the day that a text means."""

from __future__ import annotations

import datetime as dt
import re

from rnetstats.errors import CodebookError

__all__ = ["check_date_form", "day_of", "is_packed", "lacks_day"]

_PROBE = dt.datetime(2001, 12, 23, 10, 11, 12, tzinfo=dt.UTC)
_PACKED = re.compile(r"%[dmyYjGVUWu]%[dmyYjGVUWu]")


def check_date_form(form: str) -> None:
    """Refuse what is no form of a date, or has no year.

    Raises
    ------
    CodebookError
        Saying which.
    """
    found = _probe(form)
    if found is None:
        raise CodebookError(
            f'date_format {form!r} is no form of a date; it is written as "%d.%m.%Y".'
        )
    if found.year != _PROBE.year:
        raise CodebookError(f"date_format {form!r} has no year (%Y, or %y of two digits).")


def lacks_day(form: str) -> bool:
    """Whether a form leaves the day open, or the month too: the first is taken."""
    return bool(form) and _probe(form) != _PROBE.date()


def is_packed(form: str) -> bool:
    """Whether numbers stand side by side, so that a lost zero would shift them all."""
    return _PACKED.search(form) is not None


def day_of(text: str, form: str) -> dt.date | None:
    """Return the day that a text of this form means, or None.

    Side by side, numbers must have all their digits: 1022024 is 1 or 10 February as %d%m%Y.
    """
    try:
        found = dt.datetime.strptime(text, form)
    except ValueError:
        return None
    if is_packed(form) and found.strftime(form).casefold() != text.casefold():
        return None
    return found.date()


def _probe(form: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(_PROBE.strftime(form), form).date()
    except (ValueError, re.error):
        return None
