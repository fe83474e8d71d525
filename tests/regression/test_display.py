"""Tables and figures of regressions: readable whatever the numbers are."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.plots.effects import effect_curve, effect_points, risk_points
from rnetstats.plots.forest import forest
from rnetstats.plots.schoenfeld import coefficient_over_time
from support import read


def forest_of(*rows: tuple[str, float, float, float]) -> plt.Axes:
    table = pd.DataFrame(rows, columns=["label", "estimate", "conf_low", "conf_high"])
    return forest(table, measure="OR")


def drawn(axes: plt.Axes) -> plt.Axes:
    """Draw for real; a warning of the layout is an error here."""
    axes.figure.canvas.draw()
    plt.close(axes.figure)
    return axes


def test_counts_are_shown_in_full_and_extremes_stay_short() -> None:
    data = {"y": [0, 1, 0, 1], "x": [0, 0, 1, 1]}
    fit = rn.logistic(data, "y ~ x", freq_weights=[30_000, 500, 40_000, 1])
    row = fit.display().iloc[0]
    assert row["n"] == "70,501"
    assert row["events"] == "501"
    assert all(len(cell) < 30 for cell in row)


def test_infinite_estimates_are_shown_with_their_finite_limit() -> None:
    data = {"y": [0, 1] * 6 + [0] * 4, "x": [0] * 12 + [1] * 4}
    row = rn.logistic(data, "y ~ x", penalty=None).display().iloc[0]
    assert row["OR"] == "0.00"
    assert row.iloc[5].startswith("0.00 to ") and "∞" not in row.iloc[5]
    high = rn.logistic({**data, "x": 1 - np.array(data["x"])}, "y ~ x", penalty=None)
    assert high.display().iloc[0]["OR"] == "∞"
    assert high.display().iloc[0].iloc[5].endswith("to ∞")


def test_a_spline_has_one_row_and_a_factor_its_reference() -> None:
    data = read("birthwt.csv")
    table = rn.logistic(data, "low ~ rcs(lwt, 4) + C(race) + smoke").display()
    assert table["level"].tolist()[:2] == ["spline, 3 df", "1"]
    assert table.iloc[1]["OR"] == "1 (reference)"
    assert len(table) == 5


def test_univariable_tables_keep_their_terms_apart() -> None:
    data = read("birthwt.csv")
    data.loc[:9, "age"] = np.nan
    found = rn.univariable(data, "low ~ age + C(race) + smoke")
    table = found.display()
    assert table["n"].tolist() == ["179", "96", "26", "67", "189"]
    assert len([note for note in found.notes if note.startswith("age: ")]) == 1
    assert len(found.notes) == len(set(found.notes))


def test_univariable_refusals_name_the_term() -> None:
    data = {"y": [1] + [0] * 11, "a": list(range(12)), "g": ["a", "b", "c"] * 4}
    with pytest.raises(rn.errors.TooFewEventsError, match=r"^g: 2 parameters"):
        rn.univariable(data, "y ~ a + g", penalty=None)


@pytest.mark.parametrize("count", [1, 15])
def test_forest_plots_give_long_labels_room(count: int) -> None:
    label = "Tumour location in the lower rectum, as seen at endoscopy: level (vs $reference$)"
    axes = drawn(forest_of(*[(f"{label} {i}", 1.0 + i, 0.5, 4.0 + i) for i in range(count)]))
    shown = axes.get_yticklabels()[0].get_text()
    assert "\n" in shown and r"\$reference\$" in shown
    assert axes.get_position().width > 0.3


def test_forest_plots_of_infinite_zero_and_equal_estimates() -> None:
    axes = drawn(
        forest_of(
            ("infinite", np.inf, 2.3, np.inf),
            ("zero", 0.0, 0.0, 0.8),
            ("sign undetermined", np.nan, 0.0, np.inf),
            ("no limits", np.inf, np.nan, np.nan),
            ("huge", 3e5, 10.0, 5e9),
        )
    )
    left, right = axes.get_xlim()
    assert 0.0 < left < 1.0 < right < 1e8
    markers = [line.get_marker() for line in axes.get_lines()]
    assert markers.count(">") == 4 and markers.count("<") == 2
    same = drawn(forest_of(*[(name, 1.0, 1.0, 1.0) for name in "abc"]))
    left, right = same.get_xlim()
    assert right / left >= 1.2 - 1e-12
    assert len(same.get_xticks()) >= 2


@pytest.mark.parametrize("slope", [1e-3, 0.1, 2.0, 50.0])
def test_effect_curves_have_a_few_ticks_whatever_their_range(slope: float) -> None:
    x = np.linspace(0.0, 20.0, 101)
    value, reach = slope * (x - 10.0), 0.5 * slope * np.abs(x - 10.0)
    with np.errstate(over="ignore"):
        table = pd.DataFrame(
            {
                "value": x,
                "estimate": np.exp(value),
                "conf_low": np.exp(value - reach),
                "conf_high": np.exp(value + reach),
            }
        )
    axes = drawn(
        effect_curve(table, label="Size $mm$", measure="OR", reference=10.0, conf_level=0.95)
    )
    low, high = axes.get_ylim()
    assert 2 <= sum(low <= tick <= high for tick in axes.get_yticks()) <= 10
    assert axes.get_xlabel() == r"Size \$mm\$"


def test_points_beyond_the_axis_end_in_arrows_and_odd_letters_are_text() -> None:
    table = pd.DataFrame(
        {
            "value": ["cEMR", "a very long method name $x$", "ESD<b>"],
            "estimate": [1.0, 0.5, 40.0],
            "conf_low": [1.0, 0.0, 3.0],
            "conf_high": [1.0, 1.1, np.inf],
        }
    )
    axes = drawn(effect_points(table, label="$M$", measure="OR", reference="cEMR", conf_level=0.95))
    texts = [tick.get_text() for tick in axes.get_xticklabels()]
    assert texts[1] == "a very long\nmethod name \\$x\\$" and texts[2] == "ESD<b>"
    markers = [line.get_marker() for line in axes.get_lines() if len(line.get_xdata())]
    assert "^" in markers and "v" in markers
    risks = table.assign(estimate=[0.01, 0.02, 0.9], conf_low=0.0, conf_high=[0.1, np.nan, 0.99])
    axes = drawn(risk_points(risks, label="M", outcome="$y$ == 1", conf_level=0.95))
    assert axes.get_ylim() == (0.0, 100.0)
    assert r"\$y\$" in axes.get_ylabel()


@pytest.mark.slow
def test_schoenfeld_plots_of_few_and_many_events() -> None:
    few = pd.DataFrame({"time": [1.0, 2.0], "value": [0.0, 3.0]})
    name = "$x$ of a very long name" * 3
    axes = drawn(coefficient_over_time(few, label=name, estimate=0.2, conf_level=0.95))
    assert "\n" in axes.get_ylabel() and r"\$x\$" in axes.get_ylabel()
    fit = rn.cox(read("veteran.csv"), "Surv(time, status) ~ karno + age")
    axes = drawn(fit.proportional_hazards().plot(column="age"))
    assert "age" in axes.get_ylabel()
    assert {"smoothed", "constant (the model)"} <= {line.get_label() for line in axes.get_lines()}


def test_figures_of_a_drawn_cohort_say_so_and_conditions_read_plainly() -> None:
    data = rn.load_cohort("duan2024")
    fit = rn.logistic(data, 'margin_positive ~ I(nlr > 4.44) + I(location == "lower") + size_mm')
    time = "Surv(dfs_months, dfs_event) ~ size_mm"
    drawn = [
        fit.plot(),
        fit.plot_effect("size_mm"),
        fit.risks("location").plot(),
        rn.univariable(data, "margin_positive ~ lvi + size_mm").plot(),
        rn.cox(data, time).proportional_hazards().plot(),
        rn.separation(data, "margin_positive ~ lvi").plot(),
    ]
    for axes in drawn:
        assert any(text.get_gid() == "synthetic-mark" for text in axes.texts)
    plain = rn.logistic(data.assign(), "margin_positive ~ lvi")
    data.attrs.clear()
    unmarked = rn.logistic(data, "margin_positive ~ lvi").plot()
    assert not any(text.get_gid() == "synthetic-mark" for text in unmarked.texts)
    assert plain.synthetic
    terms = fit.display()["term"].tolist()
    assert terms[:2] == ["Neutrophil-to-lymphocyte ratio > 4.44", "Location in the rectum = lower"]


def test_arrows_of_forest_plots_do_not_touch_the_labels() -> None:
    axes = drawn(forest_of(("wide", 1.0, 0.0, np.inf), ("far", 0.9, 1e-9, 4.0)))
    point = axes.figure.dpi / 72.0
    arrow = axes.transAxes.transform((0.0, 0.0))[0] - 3.0 * point  # half a marker with its edge
    for label in axes.get_yticklabels():
        assert label.get_window_extent().x1 < arrow - 2.0 * point
