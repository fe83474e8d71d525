"""What a registry would record of the latent arrays: rounded, censored, in columns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.data.builtin import builtin_codebook
from rnetstats.errors import ColumnError, OptionError, closest
from rnetstats.simulation.conditional import conditional_bernoulli
from rnetstats.simulation.copula import linear_predictor, recorded
from rnetstats.simulation.enrolment import tenths
from rnetstats.simulation.latent import Latent
from rnetstats.simulation.recipe import MONTH_DAYS, Recipe

__all__ = [
    "CSV_COLUMNS",
    "latent_frame",
    "observed_arrays",
    "observed_frame",
    "with_missing",
]

Array = NDArray[np.float64]

CSV_COLUMNS = (
    "patient_id",
    "age",
    "sex",
    "size_mm",
    "location",
    "method",
    "nlr",
    "grade",
    "lvi",
    "margin_positive",
    "salvage",
    "salvage_days",
    "dfs_months",
    "recurrence",
    "os_months",
    "death",
    "event_type",
    "centre",
    "enrolment_date",
)
_SALVAGE = ("none", "endoscopic", "radical", "not_applicable")


def observed_arrays(recipe: Recipe, latent: Latent) -> dict[str, Array]:
    """Return the recorded values as plain arrays (n,): numbers, and codes of levels.

    ``salvage`` is 0 none, 1 endoscopic, 2 radical, 3 not applicable; ``salvage_days`` is NaN
    without salvage. Salvage counts if it precedes the recorded end of disease-free follow-up.
    """
    out = {v.name: recorded(v, latent.columns[v.name]) for v in recipe.variables}
    followed = latent.follow_up
    dfs, alive = tenths(latent.free_months), tenths(followed.end)
    death = followed.death <= followed.censoring
    done = (latent.course.kind > 0) & (latent.course.days / MONTH_DAYS < dfs)
    kind = np.where(done, latent.course.kind, 0)
    return out | {
        "margin_positive": latent.margin.astype(float),
        "salvage": np.where(latent.margin, kind, 3).astype(float),
        "salvage_days": np.where(done, latent.course.days, np.nan),
        "dfs_months": dfs,
        "recurrence": latent.seen.astype(float),
        "os_months": alive,
        "death": death.astype(float),
        "event_type": np.where(latent.seen, 1.0, np.where(death, 2.0, 0.0)),
        "dfs_event": (latent.seen | death).astype(float),
        "enrolment_day": followed.day.astype(float),
    }


def observed_frame(recipe: Recipe, arrays: Mapping[str, Array]) -> pd.DataFrame:
    """Turn recorded arrays into a cohort, as reading its CSV with the study's codebook would.

    Columns, their order, types and the order of levels are the codebook's.
    """
    n = arrays["age"].size
    first = np.datetime64(recipe.calendar.first, "D")
    days = arrays["enrolment_day"].astype(np.int64).astype("timedelta64[D]")
    special: dict[str, object] = {
        "patient_id": [f"{recipe.prefix}{i:04d}" for i in range(1, n + 1)],
        "enrolment_date": (first + days).astype("datetime64[ns]"),
        "salvage_months": arrays["salvage_days"] / MONTH_DAYS,
    }
    columns: dict[str, object] = {}
    for spec in builtin_codebook(recipe.name).columns:
        if spec.name in special:
            columns[spec.name] = special[spec.name]
        elif spec.type == "category":
            own = _SALVAGE if spec.name == "salvage" else recipe.variable(spec.name).levels
            levels = spec.levels or tuple(sorted(own))
            codes = np.array([levels.index(level) for level in own], dtype=np.int8)
            found = codes[arrays[spec.name].astype(np.int8)]
            columns[spec.name] = pd.Categorical.from_codes(found, categories=pd.Index(levels))
        else:
            whole = spec.type in ("binary", "integer")
            values = arrays[spec.name]
            columns[spec.name] = values.astype(np.int64) if whole else values
    return pd.DataFrame(columns)


def latent_frame(recipe: Recipe, latent: Latent) -> pd.DataFrame:
    """Return the unrounded values, latent times and risks that no registry could know."""
    followed, course = latent.follow_up, latent.course
    numeric = [v.name for v in recipe.variables if v.law != "levels"]
    return pd.DataFrame(
        {f"latent_{name}": latent.columns[name] for name in numeric}
        | {
            "latent_recurrence_months": latent.recurrence_months,
            "latent_death_months": followed.death,
            "latent_censoring_months": followed.censoring,
            "latent_salvage": pd.Categorical.from_codes(
                np.where(latent.margin, course.kind, 3).astype(np.int8),
                categories=pd.Index(_SALVAGE),
            ),
            "latent_salvage_days": np.where(np.isfinite(course.days), course.days, np.nan),
            "recurrence_risk": course.risk(followed.end),
        }
    )


def with_missing(
    recipe: Recipe, frame: pd.DataFrame, latent: Latent, shares: Mapping[str, float], *, fixed: bool
) -> pd.DataFrame:
    """Empty a share of the cells of some columns, at random given the recipe's predictors.

    Raises
    ------
    ColumnError
        If a column is not one of the covariates.
    OptionError
        If a share is not between 0 and 1.
    """
    allowed = [v.name for v in recipe.variables if v.name not in ("method", "centre")]
    rng, n = latent.streams["missing"], len(frame)
    eta = linear_predictor(recipe, recipe.missingness, latent.columns, n)
    out = frame.copy()
    for name, share in shares.items():
        if name not in allowed:
            hint = closest(str(name), allowed)
            raise ColumnError(
                f"Values of {name!r} cannot go missing; choose among {allowed}.{hint}"
            )
        if not 0.0 <= share < 1.0:
            raise OptionError(f"The share missing of {name!r} must be in [0, 1), not {share!r}.")
        risk = share * np.exp(eta) / np.mean(np.exp(eta))
        risk = np.minimum(risk, 0.999) if share else np.zeros(n)
        chosen = conditional_bernoulli(risk, round(share * n), rng) if fixed else None
        gone = rng.random(n) < risk if chosen is None else chosen
        out[name] = out[name].mask(gone)
    return out
