from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import (
    ColumnError,
    DataError,
    DataNotKeptError,
    FormulaError,
    OptionError,
)
from rnetstats.missing.imputations import Imputations
from rnetstats.missing.imputer import imputer
from support import data_path


def cohort() -> pd.DataFrame:
    return rn.read_cohort(data_path("rnet_like_a_missing.csv"), codebook="duan2024")


def mixed(n: int = 80, seed: int = 3) -> pd.DataFrame:
    """Every type of column, related to each other, complete."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "x": x,
            "small": (x + rng.normal(size=n)).astype(np.float32),
            "count": pd.array(np.round(5 + x + rng.normal(size=n)).astype(int), dtype="Int64"),
            "flag": pd.array(x + rng.normal(size=n) > 0, dtype="boolean"),
            "truth": np.array((x > 0).tolist(), dtype=object),
            "binary": (rng.random(n) < 0.4).astype(float),
            "text": rng.choice(["left", "middle", "right"], n),
            "pair": pd.Categorical(rng.choice(["no", "yes"], n), categories=["yes", "no"]),
            "grade": pd.Categorical(
                rng.choice(["G1", "G2", "G3"], n), categories=["G1", "G2", "G3"], ordered=True
            ),
        },
        index=[f"row {i}" for i in range(n)],
    )
    frame["text"] = frame["text"].astype(object)
    frame.attrs["rnetstats"] = {"labels": {"x": "Exposure"}, "synthetic": True}
    return frame


def holed(frame: pd.DataFrame, masks: dict[str, np.ndarray]) -> pd.DataFrame:
    out = frame.copy()
    for name, mask in masks.items():
        out[name] = out[name].mask(mask)
        if frame[name].dtype == object:
            out[name] = out[name].astype(object)
    return out


def random_masks(frame: pd.DataFrame, seed: int, share: float = 0.2) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.random(len(frame)) < share for name in frame.columns if name != "x"}


@settings(max_examples=6)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.2, 0.4]))
def test_observed_values_are_kept_and_every_hole_is_filled(seed, share):
    full = mixed()
    data = holed(full, random_masks(full, seed, share))
    before = data.copy(deep=True)
    imputed = rn.impute(data, columns=list(data.columns), imputations=2, iterations=2, seed=seed)
    pd.testing.assert_frame_equal(data, before)
    for made in imputed:
        assert made.index.equals(data.index)
        assert made.columns.equals(data.columns)
        assert made.dtypes.equals(data.dtypes)
        assert made.attrs == data.attrs
        assert not made.isna().any().any()
        for name in data.columns:
            seen = data[name].notna()
            assert made.loc[seen, name].equals(data.loc[seen, name])
            # matching and categories: every value was observed in someone
            assert set(made[name]) <= set(data.loc[seen, name])


def test_ordered_categories_keep_their_order_and_their_model():
    full = mixed()
    data = holed(full, random_masks(full, 1))
    imputed = rn.impute(data, imputations=1, iterations=1, seed=1)
    methods = imputed.to_frame().set_index("column")["method"]
    assert methods["grade"] == "ordered"
    assert methods["text"] == "nominal"
    assert methods["small"] == methods["count"] == "pmm"
    assert (methods[["flag", "truth", "binary", "pair"]] == "logistic").all()
    assert imputed[0]["grade"].cat.ordered
    assert imputed[0]["pair"].cat.categories.tolist() == ["yes", "no"]
    # visits go from the fewest missing values to the most
    assert imputed.to_frame()["n_missing"].is_monotonic_increasing


def test_same_seed_same_values_and_a_shorter_run_is_a_prefix():
    full = mixed()
    data = holed(full, random_masks(full, 2))
    long = rn.impute(data, imputations=4, iterations=3, seed=11)
    short = rn.impute(data, imputations=2, iterations=3, seed=11)
    other = rn.impute(data, imputations=2, iterations=3, seed=12)
    for a, b in zip(short, long, strict=False):
        pd.testing.assert_frame_equal(a, b)
    assert not short[0].equals(other[0])
    assert not long[0].equals(long[1])
    drawn = rn.impute(data, imputations=1, iterations=1)
    assert rn.impute(data, imputations=1, iterations=1, seed=drawn.seed)[0].equals(drawn[0])


def test_it_is_a_frozen_sequence():
    data = cohort()
    imputed = rn.impute(data, imputations=3, seed=1)
    assert len(imputed) == 3
    assert len(imputed[1:]) == 2
    pd.testing.assert_frame_equal(imputed[-1], imputed[2])
    changed = imputed[0]
    changed["nlr"] = 0.0
    data.loc[:, "nlr"] = 99.0
    assert (imputed[0]["nlr"] != 0.0).all()
    assert imputed[0]["nlr"].max() < 99.0
    with pytest.raises(IndexError, match="3 data sets"):
        _ = imputed[3]
    with pytest.raises(AttributeError):
        imputed.m = 5  # type: ignore[misc]


def test_json_holds_the_chains_and_no_patient():
    imputed = rn.impute(cohort(), imputations=2, seed=1)
    text = json.dumps(imputed.to_dict(), allow_nan=False)
    assert "A0001" not in text
    back = Imputations.from_dict(json.loads(text))
    pd.testing.assert_frame_equal(back.trace(), imputed.trace())
    assert len(back) == 2
    with pytest.raises(DataNotKeptError):
        _ = back[0]


def test_the_trace_has_a_row_a_column_chain_and_iteration():
    full = mixed()
    data = holed(full, random_masks(full, 4))
    imputed = rn.impute(data, imputations=3, iterations=4, seed=1)
    trace = imputed.trace()
    names = imputed.to_frame()["column"].tolist()
    assert len(trace) == 3 * 4 * len(names)
    last = trace[(trace["iteration"] == 4) & (trace["imputation"] == 2)].set_index("column")
    drawn = imputed[1].loc[data["small"].isna(), "small"].astype(float)
    assert last.loc["small", "mean"] == pytest.approx(drawn.mean(), rel=1e-6)
    assert last.loc["small", "sd"] == pytest.approx(drawn.std(ddof=0), rel=1e-6)
    assert imputed.plot(column="small").get_ylabel() == "Mean of imputed small"
    with pytest.raises(OptionError, match="not imputed"):
        imputed.plot(column="x")


def test_identifiers_neither_predict_nor_are_imputed():
    data = cohort()
    imputed = rn.impute(data, imputations=1, seed=1)
    assert any(note.startswith("patient_id: left out") for note in imputed.notes)
    assert not any("Complete predictors" in n and "patient_id" in n for n in imputed.notes)
    with pytest.raises(ColumnError, match="value of its own in each row"):
        rn.impute(data, columns=["patient_id", "nlr"])
    numbered = mixed().reset_index(drop=True)
    numbered["row"] = np.arange(1, 81)
    numbered["patient_no"] = np.random.default_rng(1).permutation(80) * 7
    numbered.loc[3, "binary"] = np.nan
    imputed = rn.impute(numbered, imputations=1, seed=1)
    assert sum("numbers the patients" in note for note in imputed.notes) == 2
    # a column that looks like one by name alone, with repeated values, is none
    numbered["patient_no"] = np.repeat(np.arange(8), 10)
    imputed = rn.impute(numbered, imputations=1, seed=1)
    assert sum("numbers the patients" in note for note in imputed.notes) == 1


def test_cells_that_do_not_apply_are_left_alone():
    data = cohort()
    imputed = rn.impute(data, imputations=1, seed=1)
    pd.testing.assert_series_equal(imputed[0]["salvage_days"], data["salvage_days"])
    assert any(n.startswith("salvage_days: left out") for n in imputed.notes)
    assert any(n.startswith("salvage_months: not imputed") for n in imputed.notes)
    with pytest.raises(ColumnError, match="nothing applies"):
        rn.impute(data, columns=["salvage_days", "nlr"])


def test_derived_columns_follow_the_imputed_ones():
    data = cohort()
    gone = np.random.default_rng(5).random(len(data)) < 0.1
    for name in ("recurrence", "event_type", "dfs_event"):
        data[name] = data[name].mask(gone)
    imputed = rn.impute(data, imputations=3, iterations=2, seed=2)
    assert any("event_type, dfs_event" in note for note in imputed.notes)
    for made in imputed:
        assert not made[["recurrence", "event_type", "dfs_event"]].isna().any().any()
        want = ((made["recurrence"] == 1) | (made["death"] == 1)).astype(float)
        np.testing.assert_array_equal(made["dfs_event"], want)
        np.testing.assert_array_equal(made["event_type"] == 1, made["recurrence"] == 1)


def test_derived_columns_follow_a_codebook_of_ones_own():
    data = mixed()[["x", "binary"]].assign(both=lambda d: (d["binary"] == 1).astype(float))
    data.attrs.clear()
    gone = np.random.default_rng(1).random(len(data)) < 0.3
    data = data.mask(gone[:, None] & np.array([False, True, True]))
    text = """
