"""The TRIPOD+AI checklist, filled from a model and its validation as far as they can fill it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.errors import OptionError, closest
from rnetstats.prediction.model import RiskModel
from rnetstats.prediction.net_benefit_result import DecisionCurveResult
from rnetstats.prediction.recipe import Recipe
from rnetstats.prediction.tripod_answers import ANSWERS
from rnetstats.prediction.tripod_evidence import Evidence
from rnetstats.prediction.validation_result import ValidationResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["TripodResult", "tripod_checklist"]

OPEN = "To be written by the authors."


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TripodResult(Result):
    """A checklist; see :func:`tripod_checklist`.

    Attributes
    ----------
    table : dict
        The columns of :meth:`to_frame`.
    """

    table: dict[str, Any]

    def to_frame(self) -> pd.DataFrame:
        """Return one row an item: ``item, section, topic, asks, filled_by, answer``.

        ``filled_by`` is ``package``, ``authors`` or "" for an item that is open.
        """
        return pd.DataFrame(self.table)

    def glance(self) -> pd.DataFrame:
        """Count the items that are filled, and those that are open."""
        filled = self.to_frame()["filled_by"]
        return pd.DataFrame(
            {
                "items": [len(filled)],
                "by_package": [int((filled == "package").sum())],
                "by_authors": [int((filled == "authors").sum())],
                "open": [int((filled == "").sum())],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the checklist as text."""
        frame = self.to_frame()
        answer = frame["answer"].where(frame["filled_by"] != "", OPEN)
        return pd.DataFrame(
            {
                "Item": frame["item"],
                "Topic": frame["topic"],
                "Asks": frame["asks"],
                "Answer": answer,
            }
        )

    def to_markdown(self) -> str:
        """Return the checklist as a Markdown document."""
        lines = [
            "# TRIPOD+AI checklist",
            "",
            "Items after Collins GS, Moons KGM, Dhiman P, et al. TRIPOD+AI statement. BMJ "
            "2024;385:e078378, in short words. Answers come from the model and its validation "
            "where these can give them; what is open is the authors' to write.",
        ]
        if self.synthetic:
            lines += ["", "**Synthetic data: drawn, not observed.**"]
        for section, rows in self.to_frame().groupby("section", sort=False):
            lines += [
                "",
                f"## {section}",
                "",
                "| Item | Topic | Asks | Answer |",
                "|---|---|---|---|",
            ]
            for row in rows.to_dict("records"):
                answer = row["answer"] if row["filled_by"] else f"*{OPEN}*"
                cells = (row["item"], row["topic"], row["asks"], answer)
                lines.append("| " + " | ".join(_cell(str(cell)) for cell in cells) + " |")
        return "\n".join(lines) + "\n"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Write the checklist on axes.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; by default a new figure.
        """
        from rnetstats.plots.style import marked
        from rnetstats.plots.text_table import text_table

        frame = self.to_frame()
        shown = frame[["item", "topic"]].assign(
            filled=frame["filled_by"].replace({"": "open"}).to_numpy()
        )
        return marked(text_table(shown, title="TRIPOD+AI", ax=ax), self.synthetic)


def tripod_checklist(
    model: RiskModel,
    *,
    validation: ValidationResult | None = None,
    recipe: Recipe | None = None,
    decision: DecisionCurveResult | None = None,
    answers: Mapping[str, str] | None = None,
) -> TripodResult:
    """Fill the TRIPOD+AI checklist from a model, its recipe and its validation.

    Parameters
    ----------
    model : RiskModel
    validation : ValidationResult, optional
    recipe : Recipe, optional
        By default the one that the model carries, if a recipe made it.
    decision : DecisionCurveResult, optional
    answers : mapping of str to str, optional
        The authors' own words by item, ``{"6b": "Rectal NET up to 20 mm"}``; they come after what
        the package says.

    Returns
    -------
    TripodResult
        ``to_markdown()`` gives the document.

    Raises
    ------
    OptionError
        If an object is of another kind, or an item does not exist.

    References
    ----------
    Collins GS, Moons KGM, Dhiman P, et al. (2024). TRIPOD+AI statement: updated guidance for
    reporting clinical prediction models that use regression or machine learning methods. BMJ
    385:e078378.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> model = rn.risk_model(rn.logistic(cohort, "margin_positive ~ nlr + lvi"))
    >>> found = rn.tripod_checklist(model, answers={"1": "A model of a positive margin"})
    >>> found.to_frame()["filled_by"].value_counts().to_dict()
    {'': 35, 'package': 16, 'authors': 1}
    """
    if not isinstance(model, RiskModel):
        raise OptionError(
            f"tripod_checklist() takes a RiskModel, not a {type(model).__name__}; risk_model(fit) "
            "makes one."
        )
    if validation is not None and not isinstance(validation, ValidationResult):
        raise OptionError(f"validation= is the result of validate(), not {validation!r}.")
    if recipe is not None and not isinstance(recipe, Recipe):
        raise OptionError(f"recipe= is the result of recipe(), not {recipe!r}.")
    if decision is not None and not isinstance(decision, DecisionCurveResult):
        raise OptionError(f"decision= is the result of decision_curve(), not {decision!r}.")
    if answers is not None and not isinstance(answers, Mapping):
        raise OptionError(f"answers= is a mapping of items to texts, not {answers!r}.")
    if recipe is None and "recipe" in model.options:
        recipe = Recipe.from_dict(model.options["recipe"])
    found = Evidence(model, validation, recipe, decision)
    items = _items()
    own = {str(key): str(text).strip() for key, text in (answers or {}).items()}
    unknown = [key for key in own if key not in {item["id"] for item in items}]
    if unknown:
        hint = closest(unknown[0], [item["id"] for item in items])
        raise OptionError(f"TRIPOD+AI has no item {unknown[0]!r}.{hint}")
    rows = [_row(item, found, own.get(item["id"], "")) for item in items]
    return TripodResult(
        table={name: [row[name] for row in rows] for name in rows[0]},
        synthetic=model.synthetic or (validation is not None and validation.synthetic),
        options={"outcome": model.outcome},
    )


def _items() -> list[dict[str, str]]:
    text = files(__package__).joinpath("tripod.toml").read_text(encoding="utf-8")
    found: list[dict[str, str]] = tomllib.loads(text)["item"]
    return found


def _row(item: Mapping[str, str], found: Evidence, own: str) -> dict[str, str]:
    said = ANSWERS[item["fill"]](found).strip() if "fill" in item else ""
    return {
        "item": item["id"],
        "section": item["section"],
        "topic": item["topic"],
        "asks": item["asks"],
        "filled_by": "authors" if own else "package" if said else "",
        "answer": " ".join(part for part in (said, own) if part),
    }


def _cell(text: str) -> str:
    """Keep a text within its cell of a Markdown table, and names that look like HTML as text.

    Between backticks Markdown shows all as it is.
    """
    parts = text.replace("|", "\\|").split("`")
    shown = (part if place % 2 else part.replace("<", "\\<") for place, part in enumerate(parts))
    return "`".join(shown).replace("\n", "<br>")
