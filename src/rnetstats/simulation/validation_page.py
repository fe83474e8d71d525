"""The page ``docs/validation.md``: tables, and sentences computed from their numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from rnetstats.formatting import fmt_number
from rnetstats.simulation.operating import OperatingCharacteristics
from rnetstats.simulation.summaries import inconsistent
from rnetstats.simulation.tables import bias_text, markdown, share_text
from rnetstats.simulation.validation_words import INTRODUCTION

__all__ = ["Results", "Setting", "page"]


class Setting(NamedTuple):
    """One kind of cohort: ``few`` or ``many`` events, ``free`` or ``fixed`` totals, a truth."""

    size: str
    totals: str
    truth: str


Results = dict[Setting, OperatingCharacteristics]

_TRUTHS = {
    "as_published": "the published claims hold",
    "smooth": "the same predictors act linearly",
    "null": "no effect of anything",
}


def _label(row: pd.Series) -> str:
    analysis = str(row["analysis"])
    return str(row["estimand"]) if "cut-offs" in analysis else f"{analysis}: {row['estimand']}"


def _covers(row: pd.Series) -> str:
    return share_text(row["coverage"], row["coverage_mcse"])


def _table(free: pd.DataFrame, fixed: pd.DataFrame | None) -> str:
    """Return the rows of one setting, free totals with fixed ones beside."""
    rows = free.to_dict("records")
    out = pd.DataFrame(
        {
            "analysis": [str(r["analysis"]) for r in rows],
            "of": [str(r["estimand"]) for r in rows],
            "method": [str(r["method"]) for r in rows],
            "true value": [fmt_number(r["target"], 3) for r in rows],
            "infinite": [share_text(r["infinite"]) for r in rows],
            "median bias": [bias_text(r["median_bias"], r["median_bias_mcse"]) for r in rows],
            "mean bias": [bias_text(r["mean_bias"], r["mean_bias_mcse"]) for r in rows],
            "covers": [share_text(r["coverage"], r["coverage_mcse"]) for r in rows],
            "above": [share_text(r["interval_above"]) for r in rows],
            "below": [share_text(r["interval_below"]) for r in rows],
            "no interval": [share_text(r["no_interval"]) for r in rows],
            "rejects no effect": [share_text(r["rejected"], r["rejected_mcse"]) for r in rows],
        }
    )
    if fixed is None:
        return markdown(out.drop(columns="rejects no effect"))
    beside = fixed.set_index(["analysis", "estimand", "method"])
    keys = list(zip(free["analysis"], free["estimand"], free["method"], strict=True))
    twins = beside.loc[pd.MultiIndex.from_tuples(keys)].to_dict("records")
    out["fixed totals: infinite"] = [share_text(r["infinite"]) for r in twins]
    out["fixed totals: median bias"] = [
        bias_text(r["median_bias"], r["median_bias_mcse"]) for r in twins
    ]
    out["fixed totals: covers"] = [share_text(r["coverage"], r["coverage_mcse"]) for r in twins]
    out["fixed totals: rejects"] = [share_text(r["rejected"], r["rejected_mcse"]) for r in twins]
    return markdown(out)


def _infinite(results: Results) -> Iterator[tuple[float, str, dict[str, str]]]:
    """Find where maximum likelihood has no finite estimate: share, words, and a table's row."""
    for setting, result in results.items():
        if setting.totals == "fixed":
            continue
        table = result.table
        for _, row in table[
            (table["method"] == "ML, profile") & (table["infinite"] > 0)
        ].iterrows():
            same = (table["analysis"] == row["analysis"]) & (table["estimand"] == row["estimand"])
            rows = table[same].set_index("method")
            wald, firth = rows.loc["ML, Wald"], rows.loc["Firth, profile"]
            share = share_text(row["infinite"])
            words = (
                f"{_label(row)} (*{setting.truth}*): the maximum-likelihood estimate is infinite "
                f"in {share} % of cohorts, so it has no mean, and its Wald interval covers in "
                f"{_covers(wald)} %; Firth's estimate is infinite in "
                f"{share_text(firth['infinite'])} % and its interval covers in {_covers(firth)} %"
            )
            cells = {
                "events": setting.size,
                "truth": setting.truth,
                "estimand": _label(row),
                "ML infinite %": share,
                "ML, Wald covers %": _covers(wald),
                "ML, profile covers %": _covers(row),
                "Firth infinite %": share_text(firth["infinite"]),
                "Firth median bias": bias_text(firth["median_bias"], firth["median_bias_mcse"]),
                "Firth covers %": _covers(firth),
            }
            yield float(row["infinite"]), words, cells


def _infinite_words(results: Results) -> str:
    found = list(_infinite(results))
    if not found:
        return "Every maximum-likelihood estimate was finite."
    worst = max(found, key=lambda item: item[0])[1]
    table = markdown(pd.DataFrame([cells for _, _, cells in found]))
    return f"It fails most for {worst}. Wherever an estimate was infinite:\n\n{table}"


def _misses(results: Results, size: str) -> Iterator[tuple[Setting, pd.Series]]:
    """Find the intervals that cover too rarely, by more than three Monte Carlo errors."""
    for setting, result in results.items():
        if setting.totals == "fixed" or setting.size != size:
            continue
        for _, row in result.table.iterrows():
            coverage, n = row["coverage"], int(row["replicates"])
            if not math.isnan(coverage) and inconsistent(coverage, 0.95, n, at_least=True):
                yield setting, row


