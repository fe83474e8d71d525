"""Each patient's next step by a guideline, with the rule that fired, or why there is none."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, as_frame, is_synthetic
from rnetstats.errors import GuidelineError, OptionError, closest
from rnetstats.formatting import fmt_count
from rnetstats.studies.management.classification_result import ClassificationResult
from rnetstats.studies.management.decide import Answer, atoms_of, decide, spelt_out
from rnetstats.studies.management.definitions import Definitions
from rnetstats.studies.management.guidelines import guideline_sheet
from rnetstats.studies.management.inputs import Inputs, read_inputs
from rnetstats.studies.management.possible import Patients, possible_values
from rnetstats.studies.management.possible_stage import size_class
from rnetstats.studies.management.rule_types import GuidelineSheet
from rnetstats.studies.management.signatures import kinds_of
from rnetstats.studies.management.tables import band_table, rule_table, word_places
from rnetstats.studies.management.vocabulary import ADVICE, RISK_FACTORS, SITUATIONS

__all__ = ["ClassificationResult", "answers_of", "check_situation", "classify", "notes_on"]


def classify(
    data: Data,
    *,
    guideline: str | os.PathLike[str] | GuidelineSheet = "enets2023",
    situation: str = "after resection",
    columns: Mapping[str, str] | None = None,
    edge_10: str = "as printed",
    edge_20: str = "as printed",
    indeterminate: str = "apart",
    positive_rim_mm: float = 0.0,
    lvi_as_positive: bool = False,
    higher_g2: str | float | None = None,
    grade_from: str = "either",
    risk_factors: Sequence[str] = RISK_FACTORS,
    assume: Mapping[str, Any] | None = None,
) -> ClassificationResult:
    """Say which next step a guideline's rules give each patient, and by which rule.

    Decision support for research: a cohort is classified, nobody is advised.

    Parameters
    ----------
    data : DataFrame or mapping
        One row a patient, with any of: ``size_mm``; ``margin`` (R0, Rx, R1, R2) or
        ``margin_positive`` (0, 1) or ``rim_mm``, the width of the free rim; ``grade`` (G1 to G3)
        or ``ki67`` (per cent) and ``mitoses`` (per 2 mm2); ``lvi`` (0, 1) or
        ``lymphatic_invasion`` and ``vascular_invasion``; ``t_stage`` (T1 to T4) or ``invasion``
        (submucosa, muscularis propria, subserosa, beyond); ``n_stage``; ``distant_metastases``;
        ``fit_for_surgery``; ``incidental``.
    guideline : str or path
        ``"enets2023"``, ``"nccn2025"``, ``"enets2016"``, ``"page"``, ``"jnets"``, ``"cnets"``,
        ``"csco"``, or a rule sheet of your own. :func:`rnetstats.guidelines` lists the rules.
    situation : {"after resection", "primary", "1-2 cm"}
        Whether the rules after endoscopic resection are asked, those before any, or those that
        reviews print side by side for tumours of 1 to 2 cm.
    columns : mapping, optional
        The columns of inputs that are named otherwise: ``{"size_mm": "diameter"}``.
    edge_10, edge_20 : {"as printed", "smaller", "larger"}
        Whether tumours of exactly 10 or 20 mm count with the smaller or the larger ones.
    indeterminate : {"apart", "positive", "negative"}
        What an indeterminate margin (Rx) is.
    positive_rim_mm : float
        A free rim narrower than this is a positive margin, in mm; 0: tumour at the edge alone.
    lvi_as_positive : bool
        Whether lymphovascular invasion makes a resection incomplete.
    higher_g2 : float, "all", "none" or None
        The Ki-67, in per cent, from which a G2 is a higher one. ENETS does not print it, so there
        is no default: None leaves it unknown.
    grade_from : {"either", "both"}
        Without a recorded grade: whether Ki-67 or mitoses alone give one.
    risk_factors : sequence of {"lvi", "invasion", "grade"}
        What counts where a rule asks for a risk factor: lymphovascular invasion, invasion of the
        muscularis propria, a grade above G1. All three are chosen, as no source lists them.
    assume : mapping, optional
        What is assumed of an input where it is missing: ``{"invasion": "submucosa"}``. Not where
        another one tells as much, as a T stage does of the invasion.

    Returns
    -------
    ClassificationResult
        ``patients`` has each patient's answer: ``"step"``, ``"no rule"`` (and why) or ``"cannot be
        applied"`` (and what is missing).

    Raises
    ------
    OptionError
        If there is no such guideline or a definition is not allowed.
    GuidelineError
        If the guideline has no rules for the situation, or a file is no rule sheet.
    ColumnError
        If a column is not there, or none of the inputs.
    DataError
        If a cell holds what it cannot.

    Notes
    -----
    A condition that hangs on a missing value is open. Where all rules that may hold have the same
    step, it is given; else the guideline cannot be applied. What must be established beside the
    conditions (that distant metastases are excluded, fitness for surgery) does not decide which
    rule holds: where it is not recorded it is listed in ``open``.

    References
    ----------
    Rinke et al. (2023). ENETS 2023 guidance paper for colorectal neuroendocrine tumours. J
    Neuroendocrinol, doi 10.1111/jne.13309. NCCN Guidelines, version 3.2025. Both second-hand.

    Examples
    --------
    >>> import rnetstats as rn
    >>> patients = {"size_mm": [8, 15, 25], "margin": ["R1", "R1", "R1"],
    ...             "grade": ["G1", "G1", "G1"], "lvi": [0, None, 0]}
    >>> result = rn.classify(patients, guideline="enets2023")
    >>> result.patients[["answer", "step", "needs"]]
                  answer               step needs
    0               step    local resection
    1  cannot be applied                      lvi
    2               step  radical resection
    """
    frame = as_frame(data)
    sheet = guideline_sheet(guideline)
    definitions = Definitions(
        edge_10=edge_10,
        edge_20=edge_20,
        indeterminate=indeterminate,
        positive_rim_mm=positive_rim_mm,
        lvi_as_positive=lvi_as_positive,
        higher_g2=higher_g2,
        grade_from=grade_from,
        risk_factors=risk_factors,
        assume=assume,
    )
    check_situation(sheet, situation)
    inputs = read_inputs(frame, columns, definitions.assumed)
    patients = possible_values(inputs, definitions)
    answers, place = answers_of(sheet, situation, patients, definitions)
    made = pd.DataFrame([vars(answer) for answer in answers]).take(place)
    made.index = frame.index
    return ClassificationResult(
        guideline=sheet.key,
        name=sheet.name,
        situation=situation,
        rules=rule_table(answers, place),
        bands=band_table(word_places(answers, place), size_class(patients.size, definitions)),
        patients=made,
        synthetic=is_synthetic(frame),
        notes=(_origin(sheet), *notes_on(inputs), *patients.notes, ADVICE),
        options={
            "guideline": sheet.key,
            "situation": situation,
            "columns": inputs.used,
            **definitions.as_options(),
        },
    )


def answers_of(
    sheet: GuidelineSheet, situation: str, patients: Patients, definitions: Definitions
) -> tuple[tuple[Answer, ...], np.ndarray]:
    """Return the answers that occur, each once, and the place of each patient's (n,)."""
    rules = spelt_out(sheet, situation, definitions)
    elsewhere = {rule.then: spelt_out(sheet, rule.then, definitions) for rule in rules if rule.then}
    atoms = atoms_of([*rules, *(rule for there in elsewhere.values() for rule in there)])
    kinds = kinds_of(atoms, patients, definitions)
    given = [decide(rules, known, elsewhere, sheet.name) for known in kinds.known]
    answers = tuple(dict.fromkeys(given))
    places = {answer: place for place, answer in enumerate(answers)}
    return answers, np.array([places[answer] for answer in given], dtype=np.intp)[kinds.place]


