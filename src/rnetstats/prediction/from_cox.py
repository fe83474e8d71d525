"""The risk model of a Cox fit: risk = 1 - S(horizon | x), with the fit's own baseline hazard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats._core.options import real
from rnetstats.errors import OptionError, TooFewEventsError
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.variables import Floats
from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.cox_baseline import BaselineHazard, baseline_hazard
from rnetstats.kernels.cox_horizon import hazard_until
from rnetstats.kernels.risksets import RiskSets, prepare
from rnetstats.prediction.resamples import Draws, Replicates, collect, refuse_few_events
from rnetstats.prediction.source import shared_fields, thin_levels, thin_notes

if TYPE_CHECKING:
    from rnetstats.regression.cox_result import CoxResult
    from rnetstats.regression.engine import Engine

__all__ = ["cox_fields", "stratum_sets"]

_THIN = 10  # at risk: below, a note


def cox_fields(
    fit: CoxResult, *, horizon: float | None, resamples: int, seed: int | None
) -> dict[str, Any]:
    """Return the fields of the RiskModel of a Cox fit.

    Raises
    ------
    OptionError
        If there is no horizon, or it lies beyond follow-up.
    TooFewEventsError
        If there is no event by the horizon, or too few for limits by resampling.
    ConvergenceError
        If a coefficient is infinite.
    """
    if horizon is None:
        raise OptionError("A Cox fit gives a risk by a time: name it, as in horizon=36.")
    moment = real("horizon", horizon, low=0.0, closed=False)
    fitted, engine = fit._at_estimate("A risk")
    assert engine.frame.outcome is not None
    moment = engine.frame.outcome.horizon(moment)
    notes = _check_horizon(engine, moment)
    baseline, more = _baseline(baseline_hazard(fitted), engine, moment)
    fields = shared_fields(fit, engine, method=_method(engine))
    fields["summary"]["n_events_by_horizon"] = _events_until(engine, moment)
    fields |= {
        "coef": engine.reached,
        "covariance": engine.covariance,
        "baseline": baseline,
        "horizon": moment,
        "limits": "Wald on the log cumulative hazard (baseline included)",
    }
    notes = [*fields["notes"], *notes, *more]
    if resamples:
        refuse_few_events(fields["summary"]["n_events_by_horizon"], "events by the horizon")
        assert seed is not None
        draws = _draws(fit, engine, baseline, moment, resamples, seed)
        fields |= {
            "draws": draws.coef,
            "draw_hazard": draws.hazard,
            "limits": f"bootstrap percentiles, {resamples} resamples of fit and baseline, the "
            "design (knots, cut-offs) held fixed",
        }
        notes += draws.notes
    outcome = engine.frame.outcome
    assert outcome is not None
    assert outcome.event is not None
    assert outcome.stop is not None
    thin = thin_levels(engine, outcome.event & (outcome.stop <= moment), binary=False)
    notes += thin_notes(thin, baseline, resampled=bool(resamples))
    fields["thin"] = thin
    return fields | {"notes": tuple(notes)}


def _method(engine: Engine) -> str:
    kind = "Firth's penalised likelihood" if engine.firth else "maximum likelihood"
    kind = f"{engine.prior_name} priors" if engine.prior is not None else kind
    ties = str(engine.likelihood_options["ties"])
    return f"Cox regression, {kind}, {ties.title()}'s ties and baseline hazard"


def _counts_until(engine: Engine, moment: float) -> Floats:
    """Events by the horizon that each row stands for, (n,)."""
    outcome, freq = engine.frame.outcome, engine.frame.freq_weights
    assert outcome is not None
    assert outcome.stop is not None
    assert outcome.event is not None
    here = (outcome.event & (outcome.stop <= moment)).astype(float)
    return here if freq is None else here * freq


def _events_until(engine: Engine, moment: float) -> float:
    return float(_counts_until(engine, moment).sum())


def _events_of(engine: Engine, codes: list[int], moment: float) -> Floats:
    """Events by the horizon in some of the strata."""
    counts, strata = _counts_until(engine, moment), engine.frame.strata
    if strata is None:
        return np.array([counts.sum()])
    return np.array([counts[strata.codes == code].sum() for code in codes])


def _check_horizon(engine: Engine, moment: float) -> list[str]:
    outcome, freq = engine.frame.outcome, engine.frame.freq_weights
    assert outcome is not None
    assert outcome.stop is not None
    assert outcome.event is not None
    last, last_event = float(outcome.stop.max()), float(outcome.stop[outcome.event].max())
    if moment > last:
        raise OptionError(
            f"horizon={moment:g} lies beyond the end of follow-up at {last:g}; nothing is known of "
            "the risk there."
        )
    if not _events_until(engine, moment):
        raise TooFewEventsError(
            f"There is no event by horizon={moment:g}: every risk would be 0. "
            "kaplan_meier(ci='bpcp') gives a bound."
        )
    notes = []
    if moment > last_event:
        notes.append(
            f"The last event was at {last_event:g}: the risk by {moment:g} is that by then, no "
            "event having been seen since."
        )
    beyond = outcome.stop >= moment
    at_risk = float(beyond.sum() if freq is None else freq[beyond].sum())
    if at_risk < _THIN:
        many = "patient was" if at_risk == 1 else "patients were"
        notes.append(f"Only {at_risk:g} {many} followed as long as {moment:g}.")
    notes.append(
        "Censoring counts as uninformative: where another event (such as death) was censored, the "
        "risk is that of a world without it, and too high as a prediction."
    )
    return notes


def _baseline(
    steps: BaselineHazard, engine: Engine, moment: float
) -> tuple[dict[str, Any], list[str]]:
    """Sum the baseline's steps until the horizon, a row a stratum with events by then."""
    strata = engine.frame.strata
    labels = ("",) if strata is None else strata.labels
    here = steps.times <= moment
    codes = [code for code in range(len(labels)) if (here & (steps.strata == code)).any()]
    parts = [here & (steps.strata == code) for code in codes]
    lost = [labels[code] for code in range(len(labels)) if code not in codes]
    notes = [
        f"Stratum {label!r} had no event by {moment:g}: it has no baseline hazard, and no risk."
        for label in lost
    ]
    return {
        "columns": parse_formula(engine.spec.formula).strata,
        "labels": tuple(labels[code] for code in codes),
        "events": _events_of(engine, codes, moment),
        "hazard": np.array([steps.hazard[part].sum() for part in parts]),
        "variance": np.array([steps.variance[part].sum() for part in parts]),
        "mean_hazard": np.array([steps.mean_hazard[part].sum(axis=0) for part in parts]),
        "centre": np.asarray(steps.centre, dtype=float),
    }, notes


