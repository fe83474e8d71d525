"""The command line: ``rnetstats reproduce``, ``codebook``, ``calculator`` and ``audit``."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rnetstats import __version__
from rnetstats.errors import OutputError, RnetError
from rnetstats.report import audit_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnetstats.studies.study_result import StudyResult

__all__ = ["main"]

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
"""

_REPRODUCE = """\
Reproduce a published study and say claim by claim what holds.

Without --data the analyses run on a synthetic cohort in the shape of the study, or on the printed
figures where the study has no patients; with --data on your own file. Without --output the answer
is printed and nothing is written.
"""

_REPRODUCE_EXAMPLES = """\
examples:
  rnetstats reproduce duan2024 --output report
  rnetstats reproduce duan2024 --truth null --seed 7 --output null_world
  rnetstats reproduce duan2024 --data mine.csv --codebook mine.toml --output report

the folder:
  report.html    the answer, each claim, methods, tables and figures on one page
  tables/*.csv   every table as numbers
  figures/       every figure as SVG and PNG
  results.json   all numbers
  run.json       versions, seed, options, checksum of the file

exit code: 0 done, 2 refused (one message says why; nothing is written)
"""

_CODEBOOK = """\
Write a first codebook for a file: what each column seems to be, in TOML, to be edited by hand.
"""

_CODEBOOK_EXAMPLES = """\
examples:
  rnetstats codebook mine.csv                        print it
  rnetstats codebook mine.csv --output mine.toml     write it (an existing file is kept)
"""

_OVERVIEW = """\
Set the documents side by side: for each question what each says, with what strength, and what
audit and reanalysis leave of it. All studies are reproduced on their synthetic cohorts or printed
figures.
"""

_CALCULATOR = """\
Make a risk calculator of a model: one HTML page that needs no network, for research use only.

The model is the JSON file that RiskModel.save() wrote, with its validation attached. A model whose
corrected performance does not meet the rules is refused; the message names each rule.
"""

