"""A binary outcome compared between weighted arms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rnetstats.treatment.draws import few_events
from rnetstats.treatment.weighted_bootstrap import weighted_result
from rnetstats.treatment.weighted_outcome import WeightedRows, weighted_rows
from rnetstats.treatment.weighted_result import Measures, WeightedEffectResult

if TYPE_CHECKING:
    from rnetstats.treatment.weighted_comparisons import WeightedComparisons

__all__ = ["binary_effect"]

Floats = NDArray[np.float64]

NAMES = ("risk", "risk", "risk difference", "risk ratio", "odds ratio")
SCALES = ("logit", "logit", "plain", "log", "log")


def binary_effect(
    fitted: WeightedComparisons,
    outcome: str,
    *,
    resamples: int,
    seed: int | None,
    conf_level: float,
) -> WeightedEffectResult:
    """Compare weighted risks; see :meth:`.WeightedComparisons.effect`."""
    rows = weighted_rows(fitted, outcome, "binary")
    y = rows.event.astype(np.float64)

    def statistic(counts: Floats, weights: Floats) -> Floats:
        return _on_scales(_risks(rows, y, counts * weights))

    values = statistic(rows.freq[None], rows.weights[None])[0]
    measures = Measures(
        names=NAMES,
        arms=(*rows.arms, "", "", ""),
        scales=SCALES,
        values=values,
        errors=_errors(rows, y),
        df=_units(rows) - 2.0,
    )
    return weighted_result(
        fitted,
        rows,
        measures,
        statistic,
        resamples=resamples,
        seed=seed,
        conf_level=conf_level,
        few=few_events(rows.by_arm(~rows.event), f"the other outcome than {rows.name}"),
        options={"outcome": rows.name, "measure": "odds ratio"},
    )


def _risks(rows: WeightedRows, y: Floats, total: Floats) -> Floats:
    """Weighted risks of the controls and of the treated, (b, 2)."""
    found = np.full((len(total), 2), np.nan)
    for k, arm in enumerate((~rows.treated, rows.treated)):
        events, others = total[:, arm] @ y[arm], total[:, arm] @ (1.0 - y[arm])
        size = events + others  # exactly the events where there is nothing else
        np.divide(events, size, out=found[:, k], where=size > 0.0)
    return found


def _on_scales(risk: Floats) -> Floats:
    """Risks (b, 2) to logits, difference, log ratio and log odds ratio, (b, 5)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs, others = np.log(risk), np.log1p(-risk)
        logit = logs - others
        contrasts = (
            risk[:, 1] - risk[:, 0],
            logs[:, 1] - logs[:, 0],
            logit[:, 1] - logit[:, 0],
        )
    return np.column_stack((logit, *contrasts))


def _units(rows: WeightedRows) -> float:
    """Number of independent units: patients, or clusters."""
    if rows.cluster is None:
        return float(rows.freq.sum())
    return float(np.unique(rows.cluster).size)


def _errors(rows: WeightedRows, y: Floats) -> Floats:
    """Robust standard errors (5,) on the scales, from each patient's influence on both risks.

    n / (n - 1) times the sandwich of a weighted regression on the treatment, as a survey's.
    """
    influence = np.zeros((2, y.size))
    risk = _risks(rows, y, (rows.freq * rows.weights)[None])[0]
    for k, arm in enumerate((~rows.treated, rows.treated)):
        size = rows.freq[arm] @ rows.weights[arm]
        influence[k, arm] = rows.weights[arm] * (y[arm] - risk[k]) / size
    spread = np.where((risk > 0.0) & (risk < 1.0), risk * (1.0 - risk), np.nan)
    logit = influence / spread[:, None]
    log = logit * (1.0 - risk)[:, None]
    parts = np.stack(
        (logit[0], logit[1], influence[1] - influence[0], log[1] - log[0], logit[1] - logit[0])
    )
    n = _units(rows)
    if rows.cluster is None:
        square = (parts**2) @ rows.freq
    else:
        sums = [np.bincount(rows.cluster, part * rows.freq) for part in parts]
        square = np.array([float(total @ total) for total in sums])
    return np.asarray(np.sqrt(square * n / (n - 1.0)))
