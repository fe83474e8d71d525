"""The command line: what it prints, what it writes, how it refuses."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from rnetstats import __version__, read_cohort
from rnetstats.cli import main
from rnetstats.report.reproduce import DEFAULT_RESAMPLES, DEFAULT_SEED
from support import data_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    try:
        code = main([str(a) for a in arguments])
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def refused(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str | Path) -> str:
    """Run a command that must be refused: one message, exit code 2, nothing written."""
    before = sorted(folder.rglob("*"))
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("rnetstats: error: ")
    assert "Traceback" not in err
    assert sorted(folder.rglob("*")) == before
    return err


COMMANDS = ("reproduce", "codebook", "overview", "calculator", "audit")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_has_examples(capsys: pytest.CaptureFixture[str], command: str) -> None:
    code, out, _ = run(capsys, *command.split(), "--help")
    assert code == 0
    assert "examples:" in out
    assert ("exit code:" in out) == bool(command)
    assert command or all(f"rnetstats {name} " in out for name in COMMANDS)
    assert "rnetstats" in out
    assert all(len(line) <= 100 for line in out.splitlines())


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version")[:2] == (0, f"rnetstats {__version__}\n")
    assert run(capsys, "-V")[:2] == (0, f"rnetstats {__version__}\n")


def test_each_command_stands_on_one_line_with_its_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = run(capsys, "--help")[1].splitlines()
    listed = lines[lines.index("commands:") + 2 :][: len(COMMANDS)]
    assert [line.split()[0] for line in listed] == ["reproduce", "codebook", *COMMANDS[2:]]
    assert all(len(line.split()) > 3 for line in listed)


def test_no_search_for_cycles_at_the_end(monkeypatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("atexit.register", asked.append)
    assert main(["codebook", "nowhere.csv", "--output", "nowhere.toml"]) == 2
    assert asked == [gc.freeze]


def test_memory_is_managed_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    before = gc.get_threshold()
    assert run(capsys, "reproduce", "nobody")[0] == 2
    assert run(capsys, "codebook", data_path("rnet_zero_events.csv"))[0] == 0
    assert gc.get_threshold() == before


def test_a_file_of_ones_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "my report é"
    code, out, err = run(
        capsys,
        "reproduce",
        "duan2024",
        "--data",
        data_path("rnet_zero_events.csv"),
        "--output",
        folder,
        "--resamples",
        "25",
    )
    assert (code, err) == (0, "")
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert record["options"]["resamples"] == 25
    assert str(folder / "report.html") in out
    assert "rnet_zero_events.csv, 322 patients" in out
    assert "cannot be judged: too few events" in out
    assert (folder / "report.html").exists()
    assert record["seed"] == 527
    assert [p.name for p in tmp_path.iterdir()] == [folder.name]


def test_help_names_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["reproduce", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert f"(default: {DEFAULT_RESAMPLES})" in shown
    assert f"(default: {DEFAULT_SEED})" in shown


@pytest.mark.slow
def test_without_a_folder_the_answer_is_printed_and_nothing_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--seed", "5", "--truth", "null", "--resamples", "20"]
    code, out, _ = run(capsys, "reproduce", "duan2024", *options)
    assert code == 0
    assert "seed 5" in out
    assert "truth “null”" in out
    assert "Nothing was written" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["nosuch"], "There is no study 'nosuch'"),
        (["duan2025"], "Did you mean 'duan2024'"),
        (["duan2024", "--truth", "smoth"], "Did you mean 'smooth'"),
        (["duan2024", "--codebook", "x.toml"], "give data= too"),
        (["duan2024", "--seed", "-1"], "not a whole number"),
        (["duan2024", "--seed", "x"], "not a whole number"),
        (["duan2024", "--resamples", "19"], "not a whole number of at least 20"),
        (["duan2024", "--colour", "red"], "unrecognized arguments"),
        ([], "required"),
    ],
)
def test_wrong_options(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: list[str], message: str
) -> None:
    output = ["--output", str(tmp_path / "out")] if options else []
    assert message in refused(capsys, tmp_path, "reproduce", *options, *output)


FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "binary": (bytes(range(256)) * 20, "bin"),
    "latin": ("patient_id,säße\n1,ü\n".encode("latin-1"), "UTF-8"),
    "ragged": (b"a,b\n1,2,3,4\n5\n", ""),
    "prose": (b"This is not a table at all.\n", ""),
    "columns": (b"patient_id,age\nA,50\nB,60\n", "there is no column"),
    "twice": (b"age,age\n1,2\n2,3\n", "age"),
}


@pytest.mark.parametrize("name", FILES)
def test_wrong_files(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    content, message = FILES[name]
    file = tmp_path / f"{name}.csv"
    file.write_bytes(content)
    err = refused(
        capsys, tmp_path, "reproduce", "duan2024", "--data", file, "--output", tmp_path / "out"
    )
    assert message.lower() in err.lower()
    assert file.name in err


def test_a_missing_file_and_a_missing_codebook(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    err = refused(capsys, tmp_path, "reproduce", "duan2024", "--data", tmp_path / "no.csv")
    assert "no.csv" in err
    data = data_path("rnet_like_b.csv")
    err = refused(
        capsys, tmp_path, "reproduce", "duan2024", "--data", data, "--codebook", tmp_path / "n.toml"
    )
    assert "n.toml" in err


def test_a_folder_in_use_and_a_file_in_the_way(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "thesis.docx").write_text("x", encoding="utf-8")
    assert "holds other files" in refused(
        capsys, tmp_path, "reproduce", "duan2024", "--output", tmp_path
    )
    file = tmp_path / "thesis.docx"
    assert "is a file" in refused(capsys, tmp_path, "reproduce", "duan2024", "--output", file)


def test_a_codebook_of_a_file_written_in_another_way(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data = tmp_path / "ours.csv"
    data.write_bytes("id;Größe;Rand\n1;12,5;ja\n2;7,0;nein\n".encode("cp1252"))
    assert "cp1252" in refused(capsys, tmp_path, "codebook", data)
    code, printed, _ = run(capsys, "codebook", data, "--encoding", "cp1252", "--decimal", ",")
    assert code == 0
    assert '[columns."Größe"]\ntype = "numeric"' in printed
    book = tmp_path / "ours.toml"
    book.write_text(printed, encoding="utf-8")
    cohort = read_cohort(data, codebook=book)
    assert cohort["Größe"].tolist() == [12.5, 7.0], "the codebook remembers how the file is written"


def written_otherwise(folder: Path) -> dict[str, Path]:
    """Return one cohort as files of several kinds, and a codebook that says something else."""
    cohort = pd.read_csv(data_path("rnet_zero_events.csv")).rename(columns={"size_mm": "Größe"})
    paths = {}
    for encoding in ("cp1252", "latin-1", "utf-16", "utf-16-be"):
        paths[encoding] = folder / f"{encoding}.csv"
        cohort.to_csv(paths[encoding], sep=";", decimal=",", encoding=encoding, index=False)
    paths["workbook"] = folder / "ours.xlsx"
    with pd.ExcelWriter(paths["workbook"]) as book:
        pd.DataFrame({"About": ["Our ward"]}).to_excel(book, sheet_name="About", index=False)
        cohort.to_excel(book, sheet_name="All patients", index=False)
    paths["codebook"] = folder / "ours.toml"
    paths["codebook"].write_text(
        '[file]\nencoding = "utf-8"\ndecimal = "."\n'
        '[columns.size_mm]\ntype = "numeric"\nsource = "Größe"\n',
        encoding="utf-8",
    )
    return paths


@pytest.mark.parametrize(
    ("file", "options"),
    [
        ("cp1252", ["--encoding", "cp1252", "--decimal", ",", "--delimiter", ";"]),
        pytest.param(
            "latin-1", ["--encoding", "latin-1", "--decimal", ","], marks=pytest.mark.slow
        ),
        pytest.param("utf-16", ["--encoding", "utf-16", "--decimal", ","], marks=pytest.mark.slow),
        pytest.param("workbook", ["--sheet", "All patients"], marks=pytest.mark.slow),
        pytest.param("workbook", ["--sheet", "2"], marks=pytest.mark.slow),
    ],
)
def test_how_a_file_is_written_is_said_on_the_command_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, file: str, options: list[str]
) -> None:
    paths, folder = written_otherwise(tmp_path), tmp_path / "report"
    code, out, err = run(
        capsys,
        *("reproduce", "duan2024", "--data", paths[file], "--codebook", paths["codebook"]),
        *(*options, "--output", folder, "--resamples", "20"),
    )
    assert (code, err) == (0, "")
    assert "322 patients" in out
    given = json.loads((folder / "run.json").read_text(encoding="utf-8"))["options"]
    assert given["codebook"] == "ours.toml"
    assert {f"--{key}": value for key, value in given.items()}.items() >= set(pairs(options))
    table = pd.read_csv(folder / "tables" / "table_one.csv")
    sizes = table[(table["variable"] == "size_mm") & (table["group"] == "Overall")]
    plain = pd.read_csv(data_path("rnet_zero_events.csv"))["size_mm"]
    found = sizes.set_index("statistic")["value"]
    assert (found["n"], found["min"], found["max"]) == (322, plain.min(), plain.max())
    assert found["mean"] == pytest.approx(plain.mean(), rel=1e-14)


def pairs(options: list[str]) -> list[tuple[str, str]]:
    return list(zip(options[::2], options[1::2], strict=True))


@pytest.mark.parametrize(
    ("file", "options", "messages"),
    [
        ("cp1252", ["--decimal", ","], ["not UTF-8", "'t_id;age;sex;Größe", '--encoding "cp1252"']),
        ("cp1252", ["--encoding", "klingon"], ["encoding 'klingon' is unknown"]),
        ("cp1252", ["--encoding", ""], ["encoding '' is unknown"]),
        ("cp1252", ["--encoding", "ascii"], ["cannot be read as ascii"]),
        ("cp1252", ["--encoding", "cp1252"], ["is not a number", '--decimal "," on the command']),
        ("cp1252", ["--sheet", "1"], ["sheet is for Excel workbooks; cp1252.csv is read as text"]),
        (
            "utf-16",
            ["--encoding", "utf-16", "--delimiter", ";;"],
            ["delimiter must be a single character"],
        ),
        ("cp1252", ["--decimal", ";"], ["--decimal: invalid choice"]),
        ("utf-16", [], ['It looks like UTF-16: say encoding = "utf-16"']),
        ("utf-16-be", ["--encoding", "cp1252"], ['--encoding "utf-16-be" on the command line']),
        ("workbook", ["--sheet", "patients"], ["no sheet 'patients'", "'About', 'All patients'"]),
        ("workbook", ["--sheet", "3"], ["no sheet '3'", "'About', 'All patients'", "count from 1"]),
        ("workbook", [], ["The sheet 'About' was read", '--sheet "NAME" on the command line']),
        ("workbook", ["--sheet", "2", "--decimal", "x"], ["--decimal: invalid choice"]),
    ],
)
def test_a_file_that_is_not_written_as_said(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    file: str,
    options: list[str],
    messages: list[str],
) -> None:
    paths = written_otherwise(tmp_path)
    asked = ["--data", paths[file], "--codebook", paths["codebook"], *options]
    err = refused(
        capsys, tmp_path, "reproduce", "duan2024", *asked, "--output", tmp_path / "report"
    )
    for message in messages:
        assert message in err


def test_points_are_no_decimal_commas(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    asked = ["--data", data_path("rnet_zero_events.csv"), "--decimal", ","]
    err = refused(capsys, tmp_path, "reproduce", "duan2024", *asked)
    assert 'If the point is the decimal mark, say so: decimal = "."' in err


@pytest.mark.parametrize("option", ["--decimal", "--delimiter", "--encoding", "--sheet"])
def test_every_command_that_reads_a_cohort_says_how_it_is_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str
) -> None:
    helps = [run(capsys, command, "--help")[1] for command in ("reproduce", "codebook")]
    lines = [[line for line in text.splitlines() if f"  {option} " in line] for text in helps]
    assert lines[0] == lines[1]
    assert len(lines[0]) == 1
    err = refused(capsys, tmp_path, "reproduce", "duan2024", option, ",")
    assert f"{option.removeprefix('--')}= describes a file; give data= too." in err


@pytest.mark.parametrize("sign", ["tab", "\\t", "\t"])
def test_a_tab_on_the_command_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, sign: str
) -> None:
    (tmp_path / "ours.txt").write_text("a,1\tb\n1\t2\n3\t4\n", encoding="utf-8")
    code, out, _ = run(capsys, "codebook", tmp_path / "ours.txt", "--delimiter", sign)
    assert code == 0
    assert 'delimiter = "\\u0009"' in out
    assert '[columns."a,1"]' in out


def test_a_codebook_is_printed_written_and_never_overwritten(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data, target = data_path("rnet_like_b.csv"), tmp_path / "mine.toml"
    code, printed, _ = run(capsys, "codebook", data)
    assert code == 0
    assert "[columns.margin_positive]" in printed
    code, out, _ = run(capsys, "codebook", data, "--output", target)
    assert code == 0
    assert str(target) in out
    assert "--codebook duan2024" in out, "its columns are those of the built-in codebook"
    assert target.read_text(encoding="utf-8") == printed
    assert "exists" in refused(capsys, tmp_path, "codebook", data, "--output", target)
    assert target.read_text(encoding="utf-8") == printed
    assert "no.csv" in refused(capsys, tmp_path, "codebook", tmp_path / "no.csv")
    nowhere = tmp_path / "none" / "x.toml"
    assert "cannot be written" in refused(capsys, tmp_path, "codebook", data, "--output", nowhere)


@pytest.mark.slow
def test_a_pipe_gets_no_progress_and_an_ascii_terminal_no_failure(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "rnetstats", "reproduce", "duan2024", "--resamples", "20"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert "synthetic cohort" in done.stdout
    assert "\r" not in done.stdout


def started(*arguments: str, code: str = "", unbuffered: str = "", **streams: int):
    """Run the command line, or code, as a process of its own."""
    words = ["-c", code] if code else ["-m", "rnetstats", *arguments]
    return subprocess.run(
        [sys.executable, *words],
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        check=False,
        text=True,
        **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams),
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_gone_ends_in_silence(unbuffered: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = started("audit", "management", unbuffered=unbuffered, stdout=writer)
    os.close(writer)
    assert done.returncode == 1
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_answer_that_cannot_be_printed_is_told(unbuffered: str) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = started("audit", "management", unbuffered=unbuffered, stdout=full.fileno())
    assert done.returncode == 1
    assert done.stderr == (
        "rnetstats: error: the answer cannot be printed: No space left on device\n"
    )


def test_a_stream_that_is_not_there_is_no_failure() -> None:
    code = (
        "import sys; sys.stderr = None; from rnetstats.cli import main; "
        "sys.exit(main(['reproduce', 'none']) + main(['codebook', '--help']))"
    )
    done = started(code=code)
    assert done.returncode == 0, "the help ends by itself"
    assert done.stdout.startswith("usage: rnetstats codebook"), "no message among the answers"
    assert done.stderr == ""
