"""A fitted model as text: the table for people, and the rows of its forest plot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_p
from rnetstats.formula.spec import INTERCEPT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Tabulated", "draw_forest", "forest_rows", "model_table"]


class Tabulated(Protocol):
    """What a table of coefficients needs: one model's, or those of several."""

    @property
    def coefficients(self) -> pd.DataFrame:
        """Coefficients in the shared schema."""

    @property
    def references(self) -> pd.DataFrame:
        """Reference levels: ``term, level, n, n_events``."""

    @property
    def joint(self) -> pd.DataFrame:
        """Joint tests: ``term, kind, df, statistic, p_value``."""

    @property
    def options(self) -> dict[str, Any]:
        """Options of the call; ``conf_level`` among them."""

    @property
    def synthetic(self) -> bool:
        """Whether the rows were drawn rather than observed."""

    def label(self, term: str) -> str:
        """Return the printed name of a term."""


def model_table(fit: Tabulated) -> pd.DataFrame:
    """Return one row a coefficient, reference level or spline, every cell a text."""
    measure = str(fit.coefficients["measure"].iloc[-1])
    interval = f"{100 * fit.options['conf_level']:g} % CI"
    rows: list[dict[str, str]] = []

    def add(term: str, row: Mapping[Any, Any], estimate: str, limits: str, p: str) -> None:
        rows.append(
            {
                "term": fit.label(term),
                "level": str(row["level"]),
                "n": fmt_count(row["n"]),
                "events": fmt_count(row["n_events"]),
                measure: estimate,
                interval: limits,
                "P": p,
            }
        )

    for term in fit.joint.to_dict("records"):
        name, joint_p = term["term"], fmt_p(term["p_value"])
        part = fit.coefficients[fit.coefficients["term"] == name].to_dict("records")
        if term["kind"] == "spline":
            head = {**part[0], "level": f"spline, {term['df']} df"}
            add(name, head, "see plot_effect()", "", joint_p)
            continue
        references = fit.references[fit.references["term"] == name].to_dict("records")
        for row in references:
            add(name, row, "1 (reference)", "", joint_p if len(part) > 1 else "")
        for row in part:
            limits = fmt_interval(row["conf_low"], row["conf_high"])
            add(name, row, fmt_number(row["estimate"]), limits, fmt_p(row["p_value"]))
    if not rows:
        for row in fit.coefficients.to_dict("records"):
            limits = fmt_interval(row["conf_low"], row["conf_high"])
            add(INTERCEPT, row, fmt_number(row["estimate"]), limits, fmt_p(row["p_value"]))
    return pd.DataFrame(rows)


def forest_rows(fit: Tabulated) -> pd.DataFrame:
    """Return ``label, estimate, conf_low, conf_high`` of each coefficient; splines left out."""
    kinds = dict(zip(fit.joint["term"], fit.joint["kind"], strict=True))
    rows = []
    for row in fit.coefficients.to_dict("records"):
        term = row["term"]
        if kinds.get(term, "") in ("", "spline"):
            continue
        reference = fit.references[fit.references["term"] == term]["level"].tolist()
        level = f": {row['level']}" if row["level"] else ""
        base = f" (vs {reference[0]})" if reference else ""
        numbers = {name: row[name] for name in ("estimate", "conf_low", "conf_high")}
        rows.append({"label": f"{fit.label(term)}{level}{base}", **numbers})
    return pd.DataFrame(rows, columns=["label", "estimate", "conf_low", "conf_high"])


def draw_forest(fit: Tabulated, ax: Axes | None) -> Axes:
    """Draw the coefficients on a log scale, splines left out."""
    from rnetstats.plots.forest import forest
    from rnetstats.plots.style import marked

    measure = str(fit.coefficients["measure"].iloc[-1])
    axes = forest(forest_rows(fit), measure=measure, conf_level=fit.options["conf_level"], ax=ax)
    return marked(axes, fit.synthetic)
