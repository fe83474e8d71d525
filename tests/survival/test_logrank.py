from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import (
    ColumnError,
    DataError,
    DataNotKeptError,
    FormulaError,
    OptionError,
    RnetError,
)
from rnetstats.kernels.ranks import logrank_table
from rnetstats.kernels.risksets import prepare
from rnetstats.survival.logrank import LogrankResult
from rnetstats.survival.logrank_unequal import _add_tables, _counts, _imputed, _stratum
from support import assert_close, case, case_ids, golden, numbers, read

TABLES = [c["id"] for c in golden("logrank") if "groups" in c["values"]]
PERMUTED = [name for name in case_ids("logrank") if name not in TABLES]
RHO = {"aml_rho1": 1.0, "lung_sex_rho_half": 0.5}


def formula_of(spec):
    text = f"Surv({spec['time']}, {spec['event']}) ~ {spec['group']}"
    if "strata" in spec:
        text += f" + strata({spec['strata'].replace(' x ', ', ')})".replace("ph.ecog", "`ph.ecog`")
    return text


def data_of(reference):
    spec, data = reference.get("spec", {}), read(reference["data"])
    if spec.get("group") == "edema":
        data["edema"] = data["edema"].astype(str)
    return data


@pytest.mark.parametrize("name", TABLES)
def test_tables_and_tests_are_those_of_r(name):
    reference = case("logrank", name)
    values = reference["values"]
    result = rn.logrank(data_of(reference), formula_of(reference["spec"]), rho=RHO.get(name, 0.0))
    frame, glance = result.to_frame(), result.glance().iloc[0]
    # groups stand in the order of the formula language, which sorts numbers as numbers
    assert [g.partition("=")[2] for g in values["groups"]] == [
        str(g).removesuffix(".0") for g in frame["group"]
    ]
    assert_close(frame["n"], values["n"])
    assert_close(frame["observed"], values["observed"])
    assert_close(frame["expected"], values["expected"])
    assert_close(result.variance, values["variance"])
    assert_close(glance["statistic"], values["chi2"])
    assert glance["df"] == values["df"]
    assert_close(glance["p_value"], values["p"], floor=0.0)
    if "trend" in values:
        trend = result.trend(values["trend"]["scores"]).iloc[0]
        assert_close(trend[["statistic", "df"]], [values["trend"]["chi2"], values["trend"]["df"]])
        assert_close(trend["p_value"], values["trend"]["p"], floor=0.0)
    if "pairwise" in values:
        want = values["pairwise"]
        for adjust, field in {
            "holm": "p_holm",
            "bonferroni": "p_bonferroni",
            "BH": "p_bh",
            "none": "p",
        }.items():
            pairs = result.pairwise(adjust)
            assert pairs["group_1"].tolist() == want["group_1"]
            assert pairs["group_2"].tolist() == want["group_2"]
            assert_close(pairs["statistic"], want["chi2"])
            assert_close(pairs["p_value"], want["p"])
            assert_close(pairs["p_adjusted"], want[field])
    if "hr_pike_group2_vs_group1" in values:
        o, e = frame["observed"], frame["expected"]
        assert_close((o[1] / e[1]) / (o[0] / e[0]), values["hr_pike_group2_vs_group1"])
        peto = np.exp((o[1] - e[1]) / result.variance[1, 1])
        assert_close(peto, values["hr_peto_group2_vs_group1"])


def permuted(name):
    reference = case("logrank", name)
    data = read(reference["data"])
    if name == "ovarian_16_enumerated":
        return data.head(16), "Surv(futime, fustat) ~ rx", reference["values"]
    if name == "toy_enumerated":
        return data, "Surv(time, status) ~ group", reference["values"]
    if name == "rnet_b_esd_mc":
        data = data.assign(esd=(data["method"] == "ESD").astype(int))
        return data, "Surv(dfs_months, recurrence) ~ esd", reference["values"]
    return data, "Surv(dfs_months, recurrence) ~ margin_positive", reference["values"]


