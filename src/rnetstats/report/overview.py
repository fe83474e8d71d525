"""The page across the documents: for each question what each says, and what is left of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rnetstats._core.options import draw_count
from rnetstats.errors import OptionError
from rnetstats.evidence.audit import audit
from rnetstats.report.folder import check_folder, write_folder
from rnetstats.report.pages import environment, write_json
from rnetstats.report.reproduce import DEFAULT_SEED, reproduce
from rnetstats.report.run_record import base_record, write_record
from rnetstats.studies.evidence_verdicts import EVIDENCE_RULES
from rnetstats.studies.overview import OverviewResult, assemble, questions
from rnetstats.studies.records import records
from rnetstats.studies.registry import STUDIES
from rnetstats.studies.study_result import StudyResult

__all__ = ["overview"]

DEFAULT_RESAMPLES = 100


def overview(
    results: Sequence[StudyResult] = (),
    *,
    output: str | os.PathLike[str] | None = None,
    seed: int = DEFAULT_SEED,
    resamples: int = DEFAULT_RESAMPLES,
    progress: Callable[[str], None] = lambda step: None,
) -> OverviewResult:
    """Set the documents side by side: what each says on a question, and what is left of it.

    The questions: does a positive margin worsen disease-free survival, does salvage help, is
    endoscopic salvage as good as surgery?

    Parameters
    ----------
    results : sequence of StudyResult
        Reanalyses already made, on your own data for example. Studies that are not among them are
        reproduced on their synthetic cohorts.
    output : path, optional
        A folder for the page: new, empty, or an earlier report.
    seed, resamples : int
        For the studies that are reproduced here.
    progress : callable
        Called with the name of each step before it begins.

    Returns
    -------
    OverviewResult

    Raises
    ------
    OptionError
        If ``results`` holds something else, or a study twice.
    OutputError
        If the page cannot be written.

    References
    ----------
    Manski CF (2003) Partial Identification of Probability Distributions. Springer (what the print
    leaves open). The documents stand with their figures in their facts; see :func:`read_facts`.

    Examples
    --------
    >>> import rnetstats as rn
    >>> page = rn.overview(resamples=20)
    >>> page.to_frame().query("question == 'margin' and not silent")[["study", "print_verdict"]]
          study            print_verdict
    0  duan2024    left open by the print
    1   cha2019  a bound, no comparison
    4  management              not in print
    """
    draws = draw_count("resamples", resamples, minimum=20)
    folder = None if output is None else check_folder(output)
    given = _by_name(results)
    says = [one for question in questions() for one in question.says]
    for name in dict.fromkeys(one.study for one in says if one.claims):
        if name not in given:
            progress(name)
            given[name] = reproduce(name, seed=seed, resamples=draws)
    progress("audits")
    audits = {name: audit(name) for name in dict.fromkeys(one.study for one in says)}
    made = assemble(given, audits)
    if folder is not None:
        progress("page")
        write_folder(folder, lambda target: _fill(target, made, seed))
    return made


def _by_name(results: Sequence[StudyResult]) -> dict[str, StudyResult]:
    found: dict[str, StudyResult] = {}
    for result in results:
        if not isinstance(result, StudyResult):
            raise OptionError(f"results must be what reproduce() returned, not {result!r}.")
        if result.study in found:
            raise OptionError(f"results holds {result.study} twice; give one of each study.")
        found[result.study] = result
    return found


def _fill(target: Path, result: OverviewResult, seed: int) -> None:
    run = {**base_record(), "study": "overview", "seed": seed, "synthetic": result.synthetic}
    page = (
        environment()
        .get_template("overview.html.j2")
        .render(
            result=result,
            run=run,
            questions=_cards(result),
            rules=EVIDENCE_RULES,
            studies=[STUDIES[name] for name in dict.fromkeys(result.answers["study"])],
        )
    )
    tables = target / "tables"
    tables.mkdir()
    for name, frame in (("answers", result.answers), ("conclusions", result.conclusions)):
        frame.to_csv(tables / f"{name}.csv", index=False, encoding="utf-8", lineterminator="\n")
    (target / "report.html").write_text(page, encoding="utf-8", newline="\n")
    write_json(target / "results.json", result.to_dict())
    write_record(target, run)


def _cards(result: OverviewResult) -> list[dict[str, Any]]:
    """Return per question its sentence and the rows of those who speak and who do not."""
    cards = []
    for row in records(result.conclusions):
        mine = records(result.answers[result.answers["question"] == row["question"]])
        cards.append(
            {
                **row,
                "speaking": [one for one in mine if not one["silent"]],
                "silent": [one for one in mine if one["silent"]],
            }
        )
    return cards
