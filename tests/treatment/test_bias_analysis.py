"""Probabilistic bias analysis: the matrix method by hand, closed forms, priors, refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import rnetstats as rn
from rnetstats.errors import DataError, OptionError, TooFewEventsError
from rnetstats.treatment.bias_draws import draw_shares
from rnetstats.treatment.bias_matrix import Cells, Classified, corrected, truth_given_observed
from rnetstats.treatment.bias_priors import read_prior
from support import at_once

SMOKING = [[215, 1449], [668, 4296]]
DFS = "Surv(dfs_months, dfs_event)"
cell = st.integers(1, 400)
good = st.floats(0.7, 1.0)


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return rn.load_cohort("duan2024")


def rows(result: Any) -> pd.DataFrame:
    return result.to_frame().set_index("analysis")


def both(se: float, sp: float) -> Classified:
    one, two = np.array([se]), np.array([sp])
    return Classified((one, one), (two, two))


# --- the closed form ---------------------------------------------------------------------------


def test_matrix_method_by_hand() -> None:
    # among 883 events (215 - 883 * 0.01) / 0.77 = 267.75 are exposed, among 5745 others 1807.21
    found = rn.bias_analysis(
        SMOKING, misclassified="exposure", sensitivity=0.78, specificity=0.99, draws=200, seed=1
    )
    a, b = (215 - 8.83) / 0.77, (1449 - 57.45) / 0.77
    odds = a * (5745 - b) / (b * (883 - a))
    assert math.isclose(rows(found).loc["systematic error", "estimate"], odds, rel_tol=1e-12)
    assert math.isclose(odds, 0.948, abs_tol=5e-4)


def test_matrix_method_for_an_outcome_by_hand() -> None:
    # half of the events among the exposed are missed, none among the others: 10 / 100 is 20 / 100
    found = rn.bias_analysis(
        [[10, 90], [10, 90]],
        misclassified="outcome",
        sensitivity={"group 1": 0.5, "group 2": 1.0},
        measure="risk difference",
        draws=200,
        seed=1,
    )
    assert math.isclose(rows(found).loc["systematic error", "estimate"], 0.1, rel_tol=1e-12)


@given(cell, cell, cell, cell, good, good, st.sampled_from(["exposure", "outcome"]))
def test_misclassifying_the_corrected_table_gives_the_recorded_one(
    a: int, b: int, c: int, d: int, se: float, sp: float, which: str
) -> None:
    by = both(se, sp)
    if se + sp <= 1.05:
        return
    true, possible = corrected(Cells(*(np.float64(v) for v in (a, b, c, d))), by, which)
    e, f, g, h = (float(part[0]) for part in np.broadcast_arrays(*map(np.atleast_1d, true)))
    if which == "exposure":
        again = (se * e + (1 - sp) * g, se * f + (1 - sp) * h)
    else:
        again = (se * e + (1 - sp) * f, None)
    assert math.isclose(again[0], a, rel_tol=1e-9)
    assert again[1] is None or math.isclose(again[1], b, rel_tol=1e-9)
    assert math.isclose(e + f + g + h, a + b + c + d, rel_tol=1e-9)
    assert bool(possible[0]) == (min(e, f, g, h) >= 0)


@given(cell, cell, good, good)
def test_predictive_values_give_the_true_number(a: int, b: int, se: float, sp: float) -> None:
    """Recorded positives times their predictive value and negatives times theirs: the truth."""
    true = Cells(*(np.array([v]) for v in (float(a), 50.0, float(b), 60.0)))
    positive, negative = truth_given_observed(true, both(se, sp), "exposure")
    recorded = se * a + (1 - sp) * b
    total = recorded * positive[0][0] + (a + b - recorded) * negative[0][0]
    assert math.isclose(total, a, rel_tol=1e-9)


@given(cell, cell, cell, cell, st.sampled_from(["or", "rr", "risk difference"]))
@settings(max_examples=8)
def test_a_perfect_record_gives_the_conventional_estimate_exactly(
    a: int, b: int, c: int, d: int, measure: str
) -> None:
    for which in ("exposure", "outcome"):
        found = rows(
            rn.bias_analysis(
                [[a, b], [c, d]], misclassified=which, measure=measure, draws=100, seed=1
            )
        )
        plain = found.loc["conventional", "estimate"]
        assert (found.loc["systematic error", ["estimate", "conf_low", "conf_high"]] == plain).all()


def test_total_error_of_a_perfect_record_is_the_posterior_of_the_counts() -> None:
    found = rn.bias_analysis(
        [[30, 170], [20, 230]], misclassified="outcome", measure="risk difference", seed=2
    )
    rng = np.random.default_rng(5)
    draws = rng.beta(30.5, 170.5, 400_000) - rng.beta(20.5, 230.5, 400_000)
    total = rows(found).loc["total error", ["estimate", "conf_low", "conf_high"]]
    expected = np.quantile(draws, [0.5, 0.025, 0.975])
    np.testing.assert_allclose(total.astype(float), expected, atol=3 * 0.0004)


def test_total_error_has_the_variance_of_misclassified_data() -> None:
    """Var(A / n) is that of the recorded share over (Se + Sp - 1)^2, not that of a binomial."""
    found = rn.bias_analysis(
        [[300, 700], [200, 800]],
        misclassified="outcome",
        measure="risk difference",
        sensitivity=0.8,
        specificity=0.9,
        seed=3,
    )
    expected = math.sqrt(0.3 * 0.7 / 1000 + 0.2 * 0.8 / 1000) / 0.7
    assert math.isclose(found.values["total"].std(), expected, rel_tol=0.01)


# --- priors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_prior", "law"),
    [
        ((0.6, 0.9), stats.uniform(0.6, 0.3)),
        (("uniform", 0.6, 0.9), stats.uniform(0.6, 0.3)),
        (("beta", 8, 3), stats.beta(8, 3)),
        ((0.5, 0.6, 0.8, 0.9), stats.trapezoid(0.25, 0.75, 0.5, 0.4)),
        (("trapezoidal", 0.5, 0.7, 0.7, 0.9), stats.triang(0.5, 0.5, 0.4)),
    ],
)
def test_quantiles_are_those_of_the_law(given_prior: Any, law: Any) -> None:
    u = np.linspace(0.001, 0.999, 301)
    np.testing.assert_allclose(read_prior("se", given_prior).quantile(u), law.ppf(u), atol=1e-9)


def test_differential_priors_are_correlated() -> None:
    prior = {"event": ("beta", 40, 10), "no event": ("beta", 40, 10)}
    for correlation in (0.0, 0.8):
        found = rn.bias_analysis(
            SMOKING,
            misclassified="exposure",
            sensitivity=prior,
            correlation=correlation,
            draws=20_000,
            seed=1,
        )
        r = np.corrcoef(found.values["sensitivity_1"], found.values["sensitivity_2"])[0, 1]
        assert math.isclose(r, correlation, abs_tol=0.03)
        assert found.parameters["group"].tolist()[:2] == ["event", "no event"]
    same = rn.bias_analysis(SMOKING, misclassified="exposure", sensitivity=(0.7, 0.9), draws=500)
    assert (same.values["sensitivity_1"] == same.values["sensitivity_2"]).all()


def test_a_shorter_run_is_the_beginning_of_a_longer_one() -> None:
    options = {"misclassified": "exposure", "specificity": ("beta", 50, 3), "seed": 7}
    short = rn.bias_analysis(SMOKING, draws=300, **options).values
    long = rn.bias_analysis(SMOKING, draws=1000, **options).values
    pd.testing.assert_frame_equal(short, long.head(300))


def test_a_hundred_thousand_draws_are_quick() -> None:
    with at_once(1.0):  # 0.2 s
        rn.bias_analysis(SMOKING, misclassified="exposure", specificity=(0.9, 1.0), measure="rr")


def test_impossible_draws_are_counted() -> None:
    # 5 of 100 others recorded as exposed: a specificity below 0.95 there is impossible
    found = rn.bias_analysis(
        [[40, 5], [60, 95]], misclassified="exposure", specificity=(0.9, 1.0), seed=1
    )
    assert math.isclose(found.impossible / found.draws, 0.5, abs_tol=0.01)
    kept = found.parameters.set_index("parameter").loc["specificity", "mean_kept"]
    assert math.isclose(kept, 0.975, abs_tol=0.001)
    assert rows(found).loc["systematic error", "n_draws"] == found.draws - found.impossible
    assert any("impossible under systematic" in note for note in found.notes)


# --- cohorts and times -------------------------------------------------------------------------


def test_a_cohort_gives_the_same_as_its_counts(cohort: pd.DataFrame) -> None:
    table = pd.crosstab(1 - cohort["margin_positive"], 1 - cohort["dfs_event"]).to_numpy()
    options = {"misclassified": "exposure", "specificity": (0.8, 1.0), "draws": 1000, "seed": 1}
    one = rn.bias_analysis(cohort, "dfs_event ~ margin_positive", **options)
    other = rn.bias_analysis(table, **options)
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())
    flipped = rn.bias_analysis(cohort, "dfs_event ~ margin_positive", exposed=0, **options)
    assert flipped.cells["group"].tolist() == ["0", "1"]


@pytest.mark.parametrize("which", ["exposure", "outcome"])
def test_a_perfect_record_of_times_is_the_cox_fit(which: str, cohort: pd.DataFrame) -> None:
    found = rn.bias_analysis(
        cohort, f"{DFS} ~ margin_positive", misclassified=which, draws=100, seed=1
    )
    fit = rn.cox(cohort, f"{DFS} ~ margin_positive").to_frame().iloc[0]
    assert math.isclose(rows(found).loc["conventional", "conf_low"], fit["conf_low"], rel_tol=1e-6)
    systematic = rows(found).loc["systematic error", ["estimate", "conf_low", "conf_high"]]
    np.testing.assert_allclose(systematic.astype(float), fit["estimate"], rtol=1e-8)
    spread = np.log(found.values["total"]).std()
    assert math.isclose(spread, fit["std_error"], rel_tol=0.25)  # 100 draws


def test_reclassified_times_agree_with_the_matrix_method_on_average(cohort: pd.DataFrame) -> None:
    """With few events a hazard ratio is nearly the odds ratio: corrected, both move alike."""
    times = rn.bias_analysis(
        cohort,
        f"{DFS} ~ margin_positive",
        misclassified="exposure",
        specificity=0.85,
        draws=200,
        seed=1,
    )
    counts = rn.bias_analysis(
        cohort,
        "dfs_event ~ margin_positive",
        misclassified="exposure",
        specificity=0.85,
        measure="rr",
        draws=100,
        seed=1,
    )
    moved = [
        math.log(
            rows(r).loc["systematic error", "estimate"] / rows(r).loc["conventional", "estimate"]
        )
        for r in (times, counts)
    ]
    assert moved[0] > 0.05
    assert math.isclose(moved[0], moved[1], abs_tol=0.08)


@pytest.mark.parametrize(("which", "specificity"), [("exposure", 0.88), ("outcome", 0.965)])
def test_total_error_of_times_is_that_of_counts_where_events_are_rare(
    which: str, specificity: float
) -> None:
    """Predictive values taken as known would make it 13 and 24 % narrower than that of counts."""
    data = pd.DataFrame(
        {"exposed": [1] * 300 + [0] * 700, "event": [1] * 36 + [0] * 264 + [1] * 44 + [0] * 656}
    )
    data["time"] = np.where(data["event"] == 1, np.linspace(10, 50, 1000), 60.0)
    options = {"misclassified": which, "sensitivity": 0.78, "specificity": specificity, "seed": 1}
    times = rn.bias_analysis(data, "Surv(time, event) ~ exposed", draws=1500, **options)
    counts = rn.bias_analysis(data, "event ~ exposed", measure="rr", draws=20_000, **options)
    spread = [np.nanstd(np.log(found.values["total"])) for found in (times, counts)]
    assert math.isclose(spread[0], spread[1], rel_tol=0.1)


def test_most_patients_with_the_event_are_told_to_pull_a_hazard_ratio_to_one() -> None:
    rng = np.random.default_rng(4)
    exposed = rng.random(200) < 0.4
    time = rng.exponential(np.where(exposed, 10.0, 25.0))
    for end, told in ((60.0, True), (5.0, False)):
        data = {"t": np.minimum(time, end), "e": (time <= end).astype(int), "x": exposed * 1}
        found = rn.bias_analysis(
            data, "Surv(t, e) ~ x", misclassified="exposure", sensitivity=0.9, draws=100, seed=1
        )
        assert any("Most patients have the event" in note for note in found.notes) == told


def test_few_events_get_no_total_interval_of_a_ratio(cohort: pd.DataFrame) -> None:
    options = {"misclassified": "exposure", "specificity": (0.8, 1.0), "draws": 300, "seed": 1}
    ratio = rn.bias_analysis(cohort, "recurrence ~ margin_positive", **options)
    assert math.isnan(rows(ratio).loc["total error", "conf_low"])
    assert any("fewer than 5 events" in note for note in ratio.notes)
    risk = rn.bias_analysis(
        cohort, "recurrence ~ margin_positive", measure="risk difference", **options
    )
    assert rows(risk).loc["total error", "conf_low"] > 0
    hazard = rn.bias_analysis(
        cohort, "Surv(dfs_months, recurrence) ~ margin_positive", **{**options, "draws": 100}
    )
    assert math.isnan(rows(hazard).loc["total error", "estimate"])


def call(table: Any = None, **options: Any) -> Any:
    options.setdefault("misclassified", "exposure")
    return rn.bias_analysis(SMOKING if table is None else table, draws=100, **options)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"misclassified": None}, OptionError, "recorded with error"),
        ({"misclassified": "margin"}, OptionError, "choose one of"),
        ({"sensitivity": 1.2}, OptionError, "sensitivity"),
        ({"sensitivity": (0.9, 0.8)}, OptionError, "must rise"),
        ({"sensitivity": (0.7, 0.8, 0.9)}, OptionError, "no law"),
        ({"sensitivity": ("betta", 1, 2)}, OptionError, "Did you mean 'beta'"),
        ({"sensitivity": ("beta", 1)}, OptionError, "2 numbers"),
        ({"sensitivity": ("beta", 0, 1)}, OptionError, "sensitivity"),
        ({"sensitivity": {"cases": 0.9, "controls": 0.8}}, OptionError, "'event' and 'no event'"),
        ({"specificity": 0.5}, OptionError, "No draw is possible"),
        ({"sensitivity": 0.4, "specificity": 0.5}, OptionError, "No draw is possible"),
        ({"correlation": 2}, OptionError, "correlation"),
        ({"measure": "hr"}, OptionError, "measure"),
        ({"table": [[0, 10], [0, 20]]}, TooFewEventsError, "Nobody has the event"),
        ({"table": [[1, 2], [3, 4], [5, 6]]}, DataError, "2x2"),
        ({"exposed": "a"}, OptionError, "formula"),
        ({"conf_level": 95}, OptionError, "conf_level"),
    ],
)
def test_refusals(options: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(**options)


@pytest.mark.parametrize("misclassified", ["outcome", "exposure"])
def test_observed_shares_are_drawn_by_jeffreys_law(misclassified: str) -> None:
    """A beta law with half an event and half a non-event added: its mean and variance."""
    rng = np.random.default_rng(1)
    drawn = np.concatenate(
        [draw_shares(Cells(1.0, 9.0, 3.0, 17.0), misclassified, rng) for _ in range(80)], axis=1
    )
    laws = (
        [(1, 3), (9, 17), (4, 26)] if misclassified == "exposure" else [(1, 9), (3, 17), (10, 20)]
    )
    for values, (yes, no) in zip(drawn, laws, strict=True):
        law = stats.beta(yes + 0.5, no + 0.5)
        mcse = law.std() / np.sqrt(values.size)
        assert abs(values.mean() - law.mean()) < 3 * mcse
        assert values.std() == pytest.approx(law.std(), rel=0.03)
