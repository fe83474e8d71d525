"""A report is written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from rnetstats.errors import OutputError
from rnetstats.report.folder import check_folder, write_folder, write_new
from rnetstats.report.placing import RECORD, files_in


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
    (folder / "tables").mkdir()
    (folder / "tables" / "old.csv").write_text("old", encoding="utf-8")
    (folder / ".DS_Store").write_bytes(b"\0")
    write_folder(check_folder(folder), fill)
    assert sorted(p.name for p in folder.iterdir()) == ["report.html", RECORD]
    assert [p.name for p in tmp_path.iterdir()] == ["report"]


@pytest.mark.parametrize("name", ["mine.csv", ".git", "calculator.html"])
def test_what_was_put_beside_an_earlier_report_stays(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "report"
    earlier_report(folder)
    (folder / name).write_text("mine", encoding="utf-8")
    write_folder(check_folder(folder), fill)
    assert (folder / name).read_text(encoding="utf-8") == "mine"
    assert (folder / "report.html").read_text(encoding="utf-8") == "new"
    assert sorted(p.name for p in folder.iterdir()) == sorted([name, "report.html", RECORD])
    assert [p.name for p in tmp_path.iterdir()] == ["report"]


def test_what_is_put_there_in_the_meantime_is_left_alone(tmp_path: Path) -> None:
    folder = check_folder(tmp_path / "report")

    def slowly(target: Path) -> None:
        fill(target)
        folder.mkdir()
        (folder / "mine.csv").write_text("mine", encoding="utf-8")

    with pytest.raises(OutputError, match="holds other files and is no earlier report"):
        write_folder(folder, slowly)
    assert [p.name for p in folder.iterdir()] == ["mine.csv"]
    assert [p.name for p in tmp_path.iterdir()] == ["report"]


def earlier_report(folder: Path) -> None:
    write_folder(check_folder(folder), fill)
    (folder / "report.html").write_text("old", encoding="utf-8")
    (folder / "tables").mkdir()


def test_the_folder_that_somebody_works_in_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    number = tmp_path.stat().st_ino
    for _ in range(2):  # into an empty folder, and into an earlier report
        write_folder(check_folder("."), fill)
        assert Path.cwd() == tmp_path
        assert tmp_path.stat().st_ino == number
        assert sorted(p.name for p in Path().iterdir()) == ["report.html", RECORD]
        (tmp_path / "tables").mkdir()


def test_a_mounted_folder_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "report"
    earlier_report(folder)
    monkeypatch.setattr(Path, "is_mount", lambda self: self == folder)
    number = folder.stat().st_ino
    write_folder(check_folder(folder), fill)
    assert folder.stat().st_ino == number
    assert sorted(p.name for p in folder.iterdir()) == ["report.html", RECORD]
    assert (folder / "report.html").read_text(encoding="utf-8") == "new"


def test_a_folder_in_one_that_is_not_writable_is_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "report"
    earlier_report(folder)
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != tmp_path)
    write_folder(check_folder(folder), fill)
    assert sorted(p.name for p in folder.iterdir()) == ["report.html", RECORD]


def listed(*files: str) -> Callable[[Path], None]:
    """A report of these files, which it names as its own."""

    def fill_with(target: Path) -> None:
        for file in files:
            (target / file).parent.mkdir(exist_ok=True)
            (target / file).write_text("new", encoding="utf-8")
        record = {"made_by": "rnetstats", "files": files_in(target)}
        (target / RECORD).write_text(json.dumps(record), encoding="utf-8")

    return fill_with


@pytest.mark.parametrize("inside", [False, True])
def test_what_was_put_among_tables_and_figures_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    folder = tmp_path / "report"
    write_folder(folder, listed("tables/a.csv", "tables/gone.csv", "figures/a.svg"))
    (folder / "figures" / "mine" / "deep").mkdir(parents=True)
    for file in ("tables/mine.csv", "figures/mine/deep/a.svg", "tables/a.csv"):
        (folder / file).write_text("mine", encoding="utf-8")
    (folder / "tables" / "link").symlink_to(tmp_path / "nowhere")
    if inside:
        monkeypatch.chdir(folder)
    for _ in range(2):
        write_folder(check_folder(folder), listed("tables/a.csv", "report.html"))
        assert files_in(folder) == [
            "figures/mine/deep/a.svg",
            "report.html",
            RECORD,
            "tables/a.csv",
            "tables/link",
            "tables/mine.csv",
        ]
        assert (folder / "tables/mine.csv").read_text(encoding="utf-8") == "mine"
        assert (folder / "tables/a.csv").read_text(encoding="utf-8") == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


@pytest.mark.parametrize("relative", [False, True])
def test_what_a_link_leads_to_stays_there(tmp_path: Path, relative: bool) -> None:
    folder, elsewhere = tmp_path / "report", tmp_path / "elsewhere"
    write_folder(folder, listed("tables/a.csv", "report.html"))
    shutil.move(folder / "tables", elsewhere)
    (elsewhere / "mine.csv").write_text("mine", encoding="utf-8")
    (folder / "tables").symlink_to("../elsewhere" if relative else elsewhere)
    write_folder(check_folder(folder), listed("tables/a.csv", "report.html"))
    assert files_in(folder) == ["report.html", RECORD, "tables/a.csv"]
    assert files_in(elsewhere) == ["a.csv", "mine.csv"]
    assert not (folder / "tables").is_symlink()


@pytest.mark.parametrize("mine", ["tables/b.csv", "tables/b.csv/note.txt"])
def test_what_was_added_is_not_written_over(tmp_path: Path, mine: str) -> None:
    folder = tmp_path / "report"
    write_folder(folder, listed("tables/a.csv", "report.html"))
    (folder / mine).parent.mkdir(exist_ok=True)
    (folder / mine).write_text("mine", encoding="utf-8")
    before = files_in(folder)
    with pytest.raises(OutputError, match=r"'tables/b\.csv' in the folder is not of the earlier"):
        write_folder(check_folder(folder), listed("tables/b.csv", "report.html"))
    assert files_in(folder) == before
    assert (folder / mine).read_text(encoding="utf-8") == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


@pytest.mark.parametrize("call", range(1, 9))
def test_whatever_stops_an_exchange_leaves_what_was_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    folder = tmp_path / "report"
    write_folder(folder, listed("tables/a.csv", "report.html"))
    (folder / "tables/mine.csv").write_text("mine", encoding="utf-8")
    (folder / "tables/link").symlink_to("nowhere")
    before = files_in(folder)
    rename, calls = Path.rename, []

    def stopped(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == call:
            raise OSError(28, "no space")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(OutputError, match="no space"):
        write_folder(folder, listed("tables/b.csv", "report.html"))
    assert files_in(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


@pytest.mark.parametrize("call", range(1, 6))
@pytest.mark.parametrize("after", [False, True])
def test_whatever_stops_an_exchange_leaves_the_earlier_report_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int, after: bool
) -> None:
    """Three moves out and two in; stopped before one, or straight after it."""
    folder = tmp_path / "report"
    earlier_report(folder)
    monkeypatch.chdir(folder)
    rename = Path.rename
    calls = []

    def stopped(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == call and not after:
            raise KeyboardInterrupt
        moved = rename(self, target)
        if len(calls) == call:
            raise KeyboardInterrupt
        return moved

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_folder(folder, fill)
    assert sorted(p.name for p in folder.iterdir()) == ["report.html", RECORD, "tables"]
    assert (folder / "report.html").read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("inside", [True, False])
def test_an_interruption_waits_until_all_is_tidy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    """Control-C while the earlier report is removed left that in a hidden folder."""
    folder = tmp_path / "report"
    earlier_report(folder)
    if inside:
        monkeypatch.chdir(folder)
    remove = shutil.rmtree

    def pressed(path: Path, **options: bool) -> None:
        signal.raise_signal(signal.SIGINT)
        remove(path, **options)

    monkeypatch.setattr(shutil, "rmtree", pressed)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        write_folder(folder, fill)
    assert signal.getsignal(signal.SIGINT) is handler
    assert sorted(p.name for p in folder.iterdir()) == ["report.html", RECORD]
    assert [p.name for p in tmp_path.iterdir()] == ["report"]


def test_a_link_leads_to_the_folder(tmp_path: Path) -> None:
    (tmp_path / "disc").mkdir()
    link = tmp_path / "report"
    link.symlink_to(tmp_path / "disc")
    write_folder(check_folder(link), fill)
    assert link.is_symlink()
    assert sorted(p.name for p in (tmp_path / "disc").iterdir()) == ["report.html", RECORD]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["disc", "report"]


def test_a_broken_link_is_named(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    for folder in (link, link / "inside"):
        with pytest.raises(OutputError, match="'link' is a broken link"):
            check_folder(folder)


def test_without_a_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(OutputError, match="working directory no longer exists"):
        check_folder("report")
    write_folder(check_folder(tmp_path / "report"), fill)
    write_folder(check_folder(tmp_path / "report"), fill)
    monkeypatch.chdir(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["report"]


def test_others_see_no_more_than_the_user_lets_them(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_folder(check_folder(tmp_path / "report"), fill)
    finally:
        os.umask(before)
    assert (tmp_path / "report").stat().st_mode & 0o777 == 0o700


def test_no_file_is_left_half_written(tmp_path: Path) -> None:
    target = tmp_path / "mine.toml"
    with pytest.raises(UnicodeEncodeError):
        write_new(target, "begin \ud800")
    assert not target.exists()


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    write_folder(check_folder(tmp_path), fill)
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    "content", ["", "[]", '{"made_by": "somebody"}', "{", pytest.param("[" * 100_000, id="deep")]
)
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
