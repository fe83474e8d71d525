"""The page across the documents."""

from __future__ import annotations

import math
from html.parser import HTMLParser
from pathlib import Path

import pytest

import rnetstats as rn
from reproduced import reproduced, reproduced_synthetic
from rnetstats.cli import main
from rnetstats.errors import OptionError, OutputError
from rnetstats.evidence.facts import read_facts
from rnetstats.studies.duan2024.arithmetic import PrintedNumbers
from rnetstats.studies.overview import OverviewResult, questions
from rnetstats.studies.print_verdicts import print_verdict, salvage_worlds, split_worlds
from rnetstats.tables.fisher import fisher_p

PRINTED = PrintedNumbers.of(read_facts("duan2024"))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[OverviewResult, Path]:
    folder = tmp_path_factory.mktemp("overview") / "page"
    known = [reproduced_synthetic(name) for name in ("cha2019", "nelm2024", "meta2026")]
    return rn.overview([reproduced("rnet_like_b"), *known], output=folder), folder


def test_worlds_are_counted_one_by_one() -> None:
    """Every split and every table by loops, of a smaller study."""
    small = PrintedNumbers(patients=40, positive=15, recurrences=5, percent="12.5")
    worse = sum(
        a / 15 > (5 - a) / 25 and float(fisher_p(a, 15 - a, 5 - a, 20 + a)) < 0.05 for a in range(6)
    )
    assert split_worlds(small) == (worse, 6)
    better = tables = 0
    for total in range(6):
        for salvaged in range(1, 15):
            for hits in range(total + 1):
                rest = 15 - salvaged
                if hits > salvaged or total - hits > rest:
                    continue
                tables += 1
                p = float(fisher_p(hits, salvaged - hits, total - hits, rest - total + hits))
                better += hits / salvaged < (total - hits) / rest and p < 0.05
    assert salvage_worlds(small) == (better, tables)
    assert split_worlds(PRINTED) == (5, 13)


def test_each_document_has_an_answer_or_is_silent_on_each_question() -> None:
    documents = {says.study for question in questions() for says in question.says}
    assert documents == {"duan2024", "cha2019", "nelm2024", "meta2026", "management"}
    for question in questions():
        assert [says.study for says in question.says].count("duan2024") == 1
        assert {says.study for says in question.says} == documents
    assert print_verdict("margin", read_facts("duan2024")).rule == "left open"
    assert print_verdict("salvage", read_facts("cha2019")).rule == "not comparable"
    assert print_verdict("endoscopic", read_facts("management")).rule == "not in print"


def test_what_is_left_is_made_from_audit_and_reanalysis(page: tuple[OverviewResult, Path]) -> None:
    result, _ = page
    answers = result.answers.set_index(["question", "study"])
    own = reproduced("rnet_like_b").claims.set_index("claim")
    row = answers.loc[("margin", "duan2024")]
    assert str(own.loc["margin_recurrence", "verdict"]) in row["reanalysis"]
    assert not row["synthetic"]
    assert answers.loc[("salvage", "cha2019"), "synthetic"]
    assert "1 rounding" in row["audit"]
    assert len(result.conclusions) == len(questions())
    assert not any(
        isinstance(v, float) and math.isnan(v) for v in result.answers.to_numpy().ravel()
    )


def test_the_page_is_whole(page: tuple[OverviewResult, Path]) -> None:
    result, folder = page
    text = (folder / "report.html").read_text(encoding="utf-8")
    parser = HTMLParser()
    parser.feed(text)
    for question in questions():
        assert f'id="{question.id}"' in text
    assert "script" not in text.split("</style>")[1]
    for file in ("results.json", "run.json", "tables/answers.csv", "tables/conclusions.csv"):
        assert (folder / file).stat().st_size > 0
    assert len(result.display()) == int((~result.answers["silent"]).sum())


def test_what_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OptionError, match="reproduce"):
        rn.overview(["duan2024"])  # type: ignore[list-item]
    with pytest.raises(OptionError, match="twice"):
        rn.overview([reproduced("rnet_like_b")] * 2)
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(OutputError, match="other files"):
        rn.overview(output=tmp_path)
    with pytest.raises(SystemExit):
        main(["overview", "--resamples", "3"])
    assert "at least 20" in capsys.readouterr().err
