"""Delimited text: decoding, the delimiter, and rows of equal length or an error with its line."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter

from rnetstats.data.cells import number_of
from rnetstats.data.raw import RawTable, from_rows
from rnetstats.data.written import where_to_say
from rnetstats.errors import OptionError, ReadError

__all__ = ["read_text"]

DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_SEP_LINE = re.compile(r"sep=([^\"\r\n])(?:\r\n|\r|\n)", re.IGNORECASE)  # as Excel writes it
_WORD = re.compile(r"[^\s,;|\"]{1,30}")
_SNIFFED_ROWS = 25
_SHOWN = 10


def read_text(
    data: bytes,
    source: str,
    sha256: str,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> RawTable:
    """Read delimited text (CSV, TSV).

    Parameters
    ----------
    data
        The bytes of the file.
    source, sha256
        Its name and checksum.
    delimiter
        One character; ``None`` finds comma, semicolon, tab or vertical bar from the first rows.
    encoding
        ``None`` means UTF-8, with or without a byte-order mark, or UTF-16 with one.

    Raises
    ------
    ReadError
        If the bytes are no text, the text is no table, or rows differ in length.
    ColumnError
        If the header repeats a name, or leaves one out.
    """
    text = _decoded(data, source, encoding)
    text = text.removesuffix("\x1a")  # the end of a file, as DOS wrote it
    _refuse_other_text(text, source)
    notes = _doubted_encoding(data, text, encoding)
    named = _SEP_LINE.match(text)
    text = text[named.end() :] if named else text
    if delimiter is None and named:
        delimiter = named[1]
        notes.append(f"The first line, {named[0].strip()!r}, names the delimiter.")
    elif delimiter is None:
        delimiter = _sniffed(text)
        if delimiter != ",":
            notes.append(f"The columns are separated by a {_NAMES[delimiter]}.")
    elif len(delimiter) != 1 or delimiter in '"\r\n':
        raise OptionError(f"delimiter must be a single character, not {delimiter!r}.")
    records = _records(text, source, delimiter, notes, first_line=2 if named else 1)
    (_, header), body = records[0], records[1:]
    if any(number_of(name.strip()) is not None for name in header):
        _refuse_numbers_as_names(source, header)
    _refuse_title(text, source, header, delimiter)
    _refuse_ragged(source, header, body, delimiter)
    places = [f"line {line}" for line, _ in body]
    rows = [cells for _, cells in body]
    return from_rows(source, sha256, header, rows, places=places, notes=notes)


def _decoded(data: bytes, source: str, encoding: str | None) -> str:
    if encoding is not None:
        return _decoded_as(data, source, encoding)
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):  # the first begins as UTF-16's
        return _decoded_as(data, source, "utf-32")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded_as(data, source, "utf-16")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse_binary(data, source)
        raise ReadError(_not_utf8(data, source, error)) from None
    _refuse_binary(data, source)
    return text


def _decoded_as(data: bytes, source: str, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except LookupError:
        raise OptionError(f"encoding {encoding!r} is unknown; try 'utf-8' or 'cp1252'.") from None
    except UnicodeDecodeError as error:
        hint = _utf16_hint(data) or _utf8_hint(data)
        if not hint and codecs.lookup(encoding).name.startswith("utf-8"):
            raise ReadError(_not_utf8(data, source, error)) from None
        raise ReadError(f"{source}: cannot be read as {encoding}: {error}.{hint}") from None
    except (UnicodeError, ValueError) as error:
        raise ReadError(f"{source}: cannot be read as {encoding}: {error}.") from None
    if not isinstance(text, str):
        raise OptionError(f"encoding {encoding!r} does not give text; try 'utf-8' or 'cp1252'.")
    if codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")) and b"\x00" not in data:
        raise ReadError(  # the ends of its lines would hold zero bytes
            f"{source}: is not {encoding}: it has no zero byte.{_utf8_hint(data)}"
        )
    if "\x00" in text:
        raise ReadError(
            f"{source}: holds zero bytes: a binary file, or not in {encoding}.{_utf16_hint(data)}"
        )
    return text.removeprefix("\ufeff")


def _doubted_encoding(data: bytes, text: str, encoding: str | None) -> list[str]:
    """Say that letters may be wrong: bytes of another encoding are hardly ever valid UTF-8."""
    if encoding is None or data.isascii():
        return []
    try:
        other = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return []
    if other == text:
        return []
    word = next(word for word in _WORD.findall(other) if not word.isascii())
    wrong = word.encode("utf-8").decode(encoding, "replace")
    return [
        f"Please check: the file was read as {encoding}, as asked, but looks like UTF-8: "
        f"{word!r} became {wrong!r}. If that is wrong, leave the encoding out."
    ]


def _utf16_hint(data: bytes) -> str:
    """Say so where every other byte is zero, or the mark of UTF-16 stands first; else nothing."""
    name = ""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        name = "utf-16"
    elif data[1::2].count(0) > 0.4 * len(data) and 0 not in data[::2]:
        name = "utf-16-le"
    elif data[::2].count(0) > 0.4 * len(data) and 0 not in data[1::2]:
        name = "utf-16-be"
    return f" It looks like UTF-16: say {where_to_say('encoding', name)}." if name else ""


def _utf8_hint(data: bytes) -> str:
    """Say so where all bytes are UTF-8; else nothing."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return " It is UTF-8: leave the encoding out."