@pytest.mark.parametrize("name", PERMUTED)
def test_permutation_is_that_of_the_reference(name):
    data, formula, values = permuted(name)
    plain = rn.logrank(data, formula).glance().iloc[0]
    assert_close(plain["statistic"], values["survdiff_chi2"])
    assert_close(plain["p_value"], values["survdiff_p"])
    result = rn.logrank(data, formula, method="permutation", resamples=20_000, seed=7)
    glance, frame = result.glance().iloc[0], result.to_frame()
    u = (frame["observed"] - frame["expected"])[1]
    assert_close(u, values["u_observed"])
    assert_close(u, values["survdiff_o_minus_e_group2"])
    assert_close(glance["statistic"], u**2 / values["permutation_variance_u"])
    assert glance["n"] == values["n"]
    assert frame["n"][1] == values["m_group_2"]
    assert glance["n_events"] == values["events"]
    from scipy.stats import norm

    assert_close(2 * norm.sf(np.sqrt(glance["statistic"])), values["p_permutation_normal_approx"])
    if "p_exact_abs_u" in values:
        want, error = values["p_exact_abs_u"], 0.0
    else:
        want, error = (values["p_mc_abs_u_plus_one"][k] for k in ("value", "mc_se"))
    assert abs(glance["p_value"] - want) < 3 * np.hypot(error, glance["p_value_mcse"])


@pytest.mark.parametrize("name", PERMUTED)
def test_exact_is_that_of_the_reference(name):
    data, formula, values = permuted(name)
    result = rn.logrank(data, formula, method="exact")
    if "p_exact_abs_u" in values:
        assert result.p_value_slack == 0.0
        assert_close(result.p_value, values["p_exact_abs_u"])
    else:
        want = values["p_mc_abs_u"]
        assert abs(result.p_value - want["value"]) < 3 * want["mc_se"] + result.p_value_slack
        assert result.p_value_slack <= 0.01 * result.p_value
        assert any("between" in note for note in result.notes)


def test_all_reference_cases_are_covered():
    assert len(TABLES) + len(PERMUTED) == 14
    assert len(PERMUTED) == 4


def test_two_by_two_worked_by_hand():
    # a: event at 1, censored at 3; b: events at 2 and 4
    data = {"t": [1, 3, 2, 4], "e": [1, 0, 1, 1], "g": ["a", "a", "b", "b"]}
    result = rn.logrank(data, "Surv(t, e) ~ g")
    # at risk 4 (2 in a), 3 (1 in a), 1 (0 in a)
    assert_close(result.to_frame()["expected"], [2 / 4 + 1 / 3, 2 / 4 + 2 / 3 + 1])
    assert_close(result.variance[0, 0], 1 / 4 + 2 / 9)
    assert_close(result.statistic, (1 - 5 / 6) ** 2 / (1 / 4 + 2 / 9))


def test_permutations_name_the_comparison_of_censoring():
    data = read("rnet_like_a.csv")
    formula = "Surv(dfs_months, recurrence) ~ margin_positive"
    result = rn.logrank(data, formula, method="permutation", resamples=200, seed=1)
    censored = rn.logrank(
        data.assign(c=1 - data["recurrence"]), "Surv(dfs_months, c) ~ margin_positive"
    )
    assert_close(result.censoring_p_value, censored.p_value)
    assert any("P = 0.014" in note and "unequal" in note for note in result.notes)
    assert result.seed == 1
    other = rn.logrank(data, formula, method="permutation-unequal", resamples=50, seed=1)
    assert any("keeps its own follow-up" in note and "P = 0.014" in note for note in other.notes)
    assert result.glance()["p_value_mcse"].item() > 0


def test_same_seed_same_p_and_a_longer_run_begins_with_the_shorter():
    data, formula, _ = permuted("rnet_b_esd_mc")
    for method in ("permutation", "permutation-unequal"):
        counts = []
        for draws in (100, 300):
            p = rn.logrank(data, formula, method=method, resamples=draws, seed=3).p_value
            assert p == rn.logrank(data, formula, method=method, resamples=draws, seed=3).p_value
            counts.append(round(p * (draws + 1) - 1))
        assert counts[0] <= counts[1]


def test_as_many_events_as_expected_give_a_p_of_one():
    # the scores of one group sum to 0, the smallest statistic there is; in floating point the
    # sums of other relabellings may be smaller, which are 0 as well
    data = {"t": [5, 6, 5, 3, 5], "e": [1, 1, 0, 1, 0], "g": list("abbba")}
    p_values = [
        rn.logrank(data, "Surv(t, e) ~ g", method=method, rho=1, seed=1, resamples=300).p_value
        for method in ("exact", "permutation", "permutation-unequal")
    ]
    assert p_values == [1.0, 1.0, 1.0]