def _draws(
    fit: CoxResult,
    engine: Engine,
    baseline: dict[str, Any],
    moment: float,
    resamples: int,
    seed: int,
) -> Draws:
    frame, options = engine.frame, engine.likelihood_options
    if frame.sampling_weights is not None:
        raise OptionError(
            "Limits by resampling are not made for a Cox fit with sampling_weights; use "
            "resamples=0."
        )
    sets = fit._need("sets", "A bootstrap")
    offset = np.zeros(frame.n) if frame.offset is None else frame.offset
    parts = stratum_sets(engine, baseline)

    def refit(counts: Floats) -> Replicates:
        fits = fit_cox(
            engine.X,
            sets,
            freq=counts,
            offset=frame.offset,
            ties=options["ties"],
            firth=engine.firth,
            prior=engine.prior,
            start=engine.reached,
        )
        eta = fits.coef @ (engine.X - baseline["centre"]).T + offset
        hazard = np.column_stack(
            [
                hazard_until(part, eta[:, rows], moment, freq=counts[:, rows], ties=options["ties"])
                for rows, part in parts
            ]
        )
        return Replicates(fits.coef, hazard, fits.status, fits.lost)

    return collect(frame, resamples, seed, refit)


def stratum_sets(engine: Engine, baseline: dict[str, Any]) -> list[tuple[np.ndarray, RiskSets]]:
    """The rows of each stratum with a baseline, and their risk sets."""
    outcome, strata = engine.frame.outcome, engine.frame.strata
    assert outcome is not None
    assert outcome.stop is not None
    assert outcome.event is not None
    found = []
    for label in baseline["labels"]:
        rows = np.arange(engine.frame.n)
        if strata is not None:
            rows = np.flatnonzero(strata.codes == strata.labels.index(label))
        start = None if outcome.start is None else outcome.start[rows]
        found.append((rows, prepare(start, outcome.stop[rows], outcome.event[rows], None)))
    return found
