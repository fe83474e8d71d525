"""The outcome that a weighted comparison reads: its rows and its counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import label_of
from rnetstats.errors import DataError, FormulaError
from rnetstats.formula.clusters import few_clusters
from rnetstats.formula.design import model_frame
from rnetstats.formula.outcome import Outcome
from rnetstats.formula.parser import as_formula
from rnetstats.kernels.treatment_weights import effective_size
from rnetstats.treatment.score_rows import ScoreRows

if TYPE_CHECKING:
    from rnetstats.treatment.score_fit import ScoreFit
    from rnetstats.treatment.weighted_comparisons import WeightedComparisons

__all__ = ["WeightedRows", "weighted_rows"]

Floats = NDArray[np.float64]

_FEWEST_CLUSTERS = 3
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class WeightedRows:
    """The rows of an outcome with their weights; all arrays have shape (m,).

    Attributes
    ----------
    score : ScoreRows
        The n rows of the score model.
    place
        Places among these.
    y
        Binary outcome; None for times.
    name, label
        The outcome as the formula names it, and its event as readers call it.
    start, stop, event
        Times and whether the event was seen; the event is y for a binary outcome.
    """

    score: ScoreRows
    place: NDArray[np.intp]
    name: str
    label: str
    arms: tuple[str, ...]
    treated: Flags
    freq: Floats
    weights: Floats
    event: Flags
    start: Floats | None
    stop: Floats | None
    notes: tuple[str, ...]

    @property
    def cluster(self) -> NDArray[np.int64] | None:
        """Codes of the independent units, or None for rows."""
        codes = self.score.cluster
        return None if codes is None else codes[self.place].astype(np.int64)

    def by_arm(self, flags: Flags) -> dict[str, float]:
        """Count patients by arm among flagged rows."""
        return {
            arm: float(self.freq[here & flags].sum())
            for arm, here in zip(self.arms, (~self.treated, self.treated), strict=True)
        }

    def counts(self, flags: Flags | None = None) -> pd.DataFrame:
        """Return ``arm, n, n_events, effective_size``, the control arm first.

        Parameters
        ----------
        flags : bool array of shape (m,), optional
            What counts as an event.
        """
        events = self.by_arm(self.event if flags is None else flags)
        everyone = self.by_arm(np.ones(self.treated.size, dtype=bool))
        sizes = [
            float(effective_size(self.weights[None, here], self.freq[here])[0])
            for here in (~self.treated, self.treated)
        ]
        return pd.DataFrame(
            {
                "arm": list(self.arms),
                "n": [int(everyone[arm]) for arm in self.arms],
                "n_events": [int(events[arm]) for arm in self.arms],
                "effective_size": sizes,
            }
        )


def weighted_rows(fitted: WeightedComparisons, outcome: str, kind: str) -> WeightedRows:
    """Read an outcome for the patients of a score, and check that their arms can be compared.

    Raises
    ------
    DataError
        Positivity is violated, the outcome is the treatment or a covariate, or an arm is empty.
    """
    fit: ScoreFit = fitted._need("fit", "A weighted comparison")
    _check_positivity(fitted)
    if not isinstance(outcome, str) or "~" in outcome:
        raise FormulaError(
            f"Name the outcome alone, such as 'y' or 'Surv(time, event)', not {outcome!r}: the "
            "score model is fixed already."
        )
    parsed = as_formula(f"{outcome} ~ 1")
    _check_apart(fitted, parsed.outcome_columns)
    frame = model_frame(fit.rows.table, parsed, kind=kind)
    read = frame.outcome
    assert read is not None
    shared, place, here = np.intersect1d(fit.rows.positions, frame.rows, return_indices=True)
    event = read.y == 1.0 if read.y is not None else read.event
    assert event is not None
    _, comparison, value = read.name.removesuffix(")").partition(" == ")
    rows = WeightedRows(
        score=fit.rows,
        place=place,
        name=read.name,
        label=label_of(fit.rows.table, read.columns[-1]) + (f" = {value}" if comparison else ""),
        arms=fit.arms,
        treated=fit.rows.treated[place],
        freq=fit.rows.freq[place],
        weights=fit.weights[place],
        event=event[here],
        start=_part(read, "start", here),
        stop=_part(read, "stop", here),
        notes=_row_notes(fit, len(shared), frame.notes),
    )
    rows = replace(rows, notes=(*rows.notes, *_cluster_notes(rows, fitted)))
    empty = [arm for arm, n in rows.by_arm(np.ones(len(here), dtype=bool)).items() if not n]
    if empty:
        raise DataError(f"No patient of the arm {empty[0]!r} has {read.name} recorded.")
    return rows


def _cluster_notes(rows: WeightedRows, fitted: WeightedComparisons) -> tuple[str, ...]:
    """Say that clusters are few, and refuse fewer than a variance between them needs."""
    name = as_formula(fitted.options["formula"]).cluster
    if rows.cluster is None or name is None:
        return ()
    number = int(np.unique(rows.cluster).size)
    if number < _FEWEST_CLUSTERS:
        raise DataError(
            f"There are only {number} clusters of {name}: a variance between them needs at least "
            f"{_FEWEST_CLUSTERS}, and is too small with fewer than about 40. Leave cluster() out."
        )
    for arm, here in zip(rows.arms, (~rows.treated, rows.treated), strict=True):
        if np.unique(rows.cluster[here]).size < 2:
            raise DataError(
                f"All patients of the arm {arm!r} are in one cluster of {name}, which leaves no "
                "variance between clusters in it. Leave cluster() out."
            )
    return few_clusters(number, name)


def _part(read: Outcome, name: str, here: NDArray[np.intp]) -> Floats | None:
    values = getattr(read, name)
    return None if values is None else values[here]


def _check_positivity(fitted: WeightedComparisons) -> None:
    if fitted.summary["positivity"] == "violated" and fitted.options["positivity"] == "refuse":
        remedy = (
            "Leave out the patients without a counterpart, use weights='overlap' for those who "
            "have one, or give positivity='flag' to see the numbers all the same."
        )
        hopeless = fitted.summary["n_determined"] >= fitted.summary["n"]
        raise DataError(" ".join([*fitted.reasons, *([] if hopeless else [remedy])]))


def _check_apart(fitted: WeightedComparisons, columns: tuple[str, ...]) -> None:
    parsed = as_formula(fitted.options["formula"])
    for name, used in (("treatment", parsed.outcome_columns), ("score", parsed.term_columns)):
        both = set(columns) & set(used)
        if both:
            raise DataError(
                f"The outcome reads {sorted(both)[0]!r}, which is a column of the {name}; what "
                "follows the treatment cannot be weighted by itself."
            )


def _row_notes(fit: ScoreFit, used: int, notes: tuple[str, ...]) -> tuple[str, ...]:
    kept = tuple(note for note in notes if "missing values" not in note)
    lost = fit.rows.positions.size - used
    if not lost:
        return kept
    return (
        *kept,
        f"{lost} of {fit.rows.positions.size} rows of the score model lack the outcome: they take "
        "part in the score, not in the comparison.",
    )
