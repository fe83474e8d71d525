from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from rnetstats.errors import ColumnError, OptionError
from rnetstats.plots.meta_forest import meta_forest
from rnetstats.plots.meta_scale import scale_of

ARMS = {"arms": ("Salvage", "Observation")}


def studies(k=5):
    rng = np.random.default_rng(k)
    coef, error = rng.normal(-0.2, 0.4, k), rng.uniform(0.2, 1.0, k)
    return pd.DataFrame(
        {
            "study": [f"Study {i + 1}" for i in range(k)],
            "events_1": rng.integers(1, 9, k),
            "n_1": rng.integers(40, 90, k),
            "events_2": rng.integers(1, 9, k),
            "n_2": rng.integers(1040, 1090, k),
            "estimate": np.exp(coef),
            "conf_low": np.exp(coef - 1.96 * error),
            "conf_high": np.exp(coef + 1.96 * error),
            "weight": 1.0 / error**2,
            "used": True,
            "note": "",
        }
    )


def pooled(*kinds):
    rows = [(f"{kind} label", 0.8, 0.5, 1.3, kind, f"{kind} text") for kind in kinds]
    columns = ["label", "estimate", "conf_low", "conf_high", "kind", "text"]
    return pd.DataFrame(rows, columns=columns)


def texts(axes):
    return [text.get_text().replace("\N{NO-BREAK SPACE}", " ") for text in axes.texts]


def boxes(axes):
    """Boxes of all words, in pixels, as drawn."""
    figure = axes.figure
    figure.draw_without_rendering()
    words = [text for text in axes.texts if text.get_text()]
    return figure, [(text, text.get_window_extent()) for text in words]


def test_every_study_has_its_counts_effect_and_weight():
    rows = studies()
    axes = meta_forest(rows, pooled("random", "prediction"), measure="OR", **ARMS)
    words = texts(axes)
    for name in rows["study"]:
        assert words.count(name) == 1
    assert {"Salvage", "Observation", "Events", "Total", "OR (95 % CI)", "Weight"} <= set(words)
    share = 100.0 * rows["weight"] / rows["weight"].sum()
    for value in share:
        assert f"{value:.1f} %" in words
    assert f"{rows['n_2'].sum():,}" in words
    assert "100.0 %" in words
    assert "0.80 (0.50 to 1.30)" in words
    assert "(0.50 to 1.30)" in words  # a prediction interval has no estimate
    assert "random text" in words
    assert axes.get_xscale() == "log"


def test_the_area_of_a_square_is_the_weight():
    rows = studies(3).assign(weight=[1.0, 4.0, 2.0])
    axes = meta_forest(rows, pooled(), measure="OR")
    sides = [line.get_markersize() for line in axes.lines if line.get_marker() == "s"]
    np.testing.assert_allclose(np.square(sides) / sides[1] ** 2, [0.25, 1.0, 0.5])


def test_a_study_without_an_event_is_listed_as_not_estimable():
    rows = studies()
    rows.loc[2, ["events_1", "events_2"]] = 0
    rows.loc[2, ["estimate", "conf_low", "conf_high"]] = np.nan
    rows.loc[2, "used"] = False
    rows.loc[[2, 4], "note"] = ["No event in either arm.", "Half an event added."]
    axes = meta_forest(rows, pooled("random"), measure="OR")
    words = texts(axes)
    assert words.count("not estimable") == 1
    assert {"Study 3 (a)", "Study 5 (b)"} <= set(words)
    assert {"(a) No event in either arm.", "(b) Half an event added."} <= set(words)
    squares = [line for line in axes.lines if line.get_marker() == "s"]
    assert len(squares) == 4
    weights = [float(word[:-2]) for word in words if word.endswith(" %") and word[0].isdigit()]
    assert sum(weights) == pytest.approx(200.0, abs=0.3)  # the studies, and their sum


def test_limits_outside_the_axis_end_in_arrows():
    rows = studies(4)
    rows.loc[0, "conf_low"] = 0.0
    rows.loc[1, "conf_high"] = np.inf
    axes = meta_forest(rows, pooled("random"), measure="OR")
    left, right = axes.get_xlim()
    arrows = [line for line in axes.lines if line.get_marker() in ("<", ">")]
    assert {(line.get_marker(), float(line.get_xdata()[0])) for line in arrows} == {
        ("<", left),
        (">", right),
    }
    for line in axes.lines:
        assert ((line.get_xdata() >= left) & (line.get_xdata() <= right)).all()


