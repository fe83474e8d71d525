"""Cohorts: totals, plausibility, streams, refusals."""

import time

import numpy as np
import pandas as pd
import pytest

from rnetstats.data.read import read_cohort
from rnetstats.errors import ColumnError, DataNotKeptError, OptionError, ReadError, RnetError
from rnetstats.missing.imputer import imputer
from rnetstats.simulation.draw import draw_cohort
from rnetstats.simulation.drawn_cohort import DrawnCohort
from rnetstats.simulation.embedded import cohort_csv
from rnetstats.simulation.fidelity import split_distribution
from rnetstats.simulation.latent import draw_latent
from rnetstats.simulation.observed import observed_arrays
from rnetstats.simulation.population import targets_of
from rnetstats.simulation.recipe_file import load_recipe
from rnetstats.tables.table_one import table_one
from support import read

TRUTHS = ("as_published", "smooth", "null")
RECIPE = load_recipe("duan2024")
TARGETS = targets_of(RECIPE)


@pytest.fixture(scope="module", params=TRUTHS)
def drawn(request):
    return draw_cohort("duan2024", truth=request.param, seed=1)


def test_fixed_totals_are_exact(drawn):
    data = drawn.data
    assert len(data) == 527
    assert data["margin_positive"].sum() == 181
    assert data["recurrence"].sum() == 12
    assert data["size_mm"].max() <= 20
    assert data["method"].value_counts().to_dict() == {
        "cEMR": 213,
        "mEMR": 199,
        "ESD": 113,
        "other": 2,
    }
    assert drawn.fidelity["met"].all()
    follow_up = drawn.fidelity.set_index("quantity").loc["median follow-up (months)"]
    assert abs(follow_up["drawn"] - 72.0) <= 0.5


def test_cohort_is_what_reading_its_csv_gives(drawn, tmp_path):
    path = tmp_path / "cohort.csv"
    path.write_text(cohort_csv(drawn.data), encoding="utf-8")
    back = read_cohort(path, codebook="duan2024")
    pd.testing.assert_frame_equal(back, drawn.data, check_exact=False, rtol=1e-12)
    about = drawn.data.attrs["rnetstats"]
    for name in ("labels", "units"):
        assert back.attrs["rnetstats"][name] == about[name]
    problems = [n for n in back.attrs["rnetstats"]["notes"] if "derived" not in n]
    assert problems == []


def test_csv_columns_begin_as_the_reference_cohort(drawn):
    reference = read("rnet_like_a.csv")
    header = cohort_csv(drawn.data).splitlines()[0].split(",")
    assert header == [*reference.columns, "centre", "enrolment_date"]
    for name in ("sex", "location", "method", "grade", "salvage"):
        assert set(reference[name]) <= set(drawn.data[name].cat.categories)


def test_rows_are_plausible(drawn):
    d = drawn.data
    assert (d["os_months"] >= d["dfs_months"]).all()
    assert (d["dfs_months"] >= 0.1).all()
    assert ((d["size_mm"] * 2) % 1 == 0).all()
    expected = np.where(d["recurrence"] == 1, 1, np.where(d["death"] == 1, 2, 0))
    assert (d["event_type"] == expected).all()
    assert ((d["salvage"] == "not_applicable") == (d["margin_positive"] == 0)).all()
    treated = d["salvage"].isin(["endoscopic", "radical"])
    assert (treated == d["salvage_days"].notna()).all()
    days = d.loc[treated, "salvage_days"]
    assert (days / 30.4375 < d.loc[treated, "dfs_months"]).all()
    assert (days >= 1).all() and (days % 1 == 0).all()
    equal = d["dfs_months"] == d["os_months"]
    assert equal[d["recurrence"] == 0].all()


def test_calendar_is_respected(drawn):
    d = drawn.data
    assert d["enrolment_date"].between("2012-12-01", "2023-06-30").all()
    last = d["enrolment_date"] + pd.to_timedelta(d["os_months"] * 30.4375, unit="D")
    assert (last <= pd.Timestamp("2024-03-31")).all()


def test_latent_rows_explain_the_recorded_ones(drawn):
    d, latent = drawn.data, drawn.latent
    assert (np.abs(d["size_mm"] - latent["latent_size_mm"]) <= 0.25 + 1e-12).all()
    end = np.minimum(latent["latent_death_months"], latent["latent_censoring_months"])
    seen = latent["latent_recurrence_months"] <= end
    assert (seen == (d["recurrence"] == 1)).all()
    unseen = (latent["latent_salvage_days"].notna()) & d["salvage_days"].isna()
    late = latent["latent_salvage_days"] / 30.4375 >= d["dfs_months"]
    assert (late[unseen]).all()


