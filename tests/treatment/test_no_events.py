"""Bounds where nothing happened: worked bounds, coverage by enumeration, agreement with curves."""

from __future__ import annotations

import json
import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, poisson

import rnetstats as rn
from rnetstats.errors import DataError, FormulaError, OptionError
from rnetstats.treatment.bounds_from_summary import least_person_time
from support import assert_close, case, read


@pytest.mark.parametrize(("n", "shown"), [(44, "8.0"), (98, "3.7"), (322, "1.1")])
def test_risk_by_hand(n: int, shown: str) -> None:
    found = rn.no_events(n=n)
    assert_close(found.bound("risk"), 1 - 0.025 ** (1 / n))
    assert f"{100 * found.bound('risk'):.1f}" == shown
    assert_close(found.bound("risk", sides="one-sided"), 1 - 0.05 ** (1 / n))
    three = found.to_frame().query("method == 'rule of three'")["conf_high"].item()
    assert_close(three, 3 / n)


def test_notes_speak_of_follow_up_where_there_is_one() -> None:
    assert rn.no_events({"e": [0] * 30}, "e ~ 1").notes == ("The endpoint is e.",)
    timed = rn.no_events({"t": [5.0] * 30, "e": [0] * 30}, "Surv(t, e) ~ 1").notes
    assert "within each patient's own follow-up" in timed[1]


def test_printed_median_by_hand() -> None:
    """322 patients, median 40.49 months: at least 161 x 40.49 / 12 = 543.2 patient-years."""
    found = rn.no_events(n=322, median_follow_up=40.49)
    years = 161 * 40.49 / 12
    assert_close(found.glance()["person_time"], [years])
    assert_close(found.bound("rate"), -math.log(0.025) / years * 100)
    assert_close(found.bound("rate", sides="one-sided"), -math.log(0.05) / years * 100)
    assert_close(found.bound("survival"), 0.025 ** (1 / 161))
    assert_close(found.bound("survival", sides="one-sided"), 0.05 ** (1 / 161))
    assert any("161 x 40.49" in note for note in found.notes)


@given(times=st.lists(st.floats(0.1, 100), min_size=1, max_size=40))
def test_the_least_person_time_is_a_bound(times: list[float]) -> None:
    least = least_person_time(len(times), float(np.median(times)), min(times))
    assert least <= sum(times) * (1 + 1e-12)
    assert least_person_time(len(times), float(np.median(times))) <= least * (1 + 1e-12)


def test_the_least_person_time_is_reached() -> None:
    assert_close(least_person_time(5, 10.0, 2.0), sum([2.0, 2.0, 10.0, 10.0, 10.0]))


def test_estimates_beside_the_bounds_by_hand() -> None:
    data = {"t": [12.0, 24, 36, 48, 60, 30, 40], "e": [1, 0, 1, 0, 0, 0, 0], "g": list("aaaaabb")}
    frame = rn.no_events(data, "Surv(t, e) ~ g").to_frame()
    for group, risk, rate in (("a", 2 / 5, 100 * 2 / 15), ("b", 0.0, 0.0)):
        rows = frame[frame["group"] == group].set_index("measure")["estimate"]
        assert_close(rows["risk"].unique(), [risk])
        assert_close(rows["rate"].unique(), [rate])
    # of a person-time that is only bounded there is no rate but 0
    for events, rate in ((0, 0.0), (2, math.nan)):
        frame = rn.no_events(n=40, events=events, median_follow_up=24.0).to_frame()
        assert_close(frame["estimate"][frame["measure"] == "rate"].unique(), [rate])
        assert_close(frame["estimate"][frame["measure"] == "risk"].unique(), [events / 40])


def test_units_do_not_matter() -> None:
    months = rn.no_events(n=50, person_time=2400.0)
    years = rn.no_events(n=50, person_time=200.0, unit="years")
    assert_close(months.bound("rate"), years.bound("rate"))


@pytest.mark.slow
@pytest.mark.parametrize("n", [10, 44])
def test_upper_limits_hold_at_every_risk(n: int) -> None:
    """Clopper-Pearson, one-sided: it misses the risk in at most 5 % of samples."""
    k = np.arange(n + 1)
    upper = [rn.no_events(n=n, events=int(x)).bound("risk", sides="one-sided") for x in k]
    for risk in np.linspace(0.001, 0.999, 97):
        assert binom.pmf(k, n, risk)[np.array(upper) < risk].sum() <= 0.05 + 1e-12
    rates = [rn.no_events(person_time=1200.0, events=int(x)).bound("rate") for x in range(40)]
    for mean in np.linspace(0.01, 15.0, 60):
        missed = poisson.pmf(np.arange(40), mean)[np.array(rates) < mean].sum()
        assert missed <= 0.025 + 1e-12


@pytest.mark.parametrize("name", ["zero_events_bpcp", "rnet_a_bpcp"])
def test_reference_limits_of_survival(name: str) -> None:
    reference = case("bounds", name)
    spec, expected = reference["spec"], reference["values"]
    formula = f"Surv({spec['time']}, {spec['event']}) ~ 1"
    found = rn.no_events(read(reference["data"]), formula, times=expected["times"]).to_frame()
    rows = found.query("measure == 'survival' and sides == 'two-sided'")
    assert rows["time"].tolist() == expected["times"]
    assert_close(rows["estimate"], expected["surv"])
    assert_close(rows["conf_low"], expected["lower"])
    assert_close(rows["conf_high"], expected["upper"])


