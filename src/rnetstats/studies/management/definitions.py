"""Definitions that differ between documents, as parameters with documented defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

import pandas as pd

from rnetstats._core.options import choice, real
from rnetstats.errors import OptionError, closest
from rnetstats.studies.management.cells import INPUTS, Category
from rnetstats.studies.management.vocabulary import RISK_FACTORS

__all__ = ["DefinitionOptions", "Definitions"]

_EDGES = ("as printed", "smaller", "larger")


class DefinitionOptions(TypedDict, total=False):
    """The definitions as keywords; :func:`rnetstats.classify` explains them."""

    edge_10: str
    edge_20: str
    indeterminate: str
    positive_rim_mm: float
    lvi_as_positive: bool
    higher_g2: str | float | None
    grade_from: str
    risk_factors: Sequence[str]
    assume: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Definitions:
    """Checked definitions; :func:`rnetstats.classify` explains each."""

    edge_10: str = "as printed"
    edge_20: str = "as printed"
    indeterminate: str = "apart"
    positive_rim_mm: float = 0.0
    lvi_as_positive: bool = False
    higher_g2: str | float | None = None
    grade_from: str = "either"
    risk_factors: Sequence[str] = RISK_FACTORS
    assume: Mapping[str, Any] | None = None
    _assumed: dict[str, Any] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        choice("edge_10", self.edge_10, _EDGES)
        choice("edge_20", self.edge_20, _EDGES)
        choice("indeterminate", self.indeterminate, ("apart", "positive", "negative"))
        real("positive_rim_mm", self.positive_rim_mm, low=0.0, high=20.0)
        choice("lvi_as_positive", self.lvi_as_positive, (False, True))
        choice("grade_from", self.grade_from, ("either", "both"))
        if self.higher_g2 is not None and self.higher_g2 not in ("all", "none"):
            if isinstance(self.higher_g2, str):
                raise OptionError(
                    f"higher_g2={self.higher_g2!r} is not allowed; give the Ki-67 (per cent) from "
                    "which a G2 is higher, 'all', 'none', or None where it is not known."
                )
            real("higher_g2", self.higher_g2, low=3.0, high=20.0)
        object.__setattr__(self, "risk_factors", _factors(self.risk_factors))
        object.__setattr__(self, "_assumed", _assumed(self.assume))

    @property
    def assumed(self) -> dict[str, Any]:
        """The value taken for an input where it is missing: a number, or the name of a category."""
        return dict(self._assumed)

    def edge(self, mm: float) -> str:
        """Return where tumours of exactly this size belong."""
        return {10.0: self.edge_10, 20.0: self.edge_20}.get(mm, "as printed")

    def as_options(self) -> dict[str, Any]:
        """Return the definitions for the record of a result."""
        return {
            "edge_10": self.edge_10,
            "edge_20": self.edge_20,
            "indeterminate": self.indeterminate,
            "positive_rim_mm": float(self.positive_rim_mm),
            "lvi_as_positive": self.lvi_as_positive,
            "higher_g2": self.higher_g2,
            "grade_from": self.grade_from,
            "risk_factors": list(self.risk_factors),
            "assume": self.assumed,
        }


def _factors(given: Any) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, Sequence) or not given:
        raise OptionError(
            f"risk_factors must be a list of at least one of {', '.join(RISK_FACTORS)}, not "
            f"{given!r}."
        )
    return tuple(str(choice("risk_factors", factor, RISK_FACTORS)) for factor in given)


def _assumed(given: Any) -> dict[str, Any]:
    """Check ``assume``: known inputs, each with a value that a patient may have."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise OptionError(f"assume must map inputs to values, not {given!r}.")
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name not in INPUTS:
            raise OptionError(
                f"assume: there is no input {name!r}.{closest(str(name), INPUTS)} The inputs are: "
                f"{', '.join(INPUTS)}."
            )
        about = INPUTS[name]
        if isinstance(about, Category):
            code = about.code(value) if pd.api.types.is_scalar(value) else None
            if code is None or code < 0:
                raise OptionError(f"assume: {name}={value!r} is none of {', '.join(about.values)}.")
            found[name] = about.values[code]
        else:
            found[name] = real(f"assume: {name}", value, low=about.low, high=about.high)
    return found
