from __future__ import annotations

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats._core.schema import COEFFICIENT_COLUMNS
from rnetstats.errors import (
    ConvergenceError,
    DataError,
    DataNotKeptError,
    FormulaError,
    OptionError,
    TooFewEventsError,
)
from rnetstats.regression.parametric import ParametricResult
from rnetstats.regression.parametric_laws import DISTRIBUTIONS
from support import assert_close, read

VETERAN = "Surv(time, status) ~ trt + karno + age"
DFS = "Surv(dfs_months, dfs_event) ~ margin_positive + age"


@pytest.fixture(scope="module")
def cohort():
    return rn.load_cohort("duan2024")


@pytest.fixture(scope="module")
def fits(cohort):
    return {name: rn.parametric(cohort, DFS, distribution=name) for name in DISTRIBUTIONS}


def test_weibull_in_the_tidy_schema():
    """Time ratios of R's survreg (values in tests/regression/test_aft.py); HR = exp(-b / scale)."""
    fit = rn.parametric(read("veteran.csv"), VETERAN)
    frame = fit.to_frame()
    assert tuple(frame.columns) == COEFFICIENT_COLUMNS
    assert frame["term"].tolist() == ["(Intercept)", "trt", "karno", "age", "log(scale)"]
    assert frame["measure"].tolist() == ["time", "TR", "TR", "TR", "scale"]
    assert_close(frame["coef"].iloc[1], -0.128840101071099083)
    assert_close(frame["estimate"].iloc[4], 1.02085389842365)
    z = -0.128840101071099083 / 0.18323571626177446
    assert_close(frame["statistic"].iloc[1], z)
    assert_close(
        frame["conf_high"].iloc[1],
        np.exp(-0.1288401010710991 + 1.959963984540054 * 0.18323571626177446),
    )
    ratios = fit.hazard_ratios()
    assert_close(ratios["coef"].iloc[0], 0.128840101071099083 / 1.02085389842365)
    assert_close(fit.glance()["aic"], [2 * 725.789085750207 + 10])


def test_weibull_and_exponential_hazard_ratios_have_the_likelihood_s_own_error():
    """With one patient group the exponential HR has variance 1 / events by group."""
    data = read("veteran.csv").assign(g=lambda d: d["trt"] - 1)
    ratios = rn.parametric(data, "Surv(time, status) ~ g", distribution="exponential")
    found = ratios.hazard_ratios().iloc[0]
    events = data.groupby("g")["status"].sum()
    years = data.groupby("g")["time"].sum()
    rate = events / years
    assert_close(found["estimate"], rate[1] / rate[0])
    assert_close(found["std_error"], np.sqrt((1 / events).sum()))


def test_quantiles_of_survreg_have_the_survival_that_they_promise():
    """predict(survreg, type = "quantile", p = c(.25, .5)) at trt 2, karno 60, age 50; R 4.2.2."""
    data, new = read("veteran.csv"), {"trt": [2], "karno": [60], "age": [50]}
    for name, times in {
        "exponential": [31.0936175239863, 74.9176100424989],
        "weibull": [29.9952295496704, 73.6087122623051],
        "log-normal": [27.2733837228296, 57.6868491628510],
        "log-logistic": [31.5525065816711, 62.2565278558149],
    }.items():
        found = rn.parametric(data, VETERAN, distribution=name).survival(new, times)
        assert_close(found["survival"], [0.75, 0.5])


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_survival_falls_and_has_delta_errors(fits, cohort, name):
    new = cohort.iloc[[0, 5]]
    found = fits[name].survival(new, [0, 12, 60, 500])
    for _, part in found.groupby("row"):
        assert part["survival"].is_monotonic_decreasing
        assert part["survival"].iloc[0] == 1.0
        assert part["std_error"].iloc[0] == 0.0
        inner = part.iloc[1:]
        assert (inner["conf_low"] < inner["survival"]).all()
        assert (inner["survival"] < inner["conf_high"]).all()
        assert part["beyond"].tolist() == [False, False, False, True]
    # the delta error against the spread of simulated parameters
    law = fits[name]._law()
    draws = np.random.default_rng(1).multivariate_normal(law.natural, law.natural_covariance, 4000)
    from dataclasses import replace

    from rnetstats.formula.spec import Spec
    from rnetstats.regression.parametric_laws import log_cumulative_hazard

    X = Spec.from_dict(fits[name].spec).matrix(new.iloc[:1])
    with np.errstate(all="ignore"):
        values = [
            log_cumulative_hazard(replace(law, natural=draw), X, np.array([60.0]))[0][0, 0]
            for draw in draws[:600]
        ]
    error = log_cumulative_hazard(law, X, np.array([60.0]))[1][0, 0]
    assert 0.85 < np.nanstd(values) / error < 1.15


def test_laws_are_compared_by_aic(fits):
    table = fits["weibull"].compare()
    assert sorted(table["distribution"]) == sorted(DISTRIBUTIONS)
    assert table["difference"].iloc[0] == 0.0
    assert table["aic"].is_monotonic_increasing
    for row in table.itertuples():
        assert_close(row.aic, fits[row.distribution].glance()["aic"].iloc[0])
    values = table.set_index("distribution")["log_likelihood"]
    assert values["generalised gamma"] >= max(values["weibull"], values["log-normal"])
    assert values["weibull"] >= values["exponential"]
    assert values["gompertz"] >= values["exponential"]
    with pytest.raises(OptionError, match="weibul"):
        fits["weibull"].compare(["weibul"])


