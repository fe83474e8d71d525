"""The calculator in a browser: it computes what Python does, for the patient that was filled in."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from calculator_cases import HOSTILE, MODELS, made, patients


def chromium() -> str | None:
    """A Chromium that runs; some systems have a program of that name which only asks for it."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path is None:
            continue
        asked = subprocess.run([path, "--version"], capture_output=True, check=False)
        if asked.returncode == 0:
            return path
    return None


CHROMIUM = chromium()
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)"
)

OUT = "rnetstats-out"
WRITE = (
    f"const write = (found) => {{ let e = document.getElementById('{OUT}');"
    f"if (!e) {{ e = document.createElement('pre'); e.id = '{OUT}'; document.body.append(e); }}"
    "e.textContent = JSON.stringify(found); };"
)


def allowed(page: str, script: str) -> str:
    """The page with one more script at its end, which its policy is made to know."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = page.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    return page.replace("</body>", f"<script>{script}</script></body>")


def browse(page: str, folder: Path, *, width: int = 1200) -> Any:
    """Open a page without a network, let its timers run, and read what was written into it."""
    assert CHROMIUM is not None
    file = folder / "opened.html"
    file.write_text(page, encoding="utf-8")
    shown = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            f"--user-data-dir={folder / 'profile'}",
            f"--window-size={width},900",
            "--virtual-time-budget=5000",
            "--dump-dom",
            file.as_uri(),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    ).stdout
    found = re.search(rf'<pre id="{OUT}">(.*?)</pre>', shown, re.DOTALL)
    assert found, shown[-2000:]
    return json.loads(html.unescape(found[1]))


def made_page(model: rn.RiskModel, folder: Path, **options: Any) -> str:
    return rn.calculator(model, output=folder / "page.html", **options).read_text(encoding="utf-8")


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What each model's page says of 200 patients; one browser opens all pages."""
    folder = tmp_path_factory.mktemp("pages")
    frames = []
    for name in MODELS:
        table = json.dumps(json.dumps(rows(patients(made(name))))).replace("<", "\\u003c")
        script = (
            f"(() => {{ const patients = JSON.parse({table});"
            "const found = patients.map((p) => window.rnetstats.predict(p));"
            f"parent.postMessage([{json.dumps(name)}, found], '*'); }})();"
        )
        page = allowed(made_page(made(name), folder), script)
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
        frames.append(f"<iframe src='{name}.html'></iframe>")
    outer = (
        f"<!doctype html><body><script>{WRITE} const all = {{}};"
        "addEventListener('message', (e) => { all[e.data[0]] = e.data[1]; write(all); });"
        f"</script>{''.join(frames)}"
    )
    found = browse(outer, folder)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", MODELS)
def test_200_patients_agree_with_python(
    name: str, answers: dict[str, list[dict[str, Any]]]
) -> None:
    model = made(name)
    table = patients(model)
    assert len(table) == len(answers[name]) == 200
    found = pd.DataFrame(answers[name])
    expected = model.predict(table, outside="flag")
    assert 20 <= (~expected["in_domain"]).sum() <= 140
    assert found["in_domain"].tolist() == expected["in_domain"].tolist()
    assert found["reason"].tolist() == expected["reason"].tolist()
    bare = expected["reason"].str.startswith("no limits")
    limits = (model.limits != "none") & ~bare.to_numpy()
    for column in ("risk", "conf_low", "conf_high"):
        there = found[column].astype(float).to_numpy()
        np.testing.assert_allclose(there, expected[column].to_numpy(), rtol=0, atol=1e-9)
        wanted = expected["in_domain"].to_numpy() & (limits | (column == "risk"))
        assert (np.isfinite(there) == wanted).all()


