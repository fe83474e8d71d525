"""What a sample size is reckoned from: the outcome and the expected performance, checked."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnetstats._core.options import choice, positive_int, real
from rnetstats.errors import OptionError
from rnetstats.prediction.sample_size_formulas import (
    max_r2_binary,
    max_r2_survival,
    r2_from_c,
    reckonable,
)

__all__ = [
    "Assumptions",
    "OutcomeModel",
    "assumptions",
    "outcome_model",
    "refuse_all_gone",
    "targets",
]

_FEWEST_LEFT = 1e-9  # share that is still followed at the time of the prediction


@dataclass(frozen=True)
class OutcomeModel:
    """How common the outcome is.

    Attributes
    ----------
    per_person
        Expected events a person: the prevalence, or rate times mean follow-up.
    """

    per_person: float
    max_r2: float
    prevalence: float | None = None
    rate: float | None = None
    timepoint: float | None = None
    mean_follow_up: float | None = None


@dataclass(frozen=True)
class Assumptions:
    """Expected performance of the model: its Cox-Snell R2, and where that comes from."""

    r2: float
    notes: tuple[str, ...]


def outcome_model(
    outcome: str,
    *,
    prevalence: float | None,
    rate: float | None,
    timepoint: float | None,
    mean_follow_up: float | None,
) -> OutcomeModel:
    """Check how common the outcome is.

    Raises
    ------
    OptionError
        If what the outcome needs is absent, what it does not take is given, or a value is out of
        range.
    """
    choice("outcome", outcome, ("binary", "survival"))
    times = {"rate": rate, "timepoint": timepoint, "mean_follow_up": mean_follow_up}
    if outcome == "binary":
        extra = [name for name, value in times.items() if value is not None]
        if extra:
            raise OptionError(f"{extra[0]}= goes with outcome='survival', not with 'binary'.")
        if prevalence is None:
            raise OptionError("outcome='binary' needs prevalence=, the expected share of events.")
        share = real("prevalence", prevalence, low=0.0, high=1.0, closed=False)
        reckonable("prevalence", share)
        reckonable("1 - prevalence", 1.0 - share)
        return OutcomeModel(share, max_r2_binary(share), prevalence=share)
    if prevalence is not None:
        raise OptionError("prevalence= goes with outcome='binary'; a time needs rate=.")
    lacking = [name for name, value in times.items() if value is None]
    if lacking:
        raise OptionError(
            f"outcome='survival' needs {lacking[0]}=: rate (events per unit of time), timepoint "
            "(of the prediction) and mean_follow_up, all in one unit of time."
        )
    checked = {
        name: real(name, value, low=0.0, closed=False)
        for name, value in times.items()
        if value is not None
    }
    share = checked["rate"] * checked["mean_follow_up"]
    if share >= 1.0:
        raise OptionError(
            f"rate x mean_follow_up = {share:.3g} events a person; it must be below 1. Are rate "
            "and mean_follow_up in the same unit of time?"
        )
    reckonable("rate x mean_follow_up", share)
    refuse_all_gone(checked["timepoint"], checked["rate"])
    limit = max_r2_survival(checked["rate"], checked["mean_follow_up"])
    return OutcomeModel(share, limit, **checked)


def refuse_all_gone(timepoint: float, rate: float, censoring_rate: float = 0.0) -> None:
    """Refuse a time of prediction by which hardly anyone is followed still."""
    left = math.exp(-(rate + censoring_rate) * timepoint)
    if left < _FEWEST_LEFT:
        gone = f" and censoring_rate={censoring_rate:g}" if censoring_rate else ""
        raise OptionError(
            f"By timepoint={timepoint:g} all but {left:.2g} of the patients have had the event"
            f"{' or are censored' if gone else ''} at rate={rate:g}{gone}: nothing can be "
            "predicted there. Are they in the same unit of time?"
        )


def assumptions(
    about: OutcomeModel,
    *,
    r2_cs: float | None,
    r2_nagelkerke: float | None,
    c_statistic: float | None,
    r2_digits: int | None,
) -> Assumptions:
    """Turn the expected performance into a Cox-Snell R2.

    Raises
    ------
    OptionError
        If not exactly one of the three is given, or it is out of range.
    """
    given = {"r2_cs": r2_cs, "r2_nagelkerke": r2_nagelkerke, "c_statistic": c_statistic}
    chosen = {name: value for name, value in given.items() if value is not None}
    if len(chosen) != 1:
        raise OptionError(
            f"Give exactly one of r2_cs, r2_nagelkerke and c_statistic, not {len(chosen)}. With no "
            "earlier model, r2_nagelkerke=0.15 is Riley et al.'s suggestion."
        )
    if r2_digits is not None:
        r2_digits = positive_int("r2_digits", r2_digits)
    ((name, value),) = chosen.items()
    if name == "r2_cs":
        r2 = real(name, value, low=0.0, high=1.0, closed=False)
        if r2 >= about.max_r2:
            raise OptionError(
                f"r2_cs={r2:g} is not below {about.max_r2:.3g}, the largest that this outcome "
                "allows; is it a Nagelkerke R2 (r2_nagelkerke=)?"
            )
        return Assumptions(reckonable("r2_cs", r2), ())
    if name == "r2_nagelkerke":
        return _from_nagelkerke(about, value, r2_digits)
    if about.prevalence is None:
        raise OptionError(
            "c_statistic= is turned into an R2 for binary outcomes alone; give r2_cs or "
            "r2_nagelkerke for a time."
        )
    c = real(name, value, low=0.5, high=1.0, closed=False)
    r2 = reckonable(f"the R2 of c_statistic={c:g}", r2_from_c(c, about.prevalence))
    return Assumptions(
        r2,
        (
            f"The Cox-Snell R2 {r2:.4f} is that of a calibrated model with C = {c:g} whose linear "
            "predictor is normal in either outcome, by integration; published sizes simulate it.",
        ),
    )


def targets(
    r2: float, shrinkage: float, optimism: float, margin: float
) -> tuple[float, float, float]:
    """Check what the three criteria ask for.

    Raises
    ------
    OptionError
        If a value is out of range.
    """
    target = real("shrinkage", shrinkage, low=r2, high=1.0, closed=False)
    reckonable("1 - shrinkage", 1.0 - target)
    delta = real("optimism", optimism, low=0.0, high=1.0, closed=False)
    width = real("margin", margin, low=0.0, high=0.5, closed=False)
    return target, reckonable("optimism", delta), reckonable("margin", width)


def _from_nagelkerke(about: OutcomeModel, value: float, digits: int | None) -> Assumptions:
    share = real("r2_nagelkerke", value, low=0.0, high=1.0, closed=False)
    exact = share * about.max_r2
    if digits is None:
        return Assumptions(reckonable(f"the Cox-Snell R2 of r2_nagelkerke={share:g}", exact), ())
    r2 = round(exact, digits)
    if not 0.0 < r2 < about.max_r2:
        raise OptionError(
            f"r2_nagelkerke={share:g} is a Cox-Snell R2 of {exact:.2g}, which r2_digits={digits} "
            f"rounds to {r2:g}"
            + (f", while at most {about.max_r2:.2g} is possible" if r2 else "")
            + "; use r2_digits=None."
        )
    return Assumptions(
        r2,
        (
            f"The Cox-Snell R2 {exact:.6f} was rounded to {r2:g}, as published software does; "
            "r2_digits=None leaves it.",
        )
        if r2 != exact
        else (),
    )
