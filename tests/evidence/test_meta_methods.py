"""Subgroups, meta-regression, leave-one-out, cumulative pooling and influence."""

from __future__ import annotations

import json
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from meta_cases import POOLED_CASES, bcg, pooled, studies
from rnetstats._core.result import Result
from rnetstats.errors import ColumnError, DataError, DataNotKeptError, FormulaError, OptionError
from support import assert_close, case


@pytest.mark.parametrize("common", [False, True])
def test_subgroups(common: bool) -> None:
    key = "pooled_tau2" if common else "separate_tau2"
    expected = case("meta", "bcg_subgroup_alloc")["values"][key]
    found = bcg("DL", "wald").subgroups("alloc", common_tau2=common)
    rows = found.to_frame().set_index("group").loc[expected["groups"]]
    for field, name in (
        ("k", "k"),
        ("coef_common", "common_estimate"),
        ("std_error_common", "common_se"),
        ("coef", "random_estimate"),
        ("std_error", "random_se"),
        ("std_error_wald", "random_se"),
        ("tau2", "tau2"),
        ("q", "Q_within"),
    ):
        assert_close(rows[field], expected[name])
    test = found.glance().iloc[0]
    for field, name in (
        ("q_between", "Q_between_random"),
        ("p_value", "p_between_random"),
        ("q_between_common", "Q_between_common"),
        ("p_value_common", "p_between_common"),
        ("df", "df_between"),
    ):
        assert_close(test[field], expected[name])
    assert (test["groups"], test["k_used"]) == (3, 13)


def test_a_subgroup_is_a_meta_analysis_of_its_studies() -> None:
    table = studies("bcg_OR")
    row = bcg().subgroups("alloc").to_frame().set_index("group").loc["random"]
    part = table[table["alloc"] == "random"]
    columns = {"events_1": "tpos", "n_1": "n1", "events_2": "cpos", "n_2": "n2"}
    alone = rn.meta_analysis(part, measure="OR", columns=columns).glance().iloc[0]
    for name in ("estimate", "conf_low", "conf_high", "p_value", "pi_low", "tau2", "tau2_high"):
        assert_close(row[name], alone[name])


def test_one_variance_for_all_groups_is_that_of_the_regression_on_them() -> None:
    found = bcg().subgroups("alloc", common_tau2=True).to_frame()
    regression = bcg().meta_regression("alloc")
    assert_close(found["tau2"], [regression.glance()["tau2"][0]] * 3)
    given = bcg(0.2).subgroups("alloc", common_tau2=True).to_frame()
    assert given["tau2"].tolist() == [0.2] * 3


@pytest.mark.parametrize(
    ("name", "formula"), [("bcg_metareg_ablat", "ablat"), ("bcg_metareg_two", "ablat + C(alloc)")]
)
def test_meta_regression(name: str, formula: str) -> None:
    for key, expected in case("meta", name)["values"].items():
        tau2, test = key.split("_")
        ci = {"z": "wald", "knha": "hartung-knapp"}[test]
        found = bcg(tau2, ci).meta_regression(formula)
        table = found.to_frame()
        for field, field_r in (
            ("coef", "coef"),
            ("std_error", "se"),
            ("statistic", "statistic"),
            ("p_value", "p"),
        ):
            assert_close(table[field], expected[field_r])
        assert_close(np.log(table["conf_low"]), expected["ci_lower"])
        assert_close(np.log(table["conf_high"]), expected["ci_upper"])
        row = found.glance().iloc[0]
        for field, field_r in (
            ("tau2", "tau2"),
            ("qe", "QE"),
            ("qe_df", "QE_df"),
            ("qe_p", "QE_p"),
            ("qm", "QM"),
            ("qm_df", "QM_df1"),
            ("p_value", "QM_p"),
            ("i2_tau2", "I2_metafor"),
        ):
            assert_close(row[field], expected[field_r])
        assert_close(100.0 * row["r2"], expected["R2_percent"])


