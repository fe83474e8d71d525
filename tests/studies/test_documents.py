"""The five documents as data: each figure as printed, with its standing; derived ones recompute."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from rnetstats.evidence.audit import audit
from rnetstats.evidence.facts import FactSheet, read_facts
from rnetstats.evidence.reporting import reporting_items
from rnetstats.studies.meta2026.primary import COUNTS, included_studies, primary_studies
from rnetstats.tables.fisher import fisher_p

DOCUMENTS = ("duan2024", "cha2019", "nelm2024", "meta2026", "management")
LISTED = Path(__file__).with_name("documents.txt")
Z = stats.norm.ppf(0.975)


@lru_cache
def facts(name: str) -> FactSheet:
    return read_facts(name)


def number(name: str, key: str) -> float:
    return facts(name)[key].number


@lru_cache
def listed() -> dict[str, dict[str, tuple[str, str]]]:
    """Key to standing and value, by document, from the list beside this test."""
    found: dict[str, dict[str, tuple[str, str]]] = {name: {} for name in DOCUMENTS}
    for line in LISTED.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name, standing = line.strip("[]").split()
        elif line and not line.startswith("#"):
            key, _, value = line.partition(" = ")
            assert key not in found[name]
            found[name][key] = (standing, value)
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_figures_are_those_of_the_list_and_no_others(name: str) -> None:
    sheet = facts(name)
    assert sheet.name == name
    assert {k: (f.standing, f.value) for k, f in sheet.facts.items()} == listed()[name]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_figure_is_labelled_and_says_where_it_stands(name: str) -> None:
    for key, fact in facts(name).facts.items():
        assert fact.label == fact.label.strip() != "", key
        assert (fact.value == "") == (fact.standing == "unknown") == (fact.where == ""), key
        assert fact.standing != "printed" or not fact.depends_on, key
        assert "our reading" not in fact.where or fact.standing == "inferred", key
        assert fact.standing != "derived" or fact.depends_on, key


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_document_has_checks_and_answers_to_items_of_reporting(name: str) -> None:
    sheet = facts(name)
    assert sheet.checks
    table = reporting_items(sheet)
    answered = table[table["answer"] != "open"]
    assert set(answered["instrument"]) == {"strobe", "probast_ai", "robins_i"}
    whole = table[table["item"] != "all"]
    assert whole.empty or (whole["answer"] == "open").mean() > 0.7  # an abstract answers little


# What the derived figures recompute to --------------------------------------------------------


def shown(value: float, digits: int) -> str:
    return str(Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def implied(name: str, term: str, side: int) -> float:
    """A Wald limit from an odds ratio and its two-sided P (0.001 where print says less)."""
    estimate = math.log(number(name, f"or_{term}"))
    p = float(facts(name)[f"p_{term}"].value.removeprefix("< "))
    return math.exp(estimate + side * Z * abs(estimate) / stats.norm.isf(p / 2))


def splits() -> list[float]:
    n, m = (facts("duan2024")[key].count for key in ("positive_margin", "negative_margin"))
    total = facts("duan2024")["recurrences"].count
    a = np.arange(total, 3, -1)
    return fisher_p(a, n - a, total - a, m - total + a).tolist()


def half_enrolled() -> int:
    end = int(facts("duan2024")["enrolment"].value[-4:]) + 0.5  # "to Jun 2023"
    return round(end - number("duan2024", "median_follow_up") / 12 + 0.5)


def pooled_positives() -> int:
    methods = ("conventional_emr", "modified_emr", "esd")
    counts = facts("duan2024")["method_counts"].counts
    rates = [number("meta2026", f"incomplete_{method}") / 100 for method in methods]
    return round(sum(n * rate for n, rate in zip(counts, rates, strict=False)))


def standard_error(low: str, high: str, quantile: float) -> float:
    ratio = number("meta2026", high) / number("meta2026", low)
    return math.log(ratio) / (2 * quantile)


def centre(low: str, high: str) -> float:
    return math.sqrt(number("meta2026", low) * number("meta2026", high))


def only_fraction(percent: str, at_most: int) -> tuple[int, int]:
    pairs = [
        (k, n)
        for n in range(1, at_most + 1)
        for k in range(n + 1)
        if shown(100 * k / n, 1) == percent
    ]
    assert len(pairs) == 1
    return pairs[0]


def share(name: str, *parts: str) -> float:
    count, total = (number(name, part) for part in parts)
    return 100 * count / total


def wald(side: int) -> float:
    estimate = number("meta2026", "pagano_or")
    return estimate * math.exp(side * Z * number("meta2026", "pagano_or_se") / estimate)


def two_sided(estimate: float, error: float) -> float:
    return float(2 * stats.norm.sf(abs(math.log(estimate)) / error))


Recomputed = dict[str, Callable[[], object]]

DUAN: Recomputed = {
    "negative_margin": lambda: (
        facts("duan2024")["patients"].count - facts("duan2024")["positive_margin"].count
    ),
    "recurrence_percent_exact": lambda: shown(share("duan2024", "recurrences", "patients"), 2),
    "fisher_p": lambda: " / ".join(f"{p:.4f}" for p in splits()),
    "fisher_needs": lambda: (
        facts("duan2024")["recurrences"].count - sum(p < 0.05 for p in splits()) + 1
    ),
    "half_enrolled_before": half_enrolled,
    "positives_by_pooled_rates": pooled_positives,
}
CHA: Recomputed = {
    "curative": lambda: facts("cha2019")["patients"].count - facts("cha2019")["not_curative"].count,
    "observation": lambda: (
        facts("cha2019")["not_curative"].count - facts("cha2019")["salvage"].count
    ),
    "recurrences_salvage": lambda: facts("cha2019")["recurrences"].count,
    "recurrences_observation": lambda: facts("cha2019")["recurrences"].count,
    "model_outcomes": lambda: facts("cha2019")["salvage"].count,
    "model_terms": lambda: sum(
        key.startswith("or_") and fact.known for key, fact in facts("cha2019").facts.items()
    ),
    **{
        f"{end}_{term}": lambda side=side, term=term, digits=digits: shown(
            implied("cha2019", term, side), digits
        )
        for term, digits in (("biopsy", 3), ("suspected", 3))
        for end, side in (("low", -1), ("high", 1))
    },
    "low_margin_indeterminate": lambda: shown(implied("cha2019", "margin_indeterminate", -1), 2),
    "high_margin_indeterminate": lambda: shown(implied("cha2019", "margin_indeterminate", 1), 1),
    "low_lvi": lambda: f">= {shown(implied('cha2019', 'lvi', -1), 1)}",
    "low_margin_positive": lambda: f">= {shown(implied('cha2019', 'margin_positive', -1), 1)}",
}
NELM: Recomputed = {
    "rectal_asynchronous": lambda: only_fraction("71.4", facts("nelm2024")["rectum"].count)[1],
    "rectal_g2": lambda: only_fraction("71.4", facts("nelm2024")["rectum"].count)[0],
}
MANAGEMENT: Recomputed = {"case_size_mm": lambda: 10 * facts("management")["case_size"].count}


def meta(key: str) -> int:
    return facts("meta2026")[key].count


META: Recomputed = {
    "comparative_centre": lambda: shown(centre("comparative_low", "comparative_high"), 3),
    "comparative_se_normal": lambda: shown(
        standard_error("comparative_low", "comparative_high", Z), 3
    ),
    "comparative_df": lambda: meta("comparative_studies") - 1,
    "comparative_se_t": lambda: shown(
        standard_error(
            "comparative_low", "comparative_high", stats.t.ppf(0.975, meta("comparative_df"))
        ),
        3,
    ),
    "crude_or": lambda: shown(
        math.prod(
            (number("meta2026", key) / (100 - number("meta2026", key))) ** power
            for key, power in (("crude_salvage", 1), ("crude_observation", -1))
        ),
        2,
    ),
    "second_unclear_residual": lambda: meta("second_residual"),
    "second_unclear_n": lambda: next(
        n for n in range(46, 96) if shown(100 * meta("second_residual") / n, 1) == "65.7"
    ),
    "second_clear_residual": lambda: (
        meta("second_residual") - facts("meta2026")["second_unclear_residual"].count
    ),
    "second_clear_n": lambda: meta("second_patients") - meta("second_unclear_n"),
    "second_centre_remnant": lambda: shown(centre("second_low_remnant", "second_high_remnant"), 2),
    "second_centre_forceps": lambda: shown(centre("second_low_forceps", "second_high_forceps"), 2),
    "second_wald_p_remnant": lambda: shown(
        two_sided(
            number("meta2026", "second_or_remnant"),
            standard_error("second_low_remnant", "second_high_remnant", Z),
        ),
        3,
    ),
    "pagano_log_se": lambda: shown(
        number("meta2026", "pagano_or_se") / number("meta2026", "pagano_or"), 2
    ),
    "pagano_wald_low": lambda: shown(wald(-1), 1),
    "pagano_wald_high": lambda: shown(wald(1), 0),
    "pagano_wald_p": lambda: shown(
        two_sided(
            number("meta2026", "pagano_or"),
            number("meta2026", "pagano_or_se") / number("meta2026", "pagano_or"),
        ),
        3,
    ),
    "li_ungraded_r1": lambda: meta("li_r1") - meta("li_g1_r1") - meta("li_g2_r1"),
    "li_ungraded": lambda: meta("li_patients") - meta("li_g1") - meta("li_g2"),
    "cha_b_excluded_sum": lambda: meta("cha_b_salvaged") + meta("cha_b_lost"),
    "cha_b_endoscopic": lambda: meta("cha_b_patients") - meta("cha_b_surgery"),
    "seo_arms": lambda: meta("seo_salvaged") + meta("seo_observed"),
    "seo_residual_of_salvaged": lambda: shown(share("meta2026", "seo_residual", "seo_salvaged"), 1),
    "seo_residual_n": lambda: next(
        n for n in range(23, 206) if shown(100 * meta("seo_residual") / n, 1) == "32.4"
    ),
    "cho_complete": lambda: meta("cho_patients") - meta("cho_incomplete"),
    "cho_salvaged_of_incomplete": lambda: shown(
        share("meta2026", "cho_salvaged", "cho_incomplete"), 1
    ),
    "cho_salvaged_of_all": lambda: shown(share("meta2026", "cho_salvaged", "cho_patients"), 1),
    "cho_salvaged_of_complete": lambda: shown(share("meta2026", "cho_salvaged", "cho_complete"), 2),
    "cho_recurrence_exact": lambda: shown(share("meta2026", "cho_recurrences", "cho_patients"), 2),
    "lee_recurrence_exact": lambda: shown(share("meta2026", "lee_recurrences", "lee_patients"), 2),
    "lee_salvaged_exact": lambda: shown(share("meta2026", "lee_salvaged", "lee_high_risk"), 2),
    "stain_positive": lambda: meta("stain_g1_positive") + meta("stain_g2_positive"),
    "stain_negative": lambda: meta("stain_g1_negative") + meta("stain_g2_negative"),
    "stain_g1_sum": lambda: meta("stain_g1_positive") + meta("stain_g1_negative"),
    "stain_g2_sum": lambda: meta("stain_g2_positive") + meta("stain_g2_negative"),
    "chatila_months": lambda: int(facts("meta2026")["chatila_period"].value[-2:]),  # from January
}
WORDS = {  # derived, but told in words
    "duan2024": {"dfs_covariates"},
    "management": {
        "page_follow_up_source",
        "page_label",
        "page_omits",
        "same_action",
        "case_in_model",
        "nccn_t2_t4_small_empty",
    },
}
WORLDS = {  # by enumeration, tested below
    "crude_salvage_worlds",
    "crude_observation_worlds",
    "crude_salvage_least",
    "crude_observation_with_7",
    "crude_observation_with_8",
    "crude_observation_with_9",
    "crude_salvage_n",
    "crude_observation_n",
}
ALL = {"duan2024": DUAN, "cha2019": CHA, "nelm2024": NELM, "meta2026": META}
ALL["management"] = MANAGEMENT


@pytest.mark.parametrize("name", DOCUMENTS)
def test_derived_figures_recompute_from_what_they_depend_on(name: str) -> None:
    sheet = facts(name)
    derived = {key for key, fact in sheet.facts.items() if fact.standing == "derived"}
    worlds = WORLDS if name == "meta2026" else set()
    assert derived == ALL[name].keys() | WORDS.get(name, set()) | worlds
    assert {k: str(again()) for k, again in ALL[name].items()} == {
        key: sheet[key].value for key in ALL[name]
    }


def patients_for(events: int, percent: str, at_most: int) -> np.ndarray:
    n = np.arange(events, at_most + 1)
    half = Decimal(1).scaleb(-len(percent.partition(".")[2])) / 2
    low, high = (float(Decimal(percent) + sign * half) for sign in (-1, 1))
    shares = 100 * events / n
    return n[(shares >= low) & (shares < high)]


def span(n: np.ndarray) -> str:
    return f"{n.min()}–{n.max()}"


def p_values(e1: int, n1: np.ndarray, e2: int, n2: np.ndarray) -> np.ndarray:
    """Pearson's, Yates' and Fisher's P of each pair of counts, one row a test."""
    total, events = n1 + n2, e1 + e2
    cross = np.abs(e1 * (n2 - e2) - e2 * (n1 - e1)).astype(float)
    scale = total / (n1.astype(float) * n2 * events * (total - events))
    yates = np.maximum(cross - total / 2, 0.0)
    plain = [stats.chi2.sf(scale * distance**2, 1) for distance in (cross, yates)]
    return np.array([*plain, fisher_p(e1, n1 - e1, e2, n2 - e2)])


