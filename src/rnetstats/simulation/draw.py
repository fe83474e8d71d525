"""Drawing a synthetic cohort that carries its own truth."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial

import pandas as pd

from rnetstats._core.options import choice, positive_int, real
from rnetstats._core.random import resolve_seed
from rnetstats.data.builtin import builtin_codebook
from rnetstats.data.checks import check_applicability
from rnetstats.data.ledger import Ledger
from rnetstats.errors import OptionError
from rnetstats.simulation.drawers import DRAWERS, drawn_parts
from rnetstats.simulation.drawn_cohort import DrawnCohort
from rnetstats.simulation.fidelity import fidelity
from rnetstats.simulation.latent import draw_latent
from rnetstats.simulation.observed import (
    latent_frame,
    observed_arrays,
    observed_frame,
    with_missing,
)
from rnetstats.simulation.population import Targets, targets_of
from rnetstats.simulation.recipe import Recipe
from rnetstats.simulation.recipe_file import check_name, load_recipe, recipe_names
from rnetstats.simulation.truth import Truth, true_values

__all__ = ["DrawnCohort", "draw_cohort"]

_MOST_PATIENTS = 10_000_000  # some ten gigabytes


def draw_cohort(
    name: str | os.PathLike[str] = "duan2024",
    *,
    truth: str = "as_published",
    totals: str = "fixed",
    seed: int | None = None,
    split: tuple[int, int] | None = None,
    patients: int | None = None,
    recurrences: int | None = None,
    missing: Mapping[str, float] | None = None,
) -> DrawnCohort:
    """Draw a synthetic cohort from a study's recipe.

    Parameters
    ----------
    name : str or path
        A study, or the path of a recipe ending in ``.toml``.
    truth : str
        ``"as_published"`` or ``"null"``; of ``duan2024`` also ``"smooth"``.
    totals : {"fixed", "free"}
        Meet the published totals exactly (for demonstration), or in expectation (for operating
        characteristics: conditioning on 12 events distorts them).
    seed : int, optional
        The same seed gives the same cohort; None draws entropy and records it.
    split : (int, int), optional
        With fixed totals: recurrences among positive and among negative margins, a chosen
        possible world. This option and those below are for ``duan2024`` and recipes in its form.
    patients, recurrences : int, optional
        Another size of cohort; margins and, unless given, recurrences grow with it.
    missing : mapping of str to float, optional
        Share of values to empty, by column.

    Returns
    -------
    DrawnCohort
        ``.data``, ``.latent``, ``.truth`` and ``.fidelity``.

    Raises
    ------
    OptionError
        If an option is not allowed, of the wrong type, or contradicts another.
    ColumnError
        If values of a column of ``missing`` cannot go missing.

    References
    ----------
    Chen XH, Dempster AP, Liu JS (1994) Weighted finite population sampling to maximize entropy.
    Biometrika 81:457-469 (fixed totals). Bender R, Augustin T, Blettner M (2005) Generating
    survival times to simulate Cox proportional hazards models. Stat Med 24:1713-1723.

    Examples
    --------
    >>> import rnetstats as rn
    >>> drawn = rn.draw_cohort("duan2024", seed=1, split=(8, 4))
    >>> drawn.data.groupby("margin_positive")["recurrence"].sum().tolist()
    [4, 8]
    >>> bool(drawn.fidelity["met"].all())
    True
    """
    if not isinstance(name, str | os.PathLike):
        raise OptionError(f"name must be the name of a study or a recipe's path, not {name!r}.")
    name = os.fsdecode(name)
    if name in DRAWERS:
        _recipe_only(split=split, patients=patients, recurrences=recurrences, missing=missing)
        return _from_drawer(name, truth, choice("totals", totals, ("fixed", "free")), seed)
    if not name.endswith(".toml"):
        check_name(name, sorted([*recipe_names(), *DRAWERS]))
    recipe = load_recipe(name)
    recipe.truth(truth)
    fixed = choice("totals", totals, ("fixed", "free")) == "fixed"
    if split is not None and not fixed:
        raise OptionError('split= chooses where fixed recurrences fall: it needs totals="fixed".')
    split = _split(split)
    shares = _shares(missing)
    targets = _targets(recipe, patients, recurrences)
    drawn_seed = resolve_seed(seed)
    latent = draw_latent(recipe, truth, targets, drawn_seed, fixed=fixed, split=split)
    arrays = observed_arrays(recipe, latent)
    data = observed_frame(recipe, arrays)
    if shares:
        data = with_missing(recipe, data, latent, shares, fixed=fixed)
    data.attrs["rnetstats"] = _about(data, recipe.name, truth, totals, drawn_seed)
    options = {
        "truth": truth,
        "totals": totals,
        "split": None if split is None else list(split),
        "patients": targets.patients,
        "recurrences": targets.recurrences,
        "missing": shares,
    }
    return DrawnCohort(
        name=recipe.name,
        truth=partial(true_values, recipe, truth, targets),  # type: ignore[arg-type]
        fidelity=fidelity(recipe, targets, arrays),
        data=data,
        latent=latent_frame(recipe, latent),
        seed=drawn_seed,
        options=options,
        notes=_notes(recipe.truth(truth).label, fixed, split),
    )


def _recipe_only(**given: object) -> None:
    """Refuse options that only the recipes of a margin study have."""
    used = [name for name, value in given.items() if value is not None]
    if used:
        raise OptionError(
            f"{', '.join(used)}= can be chosen for duan2024 and recipes in its form only; leave "
            "it out."
        )


def _from_drawer(name: str, truth: str, totals: str, seed: int | None) -> DrawnCohort:
    """Draw a cohort that has a module of its own."""
    drawn_seed = resolve_seed(seed)
    fixed = totals == "fixed"
    recipe, drawn = drawn_parts(name, truth, drawn_seed, fixed=fixed)
    data = drawn.data.copy()
    data.attrs["rnetstats"] = _about(data, name, truth, totals, drawn_seed)
    return DrawnCohort(
        name=name,
        truth=Truth(
            name=truth,
            label=recipe.label(truth),
            coefficients=drawn.coefficients,
            estimands=drawn.estimands,
        ),
        fidelity=drawn.fidelity,
        data=data,
        latent=drawn.latent,
        seed=drawn_seed,
        options={"truth": truth, "totals": totals},
        notes=_notes(recipe.label(truth), fixed, None),
        synthetic=True,
    )


def _split(split: object) -> tuple[int, int] | None:
    """Return the two counts of ``split=``; whether they fit the totals is seen later."""
    if split is None:
        return None
    if not isinstance(split, tuple | list) or len(split) != 2:
        raise OptionError(
            f"split={split!r} must be two whole numbers, recurrences among positive and among "
            "negative margins, such as (8, 4)."
        )
    positive, negative = (positive_int("split", part, minimum=0) for part in split)
    return positive, negative


def _shares(missing: object) -> dict[str, float]:
    """Return the shares of ``missing=`` as numbers by column."""
    if missing is None:
        return {}
    if not isinstance(missing, Mapping):
        raise OptionError(
            f"missing={missing!r} must name the share of values to empty by column, such as "
            '{"nlr": 0.1}.'
        )
    return {name: real(f"missing[{name!r}]", share) for name, share in missing.items()}


def _targets(recipe: Recipe, patients: int | None, recurrences: int | None) -> Targets:
    if patients is not None:
        patients = positive_int("patients", patients, minimum=20)
    if recurrences is not None:
        recurrences = positive_int("recurrences", recurrences)
    targets = targets_of(recipe, patients, recurrences)
    if targets.patients > _MOST_PATIENTS:
        raise OptionError(
            f"At most {_MOST_PATIENTS:,} patients are drawn at once, not {targets.patients:,}."
        )
    if not 0 < targets.recurrences < targets.patients / 2:
        raise OptionError(
            f"recurrences={targets.recurrences} cannot be had among {targets.patients} patients; "
            "ask for at least 1 and fewer than half of them."
        )
    return targets


def _about(data: pd.DataFrame, name: str, truth: str, totals: str, seed: int) -> dict[str, object]:
    """Return what a cohort that is read from a file carries too, and that it was drawn."""
    book = builtin_codebook(name)
    specs = book.columns
    missing, structural = check_applicability(data, book, list(data.columns), Ledger(name))
    return {
        "synthetic": True,
        "study": name,
        "truth": truth,
        "source": (f"drawn from the recipe {name} (truth {truth}, totals {totals}, seed {seed})"),
        "labels": {spec.name: spec.label for spec in specs if spec.label},
        "units": {spec.name: spec.unit for spec in specs if spec.unit},
        "missing": missing,
        "structural": structural,
    }


def _notes(label: str, fixed: bool, split: tuple[int, int] | None) -> tuple[str, ...]:
    notes = [f"Synthetic: no patient is behind these rows. Truth: {label}."]
    if fixed:
        notes.append(
            "Totals are fixed at the published ones: for demonstration, not for operating "
            "characteristics."
        )
    if split is not None:
        notes.append(
            f"A chosen possible world: {split[0]} recurrences among positive margins, "
            f"{split[1]} among negative ones."
        )
    return tuple(notes)
