from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from competing_cases import cases_with, prepared, random_rows
from rnetstats.errors import DataError, FormulaError, OptionError
from support import assert_close, case, read

CASES = cases_with("gray_test")
STRATA = {"rnet_b_margin_stratified": "grade"}


@pytest.mark.parametrize("name", CASES)
def test_reference_statistics(name):
    reference = case("competing", name)
    spec = reference["spec"]
    formula = f"Surv({spec['time']}, {spec['status']}) ~ {spec['group']}"
    if name in STRATA:
        formula += f" + strata({STRATA[name]})"
    found = rn.gray_test(prepared(reference), formula)
    for cause, want in reference["values"]["gray_test"].items():
        row = found.to_frame().query(f"cause == {cause!r}").iloc[0]
        assert_close(row["statistic"], want["statistic"])
        assert_close(row["p_value"], want["p"])
        assert row["df"] == want["df"]
    events = found.by_group().groupby("cause")["n_events"].sum()
    assert {f"cause_{c}": n for c, n in events.items()} == reference["values"]["n_events"]


def test_a_table_worked_by_hand():
    # one competing event in group a at 1, then one event of the cause in a at 2:
    # a's risk set of the subdistribution keeps the dead: 3 in a and 4 in b at 2
    data = {"t": [1, 2, 5, 5, 5, 5, 5], "code": [2, 1, 0, 0, 0, 0, 0], "g": list("aaabbbb")}
    found = rn.gray_test(data, "Surv(t, code) ~ g", cause=1)
    assert_close(found.by_group()["expected"], [3 / 7, 4 / 7])
    # 3/7 * 4/7 from the event; the competing event changed a's risk set by 4/7 * 3/7 of 3, / 3,
    # divided by its survival of 2/3
    moved = (4 / 7) * (3 / 7) / 3 / (2 / 3)
    variance = (3 / 7) * (4 / 7) + moved**2
    assert_close(found.variances["1"][0, 0], variance)
    assert_close(found.to_frame()["statistic"], [(1 - 3 / 7) ** 2 / variance])


@pytest.mark.slow
@given(st.integers(0, 10_000), st.integers(2, 4), st.sampled_from([0.0, 0.5, 1.0]))
def test_weights_are_replicated_rows_in_any_order_and_unit_of_time(seed, groups, rho):
    data = random_rows(seed, 40, groups=groups)
    formula = "Surv(t, code) ~ g + strata(s)"
    weighted = rn.gray_test(data, formula, freq_weights="w", rho=rho)
    copies = data.loc[data.index.repeat(data["w"])].sample(frac=1.0, random_state=seed)
    again = rn.gray_test(copies.assign(t=copies["t"] * 365.25), formula, rho=rho)
    assert_close(weighted.to_frame()["statistic"], again.to_frame()["statistic"], rel=1e-7)
    numbers = ["n", "n_events", "observed", "expected"]
    assert_close(weighted.by_group()[numbers], again.by_group()[numbers].to_numpy())


@given(st.integers(0, 10_000))
def test_observed_less_expected_events_add_up_to_zero(seed):
    found = rn.gray_test(random_rows(seed, 50, groups=3), "Surv(t, code) ~ g")
    table = found.by_group().groupby("cause")[["observed", "expected"]].sum()
    assert_close(table["observed"], table["expected"])
    for variance in found.variances.values():
        assert_close(variance, variance.T)
        assert np.linalg.eigvalsh(variance).min() > -1e-9


def test_without_competing_events_the_numbers_are_those_of_the_log_rank_test():
    data = read("rnet_like_a.csv")
    data["dfs_event"] = (data["event_type"] > 0).astype(int)
    formula = "Surv(dfs_months, dfs_event) ~ margin_positive"
    gray, logrank = rn.gray_test(data, formula), rn.logrank(data, formula)
    for name in ("observed", "expected"):
        assert_close(gray.by_group()[name], logrank.to_frame()[name])
    # the variance is another estimator of the same quantity
    assert gray.to_frame()["statistic"].item() == pytest.approx(logrank.statistic, rel=0.03)
    assert gray.to_frame()["statistic"].item() != pytest.approx(logrank.statistic, rel=1e-6)


@pytest.mark.slow
def test_the_level_holds_where_competing_hazards_differ():
    rng = np.random.default_rng(5)
    p_values = []
    for _ in range(400):
        group = np.arange(120) % 2
        first = rng.exponential(1.0, 120)
        death = rng.exponential(1.5, 120) / np.where(group == 1, 2.0, 1.0)
        # the incidence of cause 1 is the same in both groups by construction: it is drawn first
        own = rng.random(120) < 0.4
        end = rng.uniform(0.2, 3.0, 120)
        time = np.minimum(np.where(own, first, death), end)
        code = np.where(time == end, 0, np.where(own, 1, 2))
        data = {"t": time, "code": code, "g": group}
        p_values.append(rn.gray_test(data, "Surv(t, code) ~ g", cause=1).tests["p_value"].item())
    rejected = np.mean(np.array(p_values) < 0.05)
    assert abs(rejected - 0.05) < 3.0 * np.sqrt(0.05 * 0.95 / 400)


def test_few_or_no_events_are_told():
    data = read("rnet_like_b.csv")
    found = rn.gray_test(data, "Surv(dfs_months, event_type) ~ method")
    assert any("fewer than 5 events in a group (ESD 0" in note for note in found.notes)
    alone = {"t": [1, 2, 3, 9], "code": [0, 0, 0, 1], "g": list("aaab")}
    found = rn.gray_test(alone, "Surv(t, code) ~ g")
    assert found.to_frame()["p_value"].isna().all()
    assert any("while two groups were at risk" in note for note in found.notes)
    assert "nan" not in found.display().to_string()


@pytest.mark.parametrize(
    ("formula", "options", "error", "message"),
    [
        ("Surv(t, code) ~ 1", {}, DataError, "at least two groups"),
        ("Surv(a, t, code) ~ g", {}, FormulaError, "late entry"),
        ("Surv(t, code) ~ g + cluster(x)", {}, FormulaError, "no cluster"),
        ("Surv(t, code) ~ g", {"cause": 7}, OptionError, "cause=7 is no event"),
        ("Surv(t, code) ~ g", {"rho": "x"}, OptionError, "rho must be a finite number"),
        ("Surv(t, code) ~ x", {}, DataError, "write I"),
    ],
)
def test_what_is_refused(formula, options, error, message):
    data = random_rows(1, 20).assign(a=0.5)
    with pytest.raises(error, match=message):
        rn.gray_test(data, formula, **options)