def test_weights_that_are_very_small_leave_p_as_it_is():
    # the second event has the weight 0.01 ** 8, the first none: as large a statistic or larger is
    # reached where the second event falls into b, which has 40 of the 100 patients
    data = {
        "t": [1, 2] + 98 * [3],
        "e": [1, 1] + 98 * [0],
        "g": list("ab") + list(59 * "a" + 39 * "b"),
    }
    found = {
        method: rn.logrank(data, "Surv(t, e) ~ g", gamma=8, method=method, seed=3, resamples=2000)
        for method in ("exact", "permutation", "permutation-unequal")
    }
    assert_close(found["exact"].p_value, 0.4)
    for method in ("permutation", "permutation-unequal"):
        assert abs(found[method].p_value - 0.4) < 3 * found[method].p_value_mcse


def test_exact_p_of_late_weights_is_that_of_many_permutations():
    cohort = rn.load_cohort("duan2024")
    formula = "Surv(dfs_months, recurrence) ~ margin_positive"
    exact = rn.logrank(cohort, formula, gamma=5, method="exact")
    drawn = rn.logrank(cohort, formula, gamma=5, method="permutation", seed=1, resamples=20_000)
    assert abs(exact.p_value - drawn.p_value) < 3 * drawn.p_value_mcse


@pytest.mark.parametrize(("sizes", "resamples"), [((60, 140), 4000), ((60, 60, 80), 1000)])
def test_unequal_follow_up_is_close_to_the_label_permutation_when_it_is_equal(sizes, resamples):
    # everybody is followed for 60 months: there is nothing to impute but late survival times
    rng = np.random.default_rng(5)
    time = rng.exponential(300.0, 200)
    group = np.repeat(["a", "b", "c"][: len(sizes)], sizes)
    data = {"t": np.minimum(time, 60.0), "e": time <= 60, "g": group}
    p = {
        method: rn.logrank(data, "Surv(t, e) ~ g", method=method, resamples=resamples, seed=2)
        for method in ("permutation", "permutation-unequal")
    }
    gap = abs(p["permutation"].p_value - p["permutation-unequal"].p_value)
    assert gap < 3 * np.hypot(*(r.p_value_mcse for r in p.values())) + 0.01


@pytest.mark.parametrize("powers", [(0.0, 0.0), (1.0, 0.0), (0.5, 1.0)])
def test_sums_of_counted_times_are_those_of_the_test(powers):
    rng = np.random.default_rng(3)
    stop, event = rng.integers(1, 8, 30).astype(float), rng.random(30) < 0.6
    group = np.repeat([0, 1, 2], 10)
    part = _stratum(stop, event, group, 3)
    survival = np.where(event, part.reached - 1, len(part.grid))[None]
    events, at_risk = _counts(survival, part.reached[None], group, 3, len(part.grid))
    difference, variance = np.zeros((1, 3)), np.zeros((1, 3, 3))
    _add_tables(events, at_risk, powers, difference, variance)
    wanted = logrank_table(
        prepare(None, stop, event), group, n_groups=3, rho=powers[0], gamma=powers[1]
    )
    assert_close(difference[0], wanted.observed - wanted.expected, floor=1e-12)
    assert_close(variance[0], wanted.variance, floor=1e-12)


def test_times_not_observed_are_drawn_from_the_curves_beyond():
    # events at 1, 2.5 and 4, censorings at 2 and 3: G = 3/4 after 2 and 3/8 after 3
    stop, event = np.array([1.0, 2.0, 2.5, 3.0, 4.0]), np.array([True, False, True, False, True])
    part = _stratum(stop, event, np.zeros(5, int), 1)
    survival, follow_up = _imputed(np.random.default_rng(2), part, 4000)
    assert_close(survival[:, event], np.tile([0.0, 1.0, 2.0], (4000, 1)))
    assert_close(follow_up[:, ~event], np.tile([1.0, 2.0], (4000, 1)))
    # of the follow-up: event times that it reaches; 3 has no end
    for row, shares in ((0, (1 / 4, 3 / 8, 3 / 8)), (2, (0.0, 1 / 2, 1 / 2)), (4, (0, 0, 1.0))):
        found = [np.mean(follow_up[:, row] == places) for places in (1, 2, 3)]
        np.testing.assert_allclose(found, shares, atol=0.03)
    # S = 4/5, 8/15 and 0 after the events: one censored at 2 has its own at 2.5 or 4
    found = [np.mean(survival[:, 1] == place) for place in (1, 2)]
    np.testing.assert_allclose(found, [1 / 3, 2 / 3], atol=0.03)
    assert (survival[:, 3] == 2).all()


