"""The measures that a meta-analysis pools: their names, scales and columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["BY_ESTIMATE", "LAYOUTS", "MEASURES", "Measure"]

LAYOUTS = {
    "table": ("events_1", "n_1", "events_2", "n_2"),
    "means": ("mean_1", "sd_1", "n_1", "mean_2", "sd_2", "n_2"),
    "rates": ("events_1", "time_1", "events_2", "time_2"),
    "coef": ("coef", "std_error"),
    "error": ("estimate", "std_error"),
    "limits": ("estimate", "conf_low", "conf_high"),
}
BY_ESTIMATE = ("coef", "error", "limits")


@dataclass(frozen=True)
class Measure:
    """A measure of effect.

    Attributes
    ----------
    name, words : str
        ``"OR"`` and ``"odds ratio"``.
    log : bool
        Whether studies are pooled on the log scale.
    arms : str
        The layout of the columns of two arms, "" for a measure known by its estimate alone.
    """

    name: str
    words: str
    log: bool
    arms: str

    @property
    def null(self) -> float:
        """The value of no effect."""
        return 1.0 if self.log else 0.0

    @property
    def layouts(self) -> tuple[str, ...]:
        """The layouts of columns that it may come in, the one preferred first."""
        return (self.arms, *BY_ESTIMATE) if self.arms else BY_ESTIMATE

    @property
    def article(self) -> str:
        """The article before its words."""
        return "an" if self.words[0] in "aeiou" else "a"

    def back(self, value: Any) -> Any:
        """From the scale of analysis to that of the measure."""
        with np.errstate(over="ignore"):
            return np.exp(value) if self.log else value

    @property
    def compared(self) -> str:
        """What a coefficient of a meta-regression is."""
        return f"ratio of {self.name}s" if self.log else f"difference in {self.name}"


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("OR", "odds ratio", True, "table"),
        Measure("RR", "risk ratio", True, "table"),
        Measure("RD", "risk difference", False, "table"),
        Measure("HR", "hazard ratio", True, ""),
        Measure("MD", "mean difference", False, "means"),
        Measure("SMD", "standardised mean difference", False, "means"),
        Measure("IRR", "rate ratio", True, "rates"),
        Measure("IRD", "rate difference", False, "rates"),
        Measure("generic", "estimate", False, ""),
    )
}
