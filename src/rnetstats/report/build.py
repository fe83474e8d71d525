"""The report: one self-contained page, and a folder of tables, figures and numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnetstats.prediction.model import RiskModel
from rnetstats.report.figures import RenderedFigure, render, write_figures
from rnetstats.report.folder import write_folder
from rnetstats.report.pages import environment, write_json, write_tables
from rnetstats.report.run_record import write_record
from rnetstats.studies.registry import study
from rnetstats.studies.study_result import StudyResult
from rnetstats.studies.verdicts import MINIMUM

__all__ = ["build_page", "draw_figures", "write_report"]


def draw_figures(
    result: StudyResult, progress: Callable[[str], None] = lambda step: None
) -> dict[str, RenderedFigure]:
    """Draw the study's figures, by name."""
    drawn = {}
    for figure in study(result.study).part("figures", "figures")(result):
        progress(f"figure {figure.name}")
        drawn[figure.name] = render(figure, synthetic=result.synthetic)
    return drawn


def build_page(result: StudyResult, figures: dict[str, RenderedFigure], run: dict[str, Any]) -> str:
    """Return the page as HTML; every text from data is escaped."""
    from markupsafe import Markup

    entry = study(result.study)
    shown = {
        name: {
            "name": name,
            "title": figure.title,
            "caption": figure.caption,
            "from_print": figure.from_print,
            "svg": Markup(figure.svg),  # noqa: S704 (drawn by us; matplotlib escapes its texts)
        }
        for name, figure in figures.items()
    }
    overview = [name for name in entry.part("sections", "OVERVIEW") if name in shown]
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            result=result,
            run=run,
            claims=result.claims.to_dict("records"),
            sections=entry.part("sections", "sections")(result),
            figures=shown,
            overview_figures=overview,
            rule_tables=entry.part("sections", "RULE_TABLES"),
            has_model=result.analysis("model") is not None,
            minimum=MINIMUM,
            n_judged=int(result.claims["judged"].sum()),
            glossary=entry.part("sections", "glossary")(),
        )
    )


def write_report(
    result: StudyResult,
    folder: Path,
    run: dict[str, Any],
    progress: Callable[[str], None] = lambda step: None,
) -> None:
    """Write the whole report to ``folder``, or nothing at all.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    figures = draw_figures(result, progress)
    progress("page")
    page = build_page(result, figures, run)
    write_folder(folder, lambda target: _fill(target, result, figures, page, run))


def _fill(
    target: Path,
    result: StudyResult,
    figures: dict[str, RenderedFigure],
    page: str,
    run: dict[str, Any],
) -> None:
    tables = {"claims": result.claims, "claim_estimates": result.estimates, **result.tables}
    write_tables(target, tables)
    write_figures(target, figures)
    (target / "report.html").write_text(page, encoding="utf-8", newline="\n")
    model = result.analysis("model")
    if isinstance(model, RiskModel):
        model.save(target / "model.json")
    write_json(target / "results.json", result.to_dict())
    write_record(target, run)