def check_situation(sheet: GuidelineSheet, situation: str) -> None:
    """Refuse a situation that a guideline has no rules for."""
    if not isinstance(situation, str):
        raise OptionError(
            f"situation must be text, one of {', '.join(repr(one) for one in SITUATIONS)}, not "
            f"{situation!r}."
        )
    if situation in sheet.situations:
        return
    hint = closest(str(situation), SITUATIONS) if situation not in SITUATIONS else ""
    raise GuidelineError(
        f"{sheet.name} has no rules for the situation {situation!r}.{hint} It has rules for: "
        f"{', '.join(repr(one) for one in sheet.situations)}."
    )


def _origin(sheet: GuidelineSheet) -> str:
    return f"{sheet.name}: {sheet.standing}, {sheet.source}. {sheet.note}".strip()


def notes_on(inputs: Inputs) -> list[str]:
    """Say what was assumed, and who has metastases."""
    notes = []
    for name, count in inputs.assumed.items():
        notes.append(
            f"{name}: not recorded for {fmt_count(count)} of {fmt_count(inputs.n)}, "
            "an assumed value is taken (assume)."
        )
    metastatic = int(inputs.has("distant_metastases", "M1").sum())
    if metastatic:
        notes.append(
            f"Distant metastases are recorded for {fmt_count(metastatic)}; rules that do not ask "
            "for their exclusion are applied as they stand."
        )
    return notes