def allowed(events: int) -> list[int]:
    """Recurrences under observation that agree with so many after salvage, P 0.003, total."""
    sheet, at_most = facts("meta2026"), meta("incomplete_cases")
    first = patients_for(events, sheet["crude_salvage"].value, at_most)
    found = []
    for others in range(1, 70):
        second = patients_for(others, sheet["crude_observation"].value, at_most)
        n1, n2 = (grid.ravel() for grid in np.meshgrid(first, second))
        keep = n1 + n2 <= at_most
        if keep.any():
            p = p_values(events, n1[keep], others, n2[keep])
            if ((p >= 0.0025) & (p < 0.0035)).any():
                found.append(others)
    return found


@pytest.mark.parametrize("arm", ["salvage", "observation"])
def test_counts_behind_the_crude_rates(arm: str) -> None:
    sheet, total = facts("meta2026"), meta("incomplete_cases")
    fewest = patients_for(meta("crude_salvage_least"), sheet["crude_salvage"].value, total).min()
    room = total if arm == "salvage" else total - int(fewest)
    for world in sheet[f"crude_{arm}_worlds"].value.split(", "):
        events, _, patients = world.partition("/")
        assert span(patients_for(int(events), sheet[f"crude_{arm}"].value, room)) == patients


@pytest.mark.slow
def test_counts_that_agree_with_the_crude_rates_and_their_p() -> None:
    by_events = {events: allowed(events) for events in range(1, 10)}
    possible = [events for events, others in by_events.items() if others]
    assert min(possible) == meta("crude_salvage_least")
    for events in (7, 8, 9):
        others = np.array(by_events[events])
        assert span(others) == facts("meta2026")[f"crude_observation_with_{events}"].value