def test_a_term_test_of_one_coefficient_is_its_own() -> None:
    for ci, square in (("wald", True), ("hartung-knapp", True), ("hartung-knapp-adhoc", True)):
        found = bcg("REML", ci).meta_regression("ablat + alloc")
        tests = found.term_tests().set_index("term")
        row = found.to_frame().set_index("term").loc["ablat"]
        assert_close(tests.loc["ablat", "p_value"], row["p_value"])
        assert_close(tests.loc["ablat", "statistic"], row["statistic"] ** 2)
        assert square == (tests.loc["alloc", "df"] == 2)


def test_predictions_of_a_regression_on_groups_are_the_groups() -> None:
    found = bcg("REML", "wald").meta_regression("alloc")
    at = found.predict({"alloc": ["alternate", "random", "systematic"]})
    groups = bcg("REML", "wald").subgroups("alloc", common_tau2=True).to_frame()
    for name in ("estimate", "conf_low", "conf_high", "coef"):
        assert_close(at[name], groups[name])
    assert (at["pi_low"] < at["conf_low"]).all()
    table = found.to_frame()
    assert table["n"].tolist() == [13, 7, 4]
    counts = found.rows
    assert len(counts) == 13
    assert table["n_events"].iloc[0] == 1065 + 1510


@pytest.mark.parametrize(
    ("ci", "prediction", "std_error", "limits", "reach"),
    [
        ("hartung-knapp", "hk", 0.1982457487506, (-1.3389447625846, -0.4420186815238),
         (-1.8488172897846, 0.0678538456762)),
        ("hartung-knapp", "hts", 0.1982457487506, (-1.3389447625846, -0.4420186815238),
         (-1.8590875674956, 0.0781241233872)),
        ("wald", "normal", 0.1904282652914, (-1.2637142636637, -0.5172491804447),
         (-1.7137380828291, -0.0672253612793)),
    ],
)  # fmt: skip
def test_predictions_of_a_regression_are_of_the_kinds_asked_for(
    ci: str,
    prediction: str,
    std_error: float,
    limits: tuple[float, float],
    reach: tuple[float, float],
) -> None:
    """R's metafor 3.8: predict(rma(yi, vi, mods = ~ ablat + alloc)), test "knha" and "z".

    The second interval of a new study is the mean plus and minus qt(.975, 13 - 4 - 1) times
    sqrt(tau2 + se^2), se that of test = "z".
    """
    found = pooled_bcg(ci, prediction).meta_regression("ablat + alloc")
    row = found.predict({"ablat": [33.0], "alloc": ["random"]}).iloc[0]
    assert_close(row["coef"], -0.8904817220542, rel=1e-7)
    assert_close(row["std_error"], std_error, rel=1e-7)
    assert_close(np.log([row["conf_low"], row["conf_high"]]), limits, rel=1e-7)
    assert_close(np.log([row["pi_low"], row["pi_high"]]), reach, rel=1e-7)


def test_a_regression_predicts_no_new_study_where_none_was_asked_for() -> None:
    row = pooled_bcg("wald", None).meta_regression("ablat").predict({"ablat": [33.0]}).iloc[0]
    assert np.isnan([row["pi_low"], row["pi_high"]]).all()
    assert row["conf_low"] < row["conf_high"]


def pooled_bcg(ci: str, prediction: str | None) -> Any:
    columns = {"events_1": "tpos", "n_1": "n1", "events_2": "cpos", "n_2": "n2"}
    options = {"ci": ci, "prediction": prediction, "columns": columns}
    return rn.meta_analysis(studies("bcg_OR"), measure="OR", **options)


FOUR_TRIALS = {
    "coef": [-0.357, -0.105, -0.511, 0.095],
    "std_error": [0.177, 0.216, 0.354, 0.177],
    "year": [1, 2, 3, 5],
}


