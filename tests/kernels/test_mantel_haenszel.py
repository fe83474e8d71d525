from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rare_cases import table_case, tables_of
from rnetstats._core.distributions import chi_square_p, normal_quantile, two_sided_p
from rnetstats.kernels.mantel_haenszel import (
    TablePooled,
    Tables,
    mantel_haenszel,
    peto,
)
from rnetstats.kernels.table_tests import cochran_mantel_haenszel, homogeneity_tests
from rnetstats.tables.exact_table import exact_table
from support import assert_close

CASES = ("bcg_mh_peto", "nielweise_mh_peto", "yusuf_mh_peto", "double_zero_mh_peto")
MEASURES = ("OR", "RR", "RD")


def check(found: TablePooled, expected: dict[str, Any]) -> None:
    reach = normal_quantile(0.95) * found.std_error
    z = found.coef / found.std_error
    actual = {
        "estimate": found.coef,
        "se": found.std_error,
        "ci_lower": found.coef - reach,
        "ci_upper": found.coef + reach,
        "z": z,
        "p": two_sided_p(z),
    }
    for name, value in actual.items():
        if name in expected:
            assert_close(value, expected[name], rel=1e-8, floor=1e-40)


def zero_cell(t: Tables) -> np.ndarray:
    return np.any([x == 0 for x in (t.a, t.b, t.c, t.d)], axis=0)


def corrected(t: Tables, half: np.ndarray) -> Tables:
    return Tables.of(t.a + half, t.n1 + 2 * half, t.c + half, t.n2 + 2 * half)


def q_of(t: Tables, measure: str, centre: np.ndarray) -> float:
    """Cochran's Q of the reference: 0.5 in tables with a zero; OR and RR without double zeros."""
    if measure != "RD":
        events = t.a + t.c
        some = (events > 0) & (events < t.n)
        t = Tables(t.a[some], t.n1[some], t.c[some], t.n2[some])
    t = corrected(t, 0.5 * zero_cell(t))
    p, q = t.a / t.n1, t.c / t.n2
    y, v = {
        "OR": (np.log(t.a * t.d / (t.b * t.c)), 1 / t.a + 1 / t.b + 1 / t.c + 1 / t.d),
        "RR": (np.log(p / q), (1 - p) / t.a + (1 - q) / t.c),
        "RD": (p - q, p * (1 - p) / t.n1 + q * (1 - q) / t.n2),
    }[measure]
    return float(((y - centre) ** 2 / v).sum())


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("measure", MEASURES)
def test_pooled_without_correction_as_reference(name: str, measure: str) -> None:
    values, t = table_case(name)
    expected = values[f"mh_{measure}_no_correction"]
    found = mantel_haenszel(t, measure)
    check(found, expected)
    assert_close(q_of(t, measure, found.coef), expected["Q"])
    some = (t.a + t.c > 0) & (t.a + t.c < t.n) if measure != "RD" else np.ones(len(t.a), bool)
    assert expected["Q_df"] == some.sum() - 1


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("measure", MEASURES)
def test_half_in_zero_cells_as_reference(name: str, measure: str) -> None:
    values, t = table_case(name)
    expected = values[f"mh_{measure}_meta_default_half_in_zero_studies"]
    half = 0.5 * zero_cell(t)
    if measure != "RD":
        half = np.where(t.a + t.c == 0, 0.0, half)
    filled = corrected(t, half)
    found = mantel_haenszel(filled, measure, variance="greenland-robins")
    if measure == "RD":  # there the differences are raw, only their weights are of the filled cells
        w = filled.n1 * filled.n2 / filled.n
        raw = np.asarray((w * (t.a / t.n1 - t.c / t.n2)).sum() / w.sum())
        found = TablePooled(raw, found.std_error, w)
    check(found, expected)


@pytest.mark.parametrize("name", CASES)
def test_tests_of_odds_ratios_as_reference(name: str) -> None:
    values, t = table_case(name)
    expected = values["mh_OR_no_correction"]
    for continuity, key in ((True, "cmh_with_continuity"), (False, "cmh_without_continuity")):
        chi2 = cochran_mantel_haenszel(t, continuity=continuity)
        assert_close(chi2, expected[key]["chi2"])
        assert_close(chi_square_p(chi2, 1), expected[key]["p"], floor=1e-40)
    found = homogeneity_tests(t, mantel_haenszel(t, "OR").coef)
    for statistic, key in ((found.breslow_day, "breslow_day"), (found.tarone, "tarone")):
        assert_close(statistic, expected[key]["chi2"])
        assert found.df == expected[key]["df"]
        assert_close(chi_square_p(statistic, found.df), expected[key]["p"], floor=1e-40)


@pytest.mark.parametrize("name", CASES)
def test_peto_as_reference(name: str) -> None:
    values, t = table_case(name)
    assert values["k"] == len(t.a)
    expected = values["peto_log_or"]
    found = peto(t)
    check(found, expected)
    v = found.weights
    some = v > 0
    own = (t.a - t.n1 * (t.a + t.c) / t.n)[some] / v[some]
    assert_close((v[some] * (own - found.coef) ** 2).sum(), expected["Q"])
    assert expected["Q_df"] == some.sum() - 1


