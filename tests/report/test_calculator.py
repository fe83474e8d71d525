"""A calculator is made of a validated model, refused with each failing rule named, and safe."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from calculator_cases import GOOD, GOOD_SURVIVAL, HOSTILE, made
from rnetstats.errors import OptionError, OutputError, RnetError
from rnetstats.formula.encoders import SplineEncoder
from rnetstats.formula.parser import parse_formula
from rnetstats.report.calculator_numbers import page_numbers
from rnetstats.report.calculator_rules import RULES, judge_model, rules_markdown

NAMES = [rule.name for rule in RULES]
VOID = {"meta", "br", "img", "hr", "link", "input"}


def with_number(model: rn.RiskModel, index: str, name: str, value: float | None) -> rn.RiskModel:
    """The model with one number of its performance changed, or without it."""
    found = {key: dict(numbers) for key, numbers in (model.performance or {}).items()}
    if value is None:
        found[index].pop(name, None)
    else:
        found[index][name] = value
    return model.with_performance(found)


def failing(model: rn.RiskModel) -> list[str]:
    return [item.rule.name for item in judge_model(model) if item.met is False]


# ---- the rules --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("index", "name", "value", "rule"),
    [
        ("slope", "corrected", 0.80, None),
        ("slope", "corrected", 0.7999, "slope"),
        ("slope", "corrected", 1.25, None),
        ("slope", "corrected", 1.2501, "slope"),
        ("slope", "corrected", None, "slope"),
        ("intercept", "corrected", 0.2231, None),
        ("intercept", "corrected", 0.2232, "in-the-large"),
        ("intercept", "corrected", -0.2232, "in-the-large"),
        ("intercept", "corrected", None, "in-the-large"),
        ("auc", "conf_low", 0.501, None),
        ("auc", "conf_low", 0.5, "discrimination"),
        ("auc", "conf_low", None, "discrimination"),
        ("auc", "corrected", None, "discrimination"),
        ("ici", "corrected", None, "calibration"),
    ],
)
def test_each_rule_at_its_bound(
    index: str, name: str, value: float | None, rule: str | None, tmp_path: Path
) -> None:
    model = with_number(made("duan_draws"), index, name, value)
    assert failing(model) == ([] if rule is None else [rule])
    if rule is None:
        return
    with pytest.raises(OptionError, match=f"--force {rule}") as caught:
        rn.calculator(model, output=tmp_path / "c.html")
    assert rule in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_bound_of_the_ici_is_a_quarter_of_the_rarer_share() -> None:
    model = made("duan_draws")
    share = model.summary["event_share"]
    assert share == pytest.approx(181 / 527)
    assert failing(with_number(model, "ici", "corrected", 0.25 * share)) == []
    assert failing(with_number(model, "ici", "corrected", 0.2501 * share)) == ["calibration"]
    common = replace(model, summary={**model.summary, "event_share": 0.75})
    assert failing(with_number(common, "ici", "corrected", 0.0625)) == []
    assert failing(with_number(common, "ici", "corrected", 0.0626)) == ["calibration"]
    cox = made("cox_wald")
    share = cox.summary["n_events_by_horizon"] / cox.summary["n"]
    assert failing(with_number(cox, "ici", "corrected", 0.25 * share)) == []
    assert failing(with_number(cox, "ici", "corrected", 0.2501 * share)) == ["calibration"]
    unknown = made("published")
    assert failing(with_number(unknown, "ici", "corrected", 0.02)) == []
    assert failing(with_number(unknown, "ici", "corrected", 0.0201)) == ["calibration"]


@pytest.mark.parametrize(
    ("index", "value", "text"),
    [("slope", 0.7999, "0.7999, outside 0.80"), ("slope", 1.2500001, "1.2500001, outside")],
)
def test_a_number_is_written_on_its_side_of_the_bound(index: str, value: float, text: str) -> None:
    judged = judge_model(with_number(made("duan_draws"), index, "corrected", value))
    assert text in next(item.found for item in judged if item.met is False)


def test_a_time_to_event_model_is_judged_at_its_horizon_first() -> None:
    model = made("cox_wald")
    assert failing(with_number(model, "oe", "corrected", 1.3)) == ["in-the-large"]
    at_horizon = model.with_performance(
        {**GOOD_SURVIVAL, "auc_t": {"corrected": 0.6, "conf_low": 0.45}}
    )
    assert failing(at_horizon) == ["discrimination"]


@pytest.mark.slow
def test_all_failing_rules_are_named_at_once_and_all_must_be_forced(tmp_path: Path) -> None:
    model = with_number(made("duan_draws"), "slope", "corrected", 0.5)
    model = with_number(model, "ici", "corrected", 0.2)
    page = tmp_path / "c.html"
    with pytest.raises(
        OptionError, match=r"slope is 0\.50, outside 0\.80 to 1\.25.*ICI is 0\.2000"
    ):
        rn.calculator(model, output=page)
    with pytest.raises(OptionError, match="--force calibration"):
        rn.calculator(model, output=page, force=("slope",))
    assert not page.exists()
    text = rn.calculator(model, output=page, force=("slope", "calibration")).read_text("utf-8")
    body = text[text.index("<body") :]
    banner = body[body.index('<div class="forced"') : body.index("<header>")]
    assert "<strong>slope</strong>: the corrected calibration slope is 0.50" in banner
    assert "<strong>calibration</strong>" in banner
    assert "in-the-large" not in banner
    assert ".forced { border: 3px solid var(--red)" in text
    assert "--red: #8f1d1d" in text


@pytest.mark.slow
def test_without_a_validation_nothing_is_made_unless_forced(tmp_path: Path) -> None:
    model = replace(made("duan_draws"), performance=None)
    with pytest.raises(OptionError, match=r"no validation is attached.*with_performance"):
        rn.calculator(model, output=tmp_path / "c.html", force=("slope",))
    page = rn.calculator(model, output=tmp_path / "c.html", force="performance")
    text = page.read_text("utf-8")
    assert "<strong>performance</strong>: no validation is attached" in text
    assert "how the model performs in other patients is not known" in text


@pytest.mark.slow
def test_a_rule_that_is_met_may_be_forced_and_says_nothing(tmp_path: Path) -> None:
    model = made("duan_draws")
    plain = rn.calculator(model, output=tmp_path / "a.html").read_text("utf-8")
    forced = rn.calculator(model, output=tmp_path / "b.html", force=NAMES).read_text("utf-8")
    assert plain == forced
    assert 'class="forced"' not in plain
    with pytest.raises(OptionError, match="Did you mean 'slope'"):
        rn.calculator(model, output=tmp_path / "d.html", force=("slop",))
    with pytest.raises(OptionError, match="names the rules to be forced"):
        rn.calculator(model, output=tmp_path / "d.html", force=True)  # type: ignore[arg-type]


def test_the_rules_stand_in_the_documentation() -> None:
    page = Path(__file__).parents[2] / "docs" / "calculator.md"
    if not page.exists():
        pytest.skip("the documentation stands in the checkout only")
    assert rules_markdown() in page.read_text(encoding="utf-8")


def test_a_validation_gives_what_a_model_takes() -> None:
    fit = rn.logistic(rn.load_cohort("duan2024"), "margin_positive ~ method", ci="wald")
    judged = rn.validate(fit, resamples=20, seed=1)
    performance = judged.performance()
    frame = judged.to_frame().set_index("index")
    assert list(performance) == list(frame.index)
    names = ("apparent", "corrected", "conf_low", "conf_high")
    expected = {name: frame.loc["auc", name] for name in names}
    assert performance["auc"] == {**expected, "conf_level": 0.95}
    assert set(performance["slope"]) == {"apparent", "corrected"}, "the slope has no limits"
    model = rn.risk_model(fit).with_performance(performance)
    assert model.performance == performance


def test_limits_of_the_performance_have_the_level_of_the_validation(tmp_path: Path) -> None:
    """Not that of the model's own limits; and none where numbers were typed in without one."""
    fit = rn.logistic(rn.load_cohort("duan2024"), "margin_positive ~ method", ci="wald")
    judged = rn.validate(fit, resamples=20, conf_level=0.8, seed=1)
    model = rn.risk_model(fit, conf_level=0.9).with_performance(judged.performance())
    typed = model.with_performance({"auc": {"corrected": 0.7, "conf_low": 0.6, "conf_high": 0.8}})
    for one, told in ((model, "80\u00a0% limits"), (typed, ">limits 0.600")):
        page = rn.calculator(one, output=tmp_path / "page.html", force=NAMES).read_text("utf-8")
        performance = page.split("The patient")[0]
        assert told in performance
        assert "90\u00a0% limits" not in performance


