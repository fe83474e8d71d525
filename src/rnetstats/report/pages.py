"""What every page is made with: templates that escape all text, JSON and CSV in a fixed layout."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from jinja2 import Environment

__all__ = ["environment", "write_json", "write_tables"]


def environment() -> Environment:
    """Return the templates' environment; every text from data is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("rnetstats.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_unbroken,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _unbroken(value: Any) -> Any:
    """Keep a number and its per cent sign on one line."""
    return value.replace(" %", "\u00a0%") if isinstance(value, str) else value


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write strict JSON, the same on every platform."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write ``tables/NAME.csv`` in a new folder, the same on every platform."""
    target = folder / "tables"
    target.mkdir()
    for name, frame in tables.items():
        frame.to_csv(target / f"{name}.csv", index=False, encoding="utf-8", lineterminator="\n")
