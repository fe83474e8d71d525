"""Codebooks: what each column of a cohort means, and how it stands in the user's file.

A codebook is a TOML file; ``docs/codebook.md`` explains it with examples, and
``rnetstats codebook FILE`` writes a first one. Its tables and keys, all others being refused:

``[codebook]``
    ``name``, ``title``, ``description``: text.
``[file]``
    How the user's file is written: ``delimiter``, ``encoding``, ``decimal`` (``"."`` or ``","``),
    ``sheet`` (name, or number from 1), ``missing`` (codes for "no value" in every column; default
    :data:`DEFAULT_MISSING`), ``extra_columns`` (``"ignore"``, the default, ``"keep"`` or
    ``"error"``).
``[columns.NAME]``
    ``type``: numeric, integer, binary (0/1), category, text, id, or date.
    ``label``, ``unit``: for output. ``source``: the column's name in the file, if not NAME.
    ``required``: default true; ``needed_for``: what is skipped without an optional column.
    ``missing``: codes for "no value". ``recode``: value in the file -> value here.
    ``decimal``; ``unit_in``: the file's unit, converted to ``unit``; ``date_format`` (strptime,
    with a year).
    ``range``: smallest and largest value, in ``unit``. ``levels``: in order, reference first.
    ``codes``: meaning of each integer code. ``unique``: each value once (default for id).
    ``applies_when``: a rule; where it fails an empty cell is no missing value.
    ``derive``: a rule, a list of rules (the first whose columns are there is used for all rows) or
    a table value -> condition, of numbers and dates rule -> condition; ``unit_in`` is then the unit
    of what the rule gives, and ``tolerance`` how far the file's own number, if it has one, may be
    from it.
``[[checks]]``
    ``rule`` must hold wherever ``when`` does; ``tolerance``; ``severity``: "error" or "note";
    ``message``.
``[calendar]``
    ``first_date``, ``last_date``: of the study. ``start``: the column with a patient's entry.
    ``times``: columns with months since then, none of which may reach past ``last_date`` by more
    than ``tolerance`` months (default 1).

The rules' language stands in :mod:`rnetstats.data.rules`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from rnetstats.data.codebook_checks import check_codebook
from rnetstats.data.column_checks import TYPES, check_column
from rnetstats.data.rules import Rule
from rnetstats.errors import CodebookError, closest

__all__ = [
    "DEFAULT_MISSING",
    "TYPES",
    "Calendar",
    "Cases",
    "Check",
    "Codebook",
    "ColumnSpec",
    "FileSpec",
    "RuleCases",
]

DEFAULT_MISSING = ("NA", "N/A", "n/a", "<NA>", "#N/A", "NaN", "nan", "NULL", "null", ".")


@dataclass(frozen=True)
class Cases:
    """A derived code: the value of the first condition that holds."""

    values: tuple[float | str, ...]
    conditions: tuple[Rule, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that the conditions read."""
        return tuple(dict.fromkeys(name for rule in self.conditions for name in rule.columns))

    @property
    def text(self) -> str:
        """The cases in one line."""
        pairs = zip(self.values, self.conditions, strict=True)
        return "; ".join(
            f"{value:g} if {rule.text}" if isinstance(value, float) else f"{value} if {rule.text}"
            for value, rule in pairs
        )


