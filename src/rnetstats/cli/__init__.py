"""The command line: ``reproduce``, ``overview``, ``codebook``, ``calculator`` and ``audit``."""

from __future__ import annotations

import argparse
import atexit
import gc
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn, TextIO

from rnetstats import __version__
from rnetstats.cli import calculator, codebook, overview, reproduce
from rnetstats.errors import RnetError
from rnetstats.report import audit_command

__all__ = ["main"]

UNHEARD = 1
REFUSED = 2
INTERRUPTED = 130

_EXAMPLES = """\
examples:
  rnetstats reproduce duan2024 --output report
      the study on its synthetic cohort; open report/report.html
  rnetstats reproduce duan2024 --data mine.csv --output report
      the same analyses and rules on your own cohort
  rnetstats codebook mine.csv --output mine.toml
      write a first codebook, to be edited
  rnetstats reproduce duan2024 --data mine.csv --codebook mine.toml --output report
  rnetstats calculator model.json --output calculator.html
      one offline page that computes the risk of a patient
  rnetstats audit paper.toml --output audit
      check the printed figures of a paper against each other
  rnetstats overview --output overview
      all documents side by side; open overview/report.html
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; those of the process by default.

    Returns
    -------
    int
        0 when done, 1 when the answer could not be printed to its end, 2 when the input or an
        option was refused, 130 when interrupted.
    """
    _speak_utf8()
    atexit.register(gc.freeze)  # a last search for cycles would cost half a second, for nothing
    try:
        try:
            return _done(arguments)
        finally:  # after the help too, which ends by itself
            sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:
            raise
        return _unheard(error)


def _done(arguments: Sequence[str] | None) -> int:
    """Do what is asked for, and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        with _few_collections():
            options.run(options)
    except RnetError as error:
        print(f"rnetstats: error: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("rnetstats: interrupted; nothing is left half-written", file=sys.stderr)
        return INTERRUPTED
    return 0


def _unheard(error: OSError) -> int:
    """End where the answer cannot be printed: in silence where its reader has gone."""
    _discard(sys.stdout)  # what is left in it would be complained of at the very end
    if not isinstance(error, BrokenPipeError):
        print(f"rnetstats: error: the answer cannot be printed: {error.strerror}", file=sys.stderr)
    return UNHEARD


@contextmanager
def _few_collections() -> Iterator[None]:
    """Look for cycles more rarely: imports and results are many objects that stay."""
    before = gc.get_threshold()
    gc.set_threshold(10_000)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints read like the package's own."""

    def error(self, message: str) -> NoReturn:
        self.exit(REFUSED, f"rnetstats: error: {message}\nTry '{self.prog} --help'.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="rnetstats",
        description="Statistical reanalysis of small, rare-event clinical cohorts.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-V", "--version", action="version", version=f"rnetstats {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(
        name: str,
        words: str,
        options: Callable[[argparse.ArgumentParser], None],
        description: str,
        epilog: str = "",
    ) -> None:
        options(
            commands.add_parser(
                name,
                help=words,
                description=description,
                epilog=epilog,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )

    command(
        "reproduce",
        "reproduce a published study on a cohort",
        reproduce.reproduce_options,
        reproduce.DESCRIPTION,
        reproduce.reproduce_epilog(),
    )
    command(
        "codebook",
        "write a first codebook for a file",
        codebook.codebook_options,
        codebook.DESCRIPTION,
        codebook.EXAMPLES,
    )
    command(
        "overview",
        "set the documents side by side, question by question",
        overview.overview_options,
        overview.DESCRIPTION,
        overview.EXAMPLES,
    )
    command(
        "calculator",
        "make an offline risk calculator of a validated model",
        calculator.calculator_options,
        calculator.DESCRIPTION,
        calculator.EXAMPLES,
    )
    command(
        "audit",
        "check the printed figures of a paper against each other",
        audit_command.audit_options,
        audit_command.DESCRIPTION,
        audit_command.EXAMPLES,
    )
    return parser


def _speak_utf8() -> None:
    """Let a terminal of another encoding replace what it cannot show, rather than fail."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started this, or a window without a console
            setattr(sys, name, io.StringIO())
        reconfigure = getattr(getattr(sys, name), "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _discard(stream: TextIO) -> None:
    """Let nobody read what is still to be written to a stream."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
