"""Two strategies compared by cloning, censoring and weighting, with patients resampled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.random import chunk_generators
from rnetstats.kernels.clone_censor import Clones, Replicates, clone_replicates
from rnetstats.kernels.percentiles import MOST_UNDEFINED, percentile_limits, percentile_p
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.treatment.clone_tables import (
    LEAST_SHARE,
    count_cut,
    strategy_curves,
    weight_table,
)
from rnetstats.treatment.hazards import Effect, few_events
from rnetstats.treatment.patients import Patients

__all__ = ["ArmCounts", "CloneOptions", "Strategies", "compare_strategies"]

Floats = NDArray[np.float64]

RATIOS = ("risk ratio", "HR")
UNBOUNDED = "the covariates all but tell the order of the treatments"


@dataclass(frozen=True)
class CloneOptions:
    """The strategies and how they are compared."""

    grace: float
    horizon: float
    ever: bool
    hazard_ratio: bool
    resamples: int
    conf_level: float
    seed: int
    max_weight: float | None


@dataclass(frozen=True)
class ArmCounts:
    """Clones that are never censored, and their events by the horizon, in both arms.

    ``shared`` events, of patients untreated within the grace period, stand in both.
    """

    n_treated: int
    n_untreated: int
    events_treated: int
    events_untreated: int
    shared: int

    @property
    def own(self) -> tuple[int, int]:
        """Events that stand in one arm alone."""
        return self.events_treated - self.shared, self.events_untreated - self.shared


@dataclass(frozen=True, eq=False)
class Strategies:
    """Estimates, curves and weights of both strategies.

    Attributes
    ----------
    counts : ArmCounts
    effects : dict of str to Effect
        By measure.
    curves : DataFrame
        ``arm, time, n_risk, n_event, n_censor, survival, conf_low, conf_high``: clones are counted
        without their weights, those censored artificially among ``n_censor``; ``arm`` is 1 for
        treated, 0 for untreated.
    weights : DataFrame
        ``arm, time, at_risk, n, total, mean, min, max, ess``: weights of the clones at risk beyond
        a time.
    notes : tuple of str
    """

    counts: ArmCounts
    effects: dict[str, Effect]
    curves: pd.DataFrame
    weights: pd.DataFrame
    notes: tuple[str, ...]


def compare_strategies(patients: Patients, options: CloneOptions) -> Strategies:
    """Estimate both strategies and resample patients for their limits.

    References
    ----------
    Hernan MA, Robins JM (2016). Using big data to emulate a target trial when a randomized trial is
    not available. American Journal of Epidemiology 183:758-64.
    """
    clones = Clones(
        stop=patients.stop,
        event=patients.event,
        treated_at=patients.treated_at,
        X=patients.X,
        grace=options.grace,
        ever=options.ever,
    )
    counts = _counts(clones, options.horizon)
    point = clone_replicates(clones, np.ones((1, patients.n)), cap=options.max_weight)
    measured = _measures(point, options)
    weights, told = weight_table(clones, options.grace, options.horizon, options.max_weight)
    told = (*_cut_note(clones, options, patients), *told)
    refusal = _refusal(clones, point, options, counts, patients) or _not_brought_back(
        clones, weights, options, patients
    )
    notes: tuple[str, ...] = ()
    draws: dict[str, Floats] = {}
    curves = np.empty((0, 2, clones.times.size))
    if not refusal and options.resamples:
        draws, curves, empty = _resample(clones, options)
        refusal, notes = _judge_draws(draws, empty, options)
    elif not refusal:
        refusal = "resamples=0: no interval and no P"
    effects = {
        name: _effect(name, float(value[0]), draws.get(name), refusal, options.conf_level)
        for name, value in measured.items()
    }
    shown = strategy_curves(clones, point, None if refusal else curves, options.conf_level)
    return Strategies(counts, effects, shown, weights, (*notes, *told))


def _counts(clones: Clones, horizon: float) -> ArmCounts:
    soon = clones.stop <= horizon
    one, zero = clones.seen(1) & soon, clones.seen(0) & soon
    return ArmCounts(
        n_treated=int((~clones.leaves_treated).sum()),
        n_untreated=int((~clones.leaves_untreated).sum()),
        events_treated=int(one.sum()),
        events_untreated=int(zero.sum()),
        shared=int((one & zero).sum()),
    )


def _measures(found: Replicates, options: CloneOptions) -> dict[str, Floats]:
    """Each measure of B replicates; logarithms of ratios are not taken."""
    tau = options.horizon
    risk = [found.risk(arm, tau) for arm in (1, 0)]
    mean = [found.rmst(arm, tau) for arm in (1, 0)]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = risk[0] / risk[1]
    measures = {
        "risk, treated": risk[0],
        "risk, untreated": risk[1],
        "risk difference": risk[0] - risk[1],
        "risk ratio": ratio,
        "RMST, treated": mean[0],
        "RMST, untreated": mean[1],
        "RMST difference": mean[0] - mean[1],
    }
    if options.hazard_ratio:
        measures["HR"] = np.exp(found.log_hazard_ratio(tau))
    return measures


def _refusal(
    clones: Clones,
    point: Replicates,
    options: CloneOptions,
    counts: ArmCounts,
    patients: Patients,
) -> str:
    """Say why nothing can be said, or no interval be given."""
    by = patients.at(options.grace)
    beyond = clones.stop > clones.grace
    if not (clones.in_grace & beyond).any():
        return f"nobody treated by {by} is followed beyond it: the treated arm ends there"
    for arm, name in ((1, "treated"), (0, "untreated")):
        last = float(clones.end(arm).max())
        if np.isnan((point.treated if arm else point.untreated).survival).any():
            return f"{UNBOUNDED}: the {name} arm has no weights"
        if np.isnan(point.risk(arm, options.horizon)[0]):
            return f"follow-up of the {name} arm ends at {patients.at(last)}, before the horizon"
    where = f" by {patients.at(options.horizon)}"
    if counts.shared:
        where += f", besides {counts.shared} that stand in both arms"
    return few_events(counts.own, where)


def _cut_note(clones: Clones, options: CloneOptions, patients: Patients) -> tuple[str, ...]:
    """Say how many weights a cap changes."""
    cap = options.max_weight
    if cap is None:
        return ()
    (one, n_one), (zero, n_zero) = count_cut(clones, options.horizon, cap)
    if not one + zero:
        return ()
    return (
        f"Weights above {cap:g} are set to it (max_weight=): those of {one} of the {n_one} "
        f"patients left in the treated arm after {patients.at(options.grace)} and of {zero} of "
        f"the {n_zero} of the untreated arm: less variance for some bias.",
    )


def _not_brought_back(
    clones: Clones, weights: pd.DataFrame, options: CloneOptions, patients: Patients
) -> str:
    """Say that weights do not bring back those who left, for want of patients or by the cap."""
    cut = _unrepresented(weights, patients, "positivity")
    if not cut or options.max_weight is None:
        return cut
    whole, _ = weight_table(clones, options.grace, options.horizon, None)
    by_cap = f"max_weight={options.max_weight:g} cuts the weights"
    return _unrepresented(whole, patients, "positivity") or _unrepresented(
        weights, patients, by_cap
    )


def _unrepresented(weights: pd.DataFrame, patients: Patients, cause: str) -> str:
    """Say that the weights of an arm do not bring back those who left it, and why."""
    after = weights[(weights["time"] == weights["time"].min()) & (weights["n"] > 0)]
    for row in after.to_dict("records"):
        if row["total"] < LEAST_SHARE * row["at_risk"]:
            name = "treated" if row["arm"] else "untreated"
            return (
                f"{cause}: the {row['n']} patients left in the {name} arm at "
                f"{patients.at(row['time'])} stand for {row['total']:.0f} of {row['at_risk']} at "
                "risk: no interval and no P"
            )
    return ""


def _resample(clones: Clones, options: CloneOptions) -> tuple[dict[str, Floats], Floats, float]:
    """Draw patients; measures (B,), survival (B, 2, E) and the share without events in an arm."""
    n, soon = len(clones.stop), clones.stop <= options.horizon
    one, zero = clones.seen(1) & soon, clones.seen(0) & soon
    own = np.column_stack([one & ~zero, zero & ~one]).astype(float)
    parts, curves, empty = [], [], 0
    for rows, rng in chunk_generators(options.seed, options.resamples):
        freq = bootstrap_counts(rng, n, rows.stop - rows.start).astype(float)
        found = clone_replicates(clones, freq, cap=options.max_weight)
        parts.append(_measures(found, options))
        both = [_known(found, arm) for arm in (1, 0)]
        curves.append(np.stack(both, axis=1))
        empty += int((freq @ own == 0.0).any(axis=1).sum())
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return joined, np.concatenate(curves), empty / options.resamples


def _known(found: Replicates, arm: int) -> Floats:
    """Survival (B, E) at the event times, missing beyond the follow-up of a replicate's arm."""
    sums = found.treated if arm else found.untreated
    value = sums.survival[:, 1:]
    return np.where((found.times <= sums.last[:, None]) | (value == 0.0), value, np.nan)