@dataclass(frozen=True)
class RuleCases:
    """A derived number or date: what the rule of the first condition that holds gives."""

    values: tuple[Rule, ...]
    conditions: tuple[Rule, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that the conditions and the rules read."""
        rules = (*self.conditions, *self.values)
        return tuple(dict.fromkeys(name for rule in rules for name in rule.columns))

    @property
    def text(self) -> str:
        """The cases in one line."""
        pairs = zip(self.values, self.conditions, strict=True)
        return "; ".join(f"{value.text} if {condition.text}" for value, condition in pairs)


Derivation: TypeAlias = Rule | Cases | RuleCases


@dataclass(frozen=True, kw_only=True)
class FileSpec:
    """How the user's file is written."""

    delimiter: str | None = None
    encoding: str | None = None
    decimal: Literal[".", ","] = "."
    sheet: str | int | None = None
    missing: tuple[str, ...] = DEFAULT_MISSING
    extra_columns: Literal["ignore", "keep", "error"] = "ignore"


@dataclass(frozen=True, kw_only=True)
class ColumnSpec:
    """One column: its meaning, and how to come to it from the file (module docstring)."""

    name: str
    type: str
    label: str = ""
    unit: str = ""
    unit_in: str = ""
    source: str = ""
    required: bool = True
    needed_for: str = ""
    missing: tuple[str, ...] = ()
    recode: tuple[tuple[str, float | str], ...] = ()
    decimal: Literal[".", ","] | None = None
    date_format: str = ""
    range: tuple[float, float] | None = None
    levels: tuple[str, ...] = ()
    codes: tuple[tuple[int, str], ...] = ()
    unique: bool | None = None
    applies_when: Rule | None = None
    derive: tuple[Derivation, ...] = ()
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        try:
            check_column(self)
        except CodebookError as error:
            raise CodebookError(f"[columns.{self.name}]: {error}") from None

    @property
    def in_file(self) -> str:
        """The column's name in the user's file."""
        return self.source or self.name

    @property
    def must_be_unique(self) -> bool:
        """Whether each value may occur once only."""
        return self.type == "id" if self.unique is None else self.unique


@dataclass(frozen=True, kw_only=True)
class Check:
    """A rule between columns."""

    rule: Rule
    when: Rule | None = None
    tolerance: float = 0.0
    severity: Literal["error", "note"] = "error"
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """The study's first and last date, and the columns held against them."""

    first_date: dt.date | None = None
    last_date: dt.date | None = None
    start: str = ""
    times: tuple[str, ...] = ()
    tolerance: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Codebook:
    """All columns of a cohort, the checks between them, and how the file is written.

    Mostly read from TOML, by :meth:`from_toml` or :meth:`from_text`.

    Parameters
    ----------
    name : str
        Stands in messages and in a cohort's provenance.
    columns : tuple of ColumnSpec
        In the order of the cohort's columns.
    title, description : str
        For people.
    file : FileSpec
        How the user's file is written.
    checks : tuple of Check
        Rules between columns that must hold in every row.
    calendar : Calendar, optional
        The study's dates, against which entries and times are held.
    sha256 : str
        Of the TOML text; empty for a codebook made in code.

    Raises
    ------
    CodebookError
        If it contradicts itself.

    Examples
    --------
    >>> import rnetstats as rn
    >>> book = rn.Codebook.from_text(
    ...     '''
    ...     [columns.margin]
    ...     type = "binary"
    ...     recode = { pos = 1, neg = 0 }
    ...     '''
    ... )
    >>> rn.read_cohort({"margin": ["pos", "neg"]}, codebook=book)["margin"].tolist()
    [1, 0]
    """

    name: str
    columns: tuple[ColumnSpec, ...]
    title: str = ""
    description: str = ""
    file: FileSpec = field(default_factory=FileSpec)
    checks: tuple[Check, ...] = ()
    calendar: Calendar | None = None
    sha256: str = ""

    def __post_init__(self) -> None:
        check_codebook(self)

    def column(self, name: str) -> ColumnSpec:
        """Return the specification of one column.

        Raises
        ------
        CodebookError
            If there is none of that name; the nearest name is given.
        """
        for spec in self.columns:
            if spec.name == name:
                return spec
        names = [spec.name for spec in self.columns]
        raise CodebookError(f"codebook {self.name!r} has no column {name!r}.{closest(name, names)}")

    @classmethod
    def from_toml(cls, path: str | Path) -> Codebook:
        """Read a codebook from a TOML file.

        Raises
        ------
        CodebookError
            If the file is missing, is no TOML, or is no codebook.
        """
        from rnetstats.data.codebook_toml import codebook_from_file

        return codebook_from_file(Path(path))

    @classmethod
    def from_text(cls, text: str, *, name: str = "codebook") -> Codebook:
        """Read a codebook from TOML text; ``name`` stands in messages.

        Raises
        ------
        CodebookError
            If the text is no TOML or no codebook.
        """
        from rnetstats.data.codebook_toml import codebook_from_text

        return codebook_from_text(text, name)
