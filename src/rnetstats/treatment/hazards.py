"""Adjusted hazard ratios of a treatment: naive, time-dependent, and after a landmark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.distributions import chi_square_p
from rnetstats.kernels.cox import cox_likelihood, fit_cox
from rnetstats.kernels.leverage import informing_events
from rnetstats.kernels.newton import LOST_TERM, OK
from rnetstats.kernels.profile import profile_limits, restricted_fits
from rnetstats.kernels.risksets import prepare
from rnetstats.regression.maxima import highest_of_hazards
from rnetstats.treatment.patients import Patients

__all__ = [
    "FEW",
    "ArmRows",
    "Effect",
    "few_events",
    "hazard_ratio",
    "landmark_rows",
    "naive_rows",
    "split_rows",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FEW = 5  # events in an arm, below which neither limits nor P are given


@dataclass(frozen=True, eq=False)
class ArmRows:
    """Rows to be compared; a patient has two where the treatment came during follow-up.

    Attributes
    ----------
    start, stop : arrays of shape (m,)
    event, treated : bool arrays of shape (m,)
    X : array of shape (m, p)
    n_treated, n_untreated : int
        Patients with time in each arm.
    n_excluded : int
        Patients who are in neither.
    """

    start: Floats
    stop: Floats
    event: Flags
    treated: Flags
    X: Floats
    n_treated: int
    n_untreated: int
    n_excluded: int = 0

    @property
    def events(self) -> tuple[int, int]:
        """Events of the treated and of the untreated rows."""
        return int((self.event & self.treated).sum()), int((self.event & ~self.treated).sum())


@dataclass(frozen=True)
class Effect:
    """An estimate with limits and P, each missing where ``reason`` says why."""

    estimate: float = np.nan
    conf_low: float = np.nan
    conf_high: float = np.nan
    p_value: float = np.nan
    reason: str = ""
    notes: tuple[str, ...] = ()


def naive_rows(patients: Patients) -> ArmRows:
    """Compare ever with never treated from time zero."""
    treated = patients.treated
    return ArmRows(
        start=np.zeros(patients.n),
        stop=patients.stop,
        event=patients.event,
        treated=treated,
        X=patients.X,
        n_treated=int(treated.sum()),
        n_untreated=int((~treated).sum()),
    )


def split_rows(patients: Patients, since: float = 0.0) -> ArmRows:
    """Untreated until the treatment, treated from then on; among those event-free at ``since``."""
    kept = np.flatnonzero(patients.stop > since)
    at, stop = patients.treated_at[kept], patients.stop[kept]
    before, after = np.flatnonzero(at > since), np.flatnonzero(np.isfinite(at))
    rows = np.concatenate([before, after])
    treated = np.arange(rows.size) >= before.size
    end = np.where(treated, stop[rows], np.minimum(at, stop)[rows])
    return ArmRows(
        start=np.where(treated, np.maximum(at[rows], since), since),
        stop=end,
        event=patients.event[kept][rows] & (end == stop[rows]),
        treated=treated,
        X=patients.X[kept][rows],
        n_treated=after.size,
        n_untreated=before.size,
        n_excluded=patients.n - kept.size,
    )


def landmark_rows(patients: Patients, landmark: float) -> ArmRows:
    """Treated by the landmark or not, among those event-free and followed beyond it.

    References
    ----------
    Anderson JR, Cain KC, Gelber RD (1983). Analysis of survival by tumor response. Journal of
    Clinical Oncology 1:710-9.
    """
    kept = np.flatnonzero(patients.stop > landmark)
    treated = patients.treated_at[kept] <= landmark
    return ArmRows(
        start=np.full(kept.size, landmark),
        stop=patients.stop[kept],
        event=patients.event[kept],
        treated=treated,
        X=patients.X[kept],
        n_treated=int(treated.sum()),
        n_untreated=int((~treated).sum()),
        n_excluded=patients.n - kept.size,
    )


def few_events(events: tuple[int, int], where: str = "") -> str:
    """Say why an interval is withheld, or nothing."""
    least = min(events)
    if least >= FEW:
        return ""
    arm = "treated" if events[0] == least else "untreated"
    count = "no event" if least == 0 else f"{least} event" + ("s" if least > 1 else "")
    return f"{count} in the {arm} arm{where}, fewer than {FEW}: no interval and no P"


def hazard_ratio(rows: ArmRows, conf_level: float) -> Effect:
    """Hazard ratio of treated against untreated rows, by Firth's penalised Cox regression.

    Adjusted for the covariates that can be in these rows. With fewer than five events in an arm
    there is an estimate, but neither limits nor P.

    References
    ----------
    Heinze G, Schemper M (2001). A solution to the problem of monotone likelihood in Cox
    regression. Biometrics 57:114-119.
    """
    if not rows.n_treated or not rows.n_untreated:
        arm = "treated" if not rows.n_treated else "untreated"
        return Effect(reason=f"no {arm} patient: nothing to compare")
    if not rows.event.any():
        return Effect(reason="no event in either arm: no hazard ratio")
    sets = prepare(rows.start, rows.stop, rows.event)
    design = np.column_stack([rows.treated.astype(float), rows.X])
    plain = fit_cox(design, sets)
    lost = plain.lost[0]
    if lost[0]:
        return Effect(reason="treated and untreated are never at risk together at an event")
    design = design[:, ~lost]
    notes: tuple[str, ...] = ()
    if lost.any():
        word = "covariate column" + ("s" if lost.sum() > 1 else "")
        notes = (f"{int(lost.sum())} {word} without information in these rows left out",)
    found = highest_of_hazards(
        lambda columns: cox_likelihood(columns, sets, firth=True),
        lambda start: fit_cox(design, sets, firth=True, start=start),
        design,
        rows.event,
        informing_events(cox_likelihood(design, sets)),
        plain.coef[0][~lost] if plain.status[0] in (OK, LOST_TERM) else None,
    )
    fit, notes = found.fit, (*notes, *found.notes)
    if fit.status[0] != OK:
        return Effect(reason="the likelihood did not reach a maximum", notes=notes)
    estimate = float(np.exp(fit.coef[0, 0]))
    reason = few_events(rows.events)
    if reason:
        return Effect(estimate=estimate, reason=reason, notes=notes)
    evaluate = cox_likelihood(design, sets, firth=True)
    limits = profile_limits(evaluate, fit.coef[0], [0], level=conf_level)
    null = restricted_fits(evaluate, fit.coef[0], [(0,)]).log_likelihood[0]
    assert fit.log_likelihood_penalized is not None
    statistic = max(2.0 * (float(fit.log_likelihood_penalized[0]) - float(null)), 0.0)
    low, high = np.exp([limits.lower[0], limits.upper[0]])
    reason = "" if np.isfinite([low, high]).all() else "a profile limit was not found"
    return Effect(
        estimate=estimate,
        conf_low=float(low),
        conf_high=float(high),
        p_value=float(chi_square_p(statistic, 1)),
        reason=reason,
        notes=notes,
    )
