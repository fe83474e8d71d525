"""Frequency weights are replicated rows, exactly; batches are the single fits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnetstats.kernels.cox import cox_likelihood, fit_cox
from rnetstats.kernels.cox_baseline import baseline_hazard, cumulative_hazard
from rnetstats.kernels.cox_residuals import (
    dfbeta,
    fitted_cox,
    martingale_residuals,
    score_residuals,
)
from rnetstats.kernels.cox_zph import TRANSFORMS, proportional_hazards_test, time_transform
from rnetstats.kernels.newton import DIVERGED, LOST_TERM, OK
from rnetstats.kernels.risksets import RiskSets, prepare
from support import assert_close, case, numbers, read

MODELS = [(ties, firth) for ties in ("efron", "breslow") for firth in (False, True)]
REPLICATED = {
    "lung_age_sex": ("lung.csv", "time", "status", ["age", "sex"], lambda d: 1 + d["age"] % 3),
    "rnet_b_death": (
        "rnet_like_b.csv",
        "os_months",
        "death",
        ["age", "size_mm"],
        lambda d: 1 + d["age"] % 2,
    ),
    "rnet_a_rare": (
        "rnet_like_a.csv",
        "dfs_months",
        "recurrence",
        ["margin_positive", "size_mm"],
        lambda d: 1 + (d["age"] % 4 == 0),
    ),
}


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("name", list(REPLICATED))
def test_weights_and_replicated_rows_as_in_r(name, ties):
    file, time, event, terms, weight = REPLICATED[name]
    values = case("bootstrap", name)["values"]
    data = read(file)
    died = (data[event] == 2) if file == "lung.csv" else data[event]
    X, sets = data[terms].to_numpy(float), prepare(None, data[time], died)
    w = np.asarray(weight(data), dtype=float)
    by_freq, by_case = fit_cox(X, sets, freq=w, ties=ties), fit_cox(X, sets, case=w, ties=ties)
    for fit, label in ((by_freq, "replicated_rows_"), (by_case, "weights_")):
        expected = values[label + ties]
        assert_close(fit.coef[0], expected["coef"])
        assert_close(np.sqrt(np.diag(fit.covariance[0])), expected["se"])
        assert_close(fit.log_likelihood[0], expected["loglik"])
        assert_close(fit.log_likelihood_null[0], expected["loglik_null"])


@pytest.mark.parametrize(
    ("name", "file", "index_file", "terms", "ties"),
    [
        (
            "veteran_cox_karno",
            "veteran.csv",
            "boot_index_veteran.csv",
            ["karno", "trt"],
            "efron",
        ),
        ("kidney_cox_sex", "kidney.csv", "boot_index_kidney.csv", ["sex"], "breslow"),
    ],
)
def test_bootstrap_of_a_coefficient_as_in_r(name, file, index_file, terms, ties):
    values = case("bootstrap", name)["values"]
    data = read(file)
    rows = read(index_file, header=None).to_numpy() - 1
    freq = np.stack([np.bincount(row, minlength=len(data)) for row in rows])
    X, sets = data[terms].to_numpy(float), prepare(None, data["time"], data["status"])
    fit = fit_cox(X, sets, freq=freq, ties=ties)
    assert (fit.status == OK).all()
    assert_close(fit.coef[:10, 0], values["replicates_first10"])
    assert_close(fit.coef[:, 0].std(ddof=1), values["sd"])
    whole = fit_cox(X, sets, ties=ties).coef[0, 0]
    assert_close(fit.coef[:, 0].mean() - numbers(values["t0"]), values["bias"], rel=1e-7)
    assert_close(whole, values["t0"])


@st.composite
def cohorts(draw):
    """Small cohorts with ties, entry times and strata, and counts of a resample."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    n = draw(st.integers(25, 60))
    X = np.column_stack([rng.normal(50, 10, n), rng.integers(0, 2, n)]).astype(float)
    stop = np.ceil(rng.exponential(8.0, n)) + 1.0
    start = stop - rng.integers(1, 6, n) if draw(st.booleans()) else None
    strata = rng.integers(0, 3, n) if draw(st.booleans()) else None
    event = rng.random(n) < draw(st.sampled_from([0.4, 0.9]))
    counts = np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(3)])
    return X, start, stop, event, strata, counts


def rows_of(cohort, rows):
    X, start, stop, event, strata, _ = cohort
    sets = prepare(
        None if start is None else start[rows],
        stop[rows],
        event[rows],
        None if strata is None else strata[rows],
    )
    return X[rows], sets


def everything(cohort) -> tuple[np.ndarray, RiskSets]:
    return rows_of(cohort, slice(None))


