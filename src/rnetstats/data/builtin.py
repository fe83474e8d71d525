"""Built-in codebooks: found as files beside a study's other facts, never by importing its code."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from rnetstats.data.codebook import Codebook
from rnetstats.errors import CodebookError, closest

__all__ = ["builtin_codebook", "builtin_names"]


@cache
def builtin_names() -> tuple[str, ...]:
    """Names of the studies that have a codebook."""
    folder = files("rnetstats").joinpath("studies")
    return tuple(
        sorted(
            entry.name
            for entry in folder.iterdir()
            if entry.is_dir() and entry.joinpath("codebook.toml").is_file()
        )
    )


@cache
def builtin_codebook(name: str) -> Codebook:
    """Return the codebook of a study.

    Raises
    ------
    CodebookError
        If there is no study of that name.
    """
    if name not in builtin_names():
        raise CodebookError(
            f"there is no built-in codebook {name!r}.{closest(name, builtin_names())} "
            f"Built in: {', '.join(builtin_names())}."
        )
    file = files("rnetstats").joinpath("studies", name, "codebook.toml")
    return Codebook.from_text(file.read_text(encoding="utf-8"), name=f"{name} (built in)")
