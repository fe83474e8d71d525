from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnetstats as rn
from competing_cases import cases_with, prepared, random_rows
from rnetstats.errors import DataError, FormulaError, OptionError
from rnetstats.survival.incidence import incidence
from rnetstats.survival.incidence_limits import BOUND
from support import assert_close, case, read

CASES = cases_with("cif")
CODED = "Surv(dfs_months, event_type)"


def fitted(name, **options):
    reference = case("competing", name)
    spec = reference["spec"]
    formula = f"Surv({spec['time']}, {spec['status']}) ~ {spec.get('group') or 1}"
    return rn.cumulative_incidence(prepared(reference), formula, **options)


@pytest.mark.parametrize("name", CASES)
def test_reference_curves_variances_and_limits(name):
    values = case("competing", name)["values"]
    aalen, delta = fitted(name, variance="aalen"), fitted(name, ci="log")
    jackknife = fitted(name, variance="jackknife", ci="log")
    assert list(aalen.groups) == values["groups"]
    for group, causes in values["cif"].items():
        for label, want in causes.items():
            keys = f"group == {group!r} and cause == {label.removeprefix('cause_')!r}"
            time = want["time"]
            mine = aalen.at(time, extend=True).query(keys)
            assert_close(mine["incidence"], want["cif"])
            if not any(want["cif"]):
                # cmprsk and survfit print a variance of 0; here an exact bound stands instead
                assert mine["std_error"].isna().all()
                assert mine["method"].eq(BOUND).all()
                assert mine["conf_high"].gt(0.0).all()
                continue
            assert_close(mine["std_error"], want["se_cmprsk"])
            assert_close(mine["std_error"] ** 2, want["variance_cmprsk"], floor=1e-16)
            assert_close(mine["conf_low"], want["ci_loglog_lower"])
            assert_close(mine["conf_high"], want["ci_loglog_upper"])
            for found in (delta, jackknife):
                mine = found.at(time, extend=True).query(keys)
                assert_close(mine["incidence"], want["survfit_pstate"])
                assert_close(mine["std_error"], want["survfit_std_err"])
                assert_close(mine["conf_low"], want["survfit_ci_lower"])
                assert_close(mine["conf_high"], want["survfit_ci_upper"])
    events = aalen.counts.groupby("cause")["n_events"].sum()
    assert {f"cause_{c}": n for c, n in events.items()} == values["n_events"]


@pytest.mark.parametrize("variance", ["delta", "aalen", "jackknife"])
def test_before_the_first_event_the_standard_error_is_0_as_of_survival(variance):
    # survfit and cmprsk print 0 there; in a curve without any event there is none
    data = {"t": [1, 2, 3, 4, 5, 6], "code": [0, 2, 1, 0, 1, 0], "g": [0, 0, 0, 0, 1, 1]}
    found = rn.cumulative_incidence(data, "Surv(t, code) ~ g", variance=variance)
    frame = found.to_frame().set_index(["group", "cause", "time"])["std_error"]
    at = found.at([0.5, 2.5]).set_index(["group", "cause", "time"])["std_error"]
    survival = rn.kaplan_meier(data, "Surv(t, code == 1) ~ g").at([0.5, 2.5])["std_error"]
    assert frame["0", "1"].loc[[1, 2]].tolist() == [0.0, 0.0]
    assert at["0", "1"].tolist() == [0.0, 0.0] == survival[:2].tolist()
    assert frame["1", "2"].isna().all()
    assert at["1", "2"].isna().all()


def test_a_table_worked_by_hand():
    # 1: recurrence among 5; 2: a death and a censoring; 3: one of each among 2
    data = {"t": [1, 2, 2, 3, 3], "code": [1, 2, 0, 1, 2]}
    found = rn.cumulative_incidence(data, "Surv(t, code) ~ 1", ci="plain")
    one, two = (found.to_frame().query(f"cause == '{c}'") for c in "12")
    assert_close(one["incidence"], [1 / 5, 1 / 5, 1 / 5 + 3 / 5 / 2])
    assert_close(two["incidence"], [0, 4 / 5 / 4, 1 / 5 + 3 / 5 / 2])
    assert_close(found.event_free()["survival"], [4 / 5, 3 / 5, 0])
    assert one["n_risk"].tolist() == [5, 4, 2]
    assert one["n_event"].tolist() == [1, 0, 1]
    assert one["n_censor"].tolist() == [0, 1, 0]
    # just after 1: a share of 1 in 5
    assert_close(one["std_error"].iloc[0], np.sqrt(0.2 * 0.8 / 5))
    at = found.at([0.5, 2.5, 9])
    assert_close(at.query("cause == '2'")["incidence"], [0, 0.2, 0.5])
    assert not at["beyond"].any()


