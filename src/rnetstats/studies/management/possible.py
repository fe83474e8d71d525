"""What each patient may be: the values that agree with what is recorded, under the definitions.

A thing that is not recorded has every value as a possible one. A set of values is kept as the bits
of an integer, bit k for the k-th value of :data:`~rnetstats.studies.management.vocabulary.LEVELS`.
A condition holds if all possible values are among those asked for, fails if none is, and is open
otherwise.

References
----------
Kleene SC (1952). Introduction to Metamathematics. North-Holland, section 64 (three truth values).
Brierley JD, Gospodarowicz MK, Wittekind C, eds (2017). TNM Classification of Malignant Tumours,
8th ed. Wiley. WHO Classification of Tumours Editorial Board (2019). Digestive System Tumours, 5th
ed. IARC.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnetstats.errors import rows_text
from rnetstats.studies.management.cells import INPUTS, Category
from rnetstats.studies.management.definitions import Definitions
from rnetstats.studies.management.inputs import Inputs
from rnetstats.studies.management.possible_stage import invasion_and_t
from rnetstats.studies.management.vocabulary import LEVELS

__all__ = ["Patients", "possible_values"]

Bits = NDArray[np.int64]
Flags = NDArray[np.bool_]

G1, LOWER, HIGHER, G3 = 1, 2, 4, 8
G2 = LOWER | HIGHER


@dataclass(frozen=True, eq=False)
class Patients:
    """n patients as the rules see them.

    Attributes
    ----------
    size : array (n,)
        mm, NaN where missing.
    possible : dict of int arrays (n,)
        The bits of the possible values of each thing in ``LEVELS``.
    undivided_g2 : bool array (n,)
        A G2 of which it is not known whether it is a higher one.
    notes : tuple of str
    """

    size: NDArray[np.float64]
    possible: dict[str, Bits]
    undivided_g2: Flags
    notes: tuple[str, ...]


def possible_values(inputs: Inputs, definitions: Definitions) -> Patients:
    """Return what each patient may be.

    Parameters
    ----------
    inputs : Inputs
    definitions : Definitions
    """
    notes: list[str] = []
    lvi = _lvi(inputs, notes)
    grade, undivided = _grade(inputs, definitions, notes)
    t_stage, invasion = invasion_and_t(inputs, definitions, notes)
    plain = {name: _plain(inputs, name) for name in _PLAIN}
    margin = _margin(inputs, definitions, lvi)
    _compare_margins(inputs, definitions, lvi, notes)
    found = {"margin": margin, "grade": grade, "lvi": lvi, "t_stage": t_stage, **plain}
    return Patients(
        inputs.number("size_mm"), {**found, "invasion": invasion}, undivided, tuple(notes)
    )


_PLAIN = ("n_stage", "incidental", "distant_metastases", "fit_for_surgery")


def _plain(inputs: Inputs, name: str) -> Bits:
    """The bits of an input whose values are those of the rules."""
    about = INPUTS[name]
    assert isinstance(about, Category)
    assert about.values == LEVELS[name]
    everything = (1 << len(about.values)) - 1
    code = inputs.code(name)
    return np.where(code >= 0, 1 << np.maximum(code, 0), everything)


def _lvi(inputs: Inputs, notes: list[str]) -> Bits:
    """Absent (1) or present (2): as recorded, else present with L1 or V1, absent with L0 and V0."""
    parts = ("lymphatic_invasion", "vascular_invasion")
    present = np.logical_or.reduce([inputs.has(name, "yes") for name in parts])
    absent = np.logical_and.reduce([inputs.has(name, "no") for name in parts])
    from_parts = np.where(present, 2, np.where(absent, 1, 3))
    code = inputs.code("lvi")
    recorded = code >= 0
    bits = np.where(recorded, 1 << np.maximum(code, 0), from_parts)
    _compare(recorded & (bits & from_parts == 0), "lvi", "invasion of lymphatics or veins", notes)
    return bits


def _margin(inputs: Inputs, definitions: Definitions, lvi: Bits) -> Bits:
    """R0 (1), Rx (2), R1 (4), R2 (8), under the definitions of a positive margin."""
    code = inputs.code("margin")
    positive = inputs.has("margin_positive", "yes")
    negative = inputs.has("margin_positive", "no")
    rim = inputs.number("rim_mm")
    from_rim = np.where(np.isnan(rim), 15, np.where(rim > 0.0, 1, 4))
    from_flag = np.where(positive, 4, np.where(negative, 1, from_rim))
    bits = np.where(code >= 0, 1 << np.maximum(code, 0), from_flag)
    if definitions.positive_rim_mm > 0.0:
        narrow = np.where(np.isnan(rim), 1 | 4, np.where(rim < definitions.positive_rim_mm, 4, 1))
        bits = np.where(bits == 1, narrow, bits)
    if definitions.lvi_as_positive:
        turned = np.where(lvi == 2, 4, np.where(lvi == 1, bits, bits | 4))
        bits = np.where((bits & (4 | 8)) == bits, bits, turned)
    if definitions.indeterminate != "apart":
        into = 4 if definitions.indeterminate == "positive" else 1
        bits = np.where(bits & 2 != 0, (bits & ~2) | into, bits)
    return bits


def _compare_margins(inputs: Inputs, definitions: Definitions, lvi: Bits, notes: list[str]) -> None:
    """Note margins that disagree; an indeterminate one (Rx) agrees with all.

    A rim below ``positive_rim_mm`` disagrees with none: the definition decides there.
    """
    code, rim = inputs.code("margin"), inputs.number("rim_mm")
    recorded = code >= 0
    bits = 1 << np.maximum(code, 0)
    positive, negative = (inputs.has("margin_positive", word) for word in ("yes", "no"))
    with_lvi = np.where(definitions.lvi_as_positive & (lvi != 1), 1, 0)
    flag = np.where(positive, 2 | 4 | 8 | with_lvi, np.where(negative, 1 | 2, 15))
    at_edge = np.where(rim == 0.0, 2 | 4 | 8, 1 | 2)
    width = np.where(np.isnan(rim) | (rim < definitions.positive_rim_mm), 15, at_edge)
    _compare(recorded & (bits & flag == 0), "margin", "margin_positive", notes)
    _compare(recorded & (bits & width == 0), "margin", "rim_mm", notes)
    flagged = ~recorded & (positive | negative)
    _compare(flagged & (flag & width & ~2 == 0), "margin_positive", "rim_mm", notes)


def _grade(inputs: Inputs, definitions: Definitions, notes: list[str]) -> tuple[Bits, Flags]:
    """G1 (1), lower G2 (2), higher G2 (4), G3 (8): as recorded, else from Ki-67 and mitoses."""
    ki67, mitoses = inputs.number("ki67"), inputs.number("mitoses")
    derived = _graded(ki67, mitoses, definitions.grade_from)
    recorded = inputs.there("grade")
    table = np.array([G1, G2, G3, 0])
    bits = np.where(recorded, table[inputs.code("grade")], derived)
    _compare(recorded & (bits & derived == 0), "grade", "Ki-67 and mitoses", notes)
    if definitions.higher_g2 is not None:
        bits = np.where(bits & G2 != 0, (bits & ~G2) | _divided(ki67, definitions.higher_g2), bits)
    return bits, bits == G2


def _divided(ki67: NDArray[np.float64], higher: str | float) -> Bits:
    """Which G2 a G2 is; both where that hangs on a Ki-67 that is missing."""
    if isinstance(higher, str):
        return np.full(len(ki67), HIGHER if higher == "all" else LOWER)
    return np.where(np.isnan(ki67), G2, np.where(ki67 >= higher, HIGHER, LOWER))


def _graded(ki67: NDArray[np.float64], mitoses: NDArray[np.float64], grade_from: str) -> Bits:
    """WHO 2019: the higher of the grades by Ki-67 and by mitoses per 2 mm2."""
    by_ki67 = 1 * (ki67 >= 3.0) + 1 * (ki67 > 20.0)
    by_mitoses = 1 * (mitoses >= 2.0) + 1 * (mitoses > 20.0)
    level = np.maximum(by_ki67, by_mitoses)
    exactly = np.array([G1, G2, G3])[level]
    at_least = np.array([G1 | G2 | G3, G2 | G3, G3])[level]
    neither = np.isnan(ki67) & np.isnan(mitoses)
    one = np.isnan(ki67) ^ np.isnan(mitoses)
    if grade_from == "both":
        exactly = np.where(one, at_least, exactly)
    return np.where(neither, G1 | G2 | G3, exactly)


def _compare(against: Flags, recorded: str, derived: str, notes: list[str]) -> None:
    """Note the patients whose record contradicts what follows from other columns."""
    rows = np.flatnonzero(against) + 1
    if len(rows):
        notes.append(
            f"{recorded} contradicts {derived} in {rows_text(rows.tolist())}; {recorded} as "
            "recorded is taken."
        )
