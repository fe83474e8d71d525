"""How a file is written: the options that say it, checked, and where a message may name them."""

from __future__ import annotations

import os
from typing import Any

from rnetstats._core.options import choice
from rnetstats.errors import OptionError

__all__ = ["MARKS", "check_written", "where_to_say"]

MARKS = (".", ",")


def check_written(source: Any, *, delimiter: Any, encoding: Any, decimal: Any, sheet: Any) -> None:
    """Refuse an option of a wrong kind; ``None`` is left to the codebook, or the file itself.

    Raises
    ------
    OptionError
        If a decimal mark is neither a point nor a comma, another option has a wrong type, or one
        that only a file can have is given for a table in memory.
    """
    if not isinstance(source, str | os.PathLike):
        for name, value in (("delimiter", delimiter), ("encoding", encoding), ("sheet", sheet)):
            if value is not None:
                raise OptionError(f"{name} is for a file; the data is a table in memory.")
    for name, value in (("delimiter", delimiter), ("encoding", encoding)):
        if value is not None and not isinstance(value, str):
            raise OptionError(f"{name} must be text, not {value!r}.")
    if decimal is not None:
        choice("decimal", decimal, MARKS)
    if sheet is not None and (isinstance(sheet, bool) or not isinstance(sheet, str | int)):
        raise OptionError(
            f"sheet must be the name of a sheet, or its number from 1, not {sheet!r}."
        )


def where_to_say(option: str, value: str) -> str:
    """Say in which places an option of a file is given."""
    return (
        f'{option} = "{value}" in [file] of the codebook, --{option} "{value}" on the command '
        f'line, or {option}="{value}" in Python'
    )