@pytest.mark.parametrize("k", [5, 60])
def test_the_arrow_of_a_prediction_bar_stands_out_from_it(k):
    wide = pooled("random", "prediction")
    wide.loc[1, ["conf_low", "conf_high"]] = 1e-5, 1e5
    axes = meta_forest(studies(k), wide, measure="OR")
    axes.figure.draw_without_rendering()
    bar = next(patch for patch in axes.patches if len(patch.get_xy()) == 5 and _flat(patch))
    y = bar.get_xy()[:, 1].mean()
    low, high = (axes.transData.transform((1.0, end))[1] for end in bar.get_xy()[1:3, 1])
    thick = abs(high - low) * 72.0 / axes.figure.dpi
    arrows = [line for line in axes.lines if line.get_marker() in ("<", ">")]
    here = [line for line in arrows if abs(line.get_ydata()[0] - y) < 0.2]
    assert {line.get_marker() for line in here} == {"<", ">"}
    assert all(line.get_markersize() > 1.8 * thick for line in here)


def _flat(patch):
    """A bar has two heights, a diamond three."""
    return len(np.unique(patch.get_xy()[:, 1].round(6))) == 2


def test_enormous_limits_of_the_pooled_effect_do_not_flatten_the_studies():
    wide = pooled("random", "prediction").assign(conf_low=1e-9, conf_high=1e9)
    axes = meta_forest(studies(3), wide, measure="OR")
    left, right = axes.get_xlim()
    assert left > 1e-5
    assert right < 1e5
    assert sum(line.get_marker() in ("<", ">") for line in axes.lines) == 4


