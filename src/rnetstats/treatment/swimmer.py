"""Each patient's course as a lane: follow-up, the day of treatment, and what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import Data, as_frame, codes_of, is_synthetic, label_of
from rnetstats._core.result import Result
from rnetstats.errors import OptionError
from rnetstats.formatting import fmt_count, fmt_number, inside
from rnetstats.formula.groups import GroupFrame, group_frame
from rnetstats.formula.outcome import Outcome
from rnetstats.formula.parser import as_formula
from rnetstats.formula.terms import Condition, Formula, Plain
from rnetstats.survival.competing_rows import cause_labels
from rnetstats.treatment.patient_checks import checked_times, given_times, names_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SwimmerResult", "swimmer"]

_NO_EVENT = "No patient has an event: every lane ends with the last visit."


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SwimmerResult(Result):
    """The courses of all patients, and their sums by group.

    Attributes
    ----------
    table : DataFrame
        ``group, n, n_treated, time_before, time_after`` (person-time before and under treatment,
        in the unit of the data), and ``n_<event>``, one column a kind of event.
    endpoint : str
        The left side as written.
    time_label : str
        The time as shown.
    n, n_missing : int
        Patients laid out, and those left out for a missing value.
    lanes : DataFrame or None
        A row a patient: ``group, stop, treated_at`` (missing for the never treated) and ``event``
        ("" for the censored), by group, the longest first. Patient rows: never written to JSON.
    """

    table: pd.DataFrame
    endpoint: str
    time_label: str
    n: int
    n_missing: int
    lanes: pd.DataFrame | None = field(default=None, metadata={"rows": True})

    def to_frame(self) -> pd.DataFrame:
        """Return the sums by group (a copy)."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return the sums over all groups in one row."""
        sums: dict[str, float | int] = {"n": self.n, "n_missing": self.n_missing}
        for name in self.table.columns[2:].astype(str):
            total = self.table[name].sum()
            sums[name] = float(total) if name.startswith("time_") else int(total)
        return pd.DataFrame([sums])

    def display(self) -> pd.DataFrame:
        """Return the sums as text."""
        shown: dict[str, list[str]] = {
            "Group": self.table["group"].tolist(),
            "Patients": [fmt_count(n) for n in self.table["n"]],
            "Treated": [fmt_count(n) for n in self.table["n_treated"]],
            "Person-time before treatment": [fmt_number(t, 0) for t in self.table["time_before"]],
            "Person-time under treatment": [fmt_number(t, 0) for t in self.table["time_after"]],
        }
        for name in self.table.columns[5:].astype(str):
            title = name.removeprefix("n_").capitalize()
            shown[title] = [fmt_count(n) for n in self.table[name]]
        return pd.DataFrame(shown)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw a lane a patient, the longest follow-up of each group on top.

        Raises
        ------
        DataNotKeptError
            If the result came from JSON, which holds no patients.
        """
        from rnetstats.plots.style import marked
        from rnetstats.plots.swimmer import draw_lanes

        lanes = self._need("lanes", "The swimmer plot")
        axes = draw_lanes(lanes, time_label=self.time_label, ax=ax)
        return marked(axes, self.synthetic)


def swimmer(
    data: Data,
    formula: str,
    *,
    treatment_time: str | None = None,
    events: Mapping[int, str] | None = None,
    missing: str = "drop",
) -> SwimmerResult:
    """Lay out each patient's course: follow-up, treatment and events.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        One row a patient; not changed.
    formula : str
        ``"Surv(time, code) ~ group"``; the code 0 for the censored and a number for each kind of
        event (or a 0/1 event), ``~ 1`` for one group. ``Surv(time, code == 1)`` marks one kind
        alone, whatever else ended follow-up.
    treatment_time : str, optional
        Column with the time from the start of follow-up to treatment, in the unit of the data;
        missing for the never treated. A treatment at the very end of follow-up comes after it.
    events : mapping of int to str, optional
        What each code stands for, as in ``{1: "recurrence", 2: "death"}``; by default as the
        codebook says, or the codes themselves. An event of 0 and 1 is named as its column is.
    missing : {"drop", "raise"}

    Returns
    -------
    SwimmerResult

    Raises
    ------
    OptionError
        If `events` leaves out a code that occurs.
    DataError, ColumnError, FormulaError
        If rows cannot be used; if treatment is negative, or later than the event or last visit
        (the patients are named).

    Examples
    --------
    >>> import rnetstats as rn
    >>> lanes = rn.swimmer(
    ...     {"months": [9, 20, 31], "code": [1, 0, 2], "salvaged": [None, 2, 3]},
    ...     "Surv(months, code) ~ 1",
    ...     treatment_time="salvaged",
    ...     events={1: "recurrence", 2: "death"},
    ... )
    >>> lanes.glance()[["n_treated", "time_before", "time_after"]].values.tolist()
    [[2.0, 14.0, 46.0]]
    """
    parsed = as_formula(formula)
    frame = as_frame(data)
    compared = _comparison(parsed)
    eventless = compared is None and _eventless(frame, parsed)
    kind = "survival" if eventless or compared is not None else "competing"
    read = group_frame(frame, parsed, kind=kind, missing=missing)
    outcome = read.outcome
    if outcome.start is not None:
        raise OptionError("A lane is a patient: write Surv(time, event), without a start.")
    assert outcome.stop is not None
    if compared is None:
        labels = _labels(frame, outcome, events)
    else:
        labels = {1: _name_of(compared, frame, events)}
    at, seen = _treated_at(frame, read, treatment_time)
    order = dict.fromkeys([*(_named(events).values() if events else ()), *labels.values()])
    lanes = _lanes(read, at, labels, list(order))
    return SwimmerResult(
        table=_table(lanes, read.groups.labels, list(dict.fromkeys(labels.values()))),
        endpoint=outcome.name,
        time_label=label_of(frame, outcome.time_name),
        n=len(lanes),
        n_missing=read.n_missing,
        lanes=lanes,
        notes=(*read.notes, *seen, *(() if (lanes["event"] != "").any() else (_NO_EVENT,))),
        options={"formula": str(parsed), "treatment_time": treatment_time},
        synthetic=is_synthetic(frame),
    )


def _comparison(formula: Formula) -> Condition | None:
    """Return the event where it is one code of a column, as in ``Surv(time, code == 1)``."""
    event = None if formula.outcome is None else formula.outcome.event
    return event if isinstance(event, Condition) else None


def _name_of(event: Condition, frame: pd.DataFrame, events: Mapping[int, str] | None) -> str:
    """Name the one code that counts: as `events` or the codebook says, or as the formula does."""
    known = codes_of(frame, event.column) if events is None else _named(events)
    return known.get(str(event.literal), event.comparison)


def _named(events: Mapping[int, str]) -> dict[str, str]:
    if not isinstance(events, Mapping):
        raise OptionError(f"events must be a mapping of codes to words, not {events!r}.")
    return {str(code): str(word) for code, word in events.items()}


def _eventless(frame: pd.DataFrame, formula: Formula) -> bool:
    """Whether every code of the rows used is that of the censored."""
    if formula.outcome is None or not isinstance(formula.outcome.event, Plain):
        return False
    if not set(formula.columns) <= set(frame.columns):
        return False  # reading the rows says which column is absent
    codes = frame[list(formula.columns)].dropna()[formula.outcome.event.column]
    return len(codes) > 0 and bool((codes == 0).all())


def _labels(
    frame: pd.DataFrame, outcome: Outcome, events: Mapping[int, str] | None
) -> dict[int, str]:
    """Return the name of each code: 1, 2, ... in the order of the outcome's causes."""
    if events is None:
        column = outcome.columns[-1]
        meaning = cause_labels(frame, column, outcome.causes)
        if meaning == {"1": "1"}:  # "1" says nothing where there is one kind of event
            meaning = {"1": inside(label_of(frame, column))}
        return dict(enumerate((meaning[cause] for cause in outcome.causes), start=1))
    named = _named(events)
    unknown = [cause for cause in outcome.causes if cause not in named]
    if unknown:
        raise OptionError(
            f"events= names {', '.join(named) or 'nothing'}, but the data also hold the code "
            f"{', '.join(unknown)}. Name every code that occurs."
        )
    return {k: named[cause] for k, cause in enumerate(outcome.causes, start=1)}


