"""A meta-analysis as text, and the rows of its forest plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats.evidence.meta_measures import MEASURES
from rnetstats.evidence.meta_options import CI_METHODS, PREDICTIONS
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_p, fmt_percent

if TYPE_CHECKING:
    from rnetstats.evidence.meta_result import MetaAnalysisResult
    from rnetstats.evidence.meta_subgroups import SubgroupsResult

__all__ = [
    "arm_texts",
    "digits_of",
    "display_rows",
    "fmt_p_sign",
    "heterogeneity_text",
    "pooled_rows",
    "subgroup_rows",
]


def digits_of(measure: str) -> int:
    """Decimals of a measure in tables."""
    return 3 if measure in ("RD", "IRD") else 2


def arm_texts(studies: pd.DataFrame) -> dict[str, list[str]]:
    """The data of each arm as text, where studies came with arms."""
    columns = set(studies.columns)
    found: dict[str, list[str]] = {}
    for arm in ("1", "2"):
        if {"mean_1", "sd_1"} <= columns:
            names, form = [f"mean_{arm}", f"sd_{arm}", f"n_{arm}"], "Mean (SD), n, arm "
        elif "time_1" in columns:
            names, form = [f"events_{arm}", f"time_{arm}"], "Events / time, arm "
        elif "events_1" in columns:
            names, form = [f"events_{arm}", f"n_{arm}"], "Events / n, arm "
        else:
            return {}
        rows = studies[names].itertuples(index=False, name=None)
        found[form + arm] = [_arm_text(row) for row in rows]
    return found


def _arm_text(row: Sequence[float]) -> str:
    if len(row) == 3:
        return f"{fmt_number(row[0])} ({fmt_number(row[1])}), {fmt_count(row[2])}"
    return f"{fmt_count(row[0])} / {fmt_count(row[1])}"


def display_rows(result: MetaAnalysisResult, beside: pd.DataFrame) -> pd.DataFrame:
    """Studies, pooled effects, and what stands ``beside`` them: ``label``, limits, ``p_value``."""
    digits = digits_of(result.measure)
    interval = f"{100 * result.options['conf_level']:g} % CI"
    studies, pooled = result.studies, pd.concat([pooled_rows(result), beside], ignore_index=True)
    blank = [""] * len(pooled)
    both = pd.concat([studies, pooled], ignore_index=True)
    table = {"Study": [*studies["study"], *pooled["label"]]}
    for name, texts in arm_texts(studies).items():
        table[name] = [*texts, *blank]
    limits = zip(both["conf_low"], both["conf_high"], strict=True)
    table[result.measure if result.measure != "generic" else "Estimate"] = [
        fmt_number(value, digits) for value in both["estimate"]
    ]
    table[interval] = [fmt_interval(low, high, digits) for low, high in limits]
    table["Weight, %"] = [*(fmt_number(w, 1) for w in studies["weight"]), *blank]
    p_values = [
        "" if kind == "prediction" else fmt_p(p)
        for kind, p in zip(pooled["kind"], pooled["p_value"], strict=True)
    ]
    table["P"] = [*("" for _ in studies.index), *p_values]
    said = pooled["note"].fillna("") if "note" in pooled.columns else blank
    table["Note"] = [*studies["note"], *said]
    shown = pd.DataFrame(table)
    empty = [name for name in ("Note",) if not any(shown[name])]
    return shown.drop(columns=empty)


def pooled_rows(result: MetaAnalysisResult) -> pd.DataFrame:
    """The pooled effects as a forest plot takes them: ``label``, limits, ``kind``, ``text``, P."""
    random, common = result.pooled.to_dict("records")
    tau2, ci, prediction = (result.options[name] for name in ("tau2", "ci", "prediction"))
    how = tau2 if isinstance(tau2, str) else f"tau² = {tau2:g}"
    knapp = CI_METHODS[ci] if random["df"] < float("inf") else "Wald"
    rows = [
        {
            "label": f"Random effects ({how}, {knapp})",
            "kind": "random",
            "text": heterogeneity_text(result),
            **_numbers(random, "conf_low", "conf_high"),
        }
    ]
    if prediction is not None and random["pi_low"] == random["pi_low"]:
        rows.append(
            {
                "label": f"Prediction interval ({PREDICTIONS[prediction]})",
                "kind": "prediction",
                "text": "",
                **_numbers(random, "pi_low", "pi_high"),
                "estimate": float("nan"),
                "p_value": float("nan"),
            }
        )
    rows.append(
        {
            "label": "Common effect",
            "kind": "common",
            "text": "",
            **_numbers(common, "conf_low", "conf_high"),
        }
    )
    return pd.DataFrame(rows)


def _numbers(row: Mapping[Any, Any], low: str, high: str) -> dict[str, float]:
    return {
        "estimate": row["estimate"],
        "conf_low": row[low],
        "conf_high": row[high],
        "p_value": row["p_value"],
    }


def heterogeneity_text(result: MetaAnalysisResult) -> str:
    """One line: tau2, I2 and Q."""
    h = result.heterogeneity.iloc[0]
    if h["q_df"] < 1:
        return ""
    digits = 4 if MEASURES[result.measure].name in ("RD", "IRD") else 2
    return (
        f"tau² = {fmt_number(h['tau2'], digits)}, I² = {fmt_percent(h['i2'], 0)}, "
        f"Q = {fmt_number(h['q'])} on {fmt_count(h['q_df'])} df (P {fmt_p_sign(h['q_p'])})"
    )


def fmt_p_sign(p: float) -> str:
    """A P value after a letter P: ``'= 0.04'`` or ``'<0.001'``."""
    text = fmt_p(p)
    return text if text[0] in "<>" else f"= {text}"


def subgroup_rows(result: SubgroupsResult) -> pd.DataFrame:
    """One diamond a group, as a forest plot takes them."""
    rows = result.groups
    return pd.DataFrame(
        {
            "label": rows["group"],
            "subgroup": rows["group"],
            "kind": "subgroup",
            "text": [
                f"tau² = {fmt_number(row['tau2'])}, I² = {fmt_percent(row['i2'], 0)}"
                if row["k"] > 1
                else ""
                for row in rows.to_dict("records")
            ],
            "estimate": rows["estimate"],
            "conf_low": rows["conf_low"],
            "conf_high": rows["conf_high"],
            "p_value": rows["p_value"],
        }
    )
