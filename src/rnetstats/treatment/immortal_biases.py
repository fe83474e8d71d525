"""Immortal time beside the other biases of a comparison of treated with untreated patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_number
from rnetstats.treatment.immortal_inputs import bias_inputs
from rnetstats.treatment.immortal_scenes import ALL, DRAWS, BiasSetting, bias_table
from rnetstats.treatment.immortal_words import bias_sentence, error_text
from rnetstats.treatment.null_cohorts import FollowUpShape, Sizes, draw_cohorts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ImmortalBiases", "simulate_biases"]

_NOTES = (
    "Every number rests on the inputs named; most are chosen, and the order changes with them.",
    "Each bias acts alone in the same simulated cohorts, under no effect of treatment; each is "
    "measured against those cohorts without it.",
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ImmortalBiases(Result):
    """Biases under no effect of treatment, the furthest from no effect first.

    Attributes
    ----------
    table : DataFrame
        ``bias, label, rank`` (0 for all together), ``hazard_ratio, mcse, size`` (minor, moderate,
        large), ``direction, risk_difference, risk_difference_mcse`` (treated less untreated, of
        100 patients by the horizon), ``risk_treated, risk_untreated`` (as observed, of 100),
        ``assumes``.
    inputs : DataFrame
        ``input, value, meaning, source``.
    labels : dict
    """

    table: pd.DataFrame
    inputs: pd.DataFrame
    labels: dict[str, str]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a bias."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the settings, the largest bias, and where immortal time stands."""
        single = self.table[self.table["bias"] != ALL]
        immortal = single[single["bias"] == "immortal"].iloc[0]
        return pd.DataFrame(
            [
                {
                    "risk": self.options["risk"],
                    "horizon": self.options["horizon"],
                    "share_treated": self.options["share_treated"],
                    "largest": single["bias"].iloc[0],
                    "largest_hazard_ratio": single["hazard_ratio"].iloc[0],
                    "immortal_hazard_ratio": immortal["hazard_ratio"],
                    "immortal_rank": immortal["rank"],
                    "n_biases": len(single),
                }
            ]
        )

    def display(self) -> pd.DataFrame:
        """Return the biases as text."""
        records = self.table.to_dict("records")
        horizon, unit = self.options["horizon"], self.labels["unit"]
        return pd.DataFrame(
            {
                "Bias": [row["label"] for row in records],
                "HR under no effect (MC error)": [
                    error_text(row["hazard_ratio"], row["mcse"]) for row in records
                ],
                "Size": [row["size"] for row in records],
                "Direction": [row["direction"] for row in records],
                f"Risk at {horizon:g} {unit} of 100, treated and untreated": [
                    f"{fmt_number(row['risk_treated'], 1)} and "
                    f"{fmt_number(row['risk_untreated'], 1)}"
                    for row in records
                ],
                "Difference of 100 (MC error)": [
                    error_text(row["risk_difference"], row["risk_difference_mcse"], 2)
                    for row in records
                ],
                "Assumes": [row["assumes"] for row in records],
            }
        )

    @property
    def sentence(self) -> str:
        """The ranking in words, from the numbers."""
        return bias_sentence(self.table, self.labels)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the hazard ratio that each bias alone would show, on a log scale."""
        from rnetstats.plots.immortal import draw_biases
        from rnetstats.plots.style import marked

        return marked(draw_biases(self.table, labels=self.labels, ax=ax), self.synthetic)


def simulate_biases(
    shape: FollowUpShape,
    observed: NDArray[np.float64],
    *,
    share: float,
    risk: float,
    horizon: float,
    inputs: Mapping[str, float] | None,
    sizes: Sizes,
    labels: dict[str, str],
    synthetic: bool,
) -> ImmortalBiases:
    """Simulate every bias; see :meth:`ImmortalTimeResult.biases`.

    Parameters
    ----------
    shape : FollowUpShape
    observed : array of shape (k,)
        Delays of the treated patients of the data.
    share : float
        Share of patients meant to be treated.
    risk, horizon : float
    inputs : mapping, optional
        Changes of the assumptions.
    sizes : Sizes
    labels : dict
        ``treatment, endpoint, unit``.
    synthetic : bool
        Whether the data were drawn.

    Raises
    ------
    OptionError
        For inputs that cannot be, or cohorts without events in an arm.
    """
    assumed = bias_inputs(inputs)
    setting = BiasSetting(assumed, risk, horizon, share, np.sort(observed))
    table = bias_table(draw_cohorts(shape, share, sizes, DRAWS), setting)
    return ImmortalBiases(
        table=table,
        inputs=assumed.table(),
        labels=labels,
        notes=_NOTES,
        seed=sizes.seed,
        options={
            "risk": risk,
            "horizon": horizon,
            "share_treated": share,
            "cohorts": sizes.cohorts,
            "patients": sizes.patients,
            "inputs": asdict(assumed),
        },
        synthetic=synthetic,
    )
