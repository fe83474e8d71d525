"""The report as a reader gets it: one page, no network, marked, safe, complete."""

from __future__ import annotations

import hashlib
import html
import json
import re
from html.parser import HTMLParser
from importlib.metadata import requires
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree as ET

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.figure import Figure

import rnetstats as rn
from reproduced import reproduced, reproduced_synthetic
from rnetstats.report.build import build_page
from rnetstats.report.figures import render
from rnetstats.report.run_record import run_record
from rnetstats.studies.figure import StudyFigure
from rnetstats.studies.study_result import StudyResult
from support import data_path

HOSTILE = "<script>alert('x')</script> & \"C\" $x_1$"
VOID = {"meta", "br", "img", "hr", "link", "input"}


class Outline(HTMLParser):
    """Collects tags, ids and links, and checks that the tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            if name in ("href", "src", "xlink:href") and value:
                self.links.append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def outline(page: str) -> Outline:
    parser = Outline()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "report"
    rn.reproduce("duan2024", output=folder, resamples=20)
    return folder


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's file with markup in a centre's name, a level, and the file's own name."""
    base = tmp_path_factory.mktemp("in")
    data = pd.read_csv(data_path("rnet_like_b.csv"), keep_default_na=False)
    data["centre"] = ["plain", HOSTILE] * (len(data) // 2)
    data["method"] = data["method"].replace("mEMR", HOSTILE)
    file = base / "a & b 'c' é.csv"
    data.to_csv(file, index=False)
    codebook = base / "book.toml"
    text = files("rnetstats.studies.duan2024").joinpath("codebook.toml").read_text(encoding="utf-8")
    codebook.write_text(text.replace('"mEMR"', json.dumps(HOSTILE)), encoding="utf-8")
    rn.reproduce("duan2024", data=file, codebook=codebook, output=base / "report", resamples=20)
    return base / "report"


def page_of(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def base_dependencies() -> set[str]:
    """What the package itself requires, without extras."""
    return {
        re.split(r"[<>=!~; ]", line)[0]
        for line in requires("rnetstats") or ()
        if "extra ==" not in line
    }


def test_the_folder_is_complete(synthetic: Path) -> None:
    names = {p.relative_to(synthetic).as_posix() for p in synthetic.rglob("*") if p.is_file()}
    assert {
        "report.html",
        "results.json",
        "run.json",
        "model.json",
        "tables/table_one.csv",
    } <= names
    svg = {n[:-4] for n in names if n.endswith(".svg")}
    assert svg == {n[:-4] for n in names if n.endswith(".png")}
    assert {"figures/km_recurrence", "figures/claims", "figures/event_splits"} <= svg
    for name in names:
        assert (synthetic / name).stat().st_size > 0
        assert re.fullmatch(r"[a-z0-9_/]+\.[a-z]+", name), "a name that some system refuses"


def test_the_page_is_well_formed_and_stands_alone(synthetic: Path) -> None:
    page = page_of(synthetic)
    parts = outline(page)
    assert page.startswith("<!doctype html>")
    assert '<html lang="en">' in page
    assert 'name="viewport"' in page
    assert "@media print" in page
    assert {"main", "nav", "header", "footer", "h1"} <= set(parts.tags)
    assert parts.tags.count("h1") == 1
    assert "script" not in parts.tags
    assert all(link.startswith("#") for link in parts.links)
    assert not re.search(r"url\((?!#)", page)
    assert "@import" not in page
    assert len(parts.ids) == len(set(parts.ids))
    assert {link[1:] for link in parts.links} <= set(parts.ids)


def test_figures_have_words_for_those_who_do_not_see_them(synthetic: Path) -> None:
    drawings = re.findall(r"<svg [^>]*>", page_of(synthetic))
    assert len(drawings) >= 8
    assert all('role="img"' in tag and 'aria-label="' in tag for tag in drawings)


def test_the_answer_comes_first(synthetic: Path) -> None:
    page = page_of(synthetic)
    places = [page.index(f'<section id="{name}"') for name in ("answer", "claims", "methods")]
    assert places == sorted(places)
    assert page.index('<section id="answer"') < page.index("<svg")


def test_every_claim_stands_with_its_verdict_and_rule(synthetic: Path) -> None:
    page = page_of(synthetic)
    result = stored(synthetic)
    for row in result.claims.itertuples():
        start = page.index(f'id="claim-{row.claim}"')
        card = page[start : page.index("</article>", start)]
        assert row.verdict in card
        for word in ("Question (estimand)", "Endpoint", "Events", "Estimate", "Rule"):
            assert word in card
        adjusted = f", adjusted for all claims {row.p_adjusted_text}" in html.unescape(card)
        assert adjusted == (row.p_adjusted_text != "–"), "no dash where nothing was adjusted"


def stored(folder: Path) -> StudyResult:
    text = (folder / "results.json").read_text(encoding="utf-8")
    return StudyResult.from_dict(json.loads(text, parse_constant=_refuse))


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is not strict JSON")


def test_synthetic_data_is_marked_everywhere(synthetic: Path) -> None:
    page = page_of(synthetic)
    assert page.count("SYNTHETIC DATA") >= 3
    assert "<title>Synthetic data: " in page
    for file in (synthetic / "figures").glob("*.svg"):
        assert "ynthetic data" in file.read_text(encoding="utf-8"), file.name


def test_a_users_file_is_not_called_synthetic(hostile: Path) -> None:
    page = page_of(hostile)
    assert "SYNTHETIC" not in page.split("</style>")[1]
    for file in (hostile / "figures").glob("*.svg"):
        assert "ynthetic" not in file.read_text(encoding="utf-8")


def test_markup_in_names_and_levels_is_shown_as_text(hostile: Path) -> None:
    page = page_of(hostile)
    parts = outline(page)
    assert "script" not in parts.tags
    text = "".join(parts.text)
    assert HOSTILE in text
    assert "a & b 'c' é.csv" in text
    drawing = ET.parse(hostile / "figures" / "claims.svg").getroot()
    words = " ".join(" ".join(drawing.itertext()).split())  # long labels stand on several lines
    assert HOSTILE in words


def test_figures_keep_their_text(synthetic: Path) -> None:
    files = sorted((synthetic / "figures").glob("*.svg"))
    assert len(files) > 1
    for file in files:
        root = ET.parse(file).getroot()
        assert any(node.tag.endswith("text") for node in root.iter()), file.name


def test_the_run_is_recorded_without_private_paths(synthetic: Path, hostile: Path) -> None:
    run = json.loads((hostile / "run.json").read_text(encoding="utf-8"))
    file = hostile.parent / "a & b 'c' é.csv"
    assert run["input"] == {
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    assert run["options"] == {
        "data": file.name,
        "codebook": "book.toml",
        "truth": None,
        "resamples": 20,
    }
    assert set(run["packages"]) == base_dependencies()
    assert all(run["packages"].values())
    assert not run["synthetic"]
    assert str(hostile.parent) not in "".join(
        p.read_text(encoding="utf-8")
        for p in hostile.rglob("*")
        if p.suffix != ".png" and p.is_file()
    )
    drawn = json.loads((synthetic / "run.json").read_text(encoding="utf-8"))
    assert drawn["synthetic"]
    assert drawn["seed"] == 527
    assert drawn["options"]["truth"] == "as_published"


def test_numbers_on_the_page_are_those_of_the_tables(synthetic: Path) -> None:
    claims = pd.read_csv(synthetic / "tables" / "claims.csv")
    text = " ".join("".join(outline(page_of(synthetic)).text).split())
    for estimate in claims["estimate_text"]:
        assert estimate in text


@pytest.mark.slow
def test_the_same_run_gives_the_same_page(synthetic: Path, tmp_path: Path) -> None:
    rn.reproduce("duan2024", output=tmp_path / "again", resamples=20)
    for name in ("report.html", "results.json", "figures/claims.svg", "run.json"):
        assert (tmp_path / "again" / name).read_bytes() == (synthetic / name).read_bytes(), name


@pytest.mark.parametrize("name", ["duan2024", "cha2019", "nelm2024", "meta2026", "management"])
def test_every_link_of_a_page_leads_to_one_place(name: str) -> None:
    result = reproduced("rnet_like_a") if name == "duan2024" else reproduced_synthetic(name)
    page = build_page(result, {}, run_record(result, source=None))
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_a_readers_own_style_does_not_reach_the_page() -> None:
    def draw(canvas: Figure) -> None:
        canvas.subplots().plot([1, 2], label="50 %")

    figure = StudyFigure(name="a", title="A", caption="", alt="", size=(4.0, 3.0), draw=draw)
    plain = render(figure, synthetic=True)
    own = {"text.usetex": True, "font.size": 30, "axes.grid": True, "savefig.bbox": "tight"}
    with plt.style.context(["dark_background", own]):
        assert render(figure, synthetic=True) == plain
        assert plt.rcParams["font.size"] == 30
