"""Tables of the prediction model: performance, equation, selection, net benefit."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from rnetstats.formatting import fmt_interval, fmt_number, fmt_percent, listed
from rnetstats.prediction.corrected import outside_limits
from rnetstats.studies.duan2024.prediction_models import PredictionModels
from rnetstats.studies.duan2024.prediction_recipes import WAYS
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.records import records

__all__ = [
    "ACTION",
    "SHOWN_THRESHOLDS",
    "equation_table",
    "inclusion_table",
    "net_benefit_table",
    "performance_table",
    "selection_table",
]

ACTION = "refer, before any resection, to a centre that resects wider (ESD or full thickness)"
SHOWN_THRESHOLDS = (0.2, 0.3, 0.4, 0.5)
_SHOWN = {
    "auc": "AUC",
    "slope": "Calibration slope",
    "ici": "Mean error of the risk",
    "brier": "Brier score",
    "nagelkerke_r2": "R2",
}


def performance_table(models: PredictionModels) -> Exhibit | None:
    """Return apparent and corrected performance of each model."""
    parts = [
        made.to_frame().assign(model=way, n=models.n, n_events=models.n_events)
        for way, made in models.validations.items()
    ]
    if not parts:
        return None
    numbers = pd.concat(parts, ignore_index=True)
    numbers = numbers[["model", *numbers.columns.drop("model")]]
    failed = {
        way: int(made.glance()["n_failed"].iloc[0]) for way, made in models.validations.items()
    }
    return Exhibit(
        name="model_performance",
        title="How well the model does on its own patients, and in new ones",
        caption=(
            "Each cell: on the patients that the model was made from → in new patients (95 % "
            f"limits), by {models.resamples:,} bootstrap samples in each of which the model was "
            f"made again. {models.n_events} positive margins among {models.n} patients, in every "
            "row."
        ),
        numbers=numbers,
        shown=pd.DataFrame([_performance_row(way, numbers) for way in models.validations]),
        notes=(
            "AUC: of two patients, one with and one without a positive margin, how often the model "
            "gives the first the higher risk (0.5 is a coin, 1 perfect); its optimism is the "
            "difference of the two figures.",
            "Calibration slope: 1 is right; below 1 high risks are predicted too high and low ones "
            "too low. It has no limits, since each resample’s own model has a slope near 1. Mean "
            "error (integrated calibration index): mean distance of predicted and observed risk.",
            "Brier score: mean squared error of the risk. R2 (Nagelkerke): 0 is useless, 1 "
            "perfect. All models by Firth’s penalty with the intercept re-estimated (FLIC). Limits "
            "are percentiles of the resamples, shifted by the optimism; they need not lie evenly "
            "about the estimate.",
            *_without_a_model(numbers),
            *_beside(numbers),
            *(f"{WAYS[way]}: {n} resamples gave no model." for way, n in failed.items() if n),
        ),
    )


def _without_a_model(numbers: pd.DataFrame) -> tuple[str, ...]:
    """Say where nothing was kept in this cohort, so that a corrected figure describes no model."""
    table = numbers.set_index(["model", "index"])["apparent"]
    alike = [
        WAYS[way]
        for way in numbers["model"].unique()
        if table[way, "auc"] == 0.5 and math.isnan(table[way, "slope"])
    ]
    return tuple(
        f"{way}: no predictor was kept in this cohort, so that every patient has the same risk and "
        "the AUC is 0.5. What stands after the arrow is less the optimism of the resamples that "
        "did keep some, and describes no model."
        for way in alike
    )


def _beside(numbers: pd.DataFrame) -> tuple[str, ...]:
    """Say where limits leave the corrected figure out."""
    shown = numbers[numbers["index"].isin(list(_SHOWN))]
    where = [
        f"{WAYS[way]} ({listed([_SHOWN[index] for index in names])})"
        for way in shown["model"].unique()
        if (names := outside_limits(shown[shown["model"] == way].to_dict("list")))
    ]
    if not where:
        return ()
    return (
        f"Limits that leave the corrected figure out: {'; '.join(where)}. Models made of resamples "
        "look better in them than this one does on its own patients, and the shift leaves that "
        "in: such limits flatter the model.",
    )


def _performance_row(way: str, numbers: pd.DataFrame) -> dict[str, str]:
    rows = {row["index"]: row for row in records(numbers[numbers["model"] == way])}
    cells = {"Model": WAYS[way]}
    for index, heading in _SHOWN.items():
        cells[heading] = _cell(rows[index])
        if index == "auc":
            cells["Optimism of the AUC"] = _rounded(rows[index]["optimism"])
    return cells


def _cell(row: dict[str, Any]) -> str:
    text = f"{_rounded(row['apparent'])} → {_rounded(row['corrected'])}"
    if math.isnan(row["conf_low"]):
        return text
    return f"{text} ({fmt_interval(row['conf_low'], row['conf_high'], 3)})"


def _rounded(value: float) -> str:
    """Return three decimals; what rounding leaves of zero is zero."""
    return fmt_number(value if math.isnan(value) else round(value, 3) + 0.0, 3)


def inclusion_table(models: PredictionModels) -> Exhibit | None:
    """Return how often each candidate was selected, and how the cut-offs spread."""
    made = models.validations.get("repeated")
    if made is None or not len(made.inclusion()):
        return None
    numbers = made.inclusion()
    rows = []
    for row in records(numbers):
        term = row["kind"] == "term"
        rows.append(
            {
                "Choice": _choice(str(row["choice"])),
                "In this cohort": ("kept" if row["original"] == 1.0 else "dropped")
                if term
                else f"> {row['original']:.4g}",
                "In the resamples": f"kept in {fmt_percent(row['frequency'], 0)}"
                if term
                else f"median {row['median']:.4g}, middle 95 % {row['low']:.3g} to "
                f"{row['high']:.3g}",
            }
        )
    done = int(made.glance()["resamples"].iloc[0] - made.glance()["n_failed"].iloc[0])
    return Exhibit(
        name="model_inclusion",
        title="What the study’s steps would have chosen in other samples",
        caption=(
            f"Cut-offs by Youden’s index, then each candidate alone (kept if P ≤ 0.05), repeated "
            f"in {done:,} bootstrap samples of the same {models.n} patients "
            f"({models.n_events} positive margins)."
        ),
        numbers=numbers,
        shown=pd.DataFrame(rows),
        notes=(
            "A predictor that is kept in few resamples is in the model by chance of the sample. "
            "One that is kept only where it looks strong has its odds ratio overstated (selection "
            "bias). The middle 95 % of cut-offs are no confidence limits. A cut-off is written as "
            "the largest value below it: every number up to the next value divides the patients "
            "alike.",
            "The candidates that the study screened are not in print; here they are the printed "
            "four and age, sex, grade and lymphovascular invasion, where the cohort has them.",
        ),
    )


def selection_table(models: PredictionModels) -> Exhibit | None:
    """Return what the screening does to the coefficients."""
    made = models.validations.get("repeated")
    numbers = pd.DataFrame() if made is None else made.selection()
    if made is None or not len(numbers):
        return None
    rows = []
    for row in records(numbers):
        name = _choice(str(row["term"]))
        bias = row["conditional_bias"]
        rows.append(
            {
                "Coefficient": f"{name}: {row['level']}" if row["level"] else name,
                "All candidates": fmt_number(row["global_coef"]),
                "This cohort’s model": "left out"
                if row["coef"] == 0.0
                else fmt_number(row["coef"]),
                "Kept in": fmt_percent(row["frequency"], 0),
                "Bias where kept": fmt_percent(bias / 100.0, 0),
                "Median (middle 95 %), 0 where left out": f"{fmt_number(row['median'])} "
                f"({fmt_interval(row['low'], row['high'])})",
            }
        )
    return Exhibit(
        name="model_selection",
        title="What the screening does to the coefficients",
        caption=(
            "Log odds ratios: with all candidates in the model; in this cohort’s selected model; "
            "and in the resamples. Bias where kept: by how much the mean of the resamples that "
            "kept the term exceeds the model with all candidates, in per cent of it "
            f"({models.n_events} positive margins among {models.n} patients)."
        ),
        numbers=numbers,
        shown=pd.DataFrame(rows),
        notes=(
            "A term that is kept only in the resamples in which it looks strong is overstated "
            "there: selection bias (Heinze, Wallisch and Dunkler 2018). Where the model with all "
            "candidates has a coefficient near 0, the bias in per cent is large and means little.",
            "NLR and size are cut where each resample finds its best cut-off: their coefficients "
            "compare other groups from one resample to the next, so that their bias is not that "
            "of the selection alone and may be negative.",
        ),
    )


_NAMES = {
    "nlr": "NLR",
    "size_mm": "Size",
    "lower_rectum": "Lower rectum",
    "method": "Resection method",
    "age": "Age",
    "sex": "Sex",
    "grade": "Grade",
    "lvi": "Lymphovascular invasion",
}


def _choice(text: str) -> str:
    head = "cut-off of "
    if text.startswith(head):
        name = text.removeprefix(head)
        return f"Cut-off of {_NAMES.get(name, name)}"
    return _NAMES.get(text, text)


def equation_table(models: PredictionModels) -> Exhibit | None:
    """Return the printed model with the coefficients of this cohort."""
    model = models.model
    if model is None:
        return None
    shown = model.display().rename(
        columns={
            "term": "Term",
            "level": "Level",
            "coefficient": "Coefficient",
            "ratio": "Ratio",
            "domain": "Known for",
        }
    )
    shown["Term"] = shown["Term"].replace("(Intercept)", "Intercept")
    # one note a line; an indented one goes on with the line before
    lines = model.equation(4).replace("\n  ", " ").splitlines()
    return Exhibit(
        name="model_equation",
        title="The printed model, written out",
        caption=(
            f"Coefficients estimated in this cohort ({models.n_events} positive margins among "
            f"{models.n} patients); the study prints none. The same model stands in the file "
            "model.json."
        ),
        numbers=model.to_frame(),
        shown=shown,
        notes=(
            *lines,
            "A description of this cohort, not a tool: the resection method in it is a decision, "
            "and its odds ratio does not say what another method would have done.",
        ),
    )


def net_benefit_table(models: PredictionModels) -> Exhibit | None:
    """Return net benefit of the named action at a few thresholds."""
    parts = [
        made.decision_curve().assign(model=way)
        for way, made in models.validations.items()
        if len(made.decision_curve())
    ]
    if not parts:
        return None
    numbers = pd.concat(parts, ignore_index=True)
    near = numbers["threshold"].round(6).isin(SHOWN_THRESHOLDS)
    rows = []
    for threshold, part in numbers[near].groupby(numbers["threshold"].round(6)):
        by = {row["model"]: row for row in records(part)}
        first = next(iter(by.values()))
        row = {
            "Threshold": fmt_percent(float(str(threshold)), 0),
            "Refer everybody": _per_hundred(first["treat_all"]),
        }
        for way, heading in _HEADINGS.items():
            if way in by:
                row[heading] = _per_hundred(by[way]["corrected"])
        rows.append(row)
    return Exhibit(
        name="model_net_benefit",
        title="Net benefit of referring by the model’s risk",
        caption=(
            f"Action: {ACTION}. Corrected net benefit per 100 patients: patients with a positive "
            "margin to come who are referred, less those referred without need, weighed by the "
            "threshold. Referring nobody is 0."
        ),
        numbers=numbers,
        shown=pd.DataFrame(rows),
        notes=(
            f"{models.n_events} positive margins among {models.n} patients. At a threshold of 20 % "
            "one needed referral is held to be worth 4 others, at 50 % one.",
            "The columns that contain the resection method are shown for comparison only: before "
            "the referral the method is not yet chosen.",
        ),
    )


_HEADINGS = {
    "printed": "Printed model",
    "repeated": "Study’s steps repeated",
    "smooth": "As measured",
    "before": "Known before resection",
}


def _per_hundred(value: float) -> str:
    return fmt_number(100.0 * value, 1)
