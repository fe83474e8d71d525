"""Figures drawn in two processes: the same ones, whatever becomes of the second process."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from matplotlib.figure import Figure

from rnetstats.report import drawing
from rnetstats.report.drawing import drawn, two_processes
from rnetstats.report.figures import RenderedFigure
from rnetstats.studies.figure import StudyFigure

HERE = os.getpid()
NAMES = [f"figure_{k}" for k in range(7)]


class Sketches:
    """Seven figures, which note that they are drawn here; in a copy they may do something else."""

    def __init__(self, elsewhere: Callable[[], Any] = lambda: None) -> None:
        self.here: list[str] = []
        self.elsewhere = elsewhere

    def figures(self) -> list[StudyFigure]:
        return [
            StudyFigure(name, name, "", "", (1.5, 1.0), lambda _, n=name: self.draw(n))
            for name in NAMES
        ]

    def draw(self, name: str) -> None:
        if os.getpid() == HERE:
            self.here.append(name)
        else:
            self.elsewhere()


def rendered(figure: StudyFigure, *, synthetic: bool) -> RenderedFigure:
    """Stand in for the drawing, which is tested where it is done."""
    figure.draw(Figure())
    svg = f"<svg>{figure.name}, {synthetic}</svg>"
    return RenderedFigure(figure.name, figure.title, "", False, svg, svg.encode(), bytes(200_000))


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "render", rendered)


@pytest.fixture
def can_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.skip("a process is copied on Linux alone")
    monkeypatch.setattr(drawing, "_can_copy", lambda: True)


@pytest.mark.usefixtures("can_copy")
def test_half_is_drawn_elsewhere_and_all_is_the_same() -> None:
    alone, shared, steps = Sketches(), Sketches(), []
    one = drawn(alone.figures(), synthetic=True)
    with two_processes():
        two = drawn(shared.figures(), synthetic=True, progress=steps.append)
    assert alone.here == NAMES
    assert shared.here == NAMES[::2]
    assert steps == [f"figure {name}" for name in NAMES[::2]]
    assert list(two) == list(one) == NAMES
    assert two == one
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("can_copy")
@pytest.mark.parametrize("end", [lambda: 1 / 0, lambda: os._exit(1), lambda: time.sleep(60)])
def test_what_does_not_come_is_drawn_here(
    end: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "_PATIENCE", 0.3)
    sketches = Sketches(end)
    with two_processes():
        found = drawn(sketches.figures(), synthetic=False)
    assert list(found) == NAMES
    assert sorted(sketches.here) == NAMES
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("can_copy")
def test_an_error_is_that_of_the_figure() -> None:
    figures = Sketches().figures()
    bad = StudyFigure("bad", "bad", "", "", (1.5, 1.0), lambda figure: 1 / 0)
    for place in (0, 1):
        with two_processes(), pytest.raises(ZeroDivisionError):
            drawn([*figures[:place], bad, *figures[place:]], synthetic=False)
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("can_copy")
def test_no_room_for_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    sketches = Sketches()
    with two_processes():
        assert list(drawn(sketches.figures(), synthetic=False)) == NAMES
    assert sorted(sketches.here) == NAMES


@pytest.mark.parametrize(("figures", "core"), [(5, True), (7, False)])
def test_few_figures_or_one_core_stay_here(
    figures: int, core: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "_can_copy", lambda: core)
    sketches = Sketches()
    with two_processes():
        drawn(sketches.figures()[:figures], synthetic=False)
    assert sketches.here == NAMES[:figures]
