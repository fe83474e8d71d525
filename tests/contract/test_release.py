"""What a release says of itself is said once, or alike everywhere."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import rnetstats as rn

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CITATION = (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def cited(key: str) -> str:
    return re.findall(rf'^{key}: "?([^"\n]+)"?$', CITATION, flags=re.MULTILINE)[0]


def test_the_version_stands_in_the_package_alone() -> None:
    assert "version" not in PROJECT
    assert PROJECT["dynamic"] == ["version"]
    assert version("rnetstats") == rn.__version__ == cited("version")


def test_the_licence_and_the_title_are_the_same_in_the_citation() -> None:
    assert PROJECT["license"] == cited("license") == "MIT"
    first = (ROOT / "LICENSE").read_text(encoding="utf-8").splitlines()[0]
    assert first == "MIT License"
    assert cited("title").lower() == f"rnetstats: {PROJECT['description'].lower()}"


def test_the_package_says_that_it_is_typed() -> None:
    assert files("rnetstats").joinpath("py.typed").is_file()
    assert "Typing :: Typed" in PROJECT["classifiers"]


def test_every_public_name_stands_in_the_readme_or_a_guide() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    told = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    public = set(rn.__all__) - {"__version__"}
    assert [name for name in sorted(public) if not re.search(rf"\b{name}\b", told)] == []
