"""The audit of a document's printed figures: every check that its facts file asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from rnetstats._core.options import level
from rnetstats.errors import BudgetError, FactsError, OptionError, RnetError
from rnetstats.evidence.audit_result import AuditResult
from rnetstats.evidence.checks_interval import check_interval
from rnetstats.evidence.checks_interval_p import check_estimate_p
from rnetstats.evidence.checks_line import CheckLine, Figures, begun, open_line
from rnetstats.evidence.checks_mean import check_mean
from rnetstats.evidence.checks_percentage import check_percentage
from rnetstats.evidence.checks_rate import check_rate
from rnetstats.evidence.checks_remark import check_remark
from rnetstats.evidence.checks_std_error import check_std_error
from rnetstats.evidence.checks_sum import check_sum
from rnetstats.evidence.checks_survival import check_survival
from rnetstats.evidence.checks_symmetry import check_symmetry
from rnetstats.evidence.checks_tests import check_test
from rnetstats.evidence.checks_two_by_two import check_odds_ratio_tables, check_two_rates
from rnetstats.evidence.checks_worlds import check_share, check_split
from rnetstats.evidence.facts import FactSheet, read_facts
from rnetstats.evidence.reporting import reporting_items

__all__ = ["CHECKS", "audit"]

CHECKS: dict[str, Callable[[Figures], list[CheckLine]]] = {
    "percentage": check_percentage,
    "mean": check_mean,
    "sum": check_sum,
    "interval": check_interval,
    "symmetry": check_symmetry,
    "std_error": check_std_error,
    "estimate_p": check_estimate_p,
    "test": check_test,
    "survival": check_survival,
    "rate": check_rate,
    "split": check_split,
    "share": check_share,
    "two_rates": check_two_rates,
    "odds_ratio_tables": check_odds_ratio_tables,
    "remark": check_remark,
}

_STUDY = ("name", "title", "short_title", "citation", "design")
_LISTED = 8  # figures that a note names
_NAMED = 2  # and that a sentence names
_FACT_COLUMNS = ("key", "label", "value", "unit", "standing", "where", "depends_on", "note")


def audit(
    source: str | Path | Mapping[str, Any] | FactSheet, *, conf_level: float = 0.95
) -> AuditResult:
    """Check the printed figures of a document against each other.

    No patient data are needed: the figures stand in a facts file, which also names the checks.
    Every printed figure stands for all values that print as it does.

    Parameters
    ----------
    source : str, path, mapping or FactSheet
        A facts file (``"paper.toml"``), a study of the package (``"duan2024"``), or the file's
        content; see :func:`rnetstats.read_facts`.
    conf_level : float
        Level of the limits in print.

    Returns
    -------
    AuditResult
        One line a check, with what is printed, what follows from the other figures, the verdict
        (``consistent``, ``rounding``, ``inconsistent`` or ``cannot be checked``) and the reasoning
        in a sentence; ``.worlds`` are the possible tables behind, ``.reporting`` the items of
        reporting and risk of bias that the facts answer.

    Raises
    ------
    FactsError
        If the file cannot be read, or a figure is not what a check needs.
    OptionError
        If the level is not between 0 and 1.

    References
    ----------
    Brown NJL, Heathers JAJ (2017) The GRIM test. Soc Psychol Personal Sci 8:363-369. Altman DG,
    Bland JM (2011) How to obtain the P value from a confidence interval. BMJ 343:d2304.

    Examples
    --------
    The share of recurrences is printed as 2.2 per cent:

    >>> import rnetstats as rn
    >>> found = rn.audit("duan2024")
    >>> row = found.to_frame().query("verdict == 'rounding'").iloc[0]
    >>> print(row["printed"], "|", row["recomputed"])
    12 of 527, 2.2 % | 2.277 %
    >>> print(row["sentence"])
    12 of 527 is 2.277 %; the print cuts digits off, where rounding to the nearest gives 2.3 %.
    """
    sheet = read_facts(source)
    conf_level = level(conf_level)
    rows, worlds = [], []
    for check in sheet.checks:
        figures = Figures(check, sheet, conf_level)
        lines = _lines(figures)
        for line in lines:
            rows.append(_row(figures, line, several=len(lines) > 1))
            if line.world is not None:
                worlds.append((rows[-1]["check"], line.world))
    return AuditResult(
        lines=pd.DataFrame(rows, columns=list(AuditResult.columns)),
        facts=_facts_frame(sheet),
        study={name: getattr(sheet, name) for name in _STUDY},
        reporting=reporting_items(sheet),
        world_checks=tuple(name for name, _ in worlds),
        worlds=tuple(world for _, world in worlds),
        notes=_notes(sheet),
        options={"source": sheet.source, "conf_level": conf_level},
    )


def _lines(figures: Figures) -> list[CheckLine]:
    """Return the lines of one check; one that is too large says so."""
    check = figures.check
    try:
        return CHECKS[check.kind](figures)
    except FactsError:
        raise
    except (BudgetError, OptionError) as error:
        return [open_line(_as_printed(figures), str(error))]
    except RnetError as error:
        where = f"{figures.sheet.source}, [[checks]] number {check.number} ({check.kind})"
        raise FactsError(f"{where}: {error}") from None


def _row(figures: Figures, line: CheckLine, *, several: bool) -> dict[str, Any]:
    check = figures.check
    name = begun(check.label or _default_label(figures))
    low, high = (line.gap.low, line.gap.high) if line.gap else (float("nan"),) * 2
    return {
        "number": check.number,
        "check": f"{name}: {line.part}" if line.part and several else name,
        "kind": check.kind,
        "facts": ", ".join(check.keys),
        "printed": line.printed or _as_printed(figures),
        "recomputed": line.recomputed,
        "verdict": line.verdict,
        "sentence": line.sentence + _standings(figures),
        "gap_low": low,
        "gap_high": high,
    }


def _default_label(figures: Figures) -> str:
    """Name a check without a label by its main figure."""
    if figures.check.kind == "survival":
        return "Survival"
    if figures.check.kind == "sum":
        return f"{figures.fact('total').label}: sum of parts"
    if figures.check.kind == "interval" and figures.given("estimate"):
        return figures.fact("estimate").label
    return figures.sheet[figures.check.keys[0]].label


def _as_printed(figures: Figures) -> str:
    """The figures of a check, for a line that has no better words for them."""
    facts = [figures.sheet[key] for key in figures.check.keys]
    return "; ".join(fact.text or "?" for fact in facts)


def _standings(figures: Figures) -> str:
    """Say which of the figures do not stand in print."""
    facts = [figures.sheet[key] for key in figures.check.keys]
    told = []
    for standing in ("derived", "inferred", "chosen"):
        labels = [fact.label for fact in facts if fact.standing == standing]
        if labels:
            more = f" and {len(labels) - _NAMED} more" if len(labels) > _NAMED else ""
            told.append(f"{', '.join(labels[:_NAMED])}{more} ({standing})")
    return f" Not in print: {'; '.join(told)}." if told else ""


def _facts_frame(sheet: FactSheet) -> pd.DataFrame:
    rows = [
        {
            **{name: getattr(fact, name) for name in _FACT_COLUMNS},
            "depends_on": ", ".join(fact.depends_on),
        }
        for fact in sheet.facts.values()
    ]
    return pd.DataFrame(rows, columns=list(_FACT_COLUMNS))


def _notes(sheet: FactSheet) -> tuple[str, ...]:
    notes = []
    if not sheet.checks:
        notes.append("The facts file asks for no checks; add them as tables [[checks]].")
    used = {key for check in sheet.checks for key in check.keys}
    free = [fact.key for fact in sheet.facts.values() if fact.known and fact.key not in used]
    if free and sheet.checks:
        listed = ", ".join(free[:_LISTED]) + (", ..." if len(free) > _LISTED else "")
        notes.append(f"{len(free)} known figures stand in no check: {listed}.")
    notes.append(
        "Consistent figures can still be wrong; an inconsistency says that at least one of the "
        "figures, or the method behind it, is not as printed, not which, and not why."
    )
    return tuple(notes)
