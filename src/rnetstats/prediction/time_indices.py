"""Concordance and AUC over time of several models on the same rows, with their covariances.

References
----------
Wolbers M, Koller MT, Witteman JC, Steyerberg EW (2009). Prognostic models with competing risks:
methods and application to coronary risk prediction. Epidemiology 20, 555-561.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.copies import check_copies
from rnetstats.errors import DataError, OptionError, TooFewEventsError
from rnetstats.kernels.censoring import censoring_survival
from rnetstats.kernels.concordance import Concordance, concordance
from rnetstats.kernels.concordance_many import harrell
from rnetstats.kernels.time_roc import CONTROLS, time_auc, time_groups
from rnetstats.prediction.auc_indices import Index
from rnetstats.prediction.judged import Judged

__all__ = ["time_indices"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def time_indices(judged: Judged, times: Sequence[float], tau: float | None) -> list[Index]:
    """Estimate Harrell's and Uno's C, and the AUC at each time, of each model.

    With late entry there is Harrell's C alone. With competing risks an AUC(t) and Harrell's C
    are given against those free of every event, and against all who did not have this one.

    Raises
    ------
    TooFewEventsError
        If there is no event, or none by a horizon.
    DataError
        If nobody is followed past a horizon.
    OptionError
        If an AUC(t) is asked for with late entry.
    """
    outcome = judged.outcome
    assert outcome.event is not None
    if not outcome.event.any():
        raise TooFewEventsError(
            f"There is no event in the {judged.n} rows: no pair of them can be compared."
        )
    if outcome.start is not None and times:
        raise OptionError(
            "AUC(t) needs everybody from time 0; with late entry, Surv(start, stop, event), "
            "leave time= out for Harrell's C."
        )
    until = float("inf") if tau is None else tau
    if not (outcome.event & (_stop(judged) <= until)).any():
        raise TooFewEventsError(f"There is no event up to tau={until:g}: nothing to compare.")
    kinds = CONTROLS if outcome.kind == "competing" else ("",)
    found = [_harrell(judged, until, kind) for kind in kinds]
    if outcome.start is None:
        found.append(_uno(judged, until, kinds[0]))
    found += [_at_horizon(judged, time, kind) for time in times for kind in kinds]
    return found


def _stop(judged: Judged) -> Floats:
    assert judged.outcome.stop is not None
    return judged.outcome.stop


def _event(judged: Judged) -> Bools:
    assert judged.outcome.event is not None
    return judged.outcome.event


def _any_event(judged: Judged) -> Bools:
    """Whether each row ended in an event of whatever cause."""
    codes = judged.outcome.cause_codes
    return _event(judged) if codes is None else np.asarray(codes > 0)


def _weights(judged: Judged) -> Floats:
    return np.ones(judged.n) if judged.freq is None else judged.freq


def _harrell(judged: Judged, until: float, controls: str) -> Index:
    stop, event = _stop(judged), _event(judged)
    if controls == CONTROLS[1]:
        # Who had another event will never have this one: at risk for ever (Wolbers 2009).
        stop = np.where(_any_event(judged) & ~event, np.inf, stop)
    counted = (stop <= until).astype(np.float64)

    def resampled(counts: NDArray[np.int64]) -> Floats:
        if judged.outcome.start is None and np.isinf(until):
            return np.column_stack([harrell(stop, event, s, counts) for s in judged.risk])
        return np.array([_values(judged, stop, counted, row) for row in counts])

    rows = _concordances(judged, stop, counted, _weights(judged))
    return _concordance_index("Harrell C", rows, judged, (until, controls), stop, resampled)


def _uno(judged: Judged, until: float, controls: str) -> Index:
    stop = _stop(judged)

    def weights(freq: Floats) -> Floats:
        before = censoring_survival(stop, _any_event(judged), freq).before(stop)
        # A row that a resample lacks may lie past all that it holds, where G is 0.
        squared = np.where(before > 0, before, np.inf) ** -2.0
        return np.where(stop <= until, squared, 0.0)

    def resampled(counts: NDArray[np.int64]) -> Floats:
        found = [_values(judged, stop, weights(row.astype(np.float64)), row) for row in counts]
        return np.array(found)

    whole = _weights(judged)
    rows = _concordances(judged, stop, weights(whole), whole)
    return _concordance_index("Uno C", rows, judged, (until, controls), stop, resampled)


def _concordances(
    judged: Judged, stop: Floats, by_event: Floats, freq: Floats
) -> list[Concordance]:
    return [
        concordance(
            stop,
            _event(judged),
            score,
            start=judged.outcome.start,
            freq=freq,
            pair_weight=by_event,
        )
        for score in judged.risk
    ]


def _values(judged: Judged, stop: Floats, by_event: Floats, freq: Floats) -> list[float]:
    return [row.concordance for row in _concordances(judged, stop, by_event, freq)]


def _concordance_index(
    name: str,
    rows: list[Concordance],
    judged: Judged,
    kind: tuple[float, str],
    stop: Floats,
    resampled: Callable[[NDArray[np.int64]], Floats],
) -> Index:
    freq, event = _weights(judged), _event(judged)
    influence = np.array([row.influence for row in rows])
    counted = event & (stop <= kind[0])
    return Index(
        name=name,
        time=kind[0],
        controls=kind[1],
        method="infinitesimal jackknife",
        value=np.array([row.concordance for row in rows]),
        covariance=(influence * freq) @ influence.T,
        cases=float(freq @ counted),
        controls_n=float(freq @ _outliving(stop, counted, event)),
        pairs=_disjoint_pairs(stop, counted, event, freq),
        resampled=resampled,
    )


def _moments(stop: Floats, event: Bools) -> NDArray[np.int64]:
    """Times as whole numbers, a censoring after the events of its time, (n,)."""
    return 2 * np.unique(stop, return_inverse=True)[1] + ~event


def _outliving(stop: Floats, counted: Bools, event: Bools) -> Bools:
    """Rows that outlive an event that makes pairs, (n,)."""
    moment = _moments(stop, event)
    return np.asarray(moment > moment[counted].min())


def _disjoint_pairs(stop: Floats, counted: Bools, event: Bools, freq: Floats) -> float:
    """Number of comparable pairs without a row in common: early events with late rows."""
    if counted.sum() * freq.max() > 1e6:
        return float(min(freq @ counted, freq.sum() - freq @ counted))
    copies, moment = freq.astype(int), _moments(stop, event)
    early = np.sort(np.repeat(moment[counted], copies[counted]))
    late = np.sort(np.repeat(moment, copies))[::-1]
    size = min(early.size, late.size // 2)
    return float(np.count_nonzero(early[:size] < late[:size]))


def _at_horizon(judged: Judged, time: float, controls: str) -> Index:
    stop, event, anything = _stop(judged), _event(judged), _any_event(judged)
    freq = _weights(judged)
    check_copies(freq)  # its influence is that of single rows
    kind, asked, time = controls or CONTROLS[0], time, judged.outcome.horizon(time)
    case, control = time_groups(stop, event, anything, time, kind)
    if not case.any():
        raise TooFewEventsError(
            f"No event by time {time:g} (the first is at {stop[event].min():g}): an AUC at that "
            "horizon has no cases. Choose a later time."
        )
    if not (stop > time).any():
        raise DataError(
            f"Nobody is followed past time {time:g} (the last time is {stop.max():g}): there is "
            "no control whose status is known. Choose an earlier time."
        )

    def values(counts: Floats | NDArray[np.int64]) -> list[float]:
        return [
            time_auc(
                stop, event, anything, score, time, controls=kind, freq=counts, error=False
            ).auc
            for score in judged.risk
        ]

    rows = [
        time_auc(stop, event, anything, score, time, controls=kind, freq=judged.freq)
        for score in judged.risk
    ]
    influence, n = np.array([row.influence for row in rows]), float(freq.sum())
    return Index(
        name="AUC(t)",
        time=asked,
        controls=controls,
        method="IPCW, iid representation",
        value=np.array([row.auc for row in rows]),
        covariance=influence @ influence.T * (n / (n - 1.0)),
        cases=rows[0].cases,
        controls_n=rows[0].controls,
        pairs=min(float(freq @ case), float(freq @ control)),
        resampled=lambda counts: np.array([values(row) for row in counts]),
    )