@pytest.mark.slow
def test_unequal_follow_up_keeps_its_level_where_label_permutation_does_not():
    # no effect, but group b (a tenth) is followed three times as long
    rng = np.random.default_rng(11)
    rejected = {"permutation": 0, "permutation-unequal": 0}
    trials = 120
    for _ in range(trials):
        group = np.repeat(["a", "b"], [90, 10])
        limit = np.where(group == "a", 20.0, 60.0) * rng.random(100)
        time = rng.exponential(40.0, 100)
        data = {"t": np.minimum(time, limit), "e": time <= limit, "g": group}
        for method in rejected:
            result = rn.logrank(data, "Surv(t, e) ~ g", method=method, resamples=99, seed=1)
            rejected[method] += result.p_value <= 0.05
    error = np.sqrt(0.05 * 0.95 / trials)
    assert rejected["permutation-unequal"] / trials < 0.05 + 3 * error


@pytest.mark.parametrize("method", ["asymptotic", "permutation", "permutation-unequal", "exact"])
def test_no_event_gives_a_missing_p_with_a_note(method):
    data = {"t": [1, 2, 3, 4], "e": [0, 0, 0, 0], "g": list("aabb")}
    result = rn.logrank(
        data, "Surv(t, e) ~ g", method=method, seed=None if method in ("asymptotic", "exact") else 1
    )
    assert np.isnan(result.p_value)
    assert any("No event" in note for note in result.notes)
    assert result.to_frame()["expected"].tolist() == [0.0, 0.0]
    assert "nan" not in result.display().to_string()


def test_events_without_comparison_give_a_missing_p():
    data = {"t": [1, 2, 9, 10], "e": [0, 0, 1, 1], "g": list("aabb")}
    result = rn.logrank(data, "Surv(t, e) ~ g")
    assert np.isnan(result.p_value)
    assert any("two groups were at risk" in note for note in result.notes)


def test_events_that_take_everybody_at_risk_give_a_missing_p():
    # Both groups at risk at both events, but nobody is left: the variance is 0, whatever rounding.
    data = {"s": [0, 0, 0, 5, 5], "t": [4, 4, 4, 7, 7], "e": [1] * 5, "g": list("aabab")}
    result = rn.logrank(data, "Surv(s, t, e) ~ g")
    assert np.isnan(result.p_value)
    assert np.isnan(result.trend()["p_value"].iloc[0])
    assert any("somebody left after it" in note for note in result.notes)


def test_trend_over_groups_that_are_compared_with_equal_scores_only_is_missing():
    data = {"s": [0, 0, 0, 6, 6, 6], "t": [1, 2, 3, 7, 8, 9], "e": [1] * 6, "g": list("abaccc")}
    result = rn.logrank(data, "Surv(s, t, e) ~ g")
    assert result.df == 1
    assert "df = 1 instead of 2" in result.notes[-1]
    assert "(c: with no other group at all)" in result.notes[-1]
    assert np.isnan(result.trend([1, 1, 3])["statistic"].iloc[0])
    assert np.isfinite(result.trend([1, 2, 3])["statistic"].iloc[0])


