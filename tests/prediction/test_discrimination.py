"""Discrimination: reference values through the verb, edges, comparisons, bad input."""

from __future__ import annotations

import json
from random import Random

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

import rnetstats as rn
from discrimination_cases import horizons, ids_with, prepared
from rnetstats._core.result import Result
from rnetstats.errors import (
    DataNotKeptError,
    OptionError,
)
from support import assert_close, case, numbers, read


def asah() -> pd.DataFrame:
    return prepared(case("discrimination", "asah_age"))


def scores(*labels: str) -> dict[str, object]:
    return {"formula": f"y ~ {' + '.join(labels)}", "scale": "score"}


@pytest.mark.parametrize("name", ids_with("youden"))
def test_reference_of_a_binary_outcome(name: str) -> None:
    golden = case("discrimination", name)
    spec, values = golden["spec"], golden["values"]
    markers = [spec["marker"]] + ([spec["marker_2"]] if spec["marker_2"] else [])
    result = rn.discrimination(
        prepared(golden), f"{spec['outcome']} ~ {' + '.join(markers)}", scale="score"
    )
    for row, expected in zip(
        result.to_frame().to_dict("records"), [values, values.get("second")], strict=False
    ):
        check_estimate(row, expected)
    check_curve(result.roc(), result.youden(), values, markers[0])
    if "delong_paired" in values:
        check_pair(result, values["delong_paired"])


def check_estimate(row: dict, expected: dict) -> None:
    assert_close(row["auc"], expected["auc"])
    assert_close(row["std_error"], expected["delong_se"])
    assert_close(row["std_error"] ** 2, expected["delong_var"])
    assert_close(row["n_events"], expected["n_cases"])
    assert_close(row["n"] - row["n_events"], expected["n_controls"])
    if expected["auc"] < 1:
        assert row["method"] == "DeLong"
        assert_close(row["conf_low"], expected["delong_ci_lower"])
        assert_close(row["conf_high"], expected["delong_ci_upper"])


def check_curve(roc: pd.DataFrame, youden: pd.DataFrame, values: dict, marker: str) -> None:
    points, curve = values["roc_points"], roc[roc["model"] == marker]
    assert len(curve) == points["n"]
    for column in ("threshold", "sensitivity", "specificity"):
        assert_close(curve[column].head(5), points[f"{column}_first5"])
    best = youden[youden["model"] == marker]
    for column, expected in values["youden"].items():
        if column == "youden_sens_plus_spec":
            assert_close(best["sensitivity"] + best["specificity"], expected)
        else:
            assert_close(best[column.replace("youden_j", "youden")], expected)


def check_pair(result: Result, expected: dict) -> None:
    row = result.compare().iloc[0]
    assert row["method"] == "paired DeLong"
    for ours, theirs in {
        "difference": "difference",
        "std_error": "se_difference",
        "statistic": "z",
        "p_value": "p",
        "conf_low": "ci_lower",
        "conf_high": "ci_upper",
    }.items():
        assert_close(row[ours], expected[theirs])
    errors = result.to_frame()["std_error"]
    assert_close(((errors**2).sum() - row["std_error"] ** 2) / 2, expected["covariance"])


@pytest.mark.parametrize("name", ids_with("harrell"))
def test_reference_of_harrell_and_uno(name: str) -> None:
    golden = case("discrimination", name)
    spec = golden["spec"]
    data = prepared(golden)
    formula = f"Surv({spec['time']}, {spec['event']}) ~ {spec['marker']}"
    taus = {key.rsplit("_", 1)[1] for key in golden["values"] if "tau" in key}
    for tau in [None, *taus]:
        result = rn.discrimination(
            data, formula, scale="score", tau=None if tau is None else float(tau)
        )
        frame = result.to_frame().set_index("index")
        suffix = "_full" if tau is None else f"_tau_{tau}"
        for ours, theirs in {
            "Harrell C": "harrell" if tau is None else f"harrell{suffix}",
            "Uno C": f"uno{suffix}",
        }.items():
            expected = golden["values"][theirs]
            assert_close(frame.loc[ours, "estimate"], expected["c"])
            assert_close(frame.loc[ours, "std_error"], expected["se"])
            assert_close(frame.loc[ours, "std_error"] ** 2, expected["variance"])
            assert frame.loc[ours, "time"] == (np.inf if tau is None else float(tau))
    weighted = golden["values"]["schemper_s_over_g"]  # Uno's weights times n
    whole = rn.discrimination(data, formula, scale="score").to_frame().set_index("index")
    assert_close(whole.loc["Uno C", ["estimate", "std_error"]], [weighted["c"], weighted["se"]])


