"""Every case of the reference topic ``exact``, each solved once."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from rnetstats.tables.exact_proportion import ExactProportionResult, exact_proportion
from rnetstats.tables.exact_rate import exact_rate
from rnetstats.tables.exact_rate_ratio import exact_rate_ratio
from rnetstats.tables.exact_table import ExactContingencyResult, ExactTableResult, exact_table
from rnetstats.tables.limits_result import LimitsByMethod
from rnetstats.tables.odds_ratio import haldane_anscombe, sample_odds_ratio
from rnetstats.tables.proportion_limits import wald_limits
from rnetstats.tables.two_proportions import wald_difference_limits
from support import assert_close, case, case_ids

IDS = case_ids("exact")
EXACT, ROOT = 1e-8, 1e-6


def ids(prefix: str) -> list[str]:
    return [name for name in IDS if name.startswith(prefix)]


def limits(result: LimitsByMethod, method: str, measure: str | None = None) -> list[float]:
    row = result.method(method, measure)
    return [row["conf_low"], row["conf_high"]]


def test_every_case_is_covered() -> None:
    parts = [*ids("t_"), *ids("binom_"), *ids("pois_"), *ids("ratio_"), *ids("rxc_")]
    assert sorted(parts) == sorted(IDS)
    assert len(IDS) == 24


@cache
def two_by_two(name: str) -> tuple[dict[str, Any], ExactTableResult]:
    values = case("exact", name)["values"]
    result = exact_table(values["table"])
    assert isinstance(result, ExactTableResult)
    return values, result


@pytest.mark.parametrize("name", ids("t_"))
def test_two_by_two_p_values(name: str) -> None:
    values, result = two_by_two(name)
    for key, method in {
        "fisher_p": "minlike",
        "fisher_p_less": "one-sided upper",
        "fisher_p_greater": "one-sided lower",
    }.items():
        assert_close(result.method(method, "odds ratio")["p_value"], values[key], rel=EXACT)
    for key, method in {
        "exact2x2_minlike": "minlike",
        "exact2x2_blaker": "blaker",
        "central": "central",
        "central_midp": "mid-p",
    }.items():
        assert_close(result.method(method, "odds ratio")["p_value"], values[key]["p"], rel=EXACT)


@pytest.mark.parametrize("name", ids("t_"))
def test_two_by_two_odds_ratio(name: str) -> None:
    values, result = two_by_two(name)
    estimate = result.method("central", "odds ratio")["estimate"]
    if name == "t_0_30_0_40":
        # Every odds ratio is equally likely; R's 0 is the convention "no events, no odds".
        assert values["or_conditional_mle"] == 0
        assert math.isnan(estimate)
        assert any("undefined" in note for note in result.notes)
    else:
        assert_close(estimate, values["or_conditional_mle"], rel=EXACT)
    assert_close(
        limits(result, "central", "odds ratio"), [values["ci_lower"], values["ci_upper"]], rel=ROOT
    )
    assert_close(
        result.method("one-sided lower")["conf_low"], values["one_sided_ci_lower_95"], rel=ROOT
    )
    assert_close(
        result.method("one-sided upper")["conf_high"], values["one_sided_ci_upper_95"], rel=ROOT
    )
    for key, method in {
        "exact2x2_minlike": "minlike",
        "exact2x2_blaker": "blaker",
        "central": "central",
        "central_midp": "mid-p",
    }.items():
        expected = [values[key]["ci_lower"], values[key]["ci_upper"]]
        assert_close(limits(result, method, "odds ratio"), expected, rel=ROOT)


@pytest.mark.parametrize("name", ids("t_"))
def test_two_by_two_in_closed_form(name: str) -> None:
    values, result = two_by_two(name)
    (a, b), (c, d) = values["table"]
    sample, half = sample_odds_ratio(a, b, c, d), haldane_anscombe(a, b, c, d)
    assert_close(sample, [values["sample_odds_ratio"], values["woolf_log_or_se"]])
    assert_close(half, [values["haldane_anscombe_or"], values["haldane_anscombe_log_or_se"]])
    assert_close(result.method("haldane-anscombe")["estimate"], half[0])
    assert_close(result.method("newcombe")["estimate"], values["risk_difference"])
    ratio = result.method("miettinen-nurminen", "risk ratio")["estimate"]
    assert_close(ratio, values["risk_ratio"])
    assert_close(limits(result, "newcombe"), values["newcombe_rd_ci"])
    assert_close(limits(result, "newcombe-continuity"), values["newcombe_rd_ci_continuity"])
    assert_close(limits(result, "agresti-caffo"), values["agresti_caffo_rd_ci"])
    assert_close(wald_difference_limits(a, a + b, c, c + d), values["wald_rd_ci"])
    methods = set(result.to_frame()["method"])
    assert {"wald", "woolf", "katz"} <= methods or 0 in (a, b, c, d)


@cache
def proportion(name: str) -> tuple[dict[str, Any], ExactProportionResult]:
    values = case("exact", name)["values"]
    return values, exact_proportion(values["x"], values["n"], null=values.get("null_p"))


@pytest.mark.parametrize("name", ids("binom_"))
def test_proportion_limits(name: str) -> None:
    values, result = proportion(name)
    closed = {
        "central": "clopper_pearson",
        "wilson": "wilson",
        "wilson-continuity": "wilson_continuity",
        "jeffreys": "jeffreys_plain",
        "jeffreys-closed": "jeffreys_bounds_at_0_and_n",
        "agresti-coull": "agresti_coull",
    }
    for method, key in closed.items():
        assert_close(limits(result, method), values[key], rel=EXACT)
    for method, key in {"blaker": "blaker", "minlike": "minlike", "mid-p": "mid_p"}.items():
        assert_close(limits(result, method), values[key], rel=ROOT)
    assert_close(wald_limits(values["x"], values["n"]), values["wald"])
    assert_close(result.method("central")["estimate"], values["proportion"])
    assert_close(
        result.method("one-sided upper")["conf_high"], values["upper_one_sided_95_clopper_pearson"]
    )
    assert_close(
        result.method("one-sided lower")["conf_low"], values["lower_one_sided_95_clopper_pearson"]
    )


def test_proportion_without_events_has_closed_bounds() -> None:
    values, result = proportion("binom_0_322")
    assert_close(result.method("rule-of-three")["conf_high"], values["rule_of_three"])
    assert_close(result.method("one-sided upper")["conf_high"], values["exact_upper_one_sided_95"])
    assert_close(result.method("central")["conf_high"], values["exact_upper_two_sided_95"])


@pytest.mark.parametrize("name", ["binom_12_527", "binom_3_10"])
def test_proportion_p_values(name: str) -> None:
    values, result = proportion(name)
    for method, key in {
        "minlike": "binom_test_p_minlike",
        "central": "p_central",
        "blaker": "p_blaker",
        "mid-p": "p_mid_central",
        "one-sided upper": "p_less",
        "one-sided lower": "p_greater",
    }.items():
        assert_close(result.method(method)["p_value"], values[key], rel=EXACT)


@pytest.mark.parametrize("name", ids("pois_"))
def test_rate(name: str) -> None:
    values = case("exact", name)["values"]
    result = exact_rate(values["events"], values["time"], null=values.get("null_rate"))
    assert_close(result.method("central")["estimate"], values["rate"])
    assert_close(limits(result, "central"), values["exact_central"], rel=EXACT)
    assert_close(result.method("one-sided upper")["conf_high"], values["upper_one_sided_95"])
    assert_close(limits(result, "byar"), values["byar"])
    for method, key in {"blaker": "blaker", "minlike": "minlike", "mid-p": "mid_p"}.items():
        assert_close(limits(result, method), values[key], rel=ROOT)
    if "null_rate" in values:
        for method, key in {
            "minlike": "p_minlike_poisson_test",
            "central": "p_central",
            "blaker": "p_blaker",
        }.items():
            assert_close(result.method(method)["p_value"], values[key], rel=EXACT)


@pytest.mark.parametrize("name", ids("ratio_"))
def test_rate_ratio(name: str) -> None:
    values = case("exact", name)["values"]
    (x1, x2), (t1, t2) = values["events"], values["time"]
    result = exact_rate_ratio(x1, t1, x2, t2)
    assert_close(result.method("central")["estimate"], values["rate_ratio"])
    assert_close(limits(result, "central"), values["exact_central_ci"], rel=ROOT)
    assert_close(result.method("minlike")["p_value"], values["poisson_test_p_minlike"])
    for method, key in {
        "central": "central",
        "minlike": "minlike",
        "blaker": "blaker",
        "mid-p": "central_midp",
    }.items():
        expected = values[key]
        assert_close(result.method(method)["p_value"], expected["p"], rel=EXACT)
        found = limits(result, method)
        assert_close(found, [expected["ci_lower"], expected["ci_upper"]], rel=ROOT)


@pytest.mark.parametrize("name", ids("rxc_"))
def test_larger_tables(name: str) -> None:
    values = case("exact", name)["values"]
    result = exact_table(values["table"])
    assert isinstance(result, ExactContingencyResult)
    assert_close(result.p_value, values["fisher_freeman_halton_p"])
    assert_close(result.chi_square, values["pearson_chi2"])
    assert result.df == values["df"]
    assert_close(result.chi_square_p, values["pearson_p"])
    expected = np.asarray(values["expected"])
    assert_close(result.to_frame()["expected"], expected.ravel())
    assert_close(result.min_expected, expected.min())
