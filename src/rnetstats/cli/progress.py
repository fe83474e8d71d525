"""The running step, shown on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["progress"]


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show the running step on a terminal; say nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda name: None
        return
    from tqdm import tqdm

    bar = tqdm(bar_format="{desc}  [{elapsed}]", leave=False, file=sys.stderr)

    def step(name: str) -> None:
        bar.set_description_str(name)

    try:
        yield step
    finally:
        bar.close()
