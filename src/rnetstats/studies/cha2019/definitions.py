"""When a resection counts as curative: a definition is a parameter, since papers differ in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnetstats.errors import ColumnError, OptionError
from rnetstats.formatting import fmt_percent
from rnetstats.studies.exhibit import Exhibit

__all__ = ["DEFAULT", "DEFINITIONS", "Definition", "definition_table", "not_curative"]

MARGINS = ("negative", "indeterminate", "positive")


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


def not_curative(frame: pd.DataFrame, definition: Definition = DEFAULT) -> pd.Series:
    """Say of each patient whether the resection was not curative.

    Parameters
    ----------
    frame : DataFrame
        Columns as the definition needs: ``margin``, ``lvi``, ``size_mm``, ``grade``.
    definition : Definition

    Returns
    -------
    Series of Float64
        1 for not curative, 0 for curative, missing where a value that decides is missing.

    Raises
    ------
    ColumnError
        If a column is missing.
    OptionError
        If the definition names an unknown margin.

    Examples
    --------
    >>> import pandas as pd
    >>> from rnetstats.studies.cha2019.definitions import Definition, not_curative
    >>> patients = pd.DataFrame({"margin": ["negative", "positive", None], "lvi": [0, 0, 1]})
    >>> not_curative(patients, Definition("margin or invasion")).tolist()
    [0.0, 1.0, 1.0]
    """
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
    if name == "lvi":
        hit = values.astype(float) == 1.0
    elif name == "size_mm":
        hit = values.astype(float) > float(definition.above_mm or 0.0)
    else:
        hit = values.astype(object).isin(
            definition.margins if name == "margin" else definition.grades
        )
    return hit.astype(float).where(known)


def definition_table(
    frame: pd.DataFrame, definitions: Sequence[Definition] = DEFINITIONS
) -> Exhibit:
    """Count the patients who are not curative under each definition, and who was treated."""
    rows = []
    for definition in definitions:
        if any(name not in frame.columns for name in definition.columns):
            continue
        flag = not_curative(frame, definition)
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
    )
