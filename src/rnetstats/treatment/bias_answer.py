"""From draws to the result of a bias analysis: summary, counts of draws, notes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rnetstats.formatting import fmt_percent
from rnetstats.kernels.percentiles import percentiles
from rnetstats.treatment.bias_draws import BiasModel, Drawn
from rnetstats.treatment.bias_observed import Observed, conventional
from rnetstats.treatment.bias_result import BIAS_NAMES, BiasAnalysisResult
from rnetstats.treatment.bias_summary import histogram_of, parameter_frame, summary_row
from rnetstats.treatment.two_arms import FEW_EVENTS

__all__ = ["bias_answer"]


def bias_answer(
    observed: Observed,
    model: BiasModel,
    measure: str,
    drawn: Drawn,
    *,
    withheld: bool,
    conf_level: float,
    seed: int,
    options: dict[str, Any],
) -> BiasAnalysisResult:
    """Put the result together; ``withheld`` says that total error gets no interval."""
    rows = [conventional(observed, measure, conf_level)]
    for name, values in (("systematic error", drawn.systematic), ("total error", drawn.total)):
        known = values[:0] if withheld and name == "total error" else values[~np.isnan(values)]
        points = (0.5, (1.0 - conf_level) / 2.0, (1.0 + conf_level) / 2.0)
        found = tuple(percentiles(known, points).tolist())
        rows.append(summary_row(measure, name, found, known.size, "percentiles of the draws"))
    total = np.full(drawn.total.shape, np.nan) if withheld else drawn.total
    a, b, c, d = observed.cells
    undefined = int((drawn.possible & np.isnan(drawn.systematic)).sum())
    return BiasAnalysisResult(
        summary=pd.DataFrame(rows),
        parameters=parameter_frame(model, drawn),
        cells=pd.DataFrame({"group": observed.names, "n_events": [a, c], "n_others": [b, d]}),
        histogram=histogram_of(drawn.systematic, total, ratio=measure != "risk difference"),
        draws=len(drawn.possible),
        impossible=int((~drawn.possible).sum()),
        impossible_total=int((~drawn.possible_total).sum()),
        undefined=undefined,
        measure=measure,
        misclassified=model.misclassified,
        label=observed.label,
        endpoint=observed.endpoint,
        values=pd.DataFrame(
            {
                "sensitivity_1": drawn.by.sensitivity[0],
                "sensitivity_2": drawn.by.sensitivity[1],
                "specificity_1": drawn.by.specificity[0],
                "specificity_2": drawn.by.specificity[1],
                "systematic": drawn.systematic,
                "total": total,
            }
        ),
        synthetic=observed.synthetic,
        seed=seed,
        notes=_notes(observed, model, drawn, measure, undefined, withheld=withheld),
        options={
            **options,
            "misclassified": model.misclassified,
            "measure": measure,
            "correlation": model.correlation,
            "draws": len(drawn.possible),
            "conf_level": conf_level,
        },
    )


def _notes(
    observed: Observed,
    model: BiasModel,
    drawn: Drawn,
    measure: str,
    undefined: int,
    *,
    withheld: bool,
) -> tuple[str, ...]:
    a, b, c, d = observed.cells
    notes = [
        *observed.notes,
        f"Recorded: {a:g} of {a + b:g} {observed.names[0]!r} (exposed) and {c:g} of {c + d:g} "
        f"{observed.names[1]!r} have the event ({observed.endpoint}).",
    ]
    draws = len(drawn.possible)
    for name, possible in (("systematic", drawn.possible), ("total", drawn.possible_total)):
        lost = int((~possible).sum())
        if lost and not (withheld and name == "total"):
            notes.append(
                f"{lost:,} of {draws:,} draws ({fmt_percent(lost / draws)}) are impossible under "
                f"{name} error (a negative cell, or a classification no better than chance) and "
                "left out: the priors are in effect those of `parameters`, column mean_kept."
            )
    if undefined:
        notes.append(f"In {undefined:,} draws the {BIAS_NAMES[measure]} is not defined.")
    if np.isinf(drawn.systematic).any():
        notes.append(f"Some draws leave an empty cell: their {BIAS_NAMES[measure]} is infinite.")
    if withheld:
        notes.append(
            f"An arm has fewer than {FEW_EVENTS} events: the {BIAS_NAMES[measure]} has no interval "
            "of total error. Ask for measure='risk difference' on a binary outcome."
        )
    if observed.arms is not None:
        what = (
            "exposure is drawn from what was recorded of exposure and event, not of time"
            if model.misclassified == "exposure"
            else "a missed event is dated at the end of the patient's follow-up, a false one is "
            "taken for the end of follow-up"
        )
        notes.append(f"Each draw reclassifies the patients: {what}.")
        if model.misclassified == "exposure" and a + c > b + d:
            notes.append(
                "Most patients have the event. The arm at more risk has it earlier, which the "
                "reclassification does not use: the corrected hazard ratio is pulled towards 1."
            )
        if observed.arms.start is not None:
            notes.append("Rows are reclassified one by one: each must be a patient of its own.")
    notes.append(
        "The intervals are as good as the priors: confounding and selection are not in them."
    )
    return tuple(notes)
