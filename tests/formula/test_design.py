"""Design matrices against R's fits, formulaic, and invariants."""

from __future__ import annotations

from typing import Any

import formulaic
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.errors import ColumnError, DataError, FormulaError
from rnetstats.formula.design import ModelFrame, model_frame
from rnetstats.formula.spec import INTERCEPT
from support import assert_close, case, numbers, read

COHORT = "margin_positive ~ size_mm + method + lvi + grade + location"

# (case, formula, rows): X times R's coefficients must be R's linear predictor.
R_FITS = [
    ("birthwt_two", "low ~ age + lwt", ""),
    ("birthwt_intercept", "low ~ 1", ""),
    ("birthwt_full", "low ~ age + lwt + C(race) + smoke + ptl + ht + ui + ftv", ""),
    ("birthwt_interaction", "low ~ lwt + smoke*C(race)", ""),
    ("birthwt_ns", "low ~ age + ns(lwt, 3)", ""),
    ("birthwt_ns", "low ~ age + ns(lwt, knots=[115, 132], boundary=[80, 250])", ""),
    ("birthwt_rcs4", "low ~ age + rcs(lwt, 4)", ""),
    ("birthwt_rcs4", "low ~ age + rcs(lwt, knots=[94.4, 115, 130.2, 188.2])", ""),
    ("rnet_a_margin", COHORT, "method != 'other'"),
    ("rnet_a_rare", "recurrence ~ margin_positive + size_mm", ""),
    ("rnet_a_complete_case", "margin_positive ~ nlr + size_mm", ""),
]


@pytest.mark.parametrize(("name", "formula", "rows"), R_FITS)
def test_linear_predictor_of_r(name: str, formula: str, rows: str) -> None:
    found = case("logistic_ml", name)
    data = read(found["data"])
    design = model_frame(data.query(rows) if rows else data, formula, kind="binary").design
    values = found["values"]
    assert design.X.shape == (values["n_rows"], len(values["coef"]))
    predictor = design.X @ numbers(values["coef"])
    assert_close(predictor[:10], values["linear_predictor_first10"])


def birthwt() -> pd.DataFrame:
    data = read("birthwt.csv")
    return data.assign(
        race=data["race"].map({1: "white", 2: "black", 3: "other"}),
        stage=pd.Categorical.from_codes(data["ftv"].clip(upper=2), ["none", "one", "more"]),
    )


@pytest.mark.parametrize(
    ("formula", "other"),
    [
        ("age + lwt", None),
        ("race + stage", None),
        ("age*race", None),
        ("smoke*race + race*stage", None),
        ("age*smoke*race", None),
        ('C(race, ref="white") + log(lwt)', 'C(race, contr.treatment("white")) + log(lwt)'),
        ("I(age > 25)*stage", "{(age > 25).astype(float)}*stage"),
    ],
)
def test_columns_of_formulaic(formula: str, other: str | None) -> None:
    data = birthwt()
    ours = model_frame(data, f"low ~ {formula}").design.X
    theirs = np.asarray(formulaic.model_matrix(other or formula, data), dtype=float)
    assert ours.shape == theirs.shape
    for column in ours.T:
        assert np.isclose(theirs, column[:, None], rtol=1e-12).all(axis=0).sum() == 1


def test_names_terms_and_order() -> None:
    data = birthwt()
    design = model_frame(data, "low ~ smoke*stage + rcs(age, 3) + C(race, ref='white')").design
    assert design.names == (
        INTERCEPT,
        "smoke",
        "stage[one]",
        "stage[more]",
        "rcs(age, 3)[1]",
        "rcs(age, 3)[2]",
        "C(race)[black]",
        "C(race)[other]",
        "smoke:stage[one]",
        "smoke:stage[more]",
    )
    assert [(c.term, c.level) for c in design.columns[-2:]] == [
        ("smoke:stage", "one"),
        ("smoke:stage", "more"),
    ]
    assert [term.kind for term in design.terms] == [
        *["numeric", "factor", "spline", "factor", "interaction"]
    ]
    stage, joined = design.spec.term("stage"), design.spec.term("smoke:stage")
    assert (stage.levels, stage.reference, stage.df) == (("none", "one", "more"), "none", 2)
    assert (joined.columns, joined.parts) == (slice(8, 10), ("smoke", "stage"))
    assert joined.variables == ("smoke", "stage")
    assert design.spec.term("C(race)").levels == ("white", "black", "other")
    with pytest.raises(ValueError, match=r"no term 'stag'.*Did you mean 'stage'"):
        design.spec.term("stag")