def test_groups_of_a_cohort() -> None:
    data = pd.DataFrame(
        {"t": [12.0, 24, 36, 48, 60, 6], "e": [0, 0, 0, 0, 0, 0], "g": list("aaabbb")}
    )
    found = rn.no_events(data, "Surv(t, e) ~ g", times=24)
    frame = found.to_frame()
    assert frame["group"].unique().tolist() == ["a", "b"]
    assert_close(found.bound("risk", group="b"), 1 - 0.025 ** (1 / 3))
    assert_close(found.bound("rate", group="a"), -math.log(0.025) / (72 / 12) * 100)
    assert_close(found.bound("survival", group="b"), 0.025 ** (1 / 2))  # two are left past 24
    assert_close(found.bound("survival", group="a"), 0.025)  # one is left past 24
    assert (found.display().to_numpy() != "nan").all()
    json.dumps(found.to_dict())
    risks = rn.no_events(data, "e ~ g")
    assert risks.to_frame()["measure"].unique().tolist() == ["risk"]


def test_a_few_events() -> None:
    found = rn.no_events(n=181, events=3, median_follow_up=40.0).to_frame()
    risk = found.query("measure == 'risk' and sides == 'two-sided'").iloc[0]
    exact = rn.exact_proportion(3, 181).method("central")
    assert_close(risk[["conf_low", "conf_high"]].astype(float), exact[["conf_low", "conf_high"]])
    rate = found.query("measure == 'rate' and sides == 'two-sided'").iloc[0]
    assert rate["conf_low"] == 0.0  # a bound of person-time bounds the rate from above alone
    assert np.isnan(rate["estimate"])
    assert "survival" not in set(found["measure"])


def test_everybody_had_it() -> None:
    assert rn.no_events(n=5, events=5).bound("risk") == 1.0


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({}, OptionError),
        ({"n": 0}, OptionError),
        ({"n": -3}, OptionError),
        ({"n": 10, "events": -1}, OptionError),
        ({"n": 10, "events": 11}, DataError),
        ({"n": 10, "person_time": 0.0}, OptionError),
        ({"n": 10, "median_follow_up": 0.0}, OptionError),
        ({"median_follow_up": 5.0}, OptionError),
        ({"n": 10, "median_follow_up": 12.0, "person_time": 10.0}, OptionError),
        ({"n": 10, "median_follow_up": 12.0, "times": 13.0}, OptionError),
        ({"n": 10, "median_follow_up": 12.0, "times": -1.0}, OptionError),
        ({"n": 10, "median_follow_up": 12.0, "times": "a"}, OptionError),
        ({"n": 10, "median_follow_up": 12.0, "shortest_follow_up": 13.0}, OptionError),
        ({"n": 10, "times": 12.0}, OptionError),
        ({"n": 10, "unit": "fortnights"}, OptionError),
        ({"n": 10, "conf_level": 95}, OptionError),
    ],
)
def test_bad_summaries(options: dict, error: type) -> None:
    with pytest.raises(error):
        rn.no_events(**options)


def test_bad_data() -> None:
    data = {"t": [1.0, 2.0], "e": [0, 0], "s": [0.0, 0.5], "g": ["a", "b"]}
    with pytest.raises(OptionError, match="together with a formula"):
        rn.no_events(data)
    with pytest.raises(OptionError, match="either data"):
        rn.no_events(data, "e ~ 1", n=2)
    with pytest.raises(FormulaError, match="from time 0"):
        rn.no_events(data, "Surv(s, t, e) ~ 1")
    with pytest.raises(FormulaError, match="times="):
        rn.no_events(data, "e ~ 1", times=3)
    with pytest.raises(FormulaError, match="strata"):
        rn.no_events(data, "Surv(t, e) ~ strata(g)")
    with pytest.raises(OptionError, match="come from the data"):
        rn.no_events(data, "e ~ 1", events=1)


def test_a_figure_says_what_its_groups_are() -> None:
    cohort = rn.load_cohort("duan2024")
    found = rn.no_events(cohort, "Surv(dfs_months, recurrence) ~ margin_positive", times=60)
    axes = found.plot(measure="survival")
    assert axes.get_xlabel().endswith("by positive margin")
    words = [label.get_text() for label in axes.get_yticklabels()]
    assert sum(word.startswith("no: at 60 months") for word in words) == 2
    assert sum(word.startswith("yes: at 60 months") for word in words) == 2
    alone = rn.no_events(cohort, "Surv(dfs_months, recurrence) ~ 1", times=60)
    assert "by" not in alone.plot(measure="survival").get_xlabel()
    plt.close("all")


def test_plots_each_measure() -> None:
    found = rn.no_events(n=322, median_follow_up=40.49)
    for measure in ("risk", "rate", "survival"):
        assert found.plot(measure=measure).get_yticklabels()
    plt.close("all")
    with pytest.raises(OptionError):
        found.plot(measure="odds")


def test_counts_beside_data_must_be_single_numbers() -> None:
    data = {"t": [1.0, 2.0], "e": [0, 0]}
    for name in ("events", "shortest_follow_up"):
        with pytest.raises(OptionError, match=name):
            rn.no_events(data, "Surv(t, e) ~ 1", **{name: np.array([1.0, 2.0])})


def test_bounds_are_shown_with_the_sides_and_the_unit_that_they_have() -> None:
    shown = rn.no_events(n=44, median_follow_up=40.49, unit="months").display()
    rate, survival = "rate per 100 patient-years", "survival at 40.49 months"
    assert shown["Measure"].tolist() == ["risk"] * 3 + [rate] * 2 + [survival] * 2
    assert shown["Limits"].tolist() == [
        "0.00 % to 8.04 %", "≤ 6.58 %", "≤ 6.82 %", "0.00 to 4.97", "≤ 4.04", "84.6 % to 100.0 %",
        "≥ 87.3 %",
    ]  # fmt: skip
    assert shown["Estimate"].tolist() == ["0.00 %"] * 3 + ["0.00"] * 2 + ["100.0 %"] * 2
