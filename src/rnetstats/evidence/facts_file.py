"""Where a facts file is found, and its text as TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from rnetstats.errors import FactsError, closest
from rnetstats.evidence.facts_words import shortened
from rnetstats.formatting import file_name

__all__ = ["FactsSource", "read_content", "studies_with_facts"]

_FILE = "facts.toml"
_STUDIES = "rnetstats.studies"
_LONGEST = 255  # characters of a name that are looked at


@dataclass(frozen=True)
class FactsSource:
    """The name of a facts file, for messages, and its content."""

    name: str
    content: Mapping[str, Any]


def studies_with_facts() -> tuple[str, ...]:
    """Return the names of the package's studies that come with a facts file."""
    folders = files(_STUDIES).iterdir()
    return tuple(sorted(f.name for f in folders if f.is_dir() and f.joinpath(_FILE).is_file()))


def read_content(source: str | Path | Mapping[str, Any]) -> FactsSource:
    """Find the facts that ``source`` means and parse them."""
    if isinstance(source, Mapping):
        return FactsSource("the facts given", source)
    if not isinstance(source, str | Path) or not str(source).strip():
        raise FactsError(
            f"Facts are read from a file's name, a study's name or a mapping, not from {source!r}."
        )
    if isinstance(source, str) and _is_name(source):
        return _of_package(source)
    return _of_file(Path(source))


def _is_name(source: str) -> bool:
    """Whether a string names a study or a package, rather than a file."""
    parts = source.split(".")
    return parts[-1] != "toml" and all(p.isidentifier() for p in parts) and not _exists(source)


def _exists(source: str) -> bool:
    try:
        return Path(source).is_file()
    except (OSError, ValueError):  # too long, or a character that no name can hold
        return False


def _of_package(source: str) -> FactsSource:
    package = source if "." in source else f"{_STUDIES}.{source}"
    try:
        found: Traversable = files(package).joinpath(_FILE)
        text = found.read_text(encoding="utf-8")
    except (ModuleNotFoundError, FileNotFoundError, TypeError, ValueError, OSError):
        known = studies_with_facts()
        raise FactsError(
            f"There are no facts of {shortened(source)!r}: it is no study of the package and no "
            f"file.{closest(source[:_LONGEST], known)} The studies are: {', '.join(known)}. "
            "A facts file's name ends in '.toml'."
        ) from None
    return _parsed(text, f"{package.rpartition('.')[2]}/{_FILE}")


def _of_file(path: Path) -> FactsSource:
    name = shortened(file_name(path) or str(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FactsError(
            f"There is no file {name!r}. 'rnetstats audit --template --output {name}' "
            "writes one to be filled in."
        ) from None
    except UnicodeDecodeError:
        raise FactsError(f"{name} is not text in UTF-8; save it as UTF-8.") from None
    except OSError as error:
        raise FactsError(f"{name} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise FactsError(f"{name!r} holds a character that no file's name can.") from None
    return _parsed(text, file_name(path))


def _parsed(text: str, name: str) -> FactsSource:
    try:
        return FactsSource(name, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise FactsError(
            f"{name} is not TOML: {error}. Each figure is a table [facts.KEY] with lines such as "
            'value = "2.2".'
        ) from None
    except RecursionError:
        raise FactsError(f"{name} is nested too deeply.") from None