def test_reference_of_two_cox_models() -> None:
    golden = case("discrimination", "lung_two_models")["values"]
    data = read("lung.csv")
    data = data[data["ph.ecog"].notna() & data["ph.karno"].notna()]
    left = "Surv(time, status == 2)"
    fits = {
        "two": rn.cox(data, f"{left} ~ age + sex", penalty=None),
        "three": rn.cox(data, f"{left} ~ age + sex + `ph.ecog`", penalty=None),
    }
    data = data.assign(**{name: fit.predict(data).round(12) for name, fit in fits.items()})
    result = rn.discrimination(data, f"{left} ~ two + three", scale="score")
    frame = result.to_frame()
    harrell = frame[frame["index"] == "Harrell C"]
    assert_close(harrell["estimate"], golden["c"])
    variance = numbers(golden["vcov"])
    assert_close(harrell["std_error"] ** 2, np.diag(variance))
    row = result.compare().iloc[0]
    assert_close(-row["difference"], golden["difference"])
    assert_close(row["std_error"], golden["se_difference"])
    own = (harrell["std_error"] ** 2).sum()
    assert_close((own - row["std_error"] ** 2) / 2, variance[0, 1])
    # The fits themselves: the same values, but no paired test, since one holds the other.
    nested = rn.discrimination(data, f"{left} ~ 1", models=fits)
    assert_close(nested.to_frame()["estimate"], frame["estimate"], rel=1e-10)
    pair = nested.compare().iloc[0]
    likelihoods = [fit.glance()["log_likelihood"].iloc[0] for fit in fits.values()]
    ratio = 2 * (likelihoods[1] - likelihoods[0])
    assert_close(pair["statistic"], ratio, rel=1e-7)
    assert_close(pair["p_value"], chi2.sf(ratio, 1), rel=1e-6)
    assert np.isnan(pair[["std_error", "conf_low", "conf_high"]].astype(float)).all()
    assert nested.to_frame()["method"].str.endswith("(apparent)").all()


@pytest.mark.parametrize("name", ids_with("auc_controls_event_free") + ids_with("cases"))
def test_reference_of_the_auc_over_time(name: str) -> None:
    golden = case("discrimination", name)
    spec, values = golden["spec"], golden["values"]
    data = prepared(golden)
    competing, times = "stats_cases" in values, horizons(golden)
    result = rn.discrimination(
        data,
        f"Surv({spec['time']}, {spec['status']}) ~ {spec['marker']}",
        scale="score",
        time=times,
        cause=1 if competing else None,
    )
    frame = result.to_frame().query("index == 'AUC(t)'")
    assert list(dict.fromkeys(frame["time"])) == times
    kinds = (
        {"event-free": "event_free", "all non-cases": "all_non_cases"} if competing else {"": ""}
    )
    for controls, key in kinds.items():
        rows = frame[frame["controls"] == controls]
        assert_close(rows["estimate"], values[f"auc_controls_{key}" if key else "auc"])
        assert_close(rows["std_error"], values[f"se_{key}" if key else "se"])
        assert_close(rows["n_events"], values["stats_cases" if key else "cases"])
    free = frame[frame["controls"].isin(["", "event-free"])]
    assert_close(free["n_controls"], values["stats_survivors" if competing else "controls"])


def test_the_weighted_curve_encloses_the_auc_of_its_horizon() -> None:
    data = read("rnet_like_a.csv")
    result = rn.discrimination(
        data, "Surv(dfs_months, event_type) ~ size_mm", scale="score", cause=1, time=60.05
    )
    areas = result.to_frame().query("index == 'AUC(t)'").set_index("controls")["estimate"]
    for controls in ("event-free", "all non-cases"):
        curve = result.roc(controls=controls)
        area = -np.trapezoid(curve["sensitivity"], 1 - curve["specificity"])
        assert area == pytest.approx(areas[controls], rel=1e-12)
        assert len(result.youden(controls=controls)) >= 1
    with pytest.raises(OptionError, match="not among the horizons"):
        result.roc(24.0)


def test_likelihood_ratios_by_hand() -> None:
    data = {"y": [1, 1, 0, 0], "x": [3.0, 1.0, 1.0, 0.0]}
    roc = rn.discrimination(data, "y ~ x", scale="score").roc()
    np.testing.assert_array_equal(roc["threshold"], [-np.inf, 0.5, 2.0, np.inf])
    np.testing.assert_array_equal(roc["sensitivity"], [1, 1, 0.5, 0])
    np.testing.assert_array_equal(roc["specificity"], [0, 0.5, 1, 1])
    np.testing.assert_array_equal(roc["lr_positive"], [1, 2, np.inf, np.nan])
    np.testing.assert_array_equal(roc["lr_negative"], [np.nan, 0, 0.5, 1])


