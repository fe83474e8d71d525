"""The part of ``docs/validation.md`` on treatments: tables, and sentences from their numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import norm

from rnetstats.formatting import MISSING, fmt_number
from rnetstats.simulation.tables import bias_text, markdown, share_text
from rnetstats.simulation.treatment_answers import grace_of
from rnetstats.simulation.treatment_cohort import DEATH, FOLLOW_UP, LEVELS, Delay, Scene
from rnetstats.simulation.treatment_operating import TRUTHS, TreatmentCharacteristics
from rnetstats.simulation.treatment_words import HEADING, INTRODUCTION, REQUIRED

__all__ = ["Treatments", "parts_of", "shown", "treatment_part"]

Treatments = dict[tuple[str, str], TreatmentCharacteristics]
"""By size ("few" or "many" events) and truth."""

_NINE_IN_TEN = float(norm.ppf(0.95))


def parts_of(text: str) -> tuple[str, str]:
    """Return a page up to its part on treatments, and that part (empty if there is none)."""
    before, mark, after = text.partition(f"\n{HEADING}\n")
    return (before, f"{HEADING}\n{after}") if mark else (text, "")


def _width(value: float, *, ratio: bool) -> str:
    if math.isnan(value):
        return MISSING
    return f"×{fmt_number(math.exp(value), 1)}" if ratio else fmt_number(value, 3)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of operating characteristics as text."""
    rows = table.to_dict("records")
    return pd.DataFrame(
        {
            "method": [str(r["method"]) for r in rows],
            "what is estimated": [str(r["estimand"]) for r in rows],
            "limits": [str(r["limits"]) for r in rows],
            "true value": [
                fmt_number(math.exp(r["target"]) if r["ratio"] else r["target"], 3) for r in rows
            ],
            "cohorts": [f"{r['cohorts']:g}" for r in rows],
            "no estimate": [share_text(r["no_estimate"]) for r in rows],
            "no interval": [share_text(r["no_interval"]) for r in rows],
            "median bias": [bias_text(r["median_bias"], r["median_bias_mcse"]) for r in rows],
            "covers": [share_text(r["coverage"], r["coverage_mcse"]) for r in rows],
            "covers, of those given": [
                share_text(r["coverage_given"], r["coverage_given_mcse"]) for r in rows
            ],
            "above": [share_text(r["interval_above"]) for r in rows],
            "below": [share_text(r["interval_below"]) for r in rows],
            "median width": [_width(r["median_width"], ratio=bool(r["ratio"])) for r in rows],
            "excludes no effect": [share_text(r["rejected"], r["rejected_mcse"]) for r in rows],
            "in favour": [share_text(r["favours"], r["favours_mcse"]) for r in rows],
        }
    )


def _months(delay: Delay) -> str:
    ends = [delay.median * math.exp(sign * _NINE_IN_TEN * delay.spread) for sign in (-1, 1)]
    return f"{ends[0]:.0f} to {ends[1]:.0f}"


def _introduction(results: Treatments, seed: int) -> str:
    many, few = results["many", "effect"], results["few", "effect"]
    scenes = {
        truth: Scene(truth, many.patients, many.recurrences, ratio, delay)
        for truth, (ratio, delay) in TRUTHS.items()
    }
    effect, null = scenes["effect"], scenes["null"]
    counts = {name: result.options["cohorts"] for name, result in (("many", many), ("few", few))}
    errors = [100.0 * math.sqrt(0.95 * 0.05 / n) for n in counts["many"][:2]]
    assert effect.delay is not None and null.delay is not None
    return INTRODUCTION.format(
        many_n=many.patients,
        many_d=many.recurrences,
        few_n=few.patients,
        few_d=few.recurrences,
        level=f"{100 * LEVELS[1]:g}",
        confounding=f"{math.exp(effect.confounding):g}",
        choice=f"{math.exp(effect.choice):g}",
        death=f"{100 * -math.expm1(-60 * DEATH):.0f}",
        first=f"{FOLLOW_UP[0]:g}",
        last=f"{FOLLOW_UP[1]:g}",
        ratio=f"{math.exp(effect.log_hazard_ratio):g}",
        early=_months(effect.delay),
        late=_months(null.delay),
        early_grace=f"{grace_of(effect):g}",
        late_grace=f"{grace_of(null):g}",
        resamples=many.resamples,
        many_closed=counts["many"][0],
        many_resampled=counts["many"][1],
        few_closed=counts["few"][0],
        few_resampled=counts["few"][1],
        closed_error=f"{errors[0]:.1f}",
        resampled_error=f"{errors[1]:.1f}",
        seed=seed,
    )