@pytest.mark.parametrize(
    ("formula", "options", "error", "words"),
    [
        ("Surv(t, e) ~ 1", {}, DataError, "two groups"),
        ("Surv(t, e) ~ same", {}, ColumnError, "same"),
        ("Surv(t, e) ~ g + cluster(id)", {}, FormulaError, "cluster"),
        ("Surv(t, e) ~ g", {"method": "exakt"}, OptionError, "exact"),
        ("Surv(t, e) ~ k", {"method": "exact"}, OptionError, "two groups"),
        ("Surv(s, t, e) ~ g", {"method": "permutation"}, OptionError, "late entry"),
        ("Surv(t, e) ~ g", {"resamples": 0}, OptionError, "resamples"),
        ("Surv(t, e) ~ g", {"rho": np.inf}, OptionError, "rho"),
        ("Surv(t, e) ~ g", {"method": "permutation", "seed": -1}, OptionError, "seed"),
        ("Surv(t, e) ~ size", {}, ColumnError, "I\\(size"),
    ],
)
def test_what_cannot_be_tested(formula, options, error, words):
    data = {
        "s": [0, 0, 0, 0, 1, 1],
        "t": [1, 2, 3, 4, 5, 6],
        "e": [1, 1, 0, 1, 0, 1],
        "g": list("aaabbb"),
        "k": list("aabbcc"),
        "same": list("xxxxxx"),
        "size": [1.5, 2, 3, 4, 5, 6],
        "id": [1, 1, 2, 2, 3, 3],
    }
    with pytest.raises(error, match=words):
        rn.logrank(data, formula, **options)


def test_trend_scores_are_checked():
    result = rn.logrank(read("veteran.csv"), "Surv(time, status) ~ celltype")
    assert_close(result.trend()["statistic"], result.trend([5, 7, 9, 11])["statistic"].to_numpy())
    for scores in ([1, 2], [1, 1, 1, 1], [1, 2, 3, np.nan]):
        with pytest.raises(OptionError, match="scores"):
            result.trend(scores)


def test_json_keeps_the_test_but_no_rows():
    result = rn.logrank(read("veteran.csv"), "Surv(time, status) ~ celltype")
    again = LogrankResult.from_dict(json.loads(json.dumps(result.to_dict(), allow_nan=False)))
    assert_close(again.variance, result.variance)
    assert_close(again.trend()["p_value"], result.trend()["p_value"].to_numpy())
    with pytest.raises(DataNotKeptError):
        again.pairwise()
    with pytest.raises(RnetError, match="adjust"):
        result.pairwise("sidak")


def test_a_pair_without_events_counts_among_the_pairs():
    data = {
        "t": [1, 2, 3, 4, 5, 5, 5, 5, 5],
        "e": [1, 1, 1, 1, 0, 0, 0, 0, 0],
        "g": list("aaaabbbcc"),
    }
    pairs = rn.logrank(data, "Surv(t, e) ~ g").pairwise()
    assert np.isnan(pairs[["statistic", "p_value", "p_adjusted"]].iloc[2]).all()
    first, second = np.sort(pairs["p_value"].to_numpy()[:2])
    assert_close(
        np.sort(pairs["p_adjusted"].to_numpy()[:2]), [3 * first, max(3 * first, 2 * second)]
    )


people = st.lists(
    st.tuples(st.integers(0, 15), st.booleans(), st.sampled_from("ab")), min_size=4, max_size=40
).filter(lambda rows: len({g for _, _, g in rows}) == 2)


@pytest.mark.slow
@given(people, st.floats(0.1, 50.0), st.integers(1, 3), st.sampled_from([0.0, 0.5, 1.0]))
def test_symmetry_scale_and_replication(rows, scale, copies, rho):
    data = pd.DataFrame(rows, columns=["t", "e", "g"])
    formula = "Surv(t, e) ~ g"
    one = rn.logrank(data, formula, rho=rho)
    turned = data.assign(t=data["t"] * scale, g=data["g"].map({"a": "y", "b": "x"})).iloc[::-1]
    two = rn.logrank(turned, formula, rho=rho)
    assert_close(two.p_value, one.p_value)
    assert_close(two.to_frame()["expected"][::-1], one.to_frame()["expected"].to_numpy())
    difference = one.to_frame()["observed"] - one.to_frame()["expected"]
    assert abs(difference.sum()) < 1e-9
    weighted = rn.logrank(data, formula, rho=rho, freq_weights=np.full(len(data), copies))
    repeated = rn.logrank(pd.concat([data] * copies, ignore_index=True), formula, rho=rho)
    assert_close(weighted.p_value, repeated.p_value)
    assert numbers(weighted.variance) == pytest.approx(repeated.variance)
