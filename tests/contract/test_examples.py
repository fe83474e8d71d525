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
from rnetstats.errors import RnetError

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
PUBLIC = sorted(set(rn.__all__) - {"__version__", "errors"})
# A class
WITHOUT_EXAMPLE = {"RiskModel"}
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


def refusals(text: str) -> set[str]:
    """The kinds of errors under Raises."""
    part = re.search(r"^Raises\n-+\n(.*?)(?=^\w+\n-{3,}$|\Z)", text, re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^\S.*$", part[1], re.MULTILINE) if part else []
    return {name.strip() for head in heads for name in head.split(",")}


# They read no data
WITHOUT_DATA = {"Codebook", "RiskModel", "recipe"}


@pytest.mark.parametrize("name", [name for name in PUBLIC if name not in WITHOUT_DATA])
def test_docstrings_tell_every_kind_of_refusal(name: str) -> None:
    verb = getattr(rn, name)
    takes = set(signature(verb).parameters)
    raises = refusals(inspect.getdoc(verb) or "")
    if takes & {"alpha", "budget", "ci", "conf_level", "method", "missing", "resamples", "seed"}:
        assert "OptionError" in raises
    if "formula" in takes:
        assert "FormulaError" in raises
    if takes & {"data", "formula"} and name != "reproduce":
        assert {"ColumnError", "DataError"} <= raises


# Of each verb on two groups, what else a call needs
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "bias_analysis": ("event ~ arm", {"misclassified": "exposure"}),
    "cox": ("Surv(months, event) ~ arm", {}),
    "cumulative_incidence": ("Surv(months, event) ~ arm", {}),
    "cutpoint": ("event ~ months", {}),
    "decision_curve": ("event ~ share", {}),
    "detectable_effect": ("Surv(months, event) ~ arm", {}),
    "equivalence": ("event ~ arm", {"margin": 0.1}),
    "exact_logistic": ("event ~ arm", {}),
    "exact_table": ("event ~ arm", {}),
    "few_events": ("Surv(months, event) ~ arm", {}),
    "fine_gray": ("Surv(months, event) ~ arm", {"cause": 1}),
    "gray_test": ("Surv(months, event) ~ arm", {}),
    "kaplan_meier": ("Surv(months, event) ~ arm", {}),
    "logistic": ("event ~ arm", {}),
    "logrank": ("Surv(months, event) ~ arm", {}),
    "milestone": ("Surv(months, event) ~ arm", {"times": 2}),
    "no_events": ("Surv(months, event) ~ arm", {}),
    "noninferiority": ("event ~ arm", {"margin": 0.1, "better": "lower"}),
    "separation": ("event ~ arm", {}),
    "split_at_treatment": ("Surv(months, event) ~ arm", {"treatment_time": "since"}),
    "univariable": ("event ~ arm", {}),
}


@pytest.mark.parametrize("name", CALLS)
def test_verbs_refuse_as_their_docstrings_say(name: str) -> None:
    verb, (formula, options) = getattr(rn, name), CALLS[name]
    raises = refusals(inspect.getdoc(verb) or "")
    months = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    data = {"months": months, "event": [0, 1, 0, 1, 1, 0], "arm": [0, 0, 0, 1, 1, 1]}
    data |= {"share": [0.1] * 6, "since": [None] * 6}
    for wrong in (
        lambda: verb(data, f"{formula} + arm^2", **options),
        lambda: verb({**data, "event": ["x"] * 6, "arm": ["y"] * 6}, formula, **options),
        lambda: verb({"share": data["share"]}, formula, **options),
        lambda: verb({"months": [1.0, 2.0], "event": [1]}, formula, **options),
        lambda: verb(data, formula, missing="keep", **options),
    ):
        with pytest.raises(RnetError) as refused:
            wrong()
        assert refused.type.__name__ in raises


@pytest.mark.parametrize("name", PLOTS)
def test_functions_of_plots_say_where_they_draw(name: str) -> None:
    module = importlib.import_module(f"rnetstats.plots.{name}")
    drawing = [getattr(module, public) for public in module.__all__]
    drawing = [f for f in drawing if inspect.isfunction(f) and "ax" in signature(f).parameters]
    assert drawing
    for function in drawing:
        text = inspect.getdoc(function) or ""
        assert re.search(r"^ax : Axes.*\n +\S", text, re.MULTILINE), function.__name__
