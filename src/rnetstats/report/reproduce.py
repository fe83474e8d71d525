"""Reproducing a study: from a cohort, drawn or read, to its result and its report."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from rnetstats._core.options import choice, draw_count
from rnetstats._core.random import resolve_seed
from rnetstats.errors import OptionError
from rnetstats.formatting import file_name
from rnetstats.report.folder import check_folder
from rnetstats.studies.registry import StudyEntry, study
from rnetstats.studies.study_result import StudyResult

if TYPE_CHECKING:
    from rnetstats._core.frame import Data
    from rnetstats.data.codebook import Codebook

__all__ = ["DEFAULT_SEED", "reproduce"]

DEFAULT_SEED = 527
DEFAULT_TRUTH = "as_published"
DEFAULT_RESAMPLES = 300


def reproduce(
    name: str,
    *,
    data: str | os.PathLike[str] | Data | None = None,
    codebook: str | os.PathLike[str] | Codebook | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: Literal[".", ","] | None = None,
    sheet: str | int | None = None,
    output: str | os.PathLike[str] | None = None,
    seed: int | None = DEFAULT_SEED,
    truth: str | None = None,
    resamples: int = DEFAULT_RESAMPLES,
    progress: Callable[[str], None] = lambda step: None,
) -> StudyResult:
    """Reproduce a published study on a cohort, and say claim by claim what holds.

    Parameters
    ----------
    name : str
        The study, such as ``"duan2024"``; ``rnetstats reproduce --help`` lists them.
    data : path, DataFrame or mapping, optional
        One row a patient (of a meta-analysis: one row a study). Without it, a synthetic cohort in
        the shape of the study is drawn; where there are no patients, the printed figures suffice.
    codebook : Codebook, path or name, optional
        What the columns mean; the study's own by default. What it leaves out is taken from the
        study's: types, levels, ranges, derived columns and rules.
    delimiter, encoding, decimal, sheet
        How the file is written, as for :func:`rnetstats.read_cohort`; each goes before what
        ``[file]`` of the codebook says.
    output : path, optional
        A folder for the report: ``report.html``, ``tables/``, ``figures/``, ``results.json`` and
        ``run.json``, and ``model.json``, the prediction model. It must be new, empty, or an
        earlier report, which is replaced.
    seed : int or None
        For the synthetic cohort, permutation tests and resamples; None draws one and records it.
    truth : str, optional
        What is true in the synthetic cohort: ``"as_published"``, ``"null"`` and, for some studies,
        more; not allowed with ``data``.
    resamples : int
        Bootstrap resamples of each validation of the prediction model; at least 20.
    progress : callable
        Called with the name of each step before it begins.

    Returns
    -------
    StudyResult
        ``answer``, ``claims``, ``tables``, and the fits behind them.

    Raises
    ------
    OptionError
        For an unknown study or truth, options that contradict each other, or options that say of
        the file what cannot be, such as a sheet that is not there.
    DataError, ColumnError, ReadError, CodebookError
        If the cohort cannot be used.
    OutputError
        If the report cannot be written.

    References
    ----------
    Duan et al. (2024), the study of 527 patients; what is taken from its print stands with its
    standing in the report's table "printed_facts". Holm S (1979) A simple sequentially rejective
    multiple test procedure. Scand J Stat 6:65-70 (the family of claims).

    Examples
    --------
    >>> import rnetstats as rn
    >>> study = rn.reproduce("duan2024", resamples=50)
    >>> study.claims[["claim", "verdict"]].head(3)
                   claim                verdict
    0  margin_recurrence              confirmed
    1         margin_dfs  compatible, not shown
    2          margin_os        not judged here
    """
    entry = study(name)
    resolved = resolve_seed(seed)
    written = {
        name: value
        for name, value in (
            ("delimiter", delimiter),
            ("encoding", encoding),
            ("decimal", decimal),
            ("sheet", sheet),
        )
        if value is not None
    }
    _check_options(entry, data, truth, ["codebook"] * (codebook is not None) + [*written])
    draws = draw_count("resamples", resamples, minimum=20)
    folder = None if output is None else check_folder(output)
    progress("cohort")
    frame: pd.DataFrame | None
    if data is None and not entry.cohort:
        frame, options, source = None, _options(), "printed figures only; no patient data"
    elif data is None:
        frame, options, source = _synthetic(entry, truth or DEFAULT_TRUTH, resolved)
    else:
        frame, options, source = _given(entry, data, codebook, written)
    analyse = entry.part("analysis", "analyse")
    result: StudyResult = analyse(
        frame, seed=resolved, source=source, resamples=draws, progress=progress
    )
    result = replace(result, options={**options, "resamples": draws})
    if folder is not None:
        from rnetstats.report.build import write_report
        from rnetstats.report.run_record import run_record

        write_report(result, folder, run_record(result, source=_input(frame, data)), progress)
    return result


def _check_options(entry: StudyEntry, data: Any, truth: str | None, of_file: Sequence[str]) -> None:
    """Refuse options that contradict each other; ``of_file`` names those given for a file."""
    if data is not None and not entry.codebook:
        raise OptionError(f"{entry.name} is analysed from its printed figures; it takes no data=.")
    if truth is not None:
        if not entry.truths:
            raise OptionError(
                f"{entry.name} has no synthetic cohort of its own to choose a truth for; leave "
                "truth= out."
            )
        choice("truth", truth, entry.truths)
        if data is not None:
            raise OptionError("truth= is for synthetic cohorts; leave it out when data= is given.")
    if of_file and data is None:
        raise OptionError(f"{of_file[0]}= describes a file; give data= too.")


def _synthetic(
    entry: StudyEntry, truth: str, seed: int
) -> tuple[pd.DataFrame, dict[str, Any], str]:
    """Return the embedded cohort for its own seed, else draw one; options and source in words."""
    if seed == entry.seed:
        from rnetstats.data.embedded import load_cohort

        frame = load_cohort(entry.cohort, truth=truth)
    else:
        from rnetstats.simulation.draw import draw_cohort

        frame = draw_cohort(entry.cohort, truth=truth, seed=seed).data
    shape = "the study" if entry.cohort == entry.name else entry.cohort
    source = (
        f"a synthetic cohort of {len(frame)} patients drawn in the shape of {shape} "
        f"(truth “{truth}”, seed {seed}); no patient is behind it"
    )
    return frame, _options(truth=truth), source


def _options(
    data: str | None = None, codebook: str | None = None, truth: str | None = None
) -> dict[str, Any]:
    """Return what was chosen, for the record."""
    return {"data": data, "codebook": codebook, "truth": truth}


def _given(
    entry: StudyEntry,
    data: str | os.PathLike[str] | Data,
    codebook: str | os.PathLike[str] | Codebook | None,
    written: dict[str, Any],
) -> tuple[pd.DataFrame, dict[str, Any], str]:
    """Read the caller's cohort; return it with the options and its source in words.

    ``written`` holds what was said of how the file is written; the record keeps it.
    """
    from rnetstats.data.builtin import builtin_codebook
    from rnetstats.data.completed import completed
    from rnetstats.data.read import read_cohort, resolve_codebook

    book = builtin_codebook(entry.codebook)
    if codebook is not None:
        book = completed(resolve_codebook(codebook), book)
    frame = read_cohort(data, codebook=book, **written)
    options = _options(_name(data), _book(entry, codebook)) | written
    one, many = ("patient", "patients") if entry.cohort else ("study", "studies")
    unit = one if len(frame) == 1 else many
    return frame, options, f"{_name(data) or 'a table in memory'}, {len(frame)} {unit}"


def _book(entry: StudyEntry, codebook: str | os.PathLike[str] | Codebook | None) -> str:
    """Return the codebook's name for the record."""
    if codebook is None:
        return entry.codebook
    return file_name(codebook) if isinstance(codebook, str | os.PathLike) else codebook.name


def _name(source: Any) -> str | None:
    """Return a file's name without its folder; None for anything that is no file."""
    return file_name(source) if isinstance(source, str | os.PathLike) else None


def _input(frame: pd.DataFrame | None, data: Any) -> dict[str, Any] | None:
    """Return name and checksum of what was read; None for a cohort drawn on the spot."""
    if frame is None:
        return None
    origin = frame.attrs.get("rnetstats", {}).get("provenance", {})
    if data is None and not origin:
        return None
    named = _name(data) or (
        Path(str(origin["source"])).name if data is None else "a table in memory"
    )
    return {"file": named, "sha256": origin.get("sha256")}