@pytest.mark.parametrize("moved", [0.0, 0.6])
def test_the_wider_limits_of_a_regression_are_so_in_each_of_its_tables(moved: float) -> None:
    """Of one coefficient the joint test is its own, and the intercept a prediction at 0."""
    data = {**FOUR_TRIALS, "coef": [moved, *FOUR_TRIALS["coef"][1:]]}
    rows = {}
    for ci in ("hartung-knapp", "wald", "hartung-knapp-wider"):
        found = rn.meta_analysis(data, measure="HR", ci=ci).meta_regression("year")
        row, at = found.to_frame().iloc[0], found.predict({"year": [0]}).iloc[0]
        for name in ("conf_low", "conf_high", "std_error"):
            assert_close(at[name], row[name])
        slope = found.to_frame().iloc[1]
        assert_close(found.term_tests()["p_value"], [slope["p_value"]] * 2)
        rows[ci] = slope["conf_high"] / slope["conf_low"]
    assert rows["hartung-knapp-wider"] == max(rows.values())


@pytest.mark.parametrize(
    "ci", ["hartung-knapp", "hartung-knapp-adhoc", "hartung-knapp-wider", "wald"]
)
@pytest.mark.parametrize("moved", [0.0, 0.6])
def test_the_covariance_of_a_regression_is_that_of_its_standard_errors(
    ci: str, moved: float
) -> None:
    data = {**FOUR_TRIALS, "coef": [moved, *FOUR_TRIALS["coef"][1:]]}
    found = rn.meta_analysis(data, measure="HR", ci=ci).meta_regression("year")
    assert_close(np.sqrt(found.covariance.diagonal()), found.to_frame()["std_error"])


def test_the_joint_test_of_the_wider_limits_is_that_of_the_larger_region() -> None:
    spread = {**FOUR_TRIALS, "coef": [-0.3571, -0.2, -0.04, 0.27], "x": [1, 0, 0, 1]}
    tests = {
        ci: rn.meta_analysis(spread, measure="HR", ci=ci).meta_regression("year + x").term_tests()
        for ci in ("hartung-knapp", "wald", "hartung-knapp-wider")
    }
    assert tests["hartung-knapp"]["p_value"].iloc[0] < tests["wald"]["p_value"].iloc[0]
    pd.testing.assert_frame_equal(tests["hartung-knapp-wider"], tests["wald"])


@pytest.mark.parametrize("name", POOLED_CASES)
def test_leave_one_out(name: str) -> None:
    expected = case("meta", name)["values"]["leave_one_out_DL"]
    found = pooled(name, "DL", "wald")
    table = found.leave_one_out().to_frame()
    back = np.log if found.kind.log else np.asarray
    used = found.studies.index[found.studies["used"]] + 1
    assert used.tolist() == expected["left_out_row"]
    assert_close(table["coef"], expected["estimate"])
    assert_close(table["std_error"], expected["se"])
    assert_close(back(table["conf_low"]), expected["ci_lower"])
    assert_close(back(table["conf_high"]), expected["ci_upper"])
    assert_close(table["tau2"], expected["tau2"])
    assert_close(table["i2_tau2"], expected["I2_metafor"])
    assert_close(table["q"], expected["Q"])


def columns_of(result: Any) -> pd.DataFrame:
    names = [
        "estimate",
        "conf_low",
        "conf_high",
        "p_value",
        "pi_low",
        "tau2",
        "tau2_high",
        "q",
        "i2",
    ]
    return result.glance()[names]


def test_leaving_out_is_refitting_and_the_last_step_is_the_whole() -> None:
    table = studies("nielweise_OR")
    columns = {"events_1": "ai", "n_1": "n1i", "events_2": "ci", "n_2": "n2i"}
    whole = rn.meta_analysis(table, measure="OR", columns=columns)
    without = whole.leave_one_out().to_frame().iloc[[4]]
    ends, every = whole.leave_one_out().glance().iloc[0], whole.leave_one_out().to_frame()
    for name, column in (("estimate", "estimate"), ("p", "p_value")):
        assert ends[f"{name}_lowest"] == every[column].min() < every[column].max()
        assert ends[f"{name}_highest"] == every[column].max()
    refit = rn.meta_analysis(table.drop(index=4), measure="OR", columns=columns)
    names = columns_of(refit).columns
    assert_close(without[names], columns_of(refit), rel=1e-7)
    steps = whole.cumulative().to_frame()
    assert steps["k"].tolist() == list(range(1, whole.k_used + 1))
    assert_close(steps[names].iloc[[-1]], columns_of(whole), rel=1e-7)
    assert_close(steps["estimate"].iloc[0], whole.to_frame()["estimate"].iloc[0])


