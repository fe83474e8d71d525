"""When a resection counts as curative: a definition is a parameter, since papers differ in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, as_frame
from rnetstats._core.options import items_of, real
from rnetstats.errors import ColumnError, DataError, OptionError, rows_text
from rnetstats.formatting import fmt_percent
from rnetstats.studies.exhibit import Exhibit

__all__ = [
    "DEFAULT",
    "DEFINITIONS",
    "Definition",
    "by_definition",
    "definition_table",
    "not_curative",
]

MARGINS = ("negative", "indeterminate", "positive")
GRADES = ("G1", "G2", "G3")


@dataclass(frozen=True)
class Definition:
    """What makes a resection not curative; any one of the reasons suffices.

    Attributes
    ----------
    label : str
    margins : tuple of str
        Margins that are not curative, of ``indeterminate`` and ``positive``.
    lvi : bool
        Whether lymphovascular invasion is a reason.
    above_mm : float or None
        A size above this is a reason; None if no size is.
    grades : tuple of str
        Grades that are a reason.
    """

    label: str
    margins: tuple[str, ...] = ("indeterminate", "positive")
    lvi: bool = True
    above_mm: float | None = None
    grades: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        used = {
            "margin": bool(self.margins),
            "lvi": self.lvi,
            "size_mm": self.above_mm is not None,
            "grade": bool(self.grades),
        }
        return tuple(name for name, needed in used.items() if needed)


DEFAULT = Definition(
    "Margin not negative, invasion, above 10 mm, or G2", above_mm=10.0, grades=("G2",)
)
DEFINITIONS = (
    Definition("Margin positive", margins=("positive",), lvi=False),
    Definition("Margin positive or indeterminate", lvi=False),
    Definition("Margin not negative, or lymphovascular invasion"),
    Definition("Margin not negative, invasion, or above 10 mm", above_mm=10.0),
    DEFAULT,
)


def not_curative(
    data: Data,
    *,
    margins: Sequence[str] = DEFAULT.margins,
    lvi: bool = DEFAULT.lvi,
    above_mm: float | None = DEFAULT.above_mm,
    grades: Sequence[str] = DEFAULT.grades,
) -> pd.Series:
    """Say of each patient whether the resection was not curative, by a definition of your choice.

    Papers differ in what they call curative; any one of the reasons named here makes a resection
    not curative.

    Parameters
    ----------
    data : DataFrame or mapping
        Columns as the definition needs: ``margin`` (negative, indeterminate or positive), ``lvi``
        (0 or 1), ``size_mm``, ``grade`` (G1 to G3); not changed.
    margins : sequence of str
        Of ``"indeterminate"`` and ``"positive"``.
    lvi : bool
        Whether lymphovascular invasion is a reason.
    above_mm : float or None
        A size above this is a reason; None if no size is.
    grades : sequence of str
        Grades that are a reason, such as ``["G2"]``; one that is not named is none.

    Returns
    -------
    Series of float
        1 for not curative, 0 for curative, missing where a value that decides is missing.

    Raises
    ------
    ColumnError, DataError
        If a column is missing, or a cell holds what it cannot.
    OptionError
        If there is no such margin or a grade is no text, or no reason at all.

    References
    ----------
    Cha et al. (2019) Sci Rep 9:4911 (142 of 322 resections not curative; the criteria are not
    among its printed figures, so the default is ours).

    Examples
    --------
    >>> import rnetstats as rn
    >>> patients = {"margin": ["negative", "positive", None], "lvi": [0, 0, 1]}
    >>> rn.not_curative(patients, above_mm=None, grades=[]).tolist()
    [0.0, 1.0, 1.0]
    """
    chosen = Definition(
        "of your choice",
        margins=items_of(margins),
        lvi=bool(lvi),
        above_mm=None if above_mm is None else real("above_mm", above_mm, low=0.0),
        grades=items_of(grades),
    )
    odd = [grade for grade in chosen.grades if not isinstance(grade, str)]
    if odd:
        raise OptionError(f"grades holds {odd[0]!r}; a grade is a text, such as 'G2'.")
    if not chosen.columns:
        raise OptionError("Name at least one reason: margins, lvi, above_mm or grades.")
    return by_definition(as_frame(data), chosen)


def by_definition(frame: pd.DataFrame, definition: Definition = DEFAULT) -> pd.Series:
    """Classify by a :class:`Definition`; see :func:`not_curative`."""
    unknown = [name for name in definition.margins if name not in MARGINS[1:]]
    if unknown:
        raise OptionError(f"margins={unknown!r}: choose of 'indeterminate' and 'positive'.")
    lacking = [name for name in definition.columns if name not in frame.columns]
    if lacking:
        raise ColumnError(
            f"The definition {definition.label!r} needs the column(s) {', '.join(lacking)}. Add "
            "them, or choose a definition without them."
        )
    reasons = [_reason(frame[name], name, definition) for name in definition.columns]
    # one reason present decides, whatever else is missing
    table = np.column_stack([reason.to_numpy(dtype=float) for reason in reasons])
    anyone = np.nanmax(np.where(np.isnan(table), -1.0, table), axis=1)
    unclear = np.isnan(table).any(axis=1) & (anyone < 1.0)
    return pd.Series(np.where(unclear, np.nan, anyone), index=frame.index)


def _reason(values: pd.Series, name: str, definition: Definition) -> pd.Series:
    """One reason as 0, 1 or missing."""
    known = values.notna()
    if name in ("lvi", "size_mm"):
        numbers = pd.to_numeric(values.astype(object), errors="coerce").astype(float)
        usable = numbers.isin([0.0, 1.0]) if name == "lvi" else numbers.between(0.0, np.inf, "left")
        _refuse(values, known & ~usable, "0 or 1" if name == "lvi" else "a number in mm")
        hit = numbers == 1.0 if name == "lvi" else numbers > float(definition.above_mm or 0.0)
    else:
        margin = name == "margin"
        allowed = MARGINS if margin else (*GRADES, *definition.grades)
        words = values.astype(object)
        _refuse(values, known & ~words.isin(allowed), f"one of {', '.join(dict.fromkeys(allowed))}")
        hit = words.isin(definition.margins if margin else definition.grades)
    return hit.astype(float).where(known)


def _refuse(values: pd.Series, wrong: pd.Series, wanted: str) -> None:
    """Refuse cells that would otherwise count as no reason."""
    places = np.flatnonzero(wrong.to_numpy(dtype=bool))
    if places.size:
        raise DataError(
            f"Column {values.name!r} holds {values.iloc[places[0]]!r} in "
            f"{rows_text((places + 1).tolist())}; it takes {wanted}."
        )


def definition_table(frame: pd.DataFrame) -> Exhibit:
    """Count the patients who are not curative under each definition, and who was treated."""
    rows = []
    for definition in DEFINITIONS:
        if any(name not in frame.columns for name in definition.columns):
            continue
        flag = by_definition(frame, definition)
        treated = frame["treated"] == 1
        rows.append(
            {
                "definition": definition.label,
                "n": int(flag.notna().sum()),
                "not_curative": int((flag == 1.0).sum()),
                "treated": int((treated & (flag == 1.0)).sum()),
                "treated_curative": int((treated & (flag == 0.0)).sum()),
            }
        )
    numbers = pd.DataFrame(rows)
    share = numbers["not_curative"] / numbers["n"].clip(lower=1)
    shown = pd.DataFrame(
        {
            "Not curative if": numbers["definition"],
            "Patients": numbers["n"].astype(str),
            "Not curative": [
                f"{k} ({fmt_percent(s)})"
                for k, s in zip(numbers["not_curative"], share, strict=True)
            ],
            "Treated, of these": numbers["treated"].astype(str),
            "Treated, of the others": numbers["treated_curative"].astype(str),
        }
    )
    return Exhibit(
        name="definitions",
        title="What “not curative” means decides how many are",
        caption="The paper’s own criteria are not among the printed figures; each row is a "
        "definition in use, the last one is used below.",
        numbers=numbers,
        shown=shown,
        notes=(
            "Where a value is missing, one reason that is known makes a resection not curative, "
            "while curative takes them all: the shares are of the patients who can be classified, "
            "and too high.",
        )
        * bool((numbers["n"] < len(frame)).any()),
    )
