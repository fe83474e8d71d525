"""What cutting costs, what the numbers of events support, and complete cases beside imputed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats.evidence.facts import FactSheet
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p
from rnetstats.prediction.dichotomising import DichotomisingResult, dichotomising_cost
from rnetstats.prediction.sample_size import SampleSizeResult, sample_size
from rnetstats.prediction.sample_size_support import SupportedParametersResult, supported_parameters
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.cohort import LOWER, Cohort
from rnetstats.studies.duan2024.margin_models import OTHER_FACTORS, MarginModels, Predictor
from rnetstats.studies.duan2024.prediction_tables import SHOWN_THRESHOLDS
from rnetstats.studies.exhibit import Exhibit

if TYPE_CHECKING:
    from rnetstats.missing.complete_and_imputed import CompleteAndImputed

__all__ = ["cost_of_cutting", "cost_table", "imputed_table", "support_table"]

_MOST_IMPUTATIONS = 20
_PARAMETERS = 5  # method 2, lower rectum, NLR, size
_HORIZON = 60.0


def cost_of_cutting(models: MarginModels, attempts: Attempts) -> DichotomisingResult | None:
    """Compare the printed cut-offs with the numbers themselves, on the same patients."""
    cuts = {p.column: p.cutoff for p in models.used if p.cutoff is not None}
    terms = [p.column for p in models.used]
    if not cuts:
        return None
    few = [name for name in cuts if models.complete[name].nunique() < 10]
    if few:
        attempts.skip("Cost of the cut-offs", f"{', '.join(few)}: fewer than 10 distinct values")
        return None
    return attempts.run(
        "Cost of the cut-offs",
        lambda: dichotomising_cost(
            models.complete,
            "margin_positive ~ " + " + ".join(terms),
            cuts=cuts,
            thresholds=SHOWN_THRESHOLDS,
        ),
    )


def cost_table(cost: DichotomisingResult | None, *, synthetic: bool) -> Exhibit | None:
    """Return what the printed cut-offs cost against lines and splines."""
    if cost is None:
        return None
    names = {"cut": "Cut in two", "linear": "As measured, lines", "spline": "As measured, splines"}
    shown = cost.display()
    shown["Model"] = [names[str(name)] for name in shown["Model"]]
    shown = shown.rename(
        columns={
            f"Net benefit at {t:g}": f"Net benefit at {100 * t:.0f} %" for t in SHOWN_THRESHOLDS
        }
    )
    cut = cost.glance().iloc[0]
    kept = float(cut["information"])
    notes = [
        f"{cost.n_events:.0f} positive margins among {cost.n:.0f} patients. All figures here are "
        "apparent. Information: likelihood-ratio chi-square of NLR and size, as a share of the "
        "splines’; effective N: patients with the numbers as lines that would tell as much.",
        "In theory, cutting a normally distributed number with a straight effect at its median "
        "throws away 36 % of the patients (1 − 2/π), a cut-off further out more.",
    ]
    if not math.isnan(kept) and kept > 1.0:
        notes.append(
            "In this cohort the cut-offs tell more than the splines: its risk really jumps near "
            "them, or they were found in it."
            + " A synthetic cohort may be drawn with such a jump."
            * synthetic
        )
    return Exhibit(
        name="dichotomising",
        title="What the printed cut-offs cost",
        caption="The same model three times: NLR and size cut at the printed values, as straight "
        "lines, and as splines; resection method and lower rectum in all three.",
        numbers=cost.to_frame(),
        shown=shown,
        notes=tuple(notes),
    )


def support_table(facts: FactSheet, attempts: Attempts) -> Exhibit | None:
    """Return how many parameters the printed numbers of events support."""
    rows = attempts.run("What the numbers of events support", lambda: _support_rows(facts))
    if not rows:
        return None
    numbers = pd.DataFrame(rows)
    shown = pd.DataFrame(
        {
            "Outcome": numbers["outcome"],
            "Events": [f"{r.events} of {r.n}" for r in numbers.itertuples()],
            "If the model is": numbers["expected"],
            "Coefficients supported": [str(p) for p in numbers["parameters"]],
            f"Patients needed for {_PARAMETERS}": [
                f"{r.n_needed:,} ({r.events_needed:.0f} events)" for r in numbers.itertuples()
            ],
        }
    )
    return Exhibit(
        name="sample_size_support",
        title="What the events support",
        caption=(
            "Coefficients that a model may look at by Riley’s criteria (shrinkage of at least 0.9, "
            "optimism in Nagelkerke’s R2 of at most 0.05, overall risk within 0.05). The printed "
            f"model has {_PARAMETERS}, before any candidate that was dropped and any cut-off that "
            "was searched is counted."
        ),
        numbers=numbers,
        shown=shown,
        notes=(
            "From the printed counts alone. The expected performance has to come from elsewhere: "
            "several values are gone through.",
            f"Recurrence: risk by {_HORIZON:g} months, the printed median follow-up of "
            f"{facts['median_follow_up'].value} months taken for the mean; an R2 of 15 % of what "
            "is possible is what Riley and others suggest where nothing is known.",
        ),
        from_print=True,
    )


def _support_rows(facts: FactSheet) -> list[dict[str, Any]]:
    n, positive = facts["patients"].count, facts["positive_margin"].count
    recurrences, months = facts["recurrences"].count, facts["median_follow_up"].number
    rows: list[dict[str, Any]] = []
    for c in (0.65, 0.7, 0.8):
        held = supported_parameters(n, positive, c_statistic=c)
        needed = sample_size(
            outcome="binary", parameters=_PARAMETERS, prevalence=positive / n, c_statistic=c
        )
        rows.append(_support_row("Positive margin", n, positive, f"AUC {c:g}", held, needed))
    for r2 in (0.15, 0.3):
        held = supported_parameters(
            n,
            recurrences,
            outcome="survival",
            mean_follow_up=months,
            timepoint=_HORIZON,
            r2_nagelkerke=r2,
        )
        needed = sample_size(
            outcome="survival",
            parameters=_PARAMETERS,
            rate=recurrences / (n * months),
            timepoint=_HORIZON,
            mean_follow_up=months,
            r2_nagelkerke=r2,
        )
        expected = f"R2 {100 * r2:.0f} % of the possible"
        rows.append(_support_row("Recurrence", n, recurrences, expected, held, needed))
    return rows


def _support_row(
    outcome: str,
    n: int,
    events: int,
    expected: str,
    held: SupportedParametersResult,
    needed: SampleSizeResult,
) -> dict[str, Any]:
    summary = needed.summary
    return {
        "outcome": outcome,
        "n": n,
        "events": events,
        "expected": expected,
        "parameters": held.parameters,
        "n_needed": summary["n"],
        "events_needed": summary["events"],
    }


def imputed_table(
    cohort: Cohort, models: MarginModels, attempts: Attempts, *, seed: int
) -> Exhibit | None:
    """Return complete cases beside imputed data, when a predictor has missing values."""
    if not models.n_incomplete:
        return None
    both = attempts.run(
        "Complete cases beside imputed data",
        lambda: _both(cohort, models.used, models.n_incomplete, seed),
    )
    if both is None:
        return None
    numbers = both.to_frame()
    labels = {_passive(p): p.label for p in models.used}
    shown = _side_by_side(numbers, labels)
    about = both.glance().iloc[0]
    return Exhibit(
        name="missing_values",
        title="Complete cases beside imputed data",
        caption=(
            f"Odds ratios of a positive margin (95 % CI), P. Complete cases: "
            f"{int(about['events_complete'])} positive margins among {int(about['n_complete'])} "
            f"patients. Imputed: {int(about['events_imputed'])} among {int(about['n_imputed'])}, "
            f"{int(about['imputations'])} imputations by chained equations, pooled by Rubin’s "
            "rules."
        ),
        numbers=numbers,
        shown=shown,
        notes=(
            "Missing: "
            + ", ".join(f"{name} {count}" for name, count in models.missing.items())
            + ". Complete cases are unbiased if being complete does not depend on the margin, "
            "given the predictors; imputed data if what is missing depends on what was observed "
            "alone. The verdicts rest on the complete cases.",
        ),
    )


def _both(
    cohort: Cohort, used: tuple[Predictor, ...], incomplete: int, seed: int
) -> CompleteAndImputed:
    frame = cohort.modelled
    frame = frame[frame["margin_positive"].notna()].drop(columns="lower_rectum")
    others = [name for name in OTHER_FACTORS if name in frame.columns and frame[name].nunique() > 1]
    varying = [
        name for name in ("method", "location", "nlr", "size_mm") if frame[name].nunique() > 1
    ]
    percent = math.ceil(100 * incomplete / max(len(frame), 1))
    from rnetstats.missing.complete_and_imputed import complete_and_imputed
    from rnetstats.missing.impute import impute

    imputations = impute(
        frame,
        columns=["margin_positive", *varying, *others],
        outcome="margin_positive",
        imputations=min(_MOST_IMPUTATIONS, max(5, percent)),
        seed=seed,
    )
    formula = "margin_positive ~ " + " + ".join(_passive(p) for p in used)
    return complete_and_imputed(frame, formula, imputations)


def _passive(predictor: Predictor) -> str:
    """Return the predictor's term, lower rectum from the location that is imputed."""
    if predictor.column == "lower_rectum":
        return f'I(location == "{LOWER}")'
    return predictor.term


def _side_by_side(numbers: pd.DataFrame, labels: dict[str, str]) -> pd.DataFrame:
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in numbers[numbers["term"] != "(Intercept)"].to_dict("records"):
        key = (str(row["term"]), str(row["level"]))
        name = labels.get(key[0], key[0])
        made = rows.setdefault(key, {"Predictor": f"{name}: {key[1]}" if key[1] else name})
        interval = fmt_interval(row["conf_low"], row["conf_high"])
        heading = {"complete cases": "Complete cases", "imputed": "Imputed"}[str(row["analysis"])]
        made[heading] = f"{fmt_number(row['estimate'])} ({interval}), {fmt_p(row['p_value'])}"
    return pd.DataFrame(list(rows.values())).fillna("–")