@pytest.mark.slow
@pytest.mark.parametrize(("ties", "firth"), MODELS)
@settings(max_examples=20)
@given(cohort=cohorts())
def test_weights_equal_replicated_rows(ties, firth, cohort):
    counts = cohort[-1]
    X, sets = everything(cohort)
    if not sets.n_times:
        return
    fit = fit_cox(X, sets, freq=counts, ties=ties, firth=firth)
    for b, count in enumerate(counts):
        X_rows, resampled = rows_of(cohort, np.repeat(np.arange(len(X)), count))
        if not resampled.n_times:
            assert fit.lost[b].all()
            continue
        single = fit_cox(X_rows, resampled, ties=ties, firth=firth)
        if np.abs(single.coef[0] * [10.0, 1.0]).max() > 15.0:
            continue  # decided by nearly equal rows: digits are lost on both sides
        assert single.status[0] == fit.status[b]
        if fit.status[b] in {OK, LOST_TERM}:
            assert_close(fit.coef[b], single.coef[0], rel=1e-10)
            assert_close(fit.covariance[b], single.covariance[0], rel=1e-8)
            assert_close(fit.log_likelihood[b], single.log_likelihood[0], rel=1e-10)
            assert_close(fit.log_likelihood_null[b], single.log_likelihood_null[0], rel=1e-10)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@given(cohort=cohorts())
def test_residuals_and_baseline_of_weights_are_those_of_replicated_rows(ties, cohort):
    X, sets = everything(cohort)
    count = cohort[-1][0]
    rows = np.repeat(np.arange(len(X)), count)
    X_rows, resampled = rows_of(cohort, rows)
    if not resampled.n_times:
        return
    beta = np.array([0.01, -0.4])
    short = fitted_cox(cox_likelihood(X, sets, freq=count, ties=ties), beta)
    long = fitted_cox(cox_likelihood(X_rows, resampled, ties=ties), beta)
    assert_close(martingale_residuals(short)[rows], martingale_residuals(long), rel=1e-9)
    assert_close(score_residuals(short)[rows], score_residuals(long), rel=1e-7, floor=1e-8)
    times = np.linspace(0, 40, 9)
    codes = np.unique(resampled.strata)
    zero, unit = np.zeros((codes.size, 2)), np.eye(2)
    curves = [
        cumulative_hazard(baseline_hazard(f), zero, times, strata=codes, covariance=unit)
        for f in (short, long)
    ]
    assert_close(curves[0][0], curves[1][0], rel=1e-9)
    assert_close(curves[0][1], curves[1][1], rel=1e-9)


@pytest.mark.parametrize("kind", TRANSFORMS)
@given(cohort=cohorts())
def test_proportional_hazards_test_of_weights_is_that_of_replicated_rows(kind, cohort):
    _, start, stop, event, _, counts = cohort
    X, sets = everything(cohort)
    count = counts[0]
    rows = np.repeat(np.arange(len(X)), count)
    X_rows, resampled = rows_of(cohort, rows)
    if resampled.n_times < 8:
        return
    pooled = prepare(start, stop, event)
    pooled_rows = prepare(None if start is None else start[rows], stop[rows], event[rows])
    beta = np.array([0.01, -0.4])
    short = fitted_cox(cox_likelihood(X, sets, freq=count), beta)
    long = fitted_cox(cox_likelihood(X_rows, resampled), beta)
    first = proportional_hazards_test(
        short, time_transform(sets, kind, stop, pooled=pooled, freq=count), [[0], [1]]
    )
    second = proportional_hazards_test(
        long, time_transform(resampled, kind, stop[rows], pooled=pooled_rows), [[0], [1]]
    )
    if np.isnan([second.global_statistic, first.global_statistic]).any():
        return  # too few distinct times for a trend
    assert_close(first.statistic, second.statistic, rel=1e-6)
    assert_close(first.global_statistic, second.global_statistic, rel=1e-6)


@pytest.mark.parametrize("terms", [["margin_positive"], ["margin_positive", "size_mm"]])
def test_resamples_with_all_events_in_one_arm_diverge_and_no_others(terms):
    data = read("rnet_like_a.csv")
    rng = np.random.default_rng(0)
    n = len(data)
    counts = np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(400)])
    event, exposed = data["recurrence"] == 1, data["margin_positive"] == 1
    in_arms = [counts[:, event & arm].sum(axis=1) for arm in (exposed, ~exposed)]
    monotone = np.minimum(*in_arms) == 0
    X, sets = data[terms].to_numpy(float), prepare(None, data["dfs_months"], event)
    fit = fit_cox(X, sets, freq=counts)
    assert (fit.status == np.where(monotone, DIVERGED, OK)).all()
    assert monotone.any()
    assert (fit_cox(X, sets, freq=counts, firth=True).status == OK).all()


