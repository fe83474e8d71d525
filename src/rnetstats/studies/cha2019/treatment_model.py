"""The model of receiving additional treatment, by four ways of estimation, and its overlap."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnetstats._core.frame import label_of
from rnetstats._core.result import Result
from rnetstats.evidence.facts import FactSheet
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p
from rnetstats.regression.exact_logistic import exact_logistic
from rnetstats.regression.logistic import logistic
from rnetstats.regression.separation import SeparationResult, separation
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.cha2019.cohort import Cohort
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.records import records
from rnetstats.treatment.propensity import propensity
from rnetstats.treatment.propensity_result import PropensityResult

__all__ = [
    "FACTORS",
    "METHODS",
    "TreatmentModel",
    "fit_treatment_model",
    "model_table",
    "overlap_table",
]

DETERMINED, WORTH = 0.8, 0.5
"""Arms with a c statistic from here on, or worth less than this share, cannot be compared."""

TERMS = {
    "detection": 'C(detection, ref="polyp")',
    "margin": 'C(margin, ref="negative")',
    "lvi": "lvi",
}
METHODS = {
    "ml": "Maximum likelihood",
    "firth": "Firth",
    "log_f": "log-F(1,1)",
    "exact": "Exact conditional",
}
FACTORS = {
    ("C(detection)", "biopsy"): ("biopsy", "Diagnosed by biopsy", "less"),
    ("C(detection)", "suspected"): ("suspected", "Suspected as NET at first", "less"),
    ("lvi", ""): ("lvi", "Lymphovascular invasion", "greater"),
    ("C(margin)", "positive"): ("margin_positive", "Margin positive", "greater"),
    ("C(margin)", "indeterminate"): ("margin_indeterminate", "Margin indeterminate", "greater"),
}
"""Per coefficient the key of its printed odds ratio, its name, and the printed direction."""


@dataclass(frozen=True)
class TreatmentModel:
    """The fits by method, whether the data are separated, and the overlap of the arms.

    ``why_not`` says why there is no fit, where only one arm is there.
    """

    frame: pd.DataFrame
    fits: dict[str, Any]
    separated: SeparationResult | None
    score: PropensityResult | None
    why_not: str = ""

    @property
    def comparable(self) -> bool | None:
        """Whether the arms overlap by the published rule; None where it cannot be said."""
        if self.score is None:
            return None
        return bool(self.score.glance()["c_statistic"].iloc[0] < DETERMINED and not self.few_left)

    @property
    def few_left(self) -> bool:
        """Whether an arm is worth less than half of its patients once they are made alike."""
        if self.score is None:
            return False
        row = self.score.glance().iloc[0]
        worth = min(row["ess_treated"] / row["n_treated"], row["ess_control"] / row["n_control"])
        return bool(worth < WORTH)

    def results(self) -> dict[str, Result]:
        """Return the fits by name, for the record."""
        named = {f"treatment_{name}": fit for name, fit in self.fits.items() if fit is not None}
        return named | ({"treatment_score": self.score} if self.score is not None else {})

    def row(self, method: str, key: tuple[str, str]) -> dict[str, Any] | None:
        """Return one coefficient's row, or None."""
        fit = self.fits.get(method)
        if fit is None:
            return None
        table = fit.to_frame()
        found = table[(table["term"] == key[0]) & (table["level"] == key[1])]
        return records(found)[0] if len(found) else None


def fit_treatment_model(cohort: Cohort, attempts: Attempts) -> TreatmentModel:
    """Fit who was treated among those whose resection was not curative."""
    frame = cohort.open_ended
    if why := _one_arm(frame):
        attempts.skip("Model of additional treatment", why)
        return TreatmentModel(frame=frame, fits={}, separated=None, score=None, why_not=why)
    formula = _formula(frame, attempts)
    fits = {
        "ml": attempts.run(
            "Model of additional treatment (maximum likelihood)",
            lambda: logistic(frame, formula, penalty=None),
        ),
        "firth": attempts.run(
            "Model of additional treatment (Firth)", lambda: logistic(frame, formula)
        ),
        "log_f": attempts.run(
            "Model of additional treatment (log-F)",
            lambda: logistic(frame, formula, penalty="log-f"),
        ),
        "exact": attempts.run(
            "Model of additional treatment (exact)", lambda: exact_logistic(frame, formula)
        ),
    }
    return TreatmentModel(
        frame=frame,
        fits=fits,
        separated=attempts.run(
            "Separation in the model of additional treatment", lambda: separation(frame, formula)
        ),
        score=attempts.run(
            "Overlap of treated and untreated",
            lambda: propensity(frame, formula, positivity="flag"),
        ),
    )


