"""Whether a recipe agrees with itself, and with the study whose columns it fills."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from scipy.special import ndtr

from rnetstats.data.builtin import builtin_codebook
from rnetstats.errors import RnetError, closest
from rnetstats.simulation.copula import root
from rnetstats.simulation.recipe import Recipe, Term, Variable

__all__ = ["check_form", "check_recipe"]

_WIDEST = 30.0
"""What the terms of one model may add up to on the log scale: a ratio of 10,000 billion."""
_LEAST_MASS = 1e-6


def check_recipe(recipe: Recipe) -> None:
    """Refuse a recipe that contradicts itself.

    Raises
    ------
    RnetError
        With the table that is wrong.
    """
    names = [variable.name for variable in recipe.variables]
    if not recipe.truths:
        raise RnetError("[truths] must hold at least one truth.")
    for variable in recipe.variables:
        _check_variable(variable)
    _check_pairs(recipe, names)
    for place, terms, more in _models(recipe):
        _check_terms(recipe, place, terms, (*names, *more))
    _check_totals(recipe)
    calendar = recipe.calendar
    if not calendar.first < calendar.last <= calendar.cutoff:
        raise RnetError(
            "[calendar] enrolment must begin before it ends, and end by the date of the cut-off: "
            f"{calendar.first}, {calendar.last}, {calendar.cutoff}."
        )


def check_form(recipe: Recipe, usual: Recipe) -> None:
    """Refuse a recipe whose variables are not those of its study.

    Raises
    ------
    RnetError
        If a variable differs, or levels that the codebook or the truth rest on (those of the
        centre are free).
    """
    columns = builtin_codebook(usual.name).columns
    free = {spec.name for spec in columns if spec.type == "category" and not spec.levels}
    own = {variable.name: variable.levels for variable in recipe.variables}
    theirs = {variable.name: variable.levels for variable in usual.variables}
    for name in own:
        if name not in theirs:
            raise RnetError(
                f"[variables.{name}] is no variable of {usual.name}, which has "
                f"{', '.join(theirs)}.{closest(name, theirs)}"
            )
    for name, levels in theirs.items():
        if name not in own:
            raise RnetError(f"[variables] lacks {name!r}, which {usual.name} has.")
        if own[name] != levels and not (own[name] and name in free):
            kind = f"levels {', '.join(levels)}, in this order" if levels else "numbers"
            raise RnetError(f"[variables.{name}] must have {kind}, as in {usual.name}.")


def _check_variable(variable: Variable) -> None:
    place = f"[variables.{variable.name}]"
    if variable.law == "levels":
        if len(set(variable.levels)) < 2 or len(set(variable.levels)) < len(variable.levels):
            raise RnetError(f"{place} levels must be two or more different texts.")
        if len(variable.shares) != len(variable.levels):
            raise RnetError(
                f"{place} has {len(variable.shares)} shares for {len(variable.levels)} levels."
            )
        return
    if not variable.lower < variable.upper:
        raise RnetError(f"{place} lower must be below upper.")
    ends = variable.normal_ends
    if ndtr(ends[1]) - ndtr(ends[0]) < _LEAST_MASS:
        raise RnetError(
            f"{place} has next to no values between {variable.lower:g} and {variable.upper:g}: "
            "its law lies elsewhere."
        )
    per_unit = 1.0 / variable.step
    if per_unit < 1.0 - 1e-9 or abs(per_unit - round(per_unit)) > 1e-9 * per_unit:
        raise RnetError(f"{place} step must be one over a whole number: 1, 0.5, 0.1, ...")


def _check_pairs(recipe: Recipe, names: Collection[str]) -> None:
    seen: set[frozenset[str]] = set()
    for a, b, _ in recipe.pairs:
        for name in (a, b):
            if name not in names:
                raise RnetError(f"[copula] pairs name no variable {name!r}.{closest(name, names)}")
        if a == b or frozenset((a, b)) in seen:
            raise RnetError(f"[copula] pairs: {a!r} and {b!r} are no pair, or are one twice.")
        seen.add(frozenset((a, b)))
    root(recipe)


def _models(recipe: Recipe) -> Iterator[tuple[str, tuple[Term, ...], tuple[str, ...]]]:
    """Each linear predictor: its place, its terms, and what they may name besides covariates."""
    yield "salvage.indication", recipe.salvage, ()
    yield "salvage.radical", recipe.radical, ()
    yield "death.hazard", recipe.death, ()
    yield "missingness", recipe.missingness, ()
    for truth in recipe.truths:
        yield f"truths.{truth.name}.margin", truth.margin, ()
        both = recipe.recurrence + truth.recurrence
        yield f"truths.{truth.name}.recurrence", both, ("margin_positive",)


def _check_terms(
    recipe: Recipe, place: str, terms: tuple[Term, ...], names: Collection[str]
) -> None:
    """Refuse terms of no variable, of no level, and terms that would overflow."""
    total = 0.0
    for term in terms:
        if term.variable not in names:
            hint = closest(term.variable, names)
            raise RnetError(f"[{place}] has a term of {term.variable!r}, no variable here.{hint}")
        total += _largest(recipe, place, term)
    if total > _WIDEST:
        raise RnetError(
            f"[{place}] moves the log odds or the log hazard by up to {total:.0f}; at most "
            f"{_WIDEST:.0f} can be drawn from."
        )


def _largest(recipe: Recipe, place: str, term: Term) -> float:
    """Return the most that a term can add."""
    size = abs(term.coefficient)
    if term.variable == "margin_positive":
        if term.level is None and term.above is None and term.centre == 0.0:
            return size
        raise RnetError(f"[{place}] margin_positive takes a coefficient alone.")
    variable = recipe.variable(term.variable)
    if variable.law == "levels":
        if term.level in variable.levels and term.above is None and term.centre == 0.0:
            return size
        raise RnetError(
            f"[{place}] a term of {term.variable!r} needs a level: one of "
            f"{', '.join(map(repr, variable.levels))}, and no cut-off."
        )
    if term.level is not None:
        raise RnetError(f"[{place}] {term.variable!r} is a number and has no level {term.level!r}.")
    if term.above is not None:
        return size
    return size * max(abs(variable.lower - term.centre), abs(variable.upper - term.centre))


def _check_totals(recipe: Recipe) -> None:
    totals = recipe.totals
    if not 0 < totals.margin_positive < totals.patients:
        raise RnetError("[totals] margin_positive must be at least 1 and fewer than the patients.")
    levels = tuple(level for level, _ in totals.method)
    names = [variable.name for variable in recipe.variables]
    if "method" in names and levels != recipe.variable("method").levels:
        raise RnetError(
            "[totals.method] value must count the levels of [variables.method], in their order: "
            f"{', '.join(recipe.variable('method').levels)}."
        )
    if not sum(count for _, count in totals.method):
        raise RnetError("[totals.method] value counts nobody.")
