"""The audit as a whole: its frame, its verdicts on the studies, its template, its notes."""

from __future__ import annotations

import tomllib

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import rnetstats as rn
from audit_sheets import audited, content
from rnetstats.errors import BudgetError, FactsError, OptionError
from rnetstats.evidence import audit as module
from rnetstats.evidence.audit import CHECKS
from rnetstats.evidence.audit_result import AuditResult
from rnetstats.evidence.checks_line import VERDICTS
from rnetstats.evidence.facts_file import studies_with_facts
from rnetstats.evidence.facts_kinds import KINDS
from rnetstats.evidence.facts_template import facts_template
from rnetstats.plots.audit import audit_gaps, audit_rows

COLUMNS = ["check", "kind", "facts", "printed", "recomputed", "verdict", "sentence"]


@pytest.fixture(scope="module")
def template() -> AuditResult:
    return rn.audit(tomllib.loads(facts_template()))


def test_every_kind_has_its_check() -> None:
    assert set(CHECKS) == set(KINDS)


SLOW = {"cha2019"}  # its odds ratios have no table, and the conflict is searched
STUDIES = [
    pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name
    for name in studies_with_facts()
]


@pytest.mark.parametrize("name", STUDIES)
def test_the_studies_are_audited(name: str) -> None:
    found = rn.audit(name)
    frame = found.to_frame()
    assert list(frame.columns) == COLUMNS
    assert set(frame["verdict"]) <= set(VERDICTS)
    assert (frame["sentence"].str.endswith(".")).all()
    assert (frame["printed"] != "").all()
    assert not frame.isin(["nan", "inf"]).to_numpy().any()
    counts = found.glance().iloc[0]
    assert counts["study"] == name
    assert counts["n_checks"] == len(frame)
    assert sum(counts[v.replace(" ", "_")] for v in VERDICTS) == len(frame)
    assert set(found.reporting.columns) >= {"instrument", "item", "answer"}


def test_the_527_patients_by_hand() -> None:
    rows = rn.audit("duan2024").to_frame().set_index("printed")
    assert rows.loc["181 of 527, 34.3 %", "verdict"] == "consistent"
    assert rows.loc["12 of 527, 2.2 %", "verdict"] == "rounding"
    assert rows.loc["213 + 199 + 113 + 2 = 527 patients", "verdict"] == "consistent"


def test_the_template_teaches_every_kind_and_runs(template: AuditResult) -> None:
    assert set(template.to_frame()["kind"]) == set(KINDS)
    assert template.glance()["inconsistent"].item() == 0
    assert template.glance()["rounding"].item() == 1
    for kind, fields in KINDS.items():
        text = facts_template()
        assert f'kind = "{kind}"' in text
        assert all(f"\n{name} = " in text or f"\n# {name} = " in text for name in fields), kind


def test_a_figure_that_is_not_printed_is_named() -> None:
    made = content(
        {"a": "5", "b": "7", "c": "1", "d": "2", "total": "15"},
        {"kind": "sum", "parts": ["a", "b", "c", "d"], "total": "total", "label": "all parts"},
    )
    for key in ("a", "b", "c"):
        made["facts"][key]["standing"] = "inferred"
    made["facts"]["d"] |= {"standing": "derived", "depends_on": ["a"]}
    row = rn.audit(made).to_frame().iloc[0]
    assert row["check"] == "All parts"
    assert row["sentence"].endswith("Not in print: d (derived); a, b and 1 more (inferred).")


@pytest.mark.parametrize(
    ("check", "name"),
    [
        ({"kind": "sum", "parts": ["part"], "total": "n"}, "n: sum of parts"),
        ({"kind": "percentage", "percent": "part", "total": "n"}, "part"),
        (
            {"kind": "survival", "n": "n", "survival": ["part"], "at_risk": ["n"]},
            "survival",
        ),
        ({"kind": "interval", "low": "part", "high": "n", "estimate": "part"}, "part"),
        ({"kind": "interval", "low": "part", "high": "n"}, "part"),
    ],
)
def test_a_check_without_label_is_named_by_its_figure(check: dict[str, str], name: str) -> None:
    found = audited({"part": "5", "n": "9"}, check).to_frame()
    assert found["check"].iloc[0].casefold().startswith(name)


