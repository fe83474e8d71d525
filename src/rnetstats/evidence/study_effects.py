"""The studies' effects and standard errors, as small-study methods take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.errors import ColumnError, DataError, closest, rows_text

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["StudyEffects", "how_many", "study_effects"]

Floats: TypeAlias = NDArray[np.float64]
Source: TypeAlias = "str | ArrayLike"


@dataclass(frozen=True, eq=False)
class StudyEffects:
    """The studies that have an effect.

    Attributes
    ----------
    studies : DataFrame
        Their rows, in order, with ``study`` (numbered if it is missing).
    coef, std_error : (k,)
        On the scale of analysis.
    left_out : int
        Studies without an effect, or not used.
    """

    studies: pd.DataFrame
    coef: Floats
    std_error: Floats
    left_out: int

    @property
    def k(self) -> int:
        """How many there are."""
        return len(self.coef)

    @property
    def weights(self) -> Floats:
        """Inverse variances."""
        return 1.0 / np.square(self.std_error)


def how_many(count: int, what: str = "") -> str:
    """Count studies in words: ``1 study``, ``3 filled studies``."""
    kind = f"{what} " if what else ""
    return f"{count} {kind}{'study' if count == 1 else 'studies'}"


def study_effects(studies: pd.DataFrame, coef: Source, std_error: Source) -> StudyEffects:
    """Take the studies that have an effect and a standard error.

    Parameters
    ----------
    studies : DataFrame
        One row a study. Rows whose ``used`` is False are left out, as are those without an effect.
    coef, std_error : str or array-like
        A column, or as many numbers as rows.

    Raises
    ------
    ColumnError
        If a column is missing or holds no numbers.
    DataError
        If an effect is infinite, or a standard error is not above 0.
    """
    frame = pd.DataFrame(studies).reset_index(drop=True)
    effects, errors = _numbers(frame, coef, "coef"), _numbers(frame, std_error, "std_error")
    known = ~np.isnan(effects) & ~np.isnan(errors)
    if "used" in frame:
        known &= frame["used"].fillna(False).to_numpy(dtype=bool)
    wrong = np.flatnonzero(known & ~(np.isfinite(effects) & np.isfinite(errors) & (errors > 0.0)))
    if wrong.size:
        raise DataError(
            "An effect must be finite and its standard error above 0; see "
            f"{rows_text((wrong + 1).tolist())} (counted from 1)."
        )
    kept = frame[known].reset_index(drop=True)
    if "study" not in kept:
        kept.insert(0, "study", [str(row + 1) for row in np.flatnonzero(known)])
    kept["study"] = kept["study"].astype(str)
    return StudyEffects(kept, effects[known], errors[known], int((~known).sum()))


def _numbers(frame: pd.DataFrame, source: Source, name: str) -> Floats:
    values: Any = source
    if isinstance(source, str):
        if source not in frame:
            hint = closest(source, map(str, frame.columns))
            raise ColumnError(f"There is no column {source!r} among the studies.{hint}")
        name, values = source, frame[source]
    elif not isinstance(source, (np.ndarray, pd.Series, Sequence)):
        raise ColumnError(f"{name} must be a column or an array, not {type(source).__name__}.")
    try:
        numbers = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ColumnError(f"{name!r} holds something that is no number.") from None
    if numbers.shape != (len(frame),):
        raise ColumnError(f"{name!r} has shape {numbers.shape}; there are {len(frame)} studies.")
    return numbers
