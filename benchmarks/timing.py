"""Alternating measurements and the table that shows them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One comparison: seconds of ours and of the peer's, and the ratio hoped for."""

    ours: float | None
    peer: float | None
    peer_name: str
    goal: str
    remark: str = ""

    @property
    def ratio(self) -> float | None:
        if self.ours is None or self.peer is None:
            return None
        return self.peer / self.ours

    def text(self) -> str:
        ours = "-" if self.ours is None else seconds(self.ours)
        peer = "-" if self.peer is None else seconds(self.peer)
        ratio = "-" if self.ratio is None else f"{self.ratio:.3g} times faster"
        return f"{ours} against {peer} ({self.peer_name}): {ratio}; goal {self.goal}. {self.remark}"


def seconds(value: float) -> str:
    return f"{1e3 * value:.3g} ms" if value < 1.0 else f"{value:.3g} s"


def once(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def alternate(
    ours: Callable[[], object], peer: Callable[[], object], *, rounds: int
) -> tuple[float, float]:
    """Median seconds of both, measured in turn after one unmeasured call each."""
    ours()
    peer()
    times = [(once(ours), once(peer)) for _ in range(rounds)]
    return statistics.median(t[0] for t in times), statistics.median(t[1] for t in times)


def median_of(call: Callable[[], object], *, rounds: int) -> float:
    call()
    return statistics.median(once(call) for _ in range(rounds))


def table(lines: Sequence[tuple[str, Line]]) -> str:
    """The comparisons as a Markdown table."""
    rows = [
        "| what | ours | peer | peer's time | ratio | goal | remark |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, line in lines:
        ours = "-" if line.ours is None else seconds(line.ours)
        peer = "-" if line.peer is None else seconds(line.peer)
        ratio = "-" if line.ratio is None else f"{line.ratio:.3g}"
        cells = [name, ours, line.peer_name, peer, ratio, line.goal, line.remark]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)