_CALCULATOR_EXAMPLES = """\
examples:
  rnetstats calculator model.json --output calculator.html
  rnetstats calculator model.json --output calculator.html --force slope discrimination
      make it all the same; the page says in red which rules the model does not meet

the model, in Python:
  fit = rn.logistic(cohort, "margin_positive ~ method + location + size_mm")
  judged = rn.validate(fit, seed=1)
  model = rn.risk_model(fit, resamples=1000, seed=1)
  model.with_performance(judged.performance()).save("model.json")

exit code: 0 done, 2 refused (one message says why; nothing is written)
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
        0 when done, 2 when the input or an option was refused, 130 when interrupted.
    """
    _speak_utf8()
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except RnetError as error:
        print(f"rnetstats: error: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("rnetstats: interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    return 0


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints read like the package's own."""

    def error(self, message: str) -> NoReturn:
        self.exit(REFUSED, f"rnetstats: error: {message}\nTry '{self.prog} --help'.\n")


def _parser() -> argparse.ArgumentParser:
    layout = argparse.RawDescriptionHelpFormatter
    parser = _Parser(
        prog="rnetstats",
        description="Statistical reanalysis of small, rare-event clinical cohorts.",
        epilog=_EXAMPLES,
        formatter_class=layout,
    )
    parser.add_argument("--version", action="version", version=f"rnetstats {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    reproduce = commands.add_parser(
        "reproduce",
        help="reproduce a published study on a cohort",
        description=_REPRODUCE,
        epilog=f"{_studies()}\n{_REPRODUCE_EXAMPLES}",
        formatter_class=layout,
    )
    _reproduce_options(reproduce)
    codebook = commands.add_parser(
        "codebook",
        help="write a first codebook for a file",
        description=_CODEBOOK,
        epilog=_CODEBOOK_EXAMPLES,
        formatter_class=layout,
    )
    codebook.add_argument("file", metavar="FILE", help="CSV, TSV, Excel, Parquet, Stata or SPSS")
    codebook.add_argument("--output", metavar="FILE", help="where to write it; printed without")
    codebook.set_defaults(run=_run_codebook)
    overview = commands.add_parser(
        "overview",
        help="set the documents side by side, question by question",
        description=_OVERVIEW,
        formatter_class=layout,
    )
    overview.add_argument("--output", metavar="DIR", help="folder for the page; printed without")
    overview.add_argument("--seed", type=_seed, metavar="N", help="as for reproduce (default: 527)")
    overview.add_argument("--resamples", type=_resamples, metavar="N", help="default: 100")
    overview.set_defaults(run=_run_overview)
    calculator = commands.add_parser(
        "calculator",
        help="make an offline risk calculator of a validated model",
        description=_CALCULATOR,
        epilog=_CALCULATOR_EXAMPLES,
        formatter_class=layout,
    )
    _calculator_options(calculator)
    audited = commands.add_parser(
        "audit",
        help="check the printed figures of a paper against each other",
        description=audit_command.DESCRIPTION,
        epilog=audit_command.EXAMPLES,
        formatter_class=layout,
    )
    audit_command.audit_options(audited)
    return parser


def _studies() -> str:
    """Return the list of studies for the help."""
    from rnetstats.studies.registry import STUDIES

    lines = ["studies:"]
    for entry in STUDIES.values():
        text = textwrap.wrap(entry.summary, 74)
        lines += [f"  {entry.name:<13} {text[0]}", *(f"{'':<16}{line}" for line in text[1:])]
    return "\n".join([*lines, ""])


def _calculator_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("model", metavar="MODEL.json", help="the model, as RiskModel.save() wrote it")
    add(
        "--output",
        metavar="FILE",
        required=True,
        help="the page, such as calculator.html; an earlier calculator is replaced",
    )
    add(
        "--force",
        metavar="RULE",
        nargs="+",
        action="extend",
        default=[],
        help="rules to pass over: performance, slope, calibration, in-the-large, discrimination",
    )
    parser.set_defaults(run=_run_calculator)


def _reproduce_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("study", metavar="STUDY", help="one of the studies listed below")
    add("--data", metavar="FILE", help="your cohort, a row a patient (CSV, Excel, Parquet, ...)")
    add("--codebook", metavar="FILE", help="what its columns mean, in TOML; the study's by default")
    add("--output", metavar="DIR", help="folder for the report: new, empty or an earlier report")
    add(
        "--seed",
        type=_seed,
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
        type=_resamples,
        metavar="N",
        help="bootstrap resamples of each validation (default: 300); fewer are faster and rougher",
    )
    parser.set_defaults(run=_run_reproduce)


def _seed(text: str) -> int:
    return _whole(text, 0)


def _resamples(text: str) -> int:
    return _whole(text, 20)


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return value


def _run_reproduce(options: argparse.Namespace) -> None:
    from rnetstats.report.reproduce import DEFAULT_SEED, reproduce

    with _progress() as step:
        result = reproduce(
            options.study,
            data=options.data,
            codebook=options.codebook,
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
    print()
    print(textwrap.fill(" ".join(result.answer), 100))
    print()
    width = max(len(words) for words in result.claims["verdict"])
    for row in result.claims.itertuples():
        print(f"  {row.verdict:<{width}}  {row.statement}")


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Show the running step on a terminal; say nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda name: None
        return
    from tqdm import tqdm

    bar = tqdm(bar_format="{desc}  [{elapsed}]", leave=False, file=sys.stderr)

    def step(name: str) -> None:
        bar.set_description_str(name)

    try:
        yield step
    finally:
        bar.close()


def _run_overview(options: argparse.Namespace) -> None:
    from rnetstats.report.overview import overview

    chosen = {"seed": options.seed, "resamples": options.resamples}
    with _progress() as step:
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


def _run_codebook(options: argparse.Namespace) -> None:
    from rnetstats.data.template import first_codebook

    text, pointer = first_codebook(options.file)
    if options.output is None:
        print(text, end="" if text.endswith("\n") else "\n")
        return
    target = Path(options.output)
    try:
        with target.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        raise OutputError(f"{target} exists and was left as it is; choose another name.") from None
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror}.") from None
    print(f"Written to {target}. Check each column, then give it as --codebook {target}.")
    for line in pointer:
        print(line)


def _run_calculator(options: argparse.Namespace) -> None:
    from rnetstats.report.calculator import calculator

    target = calculator(options.model, output=options.output, force=options.force)
    print(f"Written to {target} (open it in a browser; it needs no network).")
    print("Research use only.")


def _speak_utf8() -> None:
    """Let a terminal of another encoding replace what it cannot show, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
