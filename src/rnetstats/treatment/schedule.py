"""What denser visits in one arm do to a comparison of times to detection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

from rnetstats._core.frame import Data
from rnetstats._core.options import level
from rnetstats.errors import OptionError
from rnetstats.treatment.schedule_regrid import regrid
from rnetstats.treatment.schedule_result import ScheduleRegridResult, ScheduleSimulationResult
from rnetstats.treatment.schedule_simulation import PerArm, simulate

__all__ = ["schedule_sensitivity"]


@overload
def schedule_sensitivity(
    data: None = None,
    formula: None = None,
    *,
    visits: Mapping[Any, Any],
    n: int | Mapping[Any, int] | None = None,
    hazard: PerArm | None = None,
    shape: float | None = None,
    follow_up: float | Sequence[float] | None = None,
    sensitivity: float | None = None,
    horizon: float | None = None,
    replicates: int | None = None,
    seed: int | None = None,
) -> ScheduleSimulationResult: ...


@overload
def schedule_sensitivity(
    data: Data,
    formula: str,
    *,
    visits: Mapping[Any, Any],
    until: str | float | None = None,
    conf_level: float | None = None,
    missing: str | None = None,
) -> ScheduleRegridResult: ...


def schedule_sensitivity(
    data: Data | None = None,
    formula: str | None = None,
    *,
    visits: Mapping[Any, Any],
    n: int | Mapping[Any, int] | None = None,
    hazard: PerArm | None = None,
    shape: float | None = None,
    follow_up: float | Sequence[float] | None = None,
    sensitivity: float | None = None,
    horizon: float | None = None,
    replicates: int | None = None,
    seed: int | None = None,
    until: str | float | None = None,
    conf_level: float | None = None,
    missing: str | None = None,
) -> ScheduleSimulationResult | ScheduleRegridResult:
    """Show what denser visits in one arm do to a comparison of times to detection.

    Without data, cohorts with a known truth are simulated and analysed in two ways: as if the
    events happened when they were found, and as interval-censored. With data, the question is what
    would have been found had all groups been seen as rarely as the most rarely seen: detections
    are moved to the next visit of that schedule, and the groups compared before and after.

    Parameters
    ----------
    data : DataFrame or mapping, optional
    formula : str, optional
        With data: ``"Surv(time, event) ~ group"``, time being that of detection.
    visits : mapping of arm to float or sequence of float
        Times of the visits after 0, or the distance between them; two arms without data, the first
        of them the reference.
    n : int or mapping, optional
        Patients an arm, 500 by default; for the simulation, as are the following.
    hazard : float or mapping, optional
        Survival to t is exp(-(hazard t)^shape); by default 0.02 in both arms.
    shape : float, optional
        1 by default.
    follow_up : float or sequence of float, optional
        The end of follow-up (60 by default), or several, each as frequent in both arms as it is
        given: those of a cohort's patients, say.
    sensitivity : float, optional
        Probability that a visit finds an event that is there, 1 by default; the interval-censored
        analyses suppose 1.
    horizon : float, optional
        Time of the risks compared; by default the shortest follow-up.
    replicates : int, optional
        200 by default.
    seed : int, optional
        Drawn and recorded if not given.
    until : str or float, optional
        With data, as the following: a column, or one number, of the possible end of follow-up; a
        detection moved past it is censored there.
    conf_level : float, optional
        0.95 by default.
    missing : {"drop", "raise"}, optional

    Returns
    -------
    ScheduleSimulationResult or ScheduleRegridResult

    Raises
    ------
    OptionError
        For options that are not allowed, or that belong to the other of the two uses.
    DataError, FormulaError, ColumnError, TooFewEventsError
        For data that cannot be used.

    Notes
    -----
    Estimands: the hazard ratio and the risk by the horizon are those of the event itself, not of
    its detection. ``lead_time`` is how much later the second arm's events are found, among those
    found. An interval-censored analysis supposes that visits do not depend on the event.

    References
    ----------
    Panageas KS, Ben-Porat L, Dickler MN, et al. (2007). When you look matters: the effect of
    assessment schedule on progression-free survival. J Natl Cancer Inst 99:428-432. Lindsey JC,
    Ryan LM (1998). Methods for interval-censored data. Stat Med 17:219-238.

    Examples
    --------
    >>> import rnetstats as rn
    >>> found = rn.schedule_sensitivity(visits={"sparse": 12, "dense": 3}, replicates=20, seed=1)
    >>> round(found.lead_time, 1)
    -4.7
    >>> cohort = rn.load_cohort("duan2024")
    >>> formula = "Surv(dfs_months, recurrence) ~ margin_positive"
    >>> moved = rn.schedule_sensitivity(cohort, formula, visits={0: 12, 1: 6})
    >>> moved.to_frame()[["analysis", "n_events", "reference_events", "estimate"]].round(1)
                                      analysis  n_events  reference_events  estimate
    0                              as observed        11                 1      14.0
    1                     1 on the visits of 0        11                 1      14.1
    2                   all on the visits of 0        11                 1      14.1
    3  interval-censored, Cox with log-F(1, 1)        11                 1      13.0
    """
    simulation = {
        "n": n,
        "hazard": hazard,
        "shape": shape,
        "follow_up": follow_up,
        "sensitivity": sensitivity,
        "horizon": horizon,
        "replicates": replicates,
        "seed": seed,
    }
    with_data = {"until": until, "conf_level": conf_level, "missing": missing}
    if not isinstance(visits, Mapping):
        raise OptionError("visits says for each arm when it is seen: {'A': 6, 'B': [12, 24, 36]}.")
    if data is None:
        _refuse(with_data, "data; give data and a formula, or leave them out")
        if formula is not None:
            raise OptionError(f"formula={formula!r} needs data.")
        given = {name: value for name, value in simulation.items() if value is not None}
        return simulate(visits, **given)  # type: ignore[arg-type]
    _refuse(simulation, "the simulation; leave data out, or them")
    if formula is None:
        raise OptionError("With data, give the formula: 'Surv(time, event) ~ group'.")
    return regrid(
        data,
        formula,
        visits=visits,
        until=until,
        conf_level=0.95 if conf_level is None else level(conf_level),
        missing="drop" if missing is None else missing,
    )


def _refuse(options: dict[str, Any], where: str) -> None:
    """Refuse options that belong to the other use of the verb."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise OptionError(f"{', '.join(given)} belong to {where}.")
