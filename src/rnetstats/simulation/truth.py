"""The truth behind a drawn cohort: coefficients, and the value of every estimand reported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.result import Result
from rnetstats.errors import OptionError, closest
from rnetstats.formatting import fmt_number
from rnetstats.simulation.course import Constants, delay_days
from rnetstats.simulation.limits import Limits, cox_limit, limits
from rnetstats.simulation.margin_limits import margin_models
from rnetstats.simulation.population import (
    Targets,
    both_margins,
    margin_risk,
    points,
    solve_constants,
)
from rnetstats.simulation.recipe import MONTH_DAYS, Recipe, Term

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["HORIZONS", "Truth", "true_values"]

HORIZONS = (60.0, 72.0)
"""Months at which survival and incidence are reported."""

_ROUNDING = 1e-10
_SHOWN = 4  # places of an estimand that an error names
Row = tuple[str, str, str, float, str, float]
_COLUMNS = ("estimand", "endpoint", "group", "months", "measure", "value")
_NAMES = {
    "recurrence": "time to recurrence",
    "dfs": "disease-free survival",
    "os": "overall survival",
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Truth(Result):
    """What a synthetic cohort was drawn from.

    Attributes
    ----------
    name, label : str
        The truth's name, and what it says.
    coefficients : DataFrame
        ``model, term, coefficient``: every coefficient of the generating models, on the log
        scale; the intercepts are solved for the totals.
    estimands : DataFrame
        ``estimand, endpoint, group, months, measure, value``: what an estimator of that quantity
        tends to in an unlimited cohort of this kind, by numerical integration over 16,384 points:
        ratios are right to 1 % and most of them to 0.1 %, risks and their differences to 0.002,
        restricted means to 0.01 months. Where the fitted model is not the generating one, this is
        its least-false value.
    """

    name: str
    label: str
    coefficients: pd.DataFrame
    estimands: pd.DataFrame

    def value(
        self, estimand: str, group: str = "", months: float = 0.0, endpoint: str = ""
    ) -> float:
        """Return one estimand's value; ``months`` 0 and empty text mean not applicable.

        Parameters
        ----------
        estimand, group, endpoint : str
            As in :meth:`to_frame`.
        months : float
            The time by which a risk or survival is meant.

        Raises
        ------
        OptionError
            If there is no such estimand; :meth:`to_frame` has all.
        """
        e = self.estimands
        keep = (e["estimand"] == estimand) & (e["group"] == group) & (e["months"] == months)
        found = e.loc[keep & (e["endpoint"] == endpoint), "value"]
        if len(found) != 1:
            raise OptionError(_unknown(e, estimand, group, months, endpoint))
        return float(found.iloc[0])

    def to_frame(self) -> pd.DataFrame:
        """Return the estimands."""
        return self.estimands.copy()

    def glance(self) -> pd.DataFrame:
        """Return the truth's name and the size of its tables."""
        return pd.DataFrame(
            {
                "truth": [self.name],
                "label": [self.label],
                "n_coefficients": [len(self.coefficients)],
                "n_estimands": [len(self.estimands)],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the estimands as text."""
        shown = self.estimands.copy()
        shown["months"] = [f"{m:g}" if m else "" for m in shown["months"]]
        shown["value"] = [fmt_number(v, 3) for v in shown["value"]]
        return shown

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the true odds and hazard ratios on a logarithmic axis."""
        from rnetstats.plots.simulated import true_ratios
        from rnetstats.plots.style import marked

        rows = self.estimands[self.estimands["measure"].isin(["OR", "HR"])]
        parts = zip(rows["estimand"], rows["endpoint"], rows["group"], strict=True)
        labels = [": ".join(part for part in told if part) for told in parts]
        return marked(true_ratios(labels, rows["value"].to_numpy(), ax=ax), True)


def _unknown(estimands: pd.DataFrame, estimand: Any, *where: Any) -> str:
    """Say that there is no such estimand, or what an estimand of this name is given for."""
    names = estimands["estimand"].unique().tolist()
    if estimand not in names:
        listed = ", ".join(repr(name) for name in names)
        return f"There is no estimand {estimand!r}.{closest(estimand, names)} There are {listed}."
    rows = estimands.loc[estimands["estimand"] == estimand, ["group", "months", "endpoint"]]
    known = [f"group={g!r}, months={m:g}, endpoint={e!r}" for g, m, e in rows.to_numpy()]
    more = f"; and {len(known) - _SHOWN} more, see to_frame()" if len(known) > _SHOWN else ""
    group, months, endpoint = where
    return (
        f"{estimand!r} has no value for group={group!r}, months={months!r}, "
        f"endpoint={endpoint!r}. It is there for {'; '.join(known[:_SHOWN])}{more}."
    )


def _coefficients(recipe: Recipe, truth: str, constants: Constants) -> pd.DataFrame:
    effects = recipe.truth(truth)
    salvage = (
        Term("salvage", effects.endoscopic, level="endoscopic"),
        Term("salvage", effects.radical, level="radical"),
    )
    models: dict[str, tuple[float, tuple[Term, ...]]] = {
        "positive margin (log odds)": (constants.margin, effects.margin),
        "salvage given a positive margin (log odds)": (constants.salvage, recipe.salvage),
        "radical given salvage (log odds)": (constants.radical, recipe.radical),
        "recurrence (log hazard)": (
            constants.recurrence,
            (*effects.recurrence, *salvage, *recipe.recurrence),
        ),
        "death (log hazard)": (constants.death, recipe.death),
    }
    rows = [
        (model, term, value)
        for model, (intercept, terms) in models.items()
        for term, value in [("(Intercept)", intercept), *((t.label, t.coefficient) for t in terms)]
    ]
    return pd.DataFrame(rows, columns=["model", "term", "coefficient"])


def _margin_rows(recipe: Recipe, truth: str, constants: Constants) -> Iterator[Row]:
    yield (
        "share positive",
        "",
        "",
        0.0,
        "risk",
        float(margin_risk(recipe, truth, constants).mean()),
    )
    for name, model in margin_models(recipe, truth, constants).items():
        label = f"margin model, {name.split(' ')[0]}" if model.terms else "margin, true risk"
        for j, term in enumerate(model.terms):
            yield (label, "", term, 0.0, "OR", float(np.exp(model.coef[j + 1])))
            difference = float(model.risk_difference[j])
            yield (f"{label}, standardised", "", term, 0.0, "RD", difference)
        if not name.startswith("univariable"):
            yield (f"{label}, discrimination", "", "", 0.0, "AUC", model.auc)


def _curve_rows(found: Limits) -> Iterator[Row]:
    groups = {"margin negative": "negative", "margin positive": "positive"}
    for endpoint, name in _NAMES.items():
        for label, group in groups.items():
            process = found.process(endpoint, group)
            for month in HORIZONS:
                yield ("survival", name, label, month, "S(t)", process.survival(month))
            mean = process.restricted_mean(HORIZONS[-1])
            yield ("restricted mean", name, label, HORIZONS[-1], "months", mean)
        pair = (found.process(endpoint, "negative"), found.process(endpoint, "positive"))
        yield (
            "positive against negative margin",
            name,
            "",
            0.0,
            "HR",
            float(np.exp(cox_limit(*pair))),
        )
    for label, group in groups.items():
        for month in HORIZONS:
            value = found.cumulative_incidence(group, month)
            yield ("cumulative incidence", _NAMES["recurrence"], label, month, "risk", value)
    odds = [found.process("recurrence", g) for g in ("negative", "positive")]
    shares = [p.events.sum() / p.at_risk[0] for p in odds]
    ratio = shares[1] / (1 - shares[1]) / (shares[0] / (1 - shares[0]))
    yield ("recurrence seen, positive against negative", "", "", 0.0, "OR", float(ratio))


def _salvage_rows(found: Limits) -> Iterator[Row]:
    for endpoint in ("recurrence", "dfs"):
        name = _NAMES[endpoint]
        for view, label in (("now", "time-dependent"), ("naive", "naive, from time zero")):
            none, endoscopic, radical = (
                found.process(endpoint, f"{kind} {view}")
                for kind in ("none", "endoscopic", "radical")
            )
            pairs = {
                "any against none": (none, endoscopic + radical),
                "endoscopic against none": (none, endoscopic),
                "radical against none": (none, radical),
                "endoscopic against radical": (radical, endoscopic),
            }
            for group, pair in pairs.items():
                ratio = float(np.exp(cox_limit(*pair)))
                yield (f"salvage, {label}", name, group, 0.0, "HR", ratio)
            if view == "naive":
                for group, process in (("none", none), ("any", endoscopic + radical)):
                    for month in HORIZONS:
                        value = process.survival(month)
                        yield ("survival, naive salvage group", name, group, month, "S(t)", value)


def _strategy_rows(recipe: Recipe, truth: str, constants: Constants) -> Iterator[Row]:
    """Risk of recurrence among the positive if nobody, or everybody, had salvage (no deaths)."""
    pop, effects = points(recipe), recipe.truth(truth)
    course = both_margins(recipe, truth, constants)[1]
    weight = margin_risk(recipe, truth, constants)
    delay = delay_days(recipe, pop.uniforms["delay"]) / MONTH_DAYS
    factors = {"none": 0.0, "endoscopic": effects.endoscopic, "radical": effects.radical}
    for strategy, log_ratio in factors.items():
        change = np.full(pop.n, np.inf) if strategy == "none" else delay
        treated = replace(course, change=change, factor=np.full(pop.n, np.exp(log_ratio)))
        for month in HORIZONS:
            risk = float(np.average(treated.risk(month), weights=weight))
            yield ("risk if all positive had", _NAMES["recurrence"], strategy, month, "risk", risk)


@lru_cache(maxsize=16)
def true_values(recipe: Recipe, truth: str, targets: Targets) -> Truth:
    """Compute the truth of a recipe at given totals (about one second, then remembered).

    Parameters
    ----------
    recipe : Recipe
    truth : str
    targets : Targets

    Returns
    -------
    Truth
    """
    constants = solve_constants(recipe, truth, targets)
    found = limits(recipe, truth, constants)
    rows: list[Row] = [
        *_margin_rows(recipe, truth, constants),
        *_curve_rows(found),
        *_salvage_rows(found),
        *_strategy_rows(recipe, truth, constants),
    ]
    # what is zero but for rounding is zero, on every machine
    rows = [(*row[:5], 0.0 if abs(row[5]) < _ROUNDING else row[5]) for row in rows]
    options: dict[str, Any] = {
        "recipe": recipe.name,
        "patients": targets.patients,
        "margin_positive": targets.margin_positive,
        "recurrences": targets.recurrences,
    }
    return Truth(
        name=truth,
        label=recipe.truth(truth).label,
        coefficients=_coefficients(recipe, truth, constants),
        estimands=pd.DataFrame(rows, columns=list(_COLUMNS)),
        options=options,
        notes=(
            "Values are limits in an unlimited cohort drawn with totals right in expectation; "
            "fixing the totals of a small cohort moves them slightly.",
        ),
    )
