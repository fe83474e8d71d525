"""Operating characteristics: answers, summaries, requirements, the page."""

import numpy as np
import pandas as pd
import pytest

from rnetstats.errors import OptionError
from rnetstats.kernels.cox import cox_likelihood, fit_cox
from rnetstats.kernels.profile import profile_limits
from rnetstats.kernels.risksets import prepare
from rnetstats.simulation.analyses import target_values
from rnetstats.simulation.answers import cox_answers, logistic_answers, place
from rnetstats.simulation.latent import draw_latent
from rnetstats.simulation.observed import observed_arrays
from rnetstats.simulation.operating import OperatingCharacteristics, operating_characteristics
from rnetstats.simulation.population import targets_of
from rnetstats.simulation.recipe_file import load_recipe
from rnetstats.simulation.summaries import (
    SUMMARY_COLUMNS,
    estimation_summary,
    inconsistent,
)
from rnetstats.simulation.summaries import (
    test_summary as summary_of_tests,
)
from rnetstats.simulation.validation_page import Setting, page

RECIPE = load_recipe("duan2024")
TARGETS = targets_of(RECIPE)


def test_place_says_where_an_interval_lies():
    assert [place(1, 2, x) for x in (0.5, 1, 1.5, 2, 3)] == [1, 0, 0, 0, -1]
    assert np.isnan(place(np.nan, 2.0, 1.0))
    assert place(-np.inf, 2.0, 1.0) == 0


@pytest.mark.parametrize("seed", range(4))
def test_restricted_fits_agree_with_the_profile_limits(seed):
    arrays = observed_arrays(RECIPE, draw_latent(RECIPE, "as_published", TARGETS, seed, fixed=True))
    X = arrays["margin_positive"][:, None]
    sets = prepare(None, arrays["dfs_months"], arrays["recurrence"])
    for firth, method in ((False, "ML, profile"), (True, "Firth, profile")):
        fit = fit_cox(X, sets, firth=firth)
        if fit.status[0]:
            continue
        found = profile_limits(cox_likelihood(X, sets, firth=firth), fit.coef[0])
        low, high = float(found.lower[0]), float(found.upper[0])
        for target in (low - 1e-3, low + 1e-3, high - 1e-3, high + 1e-3):
            answer = cox_answers(X, sets, [0], [target])[method][0]
            assert answer.of_truth == place(low, high, target)
            assert answer.of_zero == place(low, high, 0.0)


def test_separated_data_have_an_infinite_ml_estimate_and_a_finite_one_by_firth():
    flags = np.repeat([False, True], [40, 20])[:, None]
    y = np.zeros(60, dtype=bool)
    y[45:50] = True
    found = {k: v[0] for k, v in logistic_answers(flags, y, [1.0]).items()}
    assert found["ML, Wald"].estimate == np.inf and np.isnan(found["ML, Wald"].of_truth)
    assert found["ML, profile"].estimate == np.inf and found["ML, profile"].of_zero == 1
    # with an empty cell Firth's estimate is the log odds ratio with 1/2 added to every cell
    expected = np.log(5.5 * 40.5 / (15.5 * 0.5))
    assert found["Firth, profile"].estimate == pytest.approx(expected, rel=1e-8)


def test_summary_by_hand():
    answers = np.array([[1.0, 0, 1], [2.0, 1, 1], [3.0, -1, 0], [np.inf, np.nan, np.nan]])
    found = estimation_summary(answers, 1.5, tested=True)
    assert found["infinite"] == 0.25 and found["no_interval"] == 0.25
    assert found["median_bias"] == pytest.approx(1.0)
    assert np.isnan(found["mean_bias"])
    assert (found["coverage"], found["interval_above"], found["interval_below"]) == (0.25,) * 3
    assert found["rejected"] == 0.5
    assert found["rejected_mcse"] == pytest.approx(0.25)
    tests = summary_of_tests(np.array([0.01, 0.05, 0.2, np.nan]), 0.0)
    assert tests["rejected"] == 0.5 and tests["no_estimate"] == 0.25
    assert set(tests) == set(SUMMARY_COLUMNS)


