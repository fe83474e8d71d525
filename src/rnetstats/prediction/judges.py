"""What is measured in every replicate: indices, the calibration curve, net benefit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnetstats.errors import DataError, OptionError, TooFewEventsError
from rnetstats.formula.outcome import Outcome
from rnetstats.kernels.calibration_error import restricted_columns, spline_knots
from rnetstats.kernels.links import logit, with_intercept
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.net_benefit import net_benefit
from rnetstats.kernels.net_benefit_times import net_benefit_at
from rnetstats.kernels.newton import LOST_TERM, OK
from rnetstats.kernels.risksets import prepare
from rnetstats.prediction.indices import BINARY, binary_indices
from rnetstats.prediction.survival_indices import (
    AT_HORIZON,
    SURVIVAL,
    HorizonCurves,
    HorizonJudge,
    survival_indices,
)

__all__ = ["BinaryJudge", "Judge", "SurvivalJudge", "judge_of"]

Floats = NDArray[np.float64]
_KNOTS: Final = (0.05, 0.35, 0.65, 0.95)


class Judge(ABC):
    """Measures the predictions of B models for n patients, each counted ``freq`` times.

    Attributes
    ----------
    names : tuple of str
        The indices.
    events : array of shape (n,)
        1 where the patient had the event (by the horizon, if there is one).
    rarer : int
        Patients with the rarer outcome, events or known to be without; of survival without a
        horizon the events.
    smoother : str
        The curve behind the calibration errors, in words.
    """

    names: tuple[str, ...]
    events: Floats
    rarer: int
    has_curves: bool = True
    smoother: str = "lowess"

    @abstractmethod
    def indices(self, risk: Floats, predictor: Floats, freq: Floats | None) -> Floats:
        """Return the indices (B, k) of risks and linear predictors (B, n)."""

    @abstractmethod
    def curve(self, risk: Floats, freq: Floats | None, at: Floats) -> Floats:
        """Return the observed risk (B, q) at predicted risks ``at`` (q,).

        Missing without a fit, and outside the range of what a model predicted: it says nothing
        there.
        """

    def with_curve(
        self, risk: Floats, predictor: Floats, freq: Floats | None, at: Floats, few: int
    ) -> tuple[Floats, Floats]:
        """Return the indices (B, k), and the curve (few, q) of the first replicates."""
        some = None if freq is None else freq[:few]
        return self.indices(risk, predictor, freq), self.curve(risk[:few], some, at)

    @abstractmethod
    def net_benefit(self, risk: Floats, freq: Floats | None, thresholds: Floats) -> Floats:
        """Return net benefit (B, t)."""


class BinaryJudge(Judge):
    """Judges risks of a binary outcome y (n,)."""

    def __init__(self, y: Floats, names: tuple[str, ...] = BINARY) -> None:
        self.events, self.names = y, names
        self.rarer = int(min(y.sum(), y.size - y.sum()))

    def indices(self, risk: Floats, predictor: Floats, freq: Floats | None) -> Floats:
        """See :func:`rnetstats.prediction.indices.binary_indices`."""
        return binary_indices(self.events, risk, predictor, freq, self.names)

    def curve(self, risk: Floats, freq: Floats | None, at: Floats) -> Floats:
        """Logistic regression on a restricted cubic spline (4 knots) of the log odds."""
        x, wanted = logit(risk), np.broadcast_to(logit(at), (len(risk), at.size))
        counts = np.broadcast_to(1.0 if freq is None else np.atleast_2d(freq), x.shape)
        knots = spline_knots(x, counts, _KNOTS)
        both = ((counts * self.events).sum(1) > 0) & ((counts * (1 - self.events)).sum(1) > 0)
        fit = fit_logistic(
            with_intercept(restricted_columns(x, knots)),
            self.events,
            freq=np.where(both[:, None], counts, 1.0),
        )
        eta = np.einsum("bqp,bp->bq", with_intercept(restricted_columns(wanted, knots)), fit.coef)
        found = 1.0 / (1.0 + np.exp(-np.clip(eta, -700.0, 700.0)))
        found[~(both & np.isin(fit.status, (OK, LOST_TERM)))] = np.nan
        return within_range(found, risk, counts, at)

    def net_benefit(self, risk: Floats, freq: Floats | None, thresholds: Floats) -> Floats:
        """See :func:`rnetstats.kernels.net_benefit.net_benefit`."""
        return net_benefit(self.events, risk, thresholds, freq).net_benefit


class SurvivalJudge(Judge):
    """Judges linear predictors, and risks by a horizon, of right-censored times."""

    smoother = "a Cox regression on a spline (3 knots) of log(-log(1 - risk))"

    def __init__(self, outcome: Outcome, horizon: float | None) -> None:
        assert outcome.stop is not None
        assert outcome.event is not None
        self.stop, self.event = outcome.stop, outcome.event
        self.start = outcome.start
        self.sets = prepare(outcome.start, outcome.stop, outcome.event)
        horizon = None if horizon is None else outcome.horizon(horizon)
        self.horizon, self.has_curves = horizon, horizon is not None
        self.names = SURVIVAL if horizon is None else SURVIVAL + AT_HORIZON
        self.events = outcome.event.astype(np.float64)
        self.rarer = int(self.events.sum())
        self.at_horizon = None
        if horizon is not None:
            followed = _followed_past(self.stop, self.event, horizon)
            self.at_horizon = HorizonJudge(self.stop, self.event, self.sets, horizon)
            self.events = self.at_horizon.dead
            self.rarer = int(min(self.events.sum(), followed))

    def indices(self, risk: Floats, predictor: Floats, freq: Floats | None) -> Floats:
        """See :mod:`rnetstats.prediction.survival_indices`."""
        curves = None if self.at_horizon is None else self.at_horizon.curves(risk, freq)
        return self._indices(risk, predictor, freq, curves)

    def curve(self, risk: Floats, freq: Floats | None, at: Floats) -> Floats:
        """Cox regression on a restricted cubic spline of the complementary log-log risk."""
        assert self.at_horizon is not None
        return _read(self.at_horizon.curves(risk, freq), risk, freq, at)

    def with_curve(
        self, risk: Floats, predictor: Floats, freq: Floats | None, at: Floats, few: int
    ) -> tuple[Floats, Floats]:
        """Return both, of one regression a replicate."""
        assert self.at_horizon is not None
        curves = self.at_horizon.curves(risk, freq)
        some = None if freq is None else freq[:few]
        curve = _read(curves.part(slice(0, few)), risk[:few], some, at)
        return self._indices(risk, predictor, freq, curves), curve

    def _indices(
        self, risk: Floats, predictor: Floats, freq: Floats | None, curves: HorizonCurves | None
    ) -> Floats:
        found = survival_indices(
            self.stop, self.event, self.sets, predictor, freq, start=self.start
        )
        if self.at_horizon is None or curves is None:
            return found
        return np.column_stack([found, self.at_horizon(risk, freq, curves)])

    def net_benefit(self, risk: Floats, freq: Floats | None, thresholds: Floats) -> Floats:
        """See :func:`rnetstats.kernels.net_benefit_times.net_benefit_at`."""
        assert self.horizon is not None
        return net_benefit_at(
            self.stop, self.event.astype(int), risk, thresholds, self.horizon, freq
        ).net_benefit


class ChosenJudge(Judge):
    """Keeps some of the indices of another judge."""

    def __init__(self, judge: Judge, names: tuple[str, ...]) -> None:
        self.judge, self.names, self.events = judge, names, judge.events
        self.has_curves, self.rarer = judge.has_curves, judge.rarer
        self.smoother = judge.smoother
        self.places = [judge.names.index(name) for name in names]

    def indices(self, risk: Floats, predictor: Floats, freq: Floats | None) -> Floats:
        """Return the chosen ones."""
        return self.judge.indices(risk, predictor, freq)[:, self.places]

    def curve(self, risk: Floats, freq: Floats | None, at: Floats) -> Floats:
        """As the other judge does."""
        return self.judge.curve(risk, freq, at)

    def net_benefit(self, risk: Floats, freq: Floats | None, thresholds: Floats) -> Floats:
        """As the other judge does."""
        return self.judge.net_benefit(risk, freq, thresholds)


def judge_of(outcome: Outcome, horizon: float | None, names: Sequence[str] | None = None) -> Judge:
    """Return the judge of an outcome, for all indices or those named.

    Raises
    ------
    OptionError
        If an index is unknown, or needs a horizon.
    TooFewEventsError
        If nobody has the event by the horizon.
    DataError
        If nobody is followed past the horizon.
    """
    y = outcome.y
    judge: Judge = SurvivalJudge(outcome, horizon) if y is None else BinaryJudge(y)
    if names is None:
        return judge
    if not isinstance(names, Iterable):
        raise OptionError(
            f"indices= is a sequence of names, as in ['auc', 'slope'], not {names!r}."
        )
    chosen = tuple(dict.fromkeys([names] if isinstance(names, str) else names))
    unknown = [name for name in chosen if name not in judge.names]
    if unknown or not chosen:
        more = " (time= adds those of a horizon)" if outcome.y is None and horizon is None else ""
        raise OptionError(
            f"indices= names {', '.join(map(repr, unknown)) or 'nothing'}; there are "
            f"{', '.join(judge.names)}{more}."
        )
    if isinstance(judge, BinaryJudge):
        return BinaryJudge(judge.events, chosen)
    return ChosenJudge(judge, chosen)


def _read(curves: HorizonCurves, risk: Floats, freq: Floats | None, at: Floats) -> Floats:
    """Return the observed risks (B, q) at predicted risks, see :meth:`Judge.curve`."""
    found, fitted = curves.read(at)
    found[~fitted] = np.nan
    counts = np.broadcast_to(1.0 if freq is None else np.atleast_2d(freq), risk.shape)
    return within_range(found, risk, counts, at)


def within_range(curve: Floats, risk: Floats, counts: Floats, at: Floats) -> Floats:
    """Leave out of curves (B, q) what lies outside the risks (B, n) that they were fitted to."""
    there = counts > 0
    low = np.where(there, risk, np.inf).min(axis=1, keepdims=True)
    high = np.where(there, risk, -np.inf).max(axis=1, keepdims=True)
    return np.where((at >= low) & (at <= high), curve, np.nan)


def _followed_past(stop: Floats, event: NDArray[np.bool_], horizon: float) -> int:
    """Return the number of patients who are known to be without the event at the horizon."""
    if not (event & (stop <= horizon)).any():
        first = f"the first is at {stop[event].min():g}" if event.any() else "there is none at all"
        raise TooFewEventsError(
            f"No event by time {horizon:g} ({first}): nothing can be judged at that horizon. "
            "Choose a later time."
        )
    followed = int((stop > horizon).sum())
    if not followed:
        raise DataError(
            f"Nobody is followed past time {horizon:g} (the last time is {stop.max():g}): nothing "
            "is known of the risk there. Choose an earlier time."
        )
    return followed
