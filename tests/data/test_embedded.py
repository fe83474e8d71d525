"""Embedded cohorts: found in the package or the checkout, and marked synthetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnetstats._core.frame import is_synthetic
from rnetstats.data import cohort_files
from rnetstats.data.embedded import load_cohort
from rnetstats.data.read import read_cohort
from rnetstats.errors import OptionError, ReadError
from rnetstats.simulation.draw import draw_cohort
from support import data_path


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds one cohort under one truth."""
    text = data_path("rnet_like_a.csv").read_bytes()
    (tmp_path / "duan2024_as_published.csv").write_bytes(text)
    (tmp_path / "duan2024_fidelity.json").write_text("{}")
    (tmp_path / "README.md").write_text("x")
    monkeypatch.setattr(cohort_files, "folders", lambda: [tmp_path / "none", tmp_path])
    # what is read here must not be remembered as the files of the package
    monkeypatch.setattr(cohort_files, "_digests", cohort_files._digests.__wrapped__)
    return tmp_path


def test_a_cohort_is_marked_synthetic(installed: Path) -> None:
    cohort = load_cohort("duan2024")
    about = cohort.attrs["rnetstats"]
    assert len(cohort) == 527
    assert is_synthetic(cohort)
    assert (about["study"], about["truth"]) == ("duan2024", "as_published")
    assert about["notes"][0].startswith("Synthetic")
    assert about["provenance"]["source"] == "duan2024_as_published.csv"


def test_unknown_names_and_truths(installed: Path) -> None:
    with pytest.raises(OptionError, match="Did you mean 'duan2024'"):
        load_cohort("duan2023")
    with pytest.raises(OptionError, match=r"no truth 'published'. Did you mean 'as_published'"):
        load_cohort("duan2024", truth="published")


def test_files_that_are_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cohort_files, "folders", lambda: [tmp_path / "none"])
    with pytest.raises(ReadError, match="not installed"):
        load_cohort("duan2024")


def test_an_embedded_file_read_by_its_path_keeps_the_mark(tmp_path: Path) -> None:
    source = cohort_files.cohort_files("duan2024")["null"]
    path = tmp_path / "renamed.csv"
    path.write_bytes(source.read_bytes())
    assert read_cohort(path).attrs["rnetstats"]["truth"] == "null"
    path.write_bytes(source.read_bytes() + b"\n")
    assert not is_synthetic(read_cohort(path))


@pytest.mark.parametrize("truth", ["as_published", "smooth", "null"])
def test_the_cohorts_of_the_package(truth: str) -> None:
    cohort = load_cohort("duan2024", truth=truth)
    assert len(cohort) == 527
    assert cohort["margin_positive"].sum() == 181
    assert cohort["recurrence"].sum() == 12
    assert cohort.attrs["rnetstats"]["missing"] == {}


@pytest.mark.parametrize("value", [None, 1, [], {}, float("nan"), np.array([1, 2])])
def test_what_is_no_text_is_refused_in_words(value):
    with pytest.raises(OptionError, match="no embedded cohort"):
        load_cohort(value)
    with pytest.raises(OptionError, match="no truth"):
        load_cohort("duan2024", truth=value)
    with pytest.raises(OptionError, match="name"):
        draw_cohort(value)
