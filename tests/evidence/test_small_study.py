from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from rnetstats.errors import ColumnError, DataError, OptionError
from rnetstats.evidence.asymmetry import _informative
from rnetstats.evidence.meta import meta_analysis
from rnetstats.evidence.small_study import small_study_tests
from rnetstats.evidence.study_effects import StudyEffects
from support import assert_close, case, read

TABLES = ["bcg_OR", "bcg_RR", "bcg_RD", "nielweise_OR", "nielweise_RD", "yusuf_OR"]
TABLES += ["double_zero_OR", "double_zero_RD"]
REGRESSION = {
    "bias": "estimate",
    "se_bias": "std_error",
    "t": "statistic",
    "df": "df",
    "p": "p_value",
    "limit_estimate": "limit_estimate",
    "limit_se": "limit_std_error",
}
RANKS = {
    "kendall_tau": "kendall_tau",
    "p_cor_test": "p_exact",
    "ks": "score",
    "se_ks": "std_error",
    "z_no_continuity": "z",
    "p_no_continuity": "p_normal",
}


@cache
def studies(name):
    """The studies of a reference case, effects as they stand there."""
    known = case("meta", name)
    data, spec = read(known["data"]), known["spec"]
    if name.startswith("bcg"):
        data = data.assign(n1=data.tpos + data.tneg, n2=data.cpos + data.cneg)
    columns = ("events_1", "n_1", "events_2", "n_2")
    frame = pd.DataFrame({column: data[spec[column]] for column in columns})
    rows = np.array(known["values"]["studies_used_rows_from_1"]) - 1
    frame["used"] = np.isin(np.arange(len(frame)), rows)
    frame.loc[rows, "coef"] = known["values"]["yi"]
    frame.loc[rows, "std_error"] = np.sqrt(known["values"]["vi"])
    return frame


def rows_of(frame, **options):
    return small_study_tests(frame, **options).to_frame().set_index("test")


def made(k=12, seed=1, slope=0.0):
    rng = np.random.default_rng(seed)
    error = rng.uniform(0.1, 0.9, k)
    return pd.DataFrame({"coef": slope * error + error * rng.normal(size=k), "std_error": error})


@pytest.mark.parametrize("name", TABLES)
def test_every_field_of_the_reference(name):
    known = case("meta", name)["values"]
    found = small_study_tests(studies(name), measure=name.split("_")[-1], force=True)
    rows = found.to_frame().set_index("test")
    for test in ("egger", "harbord", "peters"):
        for field, value in known.get(test, {}).items():
            assert_close(rows.loc[test, REGRESSION[field]], value)
        assert ("bias" in known.get(test, {})) <= (rows.loc[test, "reason"] == "")
    for field, value in known["begg"].items():
        assert_close(found.ranks[RANKS[field]].iloc[0], value)
    assert found.forced == (known["k"] < 10)


def test_the_classic_form_of_egger_has_the_slope_as_its_intercept():
    frame = made(15, slope=1.0)
    y, x = frame["coef"] / frame["std_error"], 1.0 / frame["std_error"]
    slope, intercept = np.polyfit(x, y, 1)
    row = rows_of(frame).loc["egger"]
    assert_close([row["estimate"], row["limit_estimate"]], [intercept, slope], rel=1e-9)
    half = (row["conf_high"] - row["conf_low"]) / 2.0
    assert_close(half / row["std_error"], 2.1603686564610127)  # t with 13 degrees of freedom


def test_three_studies_by_hand():
    """Weights 4, 1, 1 at standard errors 0.5, 1, 1: the line passes between the last two."""
    frame = pd.DataFrame({"coef": [0.0, 1.0, 2.0], "std_error": [0.5, 1.0, 1.0]})
    row = rows_of(frame, force=True).loc["egger"]
    assert_close([row["estimate"], row["limit_estimate"]], [3.0, -1.5])
    # residuals 0, -0.5, 0.5; variance 0.5 on one degree of freedom; Sxx = 4/36 + 2 * 4/36 = 1/3
    assert_close([row["std_error"], row["df"]], [np.sqrt(0.5 * 3.0), 1])
    assert_close(row["p_value"], 2.0 * (0.5 - np.arctan(3.0 / np.sqrt(1.5)) / np.pi))


def test_harbord_by_hand_on_one_table():
    """5/10 against 2/20: Z = 5 - 7/3, V = 10 * 20 * 7 * 23 / (900 * 29)."""
    from rnetstats.evidence.asymmetry import TESTS
    from rnetstats.evidence.study_effects import study_effects

    frame = pd.DataFrame(
        {"events_1": [5], "n_1": [10], "events_2": [2], "n_2": [20], "coef": 1.0, "std_error": 1.0}
    )
    effects = study_effects(frame, "coef", "std_error")
    y, x, w = (float(value[0]) for value in TESTS["harbord"].terms(effects))
    v = 32200.0 / 26100.0
    assert_close([y, x, w], [(8.0 / 3.0) / v, v**-0.5, v])
    assert_close(TESTS["peters"].terms(effects)[2], [7.0 * 23.0 / 30.0])


