"""Tables of the models of a positive margin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rnetstats.formatting import fmt_interval, fmt_number, fmt_p, fmt_percent, inside
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.margin_models import MarginModels, Predictor
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.records import records

__all__ = ["coefficient_table", "risk_table", "smooth_table"]

_COLUMNS = {
    "single_firth": "Alone, Firth",
    "single_ml": "Alone, max. likelihood",
    "multi_firth": "All four, Firth",
    "multi_ml": "All four, max. likelihood",
}


def coefficient_table(models: MarginModels, labels: dict[str, str]) -> Exhibit | None:
    """Return every odds ratio, alone and together, by both methods of estimation."""
    frames = {name: models[name].to_frame() for name in _COLUMNS if models[name] is not None}
    if not frames:
        return None
    parts = [frame.assign(model=name) for name, frame in frames.items()]
    numbers = pd.concat(parts, ignore_index=True)
    numbers = numbers[numbers["term"] != "(Intercept)"].reset_index(drop=True)
    keys = list(dict.fromkeys(zip(numbers["term"], numbers["level"], strict=True)))
    shown: dict[str, list[str]] = {
        "Predictor": [_row_name(term, level, labels) for term, level in keys]
    }
    for name, heading in _COLUMNS.items():
        shown[heading] = [_cell(frames.get(name), key) for key in keys]
    return Exhibit(
        name="margin_models",
        title="Predictors of a positive margin",
        caption="Logistic models with one predictor alone, and with the four printed ones. "
        "Each cell: odds ratio (95 % CI), P.",
        numbers=numbers,
        shown=pd.DataFrame(shown),
        notes=_model_notes(models),
    )


def _row_name(term: str, level: str, labels: dict[str, str]) -> str:
    name = labels.get(term, term)
    return f"{name}: {level}" if level else name


def _cell(frame: pd.DataFrame | None, key: tuple[str, str]) -> str:
    if frame is None:
        return "–"
    found = frame[(frame["term"] == key[0]) & (frame["level"] == key[1])]
    if len(found) == 0:
        return ""
    row = found.iloc[0]
    interval = fmt_interval(row["conf_low"], row["conf_high"])
    return f"{fmt_number(row['estimate'])} ({interval}), {fmt_p(row['p_value'])}"


def _model_notes(models: MarginModels) -> tuple[str, ...]:
    fit = models["multi_firth"] or models["multi_ml"]
    notes = [
        "Firth: penalised likelihood, profile limits; the study most likely used maximum "
        "likelihood, which stands beside it.",
        "Adjusted odds ratios of several factors are not all causal effects: each would need its "
        "own set of confounders.",
    ]
    row = None if fit is None else fit.glance().iloc[0]
    if row is not None and row["df"] > 0:  # else no predictor varies, and there is no model
        notes.append(
            f"Model with all four: {int(row['n'])} patients, {int(row['n_events'])} positive "
            f"margins, {fmt_number(float(row['events_per_parameter']), 1)} outcomes per parameter."
        )
    if models.n_incomplete:
        notes.append(
            f"Complete-case analysis: {models.n_incomplete} patients with a missing value are left "
            f"out ({', '.join(f'{name}: {n} missing' for name, n in models.missing.items())})."
        )
    return tuple(notes)


def smooth_table(
    models: MarginModels, labels: dict[str, str], attempts: Attempts
) -> Exhibit | None:
    """Return the tests of the model with splines: each term, and departure from a line."""
    fit = models["spline_firth"]
    tests = None if fit is None else attempts.run("Tests of the spline model", fit.term_tests)
    if tests is None:
        return None
    shown = pd.DataFrame(
        {
            "Term": [labels.get(_bare(term), term) for term in tests["term"]],
            "Question": [_QUESTIONS.get(test, test) for test in tests["test"]],
            "df": [f"{df:g}" for df in tests["df"]],
            "P": [fmt_p(p) for p in tests["p_value"]],
        }
    )
    return Exhibit(
        name="margin_splines",
        title="The same predictors without cut-offs",
        caption="Restricted cubic splines with three knots for NLR and size, Firth’s penalty.",
        numbers=tests,
        shown=shown,
        notes=(
            "A cut-off throws information away: it takes everybody above it for equal. A small P "
            "for “any effect” with a large P for “not a straight line” says that a cut-off is not "
            "needed to describe the effect.",
        ),
    )


_QUESTIONS = {
    "joint": "any effect?",
    "linearity": "not a straight line?",
    "interaction": "interaction?",
}


def _bare(term: str) -> str:
    """Return the variable of a spline term, ``rcs(nlr, 3) -> nlr``."""
    return term.partition("(")[2].partition(",")[0].strip() if "(" in term else term


def risk_table(
    models: MarginModels, four: tuple[Predictor, ...], attempts: Attempts
) -> Exhibit | None:
    """Return standardised risks and risk differences of the model with all four predictors."""
    fit = models["multi_firth"]
    if fit is None:
        return None
    parts = []
    for predictor in (p for p in four if p in models.used):
        found = attempts.run(
            f"Standardised risks by {inside(predictor.label)}",
            lambda p=predictor: _risks(fit, p, models.complete),  # type: ignore[misc]
        )
        if found is not None:
            parts.append(found)
    if not parts:
        return None
    numbers = pd.concat(parts, ignore_index=True)
    return Exhibit(
        name="margin_risks",
        title="What the odds ratios mean as risks",
        caption=(
            "Standardised risk of a positive margin: the average over these patients if all had "
            "the value in the row. Where a third of patients have the outcome, odds ratios "
            "look larger than ratios of risks."
        ),
        numbers=numbers,
        shown=_risk_text(numbers),
        notes=_separated(models),
    )


def _separated(models: MarginModels) -> tuple[str, ...]:
    """Warn of limits by the delta method where an odds ratio is infinite by maximum likelihood."""
    fit = models["multi_ml"]
    if fit is None or np.isfinite(fit.to_frame()["coef"]).all():
        return ()
    return (
        "An odds ratio of this model is infinite by maximum likelihood (a group in which all, or "
        "none, had a positive margin). Limits of the risks, by the delta method, are then too "
        "narrow: those near 0 % or 100 % must not be relied on.",
    )


def _risks(fit: Any, predictor: Predictor, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the risks with readable values; the reference stands first."""
    if predictor.cutoff is not None:
        values: list[Any] = [predictor.cutoff, predictor.cutoff * 1.01]
        unit = predictor.label.rsplit(" ", 1)[-1] if predictor.column == "size_mm" else ""
        names = [
            f"at most {predictor.cutoff:g} {unit}".strip(),
            f"above {predictor.cutoff:g} {unit}".strip(),
        ]
    elif predictor.binary:
        values, names = [0.0, 1.0], ["no", "yes"]
    else:
        values = list(frame[predictor.column].cat.categories)
        names = [str(v) for v in values]
    table: pd.DataFrame = fit.risks(predictor.column, values=values).to_frame()
    lookup = dict(zip([str(v) for v in values], names, strict=True))
    label = predictor.label.partition(" >")[0] if predictor.cutoff is not None else predictor.label
    return table.assign(
        predictor=label,
        value=[lookup.get(str(v), str(v)) for v in table["value"]],
        reference=[lookup.get(str(v), str(v)) for v in table["reference"]],
    )


def _risk_text(numbers: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (label, value), part in numbers.groupby(["predictor", "value"], sort=False):
        cells = {row["measure"]: row for row in records(part)}
        difference, ratio = cells.get("risk difference"), cells.get("risk ratio")
        rows.append(
            {
                "Predictor": f"{label}: {value}",
                "Standardised risk (95 % CI)": _share(cells["risk"]),
                "Risk difference, percentage points": _share(difference, sign=True)
                if difference
                else "reference",
                "Risk ratio": (
                    f"{fmt_number(ratio['estimate'])} "
                    f"({fmt_interval(ratio['conf_low'], ratio['conf_high'])})"
                    if ratio
                    else "reference"
                ),
            }
        )
    return pd.DataFrame(rows)


def _share(row: dict[str, Any], *, sign: bool = False) -> str:
    low, high = 100.0 * row["conf_low"], 100.0 * row["conf_high"]
    if sign:
        return f"{fmt_number(100.0 * row['estimate'], 1)} ({fmt_interval(low, high, 1)})"
    return f"{fmt_percent(row['estimate'])} ({fmt_interval(low, high, 1)})"
