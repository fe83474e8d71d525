"""The result of :func:`rnetstats.immortal_time`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.options import real
from rnetstats._core.result import Result
from rnetstats.errors import OptionError, TooFewEventsError
from rnetstats.formatting import fmt_number, fmt_percent
from rnetstats.treatment.immortal_biases import ImmortalBiases, simulate_biases
from rnetstats.treatment.immortal_options import sizes_of, within_follow_up
from rnetstats.treatment.immortal_words import delay_sentence, error_text
from rnetstats.treatment.null_cohorts import FollowUpShape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ImmortalTimeResult"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ImmortalTimeResult(Result):
    """Misclassified person-time, and the bias by delay under no effect of treatment.

    Attributes
    ----------
    person_time : DataFrame
        ``counting, arm, n, n_events, person_time, rate``: the data, with the time before treatment
        counted as treated (naive) and as untreated (right).
    overview : dict
        One row of :meth:`glance`.
    table : DataFrame
        Simulated, one row a delay and a last one with the delays observed: ``delay, law``
        ("fixed" or "as observed"), ``share_treated, share_misclassified`` (of the person-time
        called treated), ``n_events_treated, n_events_untreated, hazard_ratio, mcse`` (naive Cox
        and its Monte Carlo error, measured against the valid analysis of the same cohorts),
        ``size`` (minor, moderate, large), ``valid_hazard_ratio, valid_mcse`` (treatment as a
        covariate that changes at its time), ``risk_difference, risk_difference_mcse`` (per 100
        patients at the horizon, naive), ``rate_ratio, rate_ratio_mcse`` and ``closed_form``
        (naive, by simulation and by formula).
    labels : dict
        Words: ``treatment, endpoint, unit``.
    shape : FollowUpShape or None
    observed : array of shape (k,) or None
        Delays of the treated; neither is written to JSON.
    kaplan_meier_risk : float
        Risk of the event by the horizon among all patients.
    """

    person_time: pd.DataFrame
    overview: dict[str, Any]
    table: pd.DataFrame
    labels: dict[str, str]
    shape: FollowUpShape | None = field(default=None, metadata={"rows": True})
    observed: Floats | None = field(default=None, metadata={"rows": True})
    kaplan_meier_risk: float | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return the bias by delay."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: patients, events, misclassified person-time, rate ratios."""
        return pd.DataFrame([self.overview])

    def display(self) -> pd.DataFrame:
        """Return the bias by delay as text."""
        unit, horizon = self.labels["unit"], self.options["horizon"]
        records = self.table.to_dict("records")
        return pd.DataFrame(
            {
                f"Delay of {self.labels['treatment']} ({unit})": [
                    fmt_number(row["delay"], 0 if float(row["delay"]).is_integer() else 1)
                    + ("" if row["law"] == "fixed" else " on average, as observed")
                    for row in records
                ],
                "Treated": [fmt_percent(row["share_treated"]) for row in records],
                "Their person-time before treatment": [
                    fmt_percent(row["share_misclassified"]) for row in records
                ],
                "HR, naive (MC error)": [
                    error_text(row["hazard_ratio"], row["mcse"]) for row in records
                ],
                "Rate ratio by formula": [fmt_number(row["closed_form"], 3) for row in records],
                "HR, valid (MC error)": [
                    error_text(row["valid_hazard_ratio"], row["valid_mcse"]) for row in records
                ],
                "Bias": [row["size"] for row in records],
                f"Difference at {horizon:g} {unit}, of 100 (MC error)": [
                    error_text(row["risk_difference"], row["risk_difference_mcse"], 1)
                    for row in records
                ],
            }
        )

    @property
    def sentence(self) -> str:
        """What immortal time alone would do, from the numbers."""
        return delay_sentence(self.table, self.labels)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the hazard ratio under no effect against the delay, naive and valid."""
        from rnetstats.plots.immortal import draw_delays
        from rnetstats.plots.style import marked

        return marked(draw_delays(self.table, labels=self.labels, ax=ax), self.synthetic)

    def biases(
        self,
        *,
        inputs: Mapping[str, float] | None = None,
        risk: float | None = None,
        horizon: float | None = None,
        cohorts: int = 50,
        patients: int = 10_000,
        seed: int | None = None,
    ) -> ImmortalBiases:
        """Set immortal time beside the other biases of such a comparison, in the same units.

        Each bias is simulated alone, in cohorts in which treatment does nothing, and then all
        together. The assumptions have names, values and sources: ``.biases().inputs``.

        Parameters
        ----------
        inputs : mapping of str to float, optional
            Assumptions to change; the names are the fields of
            :class:`rnetstats.treatment.immortal_inputs.BiasInputs`, as ``{"lvi_treated": 0.4}``.
        risk : float, optional
            Risk of the event by the horizon. By default that of all patients in the data, by
            Kaplan and Meier. Residual tumours that are counted come on top.
        horizon : float, optional
            Where differences of risks are taken; by default that of the call.
        cohorts, patients : int
            Cohorts simulated, and patients in each.
        seed : int, optional
            By default the seed of the call.

        Returns
        -------
        ImmortalBiases

        Raises
        ------
        DataNotKeptError
            If the result was read back from JSON.
        TooFewEventsError
            If the data have no event by the horizon and no ``risk`` is given.
        OptionError
            For an unknown input, or one that cannot be.

        References
        ----------
        Hernan MA, Sauer BC, Hernandez-Diaz S, Platt R, Shrier I (2016). Specifying a target trial
        prevents immortal time bias and other self-inflicted injuries in observational analyses.
        Journal of Clinical Epidemiology 79:70-75.
        """
        shape: FollowUpShape = self._need("shape", "biases()")
        observed: Floats = self._need("observed", "biases()")
        own = self.options["horizon"] if horizon is None else horizon
        checked = within_follow_up(own, shape)
        base = (
            self.kaplan_meier_risk if risk is None and checked == self.options["horizon"] else risk
        )
        if base is None:
            raise OptionError("With another horizon= give the risk= by it.")
        if base == 0.0:
            raise TooFewEventsError(
                f"No event by {checked:g} in the data gives no risk to simulate with: give risk=, "
                "for instance risk=0.05."
            )
        return simulate_biases(
            shape,
            observed,
            share=self.overview["share_treated"],
            risk=real("risk", base, low=0.0, high=1.0, closed=False),
            horizon=checked,
            inputs=inputs,
            sizes=sizes_of(cohorts, patients, self.seed if seed is None else seed),
            labels=self.labels,
            synthetic=self.synthetic,
        )
