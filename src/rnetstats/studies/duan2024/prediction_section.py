"""The paragraphs of the prediction chapter, made from the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats.formatting import fmt_number, fmt_p, fmt_percent
from rnetstats.studies.duan2024.model_claim import pairs
from rnetstats.studies.duan2024.prediction_tables import ACTION
from rnetstats.studies.section import Paragraph, Section
from rnetstats.studies.study_result import StudyResult

__all__ = ["prediction_section"]

_SHORT = {"nlr": "NLR", "size_mm": "size"}


def prediction_section(result: StudyResult) -> Section:
    """Return the chapter; without a model only what the events support."""
    facts = result.facts.get("model") or {"ways": {}}
    made = _verdict(result, facts) if facts["ways"] else (_without(),)
    return Section(
        "prediction",
        "The prediction model",
        (
            *made,
            *_searched(result),
            _decision(),
            *_benefit(result),
            *_chosen(result, facts),
            *_stable(facts),
        ),
        (
            "model_calibration",
            "model_net_benefit",
            "model_nomogram",
            "cutoff_distribution",
            "model_instability",
        ),
        (
            "model_performance",
            "model_net_benefit",
            "model_equation",
            "model_inclusion",
            "model_selection",
            "cutoff_search",
            "dichotomising",
            "sample_size_support",
            "missing_values",
        ),
    )


def _without() -> Paragraph:
    return Paragraph(
        lead="No model.",
        text="These data do not carry a prediction model; why stands under “Left out, and why”.",
    )


def _verdict(result: StudyResult, facts: dict[str, Any]) -> tuple[Paragraph, ...]:
    claim = result.claims.set_index("claim").loc["model_accuracy"]
    return (
        Paragraph(
            lead="How accurate is it?",
            text=f"{facts['n_events']} of {facts['n']} patients had a positive margin. "
            f"{pairs(facts)} The verdict on “high accuracy”: {claim['verdict']}.",
        ),
        *_optimism(facts["ways"]),
    )


def _optimism(ways: dict[str, Any]) -> tuple[Paragraph, ...]:
    """Say what searching the cut-offs costs."""
    fixed, again = (ways.get(way, {}).get("auc", {}) for way in ("printed", "repeated"))
    if "optimism" not in fixed or "optimism" not in again:
        return ()
    smooth = ways.get("smooth", {}).get("auc", {})
    beside = (
        f" The same predictors as they were measured, with nothing chosen by the data, reach "
        f"{fmt_number(smooth['corrected'], 3)}."
        if "corrected" in smooth
        else ""
    )
    return (
        Paragraph(
            lead="The optimism of the cut-offs.",
            text="A model looks better on the patients it was made from. If its cut-offs had been "
            f"fixed beforehand, the AUC of {fmt_number(fixed['apparent'], 3)} would be too high by "
            f"{fmt_number(fixed['optimism'], 3)}. If cut-offs and predictors were searched in the "
            f"same patients, {fmt_number(again['apparent'], 3)} is too high by "
            f"{fmt_number(again['optimism'], 3)}, and {fmt_number(again['corrected'], 3)} is what "
            f"new patients would show. How the printed cut-offs were chosen is not in print."
            f"{beside}",
        ),
    )


def _searched(result: StudyResult) -> tuple[Paragraph, ...]:
    """Say what P value a searched cut-off deserves."""
    if "cutoff_search" not in result.tables:
        return ()
    table = result.table("cutoff_search").to_frame()
    table = table[table["method"] == "youden"]
    parts = [
        f"{_SHORT[str(row['marker'])]} {_p(float(row['p_value']))}"
        for row in table.to_dict("records")
    ]
    if not parts:
        return ()
    return (
        Paragraph(
            lead="What a searched cut-off proves.",
            text="The verdicts on NLR and size take the printed cut-offs as fixed beforehand. Had "
            "the best cut-off been searched in these patients, the P value of the predictor alone "
            f"would have to be adjusted for the search: {' and '.join(parts)}. And a size of "
            "14.89 mm cannot come from sizes in half millimetres; the table of searched cut-offs "
            "says why.",
        ),
    )


def _p(value: float) -> str:
    text = fmt_p(min(value, 1.0))
    return f"P {text}" if text.startswith(("<", ">")) else f"P = {text}"


def _decision() -> Paragraph:
    return Paragraph(
        lead="Which decision is the model for?",
        text="The resection method is itself the decision, and the margin is known from the "
        "specimen within days. A model that contains the method cannot advise on the method: its "
        "odds ratio compares patients for whom doctors chose differently. And after the resection "
        "nobody needs a prediction of what the pathologist will report. What a predicted risk can "
        "still change is decided before: here, to "
        f"{ACTION}. For that only what is known beforehand counts, so a model of location, NLR "
        "and size stands beside the others. Net benefit below is that of this action; it takes "
        "for granted that the referral is of use, which this study cannot show.",
    )


def _benefit(result: StudyResult) -> tuple[Paragraph, ...]:
    """Say where the model known before the resection beats referring all or none."""
    if "model_net_benefit" not in result.tables:
        return ()
    curve = result.table("model_net_benefit").to_frame()
    curve = curve[curve["model"] == "before"]
    if not len(curve):
        return ()
    default = curve[["treat_all", "treat_none"]].to_numpy(dtype=float).max(axis=1)
    gains = curve["corrected"].to_numpy(dtype=float) - default
    best = int(np.nanargmax(gains)) if np.isfinite(gains).any() else 0
    threshold, gain = float(curve["threshold"].iloc[best]), float(gains[best])
    if not gain >= 0.001:
        text = (
            "With what is known before the resection, referring by the model’s risk is at no "
            "threshold better than referring everybody or nobody."
        )
    else:
        text = (
            "With what is known before the resection, referring by the model’s risk gains most at "
            f"a threshold of {fmt_percent(threshold, 0)}: corrected for "
            f"optimism it is worth {fmt_number(100 * gain, 1)} more patients rightly "
            "referred per 100, without one more needless referral, than referring everybody or "
            "nobody, whichever is better there. Elsewhere it gains less, or nothing"
            f"{_worse(gains)}. The largest of {len(gains)} gains flatters by being picked: which "
            "threshold holds is for doctors and patients to say beforehand, not for these data."
        )
    return (Paragraph(lead="Is it of use?", text=text),)


def _worse(gains: NDArray[np.float64]) -> str:
    """Say at how many thresholds the model loses at least 0.1 patients per 100."""
    count = int((gains <= -0.001).sum())
    if not count:
        return ""
    return (
        f", and at {count} of the {len(gains)} thresholds it does worse than the better of the two"
    )


def _chosen(result: StudyResult, facts: dict[str, Any]) -> tuple[Paragraph, ...]:
    """Say which predictors and cut-offs other samples would have chosen."""
    if "model_inclusion" not in result.tables:
        return ()
    table = result.table("model_inclusion").to_frame()
    terms = table[table["kind"] == "term"]
    cuts = table[table["kind"] == "value"]
    parts = []
    if len(terms):
        always = int((terms["frequency"] >= 0.9).sum())
        kept = f"{always or 'none'} {'are' if always > 1 else 'is'} kept"
        parts.append(
            f"Of {len(terms)} candidates, {kept} in at least 90 % of {facts['resamples']:,} "
            "resamples"
        )
    for row in cuts.to_dict("records"):
        name = _SHORT[str(row["choice"]).removeprefix("cut-off of ")]
        parts.append(
            f"the best cut-off of {name} lies between {row['low']:.3g} and {row['high']:.3g} in "
            "95 % of them"
        )
    if not parts:
        return ()
    return (
        Paragraph(
            lead="Would other patients have given the same model?", text="; ".join(parts) + "."
        ),
    )


def _stable(facts: dict[str, Any]) -> tuple[Paragraph, ...]:
    if "mape" not in facts:
        return ()
    return (
        Paragraph(
            lead="How stable is one patient’s risk?",
            text="Had the study’s steps been carried out on another sample of such patients, a "
            f"patient’s risk would have come out different by {fmt_number(100 * facts['mape'], 1)} "
            "percentage points on average; for half of the patients the central 95 % of the risks "
            f"span {fmt_number(100 * facts['width_median'], 1)} percentage points or more.",
        ),
    )
