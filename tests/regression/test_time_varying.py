from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import rnetstats as rn
from rnetstats._core.schema import COEFFICIENT_COLUMNS
from rnetstats.errors import (
    DataError,
    FormulaError,
    OptionError,
    TooFewEventsError,
)
from rnetstats.formula.design import model_frame
from rnetstats.regression.time_split import split_rows
from rnetstats.regression.time_varying import TimeVaryingResult
from support import assert_close, read

FORMULA = "Surv(time, status) ~ x + karno"

# R 4.2.2, survival 3.5-3, run by hand on reference/data/veteran.csv with x = trt - 1 and
# coxph.control(eps = 1e-13, toler.chol = 1e-15, iter.max = 100):
# coxph(Surv(time, status) ~ x + karno + tt(karno), tt = function(x, t, ...) x * log(t)), x * t;
# survSplit(cut = c(90, 180), episode = "ep"), coxph(Surv(tstart, time, status) ~ x +
# karno:strata(ep)): coef, sqrt(diag(vcov)), loglik[2]; the constant model's loglik is CONSTANT
TT = {
    "log": (
        [-0.0831460408641528, 0.0132357500412847, 0.0289372209196487],
        [0.01716866651005954, 0.00433792661814879, 0.18942021490437502],
        -478.943876952613,
    ),
    "identity": (
        [-4.20782985373180e-02, 9.78269645966243e-05, 9.46894958787949e-02],
        [6.40961575682249e-03, 4.69028384702349e-05, 1.87911309232657e-01],
        -481.719247516269,
    ),
    "steps": (
        [-0.04894802372711853, 0.00820230549934784, -0.00880305949257491, -0.01324266291391139],
        [0.00620366208036189, 0.01287205201002634, 0.01459269590548034, 0.18888123159509870],
        -473.974627226066,
    ),
}
CONSTANT = -483.965694110110


@pytest.fixture(scope="module")
def veteran():
    return read("veteran.csv").assign(x=lambda d: d["trt"] - 1)


@pytest.fixture(scope="module")
def cohort():
    return rn.load_cohort("duan2024")


@pytest.mark.parametrize("change", TT)
def test_fits_are_those_of_coxph(veteran, change):
    how = {"cuts": [90, 180]} if change == "steps" else {"function": change}
    fit = rn.time_varying_effect(veteran, FORMULA, term="karno", penalty=None, **how)
    frame = fit.to_frame()
    coef, error, value = TT[change]
    assert tuple(frame.columns) == COEFFICIENT_COLUMNS
    assert_close(frame["coef"], coef)
    assert_close(frame["std_error"], error)
    assert_close(fit.glance()["log_likelihood"], [value])
    assert_close(fit.test["statistic"], [2 * (value - CONSTANT)])
    assert fit.test["df"].iloc[0] == (2 if change == "steps" else 1)
    assert fit.test["method"].iloc[0] == "likelihood ratio"


def test_rows_and_counts_are_of_patients(veteran):
    fit = rn.time_varying_effect(veteran, FORMULA, term="x", cuts=[90, 180])
    frame = fit.to_frame()
    assert frame["level"].tolist() == ["(0, 90]", "(90, 180]", "(180, inf)", ""]
    assert frame["n"].tolist() == [
        137,
        (veteran["time"] > 90).sum(),
        (veteran["time"] > 180).sum(),
        137,
    ]
    assert frame["n_events"].iloc[:3].sum() == frame["n_events"].iloc[3] == 128
    first = veteran[(veteran["time"] <= 90) & (veteran["status"] == 1)]
    part = fit.intervals.head(2)
    assert part["arm"].tolist() == ["0", "1"]
    assert part["n_events"].tolist() == first.groupby("x").size().tolist()


def test_splitting_loses_nothing(veteran):
    frame = model_frame(veteran, FORMULA, kind="survival", intercept=False)
    cuts = np.array([1.0, 90.0, 999.0])
    split = split_rows(frame, cuts)
    lengths = np.bincount(split.source, split.stop - split.start)
    assert_close(lengths, veteran["time"])
    assert split.event.sum() == veteran["status"].sum()
    assert (split.start < split.stop).all()
    for cut in cuts:
        assert not ((split.start < cut) & (cut < split.stop)).any()
    # a row that ends at a cut is not split there
    at = split_rows(frame, np.array([float(veteran["time"].iloc[0])]))
    assert (at.source == 0).sum() == 1


def test_constant_coefficients_are_those_of_cox_with_firth(cohort):
    """The tests of constancy compare with the plain model: its penalised likelihood is smaller."""
    formula = "Surv(dfs_months, dfs_event) ~ margin_positive + age"
    fit = rn.time_varying_effect(cohort, formula, term="margin_positive", cuts=[36])
    rows = fit.to_frame()
    assert rows["method"].str.startswith("Firth").all()
    # the same time unit, other numbers for it
    days = cohort.assign(dfs_months=cohort["dfs_months"] * 30)
    again = rn.time_varying_effect(days, formula, term="margin_positive", cuts=[36 * 30])
    assert_close(again.to_frame()["coef"], rows["coef"], rel=1e-7)
    assert_close(again.test["p_value"], fit.test["p_value"], rel=1e-6)


def test_an_interval_without_events_in_an_arm_stays_finite_under_firth(cohort):
    fit = rn.time_varying_effect(
        cohort, "Surv(dfs_months, recurrence) ~ margin_positive", term="margin_positive", cuts=36
    )
    assert np.isfinite(fit.to_frame()["coef"]).all()
    assert any("(0, 36], 0 (0)" in note for note in fit.notes)