def _requirements(results: Treatments) -> str:
    rows = [
        f"- {size} events, *{truth}*: {row['method']} ({row['limits']}), {row['estimand']}: "
        f"covers in {share_text(row['coverage'], row['coverage_mcse'])} %."
        for (size, truth), result in results.items()
        for _, row in result.check().iterrows()
    ]
    if not rows:
        return f"{REQUIRED} **Every requirement of this part is met.**\n"
    return f"{REQUIRED}\n\n**Not met:**\n\n" + "\n".join(rows) + "\n"


def _level(row: pd.Series) -> str:
    measure = f", {row['estimand'].partition(' at ')[0]}" if "clone" in row["method"] else ""
    return f"{row['method']}{measure}: {share_text(row['rejected'], row['rejected_mcse'])} %"


def _naive(results: Treatments) -> Iterator[str]:
    """Say what the naive analysis of a treatment during follow-up shows where it does nothing."""
    for size in ("many", "few"):
        table = results[size, "null"].table
        during = table[table["family"].str.startswith("treatment during")]
        row = during[during["role"] == "naive"].iloc[0]
        others = [_level(r) for _, r in during[during["role"] != "naive"].iterrows()]
        yield (
            f"- With {size} events the median hazard ratio is "
            f"{fmt_number(math.exp(row['median_estimate']), 2)}, where "
            f"{fmt_number(math.exp(row['target']), 2)} is true, and the interval speaks for the "
            f"treatment in {share_text(row['favours'], row['favours_mcse'])} % of cohorts. Methods "
            f"that respect time exclude no effect in: {'; '.join(others)}."
        )


def _few(results: Treatments) -> Iterator[str]:
    """Say how often methods give no interval with few events, and how wide the others are."""
    for truth in TRUTHS:
        table = results["few", truth].table
        valid = table[table["role"] != "naive"]
        none = valid[valid["no_interval"] > 0.5]
        worst = none.sort_values("no_interval", ascending=False, kind="stable")
        named = dict.fromkeys(
            f"{r['method']} ({r['limits']}) {share_text(r['no_interval'])} %"
            for _, r in worst.iterrows()
        )
        widths = valid.loc[valid["ratio"] & valid["median_width"].notna(), "median_width"]
        yield (
            f"- *{truth}*: without an interval in more than half of the cohorts: "
            f"{'; '.join(named) or 'none'}. Where a ratio has an interval, its upper limit is, in "
            "the median, "
            f"{fmt_number(math.exp(float(np.min(widths))), 1)} to "
            f"{fmt_number(math.exp(float(np.max(widths))), 1)} times its lower one."
        )


def treatment_part(results: Treatments, seed: int) -> str:
    """Return the part on treatments as Markdown, from :data:`HEADING` on.

    Parameters
    ----------
    results : dict
        Both sizes and truths.
    seed : int
    """
    titles = {
        ("many", "effect"): "the treatment halves the hazard",
        ("many", "null"): "the treatment does nothing, and comes late",
        ("few", "effect"): "the treatment halves the hazard",
        ("few", "null"): "the treatment does nothing, and comes late",
    }
    parts = [
        f"{HEADING}\n",
        _introduction(results, seed),
        "### What is required of treatments\n",
        _requirements(results),
        "### Where a treatment that does nothing seems to help\n",
        "Ever against never treated from time zero counts the time before treatment as treated.\n",
        "\n".join(_naive(results)) + "\n",
        "### What few events leave\n",
        "\n".join(_few(results)) + "\n",
    ]
    for (size, truth), words in titles.items():
        result = results[size, truth]
        parts.append(
            f"### {size.capitalize()} events, truth *{truth}*: {words}\n\n"
            f"{result.patients} patients, {result.recurrences} expected recurrences.\n"
        )
        for family, rows in result.table.groupby("family", sort=False):
            parts.append(f"{str(family).capitalize()}:\n\n{markdown(shown(rows))}\n")
    return "\n".join(parts)
