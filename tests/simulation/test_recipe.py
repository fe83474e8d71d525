"""Recipes of one's own: read as they are, and refused in a sentence where they cannot be drawn."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from rnetstats.errors import OptionError, ReadError, RnetError
from rnetstats.simulation.draw import draw_cohort
from rnetstats.simulation.recipe_file import load_recipe

USUAL = (files("rnetstats") / "studies" / "duan2024" / "recipe.toml").read_text(encoding="utf-8")
SEX = 'levels = ["F", "M"]'
AGE = "mean = 52.0\nsd = 11.5\nlower = 18.0\nupper = 86.0\nstep = 1.0"
GRADE = '{ variable = "grade", level = "G2", coefficient = 0.7 }'


def written(tmp_path, *changes):
    text = USUAL
    for old, new in changes:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_copy_of_the_recipe_gives_the_same_cohort(tmp_path):
    own, usual = draw_cohort(written(tmp_path), seed=3), draw_cohort(seed=3)
    assert own.data.equals(usual.data)
    assert own.truth.to_frame().equals(usual.truth.to_frame())


def test_a_recipe_that_was_edited_is_read_again(tmp_path):
    assert draw_cohort(written(tmp_path), seed=3).data["age"].mean() > 45
    edited = written(tmp_path, ("mean = 52.0", "mean = 40.0"))
    assert draw_cohort(edited, seed=3).data["age"].mean() < 45


def test_centres_and_correlations_may_be_one_s_own(tmp_path):
    path = written(
        tmp_path,
        ('levels = ["C1", "C2", "C3", "C4", "C5"]', 'levels = ["north", "south"]'),
        ("shares = [0.32, 0.24, 0.19, 0.14, 0.11]", "shares = [3, 1]"),
        ('["size_mm", "grade", 0.35],', '["size_mm", "grade", 0.8],'),
    )
    drawn = draw_cohort(path, seed=1, totals="free", patients=5000)
    shares = drawn.data["centre"].value_counts(normalize=True)
    assert shares["north"] == pytest.approx(0.75, abs=0.03)
    size = drawn.data.groupby("grade", observed=True)["size_mm"].mean()
    usual = draw_cohort(seed=1, totals="free", patients=5000).data
    assert size["G2"] > usual.groupby("grade", observed=True)["size_mm"].mean()["G2"] + 1
    assert np.isfinite(drawn.truth.to_frame()["value"]).all()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("value = 527", "value = 5.5", r"\[totals.patients\] value must be a whole number"),
        ("value = 181", "value = 600", "margin_positive must be at least 1 and fewer"),
        ("value = 12\n", "", r"\[totals.recurrences\] lacks 'value'"),
        ("value = 12\n", "valu = 12\n", "lacks 'value'. Did you mean 'valu'"),
        ("cEMR = 213,", "EMR = 213,", "count the levels of"),
        ("ESD = 113,", "ESD = -1,", r"\[totals.method.value\] ESD must be a whole number"),
        ("first = 2012-12-01", 'first = "2012"', "must be a date such as"),
        ("first = 2012-12-01", "first = 2012-12-01T10:00:00", "must be a date such as"),
        ("last = 2023-06-30", "last = 2025-06-30", "end by the date of the cut-off"),
        ("per_month = 0.0015", "per_month = 0", r"\[calendar.loss\] per_month must be above 0"),
        ('law = "normal"', 'law = "norm"', r"law='norm' is not allowed.*Did you mean 'normal'"),
        ("sd = 11.5", "sd = true", r"\[variables.age\] sd must be a finite number, not True"),
        ("sd = 11.5", "sd = nan", "sd must be a finite number"),
        ("lower = 18.0", "lower = 90", "lower must be below upper"),
        (AGE, AGE.replace("mean = 52.0", "mean = 5200"), "next to no values between 18 and 86"),
        ("step = 0.5", "step = 0.3", "one over a whole number"),
        ("step = 0.5", "step = 2", "one over a whole number"),
        ("median = 7.0", "median = 0", "median must be above 0"),
        ("lower = 1.0", "lower = 0", r"\[variables.size_mm\] lower must be above 0"),
        (SEX, 'levels = ["F", "F"]', "two or more different texts"),
        (SEX, "levels = [0, 1]", "levels must be texts"),
        (SEX, 'levels = ["M", "F"]', "must have levels F, M, in this order"),
        ("shares = [0.45, 0.55]", "shares = [1]", "has 1 shares for 2 levels"),
        ("shares = [0.45, 0.55]", "shares = [0, 0]", "must not all be 0"),
        ("shares = [0.45, 0.55]", "shares = [-1, 2]", "shares must be at least 0"),
        ("[variables.sex]", "[variables.sexe]", r"sexe\] is no variable of duan2024"),
        ('["size_mm", "lvi", 0.30]', '["size_mm", "lvi", 1.5]', "lie between -1 and 1"),
        ('["size_mm", "lvi", 0.30]', '["size_mm", "lvy", 0.3]', "'lvy'. Did you mean 'lvi'"),
        ('["size_mm", "lvi", 0.30]', '["size_mm", "lvi"]', "two variables and a correlation"),
        ('["size_mm", "lvi", 0.30]', '["lvi", "grade", 0.3]', "or are one twice"),
        ('["size_mm", "lvi", 0.30]', '["size_mm", "lvi", -0.9]', "not positive definite"),
        ("events = 44", "events = 142", r"\[salvage.share\] events must lie between 0 and 142"),
        (GRADE, GRADE.replace("grade", "grad"), "'grad', no variable here. Did you mean 'grade'"),
        (GRADE, GRADE.replace('"G2"', '"G3"'), "needs a level: one of 'G1', 'G2'"),
        (GRADE, GRADE.replace('level = "G2", ', ""), "needs a level"),
        (GRADE, GRADE.replace("level", "levle"), "no entry 'levle'.*Did you mean 'level'"),
        (GRADE, GRADE.replace("0.7", '"0.7"'), "coefficient must be a finite number"),
        (GRADE, GRADE.replace("0.7", "700"), "at most 30 can be drawn from"),
        (GRADE, '{ variable = "margin_positive", above = 1, coefficient = 1 }', "alone"),
        ('[{ variable = "age"', '[{ variable = "margin_positive"', "no variable here"),
        ("value = 0.90", "value = 90", "lie between 0 and 1"),
        ("shape = 1.2", "shape = 0", "shape must lie between 0 and 10"),
        ("shape = 1.2", "shape = [1]", "shape must be a finite number"),
        ("endoscopic = -1.3863", 'endoscopic = "strong"', "endoscopic must be a finite number"),
        ('name = "duan2024"', 'name = "mine"', "that of the study whose columns it fills: 'duan"),
        ("2024-03-31\nstanding", "2024-03-31\nstand", r"table \[calendar.cutoff\] has no standing"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(tmp_path, old, new, words):
    with pytest.raises(RnetError, match=words) as caught:
        load_recipe(str(written(tmp_path, (old, new))))
    assert str(caught.value).startswith("The recipe ")
    assert "mine.toml" in str(caught.value)


def test_totals_that_nothing_meets_are_refused(tmp_path):
    path = written(tmp_path, ("months = 60.0", "months = 1e30"), ("shape = 1.0", "shape = 9.9"))
    with pytest.raises(RnetError, match="met by no intercept"):
        draw_cohort(path, seed=1)
    path = written(tmp_path, ("value = 72.0", "value = 720.0"))
    with pytest.raises(RnetError, match="A median follow-up of 720 months cannot be reached"):
        draw_cohort(path, seed=1)
    with pytest.raises(OptionError, match="At most 10,000,000 patients"):
        draw_cohort(seed=1, patients=10**10)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00name")
    with pytest.raises(ReadError, match="no text in UTF-8"):
        draw_cohort(path)
