"""A progress bar, on request only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(wanted: bool, total: int, what: str) -> Iterator[Callable[[int], object] | None]:
    """Give what is called with the number done; the bar is closed whatever happens."""
    if not wanted:
        yield None
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, desc=what, unit="fit", leave=False) as bar:
        yield lambda done: bar.update(done - bar.n)