def test_without_checks_there_is_a_note() -> None:
    found = rn.audit(content({"n": "5"}))
    assert "asks for no checks" in found.notes[0]
    assert found.to_frame().empty
    assert list(found.to_frame().columns) == COLUMNS
    assert found.glance()["n_checks"].item() == 0
    assert found.display().empty
    assert isinstance(found.plot(), plt.Axes)


def test_figures_outside_all_checks_are_noted() -> None:
    values = {f"x{i}": "5" for i in range(10)} | {"gone": ""}
    found = audited(values, {"kind": "sum", "parts": ["x0"], "total": "x0"})
    assert found.notes[0].startswith("9 known figures stand in no check: x1, x2,")
    assert "gone" not in found.notes[0]


def test_what_is_too_large_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> list[object]:
        raise BudgetError("Too many tables.")

    monkeypatch.setitem(module.CHECKS, "sum", refuse)
    row = audited({"a": "5"}, {"kind": "sum", "parts": ["a"], "total": "a"}).to_frame().iloc[0]
    assert (row["verdict"], row["sentence"]) == ("cannot be checked", "Too many tables.")
    assert row["printed"] == "5 patients"


def test_a_figure_that_a_search_refuses_is_traced_to_its_check() -> None:
    check = {"kind": "share", "percent": "a", "at_most": "n"}
    with pytest.raises(
        FactsError, match=r"\[\[checks\]\] number 1 \(share\): .*at most 8 decimals"
    ):
        audited({"a": "33.3333333333", "n": "9"}, check, units={"a": "%"})
    row = audited({"a": "50.0", "n": "100000000"}, check, units={"a": "%"}).to_frame().iloc[0]
    assert row["verdict"] == "cannot be checked"
    assert "Give a smaller limit" in row["sentence"]


@pytest.mark.parametrize("value", [95, 0, 1, "0.95", None])
def test_the_level_is_one(value: object) -> None:
    with pytest.raises(OptionError, match="conf_level"):
        rn.audit("duan2024", conf_level=value)


def test_another_level_widens_the_limits() -> None:
    values = {"e": "2.00", "low": "1.00", "high": "4.00", "p": "0.10"}
    check = {"kind": "interval", "estimate": "e", "low": "low", "high": "high", "p": "p"}
    assert set(audited(values, check, conf_level=0.90).to_frame()["verdict"]) == {"consistent"}
    assert "inconsistent" in set(audited(values, check).to_frame()["verdict"])


def test_an_unknown_option_is_pythons_own_error() -> None:
    with pytest.raises(TypeError):
        rn.audit("duan2024", level=0.9)  # type: ignore[call-arg]
    with pytest.raises(FactsError, match="Did you mean 'duan2024'"):
        rn.audit("duan")


def test_the_plot_draws_what_is_odd_of_many() -> None:
    lines = pd.DataFrame(
        {
            "check": [f"Check {i}" for i in range(60)],
            "verdict": ["consistent"] * 56 + ["rounding", "inconsistent"] * 2,
            "gap_low": [0.0] * 58 + [9.0, float("nan")],
            "gap_high": [0.1] * 58 + [9.5, float("nan")],
        }
    )
    assert audit_rows(lines)["check"].tolist() == ["Check 56", "Check 57", "Check 58"]
    axes = audit_gaps(lines)
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "Check 56",
        "Check 57",
        "Check 58",
    ]
    assert "57 more checks are not drawn" in axes.get_title(loc="left")
    assert len(audit_rows(lines.head(36))) == 36
    assert len(audit_rows(lines.tail(1))) == 1


def test_a_dollar_sign_begins_no_formula() -> None:
    check = {"kind": "sum", "parts": ["a"], "total": "a", "label": "cost $x_1$ <b>"}
    axes = audited({"a": "5"}, check).plot()
    axes.figure.canvas.draw()
    assert r"\$" in axes.get_yticklabels()[0].get_text()