# The tables of the meta-analysis --------------------------------------------------------------


def test_splits_of_table_1_sum_to_n_and_spell_its_digits() -> None:
    table = included_studies()
    assert table["ref"].tolist() == list(range(19, 53))
    assert len(table) == meta("studies")
    assert (table["standing"] == "unknown").sum() == 12
    split = table[table["split"] != ""]
    assert len(split) == 15
    for row in split.itertuples():
        for text in filter(None, (row.split, row.split_alternative)):
            assert "".join(text.split("/")) == row.digits
            assert sum(map(int, text.split("/"))) == row.n
    ambiguous = table.set_index("ref").loc[[22, 32, 37]]
    for row in ambiguous.itertuples():
        assert row.split == ""
        for text in row.split_alternative.split("; "):
            assert "".join(text.split("/")) == row.digits
            assert sum(map(int, text.split("/"))) == row.n
    assert (table["split_standing"].eq("inferred") == table["split"].ne("")).all()


def test_rows_of_table_1_are_those_of_the_list() -> None:
    table = included_studies().set_index("ref")
    n = table["n"].dropna().astype(int)
    assert n.tolist() == [260, 322, 86, 411, 134, 337, 31, 527, 82, 407, 115, 31, 121, 46, 107, 401,
                          68, 30, 50, 346]  # fmt: skip
    assert table.loc[39, ["first_author", "country", "period"]].tolist() == [
        "Lee",
        "Japan",
        "2009–2018",
    ]
    assert table.loc[21, ["period", "digits", "split_standing"]].tolist() == [
        "2023-01–2023-10",
        "10244",
        "unknown",
    ]
    known = table[table["country"] != ""]
    assert known["country"].value_counts().to_dict() == {
        "Korea": 13,
        "Japan": 4,
        "USA": 1,
        "France": 1,
        "Italy": 1,
        "China": 1,
    }
    assert table.loc[27, "n"] == facts("duan2024")["patients"].count
    assert table.loc[27, "digits"] == facts("duan2024")["method_digits"].value
    assert table.loc[20, "n"] == facts("cha2019")["patients"].count
    assert table.loc[20, "digits"] == facts("cha2019")["method_digits"].value


