"""The contract of every result: frozen, tidy, printable, and strict JSON without patient rows."""

from __future__ import annotations

import dataclasses
import html
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Self

from rnetstats import __version__
from rnetstats._core.background import on_light
from rnetstats._core.json import decode, encode
from rnetstats.errors import DataNotKeptError, ReadError, RnetError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["SCHEMA_VERSION", "Result"]

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Result(ABC):
    """Base of every result.

    A subclass is a frozen dataclass whose fields hold numbers, text, arrays, frames or further
    results. A field that holds patient rows is declared with ``metadata={"rows": True}``: it is
    never written, and after reading back it is ``None``.

    Attributes
    ----------
    notes : tuple of str
        Each warning that belongs to the numbers, in words.
    seed : int or None
        The seed of whatever was drawn; None when nothing was.
    options : dict
        The options of the call, as resolved.
    synthetic : bool
        Whether the data were drawn rather than observed; figures say so.
    """

    notes: tuple[str, ...] = ()
    seed: int | None = None
    options: dict[str, Any] = field(default_factory=dict)
    synthetic: bool = False

    _kinds: ClassVar[dict[str, type[Result]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Result._kinds[cls.__name__] = cls
        for name in [name for name in vars(cls) if name == "plot" or name.startswith("plot_")]:
            setattr(cls, name, on_light(vars(cls)[name]))

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """Return the numbers as a tidy frame."""

    @abstractmethod
    def glance(self) -> pd.DataFrame:
        """Return one row that sums the result up."""

    @abstractmethod
    def display(self) -> pd.DataFrame:
        """Return the table as text, ready to print."""

    @abstractmethod
    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the result on ``ax`` (or on a new figure) and return the axes."""

    def to_dict(self) -> dict[str, Any]:
        """Return the result as strict JSON types, without patient rows."""
        body = {
            item.name: _encode_field(getattr(self, item.name))
            for item in dataclasses.fields(self)
            if not item.metadata.get("rows") and item.name not in ("seed", "options")
        }
        return {
            "type": type(self).__name__,
            "schema_version": SCHEMA_VERSION,
            "package_version": __version__,
            "seed": self.seed,
            "options": encode(self.options),
            "fields": body,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Rebuild a result from :meth:`to_dict`.

        Raises
        ------
        RnetError
            If the dictionary is of another type or of a later schema, or is damaged.
        """
        name = stored.get("type") if isinstance(stored, Mapping) else type(stored).__name__
        kind = _kind(str(name))
        if kind is None or not issubclass(kind, cls):
            raise RnetError(f"This dictionary holds a {name!r}, not a {cls.__name__}.")
        try:
            return kind._rebuilt(stored)
        except RnetError:
            raise
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            IndexError,
            OverflowError,
        ) as error:
            raise ReadError(f"This {name} is damaged: {type(error).__name__} ({error}).") from None

    @classmethod
    def _rebuilt(cls, stored: Mapping[str, Any]) -> Self:
        """Make a result of what :meth:`to_dict` wrote."""
        name = stored["type"]
        if int(stored.get("schema_version", 0)) > SCHEMA_VERSION:
            raise RnetError(
                f"This {name} was written with schema {stored['schema_version']}, which is newer "
                f"than the {SCHEMA_VERSION} of rnetstats {__version__}. Upgrade the package."
            )
        known = {item.name for item in dataclasses.fields(cls) if not item.metadata.get("rows")}
        body = {
            key: _decode_field(value) for key, value in stored["fields"].items() if key in known
        }
        notes = body.get("notes", ())
        if not isinstance(notes, tuple) or not all(isinstance(note, str) for note in notes):
            raise ReadError(f"This {name} is damaged: its notes are no texts.")
        options = decode(stored.get("options", {}))
        return cls(**body, seed=stored.get("seed"), options=options)

    def _need(self, name: str, purpose: str) -> Any:
        """Return the rows kept in field ``name``, or say that they were not kept."""
        rows = getattr(self, name)
        if rows is None:
            raise DataNotKeptError(
                f"{purpose} needs the patient rows, which are never written to JSON. "
                f"Compute the {type(self).__name__} again from the data."
            )
        return rows

    def __repr__(self) -> str:
        lines = [type(self).__name__, self.display().to_string(index=False)]
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        table = self.display().to_html(index=False, escape=True, border=0)
        items = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return table + (f"<ul>{items}</ul>" if items else "")


def _kind(name: str) -> type[Result] | None:
    """Find a result's class by its name.

    Classes are known once their modules are loaded. A session that only reads has loaded few of
    them, so that an unknown name loads the package's own modules once.
    """
    if name not in Result._kinds:
        _load_all()
    return Result._kinds.get(name)


@cache
def _load_all() -> None:
    import rnetstats

    for module in pkgutil.walk_packages(rnetstats.__path__, "rnetstats."):
        if not module.name.endswith("__main__"):
            import_module(module.name)


def _encode_field(value: Any) -> Any:
    if isinstance(value, Result):
        return {"$result": value.to_dict()}
    if isinstance(value, (tuple, list)) and any(isinstance(item, Result) for item in value):
        return {"$results": [_encode_field(item) for item in value]}
    return encode(value)


def _decode_field(value: Any) -> Any:
    if isinstance(value, dict) and "$result" in value:
        return Result.from_dict(value["$result"])
    if isinstance(value, dict) and "$results" in value:
        return tuple(_decode_field(item) for item in value["$results"])
    return decode(value)
