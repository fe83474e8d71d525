"""``rnetstats overview``: its options, what it prints."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

from rnetstats.cli.options import resamples, seed
from rnetstats.cli.progress import progress

__all__ = ["DESCRIPTION", "EXAMPLES", "overview_options"]

DESCRIPTION = """\
Set the documents side by side: for each question what each says, with what strength, and what
audit and reanalysis leave of it. All studies are reproduced on their synthetic cohorts or printed
figures.
"""

EXAMPLES = """\
examples:
  rnetstats overview                      print the questions and what is left of each
  rnetstats overview --output overview    and the page; open overview/report.html

exit code: 0 done, 2 refused (one message says why; nothing is written)
"""


def overview_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``rnetstats overview`` to its parser."""
    add = parser.add_argument
    add("--output", metavar="DIR", help="folder for the page; printed without")
    add("--seed", type=seed, metavar="N", help="as for reproduce (default: 527)")
    add(
        "--resamples",
        type=resamples,
        metavar="N",
        help="bootstrap resamples of each validation, at least 20 (default: 100)",
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from rnetstats.report.overview import overview

    chosen = {"seed": options.seed, "resamples": options.resamples}
    with progress() as step:
        result = overview(
            output=options.output,
            progress=step,
            **{name: value for name, value in chosen.items() if value is not None},
        )
    for text, sentence in zip(
        result.conclusions["text"], result.conclusions["sentence"], strict=True
    ):
        print(textwrap.fill(text, 100))
        print(textwrap.fill(sentence, 100, initial_indent="  ", subsequent_indent="  "))
    if options.output is not None:
        print(f"\nWritten to {options.output}; open {Path(options.output) / 'report.html'}")
