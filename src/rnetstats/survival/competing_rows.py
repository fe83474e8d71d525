"""The rows of ``Surv(time, code) ~ group``, with a coded cause each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.frame import codes_of, label_of
from rnetstats.formula.clusters import check_clusters, cluster_notes
from rnetstats.formula.groups import group_frame

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from rnetstats.formula.tokens import Literal

__all__ = ["CompetingRows", "cause_labels", "competing_rows", "uncensored_note"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class CompetingRows:
    """Rows with a group and a cause each; arrays have shape (n,).

    Attributes
    ----------
    stop, start, freq : array
        ``start`` is None without late entry, ``freq`` without frequency weights.
    code : int array
        0 censored, k for ``causes[k - 1]``.
    causes : tuple of str
        The causes that occur, as codes or levels.
    chosen : int or None
        The code of the cause that was asked for.
    group : int array
        With the names ``labels``.
    strata, cluster : int array or None
    names : dict
        ``time``, ``event`` and ``group`` as shown.
    meaning : dict
        What each cause means.
    n_missing : int
    notes : tuple of str
    """

    stop: Floats
    start: Floats | None
    code: Ints
    causes: tuple[str, ...]
    chosen: int | None
    group: Ints
    labels: tuple[str, ...]
    freq: Floats | None
    strata: Ints | None
    cluster: Ints | None
    names: dict[str, str]
    meaning: dict[str, str]
    n_missing: int
    notes: tuple[str, ...]

    @property
    def asked(self) -> tuple[int, ...]:
        """Codes of the causes to be shown."""
        return tuple(range(1, len(self.causes) + 1)) if self.chosen is None else (self.chosen,)

    @property
    def counts(self) -> Floats:
        """How often each row stands in the data."""
        return np.ones(len(self.stop)) if self.freq is None else self.freq


def competing_rows(
    frame: pd.DataFrame,
    formula: str,
    *,
    censor: Literal,
    cause: Literal | None,
    freq_weights: str | ArrayLike | None,
    missing: str,
) -> CompetingRows:
    """Read the rows of ``Surv(...) ~ group`` with a coded cause."""
    read = group_frame(
        frame,
        formula,
        kind="competing",
        weights={"freq_weights": freq_weights},
        missing=missing,
        censor=censor,
        cause=cause,
    )
    check_clusters(read.cluster)
    outcome = read.outcome
    assert outcome.stop is not None
    assert outcome.cause_codes is not None
    column = outcome.columns[-1]
    names = {
        "time": label_of(frame, outcome.time_name),
        "event": label_of(frame, column),
        "group": ", ".join(label_of(frame, name) for name in read.groups.columns),
    }
    return CompetingRows(
        stop=outcome.stop,
        start=outcome.start,
        code=outcome.cause_codes,
        causes=outcome.causes,
        chosen=outcome.cause,
        group=read.groups.codes,
        labels=read.groups.labels,
        freq=read.freq_weights,
        strata=None if read.strata is None else read.strata.codes,
        cluster=None if read.cluster is None else read.cluster.codes,
        names=names,
        meaning=cause_labels(frame, column, outcome.causes),
        n_missing=read.n_missing,
        notes=(
            *read.notes,
            *cluster_notes(read.cluster, read.groups),
            *uncensored_note(outcome.cause_codes, outcome.causes, censor),
        ),
    )


def uncensored_note(codes: Ints, causes: tuple[str, ...], censor: Literal) -> tuple[str, ...]:
    """Say that nobody has the code of censoring, which may be a wrong code."""
    if not (codes > 0).all():
        return ()
    return (
        f"No row has the censoring code {censor!r}: everybody counts as followed to an event "
        f"({', '.join(causes)}).",
    )


def cause_labels(frame: pd.DataFrame, column: str, causes: tuple[str, ...]) -> dict[str, str]:
    """What the codebook says that each cause means; otherwise its code."""
    known = codes_of(frame, column)
    return {cause: known.get(cause, cause) for cause in causes}