def _miss_words(results: Results) -> str:
    found = sorted(_misses(results, "few"), key=lambda pair: float(pair[1]["coverage"]))
    if not found:
        return "No method covers too rarely here by more than three Monte Carlo errors."
    rows = [
        {
            "method": str(row["method"]),
            "truth": setting.truth,
            "estimand": _label(row),
            "covers %": _covers(row),
            "above %": share_text(row["interval_above"]),
            "below %": share_text(row["interval_below"]),
            "no interval %": share_text(row["no_interval"]),
        }
        for setting, row in found
    ]
    methods = ", ".join(dict.fromkeys(row["method"] for row in rows if row["method"]))
    return (
        f"By more than three Monte Carlo errors, in these places, the worst first ({methods}):\n\n"
        + markdown(pd.DataFrame(rows))
    )


def _curve_words(results: Results) -> Iterator[str]:
    """Say how each kind of Kaplan-Meier limits fares over all curves."""
    for size in ("few", "many"):
        tables = [r.table for s, r in results.items() if s.size == size and s.totals == "free"]
        curves = pd.concat(tables)
        curves = curves[curves["analysis"].str.startswith("Kaplan-Meier")]
        for method, rows in curves.groupby("method", sort=False):
            worst = rows.sort_values("coverage").iloc[0]
            yield (
                f"- {size} events, {method}: coverage from {share_text(rows['coverage'].min())} to "
                f"{share_text(rows['coverage'].max())} %; lowest for {worst['estimand']} "
                f"({share_text(worst['interval_above'])} % of intervals above the truth, "
                f"{share_text(worst['interval_below'])} % below, "
                f"{share_text(worst['no_interval'])} % without an interval)."
            )


def _level_words(results: Results) -> Iterator[str]:
    for setting, result in results.items():
        if setting.truth != "null" or setting.totals == "fixed":
            continue
        table = result.table
        tests = table[table["analysis"].str.startswith("time to recurrence (")]
        parts = [
            f"{row['method']} {share_text(row['rejected'], row['rejected_mcse'])} %"
            for _, row in tests.iterrows()
        ]
        yield f"- {setting.size} events: " + "; ".join(parts) + "."


def _sections(results: Results) -> Iterator[str]:
    for size, title in (("few", "Few events"), ("many", "Many events")):
        for truth, words in _TRUTHS.items():
            run, beside = (results[Setting(size, totals, truth)] for totals in ("free", "fixed"))
            free, fixed = run.table, beside.table
            curves = free["analysis"].str.startswith("Kaplan-Meier")
            yield f"## {title}, truth *{truth}*: {words}\n"
            cohorts = f"{run.replicates} cohorts with free totals"
            yield f"Relative effects and tests: {cohorts}, {beside.replicates} with fixed.\n"
            yield _table(free[~curves], fixed) + "\n"
            yield f"Kaplan-Meier limits at 72 months: {cohorts}.\n"
            yield _table(free[curves], None) + "\n"


def _requirements(broken: pd.DataFrame) -> str:
    if broken.empty:
        return "**Every requirement is met on this page.**"
    rows = [" ".join(map(str, row)) for row in broken.to_numpy().tolist()]
    return "**Not met:**\n\n" + "\n".join(f"- {row}" for row in rows)


def page(results: Results, broken: pd.DataFrame, seed: int) -> str:
    """Return the page as Markdown.

    Parameters
    ----------
    results : dict
        Every size, totals and truth.
    broken : DataFrame
        Rows that break a requirement; empty if none does.
    seed : int
    """
    few, many = (results[Setting(size, "free", "null")] for size in ("few", "many"))
    introduction = INTRODUCTION.format(
        few_n=few.patients,
        few_d=few.recurrences,
        many_n=many.patients,
        many_d=many.recurrences,
        few_r=few.replicates,
        many_r=min(r.replicates for s, r in results.items() if s[:2] == ("many", "free")),
        few_x=results[Setting("few", "fixed", "null")].replicates,
        many_x=results[Setting("many", "fixed", "null")].replicates,
        error=f"{100.0 * math.sqrt(0.95 * 0.05 / few.replicates):.1f} percentage points",
        seed=seed,
    )
    parts = [
        introduction,
        "## What is required\n",
        "With many events, coverage of 95 % and a level of 5 %, within three Monte Carlo errors; "
        "of exact methods (*bpcp*, *permutation*) at least that, at any number of events. With few "
        "events the rest is reported, not required. A setting in which a figure misses is drawn "
        "twice as large, and judged again by its then smaller errors: among some hundred figures "
        f"one can miss by chance. {_requirements(broken)}\n",
        "## Where maximum likelihood fails\n",
        _infinite_words(results),
        "\n## Where intervals cover too rarely with few events\n",
        _miss_words(results),
        "\n## Kaplan-Meier limits\n",
        "\n".join(_curve_words(results)),
        "\n## Level of the tests of no difference (truth *null*)\n",
        "\n".join(_level_words(results)) + "\n",
        *_sections(results),
    ]
    return "\n".join(parts)
