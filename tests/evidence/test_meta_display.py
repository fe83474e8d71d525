"""A meta-analysis as text: studies, pooled effects, and the models for rare events."""

from __future__ import annotations

import numpy as np
import pandas as pd

import rnetstats as rn
from meta_cases import bcg, pooled
from rnetstats.formatting import fmt_interval, fmt_number
from support import assert_close, case

MEANS = {
    "study": ["A", "B", "C"],
    "mean_1": [10.0, 12.0, 9.0],
    "sd_1": [2.0, 3.0, 2.5],
    "n_1": [12, 30, 25],
    "mean_2": [8.0, 12.5, 8.0],
    "sd_2": [2.5, 2.0, 2.0],
    "n_2": [10, 28, 24],
}


def row(table: pd.DataFrame, start: str) -> pd.Series:
    return table[table["Study"].str.startswith(start)].iloc[0]


def test_models_for_rare_events_stand_beside_inverse_variance() -> None:
    for name, model in (("double_zero_OR", "Hypergeometric-normal"), ("double_zero_RD", "Beta")):
        found = pooled(name, ci="hartung-knapp")
        table, measure = found.display(), found.measure
        reference = case("meta", "double_zero_mh_peto")["values"][f"mh_{measure}_no_correction"]
        expected = found.kind.back(reference["estimate"])
        assert row(table, "Mantel-Haenszel")[measure] == fmt_number(expected, 2 + (measure == "RD"))
        assert row(table, model)["P"]
        assert row(table, "Beta-binomial")["95 % CI"]
        floor = pooled(name, ci="hartung-knapp-adhoc")
        limits = fmt_interval(floor.conf_low, floor.conf_high, 2 + (measure == "RD"))
        assert row(table, "Inverse variance")["95 % CI"] == limits
        assert not any(floor.display()["Study"].str.startswith("Inverse variance"))
        pd.testing.assert_frame_equal(table, found.display())


def test_a_table_of_counts() -> None:
    table = pooled("double_zero_OR", ci="hartung-knapp").display()
    assert table["Events / n, arm 1"].iloc[0] == "0 / 45"
    assert table["Note"].iloc[2] == "left out: no event in either arm"
    assert table["OR"].iloc[2] == "–"
    assert row(table, "Random effects (REML, Hartung-Knapp)")["P"]
    assert row(table, "Prediction interval")["P"] == ""


def test_tables_of_means_rates_and_estimates() -> None:
    means = rn.meta_analysis(MEANS, measure="SMD").display()
    assert means["Mean (SD), n, arm 1"].iloc[0] == "10.00 (2.00), 12"
    assert "Note" not in means.columns
    rates = {"events_1": [3, 5], "time_1": [100.5, 50], "events_2": [7, 2], "time_2": [110, 60]}
    table = rn.meta_analysis(rates, measure="IRR").display()
    assert table["Events / time, arm 1"].iloc[0] == "3 / 100.5"
    plain = rn.meta_analysis({"coef": [1.0, 2.0], "std_error": [1.0, 1.0]}, measure="generic")
    assert "Estimate" in plain.display().columns
    assert not any("arm" in column for column in plain.display().columns)


def test_other_tables_read_as_the_numbers_say() -> None:
    groups = bcg().subgroups("alloc")
    assert groups.display()["OR"].tolist() == [fmt_number(v) for v in groups.to_frame()["estimate"]]
    assert groups.display()["P of difference"].iloc[1:].tolist() == ["", ""]
    assert "difference by alloc: P = 0.44" in groups.overall["text"].iloc[0]
    regression = bcg().meta_regression("ablat + alloc").display()
    assert regression["Term"].tolist() == ["ablat", "alloc", "alloc"]
    assert regression["P of term"].iloc[2] == ""
    without = bcg().leave_one_out()
    assert without.display()["Without"].iloc[0] == "Aronson"
    row_ = without.glance().iloc[0]
    assert_close(row_["estimate_lowest"], without.to_frame()["estimate"].min())
    assert np.all(bcg().cumulative().display()["After"] == bcg().studies["study"])
