"""The facts file to start from: made up, complete, with a comment on every part."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["facts_template"]


def facts_template() -> str:
    """Return a facts file that runs as it is, to be filled in with the figures of a paper."""
    folder = files("rnetstats.evidence")
    return folder.joinpath("facts_template.toml").read_text(encoding="utf-8")
