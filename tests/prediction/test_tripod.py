"""The TRIPOD+AI checklist: complete, filled where it can be, open where it cannot."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import OptionError
from rnetstats.prediction.tripod_answers import ANSWERS
from support import read

ITEMS = [
    "1",
    "2",
    "3a",
    "3b",
    "3c",
    "4",
    "5a",
    "5b",
    "6a",
    "6b",
    "6c",
    "7",
    "8a",
    "8b",
    "8c",
    "9a",
    "9b",
    "9c",
    "10",
    "11",
    "12a",
    "12b",
    "12c",
    "12d",
    "12e",
    "12f",
    "12g",
    "13",
    "14",
    "15",
    "16",
    "17",
    "18a",
    "18b",
    "18c",
    "18d",
    "18e",
    "18f",
    "19",
    "20a",
    "20b",
    "20c",
    "21",
    "22",
    "23a",
    "23b",
    "24",
    "25",
    "26",
    "27a",
    "27b",
    "27c",
]


@pytest.fixture(scope="module")
def filled() -> Any:
    data = read("birthwt.csv")
    made = rn.recipe("low ~ age + lwt + smoke", select="backward")
    model = made.fit(data, seed=1)
    validation = rn.validate(made, data, resamples=40, seed=1)
    return rn.tripod_checklist(model, validation=validation, answers={"6b": "Births | in 1986"})


def answer(result: Any, item: str) -> str:
    return result.to_frame().set_index("item").loc[item, "answer"]


def test_all_items_stand_once_and_in_order(filled: Any) -> None:
    assert list(filled.to_frame()["item"]) == ITEMS
    assert set(ANSWERS) == set(_fills())


def _fills() -> list[str]:
    from rnetstats.prediction.tripod import _items

    return [item["fill"] for item in _items() if "fill" in item]


def test_numbers_are_those_of_the_objects(filled: Any) -> None:
    data = read("birthwt.csv")
    made = rn.recipe("low ~ age + lwt + smoke", select="backward")
    validation = rn.validate(made, data, resamples=40, seed=1)
    assert f"{validation.corrected('auc'):.3f}" in answer(filled, "23a")
    assert "189 patients, 59 with the outcome" in answer(filled, "21")
    assert "every step repeated" in answer(filled, "12c")
    assert "Terms are eliminated backward" in answer(filled, "9a")
    coef = made.fit(data, seed=1).coef
    assert f"{abs(coef[0]):.10g}" in answer(filled, "22")


def test_a_cut_off_is_called_one() -> None:
    fit = rn.logistic(read("birthwt.csv"), "low ~ I(lwt > 110) + I(race == 3) + age")
    said = answer(rn.tripod_checklist(rn.risk_model(fit)), "12b")
    assert "I(lwt > 110) (cut in two), I(race == 3) (numeric), age (numeric)" in said


def test_events_are_named_by_their_time_and_kind() -> None:
    data = read("veteran.csv")
    fit = rn.cox(data, "Surv(time, status) ~ karno")
    model, judged = (
        rn.risk_model(fit, horizon=90),
        rn.validate(fit, time=90, resamples=3, seed=1),
    )
    said = answer(rn.tripod_checklist(model, validation=judged), "21")
    early = int(((data["status"] == 1) & (data["time"] <= 90)).sum())
    assert f"{data['status'].sum()} with the outcome ({early} by 90)" in said
    assert f"{early} with the outcome by 90, 3 resamples" in said
    title = answer(rn.tripod_checklist(model, validation=judged), "1")
    assert title == "Development and internal validation of a model of status by 90."
    most = rn.logistic(read("birthwt.csv").assign(fine=lambda d: 1 - d["low"]), "fine ~ lwt")
    said = answer(rn.tripod_checklist(rn.risk_model(most)), "10")
    assert said.startswith("59 patients without the outcome for 1 parameter of")


def test_what_nobody_said_is_open(filled: Any) -> None:
    frame = filled.to_frame().set_index("item")
    assert frame.loc["17", "filled_by"] == ""
    assert frame.loc["6b", "filled_by"] == "authors"
    assert frame.loc["22", "filled_by"] == "package"
    counts = filled.glance().iloc[0]
    assert counts["items"] == len(ITEMS)
    assert counts["by_package"] + counts["by_authors"] + counts["open"] == len(ITEMS)


def test_markdown_keeps_its_cells(filled: Any) -> None:
    text = filled.to_markdown()
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert all(line.replace("\\|", "").count("|") == 5 for line in rows)
    assert "Births \\| in 1986" in text
    assert "To be written by the authors" in text


def test_a_bare_model_leaves_validation_open() -> None:
    fit = rn.cox(read("veteran.csv"), "Surv(time, status) ~ karno")
    found = rn.tripod_checklist(rn.risk_model(fit, horizon=180))
    frame = found.to_frame().set_index("item")
    assert frame.loc["23a", "filled_by"] == ""
    assert "by time 180" in frame.loc["8a", "answer"]
    published = rn.RiskModel.from_coefficients("y ~ x", {"x": 1.0}, intercept=-2.0)
    assert rn.tripod_checklist(published).to_frame().set_index("item").loc["21", "answer"] == ""


def test_external_validation_is_called_so() -> None:
    data = read("birthwt.csv")
    fit = rn.logistic(data.iloc[::2], "low ~ age + lwt")
    validation = rn.validate(fit, external=data.iloc[1::2], resamples=20, seed=1)
    found = rn.tripod_checklist(rn.risk_model(fit), validation=validation)
    assert answer(found, "1").startswith("Evaluation")
    assert "On other patients" in answer(found, "23a")
    assert np.isfinite(validation.corrected("auc"))


@pytest.mark.parametrize(
    ("thresholds", "words"),
    [
        ([0.3], "at the threshold 0.3, which is not prescribed."),
        ([0.2, 0.4], "at thresholds 0.2 to 0.4, none of which is prescribed."),
    ],
)
def test_thresholds_are_told(thresholds: list[float], words: str) -> None:
    data = read("birthwt.csv")
    model = rn.risk_model(rn.logistic(data, "low ~ age"))
    judged = rn.decision_curve(data, "low ~ 1", models={"age": model}, thresholds=thresholds)
    assert answer(rn.tripod_checklist(model, decision=judged), "15").endswith(words)


def test_wrong_objects_are_refused() -> None:
    fit = rn.logistic(read("birthwt.csv"), "low ~ age")
    with pytest.raises(OptionError, match="takes a RiskModel"):
        rn.tripod_checklist(fit)
    model = rn.risk_model(fit)
    with pytest.raises(OptionError, match="has no item '6d'"):
        rn.tripod_checklist(model, answers={"6d": "x"})
    with pytest.raises(OptionError, match="result of validate"):
        rn.tripod_checklist(model, validation=3)


def test_the_patients_of_the_model_are_no_external_validation() -> None:
    data = pd.DataFrame({"y": [0, 1, 0, 1, 1, 0, 0, 1] * 8, "x": np.arange(64.0) % 13})
    model = rn.risk_model(rn.logistic(data, "y ~ x"))
    answers = {}
    for what, patients in (("same", data), ("other", data.assign(x=data["x"] * 0.9))):
        judged = rn.validate(model, external=patients, resamples=5, seed=1)
        frame = rn.tripod_checklist(model, validation=judged).to_frame().set_index("item")
        answers[what] = frame.loc["12a", "answer"], frame.loc["23a", "answer"]
    assert "very patients" in answers["same"][0]
    assert answers["same"][1].startswith("Apparent")
    assert "other patients" in answers["other"][0]
    assert answers["other"][1].startswith("On other patients")


def test_names_that_look_like_html_are_text_in_markdown() -> None:
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {"<b>x</b>": rng.normal(size=60), "g": rng.choice(["<i>", "b|c"], 60), "y": [0, 1] * 30}
    )
    fit = rn.logistic(data, "y ~ `<b>x</b>` + g")
    text = rn.tripod_checklist(rn.risk_model(fit)).to_markdown()
    shown = "".join(part for place, part in enumerate(text.split("`")) if place % 2 == 0)
    assert r"\<b>x\</b>: " in shown
    assert not re.search(r"(?<!\\)<(?!br>)", shown)  # none but line breaks
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert all(line.replace("\\|", "").count("|") == 5 for line in rows)


def test_a_validation_is_called_what_it_is() -> None:
    data = read("birthwt.csv")
    fit = rn.logistic(data, "low ~ age + lwt")
    model = rn.risk_model(fit)
    rows = data.assign(site=np.arange(len(data)) % 3)
    made = {
        "cv": rn.validate(fit, method="cv", folds=5, resamples=10, seed=1),
        "centres": rn.validate(fit, rows, method="internal-external", by="site", seed=1),
        "other": rn.validate(fit, external=data.assign(age=data["age"] + 1), resamples=20, seed=1),
        "same": rn.validate(fit, external=data, resamples=20, seed=1),
    }
    said = {
        name: rn.tripod_checklist(model, validation=validation).to_frame().set_index("item")
        for name, validation in made.items()
    }
    for name, item, expected in (
        ("cv", "12c", "Repeated cross-validation (2 repetitions), the design held fixed."),
        ("cv", "21", "189 patients, 59 with the outcome, 2 repetitions, 0 fits without a model."),
        ("cv", "23a", "Cross-validated: AUC"),
        ("centres", "12a", "each centre was left out in turn"),
        ("centres", "12c", "Internal-external cross-validation by centre, the design"),
        ("centres", "16", "between the centre left out and the others"),
        ("centres", "23a", "In centres that were left out: AUC"),
        ("other", "12c", "Other patients (20 resamples of them for limits), the model as it is."),
        ("other", "21", "validation: 189 patients, 59 with the outcome."),
        ("same", "12c", "The patients that it was made from (20 resamples of them for limits)"),
    ):
        assert expected in said[name].loc[item, "answer"], (name, item)


def test_imputation_is_repeated_where_a_validation_repeats_it() -> None:
    data = read("birthwt.csv")
    data.loc[data.index[::9], "lwt"] = np.nan
    recipe = rn.recipe("low ~ age + lwt", impute=2)
    model = recipe.fit(data, seed=1)
    alone = answer(rn.tripod_checklist(model), "11")
    assert alone == "Multiple imputation by chained equations (2 imputations)."
    judged = rn.validate(recipe, data, resamples=5, seed=1)
    said = answer(rn.tripod_checklist(model, validation=judged), "11")
    assert "repeated in every resample of the validation" in said


def test_a_published_model_is_neither_developed_nor_known_to_have_a_joint_domain() -> None:
    model = rn.RiskModel.from_coefficients(
        "low ~ lwt", {"lwt": -0.01}, intercept=0.5, ranges={"lwt": (80, 250)}
    )
    alone = rn.tripod_checklist(model)
    assert answer(alone, "1") == "A published model of low, neither developed nor evaluated here."
    assert "leverage" not in answer(alone, "27a")
    judged = rn.validate(model, external=read("birthwt.csv"), resamples=20, seed=1)
    found = rn.tripod_checklist(model, validation=judged)
    assert answer(found, "1") == "Evaluation of a model of low."