def test_arms_of_the_primary_studies_add_up_where_both_are_known() -> None:
    table = primary_studies().set_index("key")
    assert table.index.is_unique
    assert len(table) == 20
    assert all(table[column].dtype == "Int64" for column in (*COUNTS, "ref"))
    both = table.dropna(subset=["incomplete_n", "salvage_n", "observation_n"])
    rest = both["incomplete_n"] - both["salvage_n"] - both["observation_n"]
    # Cha B: 25 lost; Seo: 76 + 126 = 202, not 205; Wen: 2 of 18 not followed and 1 more
    assert rest[rest != 0].to_dict() == {"cha_b": 25, "seo": 3, "wen": 3}
    assert len(both) == 14
    assert set(table["standing"]) == {"printed", "inferred"}
    assert set(table["in_meta"]) == {"yes", "likely", "possible", "unknown", "no"}


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("incomplete_n", "n_total"),
        ("salvage_n", "incomplete_n"),
        ("observation_n", "incomplete_n"),
        ("salvage_residual", "salvage_n"),
        ("salvage_recurrences", "salvage_n"),
        ("observation_recurrences", "observation_n"),
        ("salvage_recurrences", "recurrences_all"),
        ("observation_recurrences", "recurrences_all"),
    ],
)
def test_parts_of_the_primary_studies_do_not_exceed_their_whole(part: str, whole: str) -> None:
    table = primary_studies().dropna(subset=[part, whole])
    assert len(table) > 1
    assert (table[part] >= 0).all()
    assert (table[part] <= table[whole]).all()


