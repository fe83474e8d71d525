"""Survival curves and risks at a time compared between weighted arms."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.copies import copies
from rnetstats._core.options import choice, real
from rnetstats.errors import DataError
from rnetstats.formula.parser import as_formula
from rnetstats.formula.terms import quote
from rnetstats.kernels.same_times import as_observed
from rnetstats.kernels.weighted_curves import survival_many
from rnetstats.survival.kaplan_meier import KaplanMeierResult, kaplan_meier
from rnetstats.survival.product_limit import log_survival_influence
from rnetstats.treatment.draws import few_events
from rnetstats.treatment.score_rows import ESTIMAND_WORDS
from rnetstats.treatment.weighted_bootstrap import weighted_result
from rnetstats.treatment.weighted_outcome import WeightedRows, weighted_rows
from rnetstats.treatment.weighted_result import Measures, WeightedEffectResult

if TYPE_CHECKING:
    from rnetstats.treatment.weighted_comparisons import WeightedComparisons

__all__ = ["risk_effect", "weighted_curves"]

Floats = NDArray[np.float64]


def risk_effect(
    fitted: WeightedComparisons,
    surv: str,
    *,
    horizon: float,
    resamples: int,
    seed: int | None,
    conf_level: float,
) -> WeightedEffectResult:
    """Compare risks at a time; see :meth:`.WeightedComparisons.risk`."""
    horizon = real("horizon", horizon, low=0.0, closed=False)
    rows = weighted_rows(fitted, surv, "survival")
    assert rows.stop is not None
    horizon = float(as_observed(horizon, rows.stop))
    _check_followed(rows, horizon)

    def statistic(counts: Floats, weights: Floats) -> Floats:
        return _on_scales(_risks(rows, counts * weights, horizon))

    measures = Measures(
        names=("risk", "risk", "risk difference", "risk ratio"),
        arms=(*rows.arms, "", ""),
        scales=("logit", "logit", "plain", "log"),
        values=statistic(rows.freq[None], rows.weights[None])[0],
        errors=_errors(rows, horizon),
    )
    return weighted_result(
        fitted,
        rows,
        measures,
        statistic,
        resamples=resamples,
        seed=seed,
        conf_level=conf_level,
        event=rows.event & (rows.stop <= horizon),
        options={"outcome": rows.name, "horizon": horizon, "measure": "risk ratio"},
        notes=(
            f"Risks by {horizon:g} are 1 - the weighted Kaplan-Meier estimate: other events count "
            "as censorings, and events after that time are not counted.",
        ),
    )


def _check_followed(rows: WeightedRows, horizon: float) -> None:
    assert rows.stop is not None
    for name, arm in zip(rows.arms, (~rows.treated, rows.treated), strict=True):
        last = float(rows.stop[arm & (rows.weights > 0.0)].max())
        if horizon > last:
            raise DataError(
                f"No patient of the arm {name!r} is followed to {horizon:g}: the last follow-up is "
                f"{last:g}. Choose an earlier horizon."
            )


def _risks(rows: WeightedRows, total: Floats, horizon: float) -> Floats:
    """Risks of the controls and of the treated, (b, 2)."""
    assert rows.stop is not None
    parts = []
    for arm in (~rows.treated, rows.treated):
        start = None if rows.start is None else rows.start[arm]
        curve = survival_many(rows.stop[arm], rows.event[arm], total[:, arm], [horizon], start)
        parts.append(1.0 - curve[:, 0])
    return np.column_stack(parts)


def _on_scales(risk: Floats) -> Floats:
    """Risks (b, 2) to logits, difference and log ratio, (b, 4)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs, others = np.log(risk), np.log1p(-risk)
        contrasts = risk[:, 1] - risk[:, 0], logs[:, 1] - logs[:, 0]
        logit = logs - others
    return np.column_stack((logit, *contrasts))


def _errors(rows: WeightedRows, horizon: float) -> Floats:
    """Robust standard errors (4,) on the scales, by the infinitesimal jackknife.

    A cluster with patients of both arms ties their risks together.
    """
    assert rows.stop is not None
    risk = _risks(rows, (rows.freq * rows.weights)[None], horizon)[0]
    influence = np.zeros((2, rows.stop.size))
    weighted = rows.weights > 0.0
    for k, arm in enumerate((~rows.treated & weighted, rows.treated & weighted)):
        influence[k, arm] = (risk[k] - 1.0) * log_survival_influence(
            rows.stop[arm],
            rows.event[arm],
            horizon,
            start=None if rows.start is None else rows.start[arm],
            weights=(rows.freq * rows.weights)[arm],
        )
    known = np.where(risk < 1.0, risk, np.nan)  # survival 0 has no standard error
    with np.errstate(divide="ignore", invalid="ignore"):
        logit, log = influence / (known * (1.0 - known))[:, None], influence / known[:, None]
    plain = influence + (0.0 * known)[:, None]
    parts = np.stack((logit[0], logit[1], plain[1] - plain[0], log[1] - log[0]))
    return _spread(rows, parts)


def _spread(rows: WeightedRows, parts: Floats) -> Floats:
    """Root of the sum of squares of influences (k, m), over patients or over clusters."""
    if rows.cluster is None:
        return np.asarray(np.sqrt((parts**2 / rows.freq).sum(axis=1)))
    sums = np.stack([np.bincount(rows.cluster, part) for part in parts])
    return np.asarray(np.sqrt((sums**2).sum(axis=1)))


def weighted_curves(
    fitted: WeightedComparisons, surv: str, *, ci: str, conf_level: float
) -> KaplanMeierResult:
    """Estimate weighted curves; see :meth:`.WeightedComparisons.kaplan_meier`."""
    choice("ci", ci, ("log-log", "log", "plain"))
    rows = weighted_rows(fitted, surv, "survival")
    left = as_formula(fitted.options["formula"]).outcome
    assert left is not None
    again = copies(rows.freq)
    again = again[rows.weights[again] > 0.0]
    table = rows.score.table.iloc[rows.score.positions[rows.place][again]]
    cluster = as_formula(fitted.options["formula"]).cluster
    units = "" if cluster is None else f" + cluster({quote(cluster)})"
    formula = f"{surv} ~ {left.event.text}{units}"
    weights = rows.weights[again]
    found = kaplan_meier(table, formula, ci=ci, conf_level=conf_level, sampling_weights=weights)
    counted = kaplan_meier(table, formula)  # the same times: events as readers count them
    names = ["n_risk", "n_event", "n_censor"]
    curves = found.curves.assign(**{name: counted.curves[name] for name in names})
    groups = found.groups.assign(**{name: counted.groups[name] for name in ("n", "n_events")})
    events = rows.by_arm(rows.event)
    notes = [
        f"Survival is weighted to {ESTIMAND_WORDS[rows.score.estimand]}; patients at risk and "
        "events are counted, not weighted.",
    ]
    few = few_events(events, rows.name)
    if not few:
        notes.append("Limits take the score as known.")
    else:
        curves = curves.assign(conf_low=np.nan, conf_high=np.nan, std_error=np.nan)
        notes.append(f"No limits: {few}.")
    if fitted.summary["positivity"] != "no sign against it":
        notes = [f"Positivity is {fitted.summary['positivity']}.", *fitted.reasons, *notes]
    return replace(
        found,
        curves=curves,
        groups=groups,
        notes=tuple(dict.fromkeys((*notes, *rows.notes, *found.notes))),
        synthetic=fitted.synthetic,
    )
