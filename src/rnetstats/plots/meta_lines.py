"""The lines of a forest plot of a meta-analysis, top to bottom, before anything is drawn."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats._core.options import choice
from rnetstats.errors import ColumnError
from rnetstats.formatting import MISSING, fmt_count, fmt_number, fmt_percent
from rnetstats.plots.meta_scale import MetaScale

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NOT_ESTIMABLE", "Line", "arm_columns", "forest_lines", "weight_columns"]

NOT_ESTIMABLE = "not estimable"
NEEDED = ("study", "estimate", "conf_low", "conf_high")
KINDS = ("random", "common", "subgroup", "prediction")
POOLED = ("label", "estimate", "conf_low", "conf_high", "kind")
_ARM = {"events": "Events", "mean": "Mean", "sd": "SD", "time": "Time", "n": "Total"}
_STUDY_WIDTH = 38  # letters of a study's line
_TEXT_WIDTH = 66  # and of a line of heterogeneity
_GAP = 0.6  # lines


@dataclass(frozen=True)
class Line:
    """One line of the figure.

    Attributes
    ----------
    kind : {"head", "study", "out", "random", "common", "subgroup", "prediction", "text", "gap"}
    words : str
        What stands at the left; may hold several lines of text.
    cells : dict
        Texts by column.
    values : tuple of float or None
        Estimate and limits on the scale of the axis.
    share : float
        Weight as a share of the heaviest study's, for the size of the square.
    """

    kind: str
    words: str = ""
    cells: Mapping[str, str] = field(default_factory=dict)
    values: tuple[float, float, float] | None = None
    share: float = math.nan

    @property
    def height(self) -> float:
        """How many lines of text it takes."""
        return _GAP if self.kind == "gap" else 1.0 + 0.85 * self.words.count("\n")


def arm_columns(rows: pd.DataFrame) -> dict[str, list[tuple[str, str]]]:
    """Return the columns of counts by arm, ``{"1": [("events_1", "Events"), ...], ...}``."""
    found = {
        arm: [(f"{name}_{arm}", head) for name, head in _ARM.items() if f"{name}_{arm}" in rows]
        for arm in ("1", "2")
    }
    return {arm: columns for arm, columns in found.items() if columns}


def weight_columns(rows: pd.DataFrame) -> dict[str, str]:
    """Return the columns of weights with their heads."""
    both = {"weight_common": "Weight\n(common)", "weight": "Weight\n(random)"}
    if all(name in rows for name in both):
        return both
    return {"weight": "Weight"} if "weight" in rows else {}


def forest_lines(rows: pd.DataFrame, pooled: pd.DataFrame, scale: MetaScale) -> list[Line]:
    """Lay the studies out, by subgroup where there are some, then what was pooled.

    Raises
    ------
    ColumnError
        If a column is missing.
    OptionError
        If a row of ``pooled`` is of another kind.
    """
    for table, needed, name in ((rows, NEEDED, "rows"), (pooled, POOLED, "pooled")):
        lacking = [column for column in needed if column not in table]
        if lacking:
            raise ColumnError(f"A forest plot needs the columns {', '.join(lacking)} in {name}.")
    for kind in pooled["kind"]:
        choice("kind", kind, KINDS)
    shares = _shares(rows)
    footnotes = _footnotes(rows)
    lines: list[Line] = []
    if "subgroup" in rows and len(rows):
        for group in rows["subgroup"].astype(str).unique():
            members = rows[rows["subgroup"].astype(str) == group]
            lines.append(Line("head", _wrapped(group, _STUDY_WIDTH)))
            lines += _studies(members, rows, shares, footnotes, scale)
            lines += _pooled(_of_group(pooled, group), members, shares, scale)
            lines.append(Line("gap"))
    else:
        lines += _studies(rows, rows, shares, footnotes, scale)
        lines.append(Line("gap"))
    lines += _pooled(pooled[pooled["kind"] != "subgroup"], rows, shares, scale)
    for note, mark in footnotes.items():
        lines.append(Line("text", _wrapped(f"({mark}) {note}", _TEXT_WIDTH)))
    return lines


def _wrapped(words: str, width: int) -> str:
    whole = words.replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
    lines = [textwrap.fill(line, width) for line in whole.split("\n")]
    return "\n".join(lines)


def _of_group(pooled: pd.DataFrame, group: str) -> pd.DataFrame:
    own = pooled[pooled["kind"] == "subgroup"]
    names = own["subgroup"] if "subgroup" in own else own["label"]
    return own[names.astype(str) == group]


def _shares(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Weights as shares of their sum, whatever unit they come in."""
    shares = {}
    for name in weight_columns(rows):
        weight = np.where(_used(rows), rows[name].to_numpy(dtype=float), np.nan)
        total = np.nansum(weight)
        shares[name] = weight / total if total > 0.0 else np.full(len(rows), np.nan)
    return shares


