from __future__ import annotations

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import (
    ColumnError,
    DataError,
    DataNotKeptError,
    FormulaError,
    OptionError,
)
from rnetstats.survival.rmst import RmstResult
from support import assert_close, case, golden, read

ARMS = [c["id"] for c in golden("rmst") if "arm1" in c["values"]]
EVENTLESS = "rnet_zero_events"
MEASURES = {
    "difference": "RMST difference",
    "ratio": "RMST ratio",
    "rmtl_ratio": "RMTL ratio",
}


def arms(reference, **options):
    spec = reference["spec"]
    data = read(reference["data"])
    data = data.assign(
        t=data.eval(spec["time"]),
        e=data.eval(spec["event"]).astype(int),
        a=data.eval(spec["arm"]).astype(int),
    )
    return rn.rmst(data, "Surv(t, e) ~ a", **options)


@pytest.fixture(scope="module")
def cohort():
    return rn.load_cohort("duan2024")


DFS = "Surv(dfs_months, dfs_event) ~ margin_positive"


@pytest.mark.parametrize("name", [name for name in ARMS if name != EVENTLESS])
def test_groups_and_contrasts_are_those_of_r(name):
    reference = case("rmst", name)
    values = reference["values"]
    tau = None if name == "pbc_default_tau" else values["tau"]
    found = arms(reference, tau=tau)
    frame = found.to_frame().set_index("group")
    assert_close(found.tau, values["tau"])
    for arm in ("0", "1"):
        row, want = frame.loc[arm], values[f"arm{arm}"]
        for column, field in {
            "rmst": "rmst",
            "std_error": "se",
            "conf_low": "ci_lower",
            "conf_high": "ci_upper",
            "rmtl": "rmtl",
            "rmtl_conf_low": "rmtl_ci_lower",
            "rmtl_conf_high": "rmtl_ci_upper",
        }.items():
            assert_close(row[column], want[field])
        assert_close(row["std_error"] ** 2, want["variance"])
    assert_close(frame["rmst"], values["survfit_rmean"])
    assert_close(frame["std_error"], values["survfit_se_rmean"])
    assert_contrasts(found.contrasts(), values)


def assert_contrasts(contrasts, values):
    rows = contrasts.set_index("measure")
    for field, measure in MEASURES.items():
        want = values[field]
        numbers = rows.loc[measure, ["estimate", "conf_low", "conf_high", "p_value"]]
        assert_close(numbers, [want[k] for k in ("estimate", "ci_lower", "ci_upper", "p")])


def test_adjusted_contrasts_are_those_of_r():
    reference = case("rmst", "pbc_tau10_adjusted")
    values = reference["values"]
    found = arms(reference, tau=10, adjust=" + ".join(values["adjusted"]["covariates"]))
    assert_contrasts(found.contrasts(), values["adjusted"])
    assert_contrasts(found.contrasts(adjusted=False), values)
    assert len(found.coefficients()) == 15


@pytest.mark.parametrize(("unit", "noted"), [(1.0, True), (0.0, False)])
def test_many_events_at_the_time_of_a_censoring_are_noted(unit, noted):
    """Weights and curves order such ties the other way round; apart they agree."""
    rng = np.random.default_rng(1)
    stop, event = rng.exponential(4.0, 120), rng.random(120) < 0.5
    stop = np.ceil(stop / unit) * unit if unit else stop
    data = {"t": stop, "e": event, "g": rng.integers(0, 2, 120), "x": rng.normal(size=120)}
    found = rn.rmst(data, "Surv(t, e) ~ g", tau=5.0, adjust="x")
    said = [note for note in found.notes if "time of a censoring" in note]
    assert bool(said) == noted
    if noted:
        early = stop < 5.0
        tied = [
            any((stop == t) & (data["g"] == g) & ~event)
            for t, g in zip(stop[event & early], data["g"][event & early], strict=True)
        ]
        assert said[0].startswith(f"{sum(tied)} of {(event & early).sum()} events before 5 ")
    apart = {**data, "t": np.where(event, stop, stop + 0.01)}
    assert not any(
        "time of a censoring" in note
        for note in rn.rmst(apart, "Surv(t, e) ~ g", tau=5.0, adjust="x").notes
    )


