"""The question of a decision curve: thresholds, harms and the outcome, ready for the kernels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.options import real
from rnetstats.errors import DataError, FormulaError, OptionError, TooFewEventsError, closest
from rnetstats.kernels.net_benefit import NetBenefit, benefit, net_benefit
from rnetstats.kernels.net_benefit_times import net_benefit_at
from rnetstats.prediction.judged import Judged
from rnetstats.prediction.numbers import numbers_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "TREAT_ALL",
    "TREAT_NONE",
    "Curves",
    "Decision",
    "checked_harm",
    "checked_thresholds",
    "decision_of",
]

Floats = NDArray[np.float64]

TREAT_ALL = "treat all"
TREAT_NONE = "treat none"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Curves:
    """Decision curves of s strategies in B replicates at k thresholds.

    All but ``prevalence`` (B,) have shape (s, B, k). The strategies are treat all, treat none and
    the models, in this order.
    """

    tp_rate: Floats
    fp_rate: Floats
    net_benefit: Floats
    n_positive: Floats
    n_events: Floats
    prevalence: Floats

    @property
    def standardized(self) -> Floats:
        """Net benefit as a share of the most that there is, the prevalence."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.net_benefit / self.prevalence[:, None])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Decision:
    """What the kernels need of one data set.

    Attributes
    ----------
    risk : array of shape (m, n)
    thresholds : array of shape (k,)
        Ascending, in [0, 1).
    harm : array of shape (m,)
    y : array of shape (n,) or None
        Binary outcome; None for times.
    stop, status : array of shape (n,) or None
        End of follow-up, and 0 censored, 1 the event, 2 a competing event.
    horizon : float or None
    prevalence : float or None
        Known from elsewhere, for cases and controls sampled apart.
    """

    risk: Floats
    thresholds: Floats
    harm: Floats
    y: Floats | None = None
    stop: Floats | None = None
    status: NDArray[np.intp] | None = None
    horizon: float | None = None
    prevalence: float | None = None

    @property
    def event(self) -> NDArray[np.bool_]:
        """Which rows have the event (by the horizon), (n,)."""
        if self.y is not None:
            return np.asarray(self.y == 1.0)
        assert self.stop is not None and self.status is not None and self.horizon is not None
        return np.asarray((self.status == 1) & (self.stop <= self.horizon))

    def curves(self, freq: NDArray[Any] | None) -> Curves:
        """Decision curves of all strategies for weights (n,) or (B, n)."""
        models = [
            self._model(risk, float(harm), freq)
            for risk, harm in zip(self.risk, self.harm, strict=True)
        ]
        shape = models[0].tp_rate.shape
        prevalence = models[0].prevalence
        counted = np.ones((1, self.risk.shape[1])) if freq is None else np.atleast_2d(freq)
        share = np.broadcast_to(prevalence[:, None], shape)
        n_all = np.broadcast_to(counted.sum(axis=1)[:, None], shape)
        events = np.broadcast_to(counted[:, self.event].sum(axis=1)[:, None], shape)
        none, others = np.zeros(shape), 1.0 - share
        if self.y is not None and self.prevalence is None:  # as of a model that acts on all
            others = (n_all - events) / n_all
        everybody = benefit(share, others, self.thresholds)
        return Curves(
            tp_rate=np.stack([share, none, *(m.tp_rate for m in models)]),
            fp_rate=np.stack([others, none, *(m.fp_rate for m in models)]),
            net_benefit=np.stack([everybody, none, *(m.net_benefit for m in models)]),
            n_positive=np.stack([n_all, none, *(m.n_positive for m in models)]),
            n_events=np.stack([events, none, *(m.n_events for m in models)]),
            prevalence=prevalence,
        )

    def _model(self, risk: Floats, harm: float, freq: NDArray[Any] | None) -> NetBenefit:
        if self.y is not None:
            return net_benefit(
                self.y, risk, self.thresholds, freq, prevalence=self.prevalence, harm=harm
            )
        assert self.stop is not None and self.status is not None and self.horizon is not None
        return net_benefit_at(
            self.stop, self.status, risk, self.thresholds, self.horizon, freq, harm=harm
        )


