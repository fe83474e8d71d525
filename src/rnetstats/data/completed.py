"""A caller's codebook, completed by a study's: how the file is written, and what must hold."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from rnetstats.data.codebook import Codebook, ColumnSpec
from rnetstats.data.typed import recode_text, toml_text
from rnetstats.data.units import convertible
from rnetstats.errors import CodebookError

__all__ = ["completed"]

# per type of the study the types that a caller's codebook may give a column that is read as it
_READ_AS = {
    "numeric": {"numeric", "integer"},
    "integer": {"numeric", "integer", "binary"},
    "binary": {"binary", "integer"},
    "category": {"category", "text", "integer", "binary"},
    "text": {"text", "id", "category", "integer"},
    "id": {"id", "text", "category", "integer"},
    "date": {"date"},
}


def completed(book: Codebook, study: Codebook) -> Codebook:
    r"""Complete a caller's codebook by that of the study it is read for.

    A codebook for one file may say little more than how the file is written. What its columns must
    be, so that the study's analyses mean what they say, stands in the study's own: types, levels,
    ranges, derived columns and rules.

    Parameters
    ----------
    book
        Its keys go before those of the study. Its checks, if it has any, take the place of the
        study's; the study's calendar is not taken over, as a file of one's own has dates of its
        own.
    study
        The study's built-in codebook.

    Returns
    -------
    Codebook
        The columns of the study first, those that only ``book`` has after them. Columns that
        ``book`` does not name are optional.

    Raises
    ------
    CodebookError
        If a column's type, unit or levels cannot be those of the study.

    Examples
    --------
    >>> import rnetstats as rn
    >>> from rnetstats.data.builtin import builtin_codebook
    >>> text = '[columns.size_mm]\ntype = "numeric"\nsource = "Size"'
    >>> book = completed(rn.Codebook.from_text(text), builtin_codebook("duan2024"))
    >>> book.column("size_mm").source, book.column("size_mm").range
    ('Size', (0.1, 20.0))
    """
    own = {spec.name: spec for spec in book.columns}
    taken = {spec.in_file for spec in book.columns}
    studied = [spec for spec in study.columns if spec.name in own or spec.in_file not in taken]
    known = {spec.name for spec in studied} | set(own)
    columns, wrong = [], []
    for spec in studied:
        try:
            columns.append(_joined(own.get(spec.name), spec, known))
        except CodebookError as error:
            wrong.append(f"[columns.{spec.name}]: {error}")
    if wrong:
        said = wrong[0] if len(wrong) == 1 else "".join(f"\n  - {text}" for text in wrong)
        head = "" if len(wrong) == 1 else f"{len(wrong)} problems:"
        raise CodebookError(f"codebook {book.name!r}: {head}{said}")
    checks = book.checks or tuple(
        check
        for check in study.checks
        if {*check.rule.columns, *(check.when.columns if check.when else ())} <= known
    )
    more = tuple(spec for spec in book.columns if spec.name not in {s.name for s in studied})
    return replace(book, columns=(*columns, *more), checks=checks)


def _joined(own: ColumnSpec | None, theirs: ColumnSpec, known: Collection[str]) -> ColumnSpec:
    """Return one column of the study as the caller's file has it."""
    derive = tuple(d for d in theirs.derive if set(d.columns) <= set(known))
    if own is None:
        return replace(theirs, required=False, derive=derive)
    _check_type(own, theirs)
    unit, unit_in = _units(own, theirs)
    return replace(
        own,
        type=theirs.type,
        label=own.label or theirs.label,
        unit=unit,
        unit_in=unit_in,
        needed_for=own.needed_for or theirs.needed_for,
        range=own.range or theirs.range,
        levels=_levels(own, theirs),
        codes=(own.codes or theirs.codes) if theirs.type == "integer" else (),
        decimal=own.decimal if theirs.type == "numeric" else None,
        unique=theirs.unique if own.unique is None else own.unique,
        applies_when=own.applies_when or theirs.applies_when,
        derive=own.derive or derive,
        tolerance=own.tolerance or theirs.tolerance,
    )


def _check_type(own: ColumnSpec, theirs: ColumnSpec) -> None:
    """Refuse a column that cannot be what the study takes it for."""
    if own.type in _READ_AS[theirs.type]:
        return
    yes_no = (
        recode_text(own.levels) if len(own.levels) == 2 else 'recode = { "..." = 0, "..." = 1 }'
    )
    advice = {
        "binary": f"{yes_no} to translate, or `missing` for codes that mean no value",
        "date": 'date_format, such as "%d.%m.%Y"',
        "numeric": 'decimal = "," in [file] if it has decimal commas, and `missing` or `recode` '
        "for texts in it",
    }.get(theirs.type)
    needed = f"{theirs.type} (0/1)" if theirs.type == "binary" else theirs.type
    raise CodebookError(
        f'the study needs the type {needed}, not {own.type}. Write type = "{theirs.type}"'
        + (f"; and {advice}." if advice else ".")
    )


def _levels(own: ColumnSpec, theirs: ColumnSpec) -> tuple[str, ...]:
    """Return the levels in the caller's order; the study's names must be kept."""
    if theirs.type != "category":
        return ()
    if not own.levels or not theirs.levels:
        return own.levels or theirs.levels
    unknown = [level for level in own.levels if level not in theirs.levels]
    if not unknown:
        return (*own.levels, *(level for level in theirs.levels if level not in own.levels))
    if len(unknown) < len(own.levels):
        return own.levels
    shown = unknown[:6]
    pairs = ", ".join(f'{toml_text(level)} = "..."' for level in shown)
    raise CodebookError(
        f"none of the levels {', '.join(map(repr, shown))} is one of the study's, "
        f"{', '.join(map(repr, theirs.levels))}. Write the study's as levels, and translate yours: "
        f"recode = {{ {pairs}{', ...' if len(unknown) > len(shown) else ''} }}."
    )


def _units(own: ColumnSpec, theirs: ColumnSpec) -> tuple[str, str]:
    """Return the study's unit and the file's; a unit that differs is that of the file."""
    unit_in = own.unit_in or own.unit
    if not theirs.unit or not unit_in or unit_in == theirs.unit:
        return theirs.unit or own.unit, "" if unit_in == theirs.unit else own.unit_in
    if theirs.type == "numeric" and unit_in in convertible(theirs.unit):
        return theirs.unit, unit_in
    raise CodebookError(
        f"the study has it in {theirs.unit}, and there is no conversion from {unit_in!r}."
    )