@pytest.mark.slow
def test_reasons_write_odd_numbers_and_texts_as_python_does(tmp_path: Path) -> None:
    model = rn.RiskModel.from_coefficients(
        "y ~ x + C(g) + h",
        {"x": 0.1, "C(g)": {2.5: 0.2}, "h": {"it's": 0.3}},
        intercept=0.0,
        ranges={"x": (0.1, 0.3)},
        levels={"g": [1, 2.5], "h": ["plain", "it's"]},
    )
    numbers = [1e16, 1e22, 1e-5, -1e-7, -0.0, 12345678901.5, 0.00012345678905, 1e10, 9999999999.5]
    numbers += [1.00000000025, 4.00048828125, 123456.7890625, 1e300, 5e-324, 2.0**53, 1 / 3]
    texts = ["\n", "é", 'say "no"', 'it\'s "so"', "\\", "\x07", "\u00ad", "\u2028", "a b", "😀"]
    table = pd.DataFrame({"x": numbers, "g": numbers, "h": "plain"})
    more = pd.DataFrame({"x": 0.2, "g": 1.0, "h": [f"<{text}>" for text in texts]})
    table = pd.concat([table, more], ignore_index=True)
    given = json.dumps(json.dumps(rows(table))).replace("<", "\\u003c")
    script = (
        f"(() => {{ {WRITE} const patients = JSON.parse({given});"
        "write(patients.map((p) => window.rnetstats.predict(p).reason)); })();"
    )
    page = made_page(model, tmp_path, force="performance")
    found = browse(allowed(page, script), tmp_path)
    assert found == model.predict(table, outside="flag")["reason"].tolist()


def filled(values: list[str], then: str) -> str:
    """A script that fills in the form as a person does, in the order of its fields."""
    return f"""(() => {{ {WRITE}
      const fields = [...document.querySelectorAll('[data-field]')];
      const fill = (values) => values.forEach((value, i) => {{
        const text = fields[i].querySelector('input[type=text]');
        const list = fields[i].querySelector('select');
        if (text) text.value = value;
        else if (list) list.value = value;
        else for (const o of fields[i].querySelectorAll('input')) o.checked = o.value === value;
        fields[i].dispatchEvent(new Event('input', {{ bubbles: true }}));
      }});
      const seen = () => ({{
        kind: document.getElementById('answer').className,
        text: document.getElementById('answer').innerText,
        bad: fields.map((f) => f.querySelector('.wrong').textContent),
      }});
      fill({json.dumps(values)});
      {then}
    }})();"""


@pytest.mark.slow
def test_the_form_shows_the_risk_and_its_limits(tmp_path: Path) -> None:
    model = made("duan_draws")
    script = filled(
        ["2", "2", "8,5", "5.1"],
        "const first = seen(); setTimeout(() => write([first, {spoken: "
        "document.getElementById('status').textContent}]), 1500);",
    )
    first, second = browse(allowed(made_page(model, tmp_path), script), tmp_path)
    row = {"method": ["ESD"], "location": ["lower"], "size_mm": [8.5], "nlr": [5.1]}
    risk = model.predict(row).iloc[0]
    assert first["kind"] == "given"
    text = first["text"].replace("\u00a0", " ")
    assert f"{100 * risk['risk']:.1f} %" in text
    assert f"{100 * risk['conf_low']:.1f} % to {100 * risk['conf_high']:.1f} %" in text
    assert f"about {round(100 * risk['risk'])} have the outcome" in text
    assert "Research use only" in text
    assert f"{100 * risk['risk']:.1f} %" in second["spoken"].replace("\u00a0", " ")


@pytest.mark.slow
def test_the_form_refuses_with_pythons_reason_and_waits_for_every_value(tmp_path: Path) -> None:
    model = made("duan_draws")
    tried = [
        ["2", "2", "25", "5.1"],
        ["3", "1", "19", "9"],
        ["2", "2", "", "5.1"],
        ["2", "2", "large", "5.1"],
        ["2", "2", "1,250", "5.1"],
        ["2", "2", "1e1", "5.1"],
    ]
    script = filled([], f"write({json.dumps(tried)}.map((v) => {{ fill(v); return seen(); }}));")
    found = browse(allowed(made_page(model, tmp_path), script), tmp_path)
    assert [one["kind"] for one in found] == ["refused", "refused", *["waiting"] * 4]
    assert "%" not in "".join(one["text"] for one in found)
    assert "is 25, outside 1 to 19.5" in found[0]["text"]
    assert found[0]["bad"][2] == "Outside the model's patients."
    together = model.predict(
        {"method": ["other"], "location": ["upper"], "size_mm": [19], "nlr": [9]}, outside="flag"
    )["reason"][0]
    assert "leverage" in together
    assert together in found[1]["text"]
    assert "Still to fill in: Tumour size (mm)" in found[2]["text"]
    assert found[3]["bad"][2] == "Write a number, such as 12.5."
    assert "1250 or 1.250" in found[4]["bad"][2]