def checked_thresholds(thresholds: ArrayLike | None) -> Floats:
    """Return ascending thresholds in [0, 1), each once; by default 0.01 to 0.99 by 0.01."""
    if thresholds is None:
        return np.arange(1, 100) / 100.0
    levels = numbers_of("thresholds", thresholds)
    if levels.ndim != 1 or not levels.size:
        raise OptionError("thresholds must be a sequence of numbers in [0, 1), not empty.")
    if np.isnan(levels).any():
        raise OptionError("A threshold is missing (NaN), and so not in [0, 1).")
    wrong = ~((levels >= 0.0) & (levels < 1.0))
    if wrong.any():
        hint = " Write 0.2 for 20 %." if (levels[wrong] > 1.0).any() else ""
        raise OptionError(
            f"The threshold {levels[wrong][0]:g} is not in [0, 1). Net benefit weighs a false "
            f"positive by threshold / (1 - threshold), which does not exist at 1.{hint}"
        )
    return np.unique(levels)


def checked_harm(harm: Mapping[str, float] | None, labels: tuple[str, ...]) -> Floats:
    """Return the harm of each model (m,), 0 where none is given."""
    if harm is None:
        return np.zeros(len(labels))
    if not isinstance(harm, Mapping):
        raise OptionError("harm= is a mapping of models to harms, as in harm={'risk': 0.01}.")
    unknown = [str(name) for name in harm if name not in labels]
    if unknown:
        hint = closest(unknown[0], labels)
        raise OptionError(f"harm= names {unknown[0]!r}, which is no model judged here.{hint}")
    return np.array([real(f"harm[{name!r}]", harm.get(name, 0.0), low=0.0) for name in labels])


def decision_of(
    judged: Judged,
    thresholds: Floats,
    harm: Floats,
    *,
    time: float | None,
    prevalence: float | None,
) -> Decision:
    """Turn rows to be judged into a decision problem, or say why they are none.

    Raises
    ------
    OptionError
        If ``time`` is missing or misplaced, or ``prevalence`` misplaced.
    DataError
        If ``time`` is past the last follow-up, or with ``prevalence`` if the data hold one outcome
        only.
    FormulaError
        With late entry.
    TooFewEventsError
        If nobody has the event (by the horizon).
    """
    shared: dict[str, Any] = {"risk": judged.risk, "thresholds": thresholds, "harm": harm}
    outcome = judged.outcome
    if outcome.y is not None:
        if time is not None:
            raise OptionError(
                f"time= belongs to Surv(); the outcome {outcome.name!r} is a column of 0 and 1."
            )
        decision = Decision(y=outcome.y, prevalence=_prevalence(prevalence, outcome.y), **shared)
    else:
        decision = Decision(**_times(judged, time, prevalence), **shared)
    if not decision.event.any():
        when = "" if time is None else f" by {outcome.time_name} = {time:g}"
        raise TooFewEventsError(
            f"No patient has the event {judged.event_name!r}{when}: there is no benefit to measure."
        )
    return decision


def _prevalence(prevalence: float | None, y: Floats) -> float | None:
    if prevalence is None:
        return None
    share = real("prevalence", prevalence, low=0.0, high=1.0, closed=False)
    if not 0.0 < y.mean() < 1.0:
        raise DataError("prevalence= needs cases and controls; the data hold one of them only.")
    return share


def _times(judged: Judged, time: float | None, prevalence: float | None) -> dict[str, Any]:
    outcome = judged.outcome
    assert outcome.stop is not None and outcome.event is not None
    if prevalence is not None:
        raise OptionError(
            "prevalence= is for a binary outcome whose cases and controls were sampled apart; "
            "Surv() data give the risk by a time themselves."
        )
    if time is None:
        raise OptionError("Surv() needs the horizon of the decision: time=, in the data's unit.")
    if outcome.start is not None:
        raise FormulaError(
            "A decision is taken once, at time zero: decision curves take Surv(time, event), one "
            "row a patient, and no (start, stop] intervals."
        )
    horizon, last = outcome.horizon(time), float(outcome.stop.max())
    if horizon > last:
        raise DataError(
            f"time={time:g} is past the last follow-up, {outcome.time_name} = {last:g}; nothing "
            "is known there. Choose an earlier horizon."
        )
    if outcome.cause_codes is None:
        status = outcome.event.astype(np.intp)
    else:
        codes = outcome.cause_codes
        status = np.where(codes == outcome.cause, 1, np.where(codes > 0, 2, 0))
    return {"stop": outcome.stop, "status": status, "horizon": horizon}
