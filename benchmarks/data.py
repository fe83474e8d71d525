"""The inputs of the benchmarks: the embedded cohort, and a large simulated one."""

from __future__ import annotations

import os
from functools import cache

import numpy as np
import pandas as pd

import rnetstats as rn

FIVE_TERMS = "margin_positive ~ size_mm + nlr + age + lvi + sex"
SURVIVAL = "Surv(dfs_months, recurrence) ~ margin_positive + size_mm + lvi"


@cache
def cohort() -> pd.DataFrame:
    """The embedded synthetic cohort of 527 patients."""
    return rn.load_cohort("duan2024")


@cache
def million(rows: int) -> pd.DataFrame:
    """Exponential times with five covariates, about half of them censored."""
    rng = np.random.default_rng(20240527)
    X = rng.normal(size=(rows, 5))
    rate = np.exp(X @ np.array([0.5, -0.4, 0.3, 0.2, 0.0]))
    time = rng.exponential(1.0 / rate)
    censor = rng.exponential(1.0, rows)
    data = pd.DataFrame(X, columns=[f"x{j}" for j in range(1, 6)])
    return data.assign(time=np.minimum(time, censor), event=(time <= censor).astype(int))


def environment(*, bytecode: str) -> dict[str, str]:
    """The environment of a child process, which keeps its bytecode in a folder."""
    env = {**os.environ, "MPLBACKEND": "Agg", "PYTHONPYCACHEPREFIX": bytecode}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return env
