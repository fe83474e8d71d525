"""Which printed figures of an odds ratio each of many 2x2 tables reproduces."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.special import ndtr

from rnetstats._core.distributions import normal_quantile
from rnetstats.evidence.worlds_printed import Window
from rnetstats.kernels.two_by_two import (
    likelihood_ratio_z,
    log_odds_ratio,
    pearson_z,
    wald_z,
    yates_z,
)
from rnetstats.kernels.two_by_two_fisher import fisher_two_sided
from rnetstats.tables.fisher import log_factorials

__all__ = ["ADDED", "RATIO_TESTS", "OddsRatioFigures"]

RATIO_TESTS = ("wald", "lr", "pearson", "yates", "fisher")
ADDED = (0.0, 0.5)
_EDGE = 1e-9  # computed numbers this close to the edge of a rounding are taken as printing so
_CLOSE = 1e-12  # odds ratios this close to it are compared as fractions


@dataclass(frozen=True, eq=False)
class OddsRatioFigures:
    """What is printed of an odds ratio: windows of the figures by name.

    Attributes
    ----------
    windows : dict
        Of ``odds_ratio``, ``conf_low``, ``conf_high`` and ``p``, those that are printed.
    tests : tuple of str
    conf_level : float
    """

    windows: dict[str, Window]
    tests: tuple[str, ...]
    conf_level: float

    @property
    def z(self) -> float:
        """Normal quantile of the limits."""
        return normal_quantile(self.conf_level)

    def reproduced(self, cells: np.ndarray, added: float) -> np.ndarray:
        """Return which figures each table reproduces, shape (figures, m), in their order."""
        found = self.but_p(cells, added)
        if "p" in self.windows:
            found[list(self.windows).index("p")] = self.prints_p(cells, added)
        return found

    def but_p(self, cells: np.ndarray, added: float) -> np.ndarray:
        """Return the same with False for P, whose tests take most of the time."""
        ratio, error = log_odds_ratio(*cells, add=added)
        found = np.zeros((len(self.windows), cells.shape[1]), dtype=bool)
        for row, (name, window) in enumerate(self.windows.items()):
            if name == "odds_ratio":
                found[row] = self._ratio(cells, added, np.exp(ratio), window)
            elif name != "p":
                sign = -1.0 if name == "conf_low" else 1.0
                usable = np.isfinite(error)
                end = np.where(usable, ratio, 0.0) + sign * self.z * np.where(usable, error, 0.0)
                found[row] = usable & _inside(np.exp(np.minimum(end, 700.0)), window)
        return found

    def prints_p(self, cells: np.ndarray, added: float) -> np.ndarray:
        """Say which tables print the P by some test; none is worked out after one that does."""
        window = self.windows["p"]
        found = np.zeros(cells.shape[1], dtype=bool)
        for test in self.tests:
            rows = np.flatnonzero(~found)
            found[rows] = _inside(p_value(test, cells[:, rows], added), window)
        return found

    def by_test(self, cells: np.ndarray, added: float) -> list[tuple[str, np.ndarray]]:
        """Return which tables print the P by each test."""
        window = self.windows["p"]
        return [(test, _inside(p_value(test, cells, added), window)) for test in self.tests]

    def _ratio(
        self, cells: np.ndarray, added: float, ratio: np.ndarray, window: Window
    ) -> np.ndarray:
        """Exact, also where a ratio lies on the edge of a rounding."""
        known = ~np.isnan(ratio)
        value = np.where(known, ratio, -1.0)
        low, high = window.ends
        inside = known & (value >= low) & (value <= high)
        near = np.abs(value - low) <= _CLOSE * max(abs(low), 1.0)
        if np.isfinite(high):
            near |= np.abs(value - high) <= _CLOSE * max(high, 1.0)
        for row in np.flatnonzero(near & known):
            a, b, c, d = (2 * int(x) + round(2 * added) for x in cells[:, row])
            inside[row] = bool(b * c) and window.holds(Fraction(a * d, b * c))
        return np.asarray(inside)


def p_value(test: str, cells: np.ndarray, added: float) -> np.ndarray:
    """Return the two-sided P of each table by one test; missing where there is none.

    Only Wald's test knows of what is ``added`` to the cells.
    """
    if test == "fisher":
        largest = int(cells.sum(axis=0).max(initial=1))
        logs = np.asarray(log_factorials(largest), dtype=np.float64)
        return fisher_two_sided(cells[0], cells[1], cells[2], cells[3], logs)
    if test == "wald":
        z = wald_z(*cells, add=added)
        testable = np.ones(z.shape, dtype=bool) if added else (cells > 0).all(axis=0)
    else:
        z = {"lr": likelihood_ratio_z, "pearson": pearson_z, "yates": yates_z}[test](*cells)
        a, b, c, d = cells
        testable = (a + c > 0) & (b + d > 0)
    return np.where(testable, 2.0 * ndtr(-np.abs(z)), np.nan)


def _inside(values: np.ndarray, window: Window) -> np.ndarray:
    low, high = window.ends
    known = ~np.isnan(values)
    value = np.where(known, values, -1.0)
    top = high * (1.0 + _EDGE) if np.isfinite(high) else np.inf
    return np.asarray(known & (value >= low * (1.0 - _EDGE)) & (value <= top))
