"""Tables of the rules themselves: all cells, definitions that differ, and numbers used for risk."""

from __future__ import annotations

import pandas as pd

from rnetstats.evidence.facts import FactSheet
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.management.guidelines import guidelines
from rnetstats.studies.management.vocabulary import ADVICE

__all__ = ["definitions_table", "risk_numbers", "rules_table"]

# a definition, its default, the alternatives, and the facts that it rests on
_DEFINITIONS = (
    ("indeterminate", "apart", "positive, negative", ("indeterminate_nccn",)),
    ("lvi_as_positive", "False", "True", ("indeterminate_meta2026",)),
    ("positive_rim_mm", "0", "any width", ("indeterminate_enets", "indeterminate_cha_b")),
    ("edge_10", "as printed", "smaller, larger", ("size_edge_small",)),
    ("edge_20", "as printed", "smaller, larger", ("size_edge_large",)),
    ("grade_from", "either", "both", ("who_g1", "who_g2", "who_g3", "who_rule")),
    ("higher_g2", "None (unknown)", "a Ki-67, all, none", ("enets_higher_g2",)),
    (
        "T stage, where not recorded",
        "from size and invasion",
        "as recorded",
        ("ajcc_t1a", "ajcc_t1b", "ajcc_t2", "ajcc_t3", "ajcc_t4"),
    ),
    ("risk_factors", "lvi, invasion, grade", "any of these", ("enets_10_20", "cnets_10_20")),
)
_RISK = (
    "metastasis_under_10",
    "metastasis_10_19",
    "metastasis_20",
    "metastasis_20_other",
    "lvi_small_series",
    "lvi_small_he",
    "lvi_small_stain",
    "lvi_small_n",
    "lvi_nodes",
    "lvi_nodes_n",
    "lvi_nodes_percent",
    "g1_n",
    "g2_n",
    "g1_nodes",
    "g2_nodes",
    "g1_distant",
    "g2_distant",
)


def rules_table() -> Exhibit:
    """Return all rules that come with the package."""
    numbers = guidelines()
    said = numbers["words"].where(numbers["answer"] != "no rule", "no rule: " + numbers["why"])
    shown = pd.DataFrame(
        {
            "Guideline": numbers["name"],
            "Situation": numbers["situation"],
            "Conditions": numbers["conditions"],
            "Next step": said,
            "Evidence": numbers["evidence"].replace("", "–"),
            "Standing": numbers["standing"],
            "Left out": numbers["omits"].replace("", "–"),
        }
    )
    return Exhibit(
        name="rules",
        title="The rules as data",
        caption="In the order in which they are tried within a situation; the first that holds "
        "decides.",
        numbers=numbers,
        shown=shown,
        from_print=True,
        notes=(
            *(f"{name}: {source}." for name, source in _sources(numbers)),
            "Which sizes an edge belongs to is written out: >= and <= include it, > and < do not.",
            ADVICE,
        ),
    )


def _sources(numbers: pd.DataFrame) -> list[tuple[str, str]]:
    pairs = numbers[["name", "source"]].drop_duplicates()
    joined = pairs.groupby("name", sort=False)["source"].agg("; ".join)
    return [(str(name), source) for name, source in joined.items()]


def definitions_table(sheet: FactSheet) -> Exhibit:
    """Return the definitions that differ, with their defaults and what they rest on."""
    rows = [
        {
            "definition": name,
            "default": default,
            "alternatives": others,
            "rests_on": "; ".join(
                f"{sheet[key].label}: {sheet[key].text or 'unknown'}" for key in keys
            ),
        }
        for name, default, others, keys in _DEFINITIONS
    ]
    numbers = pd.DataFrame(rows)
    return Exhibit(
        name="definitions",
        title="Definitions that differ",
        caption="Each is a parameter of classify().",
        numbers=numbers,
        shown=numbers.rename(
            columns={
                "definition": "Definition",
                "default": "Default",
                "alternatives": "Otherwise",
                "rests_on": "Rests on",
            }
        ),
        from_print=True,
    )


def risk_numbers(sheet: FactSheet) -> Exhibit:
    """Return the printed numbers that serve for risk, as they stand."""
    facts = [sheet[key] for key in _RISK]
    return Exhibit(
        name="risk_numbers",
        title="Numbers used for risk",
        caption="As printed, from several sources; they are not estimates of one population.",
        numbers=pd.DataFrame(
            {
                "key": [fact.key for fact in facts],
                "value": [fact.value for fact in facts],
                "unit": [fact.unit for fact in facts],
                "where": [fact.where for fact in facts],
            }
        ),
        shown=pd.DataFrame(
            {
                "What": [fact.label for fact in facts],
                "Value": [fact.text for fact in facts],
                "Source": [fact.where for fact in facts],
            }
        ),
        from_print=True,
    )