def test_same_seed_same_cohort_and_same_covariates_under_each_truth():
    one, two = draw_cohort(seed=5), draw_cohort(seed=5)
    pd.testing.assert_frame_equal(one.data, two.data)
    other = draw_cohort(seed=5, truth="null")
    names = ["age", "sex", "size_mm", "location", "method", "nlr", "grade", "lvi", "enrolment_date"]
    pd.testing.assert_frame_equal(one.data[names], other.data[names])
    assert not one.data.equals(draw_cohort(seed=6).data)
    assert isinstance(draw_cohort().seed, int)


def test_split_chooses_a_world():
    for positive in (0, 7, 12):
        data = draw_cohort(seed=2, split=(positive, 12 - positive)).data
        assert data.loc[data["margin_positive"] == 1, "recurrence"].sum() == positive
        assert data["recurrence"].sum() == 12


@pytest.mark.slow
def test_free_totals_are_right_in_expectation():
    replicates = 200
    for truth in TRUTHS:
        arrays = [
            observed_arrays(RECIPE, draw_latent(RECIPE, truth, TARGETS, seed, fixed=False))
            for seed in range(replicates)
        ]
        for name, total in (("margin_positive", 181), ("recurrence", 12)):
            drawn = np.array([a[name].sum() for a in arrays])
            error = drawn.std(ddof=1) / np.sqrt(replicates)
            assert abs(drawn.mean() - total) <= 3.5 * error, (truth, name)


def test_fixed_cohorts_meet_their_totals_for_many_seeds():
    splits, failures = split_distribution(RECIPE, "as_published", TARGETS, range(60))
    assert failures.empty
    assert splits["cohorts"].sum() == 60
    assert splits["share"].sum() == pytest.approx(1.0)


def test_the_truth_has_one_discrimination_a_model_and_is_shown_as_text() -> None:
    truth = draw_cohort(seed=1, totals="free").truth
    rows = truth.to_frame().query("measure == 'AUC'")
    models = ("margin model, published", "margin model, continuous", "margin, true risk")
    assert rows["estimand"].tolist() == [f"{model}, discrimination" for model in models]
    assert rows["value"].between(0.5, 1.0, inclusive="neither").all()
    shown = truth.display().iloc[0]
    assert (shown["estimand"], shown["value"], shown["months"]) == ("share positive", "0.343", "")


def test_another_size_grows_with_its_totals():
    large = draw_cohort(patients=1054, recurrences=60, seed=1)
    assert large.data["margin_positive"].sum() == 362
    assert large.data["recurrence"].sum() == 60
    assert large.data["method"].value_counts()["cEMR"] == 426
    assert large.truth.value("share positive") == pytest.approx(181 / 527, abs=1e-9)
    # 404.2, 377.6, 214.4 and 3.8 patients: the largest remainders are rounded up
    odd = draw_cohort(patients=1000, seed=1).data["method"].value_counts()
    assert odd.to_dict() == {"cEMR": 404, "mEMR": 378, "ESD": 214, "other": 4}


def test_missing_values_on_request():
    whole, holed = draw_cohort(seed=3), draw_cohort(seed=3, missing={"nlr": 0.04, "grade": 0.1})
    assert holed.data["nlr"].isna().sum() == round(0.04 * 527)
    assert holed.data["grade"].isna().sum() == round(0.1 * 527)
    kept = holed.data["nlr"].notna()
    assert (holed.data.loc[kept, "nlr"] == whole.data.loc[kept, "nlr"]).all()
    free = draw_cohort(seed=3, totals="free", missing={"nlr": 0.2})
    assert 0.1 < free.data["nlr"].isna().mean() < 0.3