def test_factor_by_factor_runs_over_the_first_fastest() -> None:
    data = {"y": [0, 1] * 4, "a": list("uuvvwwuv"), "b": list("stststts")}
    X = model_frame({**data, "y": [0, 1] * 4}, "y ~ a*b", check=False).design
    assert X.names[-2:] == ("a:b[v:t]", "a:b[w:t]")
    pairs = list(zip(data["a"], data["b"], strict=True))
    expected = [[a == "v" and b == "t", a == "w" and b == "t"] for a, b in pairs]
    np.testing.assert_array_equal(X.X[:, -2:], expected)


def test_names_that_need_care() -> None:
    data = {"y": [0, 1, 1, 0], "log": [1, 2, 3, 5], "C": [1, 3, 2, 2], "a b": [1, 0, 0, 0]}
    data |= {"a:b": [4, 3, 4, 1], "patient_id": [9, 7, 1, 3]}
    design = model_frame(data, "y ~ log + log(log) + C + `a b` + `a:b`", check=False).design
    assert design.names == (INTERCEPT, "log", "log(log)", "C", "a b", "`a:b`")
    assert model_frame(data, "y ~ patient_id").design.names[1] == "patient_id"


def test_without_intercept_factors_keep_their_reference() -> None:
    frame = model_frame(birthwt(), "low ~ race", intercept=False)
    assert frame.design.names == ("race[other]", "race[white]")
    assert not frame.design.intercept


def test_notes_say_what_was_decided() -> None:
    data = birthwt().assign(
        stage=lambda d: d["stage"].where(d["stage"] != "one"), age=lambda d: d["age"].astype(float)
    )
    data.loc[data.index[:3], "age"] = np.nan
    frame = model_frame(data, "low ~ race + stage + age")
    dropped = int((data["age"].isna() | data["stage"].isna()).sum())
    assert frame.n_missing == dropped
    assert frame.n + frame.n_missing == len(data)
    assert any(note.startswith("race: the reference level is 'black'") for note in frame.notes)
    assert "stage: no row has the level 'one', which is left out." in frame.notes
    lacking = f"stage ({data['stage'].isna().sum()}), age (3)"
    assert any(
        f"{dropped} of 189 rows left out" in note and lacking in note for note in frame.notes
    )
    assert not any("reference" in note for note in frame.notes if note.startswith("stage"))


def test_offset_strata_cluster_weights() -> None:
    data = birthwt()
    frame = model_frame(
        data,
        "low ~ age + offset(lwt) + offset(log(bwt)) + strata(smoke, ui) + cluster(race)",
        weights={"sampling_weights": "lwt"},
    )
    assert frame.offset is not None
    assert frame.strata is not None
    assert frame.cluster is not None
    np.testing.assert_allclose(frame.offset, data["lwt"] + np.log(data["bwt"]))
    assert frame.strata.labels[0] == "smoke=0, ui=0"
    assert frame.cluster.labels == ("black", "other", "white")
    np.testing.assert_array_equal(frame.sampling_weights, data["lwt"])
    assert frame.freq_weights is None


def test_frequency_weights_are_replicated_rows() -> None:
    data = birthwt()
    freq = np.arange(len(data)) % 3
    formula = "low ~ rcs(age, 4) + ns(lwt, 3) + race"
    weighted = model_frame(data, formula, weights={"freq_weights": freq})
    replicated = model_frame(data.loc[data.index.repeat(freq)], formula)
    repeats = weighted.freq_weights
    assert repeats is not None
    np.testing.assert_allclose(
        np.repeat(weighted.design.X, repeats.astype(int), axis=0), replicated.design.X, rtol=1e-12
    )


def test_data_are_never_changed() -> None:
    data = birthwt()
    data.loc[3, "age"] = np.nan
    before = data.copy(deep=True)
    frame = model_frame(data, "low ~ age*race + log(lwt)")
    frame.design.X[:] = -1
    pd.testing.assert_frame_equal(data, before)


