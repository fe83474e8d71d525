"""The audit from the command line: its options, what it prints, what it writes."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from rnetstats.errors import OptionError

if TYPE_CHECKING:
    from rnetstats.evidence.audit_result import AuditResult

__all__ = ["DESCRIPTION", "EXAMPLES", "audit_options"]

DESCRIPTION = """\
Check the printed figures of a paper against each other; no patient's data are needed.

The figures stand in a facts file, each exactly as printed, with the checks that they allow.
--template writes one to be filled in.
"""

EXAMPLES = """\
examples:
  rnetstats audit --template --output paper.toml    a facts file with a comment on every part
  rnetstats audit paper.toml                        the verdicts
  rnetstats audit paper.toml --output audit         the page as well; open audit/audit.html
  rnetstats audit duan2024                          the printed figures of a study

the folder:
  audit.html     every check, the figures, possible tables, reporting and risk of bias
  tables/*.csv   every table as numbers
  figures/       every figure as SVG and PNG
  audit.json     all numbers
  run.json       versions, options, checksum of the file

exit code: 0 done, whatever was found; 2 refused (one message says why; nothing is written)
"""

_WIDTH = 100
_WORLDS = ("split", "share", "two_rates", "odds_ratio_tables")  # whose reason is the result
_ORDER = ("inconsistent", "rounding", "cannot be checked", "consistent")


def audit_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``rnetstats audit`` to its parser."""
    add = parser.add_argument
    add("source", metavar="PAPER.toml|STUDY", nargs="?", help="a facts file, or a study's name")
    add("--template", action="store_true", help="write a facts file to be filled in")
    add("--output", metavar="DIR", help="folder for the page; with --template, the file")
    add(
        "--conf-level",
        metavar="LEVEL",
        type=float,
        default=0.95,
        help="level of the limits in print (default: 0.95)",
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    if options.template:
        _template(options)
        return
    if options.source is None:
        raise OptionError(
            "Name a facts file or a study; 'rnetstats audit --template' writes one to start from."
        )
    from rnetstats.evidence.audit import audit
    from rnetstats.report.folder import check_folder

    folder = None if options.output is None else check_folder(options.output)
    result = audit(options.source, conf_level=options.conf_level)
    if folder is not None:
        from rnetstats.report.audit_folder import write_audit

        path = Path(options.source)
        write_audit(result, folder, source=path if path.is_file() else None)
    _print(result)
    if options.output is None:
        print("\nNothing was written; add --output DIR for the page.")
        return
    print(f"\nWritten to {options.output}:")
    print(f"  {Path(options.output) / 'audit.html'}  (open this)")
    print(f"  {3 + len(result.worlds)} tables, figures as SVG and PNG, audit.json, run.json")


def _template(options: argparse.Namespace) -> None:
    """Print the template, or write it to a new file."""
    from rnetstats.evidence.facts_template import facts_template
    from rnetstats.report.folder import write_new

    if options.source is not None:
        raise OptionError(
            f"--template takes no file to read; write --template --output {options.source}."
        )
    text = facts_template()
    if options.output is None:
        print(text, end="")
        return
    target = Path(options.output)
    write_new(target, text)
    print(f"Written to {target}. Put in the figures of your paper, then: rnetstats audit {target}")


def _print(result: AuditResult) -> None:
    """Print the verdicts: in a line each, with the reason where something is odd."""
    from rnetstats.report.audit_page import lead_of

    print(result.study["title"])
    print(textwrap.fill(lead_of(result), _WIDTH))
    frame = result.to_frame()
    for verdict in _ORDER:
        rows = frame[frame["verdict"] == verdict]
        if not len(rows):
            continue
        print(f"\n{verdict} ({len(rows)})")
        for row in rows.itertuples():
            print(_filled(f"{row.check}: {row.printed}"))
            if verdict != "consistent" or row.kind in _WORLDS:
                print(_filled(str(row.sentence), "      ", "      "))


def _filled(text: str, first: str = "  ", later: str = "    ") -> str:
    whole = text.replace(" %", "\u00a0%")
    return textwrap.fill(
        whole, _WIDTH, initial_indent=first, subsequent_indent=later, break_on_hyphens=False
    )