def test_usable_comparisons_of_the_primary_studies() -> None:
    arms = ["salvage_recurrences", "salvage_n", "observation_recurrences", "observation_n"]
    table = primary_studies().set_index("key")[arms].dropna().astype(int)
    assert {key: tuple(row) for key, *row in table.itertuples()} == {
        "cha_jh": (0, 44, 0, 98),
        "lee": (0, 7, 3, 74),
        "lvi_korea": (1, 44, 0, 31),
    }


def test_table_and_facts_of_the_primary_studies_agree() -> None:
    table = primary_studies().set_index("key")
    columns = {
        "patients": "n_total",
        "incomplete": "incomplete_n",
        "salvaged": "salvage_n",
        "residual": "salvage_residual",
        "observed": "observation_n",
        "recurrences": "recurrences_all",
    }
    names = {"second_2025": "second", "lvi_korea": "lvi", "wjg_2016": "stain"}
    compared = 0
    for key, row in table.iterrows():
        for part, column in columns.items():
            fact = facts("meta2026").facts.get(f"{names.get(key, key)}_{part}")
            if fact is not None and row[column] is not None and not row.isna()[column]:
                assert fact.count == row[column], (key, part)
                compared += 1
    assert compared > 25
    cha = table.loc["cha_jh", ["n_total", "incomplete_n", "salvage_n", "observation_n"]]
    keys = ("patients", "not_curative", "salvage", "observation")
    assert cha.tolist() == [facts("cha2019")[key].count for key in keys]


# What the audit says of them ------------------------------------------------------------------

