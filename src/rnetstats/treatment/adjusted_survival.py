"""Adjusted survival curves: a Cox model standardised over the cohort (the g-formula)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnetstats._core.frame import Data
from rnetstats._core.options import level
from rnetstats._core.random import resolve_seed
from rnetstats._core.resamples import checked_resamples
from rnetstats.errors import ConvergenceError
from rnetstats.regression.cox import cox
from rnetstats.regression.cox_result import CoxResult
from rnetstats.treatment.adjusted_result import AdjustedSurvivalResult
from rnetstats.treatment.adjusted_rows import AdjustedRows, adjusted_rows, check_formula
from rnetstats.treatment.adjusted_tables import contrast_table, curve_table
from rnetstats.treatment.draws import Draws, few_events
from rnetstats.treatment.standardised import resampled_curves

__all__ = ["AdjustedSurvivalResult", "adjusted_survival"]


def adjusted_survival(
    data: Data,
    formula: str,
    *,
    treatment: str | None = None,
    times: float | Sequence[float] | None = None,
    tau: float | None = None,
    penalty: str | None = "firth",
    ties: str = "efron",
    resamples: int = 1000,
    seed: int | None = None,
    freq_weights: Any = None,
    conf_level: float = 0.95,
    missing: str = "drop",
) -> AdjustedSurvivalResult:
    """Estimate what survival would be under each treatment, were everybody given it.

    A Cox model predicts each patient's curve under each treatment; the curves are averaged over
    all patients (the g-formula).

    Parameters
    ----------
    data : DataFrame or mapping of columns
        One row a patient; never changed.
    formula : str
        ``"Surv(time, event) ~ treat + x1 + x2"``, or ``Surv(start, stop, event)`` with late
        entry. Interactions with the treatment are averaged over too.
    treatment : str, optional
        A 0/1 column, a factor, or a column that stands in ``I(column op value)`` alone; by
        default the first of the model. Its first level is the reference.
    times : float or sequence of float, optional
        When risks are compared, in the unit of the data; by default at the last event within the
        follow-up of every group.
    tau : float, optional
        Until when mean survival is compared; by default the last of ``times``.
    penalty : {"firth", None}
        Of the Cox model.
    ties : {"efron", "breslow"}
    resamples : int
        Of the bootstrap by patient, which repeats the model; 0 for none.
    seed : int, optional
    freq_weights : str or array of shape (n,), optional
        Whole numbers: each row stands for so many patients.
    conf_level : float
    missing : {"drop", "raise"}

    Returns
    -------
    AdjustedSurvivalResult
        Curves in ``to_frame()``; ``contrasts()`` has risk differences, risk ratios and RMST
        differences. Where a group has fewer than 5 events, or more than 5 % of the resamples
        leave one without, there are point estimates, counts and the reason alone.

    Raises
    ------
    FormulaError, ColumnError, DataError
        If the formula or the data cannot be used, or a time lies beyond a group's follow-up.
    TooFewEventsError
        If there is no event.
    ConvergenceError
        If maximum likelihood has no estimate (a group without events).
    OptionError
        If an option is not allowed, or the treatment is no factor of the model.

    Notes
    -----
    The curves hold if hazards are proportional and the model names every confounder; what the
    groups' own patients had is in :func:`rnetstats.kaplan_meier`. A risk ratio at a time is no
    hazard ratio. Other events than that of the formula count as censorings.

    References
    ----------
    Chang IM, Gelman R, Pagano M (1982). Corrected group prognostic curves and summary statistics.
    Journal of Chronic Diseases 35:669-674.
    Robins J (1986). A new approach to causal inference in mortality studies with a sustained
    exposure period. Mathematical Modelling 7:1393-1512.
    Sjolander A (2016). Regression standardization with the R package stdReg. European Journal of
    Epidemiology 31:563-574.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> formula = "Surv(dfs_months, dfs_event) ~ margin_positive + age + size_mm"
    >>> curves = rn.adjusted_survival(cohort, formula, times=60, resamples=200, seed=1)
    >>> curves.contrasts()[["measure", "estimate", "conf_low", "conf_high"]].round(2)
               measure  estimate  conf_low  conf_high
    0  risk difference      0.04     -0.02       0.09
    1       risk ratio      1.33      0.84       2.02
    2  RMST difference     -0.99     -2.51       0.67
    """
    conf_level = level(conf_level)
    checked_resamples(resamples)
    check_formula(formula, ties)
    model = cox(
        data,
        formula,
        penalty=penalty,
        ties=ties,
        ci="wald",
        freq_weights=freq_weights,
        conf_level=conf_level,
        missing=missing,
    )
    adjusted = adjusted_rows(model, treatment, times, tau)
    rows = adjusted.rows
    if not np.isfinite(model.coefficients["coef"]).all():
        raise ConvergenceError(
            "A coefficient is infinite (a group without events): adjusted curves need "
            "penalty='firth'."
        )
    seen = dict(zip(adjusted.groups["group"], adjusted.groups["n_events"], strict=True))
    reason = few_events(seen, model.outcome)
    number, draws, drawn = None, None, None
    if resamples and not reason:
        number = resolve_seed(seed)
        draws, drawn = resampled_curves(rows, resamples=resamples, seed=number)
        reason = draws.refusal()
    whole = rows.curves(rows.coef[None], rows.freq[None])
    limits = (draws, drawn) if draws is not None and drawn is not None and not reason else None
    return AdjustedSurvivalResult(
        curves=curve_table(adjusted, whole[0], limits and limits[1], conf_level),
        table=contrast_table(adjusted, whole, limits and limits[0], conf_level),
        groups=adjusted.groups,
        at_risk=adjusted.at_risk,
        model=model,
        labels=adjusted.labels,
        counted=(Draws.empty(0, 1) if draws is None else draws).counted(),
        reason=reason,
        seed=number,
        synthetic=model.synthetic,
        notes=_notes(adjusted, reason, draws, model),
        options={
            "formula": model.options["formula"],
            "treatment": adjusted.treatment,
            "times": adjusted.times.tolist(),
            "tau": rows.tau,
            "penalty": penalty,
            "ties": ties,
            "resamples": resamples,
            "conf_level": conf_level,
            "missing": missing,
        },
    )


def _notes(
    adjusted: AdjustedRows, reason: str, draws: Draws | None, model: CoxResult
) -> tuple[str, ...]:
    """What the curves assume, and why limits are missing."""
    return (
        f"Each patient of {int(adjusted.rows.freq.sum())} is given each value of "
        f"{adjusted.treatment!r} in turn; the contrast is causal only if the model names every "
        "confounder and hazards are proportional.",
        *adjusted.notes,
        *([f"No limits and no P: {reason}."] if reason else []),
        *_early(adjusted),
        *([] if draws is None else draws.notes()),
        *model.notes,
    )


def _early(adjusted: AdjustedRows) -> list[str]:
    """Say at which times asked for nothing has happened yet."""
    asked = {f"{time:g}": time for time in (*adjusted.times.tolist(), adjusted.rows.tau)}
    early = [name for name, time in asked.items() if time < adjusted.first_event]
    if not early:
        return []
    return [
        f"No event by {', '.join(early)}: the risk there is 0 and the ratio undefined, without "
        "limits or P; no_events() gives bounds."
    ]