def test_time_scales(cohort):
    days = cohort.assign(dfs_months=cohort["dfs_months"] * 30.4375)
    for name in DISTRIBUTIONS:
        one, two = (rn.parametric(d, DFS, distribution=name).to_frame() for d in (cohort, days))
        rel = 1e-4 if name == "generalised gamma" else 1e-7
        assert_close(one["coef"].iloc[1:3], two["coef"].iloc[1:3].to_numpy(), rel=rel)
        assert_close(one["std_error"].iloc[1:3], two["std_error"].iloc[1:3].to_numpy(), rel=rel)


def test_frequency_weights_are_replicated_rows(cohort):
    data = cohort.assign(w=1 + cohort["age"].astype(int) % 3)
    written = data.loc[np.repeat(data.index, data["w"])]
    for name in ("weibull", "gompertz"):
        one = rn.parametric(data, DFS, distribution=name, freq_weights="w")
        two = rn.parametric(written, DFS, distribution=name)
        columns = ["n", "n_events", "coef", "std_error"]
        assert_close(one.to_frame()[columns], two.to_frame()[columns].to_numpy(), rel=1e-7)
        assert_close(one.glance()["bic"], two.glance()["bic"])


def test_curves_are_the_means_of_the_patients(fits, cohort):
    curves = fits["weibull"].curves
    assert set(curves["group"]) == {"margin_positive = 0", "margin_positive = 1"}
    part = curves[(curves["group"] == "margin_positive = 1") & (curves["kind"] == "fitted")]
    some = cohort[cohort["margin_positive"].astype(int) == 1]
    time = float(part["time"].iloc[30])
    want = fits["weibull"].survival(some, [time])["survival"].mean()
    assert_close(part["survival"].iloc[30], want)
    axes = fits["weibull"].plot()
    assert len(axes.get_legend_handles_labels()[1]) == 4
    plt.close("all")
    one = rn.parametric(cohort, "Surv(dfs_months, dfs_event) ~ age")
    assert set(one.curves["group"]) == {"all"}
    three = rn.parametric(cohort, "Surv(dfs_months, dfs_event) ~ location")
    assert three.curves["group"].nunique() == 3


def test_what_has_no_maximum_is_refused():
    data = {"t": [1, 2, 3, 4, 5, 6.0, 7, 8], "e": [1, 1, 1, 1, 0, 0, 0, 0], "g": list("aaaabbbb")}
    for name in ("weibull", "exponential", "gompertz", "log-normal"):
        with pytest.raises(ConvergenceError, match=r"g\[b\] is 1.*firth"):
            rn.parametric(data, "Surv(t, e) ~ g", distribution=name)
    note = rn.parametric(data, "Surv(t, e) ~ 1").compare()["note"]
    assert (note == "").sum() >= 4


def test_what_cannot_be_used_is_refused(cohort):
    for formula, error, words in (
        ("Surv(dfs_months, dfs_event) ~ age + strata(sex)", FormulaError, "strata"),
        ("Surv(dfs_months, dfs_event) ~ age + cluster(centre)", FormulaError, "cluster"),
        ("Surv(dfs_months, dfs_event) ~ offset(age)", FormulaError, "offset"),
        ("margin_positive ~ age", FormulaError, "Surv"),
    ):
        with pytest.raises(error, match=words):
            rn.parametric(cohort, formula)
    with pytest.raises(OptionError, match="distribution"):
        rn.parametric(cohort, DFS, distribution="gamma")
    zero = cohort.assign(dfs_months=cohort["dfs_months"].where(cohort.index != 4, 0.0))
    with pytest.raises(DataError, match="row 5"):
        rn.parametric(zero, DFS)
    with pytest.raises(TooFewEventsError, match="No row"):
        rn.parametric(cohort.assign(dfs_event=0), DFS)
    with pytest.raises(TooFewEventsError, match="parameters of the weibull model"):
        rn.parametric(cohort.head(40).assign(x=range(40)), "Surv(dfs_months, recurrence) ~ x")
    with pytest.raises(OptionError, match="not proportional"):
        rn.parametric(cohort, DFS, distribution="log-normal").hazard_ratios()


def test_few_events_are_named(cohort):
    fit = rn.parametric(cohort, "Surv(dfs_months, recurrence) ~ margin_positive")
    assert any("12 events for 3 parameters" in note for note in fit.notes)


def test_it_is_written_and_read(fits, cohort):
    for fit in fits.values():
        again = ParametricResult.from_dict(json.loads(json.dumps(fit.to_dict())))
        pd.testing.assert_frame_equal(again.to_frame(), fit.to_frame())
        pd.testing.assert_frame_equal(
            again.survival(cohort.head(2), [12]), fit.survival(cohort.head(2), [12])
        )
        with pytest.raises(DataNotKeptError):
            again.compare()


def test_factors_have_reference_rows(cohort):
    fit = rn.parametric(cohort, "Surv(dfs_months, dfs_event) ~ location")
    shown = fit.display()
    assert (shown["TR"] == "1 (reference)").sum() == 1
    assert_close(fit.joint["df"], [2])
    assert fit.to_frame()["n"].iloc[1:3].sum() + fit.references["n"].iloc[0] == len(cohort)


def test_lifelines_agrees_on_the_weibull_time_ratios():
    from lifelines import WeibullAFTFitter

    data = read("veteran.csv")[["time", "status", "trt", "karno", "age"]]
    peer = WeibullAFTFitter().fit(data, "time", "status").summary.loc["lambda_"]
    frame = rn.parametric(data, VETERAN).to_frame().set_index("term")
    for name in ("trt", "karno", "age"):
        assert_close(frame.loc[name, "coef"], peer.loc[name, "coef"], rel=1e-3)
        assert_close(frame.loc[name, "std_error"], peer.loc[name, "se(coef)"], rel=1e-3)