def _refuse_binary(data: bytes, source: str) -> None:
    control = sum(data.count(code) for code in range(32) if code not in (9, 10, 12, 13, 26))
    if b"\x00" in data or control > 0.02 * len(data):
        if hint := _utf16_hint(data):
            raise ReadError(f"{source}: is not UTF-8.{hint}")
        raise ReadError(
            f"{source}: is a binary file, not a text table. Export it as CSV "
            "(UTF-8), or name it by its kind: .xlsx, .parquet, .dta, .sav."
        )


def _not_utf8(data: bytes, source: str, error: UnicodeDecodeError) -> str:
    line = data.count(b"\n", 0, error.start) + 1
    start = data.rfind(b"\n", 0, error.start) + 1
    around = data[max(start, error.start - 15) : error.start + 15].split(b"\n")[0]
    shown = around.decode("cp1252", "replace").strip()
    return (
        f"{source}: not UTF-8: byte {error.start} (line {line}) is 0x{data[error.start]:02x}. "
        f"Read as Windows text (cp1252) it would say {shown!r}; if that is right, "
        f"say {where_to_say('encoding', 'cp1252')}; else save the file as UTF-8."
    )


def _refuse_other_text(text: str, source: str) -> None:
    start = text.lstrip()[:200].lower()
    if not start:
        raise ReadError(f"{source}: the file is empty.")
    for mark, kind in (
        ("<!doctype", "a web page"),
        ("<html", "a web page"),
        ("<table", "a web page"),
        ("<meta", "a web page"),
        ("<?xml", "an XML document"),
        ("{\\rtf", "a text-processor document"),
        ("%pdf", "a PDF document"),
        ("{", "JSON"),
        ("[{", "JSON"),
    ):
        if start.startswith(mark):
            raise ReadError(f"{source}: is {kind}, not a table. Export the data as CSV.")


def _reader(text: str, delimiter: str, *, strict: bool) -> csv._reader:  # type: ignore[name-defined]
    mark, names = re.escape(delimiter), text.partition("\n")[0]
    spaced = (  # a, "b", "c"
        re.search(f'{mark} +"', names) is not None  # a name may go on in the next line
        or re.search(f'{mark} +"[^"\r\n]*" *({mark}|\r|\n|$)', text) is not None
    )
    return csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=strict, skipinitialspace=spaced
    )