@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(1, 3))
def test_incidences_and_event_free_survival_add_up_to_one(seed, n, causes):
    data = random_rows(seed, n, causes=causes)
    if not data["code"].any():
        return
    found = rn.cumulative_incidence(data, "Surv(t, code) ~ g")
    total = found.to_frame().groupby(["group", "time"])["incidence"].sum()
    free = found.event_free().set_index(["group", "time"])["survival"]
    assert_close(total + free, np.ones(len(free)))
    limits = found.to_frame()
    known = limits["conf_low"].notna()
    assert (limits["conf_low"] <= limits["incidence"] + 1e-12)[known].all()
    assert (limits["conf_high"] >= limits["incidence"] - 1e-12)[known].all()
    assert (limits["conf_high"] > limits["conf_low"])[known].all()


@pytest.mark.parametrize(("mine", "theirs"), [("cloglog", "log-log"), ("plain", "plain")])
@given(st.integers(0, 10_000))
def test_one_cause_gives_one_less_kaplan_meier_and_its_limits(mine, theirs, seed):
    data = random_rows(seed, 30, causes=1)
    if not data["code"].any():
        return
    curve = rn.kaplan_meier(data, "Surv(t, code) ~ g", ci=theirs).to_frame()
    found = rn.cumulative_incidence(data, "Surv(t, code) ~ g", ci=mine).to_frame()
    assert_close(found["incidence"], 1.0 - curve["survival"])
    seen = found["incidence"].gt(0.0)
    columns = ["std_error", "conf_low", "conf_high"]
    assert_close(found.loc[seen, columns[0]], curve.loc[seen, columns[0]], rel=1e-9)
    inside = seen & found["conf_low"].gt(0) & found["conf_high"].lt(1)
    assert_close(found.loc[inside, "conf_low"], 1.0 - curve.loc[inside, "conf_high"])
    assert_close(found.loc[inside, "conf_high"], 1.0 - curve.loc[inside, "conf_low"])


@pytest.mark.parametrize("variance", ["delta", "aalen", "jackknife"])
@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_weights_are_replicated_rows_in_any_order_and_unit_of_time(variance, seed):
    data = random_rows(seed, 24)
    if not data["code"].any():
        return
    formula = "Surv(t, code) ~ g"
    weighted = rn.cumulative_incidence(data, formula, freq_weights="w", variance=variance)
    copies = data.loc[data.index.repeat(data["w"])].sample(frac=1.0, random_state=seed)
    copies["t"] *= 30.0
    again = rn.cumulative_incidence(copies, formula, variance=variance).to_frame()
    again["time"] /= 30.0
    weighted_frame = weighted.to_frame()
    again = again.merge(weighted_frame[["group", "cause", "time"]], how="right")
    numbers = ["n_risk", "n_event", "incidence", "std_error", "conf_low", "conf_high"]
    assert_close(again[numbers], weighted_frame[numbers].to_numpy())


@given(st.integers(0, 10_000))
def test_the_jackknife_is_the_sum_of_squared_derivatives(seed):
    rng = np.random.default_rng(seed)
    n = 14
    stop = rng.integers(2, 9, n).astype(float)
    start = np.minimum(rng.integers(0, 5, n), stop - 1.0)
    code, cluster = rng.integers(0, 3, n), rng.integers(0, 5, n)
    weights = rng.integers(1, 4, n).astype(float)

    def curves(w):
        return incidence(stop, code, 2, start=start, weights=w).incidence

    step = 1e-5
    slopes = np.stack(
        [(curves(weights + step * e) - curves(weights - step * e)) / (2 * step) for e in np.eye(n)]
    )
    kind = {"start": start, "weights": weights, "variance": "jackknife"}
    rows = incidence(stop, code, 2, **kind).variance
    assert_close(rows, (weights[:, None, None] * slopes**2).sum(axis=0), rel=1e-6, floor=1e-8)
    sums = np.zeros((5, *rows.shape))
    np.add.at(sums, cluster, weights[:, None, None] * slopes)
    clusters = incidence(stop, code, 2, cluster=cluster, **kind).variance
    assert_close(clusters, (sums**2).sum(axis=0), rel=1e-6, floor=1e-8)