def test_below_ten_studies_the_tests_are_refused_with_the_reason():
    found = small_study_tests(made(9))
    assert found.to_frame()["p_value"].isna().all()
    assert found.ranks["p_normal"].isna().all()
    assert not found.forced
    assert "9 studies" in found.notes[0]
    assert found.display()["Remark"].str.startswith("refused").all()
    assert len(found.plot().lines) > 0  # the funnel is there all the same
    marked = small_study_tests(made(9), force=True)
    assert marked.forced
    assert marked.glance()["egger_p"].notna().all()
    assert any("by force with 9" in note for note in marked.notes)
    assert (marked.display()["Remark"].iloc[:2] == "fewer than 10 studies").all()


def test_no_variation_of_the_standard_errors_is_refused():
    found = small_study_tests(made(12).assign(std_error=0.3))
    rows = found.to_frame().set_index("test")
    assert rows.loc["egger", "reason"] == "the studies' standard errors do not differ"
    assert "do not differ" in rows.loc["begg", "reason"]
    assert rows["p_value"].isna().all()
    assert any("do not differ" in note for note in found.notes)


def test_effects_on_a_line_and_equal_effects_are_refused():
    frame = made(12)
    for coef in (2.0 + 3.0 * frame["std_error"], 0.0 * frame["coef"] + 0.7):
        rows = rows_of(frame.assign(coef=coef))
        assert rows.loc["egger", "reason"] == "the effects lie on a line exactly"


def test_counts_are_needed_for_two_tests_and_odds_ratios_too():
    rows = rows_of(studies("bcg_OR").drop(columns="n_2"), measure="OR")
    assert rows.loc["harbord", "reason"] == "needs the counts of both arms"
    rows = rows_of(studies("bcg_RR"), measure="RR")
    assert rows.loc["peters", "reason"] == "made for odds ratios"
    assert rows.loc["egger", "reason"] == ""


def test_two_studies_are_too_few_even_by_force():
    rows = rows_of(made(2), force=True)
    assert "takes three" in rows.loc["egger", "reason"]


def test_words_speak_of_small_study_effects():
    found = small_study_tests(studies("bcg_OR"), measure="OR")
    assert any("not publication bias" in note for note in found.notes)
    assert any("Harbord's and Peters' are made for it" in note for note in found.notes)


def test_arrays_and_columns_are_the_same():
    frame = made(12)
    other = frame.rename(columns={"coef": "y", "std_error": "s"})
    expected = rows_of(frame).loc[["egger", "begg"], "p_value"]
    for options in (
        {"coef": "y", "std_error": "s"},
        {"coef": frame["coef"].to_numpy(), "std_error": list(frame["std_error"])},
    ):
        pd.testing.assert_series_equal(
            rows_of(other, **options).loc[["egger", "begg"], "p_value"], expected
        )


def test_figures_of_synthetic_studies_say_so():
    axes = small_study_tests(made(12), synthetic=True).plot()
    assert "Synthetic data" in [text.get_text() for text in axes.texts]


