"""Influence of each study: what leaving it out does to the pooled effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import chdtr

from rnetstats._core.result import Result
from rnetstats.errors import DataError
from rnetstats.evidence.meta_measures import MEASURES, Measure
from rnetstats.evidence.meta_options import PoolOptions
from rnetstats.evidence.meta_pooling import pool_sets
from rnetstats.formatting import fmt_number
from rnetstats.kernels.meta_pool import inverse_variance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rnetstats.evidence.meta_result import MetaAnalysisResult

__all__ = ["InfluenceResult", "influence"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class InfluenceResult(Result):
    """Diagnostics of each study, those of linear regression carried over.

    Attributes
    ----------
    measure : str
    diagnostics : DataFrame
        One row a study: ``estimate_del`` (the pooled effect without it), ``rstudent`` (its
        residual from that effect, over its standard error), ``dffits, cook_d, cov_r, dfbetas,
        hat`` (its share of the weight), ``tau2_del``, ``qe_del`` and ``influential``.
    """

    measure: str
    diagnostics: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return one row a study (a copy)."""
        return self.diagnostics.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: how many studies are influential or outlying."""
        rows = self.diagnostics
        return pd.DataFrame(
            {
                "measure": [self.measure],
                "k_used": len(rows),
                "influential": int(rows["influential"].sum()),
                "outlying": int((rows["rstudent"].abs() > 1.96).sum()),
                "largest_cook_d": float(rows["cook_d"].max()),
            }
        )

    def display(self) -> pd.DataFrame:
        """Return one row a study as text."""
        rows = self.diagnostics
        shown = {
            f"{self.measure} without": "estimate_del",
            "Studentised residual": "rstudent",
            "DFFITS": "dffits",
            "Cook's distance": "cook_d",
            "Covariance ratio": "cov_r",
            "tau² without": "tau2_del",
            "Q without": "qe_del",
            "Weight share": "hat",
        }
        table = {"Study": rows["study"].tolist()}
        table |= {name: [fmt_number(v, 3) for v in rows[key]] for name, key in shown.items()}
        table["Influential"] = ["yes" if flag else "" for flag in rows["influential"]]
        return pd.DataFrame(table)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each study's residual without it; a larger mark moves the pooled effect more."""
        from rnetstats.plots.meta_influence import influence_dots
        from rnetstats.plots.style import marked

        return marked(influence_dots(self.diagnostics, ax=ax), self.synthetic)


def influence(result: MetaAnalysisResult) -> InfluenceResult:
    """Compute the diagnostics of each study; see :class:`InfluenceResult`.

    All fits without one study are one batch. Standard errors are the classical ones, whatever the
    limits of the meta-analysis. A study is called influential if |DFFITS| > 3 sqrt(1/(k - 1)),
    Cook's distance exceeds the median of chi-square on 1 df, its share of the weight is above 3/k,
    or |DFBETAS| > 1.

    Raises
    ------
    DataError
        Below 3 studies.

    References
    ----------
    Viechtbauer W, Cheung MW-L (2010) Outlier and influence diagnostics for meta-analysis. Res
    Synth Methods 1:112-125.
    """
    used = result.used_studies()
    if len(used) < 3:
        found = "is 1" if len(used) == 1 else f"are {len(used)}"
        raise DataError(f"Influence takes at least three studies; there {found}.")
    table = _diagnostics(used, result.pooling, MEASURES[result.measure])
    return InfluenceResult(
        measure=result.measure,
        diagnostics=table,
        notes=_notes(table),
        options=result.pooling.as_dict(),
        synthetic=result.synthetic,
    )


def _diagnostics(used: pd.DataFrame, how: PoolOptions, measure: Measure) -> pd.DataFrame:
    k = len(used)
    y, v = used["coef"].to_numpy(), np.square(used["std_error"].to_numpy())
    everything, without = pool_sets(y, v, how), pool_sets(y, v, how, ~np.eye(k, dtype=bool))
    wald, hat = float(everything.wald[0]), everything.weights[0] / 100.0
    tau2 = without.spread["tau2"] if isinstance(how.tau2, str) else np.full(k, how.tau2)
    change, total = everything.coef[0] - without.coef, v + tau2
    at_deleted = inverse_variance(np.broadcast_to(y, (k, k)), v, tau2)
    found = pd.DataFrame(
        {
            "study": used["study"].tolist(),
            "estimate_del": measure.back(without.coef),
            "rstudent": (y - without.coef) / np.sqrt(total + np.square(without.wald)),
            "dffits": change / np.sqrt(hat * total),
            "cook_d": np.square(change / wald),
            "cov_r": np.square(without.wald / wald),
            "dfbetas": change / at_deleted.std_error,
            "tau2_del": tau2,
            "qe_del": without.spread["q"],
            "hat": hat,
        }
    )
    return found.assign(
        influential=(found["dffits"].abs() > 3.0 * np.sqrt(1.0 / (k - 1.0)))
        | (chdtr(1.0, found["cook_d"]) > 0.5)
        | (hat > 3.0 / k)
        | (found["dfbetas"].abs() > 1.0)
    )


def _notes(table: pd.DataFrame) -> tuple[str, ...]:
    """Name the studies that stand out."""
    found = table.loc[table["influential"], "study"].tolist()
    if not found:
        return ("No study is influential by the usual bounds.",)
    return (
        f"Influential by the usual bounds: {', '.join(found)}. A study is not left out for that, "
        "but the effect without it belongs beside the pooled one.",
    )
