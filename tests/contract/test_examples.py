"""The examples in the docstrings of the public names run, and show what they show."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
from collections.abc import Iterator
from inspect import signature
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import rnetstats as rn

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
PUBLIC = sorted(set(rn.__all__) - {"__version__", "errors"})
# A class, and a verb that writes a page
WITHOUT_EXAMPLE = {"RiskModel", "calculator"}
# They read, count, draw or describe: there is no method behind them
WITHOUT_PAPER = {
    "Codebook",
    "complete_and_imputed",
    "cut_resolution",
    "load_cohort",
    "missing_patterns",
    "read_cohort",
    "recipe",
    "swimmer",
    "write_codebook",
}
PLOTS = (
    "balance",
    "bias",
    "curves",
    "directions",
    "e_value",
    "effects",
    "estimands",
    "fidelity",
    "forest",
    "fragility",
    "funnel",
    "guidelines",
    "immortal",
    "incidence",
    "information_size",
    "innermost",
    "intervals",
    "landmarks",
    "margins",
    "meta_bubbles",
    "meta_forest",
    "meta_influence",
    "milestone",
    "observed",
    "parametric",
    "power",
    "propensity",
    "rare_events",
    "reconstruction",
    "right_truncation",
    "rmst",
    "schoenfeld",
    "simulated",
    "stacked",
    "swimmer",
    "text_table",
    "threshold",
    "time_varying",
    "tipping",
    "worlds_candidates",
    "worlds_counts",
    "worlds_region",
    "worlds_splits",
)


def examples(name: str) -> list[doctest.DocTest]:
    """The examples of a public name, those of a class's own methods included."""
    thing: Any = getattr(rn, name)
    found = doctest.DocTestFinder(recurse=inspect.isclass(thing)).find(thing, name)
    return [test for test in found if test.examples]


@pytest.fixture(autouse=True)
def plain_printing() -> Iterator[None]:
    with pd.option_context("display.width", 100, "display.max_columns", 20):
        yield
    plt.close("all")


def timed(name: str) -> Any:
    """A whole study takes seconds: its example is run with the slow tests."""
    marks = [pytest.mark.slow] if name in {"overview", "reproduce"} else []
    return pytest.param(name, marks=marks)


@pytest.mark.parametrize("name", [timed(name) for name in PUBLIC if examples(name)])
def test_examples_run(name: str) -> None:
    for test in examples(name):
        told: list[str] = []
        doctest.DocTestRunner(optionflags=FLAGS).run(test, out=told.append)
        assert not told, "".join(told)


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "RiskModel"])
def test_docstrings_say_what_goes_in_and_what_is_refused(name: str) -> None:
    text = inspect.getdoc(getattr(rn, name)) or ""
    sections = set(re.findall(r"^(\w+)\n-{3,}$", text, re.MULTILINE))
    assert {"Parameters", "Raises"} <= sections
    assert ("Examples" in sections) == bool(examples(name)) == (name not in WITHOUT_EXAMPLE)
    assert ("References" in sections) == (name not in WITHOUT_PAPER)


def documented(text: str) -> list[str]:
    """The names under Parameters, in their order."""
    part = re.search(r"^Parameters\n-+\n(.*?)(?=^\w+\n-{3,}$|\Z)", text, re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^\S.*$", part[1], re.MULTILINE) if part else []
    return [name.strip().lstrip("*") for head in heads for name in head.split(" : ")[0].split(",")]


@pytest.mark.parametrize("name", [name for name in PUBLIC if name not in {"Codebook", "RiskModel"}])
def test_docstrings_tell_every_option(name: str) -> None:
    verb = getattr(rn, name)
    assert sorted(documented(inspect.getdoc(verb) or "")) == sorted(signature(verb).parameters)


@pytest.mark.parametrize("name", PLOTS)
def test_functions_of_plots_say_where_they_draw(name: str) -> None:
    module = importlib.import_module(f"rnetstats.plots.{name}")
    drawing = [getattr(module, public) for public in module.__all__]
    drawing = [f for f in drawing if inspect.isfunction(f) and "ax" in signature(f).parameters]
    assert drawing
    for function in drawing:
        text = inspect.getdoc(function) or ""
        assert re.search(r"^ax : Axes.*\n +\S", text, re.MULTILINE), function.__name__
