"""How time and memory grow with rows, events, coefficients and replicates."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
from timing import median_of, seconds

from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.kernels.risksets import prepare

BASE = {"n": 527, "events": 100, "terms": 6, "replicates": 200}
STEPS = {
    "n": (527, 2_000, 8_000, 32_000),
    "events": (12, 50, 200, 500),
    "terms": (2, 6, 12, 24),
    "replicates": (1, 100, 400, 1_600),
}


def _logistic(n: int, events: int, terms: int, replicates: int) -> Callable[[], object]:
    rng = np.random.default_rng(1)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, terms - 1))])
    y = np.zeros(n)
    y[rng.choice(n, events, replace=False)] = 1.0
    freq = bootstrap_counts(rng, n, replicates)
    return lambda: fit_logistic(X, y, freq=freq, firth=True)


def _cox(n: int, events: int, terms: int, replicates: int) -> Callable[[], object]:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, terms))
    event = np.zeros(n, dtype=bool)
    event[rng.choice(n, events, replace=False)] = True
    sets = prepare(None, rng.exponential(size=n), event)
    freq = bootstrap_counts(rng, n, replicates)
    return lambda: fit_cox(X, sets, freq=freq, firth=True)


def _peak_megabytes(call: Callable[[], object]) -> float:
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def tables(*, quick: bool) -> str:
    """Markdown tables of Firth fits, one quantity varied at a time."""
    base = ", ".join(f"{name} = {value}" for name, value in BASE.items())
    lines = [
        "## Growth",
        f"Firth fits by bootstrap weights; {base} unless varied. Memory is the peak allocated.",
        "",
        "| varied | value | logistic | memory | Cox | memory |",
        "|---|---|---|---|---|---|",
    ]
    for name, values in STEPS.items():
        for value in values[:2] if quick else values:
            size = {**BASE, name: value}
            cells = []
            for make in (_logistic, _cox):
                call = make(size["n"], size["events"], size["terms"], size["replicates"])
                spent = median_of(call, rounds=1 if quick else 3)
                cells += [seconds(spent), f"{_peak_megabytes(call):.1f} MB"]
            lines.append(f"| {name} | {value} | {' | '.join(cells)} |")
    return "\n".join(lines)
