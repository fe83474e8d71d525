"""Millions of 2x2 tables in brief: one row a pair of event numbers, with ranges of all else."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr

from rnetstats._core.distributions import normal_quantile
from rnetstats.kernels.two_by_two import log_odds_ratio, pearson_z, yates_z
from rnetstats.kernels.two_by_two_boxes import Boxes
from rnetstats.kernels.two_by_two_fisher import fisher_two_sided
from rnetstats.tables.fisher import log_factorials
from rnetstats.tables.two_proportions import newcombe_limits

__all__ = ["TESTS", "Summary", "bound_frame", "table_frame"]

TESTS = ("pearson", "yates", "fisher")
_KEY = ["events_1", "events_2"]
_RANGES = {
    "n_1": ("n_1_low", "n_1_high"),
    "n_2": ("n_2_low", "n_2_high"),
    "odds_ratio": ("odds_ratio_low", "odds_ratio_high"),
    "risk_difference": ("difference_low", "difference_high"),
}
_LEAST = ("odds_ratio_conf_low", "difference_conf_low")
_MOST = ("odds_ratio_conf_high", "difference_conf_high")


class Summary:
    """What is kept of chunks of tables: counts and ranges by events."""

    def __init__(self, tests: tuple[str, ...], conf_level: float) -> None:
        self.tests = tests
        self.conf_level = conf_level
        self._parts: list[pd.DataFrame] = []

    def add(self, cells: np.ndarray, by_test: np.ndarray) -> None:
        """Take a chunk: cells (4, m), tests (t, m), tables of the same events side by side."""
        if cells.shape[1] == 0:
            return
        values = measures(cells, self.conf_level)
        a, c = cells[0], cells[2]
        new = np.flatnonzero(np.append(True, (np.diff(a) != 0) | (np.diff(c) != 0)))
        columns = {"events_1": a[new], "events_2": c[new]}
        columns["tables"] = np.diff(np.append(new, a.size))
        for name, row in zip(self.tests, by_test, strict=True):
            columns[f"tables_{name}"] = np.add.reduceat(row.astype(np.int64), new)
        for name, (low, high) in _RANGES.items():
            columns[low] = np.fmin.reduceat(values[name], new)
            columns[high] = np.fmax.reduceat(values[name], new)
        for name in _LEAST:
            columns[name] = np.fmin.reduceat(values[name], new)
        for name in _MOST:
            columns[name] = np.fmax.reduceat(values[name], new)
        self._parts.append(pd.DataFrame(columns))

    def frame(self) -> pd.DataFrame:
        """Return one row a pair of event numbers."""
        sums = ["tables", *(f"tables_{name}" for name in self.tests)]
        lows = [low for low, _ in _RANGES.values()] + list(_LEAST)
        highs = [high for _, high in _RANGES.values()] + list(_MOST)
        if not self._parts:
            empty = pd.DataFrame({name: pd.Series(dtype=np.int64) for name in [*_KEY, *sums]})
            names = [*(n for pair in _RANGES.values() for n in pair), *_LEAST, *_MOST]
            return empty.assign(**{name: pd.Series(dtype=float) for name in names})
        every = pd.concat(self._parts, ignore_index=True)
        how = dict.fromkeys(sums, "sum") | dict.fromkeys(lows, "min") | dict.fromkeys(highs, "max")
        grouped = every.groupby(_KEY, as_index=False).agg(how)
        return grouped[list(every.columns)]


def measures(cells: np.ndarray, conf_level: float) -> dict[str, np.ndarray]:
    """Sizes, odds ratio and risk difference with limits of tables ``a, b, c, d``.

    Limits of the odds ratio are Woolf's, with 0.5 added to each cell where one is empty; those of
    the risk difference are Newcombe's.
    """
    a, b, c, d = cells
    n_1, n_2 = a + b, c + d
    ratio, error = log_odds_ratio(a, b, c, d)
    empty = np.flatnonzero((a == 0) | (b == 0) | (c == 0) | (d == 0))
    middle = ratio.copy()
    middle[empty], error[empty] = log_odds_ratio(*cells[:, empty], add=0.5)
    half = normal_quantile(conf_level) * error
    low, high = newcombe_limits(a, n_1, c, n_2, conf_level)
    return {
        "n_1": n_1,
        "n_2": n_2,
        "odds_ratio": np.exp(ratio),
        "odds_ratio_conf_low": np.exp(middle - half),
        "odds_ratio_conf_high": np.exp(middle + half),
        "risk_difference": a / n_1 - c / n_2,
        "difference_conf_low": low,
        "difference_conf_high": high,
    }


def table_frame(cells: np.ndarray, conf_level: float) -> pd.DataFrame:
    """Return one row a table, with its odds ratio, risk difference, limits and P values."""
    a, b, c, d = cells
    values = measures(cells, conf_level)
    frame = pd.DataFrame({"events_1": a, "n_1": values.pop("n_1"), "events_2": c})
    frame["n_2"] = values.pop("n_2")
    frame = frame.assign(**values)
    largest = int((frame["n_1"] + frame["n_2"]).max()) if len(frame) else 1
    logs = np.asarray(log_factorials(largest), dtype=np.float64)
    testable = (a + c > 0) & (b + d > 0)
    for name, statistic in (("pearson", pearson_z), ("yates", yates_z)):
        p = 2.0 * ndtr(-np.abs(statistic(a, b, c, d)))
        frame[f"p_{name}"] = np.where(testable, p, np.nan)
    frame["p_fisher"] = fisher_two_sided(a, b, c, d, logs)
    return frame


def bound_frame(boxes: Boxes) -> pd.DataFrame:
    """Return the hull of boxes, by events: no table that is wanted lies outside."""
    every = pd.DataFrame(
        {
            "events_1": boxes.a,
            "events_2": boxes.c,
            "tables": boxes.tables,
            "n_1_low": boxes.a + boxes.b_low,
            "n_1_high": boxes.a + boxes.b_high,
            "n_2_low": boxes.c + boxes.d_low,
            "n_2_high": boxes.c + boxes.d_high,
        }
    )
    ends = {"n_1_low": "min", "n_1_high": "max", "n_2_low": "min", "n_2_high": "max"}
    return every.groupby(_KEY, as_index=False).agg({"tables": "sum", **ends})
