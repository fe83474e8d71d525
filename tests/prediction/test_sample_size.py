"""Sample sizes: reference values, reversals, refusals."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

import rnetstats as rn
from rnetstats.errors import OptionError
from rnetstats.prediction.sample_size_formulas import (
    cox_slope_information,
    incidence,
    incidence_limits,
    r2_from_c,
    shrinkage_at,
    size_for_incidence,
)
from support import assert_close, golden

CASES = golden("sample_size")
NAMES = {
    "csrsquared": "r2_cs",
    "nagrsquared": "r2_nagelkerke",
    "cstatistic": "c_statistic",
    "meanfup": "mean_follow_up",
}
FIELDS = {
    "events": "events",
    "parameters": "parameters",
    "max_r2a": "max_r2",
    "nag_r2": "r2_nagelkerke",
    "rsquared": "r2_cs",
    "r2a": "r2_cs",
    "prevalence": "prevalence",
    "rate": "rate",
    "timepoint": "timepoint",
    "meanfup": "mean_follow_up",
}


def call(case: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    given = dict(re.findall(r'(\w+) = "?([\w.]+)"?', case["call"]))
    given.pop("seed", None)
    outcome = {"b": "binary", "s": "survival"}[given.pop("type")]
    options: dict[str, Any] = {NAMES.get(k, k): float(v) for k, v in given.items()}
    options["parameters"] = int(options["parameters"])
    return outcome, options


@pytest.mark.parametrize("case", CASES, ids=[c["id"] for c in CASES])
def test_reference(case: dict[str, Any]) -> None:
    outcome, options = call(case)
    found = rn.sample_size(outcome=outcome, **options)
    v, table, row = case["values"], found.to_frame(), found.glance().iloc[0]
    simulated = case["kind"] == "montecarlo"  # 1 percent, as its settings say
    sizes = table["n"].to_list()
    if outcome == "survival":  # printed there as the size at which all three hold
        names = [
            "Criteria 1",
            "Criteria 2",
            "Criteria 3" + " *" * (sizes[2] < max(sizes)),
            "Final SS",
        ]
        last = int(table["n"].idxmax())
        places = [0, 1, last, last]
    else:
        names = ["Criteria 1", "Criteria 2", "Criteria 3", "Final"]
        places = [0, 1, 2, int(table["n"].idxmax())]
    assert names == v["criterion_names"]
    at = table.iloc[places]
    np.testing.assert_allclose(at["n"], v["criterion_sample_sizes"], rtol=0.01 if simulated else 0)
    rounded = {"rtol": 0.01 if simulated else 0}
    np.testing.assert_allclose(at["shrinkage"], v["criterion_shrinkage"], atol=0.000501, **rounded)
    np.testing.assert_allclose(
        at["events_per_parameter"], v["criterion_epp"], atol=0.00501, **rounded
    )
    assert_close(found.n, v["sample_size"], rel=0.01 if simulated else 1e-8)
    assert row["events_per_parameter"] == pytest.approx(v["EPP"], abs=0.00501, rel=rounded["rtol"])
    assert row["shrinkage"] == pytest.approx(v["final_shrinkage"], abs=0.000501)
    for theirs, ours in FIELDS.items():
        if theirs in v:
            assert_close(row[ours], v[theirs], rel=0.01 if simulated else 1e-8)
    if "cstatistic" in v:
        assert v["cstatistic"] == options["c_statistic"]
    if outcome == "survival":
        for ours, theirs in (
            ("incidence", "int_cuminc"),
            ("incidence_low", "int_lci"),
            ("incidence_high", "int_uci"),
        ):
            assert row[ours] == pytest.approx(v[theirs], abs=0.000501)
        assert row["person_time"] == pytest.approx(v["tot_per_yrs_final"], abs=0.0501)


def test_unrounded_r2() -> None:
    options = {"outcome": "binary", "parameters": 6, "prevalence": 0.05, "r2_nagelkerke": 0.15}
    assert rn.sample_size(**options).n == 1072
    exact = rn.sample_size(**options, r2_digits=None)
    assert exact.n == 1069
    assert exact.glance()["r2_nagelkerke"][0] == pytest.approx(0.15)


def test_r2_of_a_c_statistic_against_a_large_sample() -> None:
    rng = np.random.default_rng(5)
    y = rng.random(400_000) < 0.2
    x = rng.normal(size=y.size) + np.sqrt(2) * 0.5244005127080407 * y  # C = 0.7
    fit = rn.logistic({"y": y.astype(int), "x": x}, "y ~ x", penalty=None, ci="wald").glance()
    lr = 2 * (fit["log_likelihood"][0] - fit["log_likelihood_null"][0])
    assert r2_from_c(0.7, 0.2) == pytest.approx(1 - np.exp(-lr / y.size), rel=0.02)


def test_expected_shrinkage_reverses_the_size() -> None:
    table = rn.sample_size(outcome="binary", parameters=8, prevalence=0.1, r2_cs=0.1).to_frame()
    assert table["expected_shrinkage"][0] == pytest.approx(0.9, abs=2e-4)
    assert (np.diff([shrinkage_at(n, 8, 0.1) for n in (5, 50, 500, 5000)]) > 0).all()


@pytest.mark.parametrize("parameters", [4, 9, 20])
def test_supported_parameters_reverse_the_size(parameters: int) -> None:
    need = rn.sample_size(outcome="binary", parameters=parameters, prevalence=0.25, r2_cs=0.1).n
    need = need + -need % 4  # so that events are whole
    found = rn.supported_parameters(need, need // 4, r2_cs=0.1)
    short = rn.supported_parameters(need - 40, need // 4 - 10, r2_cs=0.1)
    assert found.parameters == parameters
    assert short.to_frame()["exact"][0] < parameters


def test_what_binds_the_number_of_parameters() -> None:
    enough = rn.supported_parameters(527, 181, r2_nagelkerke=0.15).to_frame()
    assert enough["binding"].tolist() == [True, False, False, False, False]
    assert enough["met"].all()
    short = rn.supported_parameters(100, 30, r2_nagelkerke=0.15).to_frame()  # the risk first
    assert short["binding"].tolist() == [False, False, True, False, False]
    assert not short["met"][2]


def test_the_size_for_a_net_benefit_by_hand() -> None:
    table = rn.sample_size_validation(
        outcome="binary",
        prevalence=0.4,
        c_statistic=0.75,
        threshold=0.3,
        sensitivity=0.8,
        specificity=0.6,
    ).to_frame()
    w = (0.6 / 0.4) * (0.3 / 0.7)
    variance = 0.16 / 0.4 + w**2 * (0.24 / 0.6 + 0.16 / 0.24)
    need = variance * (2 * 1.96 / 0.2) ** 2  # 1.96 as the published software has it
    assert table["n"].iloc[-1] == np.ceil(need)


def test_what_181_and_12_events_support() -> None:
    many = rn.supported_parameters(527, 181, r2_nagelkerke=0.15)
    few = rn.supported_parameters(
        527, 12, outcome="survival", mean_follow_up=58.0, timepoint=60.0, r2_nagelkerke=0.15
    )
    assert (many.parameters, few.parameters) == (6, 1)
    none = rn.supported_parameters(60, 12, r2_nagelkerke=0.15)
    assert none.parameters == 0
    assert any("no model is supported" in note for note in none.notes)


def test_validation_sizes_by_hand() -> None:
    # Riley et al. (2021): C = 0.8, outcome share 0.018, interval of width 0.1
    found = rn.sample_size_validation(outcome="binary", prevalence=0.018, c_statistic=0.8)
    table = found.to_frame().set_index("criterion")["n"]
    assert table["C statistic, width 0.1"] == 4252
    # observed/expected: (1 - p) / (p SE^2), SE from 2 sinh(1.96 SE) = 0.2
    error = np.arcsinh(0.1) / 1.96
    assert table["observed/expected, width 0.2"] == np.ceil((1 - 0.018) / (0.018 * error**2))


def test_validation_slope_against_refits() -> None:
    table = rn.sample_size_validation(
        outcome="binary", prevalence=0.3, c_statistic=0.75, slope_width=0.4
    ).to_frame()
    n = int(table["n"][1])
    rng = np.random.default_rng(8)
    mu = np.sqrt(2) * 0.6744897501960817
    slopes = []
    for _ in range(300):
        y = rng.random(n) < 0.3
        lp = np.log(0.3 / 0.7) + mu * (rng.normal(size=n) + mu * y) - mu**2 / 2
        fit = np.column_stack([np.ones(n), lp])
        from rnetstats.kernels.logistic import fit_logistic

        slopes.append(fit_logistic(fit, y.astype(float)).coef[0, 1])
    width = 2 * 1.96 * np.std(slopes)
    assert width == pytest.approx(0.4, abs=3 * 0.4 / np.sqrt(600))


def test_validation_of_times_without_censoring_is_binomial() -> None:
    table = rn.sample_size_validation(
        outcome="survival", rate=0.05, timepoint=5, lp_sd=1.0
    ).to_frame()
    risk = 1 - np.exp(-0.25)
    error = np.arcsinh(0.1) / 1.96
    assert table["n"][0] == np.ceil((1 - risk) / (risk * error**2))
    lost = rn.sample_size_validation(
        outcome="survival", rate=0.05, timepoint=5, lp_sd=1.0, censoring_rate=0.1
    ).to_frame()
    assert (lost["n"] > table["n"]).all()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"outcome": "count"}, "outcome"),
        ({"outcome": "binary", "r2_cs": 0.1}, "prevalence"),
        ({"outcome": "binary", "prevalence": 1.5, "r2_cs": 0.1}, "prevalence"),
        ({"outcome": "binary", "prevalence": 0.1, "rate": 0.1, "r2_cs": 0.1}, "rate"),
        ({"outcome": "binary", "prevalence": 0.1}, "exactly one"),
        ({"outcome": "binary", "prevalence": 0.1, "r2_cs": 0.1, "c_statistic": 0.7}, "exactly one"),
        ({"outcome": "binary", "prevalence": 0.02, "r2_cs": 0.3}, "largest"),
        ({"outcome": "binary", "prevalence": 0.1, "c_statistic": 0.5}, "c_statistic"),
        ({"outcome": "binary", "prevalence": 0.1, "r2_cs": 0.1, "parameters": 0}, "parameters"),
        ({"outcome": "binary", "prevalence": 0.1, "r2_cs": 0.1, "shrinkage": 1.0}, "shrinkage"),
        ({"outcome": "survival", "rate": 0.1, "timepoint": 2, "r2_cs": 0.1}, "mean_follow_up"),
        (
            {"outcome": "survival", "rate": 0.5, "timepoint": 2, "mean_follow_up": 3, "r2_cs": 0.1},
            "below 1",
        ),
        (
            {
                "outcome": "survival",
                "rate": 0.1,
                "timepoint": 2,
                "mean_follow_up": 3,
                "c_statistic": 0.7,
            },
            "binary outcomes alone",
        ),
    ],
)
def test_refusals(options: dict[str, Any], match: str) -> None:
    with pytest.raises(OptionError, match=match):
        rn.sample_size(**{"parameters": 5, **options})


@pytest.mark.parametrize(
    ("rate", "timepoint", "margin"), [(0.05, 5.0, 0.05), (0.4, 2.0, 0.1), (0.01, 3.0, 0.05)]
)
def test_the_size_for_an_incidence_brings_its_limits_to_the_margin(
    rate: float, timepoint: float, margin: float
) -> None:
    n = size_for_incidence(rate, timepoint, 2.5, margin)
    at = incidence(rate, timepoint)
    low, high = incidence_limits(rate, timepoint, n, 2.5)
    assert max(at - low, high - at) == pytest.approx(margin, rel=1e-9)
    low, high = incidence_limits(rate, timepoint, n / 1000, 2.5)  # too few: it ends at 0
    assert low == 0.0 < high
    if at > margin:  # the limit nearer 0 is the further one
        assert at - incidence_limits(rate, timepoint, n, 2.5)[0] == pytest.approx(margin, rel=1e-9)


@pytest.mark.parametrize(
    "options",
    [
        {"prevalence": 1e-9, "c_statistic": 0.7},
        {"prevalence": 1 - 1e-12, "r2_cs": 1e-13},
        {"prevalence": 0.3, "c_statistic": 0.5 + 1e-9},
        {"prevalence": 0.3, "r2_cs": 1e-300},
        {"prevalence": 0.3, "r2_nagelkerke": 1e-8, "r2_digits": None},
        {"prevalence": 0.3, "r2_cs": 0.15, "margin": 1e-200},
        {"prevalence": 0.3, "r2_cs": 0.15, "optimism": 1e-300},
        {"prevalence": 0.3, "r2_cs": 0.15, "shrinkage": 1 - 1e-15},
        {
            "outcome": "survival",
            "rate": 1e-300,
            "timepoint": 5,
            "mean_follow_up": 3,
            "r2_nagelkerke": 0.15,
        },
    ],
)
def test_no_size_from_quantities_beyond_the_digits(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="reckoned from 1e-06 upwards"):
        rn.sample_size(**{"outcome": "binary", "parameters": 6, **options})


@pytest.mark.parametrize(
    "options",
    [
        {"prevalence": 1e-300, "c_statistic": 0.7},
        {"prevalence": 0.3, "c_statistic": 0.5 + 1e-9},
        {"prevalence": 0.3, "c_statistic": 0.7, "slope_width": 1e-200},
        {"outcome": "survival", "rate": 1e-300, "timepoint": 5, "lp_sd": 0.8},
        {"outcome": "survival", "rate": 0.05, "timepoint": 5, "lp_sd": 1e-200},
    ],
)
def test_no_size_of_a_validation_beyond_the_digits(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="reckoned from 1e-06 upwards"):
        rn.sample_size_validation(**{"outcome": "binary", **options})


def test_parameters_of_a_cohort_beyond_the_digits_are_refused() -> None:
    with pytest.raises(OptionError, match=r"events / n is 1\.2e-17"):
        rn.supported_parameters(10**18, 12, c_statistic=0.7)


def test_a_time_by_which_nobody_is_left_is_refused() -> None:
    options = {"outcome": "survival", "rate": 0.05, "timepoint": 20_000}  # days for years
    with pytest.raises(OptionError, match="all but 0 of the patients have had the event at rate"):
        rn.sample_size(**options, parameters=6, mean_follow_up=3, r2_nagelkerke=0.15)
    with pytest.raises(OptionError, match=r"or are censored at rate=0\.05 and censoring_rate"):
        rn.sample_size_validation(**options, lp_sd=1.0, censoring_rate=0.1)


def test_an_r2_rounded_above_the_largest_is_refused() -> None:
    options = {"outcome": "binary", "parameters": 6, "prevalence": 1e-4, "r2_nagelkerke": 0.99}
    with pytest.raises(OptionError, match="digits=2 rounds to 0; use"):
        rn.sample_size(**options, r2_digits=2)
    options["prevalence"] = 7e-5  # at most 0.00148, of which 0.99 is rounded to 0.001
    assert rn.sample_size(**options).glance()["r2_nagelkerke"][0] < 1.0
    options["prevalence"] = 8e-5  # 0.00166, rounded to 0.002
    with pytest.raises(OptionError, match=r"rounds to 0\.002, while at most 0\.0017 is"):
        rn.sample_size(**options)


def test_the_slope_of_a_time_has_the_promised_width() -> None:
    sd, rate, lost, t = 1.0, 0.1, 0.2, 4.0
    table = rn.sample_size_validation(
        outcome="survival", rate=rate, timepoint=t, lp_sd=sd, censoring_rate=lost, slope_width=0.3
    ).to_frame()
    n = int(table["n"][1])
    rng = np.random.default_rng(11)
    spread = np.exp(sd * rng.normal(size=200_000))
    hazard = brentq(lambda h: np.exp(-h * t * spread).mean() - np.exp(-rate * t), 1e-6, 1.0)
    slopes = []
    for _ in range(300):
        lp = sd * rng.normal(size=n)
        event = rng.exponential(1.0 / (hazard * np.exp(lp)))
        end = np.minimum(rng.exponential(1.0 / lost, n), t)
        data = {"t": np.minimum(event, end), "d": (event <= end).astype(int), "lp": lp}
        fit = rn.cox(data, "Surv(t, d) ~ lp", penalty=None, ci="wald")
        slopes.append(fit.to_frame()["coef"][0])
    # The events alone, without the high risks that leave first, would promise 0.35 for 0.30.
    assert 2 * 1.96 * np.std(slopes) == pytest.approx(0.3, abs=3 * 0.3 / np.sqrt(600))


def test_the_information_on_a_slope_is_variance_times_events_while_nobody_leaves() -> None:
    risk, t, lost = 1e-5, 2.0, 0.3
    events = risk / t / lost * -np.expm1(-lost * t)
    for sd in (0.01, 0.5, 2.0):
        found = cox_slope_information(sd, risk, t, lost)
        assert found == pytest.approx(sd**2 * events, rel=2e-3)