ROWS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 5),
        st.integers(0, 5),
        st.integers(1, 9),
        st.integers(0, 3),
    ),
    min_size=6,
    max_size=25,
)


# ------------------------------------------------------------- comparisons


@pytest.fixture(scope="module")
def birthwt() -> pd.DataFrame:
    return read("birthwt.csv")


@pytest.mark.parametrize("penalty", [None, "firth"])
def test_nested_fits_are_tested_by_likelihood(birthwt: pd.DataFrame, penalty: str | None) -> None:
    small = rn.logistic(birthwt, "low ~ lwt + smoke", penalty=penalty)
    large = rn.logistic(birthwt, "low ~ smoke + C(race) + lwt", penalty=penalty)
    result = rn.discrimination(birthwt, "low ~ 1", models={"large": large, "small": small})
    row = result.compare().iloc[0]
    tests = large.term_tests().set_index("term")
    assert_close(row["statistic"], tests.loc["C(race)", "statistic"], rel=1e-7)
    assert_close(row["p_value"], tests.loc["C(race)", "p_value"], rel=1e-7)
    if penalty is None:
        value = [fit.glance()["log_likelihood"].iloc[0] for fit in (large, small)]
        assert_close(row["statistic"], 2 * (value[0] - value[1]), rel=1e-7)
    assert row["method"].startswith("penalized " if penalty else "likelihood ratio, 2 df")
    assert np.isnan(row["std_error"])
    assert any("small in large" in note and "Demler" in note for note in result.notes)


def test_a_subspace_in_other_columns_is_nested_too(birthwt: pd.DataFrame) -> None:
    birthwt = birthwt.assign(heavy=2.0 * birthwt["lwt"] + 3.0)
    fits = {
        "line": rn.logistic(birthwt, "low ~ heavy", penalty=None),
        "curve": rn.logistic(birthwt, "low ~ rcs(lwt, 4)", penalty=None),
    }
    row = rn.discrimination(birthwt, "low ~ 1", models=fits).compare().iloc[0]
    linear = fits["curve"].term_tests().query("test == 'linearity'")["statistic"].iloc[0]
    assert_close(row["statistic"], linear, rel=1e-6)
    same = {"a": fits["line"], "b": rn.logistic(birthwt, "low ~ lwt", penalty=None)}
    row = rn.discrimination(birthwt, "low ~ 1", models=same).compare().iloc[0]
    assert row["method"] == "same model"
    assert np.isnan(row["p_value"])


def test_apparent_limits_are_labelled_and_fresh_rows_are_not(birthwt: pd.DataFrame) -> None:
    half = birthwt.iloc[::2]
    fits = {
        "lwt": rn.logistic(half, "low ~ lwt"),
        "smoke": rn.logistic(half, "low ~ smoke + lwt"),
        "age": rn.logistic(half, "low ~ age"),
    }
    seen = rn.discrimination(half, "low ~ 1", models=fits)
    assert (seen.to_frame()["method"] == "DeLong (apparent)").all()
    assert any("apparent" in note for note in seen.notes)
    methods = seen.compare().set_index(["model", "versus"])["method"]
    assert "nested" in methods["lwt", "smoke"]
    assert methods["lwt", "age"] == "paired DeLong (apparent)"
    fresh = rn.discrimination(birthwt.iloc[1::2], "low ~ 1", models=fits)
    assert (fresh.to_frame()["method"] == "DeLong").all()
    assert (fresh.compare()["method"] == "paired DeLong").all()
    assert not any("apparent" in note for note in fresh.notes)


def test_a_risk_model_of_a_nested_fit_is_refused_without_a_p(birthwt: pd.DataFrame) -> None:
    fits = {name: rn.logistic(birthwt, f"low ~ {name}") for name in ("lwt", "lwt + smoke")}
    models = {name: rn.risk_model(fit) for name, fit in fits.items()}
    result = rn.discrimination(birthwt, "low ~ 1", models=models)
    row = result.compare().iloc[0]
    assert row["method"] == "refused: nested models"
    assert np.isnan(row["p_value"])
    assert any("give the fits themselves" in note for note in result.notes)


def test_a_score_of_the_wrong_sign_is_noticed() -> None:
    result = rn.discrimination(
        asah().assign(better=lambda d: -d["wfns"]), "y ~ better", scale="score"
    )
    assert any("Is the sign right?" in note for note in result.notes)