@pytest.mark.parametrize(
    ("formula", "changes", "error", "message"),
    [
        ("low ~ agee", {}, ColumnError, "no column 'agee'.*Did you mean 'age'"),
        ("low ~ one", {"one": 3}, ColumnError, "'one' is 3 in all 189 rows used"),
        ("low ~ age + x", {"x": np.arange(189) * 1e300}, ColumnError, "'x' has values up to 2e"),
        ("low ~ x", {"x": np.arange(189) * 1e-200}, ColumnError, "give it in another unit"),
        ("low ~ one", {"one": "u"}, ColumnError, "single level, 'u'"),
        ("low ~ gone", {"gone": np.nan}, ColumnError, "all 189 are missing"),
        ("low ~ I(age > 99)", {}, ColumnError, "is 0 in all 189 rows used"),
        ("low ~ log(ftv)", {}, DataError, "'ftv' is zero or negative in rows 1, 5, 6"),
        ("low ~ log(race)", {}, ColumnError, "takes numbers"),
        ("low ~ C(race, ref='White')", {}, DataError, "no level 'White'.*Did you mean 'white'"),
        ("low ~ I(race > 'a')", {}, ColumnError, "Only == and != compare levels"),
        ("low ~ I(race == 'blck')", {}, DataError, "no level 'blck'.*Did you mean 'black'"),
        ("low ~ rcs(smoke, 3)", {}, DataError, "the knots .* do not increase"),
        ("low ~ id", {"id": [f"p{i}" for i in range(189)]}, ColumnError, "an identifier is no"),
        ("low ~ t", {"t": [str(i % 9) for i in range(189)]}, ColumnError, r"or write C\(t\)"),
        ("race ~ age", {}, ColumnError, 'as in race == "white"'),
    ],
)
def test_data_that_are_refused(
    formula: str, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        model_frame(birthwt().assign(**changes), formula)


def test_tables_that_are_refused() -> None:
    with pytest.raises(ColumnError, match="'x' occurs more than once"):
        model_frame(pd.DataFrame([[0, 1, 2]], columns=["y", "x", "x"]), "y ~ x")
    with pytest.raises(DataError, match="no rows"):
        model_frame(pd.DataFrame({"y": [], "x": []}), "y ~ x")
    with pytest.raises(DataError, match="differ in length"):
        model_frame({"y": [0, 1], "x": [1]}, "y ~ x")
    with pytest.raises(FormulaError, match="unknown function"):
        model_frame({"y": [0, 1], "x": [1, 2]}, "y ~ sqrt(x)")


def test_mappings_are_read_by_position() -> None:
    y = pd.Series([0, 1, 1], index=[5, 6, 7])
    x = pd.Series([1.0, 2, 4], index=[7, 6, 5])
    frame = model_frame({"y": y, "x": x}, "y ~ x")
    np.testing.assert_array_equal(frame.design.X[:, 1], [1, 2, 4])


VALUES = st.lists(
    st.tuples(
        st.integers(0, 1), st.floats(-50, 50).map(lambda v: round(v, 2)), st.sampled_from("uvw")
    ),
    min_size=12,
    max_size=40,
).filter(lambda rows: len({row[1] for row in rows}) > 6 and len({row[2] for row in rows}) > 1)


def frame_of(rows: list[tuple[int, float, str]], formula: str) -> ModelFrame:
    data = dict(zip(("y", "x", "g"), map(list, zip(*rows, strict=True)), strict=True))
    return model_frame(data, formula, check=False)


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[tuple[int, float, str]], random: Any) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)
    formula = "y ~ x*g + ns(x, 2) + I(x > 0)"
    straight = frame_of(rows, formula)
    shuffled = frame_of([rows[i] for i in order], formula)
    assert shuffled.design.names == straight.design.names
    np.testing.assert_array_equal(shuffled.design.X, straight.design.X[order])


@given(VALUES, st.lists(st.booleans(), min_size=40, max_size=40))
def test_missing_rows_are_as_if_never_there(
    rows: list[tuple[int, float, str]], gaps: list[bool]
) -> None:
    kept = [row for row, gap in zip(rows, gaps, strict=False) if not gap]
    if len(kept) < 4 or len({row[2] for row in kept}) < 2:
        return
    holed = [(y, np.nan if gap else x, g) for (y, x, g), gap in zip(rows, gaps, strict=False)]
    with_gaps, without = frame_of(holed, "y ~ x*g"), frame_of(kept, "y ~ x*g")
    np.testing.assert_array_equal(with_gaps.design.X, without.design.X)
    assert with_gaps.n_missing == len(rows) - len(kept)
    assert with_gaps.outcome is not None
    assert without.outcome is not None
    np.testing.assert_array_equal(with_gaps.outcome.y, without.outcome.y)
    assert [not gap for gap in gaps[: len(rows)]] == [
        i in set(with_gaps.rows.tolist()) for i in range(len(rows))
    ]
