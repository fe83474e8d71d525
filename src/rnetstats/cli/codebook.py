"""``rnetstats codebook``: its options, what it writes."""

from __future__ import annotations

import argparse
from pathlib import Path

from rnetstats.cli.options import file_options

__all__ = ["DESCRIPTION", "EXAMPLES", "codebook_options"]

DESCRIPTION = """\
Write a first codebook for a file: what each column seems to be, in TOML, to be edited by hand.
"""

EXAMPLES = """\
examples:
  rnetstats codebook mine.csv                        print it
  rnetstats codebook mine.csv --output mine.toml     write it (an existing file is kept)
  rnetstats codebook mine.csv --decimal , --encoding cp1252
                                                     12,5 is a number; not saved as UTF-8

exit code: 0 done, 2 refused (one message says why; nothing is written)
"""


def codebook_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``rnetstats codebook`` to its parser."""
    add = parser.add_argument
    add("file", metavar="FILE", help="CSV, TSV, Excel, Parquet, Stata or SPSS")
    add("--output", metavar="FILE", help="where to write it; printed without")
    file_options(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from rnetstats.data.template import first_codebook
    from rnetstats.report.folder import write_new

    text, pointer = first_codebook(
        options.file,
        delimiter=options.delimiter,
        encoding=options.encoding,
        decimal=options.decimal or ".",
        sheet=options.sheet,
    )
    if options.output is None:
        print(text, end="" if text.endswith("\n") else "\n")
        return
    target = Path(options.output)
    write_new(target, text)
    print(f"Written to {target}. Check each column, then give it as --codebook {target}.")
    for line in pointer:
        print(line)