@pytest.mark.parametrize(("ties", "firth"), MODELS)
@given(cohort=cohorts())
def test_sampling_weights_one_are_no_weights_and_breslow_takes_either(ties, firth, cohort):
    X, sets = everything(cohort)
    if not sets.n_times:
        return
    beta = np.array([[0.02, 0.3]])
    zero = np.zeros(1, int)

    def values(**weights):
        return cox_likelihood(X, sets, ties=ties, firth=firth, **weights)(beta, zero)

    for plain, weighted in zip(values(), values(case=np.ones(len(X))), strict=True):
        assert_close(weighted, plain, rel=1e-12)
    if ties == "breslow" and not firth:
        count = cohort[-1][0].astype(float)
        for a, b in zip(values(case=count), values(freq=count), strict=True):
            assert_close(a, b, rel=1e-12)


@pytest.mark.parametrize(("ties", "firth"), MODELS)
def test_own_designs_equal_the_shared_one_and_block_mates_do_not_matter(ties, firth):
    data = read("rnet_like_b.csv")
    X = data[["age", "size_mm", "margin_positive"]].to_numpy(float)
    sets = prepare(None, data["os_months"], data["death"])
    rng = np.random.default_rng(3)
    counts = np.stack(
        [np.bincount(rng.integers(0, len(X), len(X)), minlength=len(X)) for _ in range(7)]
    )
    shared = fit_cox(X, sets, freq=counts, ties=ties, firth=firth)
    own = fit_cox(np.stack([X] * 7), sets, freq=counts, ties=ties, firth=firth)
    assert_close(own.coef, shared.coef, rel=1e-10)
    assert_close(own.covariance, shared.covariance, rel=1e-9)
    assert_close(own.log_likelihood, shared.log_likelihood, rel=1e-12)
    pair = fit_cox(X, sets, freq=counts[[5, 2]], ties=ties, firth=firth)
    assert_close(pair.coef, shared.coef[[5, 2]], rel=1e-10)


def test_a_column_without_information_is_lost_and_the_others_stay():
    data = read("rnet_like_b.csv")
    X = data[["age", "size_mm"]].to_numpy(float)
    sets = prepare(None, data["os_months"], data["death"])
    grown = np.column_stack([X[:, 0], np.ones(len(X)), X[:, 1], X[:, 0] - 2 * X[:, 1]])
    for firth in (False, True):
        fit, plain = fit_cox(grown, sets, firth=firth), fit_cox(X, sets, firth=firth)
        assert fit.status[0] == LOST_TERM
        assert fit.lost[0].tolist() == [False, True, False, True]
        assert_close(fit.coef[0], [plain.coef[0, 0], 0.0, plain.coef[0, 1], 0.0], rel=1e-9)
        assert_close(fit.covariance[0][np.ix_([0, 2], [0, 2])], plain.covariance[0], rel=1e-9)
        if firth:
            assert_close(fit.log_likelihood_penalized, plain.log_likelihood_penalized, rel=1e-10)


def test_dfbeta_is_close_to_leaving_rows_out():
    data = read("veteran.csv")
    X = data[["karno", "trt"]].to_numpy(float)
    sets = prepare(None, data["time"], data["status"])
    whole = fit_cox(X, sets)
    fitted = fitted_cox(cox_likelihood(X, sets), whole.coef[0])
    changes = dfbeta(score_residuals(fitted), whole.covariance[0])
    left_out = fit_cox(X, sets, freq=1 - np.eye(len(X), dtype=int))
    exact = whole.coef[0] - left_out.coef
    assert np.corrcoef(changes[:, 0], exact[:, 0])[0, 1] > 0.99
    assert_close(changes.sum(axis=0), [0.0, 0.0], floor=1e-9)


@pytest.mark.parametrize(("ties", "firth"), MODELS)
def test_replicated_rows_keep_their_sampling_weights(ties: str, firth: bool) -> None:
    rng = np.random.default_rng(9)
    X, stop, event = rng.normal(size=(40, 2)), rng.integers(1, 9, 40), rng.random(40) < 0.6
    freq, weight = rng.integers(0, 4, (2, 40)), rng.uniform(0.5, 2.0, 40)
    options = {"ties": ties, "firth": firth}
    batch = fit_cox(X, prepare(None, stop, event), freq=freq, case=weight, **options)
    for b, copies in enumerate(freq):
        rows = np.repeat(np.arange(40), copies)
        sets = prepare(None, stop[rows], event[rows])
        long = fit_cox(X[rows], sets, case=weight[rows], **options)
        assert_close(batch.coef[b], long.coef[0], rel=1e-7)
        assert_close(batch.information[b], long.information[0], rel=1e-7)
        assert_close(batch.log_likelihood[b], long.log_likelihood[0], rel=1e-9)