@pytest.mark.parametrize(
    ("share", "at_least", "expected"),
    [(0.95, False, False), (0.925, False, True), (0.975, False, True), (0.975, True, False)],
)
def test_three_monte_carlo_errors(share, at_least, expected):
    assert inconsistent(share, 0.95, 1000, at_least=at_least) is expected


def test_targets_of_the_null_are_zero_for_every_relative_effect():
    values = target_values(RECIPE, "null", TARGETS)
    assert all(v == 0.0 for (analysis, _), v in values.items() if "Kaplan" not in analysis)


@pytest.mark.parametrize("totals", ["free", "fixed"])
def test_a_run_is_reproducible_and_keeps_the_contract(totals):
    one = operating_characteristics(totals=totals, replicates=3, seed=7)
    two = operating_characteristics(totals=totals, replicates=3, seed=7)
    pd.testing.assert_frame_equal(one.table, two.table)
    curves = one.table["analysis"].str.startswith("Kaplan-Meier")
    assert curves.any() == (totals == "free")
    assert one.glance()["recurrences"].tolist() == [12]
    back = OperatingCharacteristics.from_dict(one.to_dict())
    pd.testing.assert_frame_equal(back.table, one.table)
    assert one.plot().get_xlabel().startswith("Coverage")


def result(size, totals, truth, coverage=0.95, rejected=0.05):
    rows = [
        ("time to recurrence (Cox)", "positive margin", m, coverage, rejected)
        for m in ("ML, Wald", "ML, profile", "Firth, profile")
    ]
    rows.append(
        ("time to recurrence (log-rank)", "positive margin", "permutation", np.nan, rejected)
    )
    if totals == "free":
        rows.append(("Kaplan-Meier at 72 months", "DFS", "bpcp", 0.99, np.nan))
    table = pd.DataFrame(0.0, index=range(len(rows)), columns=list(SUMMARY_COLUMNS))
    table.insert(0, "analysis", [r[0] for r in rows])
    table.insert(1, "estimand", [r[1] for r in rows])
    table.insert(2, "method", [r[2] for r in rows])
    table["coverage"], table["rejected"] = [r[3] for r in rows], [r[4] for r in rows]
    table["replicates"] = 1000.0
    table.loc[table["method"].str.startswith("ML"), "infinite"] = 0.125
    return OperatingCharacteristics(
        truth=truth,
        totals=totals,
        patients=2635 if size == "many" else 527,
        recurrences=300 if size == "many" else 12,
        replicates=1000,
        table=table,
    )


def test_requirements_bind_many_events_and_exact_methods():
    assert result("many", "free", "null").check().empty
    low = result("many", "free", "null", coverage=0.90).check()
    assert set(low["method"]) == {"ML, Wald", "ML, profile", "Firth, profile"}
    assert result("few", "free", "null", coverage=0.90).check().empty
    exact = result("few", "free", "null", rejected=0.09).check()
    assert exact["method"].tolist() == ["permutation"]
    assert result("many", "free", "null", rejected=0.01).check()["method"].tolist() == []
    assert result("many", "fixed", "null", coverage=0.5).check().empty


def test_the_page_says_in_words_what_fails():
    settings = [
        Setting(size, totals, truth)
        for size in ("few", "many")
        for totals in ("free", "fixed")
        for truth in ("as_published", "smooth", "null")
    ]
    results = {s: result(*s, coverage=0.85 if s.size == "few" else 0.95) for s in settings}
    text = page(results, pd.DataFrame(), 1)
    assert "infinite in 12.5 % of cohorts" in text
    assert "| 85.0 (0.0) |" in text
    assert "Every requirement is met" in text
    assert text.count("## ") >= 10
    assert "nan" not in text.split()
    broken = results["many", "free", "null"].table.iloc[:1]
    assert "**Not met:**" in page(results, broken, 1)


def test_refusals():
    with pytest.raises(OptionError, match="replicates"):
        operating_characteristics(replicates=1)
    with pytest.raises(OptionError, match="jobs"):
        operating_characteristics(replicates=2, jobs=0)
