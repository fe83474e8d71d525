"""Table 1 as text."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnetstats.formatting import MISSING, fmt_number, fmt_p, fmt_percent

__all__ = ["Layout", "table_text"]

_INDENT = "\u2003"
_LONG = 1e12  # from here a power of ten is easier to read


@dataclass(frozen=True)
class Layout:
    """What the text shows, and how.

    Attributes
    ----------
    groups : tuple of str
        Groups in their order, the overall column among them if there is one.
    headers : tuple of str
        Their headings.
    styles : dict
        For each continuous column ``"mean"``, ``"median"`` or ``"both"``.
    digits : int
        Decimals of means and medians.
    missing, smd, tests : bool
        Whether those columns are shown.
    """

    groups: tuple[str, ...]
    headers: tuple[str, ...]
    styles: dict[str, str]
    digits: int
    missing: bool
    smd: bool
    tests: bool


Values = dict[tuple[str, str, str, str], float]
Row = Mapping[Hashable, Any]


def table_text(summary: pd.DataFrame, comparisons: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Build the printed table from the tidy numbers.

    Parameters
    ----------
    summary : DataFrame
        Columns variable, level, group, statistic, value.
    comparisons : DataFrame
        One row a variable.
    layout : Layout
        What to show.
    """
    keys = summary[["variable", "level", "group", "statistic"]].itertuples(index=False, name=None)
    values: Values = dict(zip(keys, summary["value"].tolist(), strict=True))
    levels = {
        str(name): [str(level) for level in part["level"].unique() if level != ""]
        for name, part in summary.groupby("variable", sort=False)
    }
    rows: list[dict[str, str]] = []
    for row in comparisons.to_dict("records"):
        block = _block(row, levels[row["variable"]], values, layout)
        for key, text in _margin(row, layout).items():
            for i, line in enumerate(block):
                line[key] = text if i == 0 else ""
        rows += block
    return pd.DataFrame(rows)


def _block(row: Row, levels: list[str], values: Values, layout: Layout) -> list[dict[str, str]]:
    name, label = row["variable"], row["label"]
    if row["kind"] == "continuous":
        style = layout.styles[name]
        digits = layout.digits
        tiny = _is_tiny(values, name, layout)
        shown = ("mean", "median") if style == "both" else (style,)
        heading = {"mean": "mean (SD)", "median": "median [IQR]"}
        return [
            _line(
                f"{label}, {heading[what]}",
                [_centre(values, name, group, what, digits, tiny) for group in layout.groups],
                layout,
            )
            for what in shown
        ]
    if row["kind"] == "binary":
        cells = [_share(values, name, levels[-1], group) for group in layout.groups]
        return [_line(f"{label}, n (%)", cells, layout)]
    lines = [_line(f"{label}, n (%)", [""] * len(layout.groups), layout)]
    for level in levels:
        cells = [_share(values, name, level, group) for group in layout.groups]
        lines.append(_line(f"{_INDENT}{level}", cells, layout))
    return lines


def _line(heading: str, cells: list[str], layout: Layout) -> dict[str, str]:
    return {"Characteristic": heading, **dict(zip(layout.headers, cells, strict=True))}


def _centre(values: Values, name: str, group: str, what: str, digits: int, tiny: bool) -> str:
    def number(statistic: str) -> str:
        return _number(values[name, "", group, statistic], digits, tiny)

    if values[name, "", group, "n"] == 0:
        return MISSING
    if what == "mean":
        return f"{number('mean')} ({number('sd')})"
    return f"{number('median')} [{number('q1')} to {number('q3')}]"


def _is_tiny(values: Values, name: str, layout: Layout) -> bool:
    """Whether all figures of a column would vanish at the decimals asked for."""
    figures = [
        abs(values[name, "", group, what])
        for group in layout.groups
        for what in ("mean", "sd", "median", "q1", "q3")
    ]
    return all(not figure >= 0.5 * 10.0**-layout.digits for figure in figures)


def _number(value: float, digits: int, tiny: bool) -> str:
    """The decimals asked for; large numbers whole and in full, significant digits of tiny ones."""
    size = abs(value)
    if 10_000 <= size < _LONG:
        return f"{value:,.0f}".replace("-", "−")
    vanishes = size < 0.5 * 10.0**-digits and not tiny
    return fmt_number(0.0 if vanishes else value, digits)


def _share(values: Values, name: str, level: str, group: str) -> str:
    if values[name, "", group, "n"] == 0:
        return MISSING
    count = int(values[name, level, group, "count"])
    return f"{count} ({fmt_percent(values[name, level, group, 'share'])})"


def _missing(empty: int, not_applicable: int) -> str:
    """Missing values, beside the rows where none can exist."""
    extra = f" ({not_applicable} not applicable)" if not_applicable else ""
    return f"{empty - not_applicable}{extra}"


def _margin(row: Row, layout: Layout) -> dict[str, str]:
    cells: dict[str, str] = {}
    if layout.missing:
        cells["Missing"] = _missing(int(row["n_missing"]), int(row["n_not_applicable"]))
    if layout.tests:
        cells["P"] = fmt_p(float(row["p_value"]))
        cells["Test"] = str(row["test"])
    if layout.smd:
        cells["SMD"] = fmt_number(float(row["smd"]))
    return cells
