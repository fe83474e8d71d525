"""The study's claims on outcome by margin and on predictors of a positive margin."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from rnetstats.formatting import fmt_interval, fmt_number, fmt_percent, inside
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.margin_models import MarginModels, Predictor
from rnetstats.studies.duan2024.outcomes import Comparison
from rnetstats.studies.finding import Contrast, Finding
from rnetstats.studies.records import records
from rnetstats.studies.verdicts import MINIMUM, not_judged
from rnetstats.tables.exact_table import exact_table
from rnetstats.tables.fisher import fisher_p

__all__ = ["outcome_claim", "predictor_claims"]

_STATEMENTS = {
    "recurrence": "A positive margin worsens disease-free survival (read as time to recurrence)",
    "dfs": "A positive margin worsens disease-free survival (read as recurrence or death)",
    "os": "Overall survival was compared between the margin groups (the result is not in print)",
}
_EVENTS = {
    "recurrence": "recurrences",
    "dfs": "recurrences or deaths",
    "os": "deaths",
}
_ALIKE = "All patients of the model have the same value, so that there is nothing to compare."
_MEASURES = {"HR": "hazard ratio", "rate ratio": "ratio of the two rates"}


def outcome_claim(comparison: Comparison) -> Finding:
    """Return the claim on one endpoint, positive against negative margin."""
    endpoint, primary = comparison.endpoint, comparison.primary
    base, other = records(comparison.groups)
    contrasts: tuple[Contrast, ...] = ()
    if not math.isnan(primary["estimate"]):
        numbers = {name: primary[name] for name in ("measure", "estimate", "conf_low", "conf_high")}
        contrasts = (
            Contrast(
                label=f"{endpoint.name}: positive against negative margin",
                events_1=other["events"],
                n_1=other["n"],
                events_0=base["events"],
                n_0=base["n"],
                **numbers,
            ),
        )
    unjudged = "The study prints no result for overall survival, so there is nothing to check."
    return Finding(
        key=f"margin_{endpoint.key}",
        statement=_STATEMENTS[endpoint.key],
        endpoint=f"{endpoint.name}: {endpoint.definition}",
        estimand=f"Positive against negative margin, {_who(comparison)}, not adjusted for anything",
        method=primary["method"],
        events=_arms(_EVENTS[endpoint.key], other, base) + _left_out(comparison.n_missing),
        said=_outcome_sentence(comparison, _EVENTS[endpoint.key]),
        direction="greater",
        n_events=comparison.n_events,
        smallest=comparison.smallest,
        fewest=comparison.fewest,
        contrasts=contrasts,
        p_value=primary["p_value"],
        p_exact=comparison.p_exact,
        fixed=not_judged(unjudged) if endpoint.key == "os" else None,
    )


def _who(comparison: Comparison) -> str:
    if not comparison.n_missing:
        return "all patients"
    return f"patients whose margin and outcome are known ({comparison.n_missing} left out)"


def _left_out(many: int) -> str:
    return f" (of {many} more the margin or the outcome is not known)" * (many > 0)


def _arms(events: str, other: dict[str, Any], base: dict[str, Any]) -> str:
    return (
        f"{events}: {other['events']} of {other['n']} with a positive margin, "
        f"{base['events']} of {base['n']} with a negative margin"
    )


def _outcome_sentence(comparison: Comparison, events: str) -> str:
    base, other = records(comparison.groups)
    unknown = [which for which, row in (("positive", other), ("negative", base)) if row["n"] == 0]
    if unknown:
        return (
            f"Of no patient with a {' or a '.join(unknown)} margin is the outcome known, so that "
            "there is nothing to compare."
        )
    counts = (
        f"{other['events']} of {other['n']} patients with a positive margin "
        f"({fmt_percent(other['events'] / other['n'])}) and {base['events']} of "
        f"{base['n']} with a negative margin ({fmt_percent(base['events'] / base['n'])}) "
        f"had {'a recurrence' if events == 'recurrences' else events_phrase(events)}"
    )
    if comparison.n_events == 0:
        return f"{counts}; there is nothing to compare."
    p = comparison.primary
    if math.isnan(p["estimate"]):
        return f"{counts}; no ratio exists."
    return (
        f"{counts}: {_MEASURES[p['measure']]} {fmt_number(p['estimate'])} "
        f"(95 % CI {fmt_interval(p['conf_low'], p['conf_high'])})."
    )


def events_phrase(events: str) -> str:
    """Return what one patient had: ``'a recurrence or died'``."""
    return "a recurrence or died" if events == "recurrences or deaths" else "died during follow-up"


def predictor_claims(
    models: MarginModels, four: tuple[Predictor, ...], excluded: int, attempts: Attempts
) -> list[Finding]:
    """Return the claims on the four printed predictors, from the model with all of them."""
    fit = models["multi_firth"]
    table = fit.to_frame() if fit is not None else pd.DataFrame({"term": []})
    tests = attempts.run("Joint tests of the predictors", fit.term_tests) if fit else None
    return [_predictor(p, models, table, tests, excluded, attempts) for p in four]


def _predictor(
    predictor: Predictor,
    models: MarginModels,
    table: pd.DataFrame,
    tests: pd.DataFrame | None,
    excluded: int,
    attempts: Attempts,
) -> Finding:
    frame = models.complete
    positive = frame["margin_positive"] == 1
    rare = int(min(positive.sum(), (~positive).sum()))
    rows = table[table["term"] == predictor.term]
    contrasts = _contrasts(predictor, frame, rows)
    by_level = predictor.exposed(frame) is None
    p_value = _p_value(predictor, rows, tests) if len(rows) else float("nan")
    groups = _groups(predictor, frame)
    alike = sum(n > 0 for _, n, _ in groups) < 2
    counts = [(events, n - events) for _, n, events in groups]
    fewest = min(min(pair) for pair in counts)
    return Finding(
        key=predictor.key,
        statement=_predictor_statement(predictor),
        endpoint="Positive margin (at the first resection)",
        estimand=(
            "Odds of a positive margin, adjusted for the other printed predictors"
            + (
                f"; {excluded} patient{'s' * (excluded > 1)} with method “other” left out"
                if excluded
                else ""
            )
            + (f"; complete cases only, {models.n_incomplete} left out" * bool(models.n_incomplete))
        ),
        method="Logistic regression with Firth’s penalty; "
        + ("joint " * by_level)
        + "penalised likelihood-ratio P, profile limits",
        events=_predictor_events(predictor, frame),
        said=_predictor_sentence(predictor, contrasts, alike=alike),
        direction="any" if by_level else "greater",
        n_events=rare,
        smallest=_smallest(predictor, frame),
        fewest=fewest,
        contrasts=contrasts,
        p_value=p_value,
        p_exact=_p_exact(predictor, contrasts, counts, attempts) if fewest < MINIMUM else math.nan,
        fixed=not_judged(_ALIKE) if alike and not contrasts else None,
        in_family=True,
    )


def _p_exact(
    predictor: Predictor,
    contrasts: tuple[Contrast, ...],
    counts: list[tuple[int, int]],
    attempts: Attempts,
) -> float:
    """P of the exact test of positive and negative margins by group, not adjusted.

    With two groups it is twice the tail on the side of the model's estimate.
    """
    if not contrasts:
        return math.nan
    if len(counts) == 2:
        (a, b), (c, d) = counts
        tail = "greater" if contrasts[0].estimate > 1.0 else "less"
        return min(1.0, 2.0 * float(fisher_p(a, b, c, d, alternative=tail)))
    found = attempts.run(f"Exact test of {inside(predictor.label)}", lambda: exact_table(counts))
    return math.nan if found is None else float(found.glance()["p_value"].iloc[0])


def _predictor_statement(predictor: Predictor) -> str:
    if predictor.key == "method":
        return "The resection method predicts a positive margin"
    return f"{predictor.label} predicts a positive margin"


def _p_value(predictor: Predictor, rows: pd.DataFrame, tests: pd.DataFrame | None) -> float:
    if not predictor.binary and predictor.cutoff is None and tests is not None:
        joint = tests[(tests["term"] == predictor.term) & (tests["test"] == "joint")]
        return float(joint["p_value"].iloc[0])
    return float(rows["p_value"].iloc[0])


def _groups(predictor: Predictor, frame: pd.DataFrame) -> list[tuple[str, int, int]]:
    """Return (name, patients, positive margins) of each group; the reference stands last."""
    positive = (frame["margin_positive"] == 1).to_numpy(dtype=bool)
    exposed = predictor.exposed(frame)
    if exposed is not None:
        masks = [(predictor.label, exposed), ("the others", ~exposed)]
    else:
        values = frame[predictor.column].astype(object).to_numpy()
        levels = [str(v) for v in frame[predictor.column].cat.categories]
        masks = [(level, values == level) for level in [*levels[1:], levels[0]]]
    return [(name, int(mask.sum()), int((mask & positive).sum())) for name, mask in masks]


def _contrasts(
    predictor: Predictor, frame: pd.DataFrame, rows: pd.DataFrame
) -> tuple[Contrast, ...]:
    if len(rows) == 0:
        return ()
    *others, (base, n_0, events_0) = _groups(predictor, frame)
    made = []
    for (name, n_1, events_1), row in zip(others, records(rows), strict=True):
        by_level = predictor.exposed(frame) is None
        label = f"{name} against {base}" if by_level else predictor.label
        made.append(
            Contrast(
                label=label,
                measure=row["measure"],
                estimate=row["estimate"],
                conf_low=row["conf_low"],
                conf_high=row["conf_high"],
                events_1=events_1,
                n_1=n_1,
                events_0=events_0,
                n_0=n_0,
            )
        )
    return tuple(made)


def _smallest(predictor: Predictor, frame: pd.DataFrame) -> int:
    return min((n for _, n, _ in _groups(predictor, frame)), default=0)


def _predictor_events(predictor: Predictor, frame: pd.DataFrame) -> str:
    parts = [f"{events} of {n} ({name})" for name, n, events in _groups(predictor, frame)]
    return "positive margins: " + ", ".join(parts)


def _predictor_sentence(
    predictor: Predictor, contrasts: tuple[Contrast, ...], *, alike: bool
) -> str:
    if not contrasts:
        none = f"{predictor.label} has no odds ratio in these data"
        return f"{none}: {_ALIKE[0].lower()}{_ALIKE[1:]}" if alike else f"{none}."
    counted = [
        f"{c.label}: {c.events_1} of {c.n_1} against {c.events_0} of {c.n_0} had a positive "
        f"margin, adjusted odds ratio {fmt_number(c.estimate)} "
        f"(95 % CI {fmt_interval(c.conf_low, c.conf_high)})"
        for c in contrasts
    ]
    return "; ".join(counted) + "."