def test_cumulative_orders() -> None:
    found = bcg()
    by_year = found.cumulative("year")
    years = studies("bcg_OR")["year"]
    order = np.argsort(years, kind="stable")
    assert by_year.to_frame()["study"].tolist() == [found.studies["study"][i] for i in order]
    assert any("equal year" in note for note in by_year.notes)
    given = found.cumulative(years.tolist()).to_frame()
    pd.testing.assert_frame_equal(given, by_year.to_frame())
    backwards = found.cumulative(ascending=False).to_frame()
    assert backwards["study"].tolist() == found.studies["study"].tolist()[::-1]
    late = rn.meta_analysis(
        studies("bcg_OR").assign(year=years.where(years < 1960)),
        measure="OR",
        columns={"events_1": "tpos", "n_1": "n1", "events_2": "cpos", "n_2": "n2"},
    ).cumulative("year")
    assert len(late.to_frame()) == int((years < 1960).sum())
    assert any("year is missing in" in note for note in late.notes)


def test_influence_as_in_metafor() -> None:
    # influence(rma(yi, vi, method = "REML", control = list(threshold = 1e-13))), metafor 3.8-1
    rows = bcg("REML", "hartung-knapp").influence().to_frame().iloc[[0, 7]]
    expected = {
        "rstudent": (-0.232033143181, 1.456936871914),
        "dffits": (-0.044427996885, 0.479094785230),
        "cook_d": (0.002041628485, 0.200265622367),
        "cov_r": (1.113625491861, 0.998832344749),
        "tau2_del": (0.361634681121, 0.294193893921),
        "qe_del": (162.454151968221, 72.717416522820),
        "hat": (0.049800740327, 0.101253689712),
        "dfbetas": (-0.043950153384, 0.473012346492),
    }
    for name, values in expected.items():
        assert_close(rows[name], values, rel=2e-9)


def test_influence_finds_a_study_that_stands_out() -> None:
    data = {
        "study": list("ABCDEFGH"),
        "coef": [0.1, 0.2, 0.15, 0.1, 0.05, 0.2, 0.12, 3.0],
        "std_error": [0.2] * 8,
    }
    found = rn.meta_analysis(data, measure="generic").influence()
    assert found.to_frame()["influential"].tolist() == [False] * 7 + [True]
    assert found.glance()["outlying"][0] == 1
    assert "by the usual bounds: H." in found.notes[0]
    fixed = rn.meta_analysis(data, measure="generic", tau2=0.0).influence().to_frame()
    assert (fixed["tau2_del"] == 0.0).all()
    assert_close(fixed["estimate_del"].iloc[7], np.mean(data["coef"][:7]))


def test_small_studies_are_asked_about_with_the_options_of_the_result() -> None:
    expected = case("meta", "bcg_OR")["values"]
    found = bcg("DL", "wald")
    tests = found.small_study_tests().glance().iloc[0]
    assert_close(tests["egger_p"], expected["egger"]["p"])
    filled = found.trim_and_fill().glance().iloc[0]
    assert filled["filled"] == expected["trimfill_DL_L0"]["k0"]
    assert_close(np.log(filled["conf_low_filled"]), expected["trimfill_DL_L0"]["ci_lower"])
    ax = found.plot_funnel()
    places = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    assert_close(places["pooled effect"].get_xdata()[0], found.estimate)
    with pytest.raises(OptionError, match="odds ratios, risk ratios and risk differences"):
        rn.meta_analysis({"coef": [0.1], "std_error": [0.2]}, measure="OR").rare_events()