BAD = {
    "no column": (lambda f: f.drop(columns="coef"), {}, ColumnError, "'coef'"),
    "misspelt": (lambda f: f, {"coef": "ceof"}, ColumnError, "Did you mean 'coef'"),
    "words": (lambda f: f.assign(coef="a"), {}, ColumnError, "no number"),
    "a scalar": (lambda f: f, {"coef": 1.0}, ColumnError, "float"),
    "too short": (lambda f: f, {"coef": [1.0]}, ColumnError, r"shape \(1,\)"),
    "negative error": (lambda f: f.assign(std_error=-f.std_error), {}, DataError, "above 0"),
    "zero error": (lambda f: f.assign(std_error=0.0), {}, DataError, "rows 1, 2"),
    "infinite": (lambda f: f.assign(coef=np.inf), {}, DataError, "finite"),
    "nothing": (lambda f: f.assign(coef=np.nan), {}, DataError, "No study"),
    "no rows": (lambda f: f.iloc[:0], {}, DataError, "No study"),
    "level": (lambda f: f, {"conf_level": 95}, OptionError, "conf_level"),
    "force": (lambda f: f, {"force": "yes"}, OptionError, "force"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(name):
    change, options, error, words = BAD[name]
    with pytest.raises(error, match=words):
        small_study_tests(change(made()), **options)


def test_studies_without_an_effect_are_counted():
    frame = made(12)
    frame.loc[3, "coef"] = np.nan
    found = small_study_tests(frame)
    assert found.glance()["k"].iloc[0] == 11
    assert found.notes[0] == "1 study without an effect, or not used, is left out."


@settings(max_examples=30)
@given(st.integers(3, 14), st.integers(0, 10_000), st.booleans())
def test_ranks_agree_with_a_second_implementation(k, seed, ties):
    rng = np.random.default_rng(seed)
    error = rng.integers(1, 6, k) / 2.0 if ties else rng.uniform(0.1, 1.0, k)
    frame = pd.DataFrame({"coef": rng.normal(size=k), "std_error": error})
    found = small_study_tests(frame, force=True).ranks.iloc[0]
    w = 1.0 / error**2
    deviates = (frame["coef"] - (w * frame["coef"]).sum() / w.sum()) / np.sqrt(1 / w - 1 / w.sum())
    if np.ptp(error) == 0.0:
        assert np.isnan(found["kendall_tau"])
        return
    tied = len(np.unique(error)) < k
    other = kendalltau(deviates, error**2, method="asymptotic" if tied else "exact")
    assert_close(found["kendall_tau"], other.statistic)
    assert_close(found["p_normal" if tied else "p_exact"], other.pvalue)
    assert found["ties"] == tied


@settings(max_examples=15)
@given(st.integers(10, 20), st.integers(0, 10_000), st.floats(0.01, 100.0))
def test_order_sign_and_unit_do_not_matter(k, seed, unit):
    frame = made(k, seed)
    row = rows_of(frame)
    again = rows_of(frame.sample(frac=1.0, random_state=seed))
    assert_close(again["p_value"], row["p_value"], rel=1e-7)
    flipped = rows_of(frame.assign(coef=-frame["coef"]))
    assert_close(flipped["p_value"], row["p_value"], rel=1e-7)
    assert_close(flipped.loc["egger", "estimate"], -row.loc["egger", "estimate"], rel=1e-7)
    scaled = rows_of(unit * frame)
    assert_close(scaled["p_value"], row["p_value"], rel=1e-6)


@pytest.mark.slow
def test_the_level_of_egger_is_kept_without_small_study_effects():
    rng = np.random.default_rng(3)
    p = []
    for _ in range(1000):
        error = rng.uniform(0.1, 0.9, 12)
        frame = pd.DataFrame({"coef": error * rng.normal(size=12), "std_error": error})
        p.append(rows_of(frame).loc["egger", "p_value"])
    share = np.mean(np.array(p) < 0.05)
    assert abs(share - 0.05) < 3.0 * np.sqrt(0.05 * 0.95 / 1000)


def test_variances_that_differ_by_rounding_alone_are_ties():
    # Events 1, 1, 3 and 1, 3, 1 of many: the sums of their inverses differ in the last bit.
    one, other = 1.0 / 1.0 + 1.0 / 1.0 + 1.0 / 3.0, 1.0 / 1.0 + 1.0 / 3.0 + 1.0 / 1.0
    v = np.array([one, other, 0.3, 0.7, 0.2, 0.9, 0.15, 0.45, 0.5, 1.1])
    y = np.array([0.1, 0.5, 0.2, 0.9, -0.1, 0.4, 0.3, 0.6, -0.2, 0.8])
    assert one != other
    found = small_study_tests(pd.DataFrame({"coef": y, "std_error": np.sqrt(v)})).ranks.iloc[0]
    v[1] = one
    deviates = (y - np.average(y, weights=1.0 / v)) / np.sqrt(v - 1.0 / (1.0 / v).sum())
    expected = kendalltau(deviates, v, method="asymptotic")
    assert bool(found["ties"])
    assert found["method"] == "normal"
    assert_close([found["kendall_tau"], found["p_value"]], [*expected])


def test_equal_effects_have_no_rank_correlation():
    error = np.sqrt([1 / 10 + 1 / 90, 1 / 20 + 1 / 180, 1 / 5 + 1 / 45, 0.7, 0.3])
    frame = pd.DataFrame({"coef": [np.log(4.0 / 9.0)] * 5, "std_error": error})
    row = rows_of(frame, force=True).loc["begg"]
    assert np.isnan(row["estimate"])
    assert "do not differ" in row["reason"]


def test_studies_with_one_event_or_one_other_are_informative() -> None:
    studies = pd.DataFrame(
        {
            "events_1": [0, 1, 0, 5, 4, 3],
            "n_1": [5, 5, 5, 5, 5, 6],
            "events_2": [0, 0, 1, 5, 5, 2],
            "n_2": [5, 5, 5, 5, 5, 0],
        }
    )
    found = _informative(StudyEffects(studies, np.arange(6.0), np.ones(6), 2))
    assert found.coef.tolist() == [1.0, 2.0, 4.0]
    assert found.left_out == 2 + 3


@pytest.mark.filterwarnings("error")
def test_one_study_has_no_rank_whatever_the_rounding():
    """Its effect less the pooled one is 0, or not by the last digit."""
    rng = np.random.default_rng(0)
    for coef, std_error in zip(rng.normal(size=200), rng.uniform(0.01, 2.0, 200), strict=True):
        one = {"study": ["A"], "coef": [coef], "std_error": [std_error]}
        row = meta_analysis(one, measure="generic").small_study_tests(force=True).to_frame()
        told = row.set_index("test").loc["begg"]
        assert told["reason"] == "1 study: a rank correlation takes two"
        assert np.isnan(told["p_value"])