@pytest.mark.slow
@given(ROWS, st.randoms(use_true_random=False))
def test_row_order_and_the_unit_of_time_change_nothing(
    rows: list[tuple[int, ...]], random: Random
) -> None:
    data = pd.DataFrame(rows, columns=["d", "a", "b", "t", "w"])
    if data["d"].nunique() < 2:
        return
    order = list(range(len(data)))
    random.shuffle(order)
    other = data.iloc[order].assign(t=lambda d: 30.4375 * d["t"])
    for left in ("d", "Surv(t, d)"):
        one = rn.discrimination(data, f"{left} ~ a + b", scale="score")
        two = rn.discrimination(other, f"{left} ~ a + b", scale="score")
        for ours, theirs in (
            (one.to_frame(), two.to_frame()),
            (one.compare(), two.compare()),
        ):
            pd.testing.assert_frame_equal(ours, theirs, rtol=1e-9, atol=1e-9)


def test_rounding_does_not_part_equal_patients(birthwt: pd.DataFrame) -> None:
    """Patients with equal covariates tie, whatever a matrix product makes of them."""
    fit = rn.logistic(birthwt, "low ~ smoke + C(race)")
    result = rn.discrimination(birthwt, "low ~ 1", models={"fit": fit})
    groups = birthwt.groupby(["smoke", "race"]).ngroups
    assert len(result.roc()) == groups + 1


# ------------------------------------------------------- frequencies, draws


@pytest.mark.slow
@given(ROWS)
def test_frequencies_are_replicated_rows(rows: list[tuple[int, ...]]) -> None:
    data = pd.DataFrame(rows, columns=["d", "a", "b", "t", "w"])
    again = data.loc[data.index.repeat(data["w"])]
    if not len(again) or again["d"].nunique() < 2:
        return
    for left in ("d", "Surv(t, d)"):
        options = {"scale": "score"}
        weighted = rn.discrimination(data, f"{left} ~ a + b", freq_weights="w", **options)
        plain = rn.discrimination(again, f"{left} ~ a + b", **options)
        for one, two in (
            (weighted.to_frame(), plain.to_frame()),
            (weighted.compare(), plain.compare()),
        ):
            pd.testing.assert_frame_equal(one, two, rtol=1e-9, atol=1e-9)


def test_bootstrap_limits_lie_near_the_analytic_ones() -> None:
    data = asah()
    delong = rn.discrimination(data, **scores("s100b", "wfns"))
    drawn = rn.discrimination(data, **scores("s100b", "wfns"), resamples=999, seed=1)
    again = rn.discrimination(data, **scores("s100b", "wfns"), resamples=999, seed=1)
    pd.testing.assert_frame_equal(drawn.to_frame(), again.to_frame())
    assert drawn.seed == 1
    assert (drawn.to_frame()["method"] == "bootstrap percentile").all()
    # Within the Monte Carlo error of 999 replicates, and R's own 999 of the same data.
    golden = case("bootstrap", "asah_auc")["values"]
    low, high = drawn.to_frame().iloc[0][["conf_low", "conf_high"]]
    assert low == pytest.approx(golden["percentile_ci_type7"][0], abs=0.02)
    assert high == pytest.approx(golden["percentile_ci_type7"][1], abs=0.02)
    np.testing.assert_allclose(
        drawn.compare()["std_error"], delong.compare()["std_error"], rtol=0.1
    )
    short = rn.discrimination(data, **scores("s100b"), resamples=20, seed=1)
    assert short.to_frame()["conf_low"].iloc[0] != low


def test_bootstrap_of_times_and_of_frequencies() -> None:
    data = read("veteran.csv").assign(score=lambda d: -d["karno"], w=2)
    options = {"scale": "score", "time": 180.5, "resamples": 60, "seed": 3}
    result = rn.discrimination(data, "Surv(time, status) ~ score", **options)
    frame = result.to_frame().set_index("index")
    plain = rn.discrimination(data, "Surv(time, status) ~ score", scale="score", time=180.5)
    expected = plain.to_frame().set_index("index")
    np.testing.assert_allclose(frame["std_error"], expected["std_error"], rtol=0.35)
    doubled = rn.discrimination(data, "Surv(time, status) ~ score", freq_weights="w", **options)
    half = doubled.to_frame().set_index("index")["std_error"] / expected["std_error"]
    np.testing.assert_allclose(half, np.sqrt(0.5), rtol=0.35)


# -------------------------------------------------------------- times, kinds


