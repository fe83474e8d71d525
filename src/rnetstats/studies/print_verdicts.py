"""What the printed figures alone leave of an answer, document by document."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnetstats.evidence.facts import FactSheet
from rnetstats.studies.duan2024.arithmetic import PrintedNumbers
from rnetstats.studies.evidence_verdicts import evidence_verdict, judge_worlds
from rnetstats.studies.verdict_table import Verdict
from rnetstats.tables.fisher import fisher_p

__all__ = ["print_verdict", "salvage_worlds", "split_worlds"]

LEVEL = 0.05


def print_verdict(question: str, sheet: FactSheet) -> Verdict:
    """Judge a document's answer to a question by its printed figures.

    Parameters
    ----------
    question : str
        Its id in ``questions.toml``.
    sheet : FactSheet
        The document's figures.
    """
    judge = _JUDGES.get((question, sheet.name))
    if judge is None:
        return evidence_verdict("not in print", "No figure of the document bears on it.")
    return judge(sheet)


def split_worlds(printed: PrintedNumbers) -> tuple[int, int]:
    """Count the splits of the recurrences over the margins: significantly worse, and all."""
    a = np.arange(printed.recurrences + 1)
    b = printed.recurrences - a
    p = fisher_p(a, printed.positive - a, b, printed.negative - b)
    worse = (a / printed.positive > b / printed.negative) & (p < LEVEL)
    return int(worse.sum()), a.size


def salvage_worlds(printed: PrintedNumbers) -> tuple[int, int]:
    """Count the tables of recurrence by salvage among the positive margins: better, and all.

    Every number of recurrences among the positives up to the printed total, of salvages, and of
    recurrences after them.
    """
    n, most = printed.positive, printed.recurrences
    total, hits, salvaged = np.meshgrid(
        np.arange(most + 1), np.arange(most + 1), np.arange(1, n), indexing="ij"
    )
    rest = n - salvaged
    possible = (hits <= total) & (hits <= salvaged) & (total - hits <= rest)
    total, hits, salvaged, rest = (x[possible] for x in (total, hits, salvaged, rest))
    p = fisher_p(hits, salvaged - hits, total - hits, rest - (total - hits))
    better = (hits / salvaged < (total - hits) / rest) & (p < LEVEL)
    return int(better.sum()), total.size


def _margin(sheet: FactSheet) -> Verdict:
    holds, worlds = split_worlds(PrintedNumbers.of(sheet))
    return judge_worlds(
        holds,
        worlds,
        "“Worse” is significant in those splits of the recurrences over the margins (Fisher); "
        "which split it was is not printed, nor what counts as an event.",
    )


def _salvage(sheet: FactSheet) -> Verdict:
    holds, worlds = salvage_worlds(PrintedNumbers.of(sheet))
    return judge_worlds(
        holds,
        worlds,
        "“Better” is significant in those tables of salvage and recurrence (Fisher); neither the "
        "salvages nor the recurrences by salvage are printed.",
    )


def _kinds(sheet: FactSheet) -> Verdict:
    return evidence_verdict(
        "not in print", "Neither the numbers of either kind nor a margin of equivalence is printed."
    )


def _bound(sheet: FactSheet) -> Verdict:
    n = sheet["patients"].value
    return evidence_verdict("bound only", f"No recurrence in {n} patients, in either group.")


def _determined(sheet: FactSheet) -> Verdict:
    lvi, margin = (sheet[f"or_{name}"].value for name in ("lvi", "margin_positive"))
    return evidence_verdict(
        "not comparable",
        f"No recurrence in either arm, and who was treated was almost determined (odds ratios "
        f"{lvi} and {margin}).",
    )


def _late(sheet: FactSheet) -> Verdict:
    return evidence_verdict(
        "design", "The resected had to live until the resection, and were fit for it."
    )


def _pooled(sheet: FactSheet) -> Verdict:
    crude = " against ".join(sheet[f"crude_{arm}"].text for arm in ("salvage", "observation"))
    low, high = sheet["comparative_low"].value, sheet["comparative_high"].value
    return evidence_verdict(
        "design",
        f"The crude {crude} sets arms of different studies side by side; within the studies that "
        f"compare, the odds ratio is {sheet['comparative_or'].value} ({low} to {high}), which "
        "leaves out neither a large benefit nor a large harm.",
    )


_JUDGES: dict[tuple[str, str], Callable[[FactSheet], Verdict]] = {
    ("margin", "duan2024"): _margin,
    ("margin", "cha2019"): _bound,
    ("salvage", "duan2024"): _salvage,
    ("salvage", "cha2019"): _determined,
    ("salvage", "nelm2024"): _late,
    ("salvage", "meta2026"): _pooled,
    ("endoscopic", "duan2024"): _kinds,
}
