"""How often guidelines give the same patient different next steps."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Unpack

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import Data, as_frame, is_synthetic
from rnetstats._core.options import choice
from rnetstats.errors import OptionError
from rnetstats.studies.management.classify import answers_of, check_situation, notes_on
from rnetstats.studies.management.definitions import DefinitionOptions, Definitions
from rnetstats.studies.management.disagreement_result import EVERYBODY, DisagreementResult
from rnetstats.studies.management.guidelines import GUIDELINES, guideline_sheet
from rnetstats.studies.management.inputs import read_inputs
from rnetstats.studies.management.possible import possible_values
from rnetstats.studies.management.possible_stage import size_class
from rnetstats.studies.management.rule_types import GuidelineSheet
from rnetstats.studies.management.tables import ANSWERS, BANDS, band_table, crossed, word_places
from rnetstats.studies.management.vocabulary import ADVICE, STEPS

__all__ = ["DisagreementResult", "guideline_disagreement"]

Places = NDArray[np.intp]
Flags = NDArray[np.bool_]


def guideline_disagreement(
    data: Data,
    *,
    guidelines: Sequence[str | os.PathLike[str] | GuidelineSheet] | None = None,
    situation: str = "after resection",
    tumour_board: str = "apart",
    columns: Mapping[str, str] | None = None,
    **definitions: Unpack[DefinitionOptions],
) -> DisagreementResult:
    """Classify a cohort by several guidelines and count where their next steps differ.

    Decision support for research: a cohort is classified, nobody is advised.

    Parameters
    ----------
    data : DataFrame or mapping
        As in :func:`rnetstats.classify`.
    guidelines : sequence of str or path, optional
        At least two; by default all that come with the package and have rules for the situation.
    situation : {"after resection", "primary", "1-2 cm"}
        As in :func:`rnetstats.classify`.
    tumour_board : {"apart", "either"}
        Whether "by tumour board" is a step of its own, or agrees with both resections.
    columns : mapping, optional
        The columns of inputs that are named otherwise.
    **definitions
        ``edge_10, edge_20, indeterminate, positive_rim_mm, lvi_as_positive, higher_g2, grade_from,
        risk_factors, assume``, as in :func:`rnetstats.classify`; the same for all guidelines.

    Returns
    -------
    DisagreementResult

    Raises
    ------
    OptionError
        If there are fewer than two guidelines, one twice, or an option is not allowed.
    GuidelineError, ColumnError, DataError
        As in :func:`rnetstats.classify`.

    Notes
    -----
    Two guidelines can differ only where both give a step. Where one has no rule, or cannot be
    applied, there is nothing to compare; how often that is stands beside.

    References
    ----------
    The steps for 1 to 2 cm: World J Gastrointest Oncol 2026;18(1):114818; World J Gastroenterol
    2025;31(44):114263 (review tables, second-hand).

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> told = rn.guideline_disagreement(
    ...     cohort, situation="1-2 cm", assume={"invasion": "submucosa", "n_stage": "N0"}
    ... )
    >>> told.glance()[["n", "n_compared", "n_disagree", "share"]]
         n  n_compared  n_disagree  share
    0  527         145         145    1.0
    """
    choice("tumour_board", tumour_board, ("apart", "either"))
    frame = as_frame(data)
    sheets = _sheets(guidelines, situation)
    checked = Definitions(**definitions)
    inputs = read_inputs(frame, columns, checked.assumed)
    patients = possible_values(inputs, checked)
    said = {
        sheet.key: word_places(*answers_of(sheet, situation, patients, checked)) for sheet in sheets
    }
    sizes = size_class(patients.size, checked) % len(BANDS)
    places = np.column_stack(list(said.values()))
    differs = _differ(places, either=tumour_board == "either")
    pairs = _pairs(list(said), places, sizes, either=tumour_board == "either")
    return DisagreementResult(
        situation=situation,
        guidelines=tuple(said),
        names=tuple(sheet.name for sheet in sheets),
        pairs=pairs,
        bands=_bands(places, differs, sizes),
        answers=_answers(said, sizes),
        cross=_cross(said),
        patients=_patients(said, differs, frame.index),
        synthetic=is_synthetic(frame),
        notes=(*_notes(sheets, pairs), *notes_on(inputs), *patients.notes, ADVICE),
        options={
            "guidelines": list(said),
            "situation": situation,
            "tumour_board": tumour_board,
            "columns": inputs.used,
            **checked.as_options(),
        },
    )


def _sheets(guidelines: Any, situation: str) -> list[GuidelineSheet]:
    """Return the guidelines to compare, each with rules for the situation."""
    if guidelines is None:
        sheets = [guideline_sheet(key) for key in GUIDELINES]
        sheets = [sheet for sheet in sheets if situation in sheet.situations]
        if not sheets:
            check_situation(guideline_sheet(GUIDELINES[0]), situation)
        return sheets
    if isinstance(guidelines, str | os.PathLike) or not isinstance(guidelines, Sequence):
        raise OptionError(f"guidelines must be a list of at least two, not {guidelines!r}.")
    sheets = [guideline_sheet(one) for one in guidelines]
    keys = [sheet.key for sheet in sheets]
    if len(keys) < 2:
        raise OptionError(f"guidelines must be a list of at least two, not {guidelines!r}.")
    if len(set(keys)) < len(keys):
        raise OptionError(f"guidelines names one of {', '.join(keys)} twice; name each once.")
    for sheet in sheets:
        check_situation(sheet, situation)
    return sheets


def _differ(places: Places, *, either: bool) -> Flags:
    """Whether the steps of a patient differ; places among ``ANSWERS`` are (n, guidelines)."""
    there = {step: (places == ANSWERS.index(step)).any(axis=1) for step in STEPS}
    if either:
        there["tumour board"] &= ~(there["local resection"] | there["radical resection"])
    return np.asarray(np.sum(list(there.values()), axis=0) > 1)


def _pairs(keys: Sequence[str], places: Places, sizes: Places, *, either: bool) -> pd.DataFrame:
    """Return one row a pair of guidelines and band of size."""
    rows = []
    for (i, first), (j, second) in combinations(enumerate(keys), 2):
        pair = places[:, [i, j]]
        steps = (pair < len(STEPS)).sum(axis=1)
        differs = _differ(pair, either=either)
        for name, inside in _inside(sizes):
            n_both, n_differ = int((steps[inside] == 2).sum()), int(differs[inside].sum())
            rows.append(
                {
                    "guideline_1": first,
                    "guideline_2": second,
                    "band": name,
                    "n": int(inside.sum()),
                    "n_one": int((steps[inside] == 1).sum()),
                    "n_both": n_both,
                    "n_disagree": n_differ,
                    "share": n_differ / n_both if n_both else math.nan,
                }
            )
    return pd.DataFrame(rows)


def _bands(places: Places, differs: Flags, sizes: Places) -> pd.DataFrame:
    """Return one row a band of size: patients, compared, with differing steps."""
    compared = (places < len(STEPS)).sum(axis=1) >= 2
    rows = []
    for name, inside in _inside(sizes):
        n_compared, n_differ = int(compared[inside].sum()), int(differs[inside].sum())
        share = n_differ / n_compared if n_compared else math.nan
        row = {"band": name, "n": int(inside.sum()), "n_compared": n_compared}
        rows.append({**row, "n_disagree": n_differ, "share": share})
    return pd.DataFrame(rows)


def _inside(sizes: Places) -> list[tuple[str, Flags]]:
    """Return the bands that occur with their patients; everybody comes first."""
    found = [(EVERYBODY, np.ones(len(sizes), dtype=bool))]
    bands = [(name, np.asarray(sizes == place)) for place, name in enumerate(BANDS)]
    return found + [(name, inside) for name, inside in bands if inside.any()]


def _answers(said: Mapping[str, Places], sizes: Places) -> pd.DataFrame:
    """Return ``guideline, band, answer, n``."""
    tables = [band_table(places, sizes).assign(guideline=key) for key, places in said.items()]
    table = pd.concat(tables, ignore_index=True)
    there = table[table["n"] > 0].reset_index(drop=True)
    return there[["guideline", "band", "answer", "n"]]


def _cross(said: Mapping[str, Places]) -> pd.DataFrame:
    """Return the answers of each pair of guidelines against each other."""
    rows = []
    for (first, one), (second, other) in combinations(said.items(), 2):
        counts = crossed(one, len(ANSWERS), other, len(ANSWERS))
        rows += [
            {
                "guideline_1": first,
                "answer_1": ANSWERS[i],
                "guideline_2": second,
                "answer_2": ANSWERS[j],
                "n": int(counts[i, j]),
            }
            for i, j in np.argwhere(counts)
        ]
    return pd.DataFrame(rows)


def _patients(said: Mapping[str, Places], differs: Flags, index: pd.Index) -> pd.DataFrame:
    words = np.array(ANSWERS, dtype=object)
    return pd.DataFrame(
        {**{key: words[places] for key, places in said.items()}, "differ": differs}, index=index
    )


def _notes(sheets: Sequence[GuidelineSheet], pairs: pd.DataFrame) -> list[str]:
    notes = [f"{sheet.name}: {sheet.standing}, {sheet.source}." for sheet in sheets]
    if pairs["share"].isna().any():
        notes.append(
            "Where two guidelines never both give a step, the share that disagrees is not defined."
        )
    return notes