[codebook]
name = "own"
[columns.x]
type = "numeric"
[columns.binary]
type = "binary"
[columns.both]
type = "binary"
derive = "binary == 1"
"""
    book = rn.Codebook.from_text(text)
    for made in rn.impute(data, codebook=book, imputations=3, seed=1):
        np.testing.assert_array_equal(made["both"], made["binary"])
    free = rn.impute(data, imputations=3, iterations=1, seed=1)
    assert "both" in set(free.to_frame()["column"])


def test_losing_attrs_changes_no_number_of_the_cohort():
    data = cohort()
    bare = data.copy()
    bare.attrs.clear()
    for one, other in zip(
        rn.impute(data, imputations=2, seed=4), rn.impute(bare, imputations=2, seed=4), strict=True
    ):
        pd.testing.assert_frame_equal(one, other)


def test_passive_columns_are_computed_never_drawn():
    data = cohort()
    data["log_nlr"] = np.log(data["nlr"])
    passive = {"log_nlr": "log(nlr)", "high": "I(nlr > 3)", "both": "nlr*lvi"}
    data["lvi"] = data["lvi"].mask(data["age"] > 75)
    imputed = rn.impute(data, imputations=2, iterations=2, seed=3, passive=passive)
    for made in imputed:
        np.testing.assert_allclose(made["log_nlr"], np.log(made["nlr"]))
        np.testing.assert_array_equal(made["high"], (made["nlr"] > 3).astype(float))
        np.testing.assert_allclose(made["both"], made["nlr"] * made["lvi"])
        seen = data["nlr"].notna()
        assert made.loc[seen, "log_nlr"].equals(data.loc[seen, "log_nlr"])


@pytest.mark.parametrize("passive", [{"both": "nlr*dose"}, {"b": "log(a)", "a": "nlr*dose"}])
def test_a_passive_column_of_a_constant_one_is_refused(passive):
    with pytest.raises(ColumnError, match=r"passive\['\w+'\]: column 'dose' is the same in all"):
        rn.impute(cohort().assign(dose=2.0), passive=passive)


def test_a_passive_column_of_a_derived_one_is_refused():
    text = """
        [columns.nlr]
        type = "numeric"
        [columns.high]
        type = "binary"
        derive = "nlr > 4.44"
        """
    data = cohort()[["nlr", "age"]]
    data["high"] = (data["nlr"] > 4.44).astype(float).mask(data["nlr"].isna())
    with pytest.raises(ColumnError, match=r"passive\['both'\]: column 'high' is derived by"):
        rn.impute(data, passive={"both": "age*high"}, codebook=rn.Codebook.from_text(text))


def test_columns_of_arrow_and_sparse_columns_keep_their_types():
    pytest.importorskip("pyarrow")
    data = mixed()[["x", "binary", "text"]].copy()
    row = np.arange(len(data))
    data["sparse"] = data["x"].round(1).mask(row % 7 == 0).astype("Sparse[float]")
    data["arrow"] = (data["x"] > 0).astype("bool[pyarrow]").mask(row % 5 == 0)
    for made in rn.impute(data, imputations=2, iterations=2, seed=3):
        assert made.dtypes.equals(data.dtypes)
        assert not made.isna().any().any()
        for name in ("sparse", "arrow"):
            seen = data[name].notna()
            assert made.loc[seen, name].tolist() == data.loc[seen, name].tolist()


def test_passive_columns_of_passive_columns():
    data = cohort()
    passive = {"very": "I(log_nlr > 1)", "log_nlr": "log(nlr)"}
    for made in rn.impute(data, imputations=2, seed=3, passive=passive):
        np.testing.assert_array_equal(made["very"], (np.log(made["nlr"]) > 1).astype(float))


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "rcs(nlr, 3)",
        "nlr + age",
        "nlr*age + lvi",
        "C(lvi)",
        "offset(nlr)",
        "1",
    ],
)
def test_passive_expressions_are_terms_of_the_language(text):
    with pytest.raises(FormulaError):
        rn.impute(cohort(), passive={"new": text})


def test_passive_columns_must_be_what_they_are_said_to_be():
    data = cohort().assign(log_nlr=lambda d: np.log10(d["nlr"]))
    with pytest.raises(DataError, match=r"'log_nlr' is not log\(nlr\) in rows 1, 2"):
        rn.impute(data, passive={"log_nlr": "log(nlr)"})
    with pytest.raises(FormulaError, match="circle"):
        rn.impute(cohort(), passive={"a": "log(b)", "b": "log(a)"})


def test_times_enter_as_event_and_cumulative_hazard():
    data = cohort()
    made = imputer(data, outcome="Surv(dfs_months, recurrence)", columns=["nlr", "age"])
    assert [c.name for c in made.chain.columns] == ["age", "nlr", "recurrence"]
    outcome, block = made.chain.survival[0]
    hazard = outcome.hazard()
    column = made.chain.base[:, block.columns[0]]
    np.testing.assert_allclose(column, (hazard - hazard.mean()) / hazard.std())
    assert block.columns[0] in made.chain.targets[0].predictors
    coded = imputer(data, outcome="Surv(dfs_months, event_type == 2)", columns=["nlr"])
    # constant, nlr, event_type, hazard, and the indicator of the condition
    assert coded.chain.base.shape[1] == 5
    data.loc[4, "dfs_months"] = np.nan
    with pytest.raises(DataError, match=r"'dfs_months' is missing in row 5: follow-up"):
        rn.impute(data, outcome="Surv(dfs_months, recurrence)")
    for bad in ("Surv(dfs_months)", "nlr ~ age", "a + b"):
        with pytest.raises(FormulaError):
            rn.impute(cohort(), outcome=bad)


def test_a_binary_outcome_is_imputed_like_any_column_and_predicts():
    data = cohort()
    data["margin_positive"] = data["margin_positive"].mask(data["age"] > 70)
    imputed = rn.impute(
        data, columns=["nlr"], outcome="margin_positive == 1", imputations=1, seed=1
    )
    assert not imputed[0]["margin_positive"].isna().any()
    unnamed = rn.impute(data, columns=["nlr", "age"], imputations=2, seed=1)
    assert any("towards none" in note for note in unnamed.notes)


def test_nothing_missing_is_noted_and_gives_the_data():
    data = mixed()
    imputed = rn.impute(data, imputations=2, seed=1)
    assert any("Nothing is missing" in note for note in imputed.notes)
    for made in imputed:
        pd.testing.assert_frame_equal(made, data)
    assert imputed.display().iloc[0, 0] == "–"
    with pytest.raises(OptionError, match="no chain"):
        imputed.plot()
    fits = [rn.logistic(d, "binary ~ x") for d in imputed]
    pooled = rn.pool(fits)
    assert any("do not differ" in note for note in pooled.notes)


def test_one_imputation_cannot_be_pooled():
    imputed = rn.impute(cohort(), imputations=1, seed=1)
    assert any("cannot be pooled" in note for note in imputed.notes)
    with pytest.raises(DataError, match="at least two"):
        rn.pool([rn.logistic(d, "margin_positive ~ nlr") for d in imputed])


def test_hopeless_columns_are_refused_or_noted():
    data = mixed().assign(empty=np.nan, one="a", half=np.nan, when=pd.Timestamp("2020-01-01"))
    data.iloc[:3, data.columns.get_loc("one")] = None
    data.iloc[:3, data.columns.get_loc("binary")] = np.nan
    data.iloc[:9, data.columns.get_loc("half")] = np.arange(9.0) ** 2 + 0.5
    imputed = rn.impute(data, imputations=1, seed=1)
    for name in ("empty", "one", "half", "when"):
        assert any(note.startswith(f"{name}: left out") for note in imputed.notes)
    assert imputed[0]["one"].isna().sum() == 3
    with pytest.raises(ColumnError, match="'empty' holds no values"):
        rn.impute(data, columns=["x", "empty"])
    with pytest.raises(ColumnError, match=r"single observed value, 'a'.*missing in 3 rows"):
        rn.impute(data, columns=["x", "one"])
    named = rn.impute(data, columns=["x", "half"], imputations=1, seed=1)
    assert not named[0]["half"].isna().any()


def test_options_are_checked_in_words():
    data = cohort()
    with pytest.raises(ColumnError, match=r"no column 'nrl'.*nlr"):
        rn.impute(data, columns=["nrl"])
    with pytest.raises(OptionError, match="list of column names"):
        rn.impute(data, columns="nlr")
    with pytest.raises(OptionError, match="list of column names"):
        rn.impute(data, exclude=None)
    with pytest.raises(OptionError, match="'nlr' is named in exclude="):
        rn.impute(data, columns=["nlr"], exclude=["nlr"])
    with pytest.raises(OptionError, match="does not fit column 'nlr'"):
        rn.impute(data, method={"nlr": "logistic"})
    with pytest.raises(OptionError, match="choose one of"):
        rn.impute(data, method={"nlr": "forest"})
    with pytest.raises(OptionError, match="'age', which is not imputed"):
        rn.impute(data, method={"age": "pmm"})
    for name in ("imputations", "iterations", "donors"):
        with pytest.raises(OptionError, match=name):
            rn.impute(data, **{name: 0})
    with pytest.raises(ColumnError, match="no column 'foo'"):
        rn.impute(data, exclude=["foo"])
    with pytest.raises(ColumnError, match="name 0 is no text"):
        rn.impute(pd.DataFrame({0: [1.0, None]}))
    for name in ("method", "passive"):
        with pytest.raises(OptionError, match=f"{name} must be a mapping"):
            rn.impute(data, **{name: "pmm"})
    with pytest.raises(OptionError, match="outcome must be text"):
        rn.impute(data, outcome=3)
    with pytest.raises(OptionError, match="seed"):
        rn.impute(data, seed=-1)


def test_an_outcome_without_events_predicts_nothing_and_is_noted():
    data = cohort().assign(recurrence=0)
    imputed = rn.impute(data, outcome="Surv(dfs_months, recurrence)", imputations=1, seed=1)
    assert any(note.startswith("recurrence: left out") for note in imputed.notes)
    assert not imputed[0]["nlr"].isna().any()


def test_a_mapping_of_columns_is_taken():
    rng = np.random.default_rng(1)
    x = rng.normal(size=50)
    data = {"x": np.where(rng.random(50) < 0.2, np.nan, x), "y": x + rng.normal(size=50)}
    imputed = rn.impute(data, imputations=2, seed=1)
    assert np.isnan(data["x"]).any()
    assert not imputed[0].isna().any().any()


def test_once_is_a_draw_with_weights():
    data = cohort()
    made = imputer(data)
    one = made.once(np.random.default_rng(1))
    pd.testing.assert_frame_equal(one, imputer(data).once(np.random.default_rng(1)))
    assert not one["nlr"].isna().any()
    # only rows of weight above zero give values, but all rows get one
    rng = np.random.default_rng(2)
    weights = np.zeros(len(data))
    weights[np.flatnonzero(data["nlr"].notna())[:40]] = 2
    drawn = made.once(rng, weights=weights)
    gaps = data["nlr"].isna()
    assert set(drawn.loc[gaps, "nlr"]) <= set(data.loc[weights > 0, "nlr"])
    assert not drawn["nlr"].isna().any()
    with pytest.raises(DataError, match="No row of the sample"):
        made.once(rng, weights=gaps.to_numpy(dtype=float))
    with pytest.raises(OptionError, match="shape"):
        made.once(rng, weights=[1.0])
    for bad in (-1.0, 0.5, np.nan):
        with pytest.raises(OptionError, match="whole numbers"):
            made.once(rng, weights=np.full(len(data), bad))


def test_weights_are_those_of_replicated_rows_in_the_hazard_too():
    data = cohort()
    made = imputer(data, outcome="Surv(os_months, death)", columns=["nlr", "age"])
    counts = np.bincount(np.random.default_rng(3).integers(0, 527, 527), minlength=527)
    outcome = made.chain.survival[0][0]
    weighted = outcome.hazard(counts.astype(float))
    rows = np.repeat(np.arange(527), counts)
    copied = imputer(
        data.iloc[rows].reset_index(drop=True),
        outcome="Surv(os_months, death)",
        columns=["nlr", "age"],
    )
    np.testing.assert_allclose(weighted[rows], copied.chain.survival[0][0].hazard(), atol=1e-12)


def test_numbers_without_a_variance_are_left_out() -> None:
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"huge": rng.normal(size=60) * 1e300, "x": rng.normal(size=60)})
    data["y"] = data["x"] + rng.normal(size=60)
    data.loc[:5, ["huge", "y"]] = np.nan
    made = rn.impute(data, imputations=2, seed=1)
    assert any("'huge' holds numbers beyond 1e+100" in note for note in made.notes)
    assert made[0]["y"].notna().all()


def test_models_with_hardly_a_row_for_each_coefficient_are_told():
    rng = np.random.default_rng(6)
    data = pd.DataFrame(rng.normal(size=(60, 30)), columns=[f"x{j}" for j in range(30)])
    data["side"] = rng.choice(["left", "middle", "right"], 60)
    data.loc[:5, ["x0", "side"]] = np.nan
    notes = imputer(data).notes
    assert "side: 62 coefficients are learnt from 54 known values" in " ".join(notes)
    assert "x0: 32 coefficients are learnt from 54 known values" in " ".join(notes)
    few = imputer(data, columns=["x0", "side", "x1"]).notes
    assert not [note for note in few if "coefficients are learnt" in note]


@pytest.mark.parametrize("kind", ["Int64", "float64"])
def test_fractions_drawn_for_whole_numbers_are_kept(kind):
    """Nullable integers hold no fractions: the column becomes one of numbers."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=60)
    whole = pd.Series(np.round(x + rng.normal(size=60))).mask(np.arange(60) < 12)
    data = pd.DataFrame({"x": x, "count": whole.astype(kind)})
    for made in rn.impute(data, method={"count": "normal"}, imputations=2, seed=1):
        drawn = made["count"].to_numpy(dtype=float)
        assert (drawn[:12] != np.round(drawn[:12])).all()
        assert (drawn[12:] == whole.to_numpy()[12:]).all()


def test_a_drawn_value_without_a_logarithm_is_told_from_one_in_the_data():
    rng = np.random.default_rng(2)
    x = np.exp(rng.normal(size=80))
    data = pd.DataFrame({"x": pd.Series(x).mask(np.arange(80) < 25), "z": x + rng.normal(size=80)})
    options = {"passive": {"log_x": "log(x)"}, "imputations": 4, "seed": 1}
    with pytest.raises(DataError, match=r"log_x'\] cannot be computed of what was drawn for x\."):
        rn.impute(data, method={"x": "normal"}, **options)
    assert all((made["x"] > 0).all() for made in rn.impute(data, **options))
