"""The files under ``data/synthetic``: default cohorts, dictionary, truth and table of fidelity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from rnetstats.errors import OutputError
from rnetstats.simulation.draw import draw_cohort
from rnetstats.simulation.fidelity import split_distribution
from rnetstats.simulation.observed import CSV_COLUMNS
from rnetstats.simulation.population import targets_of
from rnetstats.simulation.recipe import Recipe
from rnetstats.simulation.recipe_file import load_recipe

__all__ = ["SPLIT_SEEDS", "cohort_csv", "synthetic_files", "write_files", "write_synthetic"]

SPLIT_SEEDS = 2000
"""Seeds 0 to 1999 behind the distribution of the recurrences over the margin groups."""

_DERIVED = {
    "patient_id": ("text", "", "Identifier; no patient is behind it"),
    "margin_positive": ("0/1", "", "Positive resection margin; exactly 181 by the printed total"),
    "salvage": (
        "level",
        "",
        "Salvage before recurrence, death and end of follow-up, among positive margins",
    ),
    "salvage_days": ("number", "days", "Days from resection to salvage; empty without one"),
    "dfs_months": (
        "number",
        "months",
        "Completed tenths of a month to the first of recurrence, death and end of follow-up",
    ),
    "recurrence": ("0/1", "", "Recurrence seen; exactly 12 by the printed total"),
    "os_months": ("number", "months", "Completed tenths of a month to death or end of follow-up"),
    "death": ("0/1", "", "Death from any cause"),
    "event_type": ("0/1/2", "", "0 censored, 1 recurrence, 2 death without recurrence"),
    "enrolment_date": ("date", "", "Day of resection"),
}
_PRINTED = ("margin_positive", "recurrence")


def _text(name: str) -> Callable[[float], str]:
    if name in ("dfs_months", "os_months", "size_mm"):
        return lambda value: f"{value:.1f}"
    if name == "age":
        return lambda value: f"{value:.0f}"
    if name == "nlr":
        return lambda value: f"{value:.2f}"
    if name == "salvage_days":
        return lambda value: "" if pd.isna(value) else f"{value:.0f}"
    return str


def cohort_csv(data: pd.DataFrame) -> str:
    """Return a drawn cohort as CSV text with fixed decimals, the same on every platform."""
    shown = pd.DataFrame(
        {
            name: data[name].dt.strftime("%Y-%m-%d")
            if name == "enrolment_date"
            else data[name].astype(object).map(_text(name))
            for name in CSV_COLUMNS
        }
    )
    return shown.to_csv(index=False, lineterminator="\n")


def _dictionary(recipe: Recipe) -> pd.DataFrame:
    rows = []
    standings = {name.split(".")[1]: (s, t) for name, _, s, t in recipe.parameters if "." in name}
    for name in CSV_COLUMNS:
        if name in _DERIVED:
            kind, unit, words = _DERIVED[name]
            levels = "none / endoscopic / radical / not_applicable" if name == "salvage" else ""
            if name in _PRINTED:
                standing, source = "printed", "the total is printed; which patients is drawn"
            else:
                standing, source = "chosen", "drawn by the recipe; see parameters.csv"
        else:
            variable = recipe.variable(name)
            numeric = variable.law != "levels"
            kind = "number" if numeric else ("0/1" if name == "lvi" else "level")
            unit, words = variable.unit, variable.label
            levels = "" if numeric or name == "lvi" else " / ".join(variable.levels)
            standing, source = standings[name]
        rows.append((name, kind, unit, levels, words, standing, source))
    columns = ["column", "type", "unit", "levels", "description", "standing", "source"]
    return pd.DataFrame(rows, columns=columns)


def _stacked(frames: dict[str, pd.DataFrame]) -> str:
    """Stack the tables of the truths under the names of their cohorts' files.

    The bare name of a truth would not do: pandas reads the text "null" as a missing value.
    """
    named = [frame.drop(columns="truth", errors="ignore") for frame in frames.values()]
    for stem, frame in zip(frames, named, strict=True):
        frame.insert(0, "cohort", stem)
    stacked = pd.concat(named, ignore_index=True)
    return stacked.to_csv(index=False, lineterminator="\n", float_format="%.6g")


def synthetic_files(name: str = "duan2024", *, seeds: int = SPLIT_SEEDS) -> dict[str, str]:
    """Return the text of every file, by file name.

    Parameters
    ----------
    name : str
        The recipe.
    seeds : int
        Cohorts drawn for the distribution of the recurrences; 0 leaves that file out.

    Raises
    ------
    OutputError
        If a cohort of fixed totals does not meet them.
    """
    recipe = load_recipe(name)
    truths = [effects.name for effects in recipe.truths]
    stems = [f"{name}_{truth}" for truth in truths]
    cohorts = {
        stem: draw_cohort(name, truth=truth, seed=recipe.seed)
        for stem, truth in zip(stems, truths, strict=True)
    }
    out = {f"{stem}.csv": cohort_csv(cohort.data) for stem, cohort in cohorts.items()}
    out["dictionary.csv"] = _dictionary(recipe).to_csv(index=False, lineterminator="\n")
    columns = ["parameter", "value", "standing", "source"]
    parameters = pd.DataFrame(recipe.parameters, columns=columns)
    out["parameters.csv"] = parameters.to_csv(index=False, lineterminator="\n")
    tables = {
        "fidelity": {stem: cohort.fidelity for stem, cohort in cohorts.items()},
        "truth": {stem: cohort.truth.estimands for stem, cohort in cohorts.items()},
        "coefficients": {stem: cohort.truth.coefficients for stem, cohort in cohorts.items()},
    }
    out |= {f"{table}.csv": _stacked(frames) for table, frames in tables.items()}
    if seeds:
        targets = targets_of(recipe)
        drawn = [split_distribution(recipe, truth, targets, range(seeds)) for truth in truths]
        missed = pd.concat([failures for _, failures in drawn])
        if len(missed):
            raise OutputError(f"Fixed totals were not met: {missed.head().to_dict('records')}.")
        out["splits.csv"] = _stacked(
            {stem: split for stem, (split, _) in zip(stems, drawn, strict=True)}
        )
    return out


def write_synthetic(folder: Path, name: str = "duan2024", *, seeds: int = SPLIT_SEEDS) -> None:
    """Write every file into ``folder``.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    write_files(folder, synthetic_files(name, seeds=seeds))


def write_files(folder: Path, texts: Mapping[str, str]) -> None:
    """Write texts by file name into ``folder``.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    try:
        for file, text in texts.items():
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}.") from error