def test_an_arm_without_events_has_a_bound_and_no_wald_interval():
    """R gives standard error 0 and limits 60 to 60 here, which this package refuses."""
    values = case("rmst", EVENTLESS)["values"]
    found = arms(case("rmst", EVENTLESS), tau=60)
    frame = found.to_frame()
    for code, row in frame.iterrows():
        want = values[f"arm{code}"]
        assert row["rmst"] == want["rmst"]
        assert row["rmtl"] == want["rmtl"]
        assert np.isnan(row["std_error"])
        assert row["conf_low"] < row["conf_high"] == 60
        assert row["rmtl_conf_low"] == 0 < row["rmtl_conf_high"]
    assert set(frame["method"]) == {"beta product bound"}
    rows = found.contrasts().set_index("measure")
    for field, measure in MEASURES.items():
        assert_close(rows.loc[measure, "estimate"], values[field]["estimate"])
        assert rows.loc[measure, ["conf_low", "conf_high", "p_value"]].isna().all()
    assert any("ratio of times lost" in note for note in found.notes)


def test_the_bound_without_censoring_is_that_of_a_binomial_zero():
    data = {"t": [5.0] * 8 + [1, 2, 3, 4.0], "e": [0] * 8 + [1] * 4, "g": list("a" * 8 + "b" * 4)}
    row = rn.rmst(data, "Surv(t, e) ~ g", tau=5).to_frame().iloc[0]
    assert_close(row["conf_low"], 5 * 0.025 ** (1 / 8))
    # with a censoring at 2 the bound falls from 8 at risk to 7
    data["t"][0] = 2.0
    row = rn.rmst(data, "Surv(t, e) ~ g", tau=5).to_frame().iloc[0]
    assert_close(row["conf_low"], 2 * 0.025 ** (1 / 8) + 3 * 0.025 ** (1 / 7))


def test_default_tau_depends_on_how_the_groups_end():
    def largest(ends):
        data = {"t": [1, 1, 4, 7], "e": [1, 1, *ends], "g": ["a", "b", "a", "b"]}
        return rn.rmst(data, "Surv(t, e) ~ g").tau

    assert [largest(e) for e in ([0, 0], [0, 1], [1, 0], [1, 1])] == [4, 4, 7, 7]
    # an event and a censoring at the last time leave the curve above 0
    data = {"t": [1, 4, 4, 1, 7], "e": [1, 1, 0, 1, 0], "g": list("aaabb")}
    assert rn.rmst(data, "Surv(t, e) ~ g").tau == 4


def test_tau_past_the_data_names_the_largest(cohort):
    with pytest.raises(DataError, match=r"largest allowed is 135\.4"):
        rn.rmst(cohort, "Surv(dfs_months, recurrence) ~ margin_positive", tau=500)
    for tau in (0, -3, float("nan"), float("inf"), "60", True):
        with pytest.raises(OptionError, match="tau"):
            rn.rmst(cohort, DFS, tau=tau)


def test_groups_of_one_patient_and_of_events_at_one_time_get_no_limits():
    data = {"t": [3, 1, 2, 4, 5], "e": [1, 1, 0, 1, 0], "g": list("abbbb")}
    found = rn.rmst(data, "Surv(t, e) ~ g", tau=4)
    row = found.to_frame().iloc[0]
    assert row["rmst"] == 3
    assert np.isnan(row[["std_error", "conf_low", "conf_high"]].astype(float)).all()
    assert found.contrasts()["p_value"].isna().all()
    assert any("no certainty" in note for note in found.notes)
    data["t"][0], data["e"][0] = 6, 0
    assert_close(rn.rmst(data, "Surv(t, e) ~ g").to_frame()["conf_low"].iloc[0], 5 * 0.025)


