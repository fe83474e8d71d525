"""The files under data/synthetic: written again byte for byte, and complete."""

from pathlib import Path

import pandas as pd
import pytest

from rnetstats.evidence.facts import read_facts
from rnetstats.simulation.embedded import SPLIT_SEEDS, synthetic_files
from rnetstats.simulation.fidelity import split_distribution
from rnetstats.simulation.observed import CSV_COLUMNS
from rnetstats.simulation.population import targets_of
from rnetstats.simulation.recipe_file import load_recipe

FOLDER = Path(__file__).parents[2] / "data" / "synthetic"
STANDINGS = {"printed", "derived", "inferred", "chosen"}


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / name, keep_default_na=False)


@pytest.mark.slow
def test_files_regenerate_byte_for_byte():
    files = synthetic_files(seeds=0)
    assert {"dictionary.csv", "parameters.csv", "fidelity.csv", "truth.csv"} <= set(files)
    for name, text in files.items():
        assert text.encode("utf-8") == (FOLDER / name).read_bytes(), name


@pytest.mark.slow
@pytest.mark.parametrize("truth", ["as_published", "null"])
def test_the_splits_regenerate(truth):
    recipe = load_recipe("duan2024")
    splits, missed = split_distribution(recipe, truth, targets_of(recipe), range(SPLIT_SEEDS))
    stored = table("splits.csv").query(f"cohort == 'duan2024_{truth}'")["cohorts"].tolist()
    assert splits["cohorts"].tolist() == stored
    assert missed.empty


def test_splits_hold_two_thousand_cohorts_a_truth():
    splits = table("splits.csv")
    assert splits.groupby("cohort")["cohorts"].sum().tolist() == [SPLIT_SEEDS] * 3
    assert (splits["positive"] + splits["negative"] == 12).all()
    means = (splits["positive"] * splits["share"]).groupby(splits["cohort"]).sum()
    assert means["duan2024_as_published"] > means["duan2024_null"]


def test_the_dictionary_covers_every_column_with_its_standing():
    dictionary = table("dictionary.csv")
    assert dictionary["column"].tolist() == list(CSV_COLUMNS)
    assert set(dictionary["standing"]) <= STANDINGS
    assert (dictionary["description"] != "").all()
    standing = dictionary.set_index("column")["standing"]
    assert standing["method"] == "inferred"
    assert standing["recurrence"] == standing["margin_positive"] == "printed"
    for name in ("age", "sex", "size_mm", "nlr", "grade", "lvi", "salvage", "death", "centre"):
        assert standing[name] == "chosen", name


def test_every_chosen_value_says_why():
    parameters = table("parameters.csv")
    assert set(parameters["standing"]) <= STANDINGS
    assert (parameters["source"] != "").all()
    chosen = parameters.loc[parameters["standing"] == "chosen", "parameter"]
    for part in ("salvage.delay", "death.", "recurrence.", "truths.", "copula", "calendar.cutoff"):
        assert chosen.str.startswith(part).any(), part


def test_every_printed_total_stands_in_the_facts():
    parameters = table("parameters.csv").query("standing == 'printed'")
    totals = parameters[parameters["parameter"].str.startswith("totals.")]
    printed = [fact.value for fact in read_facts("duan2024").facts.values() if fact.known]
    assert len(totals) == 4
    assert set(totals["value"].astype(str)) <= set(printed)


@pytest.mark.parametrize("truth", ["as_published", "smooth", "null"])
def test_the_embedded_cohorts_meet_the_printed_totals(truth):
    fidelity = table("fidelity.csv").query(f"cohort == 'duan2024_{truth}'")
    assert (fidelity["met"].astype(str) == "True").all()
    assert set(fidelity["standing"]) == {"printed", "inferred"}
    data = table(f"duan2024_{truth}.csv")
    assert (len(data), data["margin_positive"].sum(), data["recurrence"].sum()) == (527, 181, 12)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.csv")), ids=lambda path: path.name)
def test_a_plain_reading_loses_no_text(path):
    """What stands in a cell is not taken for a missing value, "null" above all."""
    plain, text = pd.read_csv(path), pd.read_csv(path, keep_default_na=False, dtype=str)
    assert (plain.isna() == (text == "")).all(axis=None)
    if "cohort" in plain and path.stem != "dictionary":
        stems = {p.stem for p in FOLDER.glob("duan2024_*.csv")}
        assert set(plain["cohort"]) == stems, "a row says which file it belongs to"


def test_the_readme_says_what_salvage_looks_like_where_it_does_nothing():
    truth = table("truth.csv").query("cohort == 'duan2024_null' and months == 0")
    ratios = truth.set_index(["estimand", "endpoint", "group"])["value"].astype(float)
    words = (FOLDER / "README.md").read_text(encoding="utf-8")
    naive, dependent = "salvage, naive, from time zero", "salvage, time-dependent"
    shown = [
        (naive, "time to recurrence", "any against none"),
        (dependent, "time to recurrence", "any against none"),
        (naive, "time to recurrence", "radical against none"),
        (naive, "disease-free survival", "any against none"),
        (dependent, "disease-free survival", "any against none"),
    ]
    for key in shown:
        assert f"{ratios[key]:.2f}" in words, key
    assert ratios[shown[0]] < ratios[shown[1]], "immortal time pulls the naive ratio down"
