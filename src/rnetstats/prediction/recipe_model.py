"""From a recipe and data to its refit, and to its risk model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, as_frame
from rnetstats._core.random import resolve_seed
from rnetstats.errors import OptionError, TooFewEventsError
from rnetstats.formula.outcome import Outcome, build_outcome
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.rows import select_rows
from rnetstats.kernels.cox_horizon import hazard_until
from rnetstats.prediction.recipe_imputed import completer, variables_of
from rnetstats.prediction.recipe_made import Made
from rnetstats.prediction.recipe_refit import RecipeRefit
from rnetstats.prediction.recipe_steps import candidates
from rnetstats.prediction.refit import replicate_seeds
from rnetstats.prediction.risk_model import RiskModel, risk_model
from rnetstats.regression.cox import cox
from rnetstats.regression.logistic import logistic

if TYPE_CHECKING:
    from rnetstats.prediction.recipe import Recipe

__all__ = ["fit_recipe", "refit_of_recipe"]


def refit_of_recipe(recipe: Recipe, data: Data, horizon: float | None) -> RecipeRefit:
    """Return what repeats a recipe in resamples of the data.

    With imputation, rows with a missing outcome are left out, and the rows that predictions are
    made for are completed once by all of them.
    """
    parsed = parse_formula(recipe.formula)
    left = parsed.outcome
    assert left is not None
    if horizon is not None and not left.times:
        raise OptionError("time= has no meaning for a binary outcome, whose risk has no time.")
    table = as_frame(data)
    columns = left.columns if recipe.impute else parsed.columns
    rows = select_rows(table, columns, None, "drop")
    notes = rows.notes
    outcome = build_outcome(left, "survival" if left.times else "binary", rows)
    _refuse_constant(outcome)
    part = table.iloc[rows.positions].reset_index(drop=True)
    part.attrs = dict(table.attrs)
    complete = None
    if recipe.impute:
        predictors = tuple(name for name in parsed.columns if name not in left.columns)
        lacking = int(part[list(predictors)].isna().any(axis=1).sum())
        notes.append(f"{lacking} of {len(part)} rows had values imputed.")
        if lacking:
            complete = completer(part, left, predictors)
            part = complete(np.ones(len(part)), 0)
    variables = variables_of(part, parsed.columns)
    refit = RecipeRefit(
        candidates(parsed, variables, recipe.cut or {}, notes),
        outcome,
        variables,
        firth=recipe.penalty == "firth",
        selection=recipe.selection,
        shrink=recipe.shrink,
        m=recipe.m,
        horizon=horizon,
        complete=complete,
        imputations=1 if complete is None else recipe.impute or 1,
    )
    refit.formula, refit.positions = recipe.formula, rows.positions
    refit.table, refit.notes = part, tuple(notes)
    return refit


def _refuse_constant(outcome: Outcome) -> None:
    """Say so if there is nothing to be told apart."""
    if outcome.y is not None and np.ptp(outcome.y) == 0.0:
        raise TooFewEventsError(
            f"The outcome {outcome.name!r} is {outcome.y[0]:g} in all {len(outcome.y)} rows: a "
            "model needs patients with the event and without."
        )
    if outcome.event is not None and not outcome.event.any():
        raise TooFewEventsError(
            f"There is no event of {outcome.name!r} in the {len(outcome.event)} rows."
        )


def fit_recipe(recipe: Recipe, data: Data, seed: int | None) -> RiskModel:
    """Carry out a recipe; see :meth:`rnetstats.prediction.recipe.Recipe.fit`."""
    refit = refit_of_recipe(recipe, data, recipe.horizon)
    if not refit.binary and recipe.horizon is None:
        raise OptionError("A model of a time gives risks by a horizon: recipe(..., horizon=36).")
    drawn = resolve_seed(seed)
    first = int(replicate_seeds(drawn, np.zeros(1, dtype=np.int64))[0])
    tables = _tables(recipe, refit, first)
    made = [_made(refit, table, first) for table in tables]
    chosen = _agreed(made)
    left = recipe.formula.partition("~")[0].strip()
    formula = f"{left} ~ {refit.plan.text(chosen.learned, chosen.kept[0])}"
    if not refit.binary and not chosen.kept[0].any():
        raise TooFewEventsError("The recipe selected no term: there is no model to be made.")
    models = [_finished(recipe, refit, table, formula, chosen, first) for table in tables]
    model = models[0] if len(models) == 1 else _averaged(models)
    return replace(
        model,
        method=f"{model.method}, made by a recipe",
        notes=tuple(dict.fromkeys((*refit.notes, *model.notes, *_said(recipe, refit, chosen)))),
        options={**model.options, "recipe": recipe.to_dict()},
        seed=drawn,
    )


def _tables(recipe: Recipe, refit: RecipeRefit, seed: int) -> list[pd.DataFrame]:
    """Return the rows, once for each imputation."""
    if refit.complete is None:
        return [refit.table]
    ones = np.ones(refit.n)
    return [refit.complete(ones, seed + m) for m in range(recipe.impute or 1)]


def _made(refit: RecipeRefit, table: pd.DataFrame, seed: int) -> Made:
    variables = variables_of(table, tuple(refit.variables))
    made, _ = refit.make(variables, np.ones((1, refit.n)), np.array([seed]))
    if not made.usable[0]:
        raise TooFewEventsError(
            "The recipe gives no model of these data: an outcome is constant, a cut-off or knot "
            "cannot be placed, or the estimates are infinite, here or in all resamples that a "
            "shrinkage is taken from (penalty='firth' keeps them finite)."
        )
    return made


def _agreed(made: list[Made]) -> Made:
    """Return what the imputations agree on: terms kept in at least half, the median cut-off.

    References
    ----------
    Wood AM, White IR, Royston P (2008). How should variable selection be performed with multiply
    imputed data? Statistics in Medicine 27:3227-3246.
    """
    if len(made) == 1:
        return made[0]
    kept = np.mean([one.kept for one in made], axis=0) >= 0.5
    cuts = {
        name: np.median([one.learned.cuts[name] for one in made], axis=0)
        for name in made[0].learned.cuts
    }
    return replace(made[0], kept=kept, learned=replace(made[0].learned, cuts=cuts))


def _model(recipe: Recipe, refit: RecipeRefit, table: pd.DataFrame, formula: str) -> RiskModel:
    if refit.binary:
        return risk_model(logistic(table, formula, penalty=recipe.penalty, m=recipe.m))
    fit = cox(table, formula, penalty=recipe.penalty, m=recipe.m)
    return risk_model(fit, horizon=recipe.horizon)


def _finished(
    recipe: Recipe, refit: RecipeRefit, table: pd.DataFrame, formula: str, made: Made, seed: int
) -> RiskModel:
    """Return the model of one completed table, with the recipe's own coefficients."""
    model = _model(recipe, refit, table, formula)
    coef = refit.finish(variables_of(table, tuple(refit.variables)), made, seed)
    return replace(model, coef=coef) if refit.binary else _with_slopes(model, refit, table, coef)