def test_censoring_at_the_horizon_and_late_entry() -> None:
    data = read("heart.csv")
    formula = "Surv(start, stop, event) ~ age"
    result = rn.discrimination(data, formula, scale="score")
    assert list(result.to_frame()["index"]) == ["Harrell C"]
    assert any("Late entry" in note for note in result.notes)
    with pytest.raises(OptionError, match="late entry"):
        rn.discrimination(data, formula, scale="score", time=100)


def test_competing_events_stay_at_risk_for_all_non_cases() -> None:
    """Wolbers: who died otherwise is never overtaken. By hand: one case against each kind."""
    data = {"t": [1.0, 2.0, 3.0], "code": [2, 1, 0], "x": [5.0, 4.0, 3.0]}
    result = rn.discrimination(data, "Surv(t, code) ~ x", scale="score", cause=1)
    harrell = result.to_frame().query("index == 'Harrell C'").set_index("controls")["estimate"]
    assert harrell["event-free"] == 1.0  # the case against the row at 3
    assert harrell["all non-cases"] == 0.5  # and, wrongly, against the death at 1


def test_harrell_at_one_horizon_is_that_of_the_predictor(birthwt: pd.DataFrame) -> None:
    data = read("veteran.csv")
    fit = rn.cox(data, "Surv(time, status) ~ karno + age")
    by_risk = rn.discrimination(data, "Surv(time, status) ~ 1", models={"m": fit}, time=100.5)
    by_score = rn.discrimination(data, "Surv(time, status) ~ 1", models={"m": fit})
    assert_close(
        by_risk.to_frame().iloc[:2]["estimate"], by_score.to_frame()["estimate"], rel=1e-12
    )
    assert_close(
        by_score.to_frame()["estimate"].iloc[0], fit.glance()["concordance"].iloc[0], rel=1e-10
    )


# ---------------------------------------------------------------- the result


def test_every_event_seen_leaves_pairs_to_resample() -> None:
    """Without censoring there are no controls by status, but each row outlives some event."""
    rng = np.random.default_rng(2)
    data = {"t": rng.exponential(size=40), "d": [1] * 40, "x": rng.normal(size=40)}
    result = rn.discrimination(data, "Surv(t, d) ~ x", scale="score", resamples=40, seed=1)
    assert (result.to_frame()["n_controls"] == 39).all()
    assert result.to_frame()["conf_low"].notna().all()
    assert not any("rests on" in note for note in result.notes)


def test_json_of_times_keeps_infinite_ones() -> None:
    data = read("veteran.csv")
    result = rn.discrimination(data, "Surv(time, status) ~ karno", scale="score", time=60.5)
    again = Result.from_dict(json.loads(json.dumps(result.to_dict(), allow_nan=False)))
    pd.testing.assert_frame_equal(again.to_frame(), result.to_frame())
    pd.testing.assert_frame_equal(again.display(), result.display())


def test_json_keeps_numbers_but_no_rows() -> None:
    result = rn.discrimination(asah(), **scores("age", "s100b"))
    again = Result.from_dict(result.to_dict())
    pd.testing.assert_frame_equal(again.compare(), result.compare())
    with pytest.raises(DataNotKeptError, match="ROC"):
        again.roc()


@pytest.mark.parametrize("time", [None, 60.5, [60.5, 180.5]])
def test_plots_show_what_was_asked(time: float | list[float] | None) -> None:
    data = read("veteran.csv").assign(score=lambda d: -d["karno"])
    result = rn.discrimination(data, "Surv(time, status) ~ score + age", scale="score", time=time)
    axes = result.plot()
    if time is None:
        assert axes.get_xlabel() == "Concordance"
    elif isinstance(time, float):
        value = result.to_frame().query("index == 'AUC(t)'")["estimate"].iloc[0]
        shown = [text.get_text() for text in axes.get_legend().get_texts()]
        assert shown[0].startswith(f"score: {value:.3f} (")
        assert axes.get_title(loc="left") == "Event by time = 60.5"
    else:
        assert axes.get_ylabel() == "AUC(t)"
        assert result.plot(time=180.5).get_xlabel() == "1 − specificity"
    plt.close("all")


def test_the_curve_of_a_model_is_drawn_with_its_best_threshold() -> None:
    result = rn.discrimination(asah(), **scores("s100b"))
    axes = result.plot(youden=True)
    assert [text.get_text() for text in axes.texts] == ["> 0.205"]
    assert axes.get_legend().get_texts()[0].get_text() == "s100b: 0.731 (0.630 to 0.833)"
    plt.close("all")
