"""Centres: each left out in turn, and how the model of the others does there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.frame import Data, as_frame, column
from rnetstats.errors import DataError
from rnetstats.formatting import listed
from rnetstats.kernels.newton import IntArray
from rnetstats.prediction.judges import Judge
from rnetstats.prediction.refit import Refit, replicate_seeds
from rnetstats.prediction.validation_tables import FEW

__all__ = ["centre_folds", "centre_frame"]

_NAMED = 20  # centres in one sentence


def centre_folds(refit: Refit, data: Data | None, by: str) -> tuple[IntArray, tuple[str, ...]]:
    """Return the centre of each row (n,) as a code, and the centres' names.

    Raises
    ------
    DataError
        If the data are not given, a centre is missing, or there is only one.
    """
    if data is None:
        raise DataError(
            f"The column {by!r} of centres is not part of the fit: give the data too, "
            "validate(fit, data, ...)."
        )
    values = column(as_frame(data), by).iloc[refit.positions]
    absent = values.isna().to_numpy()
    if absent.any():
        rows = ", ".join(str(row + 1) for row in refit.positions[absent][:5])
        raise DataError(f"The centre ({by}) is missing in row {rows}; fill it or leave it out.")
    names, codes = np.unique(values.astype(str).to_numpy(), return_inverse=True)
    if len(names) < 2:
        raise DataError(f"Column {by!r} holds a single centre, {names[0]!r}; leave none out.")
    return codes.astype(np.int64), tuple(str(name) for name in names)


def centre_frame(
    refit: Refit, judge: Judge, folds: IntArray, names: tuple[str, ...], seed: int
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the columns ``centre, n, n_events`` and each index in that centre alone, and notes.

    With fewer than 5 events (or non-events) in a centre its indices are missing.

    References
    ----------
    Steyerberg EW, Harrell FE (2016). J Clin Epidemiol 69:245-247.
    """
    codes = np.arange(len(names))
    here = (folds == codes[:, None]).astype(np.float64)
    made = refit.again(1.0 - here, replicate_seeds(seed, codes))
    events = here @ judge.events
    counts = here.sum(axis=1)
    found = np.full((len(names), len(judge.names)), np.nan)
    rarer = np.minimum(events, counts - events) if judge.has_curves else events
    enough: NDArray[np.bool_] = made.usable & (rarer >= FEW)
    if enough.any():
        risk, predictor = made.as_tested
        found[enough] = judge.indices(risk[enough], predictor[enough], here[enough])
    few = [name for name, known in zip(names, enough, strict=True) if not known]
    notes = []
    if few:
        notes.append(
            f"by_centre() has no indices for {_some(few)}: there are fewer than {FEW} patients of "
            "the rarer outcome, or the others give no model."
        )
    table = {
        "centre": names,
        "n": counts.astype(int),
        "n_events": events.astype(int),
        **{name: found[:, j] for j, name in enumerate(judge.names)},
    }
    return table, tuple(notes)


def _some(names: list[str]) -> str:
    """Name centres, of very many the first ones alone."""
    if len(names) <= _NAMED:
        return listed(names)
    return listed([*names[:_NAMED], f"{len(names) - _NAMED} more centres"])