# ---- the page -----------------------------------------------------------------------------------


class Outline(HTMLParser):
    """Collects ids, addresses and names of attributes, and checks that the tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.names: set[str] = set()
        self.described: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.names.add(name)
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "xlink:href"):
                self.links.append(value or "")
            if name in ("for", "aria-describedby", "aria-labelledby"):
                self.described += (value or "").split()
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.slow
@pytest.mark.parametrize("name", ["duan_draws", "awkward", "cox_strata", "published"])
def test_the_page_is_whole_safe_and_needs_no_network(name: str, tmp_path: Path) -> None:
    text = rn.calculator(made(name), output=tmp_path / "c.html").read_text("utf-8")
    seen = Outline()
    seen.feed(text)
    seen.close()
    assert seen.open == []
    assert len(seen.ids) == len(set(seen.ids))
    assert set(seen.described) <= set(seen.ids)
    assert all(link.startswith("#") for link in seen.links)
    assert not {"img", "iframe", "object", "link", "embed"} & seen.tags
    assert not {n for n in seen.names if n.startswith("on")}, "no inline event handlers"
    assert not re.search(r"@import|url\((?!#)", text)
    script = text[text.rindex("<script>") + 8 : text.rindex("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert f"script-src &#39;sha256-{digest}&#39;;" in policy[1]
    assert policy[1].startswith("default-src &#39;none&#39;;")
    assert not re.search(r"\beval\b|Function\(|innerHTML|fetch|XMLHttp", script)
    assert HOSTILE not in text


@pytest.mark.slow
def test_what_comes_first_and_what_it_says(tmp_path: Path) -> None:
    text = rn.calculator(made("duan_draws"), output=tmp_path / "c.html").read_text("utf-8")
    heads = re.findall(r"<h2[^>]*>([^<]*)</h2>", text)
    assert heads == [
        "How well the model performs",
        "The patient",
        "Nomogram",
        "The equation",
        "What to know",
    ]
    assert "RESEARCH USE ONLY" in text
    assert "SYNTHETIC DATA" in text
    assert "<title>Synthetic data: Risk of positive margin</title>" in text
    assert 'role="status" aria-live="polite"' in text
    assert "from 1 to 19.5" in text
    assert "counts only as &gt; 4.44" in text
    assert "Tumour size (mm)" in text
    assert 'aria-label="Nomogram' in text
    assert "bootstrap percentiles, 200 resamples" in text
    for patient in rn.load_cohort("duan2024")["patient_id"].head():
        assert str(patient) not in text


def test_a_model_without_nomogram_says_why(tmp_path: Path) -> None:
    text = rn.calculator(made("cox_strata"), output=tmp_path / "c.html").read_text("utf-8")
    assert "This model has no nomogram. Strata have a risk axis each" in text
    assert "within 60 months" in text.replace("\u00a0", " ")


@pytest.mark.slow
def test_the_same_model_gives_the_same_page_also_from_its_file(tmp_path: Path) -> None:
    model = made("cox_wald")
    model.save(tmp_path / "m.json")
    pages = [
        rn.calculator(given, output=tmp_path / f"{i}.html").read_text("utf-8")
        for i, given in enumerate((model, model, tmp_path / "m.json"))
    ]
    assert pages[0] == pages[1]

    def numbers(page: str) -> Any:
        found = re.search(r'id="numbers">(.*?)</script>', page)
        assert found is not None
        return json.loads(found[1])

    assert numbers(pages[2]) == numbers(pages[0]) == page_numbers(model)
    assert "Model m.json" in pages[2]


# ---- the numbers --------------------------------------------------------------------------------


def in_pieces(part: dict[str, Any], x: float) -> list[float]:
    """A spline's columns as the page computes them."""
    piece = sum(x >= knot for knot in part["knots"])
    u = (x - part["begins"][piece]) / part["widths"][piece]
    return np.polynomial.polynomial.polyval(u, np.array(part["pieces"][piece])).tolist()