def test_result_contract_and_provenance():
    cohort = draw_cohort(seed=4)
    assert cohort.data.attrs["rnetstats"]["synthetic"] is True
    back = DrawnCohort.from_dict(cohort.to_dict())
    assert back.data is None and back.latent is None
    pd.testing.assert_frame_equal(back.truth.estimands, cohort.truth.estimands)
    with pytest.raises(DataNotKeptError):
        back.plot()
    assert cohort.plot().get_xlabel() == "Enrolment"
    assert bool(cohort.glance()["synthetic"][0])


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"name": "duan2042"}, OptionError, "Did you mean 'duan2024'"),
        ({"truth": "smoth"}, OptionError, "Did you mean 'smooth'"),
        ({"totals": "loose"}, OptionError, "totals"),
        ({"name": 3}, OptionError, "name of a study"),
        ({"truth": None}, OptionError, "as_published"),
        ({"totals": 1}, OptionError, "totals"),
        ({"patients": "many"}, OptionError, "patients"),
        ({"seed": -1}, OptionError, "seed"),
        ({"split": (8, 5)}, OptionError, "sum to the 12"),
        ({"recurrences": 200, "split": (190, 10)}, OptionError, "190 recurrences among 181 pat"),
        ({"patients": 30, "recurrences": 12, "split": (12, 0)}, OptionError, "a positive margin"),
        ({"split": (13, -1)}, OptionError, "split must be a whole number of at least 0"),
        ({"split": "a"}, OptionError, "split='a' must be two whole numbers"),
        ({"split": "84"}, OptionError, "two whole numbers"),
        ({"split": (8, 3, 1)}, OptionError, "two whole numbers"),
        ({"split": (8.0, 4.0)}, OptionError, "split must be a whole number"),
        ({"split": 12}, OptionError, "two whole numbers"),
        ({"missing": True}, OptionError, "share of values to empty by column"),
        ({"missing": {"nlr": "many"}}, OptionError, "must be a finite number"),
        ({"missing": {"nlr": float("nan")}}, OptionError, "must be a finite number"),
        ({"split": (6, 6), "totals": "free"}, OptionError, "fixed"),
        ({"recurrences": 400}, OptionError, "fewer than half"),
        ({"missing": {"nrl": 0.1}}, ColumnError, "Did you mean 'nlr'"),
        ({"missing": {"nlr": 1.5}}, OptionError, "share"),
        ({"name": "absent.toml"}, ReadError, "absent.toml"),
    ],
)
def test_refusals(options, error, words):
    with pytest.raises(error, match=words):
        draw_cohort(**{"seed": 1, **options})


def test_a_recipe_without_standing_is_refused(tmp_path):
    text = "[totals.patients]\nvalue = 3\n"
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RnetError):
        load_recipe(str(path))


def test_drawing_is_fast():
    draw_cohort(seed=0)
    best = np.inf
    for seed in range(5):
        start = time.perf_counter()
        draw_cohort(seed=seed)
        best = min(best, time.perf_counter() - start)
    assert best < 0.1


def test_totals_of_another_size_are_not_called_printed():
    table = draw_cohort(patients=1054, recurrences=60, seed=1).fidelity.set_index("quantity")
    assert table.loc["patients", ["published", "standing"]].tolist() == [1054, "chosen"]
    assert table.loc["recurrences", ["published", "standing"]].tolist() == [60, "chosen"]
    assert table.loc["positive margins", "standing"] == "chosen"
    assert table.loc["method cEMR", "standing"] == "chosen"
    assert table.loc["positive margins (%)", "standing"] == "printed"
    assert table.loc["median follow-up (months)", "standing"] == "printed"


def test_a_drawn_cohort_tells_empty_cells_from_missing_ones_as_a_read_one_does(tmp_path):
    for name in ("duan2024", "nelm2024"):
        data = draw_cohort(name, seed=1).data
        path = tmp_path / f"{name}.csv"
        data.to_csv(path, index=False)
        back = read_cohort(path, codebook=name)
        for key in ("missing", "structural"):
            assert data.attrs["rnetstats"][key] == back.attrs["rnetstats"][key]
    data = draw_cohort(seed=1, missing={"nlr": 0.1}).data
    rows = table_one(data, columns=["salvage_days", "nlr"]).comparisons.set_index("variable")
    empty = int(data["salvage_days"].isna().sum())
    assert rows.loc["salvage_days", ["n_missing", "n_not_applicable"]].tolist() == [empty, empty]
    assert rows.loc["nlr", ["n_missing", "n_not_applicable"]].tolist() == [53, 0]
    notes = " ".join(imputer(data).notes)
    assert f"Column 'salvage_days' is empty in {empty} rows because nothing applies there" in notes
    assert "salvage_months: not imputed. The codebook derives it" in notes


def test_names_of_all_studies_that_can_be_drawn_are_told():
    with pytest.raises(OptionError, match=r"known: 'cha2019', 'duan2024', 'nelm2024'\. Did you"):
        draw_cohort("nelm2023")


def test_a_recipe_s_path_may_be_a_path(tmp_path):
    with pytest.raises(ReadError, match=r"mine\.toml"):
        draw_cohort(tmp_path / "mine.toml")
