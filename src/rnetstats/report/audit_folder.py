"""An audit on disk: the page, its tables, its figures, all numbers, and the record of the run."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.evidence.audit_result import AuditResult
from rnetstats.formatting import file_name
from rnetstats.plots.audit import audit_height
from rnetstats.report.audit_page import GAPS, audit_page
from rnetstats.report.figures import RenderedFigure, render, write_figures
from rnetstats.report.folder import write_folder
from rnetstats.report.pages import write_json, write_tables
from rnetstats.report.run_record import base_record, write_record
from rnetstats.studies.figure import StudyFigure

__all__ = ["PAGE", "write_audit"]

PAGE = "audit.html"
_WIDTH, _WORLD_SIZE = 8.6, (8.0, 4.8)


def write_audit(result: AuditResult, folder: Path, *, source: Path | None) -> None:
    """Write the audit to ``folder``, or nothing at all.

    Parameters
    ----------
    result : AuditResult
    folder : Path
        As :func:`rnetstats.report.folder.check_folder` returned it.
    source : Path, optional
        The facts file that was read; None for a study of the package.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    figures = _figures(result)
    run = {
        **base_record(),
        "audit": result.study["name"],
        "options": result.options,
        "input": _input(source),
    }
    page = audit_page(result, figures, run)
    write_folder(folder, lambda target: _fill(target, result, figures, page, run))


def _figures(result: AuditResult) -> dict[str, RenderedFigure]:
    """Draw the gaps, and the possible worlds where there are several."""
    wanted = []
    if len(result.lines):
        wanted.append(_gaps(result))
    wanted += [
        _world(number, check, world)
        for number, (check, world) in enumerate(
            zip(result.world_checks, result.worlds, strict=True), start=1
        )
        if len(world.to_frame()) > 1 or len(getattr(world, "nearest", ()))
    ]
    return {figure.name: render(figure, synthetic=False) for figure in wanted}


def _gaps(result: AuditResult) -> StudyFigure:
    return StudyFigure(
        name=GAPS,
        title="Recomputed less printed",
        caption="In units of the last printed digit; what lies in the grey band rounds to the "
        "print. An arrow points to what lies further off. Checks without one number to subtract, "
        "and of many the consistent ones, stand in the table alone.",
        alt="One row a check: where the recomputed value lies about the printed one.",
        size=(_WIDTH, audit_height(result.lines)),
        draw=lambda figure: result.plot(ax=figure.subplots()),
        from_print=True,
    )


def _world(number: int, check: str, world: Result) -> StudyFigure:
    return StudyFigure(
        name=f"worlds_{number}",
        title=check.rstrip("?."),
        caption="Tables of whole numbers that agree with what is printed."
        if len(world.to_frame())
        else "No table of whole numbers agrees with what is printed; these come nearest.",
        alt=f"The possible tables behind: {check}.",
        size=_WORLD_SIZE,
        draw=lambda figure: world.plot(ax=figure.subplots()),
        from_print=True,
    )


def _fill(
    target: Path,
    result: AuditResult,
    figures: dict[str, RenderedFigure],
    page: str,
    run: dict[str, Any],
) -> None:
    write_tables(target, _tables(result))
    write_figures(target, figures)
    (target / PAGE).write_text(page, encoding="utf-8", newline="\n")
    write_json(target / "audit.json", result.to_dict())
    write_record(target, run)


def _tables(result: AuditResult) -> dict[str, pd.DataFrame]:
    return {
        "checks": result.lines,
        "facts": result.facts,
        "reporting": result.reporting,
        **{f"worlds_{n}": world.to_frame() for n, world in enumerate(result.worlds, start=1)},
    }


def _input(source: Path | None) -> dict[str, str] | None:
    """Return name and checksum of the file, never its path."""
    if source is None:
        return None
    return {"file": file_name(source), "sha256": hashlib.sha256(source.read_bytes()).hexdigest()}