@given(
    st.lists(st.integers(-40, 60), min_size=3, max_size=7, unique=True),
    st.booleans(),
    st.floats(-80, 100),
)
def test_a_spline_in_pieces_is_the_spline(knots: list[int], natural: bool, x: float) -> None:
    inner = [k / 4 for k in sorted(knots)]
    text = f"rcs(x, knots={inner})"
    if natural:
        text = f"ns(x, knots={inner[1:-1]}, boundary=[{inner[0]}, {inner[-1]}])"
    df = len(inner) - 1
    model = rn.RiskModel.from_coefficients(f"y ~ {text}", {text: [0.1] * df}, intercept=0.0)
    part = page_numbers(model)["encoders"][0]
    encoder = model.design.encoders[0][0]
    assert isinstance(encoder, SplineEncoder)
    assert parse_formula(f"~ {text}").terms[0][0] == encoder.atom
    here = encoder.basis(np.array([x]))[0]
    size = np.abs(encoder.basis(np.array([*inner, -80.0, 100.0]))).max()
    np.testing.assert_allclose(in_pieces(part, x), here, rtol=0, atol=1e-10 * max(size, 1.0))


def test_draws_are_packed_to_the_last_bit() -> None:
    model = made("cox_strata")
    for name in ("draws", "draw_hazard"):
        packed, whole = page_numbers(model)[name], getattr(model, name)
        flat = np.frombuffer(base64.b64decode(packed["data"]), dtype="<f8")
        assert (flat.reshape(packed["rows"], packed["columns"]) == whole).all()