def _sniffed(text: str) -> str:
    """Return the delimiter under which the first rows are most alike and most divided."""
    head = text[:200_000]

    def score(delimiter: str) -> tuple[bool, float, int]:
        lengths = []
        try:
            for record in _reader(head, delimiter, strict=False):
                if record:
                    lengths.append(len(record))
                if len(lengths) > _SNIFFED_ROWS:
                    break
        except csv.Error:
            return (False, 0.0, 0)
        if not lengths:
            return (False, 0.0, 0)
        alike = sum(length == lengths[0] for length in lengths) / len(lengths)
        return (lengths[0] > 1, alike, lengths[0])

    return max(DELIMITERS, key=score)


def _records(
    text: str, source: str, delimiter: str, notes: list[str], *, first_line: int
) -> list[tuple[int, list[str]]]:
    """Records with the line on which each begins; blank lines are left out, and counted."""
    reader = _reader(text, delimiter, strict=True)
    records: list[tuple[int, list[str]]] = []
    blank: list[int] = []
    line = first_line
    try:
        for record in reader:
            if record and not _is_white(record, of=records):
                records.append((line, record))
            else:
                blank.append(line)
            line = reader.line_num + first_line
    except csv.Error as error:
        raise ReadError(
            f"{source}: the row that begins on line {line} cannot be read ({error}). "
            "Look for a quotation mark that is not closed."
        ) from None
    if not records:
        raise ReadError(f"{source}: the file is empty.")
    inside = [number for number in blank if number < records[-1][0]]
    if inside:
        shown = ", ".join(str(number) for number in inside[:5])
        notes.append(f"Blank lines, left out: {len(inside)} (line {shown}).")
    return records


def _is_white(record: list[str], *, of: list[tuple[int, list[str]]]) -> bool:
    """Whether a line holds white space alone, where rows of the table have several fields."""
    return len(record) == 1 and bool(of) and len(of[0][1]) > 1 and not record[0].strip()


def _refuse_numbers_as_names(source: str, header: list[str]) -> None:
    named = [name for name in header if name.strip()]
    if all(number_of(name.strip()) is not None for name in named):
        raise ReadError(
            f"{source}: the first line holds numbers ({', '.join(named[:5])}), not column names. "
            "Put the names of the columns on the first line."
        )


def _refuse_title(text: str, source: str, header: list[str], delimiter: str) -> None:
    """Refuse lines above the header: one field first, then a table of another delimiter."""
    if len(header) > 1:
        return
    for other in (sign for sign in DELIMITERS if sign != delimiter):
        try:
            lengths = [len(row) for row in _reader(text[:200_000], other, strict=False) if row]
        except csv.Error:
            continue
        usual, times = Counter(lengths).most_common(1)[0]
        if lengths[0] == 1 and usual > 2 and times > 0.9 * (len(lengths) - 12) and times > 2:
            raise ReadError(
                f"{source}: the first line, {header[0][:60]!r}, stands alone, but the others have "
                f"{usual} fields (separated by {_NAMES[other]}). Delete the lines above the names "
                "of the columns."
            )


def _refuse_ragged(
    source: str, header: list[str], body: list[tuple[int, list[str]]], delimiter: str
) -> None:
    wrong = [(line, len(cells)) for line, cells in body if len(cells) != len(header)]
    if not wrong:
        return
    shown = "; ".join(f"line {line} has {count}" for line, count in wrong[:_SHOWN])
    more = f"; and {len(wrong) - _SHOWN} more lines" if len(wrong) > _SHOWN else ""
    usual, times = Counter(count for _, count in wrong).most_common(1)[0]
    hint = (
        f" Nearly all rows have {usual}: is a name missing in the header?"
        if times > 0.9 * len(body) and len(body) > 1
        else " Look for a delimiter inside an unquoted text, or a decimal comma."
    )
    fields = "field" if len(header) == 1 else "fields"
    raise ReadError(
        f"{source}: ragged: the header has {len(header)} {fields} "
        f"(separated by {_NAMES.get(delimiter, repr(delimiter))}), but {shown}{more}.{hint}"
    )
