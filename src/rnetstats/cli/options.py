"""Options that several commands share: numbers, and how a file is written."""

from __future__ import annotations

import argparse

__all__ = ["file_options", "resamples", "seed"]


def file_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a cohort's file is written."""
    add = parser.add_argument
    add(
        "--decimal",
        choices=[".", ","],
        metavar="MARK",
        help="decimal mark of its numbers, a comma or a point (default)",
    )
    add(
        "--delimiter",
        metavar="SIGN",
        type=lambda text: "\t" if text in {"tab", "\\t"} else text,
        help="what stands between its fields, such as ; or tab (default: found)",
    )
    add("--encoding", metavar="NAME", help="such as cp1252, latin-1 or utf-16 (default: UTF-8)")
    add("--sheet", metavar="NAME", help="of an Excel file, or its number (default: the first)")


def seed(text: str) -> int:
    """Read a seed."""
    return _whole(text, 0)


def resamples(text: str) -> int:
    """Read a number of bootstrap resamples."""
    return _whole(text, 20)


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return value