def _judge_draws(
    draws: dict[str, Floats], empty: float, options: CloneOptions
) -> tuple[str, tuple[str, ...]]:
    """Say why the resamples give no interval, and what was left out of them."""
    if empty > MOST_UNDEFINED:
        return (
            f"{100.0 * empty:.1f} % of {options.resamples} resamples have an arm without events "
            "of its own: no interval and no P"
        ), ()
    short = float(np.isnan(draws["risk difference"]).mean())
    if short > MOST_UNDEFINED:
        return (
            f"in {100.0 * short:.1f} % of {options.resamples} resamples an arm's follow-up ends "
            "before the horizon: no interval and no P"
        ), ()
    told = []
    if short:
        told.append(
            f"In {100.0 * short:.1f} % of {options.resamples} resamples an arm's follow-up ends "
            "before the horizon; they are left out of the limits."
        )
    if empty:
        told.append(
            f"In {100.0 * empty:.1f} % of {options.resamples} resamples an arm has no event of its "
            "own; they count as they come (a ratio of 0 or infinity)."
        )
    for name in RATIOS:
        undefined = np.isnan(draws[name]).mean() - short if name in draws else 0.0
        if undefined > 0.0:
            told.append(
                f"In {100.0 * undefined:.1f} % of {options.resamples} resamples neither arm has an "
                f"event that the {name} could rest on; they are left out of its limits."
            )
    return "", tuple(told)


def _effect(
    name: str, estimate: float, draws: Floats | None, refusal: str, conf_level: float
) -> Effect:
    """Percentile limits, and the P at which they would reach no effect."""
    if not np.isfinite(estimate):
        return Effect(reason=refusal or f"no {name} without events")
    if refusal or draws is None:
        return Effect(estimate=estimate, reason=refusal)
    low, high = percentile_limits(draws, conf_level)
    p_value = np.nan
    if name in RATIOS or "difference" in name:
        p_value = percentile_p(draws, 1.0 if name in RATIOS else 0.0)
    return Effect(estimate, float(low), float(high), p_value)