@pytest.mark.parametrize("name", CASES)
def test_crude_table_as_reference(name: str) -> None:
    values, t = table_case(name)
    expected = values["crude"]
    a, n1, c, n2 = (int(x.sum()) for x in (t.a, t.n1, t.c, t.n2))
    assert (a, n1, c, n2) == tuple(expected[k] for k in ("events_1", "n_1", "events_2", "n_2"))
    assert_close(np.log(a * (n2 - c) / (c * (n1 - a))), expected["log_or"])
    e = n1 * (a + c) / (n1 + n2)
    v = n1 * n2 * (a + c) * (n1 + n2 - a - c) / (n1 + n2) ** 3
    for kind, chi2 in (
        ("corrected", (abs(a - e) - min(0.5, abs(a - e))) ** 2 / v),
        ("uncorrected", (a - e) ** 2 / v),
    ):
        assert_close(chi2, expected[f"prop_test_{kind}_chi2"])
        assert_close(chi_square_p(chi2, 1), expected[f"prop_test_{kind}_p"], floor=1e-40)
    p = exact_table([[a, n1 - a], [c, n2 - c]]).method("minlike", "odds ratio")["p_value"]
    assert_close(p, expected["fisher_p"], rel=1e-6, floor=1e-40)


def test_one_study_by_hand() -> None:
    # 8 of 20 against 2 of 25: odds ratio (8 * 23) / (12 * 2) = 184/24, risk ratio 0.4/0.08 = 5
    t = Tables.of([8], [20], [2], [25])
    assert_close(mantel_haenszel(t, "OR").coef, np.log(184 / 24))
    assert_close(mantel_haenszel(t, "OR").std_error ** 2, 1 / 8 + 1 / 12 + 1 / 2 + 1 / 23)
    assert_close(mantel_haenszel(t, "RR").coef, np.log(5.0))
    assert_close(mantel_haenszel(t, "RR").std_error ** 2, 1 / 8 - 1 / 20 + 1 / 2 - 1 / 25)
    assert_close(mantel_haenszel(t, "RD").coef, 0.32)
    # Peto: O - E = 8 - 20 * 10/45 = 32/9; V = 20 * 25 * 10 * 35 / (45^2 * 44)
    assert_close(peto(t).coef, (32 / 9) / (20 * 25 * 10 * 35 / (45**2 * 44)))


@given(st.lists(st.tuples(*[st.integers(0, 12)] * 4), min_size=1, max_size=6), st.randoms())
def test_order_and_arms(counts: list[tuple[int, int, int, int]], random: Any) -> None:
    t = tables_of(counts)
    shuffled = list(counts)
    random.shuffle(shuffled)
    again = tables_of(shuffled)
    swapped = Tables(t.c, t.n2, t.a, t.n1)
    for found in (lambda x: mantel_haenszel(x, "OR"), lambda x: mantel_haenszel(x, "RD"), peto):
        one, other, turned = found(t), found(again), found(swapped)
        assert_close(other.coef, one.coef, floor=1e-9)
        assert_close(turned.coef, -one.coef, floor=1e-9)
        assert_close(turned.std_error, one.std_error, floor=1e-9)


@given(st.lists(st.tuples(*[st.integers(0, 12)] * 4), min_size=1, max_size=6))
def test_studies_without_events_say_nothing_about_ratios(
    counts: list[tuple[int, int, int, int]],
) -> None:
    t, more = tables_of(counts), tables_of([*counts, (0, 7, 0, 5)])
    for measure in ("OR", "RR"):
        one, two = mantel_haenszel(t, measure), mantel_haenszel(more, measure)
        assert_close(two.coef, one.coef)
        assert_close(two.std_error, one.std_error)
    assert abs(mantel_haenszel(more, "RD").coef) <= abs(mantel_haenszel(t, "RD").coef) + 1e-12


def test_an_arm_without_events_has_an_infinite_ratio_and_no_error() -> None:
    t = Tables.of([0, 0], [20, 30], [2, 3], [25, 30])
    for measure in ("OR", "RR"):
        found = mantel_haenszel(t, measure)
        assert found.coef == -np.inf
        assert np.isnan(found.std_error)
    assert np.isnan(homogeneity_tests(t, -np.inf).tarone)
    nothing = Tables.of([0], [20], [0], [30])
    assert np.isnan(mantel_haenszel(nothing, "OR").coef)
    assert np.isnan(peto(nothing).coef)
    assert np.isnan(cochran_mantel_haenszel(nothing))


def test_sets_of_studies_are_pooled_at_once() -> None:
    _, t = table_case("nielweise_mh_peto")
    stacked = Tables.of(*(np.stack([x, x[::-1]]) for x in (t.a, t.n1, t.c, t.n2)))
    for measure in MEASURES:
        one, both = mantel_haenszel(t, measure), mantel_haenszel(stacked, measure)
        assert_close(both.coef, [one.coef] * 2)
        assert_close(both.std_error, [one.std_error] * 2)
    assert homogeneity_tests(stacked, peto(stacked).coef).df.shape == (2,)


def test_expected_counts_have_the_odds_ratio_where_events_are_many() -> None:
    # 12 events of 15: the linear term of the quadratic is negative at an odds ratio of 0.1
    t = Tables.of([8], [10], [4], [5])
    expected = (0.01**0.5, 0.1, 1.0, 7.0)
    for ratio in expected:
        statistic = homogeneity_tests(t, np.log(ratio)).breslow_day
        grid = np.linspace(7.0 + 1e-9, 10 - 1e-9, 400_001)
        odds = grid * (5 - (12 - grid)) / ((10 - grid) * (12 - grid))
        at = grid[np.argmin(np.abs(odds - ratio))]
        v = 1 / (1 / at + 1 / (10 - at) + 1 / (12 - at) + 1 / (at - 7))
        assert_close(statistic, (8 - at) ** 2 / v, rel=2e-3)


def test_an_unknown_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="OR, RR or RD"):
        mantel_haenszel(Tables.of([1], [2], [1], [2]), "HR")