def test_labels_of_strata_are_taken_apart_and_joined_again() -> None:
    base = page_numbers(made("cox_strata"))["baseline"]
    assert any("a=b, c=d" in label for label in base["labels"])
    for label, parts in zip(base["labels"], base["parts"], strict=True):
        pairs = zip(base["columns"], parts, strict=True)
        assert ", ".join(f"{name}={part}" for name, part in pairs) == label


# ---- what is refused ----------------------------------------------------------------------------


class Steps:
    """An estimator that is not linear."""

    classes_ = (0, 1)

    def predict_proba(self, X: Any) -> np.ndarray:
        risk = np.where(np.asarray(X)[:, 0] > 8, 0.6, 0.2)
        return np.column_stack([1 - risk, risk])


def test_what_a_page_cannot_compute_is_refused(tmp_path: Path) -> None:
    cohort = rn.load_cohort("duan2024")
    steps = rn.RiskModel.from_estimator(Steps(), cohort, "margin_positive ~ size_mm")
    with pytest.raises(OptionError, match="not linear"):
        rn.calculator(steps.with_performance(GOOD), output=tmp_path / "c.html")
    model = made("cox_stratum_wald")
    both = replace(model, variables={**model.variables, "size_mm": {"values": (), "stratum": True}})
    with pytest.raises(OptionError, match="stratum and a term at once"):
        rn.calculator(both, output=tmp_path / "c.html")
    with pytest.raises(OptionError, match="not a int"):
        rn.calculator(3, output=tmp_path / "c.html")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


DAMAGES: dict[str, Any] = {
    "covariance": lambda f: f["covariance"]["$array"].update(shape=[49], data=[0.0] * 49),
    "draws": lambda f: f["draws"]["$array"].update(shape=[1, 1], data=[0.0]),
    "not described": lambda f: f["variables"].pop("nlr"),
    "damaged": lambda f: f["performance"].update(slope=3),
    "not finite": lambda f: f["leverage"]["inverse"]["$array"]["data"].__setitem__(
        0, {"$number": "NaN"}
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_file_changed_by_hand_is_refused(name: str, tmp_path: Path) -> None:
    stored = made("duan_draws").to_dict()
    DAMAGES[name](stored["fields"])
    file = tmp_path / "m.json"
    file.write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(RnetError, match=name):
        rn.calculator(file, output=tmp_path / "c.html")
    assert [p.name for p in tmp_path.iterdir()] == ["m.json"]


@pytest.mark.slow
def test_only_an_earlier_calculator_is_replaced(tmp_path: Path) -> None:
    model = made("cox_wald")
    page = rn.calculator(model, output=tmp_path / "c.html")
    first = page.read_text("utf-8")
    page.write_text(first.replace("The patient", "Old"), encoding="utf-8")
    assert rn.calculator(model, output=page).read_text("utf-8") == first
    thesis = tmp_path / "thesis.html"
    thesis.write_text("<p>mine</p>", encoding="utf-8")
    with pytest.raises(OutputError, match="is no calculator"):
        rn.calculator(model, output=thesis)
    assert thesis.read_text("utf-8") == "<p>mine</p>"
    with pytest.raises(OutputError, match="is a folder"):
        rn.calculator(model, output=tmp_path)
    with pytest.raises(OutputError, match="does not exist"):
        rn.calculator(model, output=tmp_path / "none" / "c.html")
    for wrong in ("", "a\0b", 3):
        with pytest.raises(OutputError):
            rn.calculator(model, output=wrong)  # type: ignore[arg-type]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.html", "thesis.html"]


@pytest.mark.slow
def test_a_full_disk_leaves_the_earlier_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made("cox_wald")
    page = rn.calculator(model, output=tmp_path / "c.html")
    before = page.read_bytes()

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        rn.calculator(model, output=page)
    assert page.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["c.html"]


def test_the_patients_of_the_model_prove_nothing(tmp_path: Path) -> None:
    data = rn.load_cohort("duan2024")
    model = rn.risk_model(rn.logistic(data, "margin_positive ~ method + nlr"))
    own = rn.validate(model, external=data, resamples=20, seed=1)
    found = own.performance()
    assert found["auc"] == {"apparent": own.corrected("auc")}
    assert all(set(numbers) == {"apparent"} for numbers in found.values())
    with pytest.raises(OptionError, match="no corrected calibration slope is attached"):
        rn.calculator(model.with_performance(found), output=tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
    other = rn.validate(model, external=data.iloc[:400], resamples=20, seed=1)
    assert other.performance()["auc"]["corrected"] == other.corrected("auc")
