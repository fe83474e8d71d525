"""The page of an audit: whole, safe, without a network."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import rnetstats as rn
from audit_sheets import content
from rnetstats.evidence.audit_result import AuditResult
from rnetstats.evidence.checks_line import VERDICTS
from rnetstats.evidence.facts_template import facts_template
from rnetstats.report.audit_folder import write_audit
from rnetstats.report.audit_page import MEANINGS, lead_of

HOSTILE = "<script>alert('x')</script> & \"C\" $x_1$"
VOID = {"meta", "br", "img", "hr", "link", "input"}


class Outline(HTMLParser):
    """Collects ids and links, and checks that the tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [v for name, v in attrs if name in ("href", "src", "xlink:href") and v]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def written(result: AuditResult, folder: Path) -> tuple[str, Outline]:
    write_audit(result, folder, source=None)
    page = (folder / "audit.html").read_text(encoding="utf-8")
    outline = Outline()
    outline.feed(page)
    assert not outline.open
    return page, outline


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[AuditResult, Path, str, Outline]:
    root = tmp_path_factory.mktemp("audit")
    path = root / "paper.toml"
    path.write_text(facts_template(), encoding="utf-8")
    result = rn.audit(path)
    write_audit(result, root / "out", source=path)
    page = (root / "out" / "audit.html").read_text(encoding="utf-8")
    outline = Outline()
    outline.feed(page)
    return result, root / "out", page, outline


Made = tuple[AuditResult, Path, str, Outline]


def test_the_page_stands_alone(made: Made) -> None:
    _, _, page, outline = made
    assert not outline.open
    assert all(link.startswith("#") for link in outline.links)
    assert {link[1:] for link in outline.links} <= set(outline.ids)
    assert len(outline.ids) == len(set(outline.ids))
    assert "script" not in outline.tags
    assert "default-src 'none'" in page
    assert not re.search(r"https?://(?!www\.w3\.org|purl\.org|creativecommons)", page)


def test_every_check_figure_and_item_is_on_it(made: Made) -> None:
    result, _, page, outline = made
    plain = page.replace("\u00a0", " ")
    for text in (*result.facts["label"], *MEANINGS):
        assert text in plain or text.replace("'", "&#39;") in plain
    assert {f"line-{n}" for n in range(1, len(result.lines) + 1)} <= set(outline.ids)
    assert "20 items left open" in plain
    assert "not applicable" in plain
    assert set(MEANINGS) == set(VERDICTS)
    assert "not in print" in plain


def test_the_folder_holds_the_numbers(made: Made) -> None:
    result, folder, _, _ = made
    table = pd.read_csv(folder / "tables" / "checks.csv", keep_default_na=False)
    assert table["verdict"].tolist() == result.lines["verdict"].tolist()
    stored = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
    again = AuditResult.from_dict(stored)
    pd.testing.assert_frame_equal(again.to_frame(), result.to_frame())
    assert len(again.worlds) == len(result.worlds) == len(result.world_checks)
    worlds = sorted(p.name for p in (folder / "tables").glob("worlds_*.csv"))
    assert worlds == sorted(f"worlds_{n}.csv" for n in range(1, len(result.worlds) + 1))
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert len(record["input"]["sha256"]) == 64
    assert record["options"]["source"] == "paper.toml"


def hostile() -> dict[str, Any]:
    check = {"kind": "sum", "parts": ["a"], "total": "b", "label": HOSTILE}
    facts = content({"a": "5", "b": "6"}, check)
    facts["study"] |= {"title": HOSTILE, "citation": HOSTILE, "design": HOSTILE}
    for fact in facts["facts"].values():
        fact |= {"label": HOSTILE, "where": HOSTILE, "unit": HOSTILE, "note": HOSTILE}
    facts["reporting"] = {"strobe": {"4": {"answer": "yes", "facts": ["a"], "basis": HOSTILE}}}
    return facts


def test_texts_of_the_file_are_escaped(tmp_path: Path) -> None:
    page, outline = written(rn.audit(hostile()), tmp_path / "out")
    assert "script" not in outline.tags
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_a_file_without_checks_has_a_page(tmp_path: Path) -> None:
    page, _ = written(rn.audit(content({"n": "5"})), tmp_path / "out")
    assert "asks for no checks" in page
    assert not list((tmp_path / "out" / "figures").iterdir())


@pytest.mark.parametrize(
    ("total", "told"),
    [
        ("12", "Of 1 check on 2 figures none found a contradiction."),
        ("13", "1 found a difference that no rounding explains"),
    ],
)
def test_the_lead_sums_up(total: str, told: str) -> None:
    check = {"kind": "sum", "parts": ["a"], "total": "total"}
    assert told in lead_of(rn.audit(content({"a": "12", "total": total}, check)))
