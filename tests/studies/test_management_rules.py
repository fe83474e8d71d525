"""Rule sheets: those that come with the package say what is known, and the reader is strict."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rnetstats as rn
from rnetstats.errors import GuidelineError, OptionError
from rnetstats.studies.management.guidelines import GUIDELINES, guideline_sheet
from rnetstats.studies.management.rule_reader import sheet_from_file, sheet_from_text

FACTS = rn.read_facts("management")

# the figure or sentence behind each cell
CELLS = {
    ("enets2023", "primary", "primary_to_10"): "enets_primary_10",
    ("enets2023", "primary", "primary_10_20"): "enets_primary_10_20",
    ("enets2023", "primary", "primary_from_20"): "enets_primary_20",
    ("enets2023", "after resection", "r1_under_10"): "enets_r1_under_10",
    ("enets2023", "after resection", "r1_10_20"): "enets_r1_10_20",
    ("enets2023", "after resection", "r1_high_risk"): "enets_r1_over_20",
    ("enets2016", "after resection", "incomplete_g1_under_10"): "enets_2012",
    ("nccn2025", "after resection", "incidental_r0"): "nccn_incidental_negative",
    ("nccn2025", "after resection", "incidental_rx_g1"): "nccn_indeterminate_g1",
    ("nccn2025", "after resection", "incidental_rx_g2"): "nccn_indeterminate_g2",
    ("nccn2025", "after resection", "local_10_20"): "nccn_follow_up",
    ("nccn2025", "after resection", "t2_t4_over_20_or_n"): "nccn_t2_t4_large",
    ("nccn2025", "primary", "t1"): "nccn_t1",
    ("nccn2025", "primary", "t2_t4_to_20"): "nccn_t2_t4_small",
    ("nccn2025", "primary", "t2_t4_over_20_or_n"): "nccn_t2_t4_large",
    ("jnets", "1-2 cm", "radical_1_2_cm"): "jnets_10_20",
    ("enets2023", "1-2 cm", "board_1_2_cm"): "enets_10_20",
    ("cnets", "1-2 cm", "radical_with_factor"): "cnets_10_20",
    ("nccn2025", "1-2 cm", "local_1_2_cm"): "nccn_10_20",
    ("csco", "1-2 cm", "transanal"): "csco_10_20",
    ("page", "after resection", "the_case"): "page_answer",
}


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{2,}", text.lower().replace("lvi", "lymphovascular invasion")))


def test_every_step_is_what_is_printed() -> None:
    """Words of the print stand in the sheet, and every number of the sheet in the print."""
    rules = rn.guidelines().set_index(["guideline", "situation", "rule"])
    for place, key in CELLS.items():
        fact, rule = FACTS[key], rules.loc[place]
        said = " ".join(rule[["words", "alternative", "otherwise", "cell", "provided"]])
        printed = words(fact.value)
        assert len(printed & words(said)) >= len(printed) / 3, key
        assert set(re.findall(r"\d+", rule["words"])) <= set(re.findall(r"\d+", fact.value)), key


def test_steps_are_none_that_are_not_printed() -> None:
    """Each rule with a step stands for a printed cell."""
    rules = rn.guidelines()
    steps = rules[rules["answer"] != "no rule"]
    there = set(zip(steps["guideline"], steps["situation"], steps["rule"], strict=True))
    beyond = {
        ("nccn2025", "primary", "t2_t4_to_20_muscle"),  # both halves of one printed cell
        ("nccn2025", "after resection", "t2_t4_to_20_muscle"),
        ("nccn2025", "after resection", "local_under_10"),
        ("cnets", "1-2 cm", "local_without_factor"),
        ("csco", "1-2 cm", "radical_higher_stage"),
        ("page", "after resection", "t2"),  # inferred
    }
    assert there == set(CELLS) | beyond


def test_grades_of_evidence_and_the_page_are_as_printed() -> None:
    rules = rn.guidelines().set_index(["guideline", "situation", "rule"])
    for rule, key in (
        ("r1_under_10", "enets_r1_under_10_grade"),
        ("r1_10_20", "enets_r1_10_20_grade"),
        ("r1_high_risk", "enets_r1_over_20_grade"),
    ):
        assert rules.loc[("enets2023", "after resection", rule), "evidence"] == FACTS[key].value
    page = rules.loc[("page", "after resection", "the_case")]
    assert page["follow_up_standing"].startswith(FACTS["page_label"].value)
    assert "6 months for 2 years" in page["follow_up"]
    assert "6 months for 2 years" in FACTS["page_follow_up"].value
    assert "distant metastases" in page["omits"]
    assert "distant metastases" in FACTS["page_omits"].value


def test_every_rule_has_source_and_standing() -> None:
    rules = rn.guidelines()
    assert list(dict.fromkeys(rules["guideline"])) == list(GUIDELINES)
    assert (rules["source"] != "").all()
    second = rules[rules["guideline"] != "page"]
    assert set(second["standing"]) == {"second-hand"}
    assert set(rules.loc[rules["guideline"] == "page", "standing"]) == {"printed", "inferred"}
    assert ((rules["words"] != "") | (rules["why"] != "")).all()


def test_conditions_name_their_edges() -> None:
    rules = rn.guidelines("enets2023").set_index("rule")["conditions"]
    assert rules["primary_to_10"] == "size <= 10 mm"
    assert rules["primary_10_20"] == "size > 10 and < 20 mm"
    assert rules["r1_10_20"] == "size >= 10 and <= 20 mm and margin R1 or R2"


GOOD = """
schema = 1
[guideline]
key = "mine"
name = "Mine"
source = "my hospital"
standing = "chosen"
[[rules]]
key = "small"
situation = "primary"
when = { size_mm = { under = 10 } }
step = "local resection"
words = "take it out"
[[rules]]
key = "large"
situation = "primary"
when = { size_mm = { from = 10 } }
gap = "We do not see them."
"""


def test_a_sheet_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD, encoding="utf-8")
    result = rn.classify({"size_mm": [8, 12]}, guideline=path, situation="primary")
    assert list(result.patients["answer"]) == ["step", "no rule"]
    assert result.patients["standing"].iloc[0] == "chosen"
    told = rn.guideline_disagreement(
        {"size_mm": [8, 12]}, guidelines=["enets2023", str(path)], situation="primary"
    )
    assert told.glance()["n_compared"].iloc[0] == 1
    assert list(rn.guidelines(path)["rule"]) == ["small", "large"]
    sheet = guideline_sheet(path)
    assert guideline_sheet(sheet) is sheet


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("schema = 1", "", "write 'schema = 1'"),
        ("schema = 1", "schema = 2", "write 'schema = 1'"),
        ("schema = 1", "schema = true", "write 'schema = 1'"),
        ("[guideline]", "[guidline]", "unknown key 'guidline'. Did you mean 'guideline'"),
        ('source = "my hospital"', "", "source is missing"),
        ('standing = "chosen"', 'standing = "known"', "'known' is none of"),
        ('key = "mine"', 'key = "My own"', "small letters"),
        ('step = "local resection"', 'step = "local"', "'local' is none of"),
        ('words = "take it out"', "", "words is missing"),
        (
            'situation = "primary"\nwhen = { size_mm = { under',
            'situation = "before"\nwhen = { size_mm = { under',
            "'before' is none of",
        ),
        ("under = 10", "below = 10", "'below' is none of from"),
        ("under = 10", 'under = "10"', "must be a number of mm"),
        ("under = 10", "under = 0", "above 0"),
        ("under = 10", "under = 10, to = 10", "two edges of one side"),
        ("under = 10", "under = 10, from = 10", "no size lies"),
        ("size_mm = { under = 10 }", 'grade = ["G4"]', "'G4' is none of"),
        ("size_mm = { under = 10 }", "grade = []", "must be a list"),
        ("size_mm = { under = 10 }", 'grad = ["G1"]', "Did you mean 'grade'"),
        ("size_mm = { under = 10 }", 'fit_for_surgery = ["fit"]', "no condition asks for"),
        ("{ size_mm = { under = 10 } }", "{}", "at least one condition"),
        ("size_mm = { under = 10 }", "any = [{ lvi = ['absent'] }]", "two tables or more"),
        ("size_mm = { under = 10 }", 'risk_factor = "absent"', 'risk_factor = "present"'),
        ('gap = "We do not see them."', "", "it has none"),
        ('gap = "We do not see them."', 'gap = "x"\nstep = "surveillance"', "step and gap"),
        ('gap = "We do not see them."', 'then = "primary"', "must be another situation"),
        ('gap = "We do not see them."', 'then = "1-2 cm"', "must be another situation"),
        ('gap = "We do not see them."', 'gap = "x"\nevidence = "3"', "evidence belongs to"),
        ('key = "large"', 'key = "small"', "two rules 'small'"),
        ('words = "take it out"', 'words = "x"\nprovided = ["fit"]', "'fit' is none of"),
        (
            'words = "take it out"',
            'words = "x"\n[[rules.otherwise]]\nwithout = "tumour board"\n'
            'step = "surveillance"\nwords = "w"',
            "not among what is provided",
        ),
        (
            'words = "take it out"',
            'words = "x"\nfollow_up = { words = "y" }',
            "standing is missing",
        ),
        ('words = "take it out"', "words = 5", "must be text"),
        ("[[rules]]", "[rules]", "is not valid TOML|has no rules"),
        ("size_mm = { under = 10 }", "size_mm = 10", "must be a table with from or over"),
    ],
)
def test_the_reader_says_what_is_wrong_and_where(old: str, new: str, match: str) -> None:
    assert old in GOOD
    with pytest.raises(GuidelineError, match=match) as caught:
        sheet_from_text(GOOD.replace(old, new, 1), "mine.toml")
    assert "mine.toml" in str(caught.value)


def test_files_that_are_no_sheets(tmp_path: Path) -> None:
    empty, binary = tmp_path / "a.toml", tmp_path / "b.toml"
    empty.write_text("", encoding="utf-8")
    binary.write_bytes(b"\xff\xfe\x00")
    for path, match in ((empty, "schema"), (binary, "UTF-8"), (tmp_path / "c.toml", "cannot be")):
        with pytest.raises(GuidelineError, match=match):
            sheet_from_file(path)
    with pytest.raises(OptionError, match="ends in"):
        rn.guidelines("mine.txt")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("enets", "'enets2023' or 'enets2016'"),
        ("NCCN", "'nccn2025'"),
        ("jnet", "'jnets'"),
        ("enets2024", "'enets2023'"),
    ],
)
def test_a_guideline_without_its_year_is_asked_for_by_its_editions(name: str, meant: str) -> None:
    with pytest.raises(OptionError, match=rf"is not known\. Did you mean {meant}\? There are"):
        rn.classify({"size_mm": [8.0]}, guideline=name)


def test_conditions_can_be_read_in_one_way_only() -> None:
    """The sheet has: size above 20 mm with T2 to T4, or nodes. Not: T3 of any size."""
    rules = rn.guidelines().set_index(["guideline", "situation", "rule"])
    large = rules.loc[("nccn2025", "primary", "t2_t4_over_20_or_n"), "conditions"]
    assert large == "((size > 20 mm and t_stage T2, T3 or T4) or n_stage N1)"
    for conditions in rules["conditions"]:
        for group in re.findall(r"\(([^()]*)\)", conditions):
            assert not (" and " in group and " or " in group.replace(" T3 or T4", "")), group