def test_subgroups_stand_together_with_their_own_diamonds():
    rows = studies(6).assign(subgroup=["b", "a", "b", "a", "b", "a"])
    own = pooled("subgroup", "subgroup").assign(
        subgroup=["a", "b"], label=["In a", "In b"], text=["tau² = 1", "tau² = 2"]
    )
    axes = meta_forest(rows, pd.concat([own, pooled("random", "common")]), measure="OR")
    place = {text.get_text(): text.get_position()[1] for text in axes.texts}
    order = ["b", "Study 1", "Study 3", "Study 5", "In b", "a", "Study 2", "In a", "random label"]
    heights = [place[name] for name in order]
    assert heights == sorted(heights)
    assert len(axes.patches) == 4
    assert f"{rows['n_2'].iloc[[1, 3, 5]].sum():,}" in place
    assert place["In b"] < place["tau² = 2".replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")]


def test_both_weights_are_shown_under_their_diamonds():
    rows = studies().assign(weight_common=[1.0, 2.0, 3.0, 4.0, 0.0])
    axes = meta_forest(rows, pooled("random", "common"), measure="OR")
    words = texts(axes)
    assert {"Weight\n(common)", "Weight\n(random)", "40.0 %", "0.0 %"} <= set(words)
    hundred = [text for text in axes.texts if text.get_text() == "100.0 %"]
    assert len({text.get_position()[1] for text in hundred}) == 2


def test_proportions_of_one_arm_are_percentages():
    rows = pd.DataFrame(
        {
            "study": ["A", "B"],
            "events_1": [0, 5],
            "n_1": [30, 20],
            "estimate": [0.0, 0.25],
            "conf_low": [0.0, 0.087],
            "conf_high": [0.116, 0.491],
            "weight": [1.0, 1.0],
        }
    )
    made = pooled("random").assign(estimate=0.125, conf_low=0.05, conf_high=0.3)
    axes = meta_forest(rows, made, measure="proportion")
    words = texts(axes)
    assert {"% (95 % CI)", "0.0 (0.0 to 11.6)", "25.0 (8.7 to 49.1)", "Events"} <= set(words)
    assert axes.get_xlim()[0] >= -1.0
    assert axes.get_xlim()[1] <= 101.0
    assert "Arm 1" not in words


SLOW = pytest.mark.slow


@pytest.mark.slow
@pytest.mark.parametrize(
    "k",
    [
        3,
        13,
        pytest.param(34, marks=SLOW),
        pytest.param(41, marks=SLOW),
        pytest.param(100, marks=SLOW),
    ],
)
def test_no_words_overlap_or_leave_the_figure(k):
    rows = studies(k)
    rows["study"] = [
        f"{name} of a collaborative group on tumours of the rectum" for name in rows.study
    ]
    axes = meta_forest(
        rows, pooled("random", "prediction"), measure="OR", favours=("salvage", "observation")
    )
    figure, found = boxes(axes)
    for text, box in found:
        assert box.x0 >= -1, text
        assert box.x1 <= figure.bbox.x1 + 1, text
        assert box.y0 >= -1, text
        assert box.y1 <= figure.bbox.y1 + 1, text
    edges = np.array([[b.x0, b.y0, b.x1, b.y1] for _, b in found])
    shrunk = edges + np.array([1.0, 2.0, -1.0, -2.0])
    across = (shrunk[:, None, 0] < shrunk[None, :, 2]) & (shrunk[None, :, 0] < shrunk[:, None, 2])
    along = (shrunk[:, None, 1] < shrunk[None, :, 3]) & (shrunk[None, :, 1] < shrunk[:, None, 3])
    both = np.argwhere(np.triu(across & along, 1))
    assert not both.size, [(found[i][0], found[j][0]) for i, j in both[:3]]
    inner = axes.get_window_extent()
    middle = [box for text, box in found if "favours" not in text.get_text()]
    assert all(box.x1 <= inner.x0 or box.x0 >= inner.x1 for box in middle)
    assert inner.width > 0.15 * figure.bbox.width


def test_words_under_the_axis_stay_off_its_name():
    sides = ("salvage of whatever kind, soon or late", "observation")
    axes = meta_forest(studies(3), pooled("random"), measure="OR", favours=sides)
    _, found = boxes(axes)
    label = axes.xaxis.label.get_window_extent()
    under = [box for text, box in found if "favours" in text.get_text()]
    assert len(under) == 2
    assert all(box.y0 > label.y1 for box in under)


@pytest.mark.slow
def test_many_studies_are_set_closer_and_the_figure_grows():
    heights = {}
    for k in (10, 40, 41):
        figure = meta_forest(studies(k), pooled(), measure="OR").figure
        heights[k] = figure.get_figheight()
    assert heights[10] < heights[41] < heights[40]


def test_equal_names_of_arms_and_dollars_are_kept():
    rows = studies(2).assign(study=["A $x_1$", "B $"])
    axes = meta_forest(rows, pooled(), measure="OR", arms=("same", "same"))
    words = texts(axes)
    assert words.count("same") == 2
    assert r"A \$x_1\$" in words
    axes.figure.draw_without_rendering()


def test_means_times_and_other_measures():
    rows = studies(2)[["study", "estimate", "conf_low", "conf_high", "weight"]]
    for arm in "12":
        rows = rows.assign(**{f"mean_{arm}": 2.5, f"sd_{arm}": 1.25, f"n_{arm}": 10})
    words = texts(meta_forest(rows, pooled("random"), measure="MD"))
    assert {"Mean", "SD", "2.50", "1.25", "20"} <= set(words)
    rows = studies(2).drop(columns=["n_1", "n_2"]).assign(time_1=[3.25, 4.0], time_2=[3000, 1e4])
    words = texts(meta_forest(rows, pooled("random"), measure="IRR"))
    assert {"Time", "3.2", "13,000"} <= set(words)
    bare = studies(2)[["study", "estimate", "conf_low", "conf_high"]]
    axes = meta_forest(bare, pooled(), measure="biomarker", null=None)
    assert axes.get_xlabel().startswith("biomarker")


def test_one_study_and_no_estimate_at_all():
    axes = meta_forest(studies(1), pooled(), measure="OR", title="One study")
    words = texts(axes)
    assert {"One study", "100.0 %"} <= set(words)
    none = studies(2).assign(estimate=np.nan, conf_low=np.nan, conf_high=np.nan, used=False)
    words = texts(meta_forest(none, pooled("random").assign(estimate=np.nan), measure="OR"))
    assert words.count("not estimable") == 2


def test_given_axes_are_used():
    _, ax = plt.subplots()
    assert meta_forest(studies(), pooled("random"), measure="OR", ax=ax) is ax


def test_missing_columns_are_named():
    with pytest.raises(ColumnError, match="conf_low in rows"):
        meta_forest(studies().drop(columns="conf_low"), pooled(), measure="OR")
    with pytest.raises(ColumnError, match="kind in pooled"):
        meta_forest(studies(), pooled().drop(columns="kind"), measure="OR")


def test_wrong_kinds_and_pairs_are_named():
    with pytest.raises(OptionError, match="fixed"):
        meta_forest(studies(), pooled("random").assign(kind="fixed"), measure="OR")
    for options in ({"arms": ("a",)}, {"favours": "ab"}):
        with pytest.raises(OptionError, match="two words"):
            meta_forest(studies(), pooled(), measure="OR", **options)


def test_missing_counts_are_dashes():
    rows = studies().astype({"events_1": "Int64"})
    rows.loc[1, "events_1"] = pd.NA
    assert texts(meta_forest(rows, pooled(), measure="OR")).count("–") == 1


def test_scales_by_measure():
    assert scale_of("OR").log
    assert scale_of("OR").null == 1.0
    assert scale_of("RD").null == 0.0
    assert scale_of("RD").digits == 3
    assert scale_of("proportion").null is None
    assert scale_of("HR", null=2.0, digits=1).words(1.0, 0.5, 2.0) == "1.0 (0.5 to 2.0)"
    assert scale_of("OR").words(0.5, np.nan, np.nan) == "0.50"
    left, right = scale_of("MD").ends(np.array([1.0, 1.0]), np.array([]))
    assert left < 0.0 < 1.0 < right