def test_everybody_has_the_event_in_one_arm():
    data = {"t": [1, 2, 3, 1, 2, 8], "e": [1, 1, 1, 1, 0, 0], "g": list("aaabbb")}
    frame = rn.rmst(data, "Surv(t, e) ~ g").to_frame()
    assert_close(frame["rmst"], [2.0, 1 + 7 * 2 / 3])
    assert_close(frame["std_error"].iloc[0], np.sqrt(2 / 9))


def test_few_events_are_named(cohort):
    found = rn.rmst(cohort, "Surv(dfs_months, recurrence) ~ margin_positive", tau=60)
    assert any(note.startswith("0: 1 event by 60") for note in found.notes)


def test_limits_stay_between_0_and_tau_where_they_are_shown(cohort):
    call = (cohort, "Surv(dfs_months, recurrence) ~ margin_positive")
    plain = rn.rmst(*call, tau=60)
    assert plain.to_frame()["conf_high"].iloc[0] > 60  # one event: plain Wald, as R has it
    assert any("display() cuts them there" in note for note in plain.notes)
    shown = plain.display()
    assert shown.filter(like="RMST").iloc[0, 0].endswith("to 60.00)")
    assert "(0.00 to" in shown.filter(like="RMTL").iloc[0, 0]


def test_limits_on_the_log_scale_of_the_time_lost(cohort):
    call = (cohort, "Surv(dfs_months, recurrence) ~ margin_positive")
    found = rn.rmst(*call, tau=60, ci="log")
    frame = found.to_frame()
    reach = np.exp(1.959963984540054 * frame["rmtl_std_error"] / frame["rmtl"])
    assert_close(frame["rmtl_conf_high"], frame["rmtl"] * reach)
    assert_close(frame["rmtl_conf_low"], frame["rmtl"] / reach)
    assert_close(frame["conf_high"], 60 - frame["rmtl_conf_low"])
    assert set(frame["method"]) == {"Wald, log RMTL"}
    assert not any("leave the range" in note for note in found.notes)
    # nearly all time is lost: the upper limit is cut at tau
    early = rn.rmst({"t": [0.1, 0.1, 9.0], "e": [1, 1, 0]}, "Surv(t, e) ~ 1", tau=9, ci="log")
    assert early.to_frame()["rmtl_conf_high"].iloc[0] == 9.0
    with pytest.raises(OptionError, match="ci="):
        rn.rmst(*call, ci="profile")


def test_three_groups_are_compared_with_the_first(cohort):
    found = rn.rmst(cohort, "Surv(dfs_months, dfs_event) ~ grade", tau=48, adjust="age")
    groups = found.to_frame()["group"].tolist()
    for table in (found.contrasts(), found.contrasts(adjusted=False)):
        assert table["group"].tolist() == [g for g in groups[1:] for _ in range(3)]
        assert set(table["reference"]) == {groups[0]}