def _used(rows: pd.DataFrame) -> np.ndarray:
    known: np.ndarray = np.isfinite(rows["estimate"].to_numpy(dtype=float))
    if "used" in rows:
        known = known & rows["used"].to_numpy(dtype=bool)
    return known


def _footnotes(rows: pd.DataFrame) -> dict[str, str]:
    """Number the remarks on studies with letters, in order."""
    if "note" not in rows:
        return {}
    notes = [str(note) for note in rows["note"] if isinstance(note, str) and note.strip()]
    return {note: _letter(k) for k, note in enumerate(dict.fromkeys(notes))}


def _letter(k: int) -> str:
    return chr(ord("a") + k) if k < 26 else f"{chr(ord('a') + k // 26 - 1)}{chr(ord('a') + k % 26)}"


def _studies(
    members: pd.DataFrame,
    rows: pd.DataFrame,
    shares: dict[str, np.ndarray],
    footnotes: dict[str, str],
    scale: MetaScale,
) -> Iterator[Line]:
    used = _used(rows)
    heaviest = {name: np.nanmax(share, initial=0.0) for name, share in shares.items()}
    main = "weight" if "weight" in shares else None
    places = rows.index.get_indexer_for(members.index)
    for place, row in zip(places, members.to_dict("records"), strict=True):
        cells = {key: _count(row[key], key) for arm in arm_columns(rows).values() for key, _ in arm}
        mark = footnotes.get(row.get("note", ""))
        words = _wrapped(f"{row['study']} ({mark})" if mark else str(row["study"]), _STUDY_WIDTH)
        if not used[place]:
            yield Line("out", words, {**cells, "effect": NOT_ESTIMABLE})
            continue
        values = tuple(float(row[key]) for key in NEEDED[1:])
        cells["effect"] = scale.words(*values)
        cells |= {name: fmt_percent(float(share[place])) for name, share in shares.items()}
        share = shares[main][place] / heaviest[main] if main and heaviest[main] > 0 else 1.0
        shown = scale.shown(np.array(values))
        yield Line("study", words, cells, (shown[0], shown[1], shown[2]), float(share))


def _count(value: Any, column: str) -> str:
    number = math.nan if value is None else float(value)
    if math.isnan(number):
        return MISSING
    if column.startswith(("mean", "sd")):
        return fmt_number(number)
    return fmt_count(round(number, 1))


def _pooled(
    pooled: pd.DataFrame, members: pd.DataFrame, shares: dict[str, np.ndarray], scale: MetaScale
) -> Iterator[Line]:
    """The diamonds, the prediction interval, and under them what is said of heterogeneity."""
    texts = []
    for row in pooled.to_dict("records"):
        values = tuple(float(row[key]) for key in POOLED[1:4])
        prediction = row["kind"] == "prediction"
        cells = {"effect": scale.words(math.nan if prediction else values[0], *values[1:])}
        if not cells["effect"]:
            cells["effect"] = NOT_ESTIMABLE
        if not prediction:
            cells |= _totals(members) | _weights(row["kind"], members, shares)
        shown = scale.shown(np.array(values))
        words = _wrapped(str(row["label"]), _STUDY_WIDTH)
        yield Line(row["kind"], words, cells, (shown[0], shown[1], shown[2]))
        text = row.get("text", "")
        if isinstance(text, str) and text.strip():
            texts.append(text)
    for text in dict.fromkeys(texts):
        yield Line("text", _wrapped(text, _TEXT_WIDTH))


def _totals(members: pd.DataFrame) -> dict[str, str]:
    """Sums of events and of patients over the studies shown above."""
    sums = {}
    for columns in arm_columns(members).values():
        for key, _ in columns:
            values = members[key].to_numpy(dtype=float)
            if key.startswith(("events", "n", "time")) and np.isfinite(values).all():
                sums[key] = _count(values.sum(), key)
    return sums


def _weights(kind: str, members: pd.DataFrame, shares: dict[str, np.ndarray]) -> dict[str, str]:
    """The sum of the weights that the diamond rests on."""
    own = {"random": ("weight",), "common": ("weight_common",), "subgroup": tuple(shares)}
    wanted = [name for name in own[kind] if name in shares]
    if not wanted and len(shares) == 1:
        wanted = list(shares)
    places = members.index.to_numpy()
    return {name: fmt_percent(float(np.nansum(shares[name][places]))) for name in wanted}
