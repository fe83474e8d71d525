"""Prior laws of a sensitivity or a specificity, as plain arguments, and draws from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from rnetstats._core.options import real
from rnetstats.errors import OptionError, closest
from rnetstats.formula.variables import level_text

__all__ = ["Prior", "read_prior", "read_priors"]

Floats = NDArray[np.float64]

_SIZES = {"uniform": 2, "trapezoidal": 4, "beta": 2}
_FORMS = (
    "a number, (low, high) or ('uniform', low, high), ('trapezoidal', low, first, last, high), or "
    "('beta', a, b)"
)


@dataclass(frozen=True)
class Prior:
    """A law on [0, 1]: fixed, uniform, trapezoidal or beta."""

    kind: str
    values: tuple[float, ...]

    @property
    def text(self) -> str:
        """The law as printed."""
        shown = ", ".join(f"{value:g}" for value in self.values)
        return shown if self.kind == "fixed" else f"{self.kind} ({shown})"

    def quantile(self, u: Floats) -> Floats:
        """The law's quantile at each probability (k,)."""
        if self.kind == "fixed":
            return np.full(u.shape, self.values[0])
        if self.kind == "uniform":
            low, high = self.values
            return np.asarray(low + (high - low) * u)
        if self.kind == "beta":
            a, b = self.values
            return np.asarray(betaincinv(a, b, u))
        return _trapezoidal(u, *self.values)


def _trapezoidal(u: Floats, low: float, first: float, last: float, high: float) -> Floats:
    """Rising from ``low`` to ``first``, level to ``last``, falling to ``high``."""
    if high == low:
        return np.full(u.shape, low)
    height = 2.0 / (high + last - first - low)
    rising, falling = 0.5 * height * (first - low), 1.0 - 0.5 * height * (high - last)
    left = low + np.sqrt(np.maximum(2.0 * u * (first - low) / height, 0.0))
    right = high - np.sqrt(np.maximum(2.0 * (1.0 - u) * (high - last) / height, 0.0))
    middle = first + (u - rising) / height
    return np.asarray(np.where(u < rising, left, np.where(u > falling, right, middle)))


def read_prior(name: str, given: Any) -> Prior:
    """Read one prior from a number or a tuple.

    Raises
    ------
    OptionError
        If it is none of the forms, leaves [0, 1], or its values are not in order.
    """
    if not isinstance(given, (tuple, list)):
        return Prior("fixed", (real(name, given, low=0.0, high=1.0),))
    kind, values = _named(name, given)
    if len(values) != _SIZES[kind]:
        raise OptionError(
            f"{name}={given!r}: a {kind} law has {_SIZES[kind]} numbers. Give {_FORMS}."
        )
    if kind == "beta":
        return Prior(kind, tuple(real(name, v, low=0.0, closed=False) for v in values))
    numbers = tuple(real(name, v, low=0.0, high=1.0) for v in values)
    if list(numbers) != sorted(numbers):
        raise OptionError(f"{name}={given!r}: the numbers of a {kind} law must rise.")
    return Prior(kind, numbers)


def _named(name: str, given: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    if given and isinstance(given[0], str):
        if given[0] not in _SIZES:
            hint = closest(given[0], _SIZES)
            raise OptionError(f"{name}={given!r} names no law: give {_FORMS}.{hint}")
        return given[0], given[1:]
    kind = {2: "uniform", 4: "trapezoidal"}.get(len(given))
    if kind is None:
        raise OptionError(f"{name}={given!r} is no law: give {_FORMS}.")
    return kind, given


def read_priors(name: str, given: Any, groups: tuple[str, str]) -> tuple[Prior, Prior | None]:
    """Read the priors of both groups; the second is None where they share one.

    Parameters
    ----------
    name : str
        ``sensitivity`` or ``specificity``.
    given : prior or mapping of group to prior
    groups : pair of str
        The groups between which the classification may differ.

    Raises
    ------
    OptionError
        If a mapping does not name exactly the two groups, or a prior is wrong.
    """
    if not isinstance(given, Mapping):
        return read_prior(name, given), None
    named = {level_text(key): value for key, value in given.items()}
    if set(named) != set(groups):
        raise OptionError(
            f"{name}= names {', '.join(map(repr, named))}; when it differs, give one for each of "
            f"{groups[0]!r} and {groups[1]!r}."
        )
    first, second = (read_prior(f"{name}[{group!r}]", named[group]) for group in groups)
    return first, second
