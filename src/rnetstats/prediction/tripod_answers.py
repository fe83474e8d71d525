"""What objects of this package can say to the items of TRIPOD+AI."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from rnetstats import __version__
from rnetstats.formatting import fmt_number
from rnetstats.formula.encoders import Encoder
from rnetstats.formula.terms import Condition
from rnetstats.prediction.recipe import Recipe
from rnetstats.prediction.tripod_evaluation import (
    building,
    centres,
    clusters,
    counts,
    differences,
    measures,
    performance,
    piece,
    use_of_data,
)
from rnetstats.prediction.tripod_evidence import Evidence

__all__ = ["ANSWERS"]


def title(found: Evidence) -> str:
    """Item 1."""
    by = "" if found.model.horizon is None else f" by {found.model.horizon:g}"
    event = f"{found.model.event}{by}"
    if found.published and not found.method:
        return f"A published model of {event}, neither developed nor evaluated here."
    what = "Evaluation" if found.method == "external" else "Development"
    if found.method in ("boot", "632", "cv", "internal-external"):
        what += " and internal validation"
    return f"{what} of a model of {event}."


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
        said = f"Multiple imputation by chained equations ({found.recipe.impute} imputations)"
        if found.validation is not None and found.validation.summary["design"] == "repeated":
            said += f", repeated in every {piece(found)} of the validation"
        return said + "."
    lost = found.model.summary.get("n_missing")
    if lost is None:
        return ""
    return f"Rows with missing values were left out: {lost:,.0f}."


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
    if low == high:
        shown = f"at the threshold {low:g}, which is not prescribed"
    else:
        shown = f"at thresholds {low:g} to {high:g}, none of which is prescribed"
    return f"A risk between 0 and 1; net benefit is shown {shown}."


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


def equation(found: Evidence) -> str:
    """Item 22."""
    if found.model.coef.size == 0:
        return ""
    return found.model.equation()


def limitations(found: Evidence) -> str:
    """Item 26: the notes that the objects carry."""
    notes = list(found.model.notes)
    if found.validation is not None:
        notes += list(found.validation.notes)
    return " ".join(dict.fromkeys(notes))


def domain(found: Evidence) -> str:
    """Item 27a."""
    together = ", and all variables together by leverage"
    return (
        "The model refuses patients with missing values, with unknown levels, or outside its "
        f"domain (the ranges under item 9b{together if found.model.leverage else ''})."
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
