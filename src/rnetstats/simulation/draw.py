"""Drawing a synthetic cohort that carries its own truth."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.options import choice, positive_int, real
from rnetstats._core.random import resolve_seed
from rnetstats._core.result import Result
from rnetstats.data.builtin import builtin_codebook
from rnetstats.errors import OptionError
from rnetstats.formatting import fmt_number
from rnetstats.simulation.drawers import DRAWERS, drawn_parts
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
from rnetstats.simulation.recipe_file import load_recipe
from rnetstats.simulation.truth import Truth, true_values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DrawnCohort", "draw_cohort"]


_COUNTS = {
    "patients": "n",
    "positive margins": "n_margin_positive",
    "recurrences": "n_recurrences",
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DrawnCohort(Result):
    """A synthetic cohort with the truth it was drawn from.

    Attributes
    ----------
    name : str
        The recipe's name.
    truth : Truth
        Coefficients and true values of the estimands; computed when first asked for, since that
        takes longer than the draw.
    fidelity : DataFrame
        ``quantity, published, standing, drawn, tolerance, met``.
    data : DataFrame
        One row a patient, as a registry would record it.
    latent : DataFrame
        Unrounded values and latent times, row by row (never written to JSON, like ``data``).
    """

    name: str
    truth: Truth
    fidelity: pd.DataFrame
    data: pd.DataFrame = field(default=None, metadata={"rows": True})  # type: ignore[assignment]
    latent: pd.DataFrame = field(default=None, metadata={"rows": True})  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if callable(self.truth):
            object.__setattr__(self, "_make_truth", self.truth)
            object.__delattr__(self, "truth")

    def __getattr__(self, name: str) -> Any:
        """Compute the truth, the only field that may be absent, and keep it."""
        if name != "truth" or "_make_truth" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        object.__setattr__(self, "truth", self.__dict__["_make_truth"]())
        return self.__dict__["truth"]

    def to_frame(self) -> pd.DataFrame:
        """Return the table of fidelity."""
        return self.fidelity.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: recipe, truth, and the totals drawn that its study prints."""
        drawn = self.fidelity.set_index("quantity")["drawn"]
        counts = {new: [int(drawn[old])] for old, new in _COUNTS.items() if old in drawn.index}
        median = "median follow-up (months)"
        follow_up = {"median_follow_up": [float(drawn[median])]} if median in drawn.index else {}
        return pd.DataFrame(
            {
                "recipe": [self.name],
                "truth": [self.options["truth"]],
                "totals": [self.options["totals"]],
                **counts,
                **follow_up,
                "synthetic": [True],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the table of fidelity as text."""
        shown = self.fidelity.copy()
        for name in ("published", "drawn", "tolerance"):
            shown[name] = [fmt_number(v, 0 if v == round(v) else 1) for v in shown[name]]
        shown["met"] = ["yes" if met else "no" for met in shown["met"]]
        return shown

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each patient's follow-up by calendar date of enrolment, recurrences marked.

        Cohorts without such dates show instead how close they come to what is printed.
        """
        import matplotlib.pyplot as plt

        from rnetstats.plots.style import mark_synthetic

        rows = self._need("data", "The plot of follow-up")
        if self.name in DRAWERS:
            from rnetstats.plots.fidelity import fidelity_plot

            return fidelity_plot(self.fidelity, ax=ax)
        axes = plt.subplots()[1] if ax is None else ax
        for flag, name, colour in ((0, "negative", "tab:blue"), (1, "positive", "tab:orange")):
            group = rows[rows["margin_positive"] == flag]
            axes.plot(
                group["enrolment_date"],
                group["os_months"],
                ".",
                color=colour,
                alpha=0.4,
                label=name,
            )
            seen = group[group["recurrence"] == 1]
            axes.plot(seen["enrolment_date"], seen["dfs_months"], "x", color=colour, mew=2)
        axes.set_xlabel("Enrolment")
        axes.set_ylabel("Follow-up (dots) and recurrence (crosses), months")
        axes.legend(title="Margin (synthetic data)")
        mark_synthetic(axes)
        return axes


def draw_cohort(
    name: str = "duan2024",
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
    name : str
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
    if name in DRAWERS:
        _recipe_only(split=split, patients=patients, recurrences=recurrences, missing=missing)
        return _from_drawer(name, truth, choice("totals", totals, ("fixed", "free")), seed)
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
    data.attrs["rnetstats"] = _provenance(recipe.name, truth, totals, drawn_seed)
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
    data.attrs["rnetstats"] = _provenance(name, truth, totals, drawn_seed)
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
        positive_int("patients", patients, minimum=20)
    if recurrences is not None:
        positive_int("recurrences", recurrences)
    targets = targets_of(recipe, patients, recurrences)
    if not 0 < targets.recurrences < targets.patients / 2:
        raise OptionError(
            f"recurrences={targets.recurrences} cannot be had among {targets.patients} patients; "
            "ask for at least 1 and fewer than half of them."
        )
    return targets


def _provenance(name: str, truth: str, totals: str, seed: int) -> dict[str, object]:
    specs = builtin_codebook(name).columns
    return {
        "synthetic": True,
        "study": name,
        "truth": truth,
        "source": (f"drawn from the recipe {name} (truth {truth}, totals {totals}, seed {seed})"),
        "labels": {spec.name: spec.label for spec in specs if spec.label},
        "units": {spec.name: spec.unit for spec in specs if spec.unit},
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
