"""Numbers as options of the command line."""

from __future__ import annotations

import argparse

__all__ = ["resamples", "seed"]


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
