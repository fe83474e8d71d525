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
    ``derive``: a rule, a list of rules (the first whose columns are there is used) or a table
    value -> condition; ``unit_in`` is then the unit of what the rule gives, and ``tolerance``
    how far the file's own number, if it has one, may be from it.
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
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from rnetstats.data.cells import number_of
from rnetstats.data.codebook_checks import check_codebook
from rnetstats.data.date_forms import check_date_form
from rnetstats.data.rules import Rule
from rnetstats.data.units import UNITS, convertible
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
]

TYPES = ("numeric", "integer", "binary", "category", "text", "id", "date")
DEFAULT_MISSING = ("NA", "N/A", "n/a", "<NA>", "#N/A", "NaN", "nan", "NULL", "null", ".")
_NUMBERS = {"numeric", "integer", "binary"}


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


Derivation: TypeAlias = Rule | Cases


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
            self._check()
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

    def _check(self) -> None:
        if self.type not in TYPES:
            raise CodebookError(
                f"type {self.type!r} is none of {', '.join(TYPES)}.{closest(self.type, TYPES)}"
            )
        self._check_keys_of_type()
        self._check_levels()
        self._check_recode()
        self._check_numbers()
        if self.date_format:
            check_date_form(self.date_format)

    def _check_keys_of_type(self) -> None:
        allowed = {
            "levels": {"category"},
            "codes": {"integer"},
            "range": {"numeric", "integer"},
            "unit_in": {"numeric"},
            "date_format": {"date"},
            "decimal": {"numeric"},
            "tolerance": {"numeric", "integer"},
        }
        for key, types in allowed.items():
            if getattr(self, key) and self.type not in types:
                raise CodebookError(
                    f"{key!r} belongs to a column of type {' or '.join(sorted(types))}, "
                    f"not {self.type}."
                )
        if self.recode and self.type == "date":
            raise CodebookError("dates cannot be recoded; give their date_format.")
        if self.derive and self.type in {"text", "id"}:
            raise CodebookError(f"a column of type {self.type} cannot be derived.")

    def _check_levels(self) -> None:
        twice = sorted({level for level in self.levels if self.levels.count(level) > 1})
        if twice:
            raise CodebookError(f"levels has {twice[0]!r} twice.")
        if "" in self.levels:
            raise CodebookError("a level is empty; an empty cell is no value.")
        both = [level for level in self.levels if self._is_missing(level)]
        if both:
            raise CodebookError(f"{both[0]!r} is a level and a missing code; it can be one only.")

    def _check_recode(self) -> None:
        for value, target in self.recode:
            if not value:
                raise CodebookError("recode has an empty value; an empty cell is no value.")
            if target == "":
                raise CodebookError(
                    f"recode turns {value!r} into nothing; if it means no value, write "
                    f'missing = ["{value}"] instead.'
                )
            if self._is_missing(value):
                raise CodebookError(f"{value!r} is recoded and a missing code; one must go.")
            if not self._allows(target):
                raise CodebookError(
                    f"recode turns {value!r} into {target!r}, which is not {self._allowed_text()}"
                    f".{closest(str(target), self.levels)}"
                )

        if self.type in _NUMBERS:
            self._check_recoded_numbers()

    def _check_recoded_numbers(self) -> None:
        """Refuse two targets for one number, which 1 and "1.0" are."""
        seen: dict[float, tuple[str, float | str]] = {}
        for value, target in self.recode:
            number = number_of(value)
            if number is None:
                continue
            earlier, its_target = seen.setdefault(number, (value, target))
            if its_target != target:
                raise CodebookError(
                    f"recode gives {earlier!r} and {value!r}, which are the same number, "
                    "different values."
                )

    def _is_missing(self, value: str) -> bool:
        """Whether a value is one of the column's missing codes, by its text or its number."""
        number = number_of(value) if self.type not in {"text", "id"} else None
        return value in self.missing or (
            number is not None and number in map(number_of, self.missing)
        )

    def _allows(self, target: float | str) -> bool:
        if self.type in _NUMBERS:
            if isinstance(target, str):
                return False
            if self.type == "binary":
                return target in (0, 1)
            if self.type == "integer" and self.codes:
                return target in [code for code, _ in self.codes]
            return self.type == "numeric" or float(target).is_integer()
        return not self.levels or str(target) in self.levels

    def _allowed_text(self) -> str:
        if self.type == "binary":
            return "0 or 1"
        if self.type in _NUMBERS:
            return "among its codes" if self.codes else f"a value of type {self.type}"
        return "among its levels"

    def _check_numbers(self) -> None:
        if self.range is not None and not self.range[0] < self.range[1]:
            raise CodebookError(f"range {list(self.range)} is empty; write [smallest, largest].")
        if self.tolerance < 0 or not math.isfinite(self.tolerance):
            raise CodebookError("tolerance must be a number of 0 or more.")
        codes = [code for code, _ in self.codes]
        twice = [code for code in codes if codes.count(code) > 1]
        if twice:
            raise CodebookError(f"codes has {twice[0]} twice.")
        hidden = [code for code in codes if number_of(str(code)) in map(number_of, self.missing)]
        if hidden:
            raise CodebookError(f"{hidden[0]} is a code and a missing code; it can be one only.")
        self._check_conversion()

    def _check_conversion(self) -> None:
        """Without ``unit`` the codebook may yet be completed by a study's, which has one."""
        possible = convertible(self.unit) if self.unit else UNITS
        if self.unit_in and self.unit_in not in possible:
            to = f"to unit {self.unit!r} " if self.unit else ""
            raise CodebookError(
                f"there is no conversion from unit_in {self.unit_in!r} {to}"
                f"(possible: {', '.join(possible) or 'none'}).{closest(self.unit_in, possible)}"
            )


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
