"""Columns that a codebook derives from others: never imputed by themselves, derived again."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from rnetstats.data.builtin import builtin_codebook, builtin_names
from rnetstats.data.codebook import Codebook
from rnetstats.data.codebook_checks import derivation_order
from rnetstats.data.derive import add_derived
from rnetstats.data.ledger import Ledger
from rnetstats.data.read import resolve_codebook

__all__ = ["Derived", "derived_columns"]


@dataclass(frozen=True, eq=False)
class Derived:
    """Incomplete columns that follow from others by the rules of a codebook.

    Attributes
    ----------
    names : tuple of str
        Each after those it is derived from.
    book : Codebook or None
    """

    names: tuple[str, ...]
    book: Codebook | None

    def touched_by(self, imputed: Collection[str]) -> Derived | None:
        """Return those that change once these columns are complete, or None."""
        if self.book is None:
            return None
        touched, names = set(imputed), []
        for spec, derivations in derivation_order(self.book):
            if spec.name in self.names and any(touched & set(d.columns) for d in derivations):
                touched.add(spec.name)
                names.append(spec.name)
        return replace(self, names=tuple(names)) if names else None

    def renew(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Fill the missing cells of the derived columns by their rules; observed ones stay."""
        assert self.book is not None
        columns: dict[str, pd.Series[Any]] = {
            str(name): frame[name].reset_index(drop=True)
            for name in frame.columns
            if name not in self.names
        }
        others = [spec.name for spec in self.book.columns if spec.name not in self.names]
        add_derived(columns, self.book, others, Ledger("imputed data"))
        for name in self.names:
            made = columns[name].set_axis(frame.index)
            frame[name] = frame[name].where(frame[name].notna(), made.astype(frame[name].dtype))
        return frame


def derived_columns(
    frame: pd.DataFrame, apart: Collection[str], codebook: Codebook | str | os.PathLike[str] | None
) -> Derived:
    """Find the incomplete derived columns of a codebook.

    Parameters
    ----------
    frame : DataFrame
    apart : collection of str
        Columns that the caller excludes or computes.
    codebook : Codebook, name of a study, path, or None
        None takes the built-in one that the data were read with, or were drawn by, if any.
    """
    if codebook is None:
        about = frame.attrs.get("rnetstats", {})
        name = about.get("provenance", {}).get("codebook", about.get("study"))
        if name not in builtin_names():
            return Derived((), None)
        codebook = builtin_codebook(str(name))
    book = resolve_codebook(codebook)
    names = tuple(
        spec.name
        for spec, _ in derivation_order(book)
        if spec.name in frame.columns
        and spec.name not in apart
        and bool(frame[spec.name].isna().any())
    )
    return Derived(names, book if names else None)
