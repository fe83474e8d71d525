"""What objects of this package can say to the items of TRIPOD+AI."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from rnetstats import __version__
from rnetstats.formatting import fmt_interval, fmt_number
from rnetstats.formula.encoders import Encoder
from rnetstats.formula.terms import Condition
from rnetstats.prediction.indices import LABELS
from rnetstats.prediction.model import RiskModel
from rnetstats.prediction.recipe import Recipe
from rnetstats.prediction.validation_result import ValidationResult

__all__ = ["ANSWERS", "Evidence"]

_SHOWN: Final = ("auc", "c", "auc_t", "slope", "intercept", "ici", "brier", "ipa", "nagelkerke_r2")


@dataclass(frozen=True)
class Evidence:
    """The objects at hand; any of the last three may be absent."""

    model: RiskModel
    validation: ValidationResult | None = None
    recipe: Recipe | None = None
    decision: Any = None

    @property
    def counts(self) -> str:
        """Patients and events of the model."""
        about = self.model.summary
        if "n" not in about:
            return ""
        by = about.get("n_events_by_horizon")
        until = "" if by is None else f" ({by:,.0f} by {self.model.horizon:g})"
        return f"{about['n']:,.0f} patients, {about['n_events']:,.0f} with the outcome{until}"

    @property
    def method(self) -> str:
        """The method of validation."""
        return "" if self.validation is None else str(self.validation.summary["method"])

    @property
    def same_patients(self) -> bool:
        """Whether the data called external are those of the model."""
        return self.validation is not None and bool(self.validation.options.get("same_patients"))


def title(found: Evidence) -> str:
    """Item 1."""
    what = "Evaluation" if found.method == "external" else "Development"
    if found.method in ("boot", "632", "cv", "internal-external"):
        what += " and internal validation"
    by = "" if found.model.horizon is None else f" by {found.model.horizon:g}"
    return f"{what} of a model of {found.model.event}{by}."


def objectives(found: Evidence) -> str:
    """Item 4."""
    return title(found)


def source(found: Evidence) -> str:
    """Item 5a: only that the data were drawn is known."""
    return "The data are synthetic: drawn, not observed." if found.model.synthetic else ""


def outcome(found: Evidence) -> str:
    """Item 8a."""
    when = "" if found.model.horizon is None else f" by time {found.model.horizon:g}"
    return (
        f"As coded: {found.model.outcome}{when}. Its clinical definition is the authors' to give."
    )


def candidates(found: Evidence) -> str:
    """Item 9a."""
    if found.recipe is None:
        return ""
    right = found.recipe.formula.partition("~")[2].strip()
    return f"Candidates: {right}. {_selection(found.recipe)}"


def _selection(recipe: Recipe) -> str:
    if recipe.select is None:
        return "No selection on the data."
    return next(step for step in recipe.steps() if step.startswith("Terms are"))


def predictors(found: Evidence) -> str:
    """Item 9b."""
    parts = []
    for name, about in found.model.variables.items():
        label = found.model.label(name)
        if about.get("low") is not None and not about.get("values"):
            parts.append(f"{label}: {about['low']:g} to {about['high']:g}")
        elif about.get("values"):
            parts.append(f"{label}: {', '.join(str(value) for value in about['values'])}")
        else:
            parts.append(label)
    return "; ".join(parts) + "."


def sample_size(found: Evidence) -> str:
    """Item 10."""
    about = found.model.summary
    if "n_events" not in about:
        return ""
    rarer = min(about["n_events"], about["n"] - about["n_events"])
    parameters = len(found.model.design.columns) - int(found.model.design.intercept)
    if found.model.horizon is not None:
        rarer = about["n_events"]
    per = fmt_number(rarer / parameters, 1) if parameters else "-"
    what = "events" if rarer == about["n_events"] else "patients without the outcome"
    spent = "1 parameter" if parameters == 1 else f"{parameters} parameters"
    said = f"{rarer:,.0f} {what} for {spent} of the final model ({per} each)."
    if found.recipe is not None and (found.recipe.select or found.recipe.cut):
        said += (
            " Candidates and searched cut-offs spend more parameters than the final model shows."
        )
    return said


def missing(found: Evidence) -> str:
    """Item 11."""
    if found.recipe is not None and found.recipe.impute:
        return (
            f"Multiple imputation by chained equations ({found.recipe.impute} imputations), "
            "repeated in every resample of the validation."
        )
    lost = found.model.summary.get("n_missing")
    if lost is None:
        return ""
    return f"Rows with missing values were left out: {lost:,.0f}."


def use_of_data(found: Evidence) -> str:
    """Item 12a."""
    if found.validation is None:
        return ""
    if found.same_patients:
        return "The model was judged on the very patients that it was made from, uncorrected."
    if found.method == "external":
        return "The model was judged on other patients, as it is."
    return "All patients were used for development; performance was corrected by resampling."


def functional_form(found: Evidence) -> str:
    """Item 12b."""
    design = found.model.design
    terms = [
        f"{term.name} ({'cut in two' if _is_cut(parts) else term.kind})"
        for term, parts in zip(design.terms, design.encoders, strict=True)
    ]
    return "Terms of the final model: " + ", ".join(terms) + "." if terms else ""


def _is_cut(parts: Sequence[Encoder]) -> bool:
    """Whether a term is a number compared with a cut-off."""
    atom = parts[0].atom
    return len(parts) == 1 and isinstance(atom, Condition) and atom.operator not in ("==", "!=")


def building(found: Evidence) -> str:
    """Item 12c."""
    steps = " ".join(found.recipe.steps()) if found.recipe else f"{found.model.method}."
    if found.validation is None:
        return steps
    about = found.validation.summary
    names = {
        "boot": "Bootstrap, optimism",
        "632": "Bootstrap, .632",
        "cv": "Repeated cross-validation",
        "internal-external": "Internal-external cross-validation by centre",
        "external": "External data",
    }
    repeated = {
        "repeated": "every step repeated in each resample",
        "fixed": "the design held fixed",
    }[about["design"]]
    return (
        f"{steps} Validation: {names[found.method]} ({about['resamples']:,} resamples), {repeated}."
    )


def clusters(found: Evidence) -> str:
    """Item 12d."""
    if found.method == "internal-external":
        return "Each centre was left out in turn."
    return ""


def measures(found: Evidence) -> str:
    """Item 12e."""
    if found.validation is None:
        return ""
    names = [LABELS[name] for name in found.validation.table["index"]]
    if len(found.validation.benefit_table):
        names += ["calibration curve", "decision curve"]
    return ", ".join(names) + "."


def calculation(found: Evidence) -> str:
    """Item 12g."""
    return f"RiskModel.predict of rnetstats {__version__}; the equation stands under item 22."


def imbalance(found: Evidence) -> str:
    """Item 13."""
    if "FLIC" in found.model.method:
        return (
            "None. Firth's penalty draws risks towards one half; the intercept was re-estimated "
            "(FLIC), so that the mean risk is the observed share."
        )
    return "None."


def output(found: Evidence) -> str:
    """Item 15."""
    if found.decision is None:
        return "A risk between 0 and 1; no classification."
    low, high = (float(f(found.decision.to_frame()["threshold"])) for f in (min, max))
    return (
        f"A risk between 0 and 1; net benefit is shown at thresholds {low:g} to {high:g}, none of "
        "which is prescribed."
    )


def differences(found: Evidence) -> str:
    """Item 16."""
    if found.method in ("", "external"):
        return ""
    return "None: performance was corrected on the development data by resampling."


def code(found: Evidence) -> str:
    """Item 18f."""
    return f"rnetstats {__version__}; options and seed stand in the stored model and validation."


def flow(found: Evidence) -> str:
    """Item 20a."""
    lost = found.model.summary.get("n_missing")
    if not found.counts:
        return ""
    return (
        found.counts + ("" if lost is None else f"; {lost:,.0f} left out for missing values") + "."
    )


def counts(found: Evidence) -> str:
    """Item 21."""
    parts = [f"Development: {found.counts}"] if found.counts else []
    if found.validation is not None:
        about = found.validation.summary
        horizon = about.get("horizon")
        by = "" if horizon is None else f" by {horizon:g}"
        parts.append(
            f"validation: {about['n']:,} patients, {about['n_events']:,} with the outcome{by}, "
            f"{about['resamples']:,} resamples, {about['n_failed']:,} without a model"
        )
    return "; ".join(parts) + "." if parts else ""


def equation(found: Evidence) -> str:
    """Item 22."""
    if found.model.coef.size == 0:
        return ""
    return found.model.equation()


def performance(found: Evidence) -> str:
    """Item 23a."""
    if found.validation is None:
        return ""
    rows = {row["index"]: row for row in found.validation.to_frame().to_dict("records")}
    parts = []
    for name in _SHOWN:
        row = rows.get(name)
        if row is None or not np.isfinite(row["corrected"]):
            continue
        text = f"{LABELS[name]} {fmt_number(row['corrected'], 3)}"
        if np.isfinite(row["conf_low"]):
            text += f" ({fmt_interval(row['conf_low'], row['conf_high'], 3)})"
        if np.isfinite(row["apparent"]) and found.method != "external":
            text += f", apparent {fmt_number(row['apparent'], 3)}"
        parts.append(text)
    how = "On other patients" if found.method == "external" else "Corrected for optimism"
    if found.same_patients:
        how = "Apparent, on the patients that the model was made from"
    return f"{how}: {'; '.join(parts)}. Subgroups: the authors' to give."


def centres(found: Evidence) -> str:
    """Item 23b."""
    if found.validation is None or not len(found.validation.centre_table):
        return ""
    frame = found.validation.by_centre()
    shown = [
        f"{row['centre']} ({row['n']} patients, {row['n_events']} events)"
        for row in frame.to_dict("records")
    ]
    return f"By centre left out: {'; '.join(shown)}; indices in ValidationResult.by_centre()."


def limitations(found: Evidence) -> str:
    """Item 26: the notes that the objects carry."""
    notes = list(found.model.notes)
    if found.validation is not None:
        notes += list(found.validation.notes)
    return " ".join(dict.fromkeys(notes))


def domain(found: Evidence) -> str:
    """Item 27a."""
    return (
        "The model refuses patients with missing values, with unknown levels, or outside its "
        "domain (the ranges under item 9b, and all variables together by leverage)."
    )


ANSWERS: Final[dict[str, Callable[[Evidence], str]]] = {
    function.__name__: function
    for function in (
        title,
        objectives,
        source,
        outcome,
        candidates,
        predictors,
        sample_size,
        missing,
        use_of_data,
        functional_form,
        building,
        clusters,
        measures,
        calculation,
        imbalance,
        output,
        differences,
        code,
        flow,
        counts,
        equation,
        performance,
        centres,
        limitations,
        domain,
    )
}
"""By the word that ``tripod.toml`` uses: what fills an item, or an empty text."""
