"""Residual tumour at salvage: the scale behind the printed limits, and the known series."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from rnetstats.evidence.facts import Fact, FactSheet
from rnetstats.formatting import fmt_count, fmt_interval, fmt_percent
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.meta2026.primary import primary_studies
from rnetstats.studies.meta2026.proportions import FEWEST, PooledShare, pool_shares
from rnetstats.studies.meta2026.table import StudyTable

__all__ = ["known_residuals", "pool_residuals", "residual_table", "scale_table"]

Scale = Callable[[NDArray[np.float64]], NDArray[np.float64]]

SCALES: dict[str, tuple[str, Scale, Scale]] = {
    "raw": ("Raw shares", lambda p: p, lambda x: x),
    "log": ("Logarithm", np.log, np.exp),
    "logit": ("Logit", logit, expit),
    "arcsine": (
        "Arcsine square root",
        lambda p: np.arcsin(np.sqrt(p)),
        lambda x: np.sin(x) ** 2,
    ),
}
_EDGE = 1e-9  # of a share

READINGS = {
    "residual": "one decimal of a per cent, as printed",
    "proportion": "proportions of two decimals, times 100",
}


@dataclass(frozen=True)
class _Limits:
    """Estimate and limits as intervals of all values that print so, shares of 1."""

    estimate: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def _span(fact: Fact) -> NDArray[np.float64]:
    per = 100.0 if fact.unit == "%" else 1.0
    half = 0.5 * 10.0**-fact.decimals
    return np.array([fact.number - half, fact.number + half]) / per


def _limits(sheet: FactSheet, reading: str) -> _Limits:
    names = {
        "residual": ("residual_percent", "residual_low", "residual_high"),
        "proportion": (
            "residual_proportion",
            "residual_proportion_low",
            "residual_proportion_high",
        ),
    }[reading]
    return _Limits(*(_span(sheet[name]) for name in names))


def scale_table(sheet: FactSheet) -> Exhibit:
    """Return, for each scale and reading of the digits, whether the limits can be even on it."""
    rows = []
    for reading, words in READINGS.items():
        printed = _limits(sheet, reading)
        for name, (label, of, undone) in SCALES.items():
            centre = undone((of(printed.low) + of(printed.high)) / 2.0)
            overlap = min(centre[1], printed.estimate[1]) - max(centre[0], printed.estimate[0])
            fits = overlap >= -_EDGE
            rows.append(
                {
                    "reading": reading,
                    "reading_words": words,
                    "scale": name,
                    "label": label,
                    "centre_low": float(centre[0]),
                    "centre_high": float(centre[1]),
                    "possible": bool(fits),
                    "edge": bool(fits and overlap <= _EDGE),
                }
            )
    numbers = pd.DataFrame(rows)
    shown = pd.DataFrame(
        {
            "Digits read as": numbers["reading_words"],
            "Scale of the pooling": numbers["label"],
            "Middle of the limits": [
                f"{fmt_percent(low, 2)} to {fmt_percent(high, 2)}"
                for low, high in zip(numbers["centre_low"], numbers["centre_high"], strict=True)
            ],
            "Can it be?": [
                ("at the very edge only" if edge else "yes") if fits else "no"
                for fits, edge in zip(numbers["possible"], numbers["edge"], strict=True)
            ],
        }
    )
    percent, low, high = (sheet[f"residual_{k}"] for k in ("percent", "low", "high"))
    return Exhibit(
        name="residual_scale",
        title="Which scale could have given the limits of residual tumour?",
        caption=f"Printed: {percent.text} ({low.value} to {high.value}). Normal or t limits are "
        "even about the estimate on the scale on which they were made; each printed figure stands "
        "for all values that round to it.",
        numbers=numbers,
        shown=shown,
        from_print=True,
        notes=(
            "Likelihood models (binomial-normal) have limits that need not be even on any scale, "
            "so that they are not excluded. Freeman-Tukey limits are close to even on the "
            "arcsine square root.",
        ),
    )


def known_residuals() -> pd.DataFrame:
    """Return the series whose residual tumours at salvage are known: ``study, events, n``."""
    rows = primary_studies()
    rows = rows[rows["salvage_residual"].notna() & rows["salvage_n"].notna()]
    return pd.DataFrame(
        {
            "study": rows["study"],
            "events": rows["salvage_residual"].astype(int),
            "n": rows["salvage_n"].astype(int),
            "in_meta": rows["in_meta"],
            "source": rows["source"],
        }
    ).reset_index(drop=True)


def residual_rows(table: StudyTable) -> pd.DataFrame:
    """Return the series to be pooled: the reader's where there are any, else the known ones."""
    if table.own_residuals:
        rows = table.frame[table.frame["residual"].notna() & (table.frame["all_1"] > 0)]
        return pd.DataFrame(
            {
                "study": rows["study"],
                "events": rows["residual"].astype(int),
                "n": rows["all_1"].astype(int),
                "in_meta": "",
                "source": "your table",
            }
        ).reset_index(drop=True)
    return known_residuals()