def _treated_at(
    frame: pd.DataFrame, read: GroupFrame, name: str | None
) -> tuple[NDArray[np.float64], list[str]]:
    """Return times of treatment (n,), missing for the never treated, and what was noticed."""
    outcome = read.outcome
    assert outcome.stop is not None
    assert outcome.event is not None
    if name is None:
        return np.full(len(outcome.stop), np.nan), []
    given = given_times(frame, name)[read.rows]
    columns = (name, outcome.time_name)
    names = names_of(frame, None)[read.rows]
    at, notes = checked_times(given, outcome.stop, outcome.event, names, columns)
    return np.where(np.isfinite(at), at, np.nan), notes


def _lanes(
    read: GroupFrame, at: NDArray[np.float64], labels: dict[int, str], kinds: list[str]
) -> pd.DataFrame:
    """Return a row a patient; events are a category in the order of ``kinds``, "" for none."""
    outcome, codes = read.outcome, read.outcome.cause_codes
    assert outcome.stop is not None
    if codes is None:  # one kind of event, or none
        assert outcome.event is not None
        codes = outcome.event.astype(np.intp)
    lanes = pd.DataFrame(
        {
            "group": [read.groups.labels[code] for code in read.groups.codes],
            "stop": outcome.stop,
            "treated_at": at,
            "event": pd.Categorical(
                [labels.get(int(code), "") for code in codes],
                categories=list(dict.fromkeys(["", *kinds])),
            ),
        }
    )
    order = np.lexsort((-outcome.stop, read.groups.codes))
    return lanes.iloc[order].reset_index(drop=True)


def _table(lanes: pd.DataFrame, groups: tuple[str, ...], kinds: list[str]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for group in groups:
        part = lanes[lanes["group"] == group]
        before = part["treated_at"].fillna(part["stop"])
        rows.append(
            {
                "group": group,
                "n": len(part),
                "n_treated": int(part["treated_at"].notna().sum()),
                "time_before": float(before.sum()),
                "time_after": float((part["stop"] - before).sum()),
            }
            | {f"n_{kind}": int((part["event"] == kind).sum()) for kind in kinds}
        )
    return pd.DataFrame(rows)
