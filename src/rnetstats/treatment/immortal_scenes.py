"""Cohorts under no effect of treatment, seen through one bias at a time and through all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.kernels.arm_counts import ArmCounts
from rnetstats.kernels.bracketed import bracketed_root
from rnetstats.treatment.immortal_delays import compared, mean_and_error, size_word
from rnetstats.treatment.immortal_inputs import BiasInputs
from rnetstats.treatment.null_cohorts import NullCohorts

__all__ = ["ALL", "CONFOUNDERS", "DRAWS", "SCENES", "BiasSetting", "bias_table"]

Floats = NDArray[np.float64]

DRAWS = ("large", "lvi", "phase", "visits", "missed", "residual", "counted", "found")
"""The uniform numbers that the biases take."""

SCENES = {
    "immortal": "Immortal time",
    "large": "Confounding by tumour size",
    "lvi": "Confounding by lymphovascular invasion",
    "surveillance": "Closer surveillance of one arm",
    "residual": "Residual tumour at salvage not counted",
}
CONFOUNDERS = ("large", "lvi")
ALL = "all"


@dataclass(frozen=True, eq=False)
class BiasSetting:
    """What the scenes share.

    Attributes
    ----------
    inputs : BiasInputs
    risk, horizon : float
        Risk of the event by the horizon among all patients, the residual tumours that are counted
        not included; differences of risks are taken at the horizon.
    share : float
        Share of patients meant to be treated.
    delays : array of shape (k,)
        Delays of treatment, each as likely as the others.
    """

    inputs: BiasInputs
    risk: float
    horizon: float
    share: float
    delays: Floats

    def confounder(self, key: str) -> tuple[float, float, float]:
        """Hazard ratio of a confounder, and its share in the treated and the untreated arm."""
        names = ("hazard_ratio", "treated", "untreated")
        effect, treated, untreated = (getattr(self.inputs, f"{key}_{name}") for name in names)
        return effect, treated, untreated


def bias_table(draws: NullCohorts, setting: BiasSetting) -> pd.DataFrame:
    """Return one row a bias, the furthest from no effect first, and all together last.

    Each is compared with the same cohorts without it, which takes most of the chance out.

    Returns
    -------
    DataFrame
        See :class:`rnetstats.treatment.immortal_biases.ImmortalBiases`.

    Raises
    ------
    OptionError
        If a cohort has no event in an arm.
    """
    plain, null_logs = _observed(draws, setting, frozenset())
    null_difference = _difference(plain, setting)
    rows = []
    for key, words in (*SCENES.items(), (ALL, "All of these together")):
        acting = frozenset(SCENES) if key == ALL else frozenset([key])
        counts, logs = _observed(draws, setting, acting)
        log, error = mean_and_error(logs - null_logs)
        gap, gap_error = mean_and_error(_difference(counts, setting) - null_difference)
        risks = counts.risks(setting.horizon).mean(axis=1)
        rows.append(
            {
                "bias": key,
                "label": words,
                "hazard_ratio": float(np.exp(log)),
                "mcse": float(np.exp(log) * error),
                "size": size_word(float(np.exp(log))),
                "direction": _direction(log, error),
                "risk_difference": gap,
                "risk_difference_mcse": gap_error,
                "risk_treated": 100.0 * float(risks[1]),
                "risk_untreated": 100.0 * float(risks[0]),
                "assumes": _assumes(key, setting),
            }
        )
    table = pd.DataFrame(rows)
    apart = np.abs(np.log(table["hazard_ratio"]))
    single = (table["bias"] != ALL).astype(int)
    order = pd.DataFrame({"single": -single, "apart": -apart}).sort_values(["single", "apart"])
    table = table.loc[order.index].reset_index(drop=True)
    table.insert(2, "rank", [*range(1, len(SCENES) + 1), 0])
    return table


def _difference(counts: ArmCounts, setting: BiasSetting) -> Floats:
    risks = counts.risks(setting.horizon)
    return np.asarray(100.0 * (risks[1] - risks[0]))


def _direction(log: float, error: float) -> str:
    if abs(log) <= 3.0 * error:
        return "none seen"
    return "flatters treatment" if log < 0.0 else "against treatment"


def _observed(
    draws: NullCohorts, setting: BiasSetting, scenes: frozenset[str]
) -> tuple[ArmCounts, Floats]:
    """Observe the cohorts through these biases and compare the arms from time zero."""
    latent = _seen(draws, _latent(draws, setting, scenes), setting, scenes)
    stop = np.minimum(latent, draws.censoring)
    delay = np.zeros(1)
    if "immortal" in scenes:
        delay = setting.delays[(draws.delay * setting.delays.size).astype(np.intp)]
    if "residual" in scenes:
        stop = np.minimum(stop, _residual(draws, setting, delay))
    order = np.argsort(stop, axis=1)
    treated = draws.meant & (delay < stop)

    def part(values: NDArray[Any]) -> NDArray[Any]:
        return np.take_along_axis(values, order, axis=1)

    since = np.where(part(treated), 0.0, np.inf)
    return compared(part(stop), part(stop < draws.censoring), since)


def _latent(draws: NullCohorts, setting: BiasSetting, scenes: frozenset[str]) -> Floats:
    """Times of the event itself (B, n): the confounders raise its rate, treatment does not."""
    ratio, mixture = np.ones(draws.waiting.shape), [(1.0, 1.0, 1.0)]
    for key in CONFOUNDERS:
        if key in scenes:
            effect, treated, untreated = setting.confounder(key)
            has = draws.more[key] < np.where(draws.meant, treated, untreated)
            ratio = np.where(has, effect * ratio, ratio)
            mixture = [
                (old * new, p * a, q * b)
                for old, p, q in mixture
                for new, a, b in ((effect, treated, untreated), (1.0, 1 - treated, 1 - untreated))
            ]
    return np.asarray(draws.waiting / (ratio * _base_rate(mixture, setting)))


def _base_rate(mixture: list[tuple[float, float, float]], setting: BiasSetting) -> float:
    """Rate at hazard ratio 1 with which all patients together have the risk asked for.

    ``mixture`` holds hazard ratios and how many of the treated and of the untreated have each.
    """
    ratio, treated, untreated = np.array(mixture).T
    weight = setting.share * treated + (1.0 - setting.share) * untreated

    def excess(log_rate: float) -> float:
        risk = -np.expm1(-np.exp(log_rate) * ratio * setting.horizon)
        return float(weight @ risk) - setting.risk

    middle = np.log(-np.log1p(-setting.risk) / setting.horizon)
    spread = np.abs(np.log(ratio)).max() + 1e-9
    return float(np.exp(bracketed_root(excess, middle - spread, middle + spread)))


def _seen(
    draws: NullCohorts, latent: Floats, setting: BiasSetting, scenes: frozenset[str]
) -> Floats:
    """When the events come to light (B, n): at a visit that finds them, or never."""
    if "surveillance" not in scenes:
        return latent
    given = setting.inputs
    every = np.where(draws.meant, given.visits_treated, given.visits_untreated)
    phase = draws.more["phase"]
    # visits stand at phase, phase + 1, ... in units of the arm's interval
    first = (np.ceil(latent / every - phase) + phase) * every
    failed = np.zeros(1)
    if given.visit_sensitivity < 1.0:
        chance = np.log1p(-draws.more["visits"]) / np.log1p(-given.visit_sensitivity)
        failed = np.floor(chance)
    missed = draws.more["missed"] < np.where(
        draws.meant, given.missed_treated, given.missed_untreated
    )
    return np.where(missed, np.inf, first + failed * every)


def _residual(draws: NullCohorts, setting: BiasSetting, delay: Floats) -> Floats:
    """When a residual tumour is found and counted as recurrence (B, n); infinite for never.

    Whoever is treated first has it found in the specimen, where nobody counts it.
    """
    given = setting.inputs
    found = draws.more["found"] * given.residual_found_by
    counted = draws.more["residual"] < given.residual
    counted &= draws.more["counted"] < given.residual_counted
    counted &= ~draws.meant | (found < delay)
    return np.where(counted, found, np.inf)


def _assumes(key: str, setting: BiasSetting) -> str:
    """Say in numbers what a bias rests on."""
    given = setting.inputs
    if key == ALL:
        return "all of the above"
    if key == "immortal":
        return f"delays of {setting.delays.mean():.3g} on average, as observed"
    if key in CONFOUNDERS:
        effect, treated, untreated = setting.confounder(key)
        return f"{treated:.0%} of the treated, {untreated:.0%} of the untreated; HR {effect:.3g}"
    if key == "surveillance":
        return (
            f"visits every {given.visits_treated:g} (treated) and {given.visits_untreated:g} "
            f"(untreated), each finding {given.visit_sensitivity:.0%}; never found "
            f"{given.missed_treated:.0%} and {given.missed_untreated:.0%}"
        )
    return (
        f"residual tumour in {given.residual:.0%}, of which {given.residual_counted:.0%} would be "
        "counted if left"
    )