@pytest.mark.slow
def test_a_level_with_too_few_events_has_a_risk_without_limits(tmp_path: Path) -> None:
    model = made("duan_draws")
    row = {"method": ["other"], "location": ["middle"], "size_mm": [10.0], "nlr": [2.11]}
    expected = model.predict(row, outside="flag").iloc[0]
    assert expected["in_domain"]
    assert expected["reason"].startswith("no limits: ")
    script = filled(
        ["3", "0", "10", "2.11"], "write([seen(), document.querySelectorAll('.pale').length]);"
    )
    shown, pale = browse(allowed(made_page(model, tmp_path), script), tmp_path)
    assert shown["kind"] == "given"
    assert f"{100 * expected['risk']:.1f}\u00a0%" in shown["text"]
    assert expected["reason"][3:] in shown["text"]
    assert "limits:" not in shown["text"].replace("No limits:", "")
    assert pale == 0


@pytest.mark.slow
def test_strata_and_hostile_levels_are_chosen_and_shown_as_text(tmp_path: Path) -> None:
    model = made("cox_strata")
    assert model.baseline is not None
    place = next(i for i, text in enumerate(model.baseline["labels"]) if HOSTILE in text)
    script = filled(
        ["8", "50", str(place)],
        "const images = document.querySelectorAll('img').length;"
        "write([seen(), images, [...document.querySelectorAll('option')].map((o) => o.text)]);",
    )
    shown, images, options = browse(allowed(made_page(model, tmp_path), script), tmp_path)
    sex = model.baseline["labels"][place][len("sex=") :][:1]
    row = {"size_mm": [8.0], "age": [50.0], "sex": [sex], "unit": [HOSTILE]}
    risk = model.predict(row)["risk"][0]
    assert f"{100 * risk:.1f}\u00a0%" in shown["text"]
    assert "within 60 months" in shown["text"].replace("\u00a0", " ")
    assert images == 0
    assert " ".join(model.baseline["labels"][place].split()) in options


@pytest.mark.slow
def test_the_page_fits_a_phone_and_every_input_has_a_name(tmp_path: Path) -> None:
    page = made_page(made("awkward"), tmp_path, force=())
    inner = filled(
        ["0", "100", "1", "10"],
        "document.querySelectorAll('details').forEach((d) => { d.open = true; });"
        "const inputs = [...document.querySelectorAll('input, select')];"
        "parent.postMessage({ width: document.documentElement.scrollWidth,"
        "  kind: seen().kind,"
        "  named: inputs.every((i) => i.labels.length > 0),"
        "  reached: inputs.every((i) => i.tabIndex === 0),"
        "  small: inputs.filter((i) => i.closest('label, .field').getBoundingClientRect().height"
        "    < 40).length }, '*');",
    )
    (tmp_path / "inner.html").write_text(allowed(page, inner), encoding="utf-8")
    outer = (
        "<!doctype html><body><script>" + WRITE + "addEventListener('message', (e) => "
        "write(e.data));</script><iframe src='inner.html' width='360' height='800'></iframe>"
    )
    found = browse(outer, tmp_path)
    assert found.pop("width") <= 360
    assert found == {"kind": "given", "named": True, "reached": True, "small": 0}


@pytest.mark.slow
def test_the_policy_forbids_the_network_and_other_scripts(tmp_path: Path) -> None:
    page = made_page(made("duan_draws"), tmp_path)
    page = page.replace("</body>", "<script>window.stranger = true;</script></body>")
    script = f"""(() => {{ {WRITE}
      const refused = [];
      document.addEventListener('securitypolicyviolation', (e) => {{
        refused.push(e.effectiveDirective);
        write({{ stranger: window.stranger === true, refused: [...refused].sort() }});
      }});
      new Image().src = 'http://127.0.0.1:9/x.png';
      fetch('http://127.0.0.1:9/x').catch(() => null);
      try {{ eval('1'); }} catch (error) {{ /* forbidden, as it should be */ }}
    }})();"""
    found = browse(allowed(page, script), tmp_path)
    assert found["stranger"] is False
    assert {"connect-src", "img-src", "script-src"} <= set(found["refused"])
