"""Immortal time: how much of it the data hold, and how far it alone could mislead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import Data, is_synthetic_data
from rnetstats._core.options import positive_int, real
from rnetstats._core.random import resolve_seed
from rnetstats._core.result import Result
from rnetstats.errors import DataError, FormulaError, OptionError, TooFewEventsError
from rnetstats.formatting import fmt_number, fmt_percent
from rnetstats.kernels.weighted_curves import survival_many
from rnetstats.treatment.immortal_biases import ImmortalBiases, simulate_biases
from rnetstats.treatment.immortal_delays import delay_table
from rnetstats.treatment.immortal_words import delay_sentence, error_text, immortal_notes
from rnetstats.treatment.null_cohorts import FollowUpShape, Sizes, draw_cohorts, follow_up_shape
from rnetstats.treatment.patients import Patients, read_patients
from rnetstats.treatment.person_time import overview, person_time_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ImmortalTimeResult", "immortal_time"]

Floats = NDArray[np.float64]

DELAYS = (1, 2, 3, 6, 9, 12, 18, 24)


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
        checked = _horizon(own, shape)
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
            sizes=_sizes(cohorts, patients, self.seed if seed is None else seed),
            labels=self.labels,
            synthetic=self.synthetic,
        )


def immortal_time(
    data: Data,
    formula: str,
    *,
    treatment_time: str = "salvage_months",
    delays: Sequence[float] = DELAYS,
    risk: float = 0.25,
    horizon: float = 60.0,
    cohorts: int = 50,
    patients: int = 10_000,
    treatment: str = "treatment",
    id: str | None = None,
    missing: str = "drop",
    seed: int | None = None,
) -> ImmortalTimeResult:
    """Measure immortal time in the data, and simulate what it does when treatment does nothing.

    A comparison from time zero of patients who were treated at some time with those who never
    were is naive: the treated had to stay free of the event until treatment. The data say how
    much person-time is misclassified so. The simulation says what hazard ratio a treatment
    without any effect would show, by its delay.

    Parameters
    ----------
    data : DataFrame or mapping
        One row a patient.
    formula : str
        ``"Surv(time, event)"``, times in any unit (the defaults of the other options are months).
    treatment_time : str
        Column with the time from the start of follow-up to treatment, missing for the never
        treated. A treatment on the day of the event or last visit comes after it.
    delays : sequence of float
        Delays to simulate: all who are meant to be treated (the share treated in the data) are
        treated exactly then, if they are still followed and free of the event.
    risk, horizon : float
        Risk of the event by the horizon in the simulated cohorts, at a constant rate. The default,
        a quarter by 60 months, is a cohort of many events; the bias hardly depends on it while
        events are rare (see Notes).
    cohorts, patients : int
        Cohorts simulated, and patients in each. Monte Carlo errors are the spread over cohorts.
    treatment : str
        What the treatment is called in words and figures.
    id : str, optional
        Column that names the patients, for messages.
    missing : {"drop", "raise"}
    seed : int, optional

    Returns
    -------
    ImmortalTimeResult
        ``.sentence`` says the result in words, ``.biases()`` sets it beside larger biases.

    Raises
    ------
    DataError
        If nobody or everybody is treated, or a time of treatment is negative or later than the
        event or last visit.
    FormulaError
        If the right side has covariates, or the left side is no ``Surv(time, event)``.
    OptionError
        If there is no delay, or one is negative or past the longest follow-up; for other options
        that cannot be.

    Notes
    -----
    With the follow-up of the 181 margin-positive patients (mean 70 months without events), a third
    meant to be treated and a risk of 25 % by 60 months, the naive hazard ratio under no effect is
    0.97 to 0.93 at delays of 1 to 3 months and 0.74 to 0.57 at 12 to 24. With rarer events, a risk
    of 5 %, it is 0.98 to 0.93 and 0.77 to 0.59. A bias is called minor from 0.90 to 1/0.90,
    moderate from 0.80, else large.

    References
    ----------
    Suissa S (2008). Immortal time bias in pharmacoepidemiology. American Journal of Epidemiology
    167:492-499. Levesque LE, Hanley JA, Kezouh A, Suissa S (2010). Problem of immortal time bias in
    cohort studies: example using statins for preventing progression of diabetes. BMJ 340:b5087.
    Hernan MA et al. (2016). Specifying a target trial prevents immortal time bias and other
    self-inflicted injuries in observational analyses. Journal of Clinical Epidemiology 79:70-75.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> positives = cohort[cohort["margin_positive"] == 1]
    >>> found = rn.immortal_time(
    ...     positives, "Surv(dfs_months, recurrence)", delays=(2, 12), patients=2000, seed=1
    ... )
    >>> found.glance()[["n_treated", "mean_delay", "misclassified", "naive_bias"]].round(2)
       n_treated  mean_delay  misclassified  naive_bias
    0         59        1.58          93.34        0.97
    >>> found.to_frame()[["delay", "law", "closed_form", "size"]].round(2)
       delay          law  closed_form   size
    0   2.00        fixed         0.95  minor
    1  12.00        fixed         0.74  large
    2   1.58  as observed         0.96  minor
    """
    read = read_patients(data, _outcome_only(formula), treatment_time, id=id, missing=missing)
    _both_arms(read, treatment_time)
    shape = follow_up_shape(read.stop, read.event)
    checked = _horizon(horizon, shape)
    asked = _delays(delays, shape)
    risk = real("risk", risk, low=0.0, high=1.0, closed=False)
    sizes = _sizes(cohorts, patients, seed)
    counted = person_time_table(read)
    found = overview(read, counted)
    table = delay_table(
        draw_cohorts(shape, found["share_treated"], sizes),
        shape,
        rate=float(-np.log1p(-risk)) / checked,
        share=found["share_treated"],
        horizon=checked,
        delays=asked,
        observed=np.sort(read.treated_at[read.treated]),
    )
    labels = {
        "treatment": treatment,
        "endpoint": read.labels["endpoint"],
        "unit": read.labels["unit"] or "units of time",
    }
    return ImmortalTimeResult(
        person_time=counted,
        overview=found,
        table=table,
        labels=labels,
        shape=shape,
        observed=np.sort(read.treated_at[read.treated]),
        kaplan_meier_risk=_risk(read, checked),
        notes=(*read.notes, *immortal_notes(found, table, labels)),
        seed=sizes.seed,
        options={
            "formula": formula,
            "treatment_time": treatment_time,
            "delays": list(asked),
            "risk": risk,
            "horizon": checked,
            "cohorts": sizes.cohorts,
            "patients": sizes.patients,
            "treatment": treatment,
            "missing": missing,
        },
        synthetic=is_synthetic_data(data),
    )


def _outcome_only(formula: str) -> str:
    if not isinstance(formula, str):
        raise FormulaError(f"formula must be text, not {formula!r}.")
    left, tilde, right = formula.partition("~")
    if tilde and right.strip() not in ("1", "0"):
        raise FormulaError(
            f"{formula!r} has covariates; immortal_time takes the outcome alone, {left.strip()!r}."
        )
    return f"{left.strip()} ~ 1"


def _both_arms(read: Patients, name: str) -> None:
    if not read.treated.any():
        raise DataError(
            f"Nobody is treated during follow-up ({name!r}): there is no immortal time."
        )
    if read.treated.all():
        raise DataError(
            f"Everybody is treated during follow-up ({name!r}): there is nobody to compare with."
        )


def _horizon(horizon: float, shape: FollowUpShape) -> float:
    value = real("horizon", horizon, low=0.0, high=np.inf)
    if not 0.0 < value < shape.longest:
        raise OptionError(
            f"horizon={value:g} must lie between 0 and the longest follow-up, {shape.longest:g}; "
            "it has the unit of the data."
        )
    return value


def _delays(delays: Sequence[float], shape: FollowUpShape) -> tuple[float, ...]:
    given: list[Any] = [delays] if np.ndim(delays) == 0 else list(delays)
    if not given:
        raise OptionError("delays is empty; give at least one, as delays=(1, 3, 12).")
    values = tuple(real("delays", delay, low=0.0) for delay in given)
    late = [f"{delay:g}" for delay in values if delay >= shape.longest]
    if late:
        raise OptionError(
            f"delays {', '.join(late)} are past the longest follow-up, {shape.longest:g}: nobody "
            "would be treated."
        )
    return values


def _sizes(cohorts: int, patients: int, seed: int | None) -> Sizes:
    return Sizes(
        positive_int("cohorts", cohorts, minimum=2),
        positive_int("patients", patients, minimum=100),
        resolve_seed(seed),
    )


def _risk(read: Patients, horizon: float) -> float:
    """Kaplan-Meier risk of the event by the horizon among all patients."""
    ones = np.ones(read.n)
    curve = survival_many(read.stop, read.event, ones, np.array([horizon]))
    return float(1.0 - curve[0, 0])
