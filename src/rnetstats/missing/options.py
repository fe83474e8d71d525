"""Checks of the options of an imputation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rnetstats.errors import OptionError
from rnetstats.missing.passive import Passive

__all__ = ["check_contradictions", "mapping", "names"]


def names(option: str, given: Sequence[str]) -> list[str]:
    """Return an option that lists columns, each once."""
    if (
        isinstance(given, str)
        or not isinstance(given, Iterable)
        or not all(isinstance(name, str) for name in given)
    ):
        raise OptionError(f"{option} must be a list of column names, not {given!r}.")
    return list(dict.fromkeys(given))


def mapping(option: str, given: Mapping[str, str] | None) -> dict[str, str]:
    """Return an option that goes by column."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise OptionError(f"{option} must be a mapping of column names to text, not {given!r}.")
    return dict(given)


def check_contradictions(
    asked: list[str] | None,
    left_out: list[str],
    outcome: list[str],
    computed: tuple[Passive, ...],
) -> None:
    """Refuse a column that is both wanted and excluded."""
    wanted = [*(asked or ()), *outcome, *(c for p in computed for c in (p.name, *p.sources))]
    for name in left_out:
        if name in wanted:
            raise OptionError(f"{name!r} is named in exclude= and wanted elsewhere.")