def pool_residuals(rows: pd.DataFrame) -> PooledShare | None:
    """Pool them; None without any."""
    return pool_shares(rows) if len(rows) else None


def residual_table(rows: pd.DataFrame, pooled: PooledShare, sheet: FactSheet) -> Exhibit:
    """Return the series, our pooled share, and the printed one beside it."""
    share = rows["events"] / rows["n"]
    n = int(sheet["seo_residual_n"].count)
    other = rows.copy()
    notes = [
        f"Our pooling: {pooled.method}. "
        + (
            f"Prediction interval {fmt_interval(100 * pooled.pi_low, 100 * pooled.pi_high, 1)} %."
            if pooled.k >= FEWEST
            else f"{'One series is' if pooled.k == 1 else f'{pooled.k} series are'} too few for a "
            "prediction interval."
        ),
        "The series differ in the first method, in who was salvaged, and in what was looked for.",
    ]
    seo = rows["events"].eq(sheet["seo_residual"].count) & rows["n"].eq(sheet["seo_salvaged"].count)
    if seo.any():
        other.loc[seo, "n"] = n
        again = pool_shares(other)
        notes.append(
            f"The print of one series ({sheet['seo_residual_percent'].text}) asks for {n} patients "
            f"rather than {sheet['seo_salvaged'].value}; with them the pooled share is "
            f"{fmt_percent(again.estimate)} in place of {fmt_percent(pooled.estimate)}."
        )
    shown = pd.DataFrame(
        {
            "Study": [*rows["study"], f"Pooled, ours ({pooled.k} series)", ""],
            "In the meta-analysis": [*(x or "–" for x in rows["in_meta"]), "", ""],
            "Residual tumour": [
                *(f"{e} of {m}" for e, m in zip(rows["events"], rows["n"], strict=True)),
                f"{fmt_count(pooled.events)} of {fmt_count(pooled.n)}",
                "unknown",
            ],
            "Share (95 % CI)": [
                *(fmt_percent(x) for x in share),
                f"{fmt_percent(pooled.estimate)} "
                f"({fmt_interval(100 * pooled.low, 100 * pooled.high, 1)})",
                f"{sheet['residual_percent'].text} "
                f"({sheet['residual_low'].value} to {sheet['residual_high'].value})",
            ],
        }
    )
    shown.iloc[-1, 0] = f"Printed ({sheet['residual_studies'].value} studies)"
    numbers = rows.assign(share=share, kind="study")
    line = {
        "study": "pooled, ours",
        "events": pooled.events,
        "n": pooled.n,
        "share": pooled.estimate,
        "kind": "pooled",
        "low": pooled.low,
        "high": pooled.high,
    }
    numbers = pd.concat([numbers, pd.DataFrame([line])], ignore_index=True)
    return Exhibit(
        name="residual",
        title="Residual tumour at salvage",
        caption="Pooled here from the series at hand; ours, not the meta-analysis’s.",
        numbers=numbers,
        shown=shown,
        notes=tuple(notes),
    )