def test_a_cause_without_events_gets_an_exact_bound_or_a_refusal():
    data = read("rnet_like_b.csv")
    found = rn.cumulative_incidence(data, f"{CODED} ~ method")
    keys = "group == 'ESD' and cause == '1'"
    frame = found.to_frame().query(keys)
    assert frame["n_event"].sum() == 0
    assert frame["std_error"].isna().all()
    assert frame["method"].eq(BOUND).all()
    assert any("ESD, 1: no event" in note and BOUND in note for note in found.notes)
    months = data.query("method == 'ESD'")["dfs_months"]
    left = [len(months), (months > 12).sum(), (months > 60).sum()]
    at = found.at([0, 12, 60]).query(keys)
    assert at["conf_low"].tolist() == [0.0] * 3
    assert_close(at["conf_high"], 1.0 - 0.025 ** (1.0 / np.array(left)))
    bare = rn.cumulative_incidence(data, f"{CODED} ~ method", variance="jackknife")
    frame = bare.to_frame().query(keys)
    assert frame[["std_error", "conf_low", "conf_high"]].isna().all(axis=None)
    assert any("no bound is defined" in note for note in bare.notes)


def test_the_limits_before_a_first_event_are_told():
    data = {"t": [1, 2, 3, 4, 5, 6], "code": [0, 1, 2, 1, 0, 1]}
    found = rn.cumulative_incidence(data, "Surv(t, code) ~ 1")
    assert f"Before a curve's first event its limits are 0 and the {BOUND}." in found.notes
    bare = rn.cumulative_incidence(data, "Surv(t, code) ~ 1", variance="jackknife")
    assert "Before its first event a curve has no limits." in bare.notes


@pytest.mark.parametrize("ci", ["log-log", "cloglog", "log", "plain"])
def test_no_interval_has_width_zero(ci):
    data = {"t": [1, 2, 3, 4], "code": [0, 1, 0, 1], "g": list("aabb")}
    found = rn.cumulative_incidence(data, "Surv(t, code) ~ g", ci=ci)
    frame = found.to_frame()
    known = frame["conf_low"].notna()
    assert (frame["conf_high"] > frame["conf_low"])[known].all()
    assert frame.loc[frame["incidence"].ge(1.0), ["std_error", "conf_low"]].isna().all(axis=None)
    assert any("reaches 1 at 2" in note for note in found.notes)
    assert any("1 event; " in note for note in found.notes)
    assert "nan" not in found.display().to_string()


def test_late_entry_counts_rows_only_while_at_risk():
    data = {"a": [0, 0, 2, 3], "b": [2, 4, 5, 6], "code": [1, 2, 1, 0]}
    found = rn.cumulative_incidence(data, "Surv(a, b, code) ~ 1")
    one = found.to_frame().query("cause == '1'")
    assert one["n_risk"].tolist() == [2, 3, 2, 1]
    assert_close(one["incidence"], [1 / 2, 1 / 2, 1 / 2 + 1 / 2 * 2 / 3 / 2, 2 / 3])
    assert found.risk_table([2, 3, 3.5])["n_risk"].tolist() == [2, 2, 3]
    assert found.at(1)["conf_low"].isna().all()