def _averaged(models: list[RiskModel]) -> RiskModel:
    """Return the mean model of several imputations, its covariance by Rubin's rules."""
    first, m = models[0], len(models)
    coefs = np.array([model.coef for model in models])
    within = np.mean([np.asarray(model.covariance) for model in models], axis=0)
    between = np.atleast_2d(np.cov(coefs, rowvar=False))
    baseline = first.baseline
    if baseline is not None:
        parts = [model.baseline or baseline for model in models]
        baseline = {
            **baseline,
            **{
                name: np.mean([part[name] for part in parts], axis=0)
                for name in ("hazard", "variance", "mean_hazard", "centre")
            },
        }
    return replace(
        first,
        coef=coefs.mean(axis=0),
        covariance=within + (1.0 + 1.0 / m) * between,
        baseline=baseline,
        fingerprint="",
        notes=(*first.notes, f"Coefficients are means over {m} imputations (Rubin's rules)."),
    )


def _with_slopes(
    model: RiskModel, refit: RecipeRefit, table: pd.DataFrame, slopes: np.ndarray
) -> RiskModel:
    """Return a Cox model with other slopes, its baseline hazard estimated again."""
    assert model.baseline is not None
    assert model.horizon is not None
    X = model.design.matrix(table) - np.asarray(model.baseline["centre"])
    hazard = hazard_until(refit.sets, (X @ slopes)[None, :], model.horizon)
    baseline: dict[str, Any] = {**model.baseline, "hazard": hazard}
    return replace(model, coef=slopes, baseline=baseline)


def _said(recipe: Recipe, refit: RecipeRefit, made: Made) -> list[str]:
    """Say what was chosen on the data, and that the limits know nothing of it."""
    said = []
    for name, cuts in made.learned.cuts.items():
        how = (recipe.cut or {}).get(name)
        if isinstance(how, str):
            said.append(f"{name} > {cuts[0]:g} was chosen on these data ({how}).")
    if recipe.select is not None:
        names = [n for n, keep in zip(refit.plan.names, made.kept[0], strict=True) if keep]
        said.append(
            f"Selected of {len(refit.plan.names)} candidates: {', '.join(names) or 'none'}."
        )
    if recipe.shrink:
        said.append(f"The slopes were shrunken ({recipe.shrink}).")
    if said or recipe.impute:
        said.append(
            "The limits of the risk take these choices as given; validate(recipe, data) repeats "
            "them."
        )
    return said