FLAGGED = {  # as remarked by hand; every other check is consistent or cannot be checked
    "duan2024": {"Recurrences of all": "rounding"},  # 12/527 = 2.28, printed 2.2
    "cha2019": {},
    "nelm2024": {},
    "meta2026": {
        # 0.25 (0.12 to 0.40) is even on the arcsine scale, 25.0 (12.0 to 40.0) on none
        "Residual tumour: on which scale limits are even, decimals as printed": "rounding",
        "Cha B: excluded": "inconsistent",  # 21 + 25 = 46, not 36
        "Cha B: the paper's patients, if the meta-analysis left out the surgical ones": (
            "inconsistent"
        ),  # 267 less 9 is 258, not 260
        "Seo: arms": "inconsistent",  # 202, not 205
        "Seo: residual tumour at salvage": "inconsistent",  # 23/76 = 30.3, not 32.4
        "Cho: additional treatment": "inconsistent",  # 5/67 = 7.5, not 1.5
        "Lee: recurrences": "rounding",  # 4/346 = 1.16, printed 1.1
        "PMID 40253226: suspected remnant: P": "inconsistent",  # 0.001, not 0.002
        "PMID 40253226: cold forceps: symmetry": "inconsistent",  # centre 3.85, not 3.60
        "WJG 2016, Table 2: G1": "inconsistent",  # 88, not 95
        "WJG 2016, Table 2: G2": "inconsistent",  # 16, not 9
    },
    "management": {},
}


@lru_cache
def verdicts(name: str) -> dict[str, tuple[str, str]]:
    frame = audit(facts(name)).to_frame()
    assert frame["check"].is_unique
    return {row.check: (row.verdict, row.sentence) for row in frame.itertuples()}


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n == "cha2019" else []) for n in DOCUMENTS],
)
def test_the_audit_flags_what_was_remarked_by_hand_and_nothing_else(name: str) -> None:
    flagged = {
        check: verdict
        for check, (verdict, _) in verdicts(name).items()
        if verdict not in ("consistent", "cannot be checked")
    }
    assert flagged == FLAGGED[name]


@pytest.mark.parametrize(
    ("check", "verdict", "said"),
    [
        ("Cho: additional treatment", "inconsistent", "344 (Complete)"),
        ("Seo: residual tumour at salvage", "inconsistent", "32.4 % of 71"),
        ("Odds ratio within studies: symmetric on the log scale", "consistent", "0.89"),
        (
            "Residual tumour: on which scale limits are even, as proportions of two decimals",
            "consistent",
            "on the arcsine scale; on the plain scale consistent only at the edge of rounding; "
            "not on the logit and log scales",
        ),
        ("Pagano: residual tumour by size", "consistent", "0.86 on the log scale"),
        ("Lee: salvaged", "consistent", "8.642"),
        ("Cho: recurrences", "consistent", "1.946"),
        ("WJG 2016, Table 2: G1 among those with invasion", "consistent", "20 of 29"),
        ("Cha B: incomplete less the excluded", "consistent", "77"),
        ("Country of row 39", "cannot be checked", "Japan"),
    ],
)
def test_what_the_audit_says_of_the_remarks(check: str, verdict: str, said: str) -> None:
    found, sentence = verdicts("meta2026")[check]
    assert found == verdict
    assert said in sentence


def test_words_that_no_arithmetic_can_check_stand_beside_the_figures() -> None:
    sentence = verdicts("management")["Source of the follow-up"][1]
    assert facts("management")["page_label"].value in sentence
    assert any("excluded" in said for _, said in verdicts("management").values())


# The questions --------------------------------------------------------------------------------


def test_questions_name_every_document_and_only_figures_that_exist() -> None:
    text = files("rnetstats.studies").joinpath("questions.toml").read_text(encoding="utf-8")
    asked = tomllib.loads(text)["question"]
    assert [question["id"] for question in asked] == ["margin", "salvage", "endoscopic"]
    for question in asked:
        assert question["text"].endswith("?")
        assert {says["study"] for says in question["says"]} == set(DOCUMENTS)
        for says in question["says"]:
            assert set(says) - {"claims"} == {"study", "sentence", "facts", "strength", "limits"}
            assert says["facts"]
            assert all(key in facts(says["study"]).facts for key in says["facts"])
            words = says["sentence"] + says["strength"] + says["limits"]
            assert not re.search(r"\d", words), "figures are read from the facts, not repeated"
