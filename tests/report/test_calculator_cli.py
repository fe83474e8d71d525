"""``rnetstats calculator``: what it writes, how it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from calculator_cases import made
from rnetstats.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    try:
        code = main([str(a) for a in arguments])
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def model(tmp_path: Path) -> Path:
    made("cox_wald").save(tmp_path / "model.json")
    return tmp_path / "model.json"


@pytest.mark.slow
def test_a_page_is_written(capsys: pytest.CaptureFixture[str], model: Path) -> None:
    page = model.parent / "calculator é.html"
    code, out, err = run(capsys, "calculator", model, "--output", page)
    assert (code, err) == (0, "")
    assert str(page) in out
    assert "Research use only" in out
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_help_names_the_rules_and_the_way_to_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "calculator", "--help")
    assert code == 0
    assert "examples:" in out
    assert "in-the-large, discrimination" in " ".join(out.split())
    assert "with_performance(judged.performance())" in out
    assert all(len(line) <= 100 for line in out.splitlines())


@pytest.mark.slow
def test_a_failing_rule_is_forced_by_its_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = made("cox_wald")
    assert found.performance is not None
    bad = {**found.performance, "slope": {"corrected": 0.5}, "c": {"corrected": 0.55}}
    file, page = tmp_path / "m.json", tmp_path / "c.html"
    found.with_performance(bad).save(file)
    code, out, err = run(capsys, "calculator", file, "--output", page)
    assert (code, out) == (2, "")
    assert "--force slope discrimination" in err
    assert err.count("\n") == 1
    assert not page.exists()
    forced = ("--force", "slope", "discrimination")
    assert run(capsys, "calculator", file, "--output", page, *forced)[0] == 0
    assert "it was forced" in page.read_text(encoding="utf-8")
    page.unlink()
    apart = ("--force", "slope", "--force", "discrimination")
    assert run(capsys, "calculator", file, "--output", page, *apart)[0] == 0
    assert page.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[1, 2]", "holds no RiskModel"),
        (b'{"type": "CoxResult"}', "holds no RiskModel"),
        (b'{"type": "RiskModel", "fields": {}}', "damaged"),
    ],
)
def test_wrong_files_are_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes | None, message: str
) -> None:
    file = tmp_path / "m.json"
    if content is not None:
        file.write_bytes(content)
    before = sorted(tmp_path.iterdir())
    code, out, err = run(capsys, "calculator", file, "--output", tmp_path / "c.html")
    assert (code, out) == (2, "")
    assert err.startswith("rnetstats: error: ")
    assert message in err
    assert "m.json" in err
    assert err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required"),
        (["MODEL"], "--output"),
        (["MODEL", "--output", "nowhere/c.html"], "does not exist"),
        (["MODEL", "--output", "c.html", "--force", "all"], "no rule 'all'"),
        (["MODEL", "--output", "c.html", "--colour"], "unrecognized"),
    ],
)
def test_wrong_options_are_refused(
    capsys: pytest.CaptureFixture[str],
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(model.parent)
    given = [str(model) if a == "MODEL" else a for a in arguments]
    code, out, err = run(capsys, "calculator", *given)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    assert [p.name for p in model.parent.iterdir()] == ["model.json"]
