"""Rare events by several models: the reference, tables by hand, invariants, bad input."""

from __future__ import annotations

import doctest
import itertools
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

import rnetstats as rn
from rare_cases import COLUMNS, table_frame
from rnetstats.errors import ColumnError, DataError, OptionError
from rnetstats.evidence import rare_events as rare_module
from rnetstats.evidence.rare_events import RareEventsResult, rare_events
from rnetstats.evidence.rare_models import inverse_variance_row, mixed_row
from rnetstats.evidence.rare_rows import closed_rows, informative
from rnetstats.evidence.rare_words import METHODS, methods_for
from rnetstats.kernels.beta_binomial import BetaBinomial, fit_beta_binomial
from rnetstats.kernels.glmm import fit_mixed
from rnetstats.kernels.glmm_tables import TABLE_MODELS, table_model
from rnetstats.kernels.mantel_haenszel import Tables
from rnetstats.regression.logistic import logistic
from rnetstats.tables.exact_table import exact_table
from support import assert_close, case

MEASURES = ("OR", "RR", "RD")
NAMES = (
    "nielweise_mh_peto",
    "double_zero_mh_peto",
    pytest.param("yusuf_mh_peto", marks=pytest.mark.slow),
)


@cache
def found(name: str, measure: str = "OR") -> RareEventsResult:
    return rare_events(table_frame(name), measure=measure)