def test_clusters_make_the_variance_a_jackknife():
    data = random_rows(3, 60).assign(id=np.arange(60) // 2)
    plain = rn.cumulative_incidence(data, "Surv(t, code) ~ 1")
    found = rn.cumulative_incidence(data, "Surv(t, code) ~ 1 + cluster(id)")
    assert found.options["variance"] == "jackknife"
    assert_close(found.to_frame()["incidence"], plain.to_frame()["incidence"])
    single = data.assign(id=np.arange(60))
    alone = rn.cumulative_incidence(single, "Surv(t, code) ~ 1 + cluster(id)").to_frame()
    assert_close(alone["std_error"], plain.to_frame()["std_error"])


def test_one_cause_asked_for_is_estimated_beside_the_others():
    data = read("rnet_like_b.csv")
    both = rn.cumulative_incidence(data, f"{CODED} ~ margin_positive").to_frame()
    one = rn.cumulative_incidence(data, f"{CODED} ~ margin_positive", cause=2)
    assert one.causes == ("2",)
    want = both.query("cause == '2'").reset_index(drop=True)
    pd.testing.assert_frame_equal(one.to_frame(), want)
    with pytest.raises(OptionError, match="only with all causes"):
        one.plot(kind="stacked")


def test_codes_may_be_text_and_meanings_come_from_the_codebook():
    cohort = rn.load_cohort("duan2024")
    found = rn.cumulative_incidence(cohort, f"{CODED} ~ 1")
    assert found.meaning == {"1": "recurrence", "2": "death without recurrence"}
    words = cohort["event_type"].map({0: "free", 1: "recurrence", 2: "death"})
    text = rn.cumulative_incidence(
        {"t": cohort["dfs_months"], "e": words}, "Surv(t, e) ~ 1", censor="free"
    )
    assert text.causes == ("death", "recurrence")
    mine = text.to_frame().query("cause == 'recurrence'")["incidence"]
    assert_close(mine, found.to_frame().query("cause == '1'")["incidence"])


@pytest.mark.parametrize(
    ("change", "formula", "options", "error", "message"),
    [
        ({"code": [0, 1, 2, 1.5]}, "Surv(t, code) ~ 1", {}, DataError, "1.5 in row 4"),
        ({"code": [0, 0, 0, 0]}, "Surv(t, code) ~ 1", {}, DataError, "has no event"),
        ({}, "Surv(t, code) ~ 1", {"cause": 3}, OptionError, "cause=3 is no event"),
        ({}, "Surv(t, code) ~ 1", {"censor": "no"}, OptionError, "is text"),
        ({"t": [1, 2, -3, 4]}, "Surv(t, code) ~ 1", {}, DataError, "negative in row 3"),
        ({}, "Surv(late, t, code) ~ 1", {}, DataError, "not before 't' in rows 1, 2, 3, 4"),
        ({}, "Surv(t, code) ~ 1", {"variance": "robust"}, OptionError, "variance='robust'"),
        ({}, "Surv(t, code) ~ 1", {"ci": "logit"}, OptionError, "ci='logit'"),
        ({}, "Surv(t, code) ~ strata(g)", {}, FormulaError, "groups, not strata"),
        ({}, "Surv(t, code == 1) ~ 1", {}, FormulaError, "by the option cause="),
        ({}, "code ~ 1", {}, FormulaError, r"needs Surv\(time, code\)"),
        (
            {},
            "Surv(t, code) ~ 1 + cluster(g)",
            {"variance": "aalen"},
            OptionError,
            "with cluster",
        ),
    ],
)
def test_what_is_refused(change, formula, options, error, message):
    data = {"t": [1, 2, 3, 4], "code": [0, 1, 2, 1], "g": list("aabb"), "late": [9, 9, 9, 9]}
    with pytest.raises(error, match=message):
        rn.cumulative_incidence({**data, **change}, formula, **options)


def test_everybody_with_an_event_and_times_past_the_end():
    data = {"t": [1, 2, 3], "code": [1, 2, 1]}
    found = rn.cumulative_incidence(data, "Surv(t, code) ~ 1")
    assert any("No row has the censoring code 0" in note for note in found.notes)
    assert_close(found.at(99)["incidence"], [2 / 3, 1 / 3])
    open_ended = rn.cumulative_incidence({"t": [1, 2], "code": [1, 0]}, "Surv(t, code) ~ 1")
    past = open_ended.at(5)
    assert past["beyond"].all()
    assert past["incidence"].isna().all()
    assert open_ended.at(5, extend=True)["incidence"].tolist() == [0.5]


def test_figures_show_what_was_asked_for():
    cohort = rn.load_cohort("duan2024")
    found = rn.cumulative_incidence(cohort, f"{CODED} ~ margin_positive")
    axes = found.plot()
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts[0] == "no, recurrence (events: 1)"
    assert len(texts) == 4
    assert "axis ends at" in axes.get_ylabel()
    one = found.plot(cause=1, band=False)
    assert [t.get_text() for t in one.get_legend().get_texts()] == [
        "no (events: 1)",
        "yes (events: 11)",
    ]
    assert one.get_ylabel().startswith("Cumulative incidence of recurrence\n(axis ends at ")
    assert axes.get_ylabel().startswith("Cumulative incidence\n(axis ends at ")
    stacked = found.plot(kind="stacked")
    assert len(stacked.figure.axes) == 2
    areas = [area.get_paths()[0].get_extents() for area in stacked.collections]
    assert areas[-1].y1 == pytest.approx(1.0)
    texts = [t.get_text() for t in stacked.figure.axes[-1].get_legend().get_texts()]
    assert texts == ["event-free", "death without recurrence", "recurrence"]
    _, ax = plt.subplots()
    with pytest.raises(OptionError, match="One ax holds one group"):
        found.plot_stacked(ax)
    assert found.plot_stacked(ax, group="1") is ax
    with pytest.raises(OptionError, match="group='2' is not in this result"):
        found.plot_stacked(group="2")
    with pytest.raises(OptionError, match="kind='steps'"):
        found.plot(kind="steps")
    plt.close("all")
