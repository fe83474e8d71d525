"""All figures of a report: one after the other, or every other one in a second process.

Figures take half the time of a report, and matplotlib draws on one core. From the command line on
Linux, where a process is copied as it stands, the copy draws half of them. Whatever it does not
deliver is drawn here, so that nothing but time depends on it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from rnetstats.report.figures import RenderedFigure, render
from rnetstats.studies.figure import StudyFigure

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["drawn", "two_processes"]

Drawn = dict[str, RenderedFigure]

_FEWEST = 6  # figures that are worth a process
_PATIENCE = 60.0  # seconds to wait for it when all else is done
_two: ContextVar[bool] = ContextVar("two", default=False)


@contextmanager
def two_processes() -> Iterator[None]:
    """Let :func:`drawn` use a second process within this block, where there is a second core."""
    before = _two.set(True)
    try:
        yield
    finally:
        _two.reset(before)


def drawn(
    figures: Iterable[StudyFigure],
    *,
    synthetic: bool,
    progress: Callable[[str], None] = lambda step: None,
) -> Drawn:
    """Draw figures; return them by name, in their order."""
    wanted = list(figures)
    others = wanted[1::2] if len(wanted) >= _FEWEST and _two.get() and _can_copy() else []
    elsewhere = {figure.name for figure in others}
    found: Drawn = {}

    def draw() -> None:
        for figure in wanted:
            if figure.name not in found and figure.name not in elsewhere:
                progress(f"figure {figure.name}")
                found[figure.name] = render(figure, synthetic=synthetic)

    with _second_process(others, synthetic) as received:
        draw()
        found |= received()
    elsewhere.clear()
    draw()
    return {figure.name: found[figure.name] for figure in wanted}


def _can_copy() -> bool:
    """Say whether a copy of the process is safe, and has a core of its own."""
    alone = threading.active_count() == 1  # a lock that another thread holds stays locked
    return sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1 and alone


@contextmanager
def _second_process(
    figures: Sequence[StudyFigure], synthetic: bool
) -> Iterator[Callable[[], Drawn]]:
    """Draw figures in a copy of this process; yield what waits for them."""
    if not figures:
        yield dict
        return
    from multiprocessing import get_context

    import matplotlib.backends.backend_svg
    import matplotlib.figure  # noqa: F401 (once, before the copy is made)

    copies = get_context("fork")
    ours, theirs = copies.Pipe(duplex=False)
    process = copies.Process(target=_send, args=(theirs, figures, synthetic), daemon=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of the threads of a BLAS
            process.start()
    except OSError:  # no room for another process
        yield dict
        return
    theirs.close()
    try:
        yield lambda: _receive(ours)
    finally:
        process.terminate()
        process.join()
        ours.close()


def _send(pipe: Connection, figures: Sequence[StudyFigure], synthetic: bool) -> None:
    """Draw and send figures, all or none: an error is met, and said, where they are then drawn."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        found = {figure.name: render(figure, synthetic=synthetic) for figure in figures}
    except Exception:  # noqa: BLE001
        return
    pipe.send(found)


def _receive(pipe: Connection) -> Drawn:
    try:
        found: Drawn = pipe.recv() if pipe.poll(_PATIENCE) else {}
    except (EOFError, OSError):
        return {}
    return found