def studies(*rows: tuple[int, int, int, int]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.assign(study=[f"S{i}" for i in range(len(frame))])


def tables_given(*rows: tuple[int, int, int, int]) -> Tables:
    return Tables.of(*zip(*rows, strict=True))


def values(name: str) -> dict[str, Any]:
    return case("meta", name)["values"]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("name", NAMES)
def test_mantel_haenszel_as_reference(name: str, measure: str) -> None:
    row, expected = (
        found(name, measure).method("mantel-haenszel"),
        values(name)[f"mh_{measure}_no_correction"],
    )
    back = np.exp if measure != "RD" else np.asarray
    assert_close(row["coef"], expected["estimate"])
    assert_close(row["estimate"], back(expected["estimate"]))
    assert_close(row["std_error"], expected["se"])
    assert_close(row["conf_low"], back(expected["ci_lower"]))
    assert_close(row["conf_high"], back(expected["ci_upper"]))
    assert_close(row["p_value"], expected["p"])
    if measure == "OR":
        assert_close(row["q"], expected["tarone"]["chi2"])
        assert_close(row["q_df"], expected["tarone"]["df"])
        assert_close(row["q_p"], expected["tarone"]["p"])


@pytest.mark.parametrize("name", NAMES)
def test_peto_and_the_crude_table_as_reference(name: str) -> None:
    row, expected = found(name).method("peto"), values(name)["peto_log_or"]
    for field, key in (("coef", "estimate"), ("std_error", "se"), ("p_value", "p"), ("q", "Q")):
        assert_close(row[field], expected[key])
    assert_close(row["q_df"], expected["Q_df"])
    assert_close(found(name).method("crude")["coef"], values(name)["crude"]["log_or"])


@pytest.mark.parametrize("name", NAMES)
def test_tests_of_tables_as_reference(name: str) -> None:
    table, expected = found(name).table_tests(), values(name)["mh_OR_no_correction"]
    keys = ["cmh_without_continuity", "cmh_with_continuity", "breslow_day", "tarone"]
    for row, key in zip(table.to_dict("records"), keys, strict=True):
        assert_close(row["statistic"], expected[key]["chi2"])
        assert_close(row["p_value"], expected[key]["p"], floor=1e-40)
        assert row["df"] == expected[key].get("df", 1)
        assert row["note"] == ""
    pd.testing.assert_frame_equal(found(name, "RD").table_tests(), table)


def test_tests_of_tables_without_a_value_say_why() -> None:
    one = rare_events(studies((3, 40, 1, 42), (0, 30, 0, 31))).table_tests()
    assert one["p_value"].notna().tolist() == [True, True, False, False]
    assert "fewer than two studies" in one["note"].iloc[2]
    # by hand: the distance from the hypergeometric mean, squared, over the variance
    mean, n = 40 * 4 / 82, 82
    variance = 4 * 40 * 42 * 78 / (n**2 * (n - 1))
    assert_close(one["statistic"].iloc[0], (3 - mean) ** 2 / variance)
    assert_close(one["statistic"].iloc[1], (3 - mean - 0.5) ** 2 / variance)
    empty = rare_events(studies((0, 40, 1, 42), (0, 30, 2, 31))).table_tests()
    assert empty["p_value"].notna().tolist() == [True, True, False, False]
    assert "no event in arm 1" in empty["note"].iloc[2]
    nothing = rare_events(studies((0, 40, 0, 42), (0, 30, 0, 31))).table_tests()
    assert nothing[["statistic", "df", "p_value"]].isna().all(axis=None)
    assert (nothing["note"] != "").all()


@pytest.mark.parametrize("name", ["nielweise_glmm", "double_zero_glmm"])
def test_binomial_normal_models_as_reference(name: str) -> None:
    result = found(name.replace("glmm", "mh_peto"))
    for method, key in (("UM.FS", "UM_FS_nagq25"), ("CM.AL", "CM_AL_nagq25"), ("CM.EL", "CM_EL")):
        if key not in values(name):
            continue
        row, expected = result.method(method), values(name)[key]
        assert row["k"] == expected["k"]
        assert_close(row["coef"], expected["estimate"], rel=1e-3)
        assert_close(row["std_error"], expected["se"], rel=1e-3)
        assert_close(np.log(row["conf_low"]), expected["ci_lower"], rel=1e-3)
        assert_close(np.log(row["conf_high"]), expected["ci_upper"], rel=1e-3)
        assert_close(row["tau2"], expected["tau2"], rel=1e-2)
        assert_close(row["q"], expected["Q_lrt"], rel=1e-3)
        assert row["q_df"] == expected["Q_df"]


def test_inverse_variance_is_that_of_the_meta_analysis() -> None:
    for measure in MEASURES:
        pooled = rn.meta_analysis(
            table_frame("nielweise_mh_peto"), measure=measure, ci="hartung-knapp-adhoc"
        ).glance()
        row = found("nielweise_mh_peto", measure).method("inverse-variance")
        for name in ("estimate", "conf_low", "conf_high", "p_value", "tau2", "q"):
            assert_close(row[name], pooled[name].iloc[0])


def test_exact_limits_by_enumeration() -> None:
    """Every set of tables with the margins of three studies, weighed at a common odds ratio."""
    tables = [(1, 6, 3, 8), (0, 5, 2, 7), (2, 9, 1, 4)]
    row = next(r for r in closed_rows(tables_given(*tables), "OR", 0.95) if r.method == "exact")
    estimate, low, high = np.exp([row.coef, row.low, row.high])
    laws = [hypergeom(n1 + n2, a + c, n1) for a, n1, c, n2 in tables]
    ranges = [range(a + c + 1) for a, _, c, _ in tables]
    sums, weights = [], []
    for counts in itertools.product(*ranges):
        sums.append(sum(counts))
        weights.append(np.prod([law.pmf(x) for law, x in zip(laws, counts, strict=True)]))
    total, weight = np.array(sums), np.array(weights)

    def tail(ratio: float, side: int) -> float:
        p = weight * ratio**total
        return float(p[(total - 3) * side >= 0].sum() / p.sum())

    assert_close(tail(low, 1), 0.025, rel=1e-6)
    assert_close(tail(high, -1), 0.025, rel=1e-6)
    p = weight * estimate**total
    assert_close((p * total).sum() / p.sum(), 3.0)
    assert_close(row.p_value, min(1.0, 2 * min(tail(1.0, 1), tail(1.0, -1))))


def test_one_study_is_its_own_table() -> None:
    result = rare_events(studies((3, 40, 9, 50)), measure="OR")
    exact = exact_table([[3, 37], [9, 41]]).method("central", "odds ratio")
    row = result.method("exact")
    for name in ("conf_low", "conf_high", "p_value"):
        assert_close(row[name], exact[name], rel=1e-7)
    assert_close(result.method("mantel-haenszel")["estimate"], 3 * 41 / (37 * 9))
    assert_close(result.method("inverse-variance")["estimate"], 3 * 41 / (37 * 9))
    assert np.isnan(result.method("UM.FS")["estimate"])
    assert any("one study alone" in note for note in result.notes)


def test_a_common_odds_ratio_with_study_effects_is_pooled_logistic_regression() -> None:
    """Alike studies leave no variance, and UM.FS is logistic regression on terms of the studies."""
    tables = [(2, 40, 4, 44), (3, 50, 5, 47), (1, 30, 3, 41)]
    rows = [
        {"study": f"S{i}", "arm": arm, "y": y}
        for i, (a, n1, c, n2) in enumerate(tables)
        for arm, events, n in ((1, a, n1), (0, c, n2))
        for y in [1] * events + [0] * (n - events)
    ]
    fit = logistic(pd.DataFrame(rows), "y ~ arm + study", penalty=None)
    term = fit.to_frame().query("term == 'arm'").iloc[0]
    row = mixed_row(tables_given(*tables), "UM.FS", 0.95)
    assert row.tau2 == 0.0
    assert_close(row.coef, term["coef"], rel=1e-7)
    assert_close(row.std_error, term["std_error"], rel=1e-7)


@pytest.mark.slow
@settings(max_examples=20)
@given(st.lists(st.tuples(*[st.integers(1, 5)] * 4), min_size=2, max_size=4), st.randoms())
def test_order_is_irrelevant_and_swapped_arms_invert(
    counts: list[tuple[int, int, int, int]], random: Any
) -> None:
    rows = [(a, a + 10 * b, c, c + 10 * d) for a, b, c, d in counts]
    shuffled = [(c, d, a, b) for a, b, c, d in rows]
    random.shuffle(shuffled)
    for measure in MEASURES:
        one, turned = (
            [*closed_rows(t, measure, 0.95), inverse_variance_row(t, measure, 0.95)]
            for t in (tables_given(*rows), tables_given(*shuffled))
        )
        for left, right in zip(one, turned, strict=True):
            assert_close(right.coef, -left.coef, rel=1e-6, floor=1e-7)
            assert_close(right.low, -left.high, rel=1e-6, floor=1e-7)
            assert_close(right.p_value, left.p_value, rel=1e-5)


@pytest.mark.slow
def test_what_double_zeros_do() -> None:
    """Only models that look at levels or denominators change with studies without events."""
    rows = [(1, 60, 4, 62), (3, 120, 7, 118), (2, 88, 5, 85)]
    few, more = (tables_given(*part) for part in (rows, [*rows, (0, 200, 0, 20), (0, 150, 0, 30)]))
    found = {}
    for t in (few, more):
        coefs = {row.method: row.coef for row in closed_rows(t, "OR", 0.95)}
        coefs["beta-binomial"] = fit_beta_binomial(BetaBinomial(t)).coef[0]
        coefs["inverse-variance"] = inverse_variance_row(t, "OR", 0.95).coef
        for model in TABLE_MODELS:
            used = t if model == "UM.RS" else informative(t)
            coefs[model] = fit_mixed(*table_model(used, model)).coef[0]
        found[len(t.a)] = coefs
    changed = {name for name, coef in found[3].items() if abs(coef - found[5][name]) > 1e-6}
    assert changed == {"crude", "UM.RS", "beta-binomial"}
    assert changed == {
        name for name, words in METHODS.items() if words.double_zeros.get("OR") == "counted"
    }


def test_every_method_says_what_it_is() -> None:
    for measure in MEASURES:
        result = found("double_zero_mh_peto", measure)
        assert result.to_frame()["method"].tolist() == methods_for(measure)
        words = result.assumptions()
        assert (words.map(len) > 0).all(axis=None)
    words = found("double_zero_mh_peto").assumptions().set_index("Method")
    peto = words.loc[METHODS["peto"].label, "Fails"]
    assert peto == "Peto is biased when arms are unequal or effects large."
    assert words["Estimand"].str.contains("conditional").sum() == 8
    assert words["Estimand"].str.contains("marginal").sum() == 1


def test_conditions_that_do_not_hold_are_said() -> None:
    unequal = rare_events(studies((2, 300, 3, 60)), measure="OR")
    assert any("5.00 times the patients" in note for note in unequal.notes)
    common = rare_events(studies((20, 50, 30, 50)), measure="OR")
    assert any("CM.AL is near the risk ratio" in note for note in common.notes)
    balanced = rare_events(studies((4, 100, 5, 100)), measure="OR")
    assert not any("Peto" in note for note in balanced.notes)


@pytest.mark.parametrize("measure", ["OR", "RR"])
def test_an_arm_without_events_leaves_a_bound(measure: str) -> None:
    result = rare_events(studies((0, 20, 3, 25), (0, 30, 2, 31), (0, 10, 0, 11)), measure=measure)
    row = result.method("exact")
    assert row["estimate"] == row["conf_low"] == 0.0
    assert 0.5 < row["conf_high"] < 2.0
    pooled = result.method("mantel-haenszel")
    assert pooled["estimate"] == 0.0
    assert np.isnan([pooled["std_error"], pooled["conf_low"], pooled["p_value"]]).all()
    assert any("no event in arm 1 of any study" in note for note in result.notes)
    assert "nan" not in " ".join(result.display().to_numpy().ravel()).split()


@pytest.mark.parametrize("measure", MEASURES)
def test_without_any_event_nothing_is_estimated_but_risks_are_bounded(measure: str) -> None:
    result = rare_events(studies((0, 44, 0, 98), (0, 10, 0, 20)), measure=measure)
    ratios = result.to_frame()[["estimate", "p_value"]]
    assert ratios["p_value"].drop(ratios.index[-1]).isna().all()
    if measure != "RD":
        assert ratios["estimate"].isna().all()
    bound = 100 * float(rn.exact_proportion(0, 54).method("central")["conf_high"])
    assert any(f"{bound:.2f} % in arm 1 (0 of 54)" in note for note in result.notes)


def test_an_infinite_variance_is_no_estimate() -> None:
    """Each study at one end or the other: the likelihood rises with the variance for ever."""
    rows = studies((0, 20, 9, 25), (7, 20, 0, 25), (0, 30, 8, 31), (9, 30, 0, 31))
    result = rare_events(rows, measure="RR")
    assert np.isnan(result.method("CM.AL")["estimate"])
    assert "contradict each other" in result.method("CM.AL")["note"]
    assert np.isfinite(result.method("mantel-haenszel")["estimate"])


@pytest.mark.parametrize("measure", MEASURES)
def test_studies_that_contradict_each_other_are_told_from_an_empty_arm(measure: str) -> None:
    apart = rare_events(studies(*[(0, 30, 30, 30), (30, 30, 0, 30)] * 2), measure=measure)
    note = apart.method("beta-binomial")["note"]
    assert "contradict each other" in note
    assert "no limit of a mean effect is finite" in note
    empty = rare_events(studies((0, 30, 2, 30), (0, 40, 3, 40)), measure=measure)
    note = empty.method("beta-binomial")["note"]
    assert "no event" in note
    assert ("the ratio has no finite estimate" in note) == (measure != "RD")


def test_beyond_what_a_model_of_rare_events_is_for() -> None:
    rows = studies((400_000, 10**6, 350_000, 10**6), (300_000, 10**6, 360_000, 10**6))
    result = rare_events(rows, measure="RR")
    assert np.isfinite(result.method("mantel-haenszel")["std_error"])
    assert np.isnan(result.method("beta-binomial")["estimate"])
    assert "more than 300,000 patients" in result.method("beta-binomial")["note"]
    assert "more than 20,000 events" in result.method("CM.AL")["note"]
    assert "too many" in result.method("exact")["note"]


GOOD = studies((1, 20, 4, 25), (3, 44, 1, 50))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"events_1": [21, 3]}, DataError, "events_1 is more than n_1"),
        ({"events_1": [-1, 3]}, DataError, "events_1 is negative"),
        ({"events_1": [0.5, 3]}, DataError, "no whole number"),
        ({"n_2": [0, 50]}, DataError, "n_2 is not above 0"),
        ({"n_1": ["x", "y"]}, ColumnError, "takes numbers"),
        ({"events_2": [np.nan, np.nan]}, ColumnError, "holds no values"),
        ({"events_2": [np.nan, 1], "n_1": [20, np.nan]}, DataError, "No study has all"),
    ],
)
def test_bad_counts_are_refused(change: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        rare_events(GOOD.assign(**change), measure="OR")


def test_bad_options_and_columns_are_refused() -> None:
    with pytest.raises(OptionError, match="'OR', 'RR', 'RD'"):
        rare_events(GOOD, measure="HR")
    with pytest.raises(OptionError, match="Write 0"):
        rare_events(GOOD, measure="OR", conf_level=95)
    with pytest.raises(ColumnError, match="Did you mean"):
        rare_events(GOOD.rename(columns={"n_1": "n1"}), measure="OR")
    with pytest.raises(DataError, match="no rows"):
        rare_events(GOOD.iloc[:0], measure="OR")
    with pytest.raises(OptionError, match="method="):
        found("double_zero_mh_peto").method("median")


def test_a_study_with_a_missing_count_is_left_out_and_said() -> None:
    rows = pd.concat([GOOD, studies((2, 30, 5, 31)).assign(n_1=np.nan)], ignore_index=True)
    result = rare_events(rows, measure="RR")
    assert len(result.studies) == 2
    assert any("left out (1 of 3 studies)" in note for note in result.notes)
    pd.testing.assert_frame_equal(
        result.to_frame(), rare_events(GOOD, measure="RR").to_frame(), check_dtype=False
    )


def test_glance_counts_studies_and_methods() -> None:
    row = found("double_zero_mh_peto").glance().iloc[0]
    assert (row["k"], row["k_without_events"], row["events_1"], row["n_2"]) == (8, 2, 7, 466)
    assert row["methods"] == len(methods_for("OR"))
    assert row["estimate_lowest"] < row["estimate_highest"] < 1.0


@pytest.mark.slow
def test_the_example_shows_what_it_shows() -> None:
    assert doctest.testmod(rare_module).failed == 0