def test_what_was_not_kept_and_what_was() -> None:
    again = Result.from_dict(json.loads(json.dumps(bcg().to_dict(), allow_nan=False)))
    assert isinstance(again, rn.meta_analysis.__globals__["MetaAnalysisResult"])
    pd.testing.assert_frame_equal(again.influence().to_frame(), bcg().influence().to_frame())
    assert len(again.cumulative().to_frame()) == 13
    for ask in (
        lambda: again.subgroups("alloc"),
        lambda: again.meta_regression("year"),
        lambda: again.cumulative("year"),
    ):
        with pytest.raises(DataNotKeptError, match="Run the meta-analysis again"):
            ask()


@pytest.mark.parametrize(
    ("ask", "error", "match"),
    [
        (lambda m: m.subgroups("aloc"), ColumnError, "Did you mean 'alloc'"),
        (lambda m: m.subgroups(["alloc"]), OptionError, "a column's name"),
        (lambda m: m.subgroups("one"), ColumnError, "all studies into one group"),
        (lambda m: m.subgroups("trial"), ColumnError, "take meta_regression"),
        (lambda m: m.subgroups("alloc", common_tau2=1), OptionError, "True or False"),
        (lambda m: m.meta_regression(""), OptionError, "must be a formula"),
        (lambda m: m.meta_regression("y ~ year"), FormulaError, "the right side alone"),
        (lambda m: m.meta_regression("1"), FormulaError, "no moderator"),
        (lambda m: m.meta_regression("year + strata(alloc)"), FormulaError, "no strata"),
        (lambda m: m.meta_regression("year + offset(ablat)"), FormulaError, "no offset"),
        (lambda m: m.meta_regression("one"), ColumnError, "leave it out"),
        (lambda m: m.cumulative([1, 2]), OptionError, "order has 2 values"),
        (lambda m: m.cumulative("yera"), ColumnError, "Did you mean 'year'"),
        (lambda m: m.cumulative(ascending=2), OptionError, "True or False"),
    ],
)
def test_refusals(ask: Any, error: type[Exception], match: str) -> None:
    columns = {"events_1": "tpos", "n_1": "n1", "events_2": "cpos", "n_2": "n2"}
    found = rn.meta_analysis(studies("bcg_OR").assign(one=1), measure="OR", columns=columns)
    with pytest.raises(error, match=match):
        ask(found)


def test_too_few_studies_for_a_method() -> None:
    data = {"study": ["A", "B"], "coef": [0.1, 0.2], "std_error": [0.1, 0.2], "x": [1.0, 2.0]}
    two = rn.meta_analysis(data, measure="OR")
    with pytest.raises(DataError, match="at least three studies"):
        two.influence()
    with pytest.raises(DataError, match="cannot tell 2 coefficients"):
        two.meta_regression("x")
    assert two.leave_one_out().to_frame()["k"].tolist() == [1, 1]
    one = rn.meta_analysis({name: values[:1] for name, values in data.items()}, measure="OR")
    with pytest.raises(DataError, match="at least two"):
        one.leave_one_out()
    assert len(one.cumulative().to_frame()) == 1


@pytest.mark.parametrize("tau2", ["DL", "REML", "PM", "ML", "SJ", "HE", "HS"])
def test_a_study_that_dwarfs_the_rest_is_named_and_shares_stay_shares(tau2: str) -> None:
    data = {"study": list("ABCDE"), "coef": [0.5, 0.1, 0.2, -0.3, 0.9]}
    errors = [0.3, 1e-15, 0.3, 0.25, 0.4]
    found = rn.meta_analysis({**data, "std_error": errors}, measure="generic", tau2=tau2)
    assert any("standard error of B" in note and "misprint" in note for note in found.notes)
    spread = found.heterogeneity.iloc[0]
    assert 0.0 <= spread["i2_tau2"] <= 1.0
    assert spread["h2_tau2"] >= 1.0
    even = rn.meta_analysis({**data, "std_error": [0.3, 0.01, 0.3, 0.25, 0.4]}, measure="generic")
    assert not any("misprint" in note for note in even.notes)