def test_adjusted_means_take_no_clusters_and_no_late_entry(cohort):
    data = cohort.assign(id=np.arange(len(cohort)) // 2, entry=0.0)
    for left, right in (
        ("Surv(dfs_months, dfs_event)", "cluster(id)"),
        ("Surv(entry, dfs_months, dfs_event)", "1"),
    ):
        formula = f"{left} ~ margin_positive + {right}".removesuffix(" + 1")
        with pytest.raises(OptionError, match="adjust takes neither late entry"):
            rn.rmst(data, formula, tau=48, adjust="age")


@pytest.mark.slow
def test_adjusting_for_nothing_that_matters_without_censoring_is_least_squares():
    rng = np.random.default_rng(4)
    n = 60
    x, g = rng.normal(size=n), np.arange(n) % 2
    t = np.exp(0.3 * x + 0.2 * g + rng.normal(size=n) * 0.4)
    data = pd.DataFrame({"t": t, "e": 1, "g": g, "x": x})
    found = rn.rmst(data, "Surv(t, e) ~ g", tau=2.0, adjust="x")
    import statsmodels.api as sm

    X = np.column_stack([np.ones(n), g, x])
    fit = sm.OLS(np.minimum(t, 2.0), X).fit(cov_type="HC0")
    part = found.coefficients().query("measure == 'RMST difference'")
    assert_close(part["coef"], fit.params)
    assert_close(part["std_error"], fit.bse)
    poisson = sm.GLM(2.0 - np.minimum(t, 2.0), X, family=sm.families.Poisson()).fit(
        cov_type="HC0", tol=1e-14, maxiter=200
    )
    part = found.coefficients().query("measure == 'RMTL ratio'")
    assert_close(part["coef"], poisson.params, rel=1e-7)
    assert_close(part["std_error"], poisson.bse, rel=1e-7)


def test_frequency_weights_are_replicated_rows_adjusted_and_not(cohort):
    data = cohort.assign(w=1 + cohort["age"].astype(int) % 3)
    written = data.loc[np.repeat(data.index, data["w"])]
    one = rn.rmst(data, DFS, tau=48, adjust="size_mm", freq_weights="w")
    two = rn.rmst(written, DFS, tau=48, adjust="size_mm")
    columns = ["n", "n_events", "rmst", "std_error", "conf_low"]
    assert_close(one.to_frame()[columns], two.to_frame()[columns].to_numpy())
    columns = ["estimate", "conf_low", "p_value"]
    for adjusted in (True, False):
        some, others = (r.contrasts(adjusted=adjusted)[columns].to_numpy() for r in (one, two))
        assert_close(some, others)


def test_sampling_weights_of_one_change_greenwood_only_by_the_robust_identity(cohort):
    plain = rn.rmst(cohort, DFS, tau=48).to_frame()
    robust = rn.rmst(cohort, DFS, tau=48, sampling_weights=np.full(len(cohort), 2.5)).to_frame()
    assert_close(robust["rmst"], plain["rmst"])
    assert_close(robust["std_error"], plain["std_error"])  # the two agree without ties in weights
    clustered = rn.rmst(cohort, DFS + " + cluster(centre)", tau=48).to_frame()
    assert_close(clustered["rmst"], plain["rmst"])
    assert not np.allclose(clustered["std_error"], plain["std_error"])


def test_swapping_the_groups_mirrors_the_contrasts(cohort):
    one = rn.rmst(cohort, DFS, tau=48).contrasts().set_index("measure")
    flipped = cohort.assign(margin_positive=1 - cohort["margin_positive"].astype(int))
    two = rn.rmst(flipped, DFS, tau=48).contrasts().set_index("measure")
    assert_close(two.loc["RMST difference", "conf_low"], -one.loc["RMST difference", "conf_high"])
    for measure in ("RMST ratio", "RMTL ratio"):
        assert_close(two.loc[measure, "conf_low"], 1 / one.loc[measure, "conf_high"])
        assert_close(two.loc[measure, "p_value"], one.loc[measure, "p_value"])


def test_the_window_holds_the_difference_at_each_tau(cohort):
    found = rn.rmst(cohort, DFS, tau=48)
    window = found.window([24, 48]).to_frame()
    want = found.contrasts().iloc[0]
    for column in ("estimate", "conf_low", "conf_high", "p_value"):
        assert_close(window[column].iloc[1], want[column])
    grid = found.window()
    assert grid.to_frame()["tau"].max() == found.tau_max
    assert np.isnan(grid.to_frame()["conf_low"].iloc[0])
    assert any("missing" in note for note in grid.notes)
    with pytest.raises(DataError, match="largest allowed"):
        found.window([1000])
    with pytest.raises(OptionError, match="taus"):
        found.window([0, 12])
    with pytest.raises(OptionError, match="taus"):
        found.window("far")
    with pytest.raises(OptionError, match="one"):
        rn.rmst(cohort, "Surv(dfs_months, dfs_event) ~ 1", tau=48).window()


def test_pseudo_values_are_those_of_r_and_of_the_groups(cohort):
    reference = case("rmst", "veteran_pseudo")
    values = reference["values"]
    data = read(reference["data"])
    found = rn.rmst(data, "Surv(time, status) ~ trt", tau=values["tmax"])
    frame = found.pseudo_values()
    assert_close(frame["pseudo_value"][:10], values["pseudomean_first10"])
    assert frame["row"].tolist() == list(range(len(data)))
    within = found.pseudo_values(within=True)
    alone = rn.rmst(data[data["trt"] == 2], "Surv(time, status) ~ 1", tau=values["tmax"])
    assert_close(
        within.loc[within["group"] == "2", "pseudo_value"],
        alone.pseudo_values()["pseudo_value"],
    )


def test_missing_covariates_are_counted_and_rows_keep_their_places(cohort):
    data = cohort.copy()
    data.loc[data.index[[0, 3]], "nlr"] = np.nan
    found = rn.rmst(data, DFS, tau=48, adjust="nlr")
    assert found.n_missing == 2
    assert found.to_frame()["n"].sum() == len(data) - 2
    assert found.pseudo_values()["row"].tolist()[:3] == [1, 2, 4]
    assert any("nlr" in note for note in found.notes)
    weights = np.ones(len(data))
    again = rn.rmst(data, DFS, tau=48, adjust="nlr", freq_weights=weights)
    assert_close(again.contrasts()["estimate"], found.contrasts()["estimate"])
    with pytest.raises(DataError, match="nlr"):
        rn.rmst(data, DFS, tau=48, adjust="nlr", missing="raise")


def test_what_cannot_be_adjusted_is_refused(cohort):
    for adjust, error, words in (
        ("margin_positive", OptionError, "already"),
        ("age + strata(sex)", FormulaError, "covariates alone"),
        ("", FormulaError, "right side"),
        ("1", FormulaError, "no covariate"),
        ("nobody", ColumnError, "nobody"),
        ("size_mm + I(margin_positive == 0)", OptionError, "already"),
    ):
        with pytest.raises(error, match=words):
            rn.rmst(cohort, DFS, tau=48, adjust=adjust)
    twin = cohort.assign(twin=cohort["margin_positive"])
    with pytest.raises(DataError, match="determine each other"):
        rn.rmst(twin, DFS, tau=48, adjust="twin")
    with pytest.raises(OptionError, match="one"):
        rn.rmst(cohort, "Surv(dfs_months, dfs_event) ~ 1", tau=48, adjust="age")
    with pytest.raises(OptionError, match="no adjusted analysis"):
        rn.rmst(cohort, DFS, tau=48).contrasts(adjusted=True)
    with pytest.raises(FormulaError, match="strata"):
        rn.rmst(cohort, DFS + " + strata(sex)", tau=48)
    eventless = rn.rmst(
        read("rnet_zero_events.csv"),
        "Surv(dfs_months, recurrence) ~ margin_positive",
        tau=60,
        adjust="age",
    )
    assert eventless.contrasts()["estimate"].isna().all()
    assert any("not given" in note for note in eventless.notes)


@pytest.mark.parametrize(
    ("origin", "unit"), [(0, 1e-9), (0, 1e7), (0, 1e11), (1e8, 1), (-5e4, 0.01)]
)
def test_adjusted_contrasts_do_not_depend_on_the_unit_of_a_covariate(cohort, origin, unit):
    plain, scaled = (
        rn.rmst(
            cohort.assign(x=start + (cohort["size_mm"] + 30.0) * factor),
            "Surv(dfs_months, dfs_event) ~ margin_positive",
            tau=60,
            adjust="x",
        ).contrasts()
        for start, factor in ((0.0, 1.0), (origin, unit))
    )
    numbers = ["estimate", "conf_low", "conf_high", "p_value"]
    assert_close(scaled[numbers], plain[numbers], rel=1e-7)


def test_an_adjusted_model_without_scatter_gets_no_error_of_zero():
    data = {
        "t": [2.0, 2, 2, 2, 3, 3],
        "e": [1, 1, 0, 1, 0, 1],
        "g": list("aabbab"),
        "x": [0.0, 1, 2, 0, 1, 2],
    }
    found = rn.rmst(data, "Surv(t, e) ~ g", tau=2, adjust="x")
    assert found.contrasts()["p_value"].isna().all()
    assert any("no finite estimate" in note for note in found.notes)


def test_only_the_second_group_without_events_leaves_the_ratio_of_times_lost_missing():
    data = {"t": [1.0, 2, 5, 5, 5, 5], "e": [1, 1, 0, 0, 0, 0], "g": list("aaabbb")}
    found = rn.rmst(data, "Surv(t, e) ~ g", tau=4)
    rows = found.contrasts().set_index("measure")
    assert_close(rows.loc["RMST ratio", "estimate"], 4 / (7 / 3))
    assert np.isnan(rows.loc["RMTL ratio", "estimate"])
    assert any("ratio of times lost" in note for note in found.notes)
    # with late entry there is no bound either
    data["s"] = [0.0, 0, 0, 0, 1, 0]
    row = rn.rmst(data, "Surv(s, t, e) ~ g", tau=4).to_frame().iloc[1]
    assert row["method"] == "none"
    assert row["rmst"] == 4
    assert row[["std_error", "conf_low", "conf_high"]].isna().all()


def test_late_entry_is_taken():
    data = pd.DataFrame(
        {"a": [0, 2, 0, 0], "b": [2.0, 4, 5, 6], "e": [1, 0, 0, 1], "g": [0, 0, 0, 0]}
    )
    found = rn.rmst(data, "Surv(a, b, e) ~ 1", tau=4)
    assert_close(found.to_frame()["rmst"], [2 + 2 * 2 / 3])
    with pytest.raises(OptionError, match="late entry"):
        found.pseudo_values()


def test_one_curve_and_json(cohort):
    found = rn.rmst(cohort, "Surv(dfs_months, dfs_event) ~ 1", tau=48)
    assert found.contrasts().empty
    assert list(found.contrasts().columns)[2:7] == [
        "measure",
        "estimate",
        "conf_low",
        "conf_high",
        "p_value",
    ]
    again = RmstResult.from_dict(json.loads(json.dumps(found.to_dict())))
    pd.testing.assert_frame_equal(again.to_frame(), found.to_frame())
    with pytest.raises(DataNotKeptError):
        again.pseudo_values()


def test_figures(cohort):
    found = rn.rmst(cohort, DFS, tau=48)
    axes = found.plot()
    assert "tau = 48" in axes.get_title(loc="left")
    assert len(axes.collections) >= 2
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert [name.partition(":")[0] for name in names] == ["no", "yes"]
    assert axes.get_legend().get_title().get_text() == "Positive margin"
    curve = found.window().plot()
    assert curve.get_legend().get_texts()[0].get_text() == "yes − no"
    assert "tau" in curve.get_xlabel()
    plt.close("all")


def test_the_limits_follow_the_level(cohort):
    wide, narrow = (rn.rmst(cohort, DFS, tau=48, conf_level=c).contrasts() for c in (0.95, 0.5))
    assert (narrow["conf_low"] > wide["conf_low"]).all()
    assert_close(narrow["p_value"], wide["p_value"])
    with pytest.raises(OptionError, match="conf_level"):
        rn.rmst(cohort, DFS, conf_level=95)