def _one_arm(frame: pd.DataFrame) -> str:
    """Say why nobody can be compared: no resection that was not curative, or one arm alone."""
    if frame.empty:
        return "No resection was other than curative, so that the model has no patient."
    arms = frame["treated"].dropna().unique()
    if len(arms) == 0:
        return "Of no patient is it known whether there was additional treatment."
    if len(arms) == 1:
        who = "Everybody" if arms[0] == 1 else "Nobody"
        return f"{who} had additional treatment: there is nothing to compare."
    return ""


def _formula(frame: pd.DataFrame, attempts: Attempts) -> str:
    """Return the model of the factors that vary among the patients of the model."""
    known = frame.dropna(subset=["treated", *TERMS])
    varies = [name for name in TERMS if known[name].nunique() > 1]
    if not varies:
        return f"treated ~ {' + '.join(TERMS.values())}"  # refused by name, as it should be
    for name in TERMS:
        if name not in varies:
            attempts.skip(
                f"{label_of(frame, name)} in the model of additional treatment",
                "all patients have the same value",
            )
    return f"treated ~ {' + '.join(TERMS[name] for name in varies)}"


def model_table(model: TreatmentModel, sheet: FactSheet) -> Exhibit | None:
    """Return every odds ratio by each method, the printed one beside it."""
    if all(fit is None for fit in model.fits.values()):
        return None
    numbers, shown = [], []
    for key, (fact, label, _) in FACTORS.items():
        printed = sheet[f"or_{fact}"]
        line = {"Factor": label, "Printed OR": f"{printed.value}, P {sheet[f'p_{fact}'].value}"}
        for method, words in METHODS.items():
            row = model.row(method, key)
            line[words] = "–" if row is None else _cell(row)
            if row is not None:
                numbers.append({"factor": label, "fit": method, "printed": printed.value, **row})
        shown.append(line)
    return Exhibit(
        name="treatment_model",
        title="Who received additional treatment?",
        caption="Among the resections that were not curative; reference: resected as a polyp, "
        "margin negative, no invasion. Each cell: odds ratio (95 % CI), P.",
        numbers=pd.DataFrame(numbers),
        shown=pd.DataFrame(shown),
        notes=_notes(model),
    )


def _cell(row: dict[str, Any]) -> str:
    if math.isnan(row["estimate"]):
        return "–"
    interval = fmt_interval(row["conf_low"], row["conf_high"])
    return f"{fmt_number(row['estimate'])} ({interval}), P {fmt_p(row['p_value'])}"


def _notes(model: TreatmentModel) -> tuple[str, ...]:
    notes = [
        "Maximum likelihood, Firth and log-F have profile limits. "
        + (
            "A dash: no exact result; the reason stands at the end, among what was left out."
            if model.fits.get("exact") is None
            else "The exact method conditions on all other factors and approximates nothing; its "
            "limits are conservative."
        ),
        "Where the methods differ by more than rounding, a few cells hold hardly anybody: "
        "sparse-data bias drives maximum likelihood away from 1.",
    ]
    exact = model.fits.get("exact")
    if exact is not None and exact.to_frame()["estimate"].isna().any():
        notes.append(
            "A dash under the exact method: given the other factors, these data allow one table "
            "alone."
        )
    fit = model.fits.get("firth")
    if fit is not None:
        row = fit.glance().iloc[0]
        others = int(row["n"] - row["n_events"])
        rarer = "not treated" if others < row["n_events"] else "treated"
        notes.append(
            f"{int(row['n'])} patients, {int(row['n_events'])} treated, "
            f"{fmt_number(float(row['events_per_parameter']), 1)} {rarer} per parameter."
        )
    if model.separated is not None:
        notes += list(model.separated.notes)
    return tuple(notes)


def overlap_table(model: TreatmentModel) -> Exhibit | None:
    """Return what is left to compare: scores of each arm, and effective sample sizes."""
    if model.score is None:
        return None
    return Exhibit(
        name="overlap",
        title="Is there anybody to compare?",
        caption="The probability of treatment given the factors of the model above, in the treated "
        "and the untreated; the effective sample size is how many patients the weighted arms are "
        "worth.",
        numbers=model.score.glance(),
        shown=model.score.display(),
        notes=model.score.notes,
    )