def test_a_group_of_one_and_studies_without_a_group() -> None:
    data = {
        "study": list("ABCDE"),
        "coef": [0.1, 0.2, 0.4, 0.3, 0.9],
        "std_error": [0.1, 0.2, 0.1, 0.2, 0.3],
        "site": ["x", "x", "y", "x", None],
    }
    found = rn.meta_analysis(data, measure="generic").subgroups("site")
    alone = found.to_frame().set_index("group").loc["y"]
    assert_close(alone["coef"], 0.4)
    assert_close(alone["std_error"], 0.1)
    assert np.isnan(alone["tau2"])
    assert alone["method"].endswith("Wald")
    assert any("site is missing in 1 of 5" in note for note in found.notes)
    assert any("One study alone in y" in note for note in found.notes)


def test_one_study_is_counted_as_one() -> None:
    alone = rn.meta_analysis({"coef": [-0.3], "std_error": [0.2]}, measure="HR")
    refused = alone.small_study_tests()
    assert refused.notes[0].startswith("Refused: there is 1 study, and tests for")
    assert refused.to_frame()["reason"].iloc[0] == "1 study: a regression takes three"
    with pytest.raises(DataError, match=r"at least 3 studies; 1 study with an effect\."):
        alone.trim_and_fill()
    with pytest.raises(DataError, match=r"at least three studies; there is 1\."):
        alone.influence()
    four = {"coef": [-0.36, -0.11, -0.51, 0.09], "std_error": [0.18, 0.22, 0.35, 0.18]}
    filled = rn.meta_analysis(four, measure="HR").trim_and_fill()
    assert filled.glance()["filled"].iloc[0] == 1
    assert any(note.startswith("The limits with 1 filled study take") for note in filled.notes)


SIX_TRIALS = {
    "coef": [0.1, 0.9, -0.4, 0.5, 1.2, 0.3],
    "std_error": [0.2, 0.3, 0.25, 0.2, 0.3, 0.22],
    "group": ["x", "x", "x", "y", "y", "z"],
}


@pytest.mark.parametrize(
    ("tau2", "common", "words"),
    [
        ("REML", False, "its own Wald limits"),
        (0.0, False, "its own Wald limits"),
        (0.2, False, "Wald limits that include the tau2 given"),
        ("REML", True, "Wald limits that include the tau2 of all groups"),
    ],
)
def test_what_the_limits_of_one_study_hold_is_said(
    tau2: str | float, common: bool, words: str
) -> None:
    found = rn.meta_analysis(SIX_TRIALS, measure="HR", tau2=tau2)
    groups = found.subgroups("group", common_tau2=common)
    row = groups.to_frame().set_index("group").loc["z"]
    own = np.hypot(0.22, np.sqrt(row["tau2"]) if "include" in words else 0.0)
    half = NormalDist().inv_cdf(0.975) * own
    assert_close(np.log([row["conf_low"], row["conf_high"]]), [0.3 - half, 0.3 + half])
    assert groups.notes[-2] == f"One study alone in z: {words}; no heterogeneity."
    if not common:
        first = f"The first row is the first study alone, with {words}."
        assert first in found.cumulative().notes
        one = {name: values[:1] for name, values in SIX_TRIALS.items()}
        alone = rn.meta_analysis(one, measure="HR", tau2=tau2)
        assert alone.notes[-1].endswith(f"these are {words}.")


def test_a_number_taken_as_levels_is_drawn_as_levels() -> None:
    data = {**SIX_TRIALS, "year": [2001, 2001, 2005, 2005, 2009, 2009]}
    found = rn.meta_analysis(data, measure="HR")
    axes = found.meta_regression("C(year)").plot()
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "C(year): 2005",
        "C(year): 2009",
    ]
    for formula in ("year", "I(year > 2003)"):
        assert found.meta_regression(formula).plot().get_xlabel() == "year"
