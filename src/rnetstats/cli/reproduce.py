"""``rnetstats reproduce``: its options, what it prints."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from rnetstats.cli.options import file_options, resamples, seed
from rnetstats.cli.progress import progress

if TYPE_CHECKING:
    from rnetstats.studies.study_result import StudyResult

__all__ = ["DESCRIPTION", "reproduce_epilog", "reproduce_options"]

DESCRIPTION = """\
Reproduce a published study and say claim by claim what holds.

Without --data the analyses run on a synthetic cohort in the shape of the study, or on the printed
figures where the study has no patients; with --data on your own file. Without --output the answer
is printed and nothing is written.
"""

_EXAMPLES = """\
examples:
  rnetstats reproduce duan2024 --output report
  rnetstats reproduce duan2024 --truth null --seed 7 --output null_world
  rnetstats reproduce duan2024 --data mine.csv --codebook mine.toml --output report
  rnetstats reproduce duan2024 --data mine.csv --decimal , --encoding cp1252 --output report
  rnetstats reproduce duan2024 --data mine.xlsx --sheet Patients --output report

how the file is written (--decimal, --delimiter, --encoding, --sheet) goes before what [file] of the
codebook says.

the folder:
  report.html    the answer, each claim, methods, tables and figures on one page
  tables/*.csv   every table as numbers
  figures/       every figure as SVG and PNG
  results.json   all numbers
  run.json       versions, seed, options, checksum of the file
  model.json     the prediction model, where the study has one

exit code: 0 done, 2 refused (one message says why; nothing is written)
"""


def reproduce_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``rnetstats reproduce`` to its parser."""
    add = parser.add_argument
    add("study", metavar="STUDY", help="one of the studies listed below")
    add("--data", metavar="FILE", help="your cohort, a row a patient (CSV, Excel, Parquet, ...)")
    add("--codebook", metavar="FILE", help="what its columns mean, in TOML; the study's by default")
    file_options(parser)
    add("--output", metavar="DIR", help="folder for the report: new, empty or an earlier report")
    add(
        "--seed",
        type=seed,
        metavar="N",
        help="for the synthetic cohort and permutation tests (default: 527)",
    )
    add(
        "--truth",
        metavar="NAME",
        help="what is true in the synthetic cohort: as_published (default), null, ...",
    )
    add(
        "--resamples",
        type=resamples,
        metavar="N",
        help="bootstrap resamples of each validation, at least 20 (default: 300); fewer are faster "
        "and rougher",
    )
    parser.set_defaults(run=_run)


def reproduce_epilog() -> str:
    """Return the studies, and examples, for the help."""
    from rnetstats.studies.registry import STUDIES

    lines = ["studies:"]
    for entry in STUDIES.values():
        text = textwrap.wrap(entry.summary, 74)
        lines += [f"  {entry.name:<13} {text[0]}", *(f"{'':<16}{line}" for line in text[1:])]
    return "\n".join([*lines, "", _EXAMPLES])


def _run(options: argparse.Namespace) -> None:
    from rnetstats.report.reproduce import DEFAULT_SEED, reproduce

    with progress() as step:
        result = reproduce(
            options.study,
            data=options.data,
            codebook=options.codebook,
            delimiter=options.delimiter,
            encoding=options.encoding,
            decimal=options.decimal,
            sheet=options.sheet,
            output=options.output,
            seed=DEFAULT_SEED if options.seed is None else options.seed,
            truth=options.truth,
            progress=step,
            **({} if options.resamples is None else {"resamples": options.resamples}),
        )
    _print_answer(result)
    if options.output is None:
        print("\nNothing was written; add --output DIR for the report.")
        return
    folder = Path(options.output)
    print(f"\nWritten to {folder}:")
    print(f"  {folder / 'report.html'}  (open this)")
    print(f"  {len(result.exhibits) + 2} tables, results.json, run.json, figures as SVG and PNG")


def _print_answer(result: StudyResult) -> None:
    print(result.title)
    print(textwrap.fill(f"Data: {result.source}.", 100))
    for note in result.notes:
        if note.startswith("Please check"):
            print(textwrap.fill(note, 100))
    print()
    print(textwrap.fill(" ".join(result.answer), 100))
    print()
    width = max(len(words) for words in result.claims["verdict"])
    for row in result.claims.itertuples():
        print(f"  {row.verdict:<{width}}  {row.statement}")
