"""The oldest releases that the metadata admits are those that continuous integration installs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def floors() -> dict[str, str]:
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["test"], *extras["formats"], *extras["notebooks"]]
    pairs = (re.fullmatch(r"([\w-]+)>=([\d.]+)", line) for line in wanted if "[" not in line)
    return {pair[1]: pair[2] for pair in pairs if pair}


def pins() -> dict[str, str]:
    text = (ROOT / "constraints-lowest.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w-]+)==([\d.]+)", text, flags=re.MULTILINE))


def test_every_requirement_has_a_floor() -> None:
    extras = PROJECT["optional-dependencies"]
    lines = [line for part in (PROJECT["dependencies"], *extras.values()) for line in part]
    assert not [line for line in lines if ">=" not in line and not line.startswith("rnetstats[")]


@pytest.mark.parametrize("name", floors())
def test_the_floor_is_the_release_that_is_tested(name: str) -> None:
    floor = floors()[name].split(".")
    assert pins()[name].split(".")[: len(floor)] == floor
