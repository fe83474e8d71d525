"""Transformations of proportions: forward with their variances, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["SIZES", "TRANSFORMS", "Transform", "Transformed", "harmonic_mean"]

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Transformed:
    """Series on the scale of analysis.

    Attributes
    ----------
    y, v : (k,)
        Missing where not defined.
    corrected, usable : (k,) of bool
    """

    y: Floats
    v: Floats
    corrected: Flags
    usable: Flags


@dataclass(frozen=True)
class Transform:
    """A scale on which proportions are pooled.

    Attributes
    ----------
    name, words : str
    forward : callable
        ``(events, n) -> (y, v)``.
    backward : callable
        ``(y, n) -> proportion``; n matters to Freeman and Tukey's only.
    needs_events : bool
        Whether series without events, or without others, have to be corrected.
    ends : (float, float)
        The values of 0 and of 1.
    """

    name: str
    words: str
    forward: Callable[[Floats, Floats], tuple[Floats, Floats]]
    backward: Callable[[Floats, float], Floats]
    needs_events: bool
    ends: tuple[float, float]

    def apply(self, events: Floats, n: Floats, correction: float) -> Transformed:
        """Transform k series; those without events or others are corrected where it is needed.

        Parameters
        ----------
        events, n : (k,)
        correction : float
            Added to events and to non-events.
        """
        bare = (events == 0) | (events == n)
        corrected = bare & (self.needs_events and correction > 0.0)
        added = np.where(corrected, correction, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            y, v = self.forward(events + added, n + 2.0 * added)
        usable = np.isfinite(y) & np.isfinite(v) & (v > 0.0)
        return Transformed(
            np.where(usable, y, np.nan), np.where(usable, v, np.nan), corrected, usable
        )

    def back(self, y: Floats, n: float = np.nan) -> Floats:
        """Return proportions, those beyond the ends of the scale as 0 and 1; missing stay so.

        Parameters
        ----------
        y : (...)
        n : float
            Size at which Freeman and Tukey's transformation is undone.
        """
        value = np.asarray(y, dtype=float)
        return np.asarray(self.backward(np.clip(value, *self.ends), n), dtype=float)


def harmonic_mean(n: Floats) -> float:
    """Harmonic mean of the sizes of series."""
    return float(1.0 / np.mean(1.0 / n))


def _size_of_sum(n: Floats, std_error: float) -> float:
    """1/variance of the sum of two arcsines, 1/(n + 0.5) a series (Barendregt et al. 2013).

    The double arcsine here is their mean, with variance 1/(4n + 2).
    """
    return 1.0 / (2.0 * std_error) ** 2


# Where the double arcsine may be undone: from the sizes and the pooled standard error, with words
SIZES: dict[str, tuple[Callable[[Floats, float], float], str]] = {
    "harmonic": (lambda n, _: harmonic_mean(n), "the harmonic mean of the sizes"),
    "barendregt": (_size_of_sum, "1/variance of the sum of two arcsines"),
    "inverse-variance": (
        lambda _, std_error: std_error**-2.0,
        "1/variance of the mean of two arcsines, four times that of their sum",
    ),
}


def _logit(x: Floats, n: Floats) -> tuple[Floats, Floats]:
    return np.log(x / (n - x)), 1.0 / x + 1.0 / (n - x)


def _arcsine(x: Floats, n: Floats) -> tuple[Floats, Floats]:
    return np.arcsin(np.sqrt(x / n)), 0.25 / n


def _freeman_tukey(x: Floats, n: Floats) -> tuple[Floats, Floats]:
    lower, upper = (np.arcsin(np.sqrt(count / (n + 1.0))) for count in (x, x + 1.0))
    return 0.5 * (lower + upper), 1.0 / (4.0 * n + 2.0)


def _miller(y: Floats, n: float) -> Floats:
    """Undo Freeman and Tukey's transformation at size n; beyond the values of 0 and n its ends."""
    low = 0.5 * np.arcsin(np.sqrt(1.0 / (n + 1.0)))
    angle = 2.0 * np.clip(y, low, np.pi / 2.0 - low)
    sine = np.sin(angle)
    inner = np.square(sine + (sine - 1.0 / sine) / n)
    return np.asarray(0.5 * (1.0 - np.sign(np.cos(angle)) * np.sqrt(np.maximum(1.0 - inner, 0.0))))


def _raw(x: Floats, n: Floats) -> tuple[Floats, Floats]:
    p = x / n
    return p, p * (1.0 - p) / n


def _log(x: Floats, n: Floats) -> tuple[Floats, Floats]:
    return np.log(x / n), 1.0 / x - 1.0 / n


_WHOLE = (-np.inf, np.inf)
_RIGHT_ANGLE = (0.0, np.pi / 2.0)

TRANSFORMS = {
    transform.name: transform
    for transform in (
        Transform("logit", "logits", _logit, lambda y, _: expit(y), True, _WHOLE),
        Transform(
            "arcsine", "arcsines", _arcsine, lambda y, _: np.sin(y) ** 2, False, _RIGHT_ANGLE
        ),
        Transform("freeman-tukey", "double arcsines", _freeman_tukey, _miller, False, _RIGHT_ANGLE),
        Transform("raw", "raw proportions", _raw, lambda y, _: y, True, (0.0, 1.0)),
        Transform("log", "log proportions", _log, lambda y, _: np.exp(y), True, (-np.inf, 0.0)),
    )
}
