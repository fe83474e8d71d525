"""A report is written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnetstats.errors import OutputError
from rnetstats.report.folder import RECORD, check_folder, write_folder


def fill(target: Path) -> None:
    (target / RECORD).write_text('{"made_by": "rnetstats"}', encoding="utf-8")
    (target / "report.html").write_text("new", encoding="utf-8")


def break_off(target: Path) -> None:
    fill(target)
    raise OSError(28, "No space left on device")


def test_a_new_folder_with_its_parents(tmp_path: Path) -> None:
    folder = check_folder(tmp_path / "a" / "b é" / "report")
    assert not folder.parent.exists()
    write_folder(folder, fill)
    assert (folder / "report.html").read_text(encoding="utf-8") == "new"
    assert [p.name for p in folder.parent.iterdir()] == ["report"]


def test_an_earlier_report_is_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    write_folder(check_folder(folder), fill)
    (folder / "old.txt").write_text("old", encoding="utf-8")
    write_folder(check_folder(folder), fill)
    assert sorted(p.name for p in folder.iterdir()) == ["report.html", RECORD]
    assert [p.name for p in tmp_path.iterdir()] == ["report"]


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    write_folder(check_folder(tmp_path), fill)
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize("content", ["", "[]", '{"made_by": "somebody"}', "{"])
def test_a_folder_of_other_files_is_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / "thesis.docx").write_text("x", encoding="utf-8")
    (tmp_path / RECORD).write_text(content, encoding="utf-8")
    with pytest.raises(OutputError, match="holds other files"):
        check_folder(tmp_path)
    assert (tmp_path / "thesis.docx").exists()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    file = tmp_path / "report"
    file.write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match="'report' is a file"):
        check_folder(file)
    with pytest.raises(OutputError, match="'report' is a file"):
        check_folder(file / "inside")


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="not writable"):
        check_folder(tmp_path / "report")


def test_nothing_half_written_when_the_disk_is_full(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "report"
    with pytest.raises(OutputError, match="No space left"):
        write_folder(folder, break_off)
    assert list(tmp_path.iterdir()) == []


def test_the_earlier_report_survives_a_failure(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    write_folder(folder, fill)
    (folder / "report.html").write_text("old", encoding="utf-8")
    with pytest.raises(OutputError):
        write_folder(folder, break_off)
    assert (folder / "report.html").read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report"]


@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize("stop", [OSError(13, "Permission denied"), KeyboardInterrupt()])
def test_whatever_stops_the_move_leaves_the_earlier_report_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int, stop: BaseException
) -> None:
    """The first move is of the earlier report, the second of the new one."""
    folder = tmp_path / "report"
    write_folder(folder, fill)
    (folder / "report.html").write_text("old", encoding="utf-8")
    rename = Path.rename
    calls = []

    def stopped(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == call:
            raise stop
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises((OutputError, KeyboardInterrupt)):
        write_folder(folder, fill)
    monkeypatch.undo()
    assert (folder / "report.html").read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report"]


@pytest.mark.parametrize("output", [3, "a\0b", ["x"]])
def test_what_is_no_path_is_refused(output: object) -> None:
    with pytest.raises(OutputError, match="must be the path of a folder"):
        check_folder(output)  # type: ignore[arg-type]
