"""Univariable fits pooled term by term."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formula.spec import INTERCEPT
from rnetstats.missing.pooled_result import PooledResult
from rnetstats.regression.display import forest_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PooledUnivariable"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PooledUnivariable(Result):
    """Univariable fits pooled term by term; see :func:`rnetstats.pool`.

    Attributes
    ----------
    parts : tuple of PooledResult
        In the order of the terms.
    """

    parts: tuple[PooledResult, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a coefficient, without intercepts; columns as in PooledResult."""
        table = pd.concat([part.coefficients for part in self.parts], ignore_index=True)
        return table[table["term"] != INTERCEPT].reset_index(drop=True)

    def glance(self) -> pd.DataFrame:
        """Return one row: terms, imputations, smallest and largest number of patients."""
        n = [part.summary["n"] for part in self.parts]
        m = self.parts[0].summary["imputations"]
        return pd.DataFrame(
            [{"terms": len(self.parts), "imputations": m, "n_min": min(n), "n_max": max(n)}]
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text, with the factors' reference levels."""
        return pd.concat([part.display() for part in self.parts], ignore_index=True)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw a forest plot of all terms."""
        from rnetstats.plots.forest import forest
        from rnetstats.plots.style import marked

        rows = pd.concat([forest_rows(part) for part in self.parts], ignore_index=True)
        measure = str(self.parts[0].coefficients["measure"].iloc[-1])
        axes = forest(rows, measure=measure, conf_level=self.options["conf_level"], ax=ax)
        return marked(axes, self.synthetic)