def test_factors_strata_weights_and_late_entry(cohort):
    formula = "Surv(dfs_months, dfs_event) ~ location + strata(sex)"
    fit = rn.time_varying_effect(cohort, formula, term="location", cuts=[24, 48])
    levels = fit.to_frame()["level"].tolist()
    assert levels[:2] == ["upper: (0, 24]", "lower: (0, 24]"]
    assert fit.test["df"].iloc[0] == 4
    data = cohort.assign(w=1 + cohort["age"].astype(int) % 2, entry=0.0)
    late = "Surv(entry, dfs_months, dfs_event) ~ margin_positive"
    written = data.loc[np.repeat(data.index, data["w"])].reset_index(drop=True)
    one = rn.time_varying_effect(
        data, late, term="margin_positive", function="log", freq_weights="w", penalty=None
    )
    two = rn.time_varying_effect(
        written, late, term="margin_positive", function="log", penalty=None
    )
    columns = ["n", "n_events", "coef", "std_error"]
    assert_close(one.to_frame()[columns], two.to_frame()[columns].to_numpy(), rel=1e-7)
    clustered = rn.time_varying_effect(
        cohort,
        "Surv(dfs_months, dfs_event) ~ margin_positive + cluster(centre)",
        term="margin_positive",
        cuts=[36],
        penalty=None,
    )
    assert "Wald" in clustered.test["method"].iloc[0]


def test_what_cannot_be_split_is_refused(veteran):
    for options, error, words in (
        ({"term": "karnof", "cuts": [90]}, OptionError, "Did you mean 'karno'"),
        ({"term": "karno"}, OptionError, "one of them"),
        ({"term": "karno", "cuts": [90], "function": "log"}, OptionError, "one of them"),
        ({"term": "karno", "cuts": [90, 30]}, OptionError, "rise"),
        ({"term": "karno", "cuts": [0]}, OptionError, "above 0"),
        ({"term": "karno", "cuts": "x"}, OptionError, "cuts"),
        ({"term": "karno", "cuts": [5000]}, OptionError, "last event is at"),
        ({"term": "karno", "cuts": [600, 700]}, TooFewEventsError, "No event lies in"),
        ({"term": "karno", "function": "sqrt"}, OptionError, "function"),
        ({"term": "karno", "cuts": [90], "penalty": "ridge"}, OptionError, "penalty"),
    ):
        with pytest.raises(error, match=words):
            rn.time_varying_effect(veteran, FORMULA, **options)
    with pytest.raises(OptionError, match="interaction"):
        rn.time_varying_effect(veteran, "Surv(time, status) ~ x * karno", term="karno", cuts=[90])
    with pytest.raises(TooFewEventsError, match="No row"):
        rn.time_varying_effect(veteran.assign(status=0), FORMULA, term="x", cuts=[90])
    with pytest.raises(FormulaError):
        rn.time_varying_effect(veteran, "status ~ x", term="x", cuts=[90])
    early = veteran.assign(time=veteran["time"].where(veteran.index > 0, 0))
    with pytest.raises(DataError, match="above 0"):
        rn.time_varying_effect(early, FORMULA, term="x", function="log")
    # with steps a time of 0 is one like others, as it is in cox()
    moved = early.assign(time=early["time"] + 1)
    one = rn.time_varying_effect(early, FORMULA, term="x", cuts=[90])
    two = rn.time_varying_effect(moved, FORMULA, term="x", cuts=[91])
    assert_close(one.to_frame()["coef"], two.to_frame()["coef"])


def test_json_and_figures(cohort):
    formula = "Surv(dfs_months, dfs_event) ~ margin_positive + age"
    for how in ({"cuts": [36]}, {"function": "log"}):
        fit = rn.time_varying_effect(cohort, formula, term="margin_positive", **how)
        again = TimeVaryingResult.from_dict(json.loads(json.dumps(fit.to_dict())))
        pd.testing.assert_frame_equal(again.to_frame(), fit.to_frame())
        axes = again.plot()
        assert axes.get_yscale() == "log"
        assert "P of a constant ratio" in axes.get_title(loc="left")
        assert (fit.curves["conf_low"] < fit.curves["estimate"]).all()
    # at g(t) = 0 the curve is the first coefficient
    one = fit.curves["estimate"].to_numpy()
    rows = fit.to_frame()
    last = fit.curves["stop"].iloc[-1]
    want = rows["coef"].iloc[0] + rows["coef"].iloc[1] * np.log(last)
    assert_close(np.log(one[-1]), want)
    plt.close("all")


def test_the_table_names_terms_by_their_labels_as_cox_does(cohort):
    formula = "Surv(dfs_months, dfs_event) ~ margin_positive + size_mm"
    printed = list(dict.fromkeys(rn.cox(cohort, formula).display()["term"]))
    assert "size_mm" not in printed
    steps = rn.time_varying_effect(cohort, formula, term="margin_positive", cuts=[36])
    assert list(dict.fromkeys(steps.display()["term"])) == printed
    again = TimeVaryingResult.from_dict(json.loads(json.dumps(steps.to_dict())))
    pd.testing.assert_frame_equal(again.display(), steps.display())
    smooth = rn.time_varying_effect(cohort, formula, term="margin_positive", function="log")
    assert smooth.display()["term"].tolist() == [
        printed[0],
        f"{printed[0]}:log(t)",
        printed[1],
    ]


def test_the_last_interval_is_shown_in_words(cohort):
    formula = "Surv(dfs_months, dfs_event) ~ location"
    fit = rn.time_varying_effect(cohort, formula, term="location", cuts=[12])
    shown = fit.display()["level"]
    assert shown.str.contains("after 12").any()
    assert not shown.str.contains("inf").any()
    assert not any("inf)" in note for note in fit.notes)
