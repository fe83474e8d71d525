"""The page of an audit: every check, the figures, the possible worlds, the items of reporting."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rnetstats.evidence.audit_result import AuditResult
from rnetstats.evidence.checks_line import VERDICTS
from rnetstats.evidence.reporting import instruments
from rnetstats.report.figures import RenderedFigure
from rnetstats.report.pages import environment
from rnetstats.studies.exhibit import Exhibit

__all__ = ["GAPS", "MEANINGS", "audit_page", "lead_of"]

GAPS = "gaps"
_ODD = ("inconsistent", "rounding")
_LISTED = 8  # findings in the answer
_TABLE_ROWS = 12  # of possible tables
MEANINGS = {
    "consistent": "The figures can all be true together, rounding to the nearest allowed for.",
    "rounding": "They agree only if digits were cut off, or if a figure was rounded more coarsely "
    "than it is printed. Usually harmless.",
    "inconsistent": "No rounding explains the difference: at least one figure, or the method that "
    "is said to be behind it, is not as printed.",
    "cannot be checked": "A figure is missing, or there is nothing in print to hold it against; "
    "what would make it true, or what follows, stands beside it.",
}


def audit_page(result: AuditResult, figures: dict[str, RenderedFigure], run: dict[str, Any]) -> str:
    """Return the page as HTML; every text from the facts file is escaped.

    Parameters
    ----------
    result : AuditResult
    figures : dict
        The drawn figures by name: ``"gaps"`` and one for each possible world.
    run : dict
        The record of the run.
    """
    shown = {name: _shown(figure) for name, figure in figures.items()}
    checks = [
        {"line": line, **row}
        for line, row in enumerate(result.to_frame().to_dict("records"), start=1)
    ]
    odd = [row for verdict in _ODD for row in checks if row["verdict"] == verdict]
    return (
        environment()
        .get_template("audit.html.j2")
        .render(
            result=result,
            run=run,
            lead=lead_of(result),
            tally=[(name, int((result.lines["verdict"] == name).sum())) for name in VERDICTS],
            odd=odd[:_LISTED],
            more_odd=max(len(odd) - _LISTED, 0),
            checks=checks,
            gaps=shown.get(GAPS),
            worlds=_worlds(result, shown),
            facts=_facts(result),
            reporting=[_instrument(result, part.key, part.name) for part in instruments()],
            verdicts=list(MEANINGS.items()),
        )
    )


def lead_of(result: AuditResult) -> str:
    """Return the audit in one sentence."""
    row = result.glance().iloc[0]
    if not row["n_checks"]:
        return f"The file states {row['n_facts']} figures and asks for no checks."
    checks = "check" if row["n_checks"] == 1 else "checks"
    told = f"Of {row['n_checks']} {checks} on {row['n_facts']} figures "
    if row["inconsistent"]:
        return f"{told}{row['inconsistent']} found a difference that no rounding explains."
    if row["rounding"]:
        cut = row["rounding"]
        return f"{told}none found a contradiction; {cut} found digits cut off or rounded away."
    return f"{told}none found a contradiction."


def _shown(figure: RenderedFigure) -> dict[str, Any]:
    from markupsafe import Markup

    return {
        "name": figure.name,
        "title": figure.title,
        "caption": figure.caption,
        "from_print": True,
        "svg": Markup(figure.svg),  # noqa: S704 (drawn by us; matplotlib escapes its texts)
    }


def _worlds(result: AuditResult, figures: dict[str, Any]) -> list[dict[str, Any]]:
    """Return each question about possible tables: the answer, its figure, its first rows."""
    sentences = dict(zip(result.lines["check"], result.lines["sentence"], strict=True))
    found = []
    for number, (check, world) in enumerate(
        zip(result.world_checks, result.worlds, strict=True), start=1
    ):
        rows, numbers = world.display(), world.to_frame()
        left = len(rows) - _TABLE_ROWS
        caption = f"The first {_TABLE_ROWS} of {len(rows):,} rows." if left > 0 else ""
        if not len(numbers):
            caption = f"The nearest ones. {caption}".strip()
        table = Exhibit(
            name=f"worlds_{number}",
            title="Tables that agree with the print" if len(numbers) else "No table agrees",
            caption=caption,
            numbers=numbers,
            shown=rows.head(_TABLE_ROWS),
            from_print=True,
            notes=world.notes,
        )
        found.append(
            {
                "check": check,
                "sentence": sentences.get(check, ""),
                "figure": figures.get(f"worlds_{number}"),
                "table": table if len(rows) else None,
            }
        )
    return found


def _facts(result: AuditResult) -> Exhibit:
    facts = result.facts
    values = [f"{value} {unit}".strip() for value, unit in facts[["value", "unit"]].to_numpy()]
    shown = pd.DataFrame(
        {
            "Figure": facts["label"],
            "Value": [
                value if known else "not in print"
                for value, known in zip(values, facts["value"], strict=True)
            ],
            "Standing": facts["standing"],
            "Where": [
                "; ".join(filter(None, texts)) or "\u2013"
                for texts in facts[["where", "note"]].to_numpy()
            ],
        }
    )
    return Exhibit(
        name="facts",
        title="Printed figures and where they stand",
        caption="Printed: stands in the document. Derived: arithmetic on other figures. Inferred: "
        "a reading of something ambiguous. Chosen: set by the writer of the file. Unknown: looked "
        "for, not there.",
        numbers=facts,
        shown=shown,
        from_print=True,
    )


def _instrument(result: AuditResult, key: str, name: str) -> dict[str, Any]:
    """Return one instrument: what is answered as a table, what is open as a list."""
    items = result.reporting[result.reporting["instrument"] == key]
    answered, left = items[items["answer"] != "open"], items[items["answer"] == "open"]
    whole = answered[answered["item"] == "all"]
    if len(whole):
        told = f"{name}: not applicable. {whole['basis'].iloc[0]}"
        return {"name": name, "answered": None, "none": told, "open": []}
    labels = dict(zip(result.facts["key"], result.facts["label"], strict=True))
    shown = pd.DataFrame(
        {
            "Item": [
                f"{item}. {question}"
                for item, question in answered[["item", "question"]].to_numpy()
            ],
            "Answer": answered["answer"],
            "Why": answered["basis"],
            "Rests on": [
                "; ".join(labels.get(fact, fact) for fact in text.split(", "))
                for text in answered["facts"]
            ],
        }
    )
    table = Exhibit(
        name=f"reporting_{key}",
        title=name,
        caption="Items that the figures can answer.",
        numbers=answered,
        shown=shown,
        from_print=True,
    )
    none = "" if len(answered) else f"{name}: the file answers no item."
    return {
        "name": name,
        "answered": table if len(answered) else None,
        "none": none,
        "open": [f"{row.item}. {row.question}" for row in left.itertuples()],
    }
