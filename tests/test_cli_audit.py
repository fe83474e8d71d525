"""rnetstats audit: what it prints, what it writes, how it refuses."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from pathlib import Path

import pytest

from rnetstats.cli import main
from rnetstats.evidence.facts_template import facts_template

SMALL = """
schema = 1
study = { name = "paper", title = "A small paper" }
checks = [{ kind = "sum", parts = ["n"], total = "n" }]
[facts.n]
label = "Patients"
value = "5"
unit = "patients"
standing = "printed"
where = "abstract"
"""


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    try:
        code = main(["audit", *(str(a) for a in arguments)])
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def refused(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str | Path) -> str:
    """Run a command that must be refused: one message, exit code 2, nothing written."""
    before = sorted(folder.rglob("*"))
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("rnetstats: error: ")
    assert len(err.strip().splitlines()) == 1
    assert sorted(folder.rglob("*")) == before
    return err


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert "examples:" in out
    assert "exit code: 0 done" in out
    assert all(len(line) <= 100 for line in out.splitlines())


def test_the_template_is_printed_and_runs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, err = run(capsys, "--template")
    assert (code, err, out) == (0, "", facts_template())
    path = tmp_path / "paper.toml"
    assert run(capsys, "--template", "--output", path)[0] == 0
    assert tomllib.loads(path.read_text(encoding="utf-8"))["schema"] == 1
    code, out, err = run(capsys, path)
    assert (code, err) == (0, "")
    assert "none found a contradiction" in out
    assert "Nothing was written" in out
    path.write_text("mine", encoding="utf-8")
    assert "exists and was left" in refused(capsys, tmp_path, "--template", "--output", path)
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_folder_is_written_whole(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path, folder = tmp_path / "paper é.toml", tmp_path / "audit é"
    path.write_text(SMALL, encoding="utf-8")
    for _ in range(2):  # an earlier audit is replaced
        code, out, err = run(capsys, path, "--output", folder)
        assert (code, err) == (0, "")
    assert "(open this)" in out
    names = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert {"audit.html", "audit.json", "run.json"} < names
    assert {"tables/checks.csv", "tables/facts.csv", "tables/reporting.csv"} < names
    assert {"figures/gaps.svg", "figures/gaps.png"} < names
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert record["made_by"] == "rnetstats"
    assert record["audit"] == "paper"
    assert record["input"]["file"] == "paper é.toml"
    assert str(tmp_path) not in (folder / "run.json").read_text(encoding="utf-8")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["audit é", "paper é.toml"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_file_named_in_another_encoding(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    paper, folder = tmp_path / os.fsdecode("Größe.toml".encode("latin-1")), tmp_path / "audit"
    paper.write_text(SMALL, encoding="utf-8")
    code, _, err = run(capsys, paper, "--output", folder)
    assert (code, err) == (0, "")
    assert json.loads((folder / "run.json").read_text("utf-8"))["input"]["file"] == "Gr??e.toml"
    assert (folder / "audit.html").exists()


def test_what_is_odd_comes_first_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "duan2024")
    assert (code, err) == (0, "")
    assert out.index("rounding (") < out.index("consistent (")
    assert "the print cuts digits off" in out
    assert all(len(line) <= 100 for line in out.splitlines()[1:])


def test_inconsistent_figures_are_no_failure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "paper.toml"
    path.write_text(SMALL.replace('["n"]', '["n", "n"]'), encoding="utf-8")
    code, out, _ = run(capsys, path)
    assert code == 0
    assert "inconsistent (1)" in out
    assert "10, 5 more than the total of 5" in out


def test_what_cannot_be_audited_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "paper.toml"
    path.write_text(facts_template().replace("standing", "standng", 1), encoding="utf-8")
    assert "Name a facts file or a study" in refused(capsys, tmp_path)
    assert "There is no file 'none.toml'" in refused(capsys, tmp_path, tmp_path / "none.toml")
    assert "Did you mean 'cha2019'" in refused(capsys, tmp_path, "cha2020")
    assert "--template takes no file" in refused(capsys, tmp_path, path, "--template")
    assert "conf_level must lie" in refused(capsys, tmp_path, "cha2019", "--conf-level", "95")
    path.write_text(facts_template().replace("\nstanding = ", "\nstandng = ", 1), encoding="utf-8")
    told = refused(capsys, tmp_path, path, "--output", tmp_path / "audit")
    assert "paper.toml, [facts.patients] has 'standng'" in told
    assert "Did you mean 'standing'" in told
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "kept.txt").write_text("x", encoding="utf-8")
    told = refused(capsys, tmp_path, "cha2019", "--output", tmp_path / "other")
    assert "holds other files" in told
