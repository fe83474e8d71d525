"""The table of a document's figures with their standing."""

from __future__ import annotations

import pandas as pd

from rnetstats.evidence.facts import FactSheet
from rnetstats.studies.exhibit import Exhibit

__all__ = ["facts_table"]


def facts_table(sheet: FactSheet) -> Exhibit:
    """Return the printed figures with where each stands."""
    facts = list(sheet.facts.values())
    numbers = pd.DataFrame(
        {
            name: [getattr(fact, name) for fact in facts]
            for name in ("key", "label", "value", "unit", "standing", "where")
        }
    )
    shown = pd.DataFrame(
        {
            "Figure": numbers["label"],
            "Value": [fact.text if fact.value else "not in print" for fact in facts],
            "Standing": numbers["standing"],
            "Where": [fact.where or "–" for fact in facts],
        }
    )
    return Exhibit(
        name="printed_facts",
        title="Printed figures and where they stand",
        caption=(
            "Printed: stands in the document or its abstract. Derived: arithmetic on printed "
            "figures. Inferred: our reading of something ambiguous. Unknown: looked for, not there."
        ),
        from_print=True,
        numbers=numbers,
        shown=shown,
    )
