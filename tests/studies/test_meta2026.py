"""The meta-analysis from its printed figures, and on a table of studies."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnetstats as rn
from reproduced import reproduced_synthetic
from rnetstats.errors import ColumnError, DataError
from rnetstats.evidence.meta_result import MetaAnalysisResult
from rnetstats.report.reproduce import _given
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.meta2026.claims import own_finding
from rnetstats.studies.meta2026.comparison import (
    _corrected,
    compare,
    forest_table,
    sensitivity_table,
    span_words,
)
from rnetstats.studies.meta2026.crude import crude_worlds
from rnetstats.studies.meta2026.figures import figures
from rnetstats.studies.meta2026.gap import benefit_table, gap_of, gap_table
from rnetstats.studies.meta2026.methods import method_counts, pool_methods, rate_table
from rnetstats.studies.meta2026.mixes import mix_table
from rnetstats.studies.meta2026.proportions import pool_shares
from rnetstats.studies.meta2026.residual import known_residuals, residual_table, scale_table
from rnetstats.studies.meta2026.sections import RULE_TABLES, _telling
from rnetstats.studies.meta2026.table import known_studies, read_table
from rnetstats.studies.registry import study as registered
from rnetstats.studies.study_result import StudyResult
from rnetstats.studies.treatment_verdicts import ASSOCIATION_RULES

SHEET = rn.read_facts("meta2026")
COUNTS = ["events_1", "n_1", "events_2", "n_2"]


def study() -> StudyResult:
    return reproduced_synthetic("meta2026")


def rule(result: StudyResult, key: str) -> str:
    return str(result.claims.set_index("claim").loc[key, "rule"])


def frame(**changed: Any) -> pd.DataFrame:
    base = {
        "study": ["A", "B", "C"],
        "events_1": [1, 2, 0],
        "n_1": [30, 40, 20],
        "events_2": [3, 4, 5],
        "n_2": [50, 60, 70],
    }
    return pd.DataFrame({**base, **changed})


# Incomplete resection ------------------------------------------------------------------------


def test_pooled_rates_on_the_mixes_of_methods_by_hand() -> None:
    duan, cha = rn.read_facts("duan2024"), rn.read_facts("cha2019")
    rows = mix_table(SHEET, duan, cha).numbers.set_index("study")
    by_hand = 213 * 0.298 + 199 * 0.284 + (113 + 2) * 0.147
    assert rows.loc["Duan [27]", "expected"] == pytest.approx(by_hand)
    assert round(by_hand) == duan["positives_by_pooled_rates"].count == 137
    assert rows.loc["Duan [27]", ["n", "seen"]].tolist() == [527, 181]
    assert rows.loc["Cha (JH) [20]", "seen"] / rows.loc["Cha (JH) [20]", "n"] == pytest.approx(
        SHEET["cha_incomplete"].number / 100, abs=5e-4
    )
    # the factor makes the expected number the one seen
    factor = rows.loc["Choi [24]", "odds_factor"]
    odds = factor * np.array([0.284 / 0.716, 0.147 / 0.853])
    assert 81 * odds[0] / (1 + odds[0]) + 53 * odds[1] / (1 + odds[1]) == pytest.approx(19)


def test_counts_by_method_print_as_their_percentages() -> None:
    counts = method_counts(SHEET).set_index(["study", "method"])
    assert counts.loc[("EMR-L matched to ESD", "esd"), "events"] == 61 - 51  # 51/61 is 83.6 %
    assert counts.loc[("Hindawi 8425157", "modified_emr"), "events"] == 66 - 63  # 95.5 %
    loose = counts.loc[("SNUH 2018", "conventional_emr")]
    assert loose[["events_low", "events_high"]].tolist() == [60, 61]  # 182 or 183 are 75 %
    assert loose["standing"] == "not unique"
    assert (counts["standing"] == "not unique").sum() == 1
    shown = rate_table(SHEET, method_counts(SHEET), pool_methods(method_counts(SHEET))).shown
    assert shown.set_index("Method").loc["Cold snare", "Incomplete"] == "unknown"


def test_pooled_shares_against_meta_analysis_of_logits() -> None:
    rows = pd.DataFrame({"study": list("abc"), "events": [11, 10, 4], "n": [21, 61, 16]})
    found = pool_shares(rows)
    coef = [math.log(e / (n - e)) for e, n in ((11, 21), (10, 61), (4, 16))]
    error = [math.sqrt(1 / e + 1 / (n - e)) for e, n in ((11, 21), (10, 61), (4, 16))]
    fit = rn.meta_analysis(
        {"study": list("abc"), "coef": coef, "std_error": error},
        measure="generic",
        ci="hartung-knapp-wider",
    )
    assert math.log(found.estimate / (1 - found.estimate)) == pytest.approx(fit.estimate)
    assert math.log(found.low / (1 - found.low)) == pytest.approx(fit.conf_low)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=6))
def test_a_pooled_share_lies_among_the_studies(pairs: list[tuple[int, int]]) -> None:
    rows = pd.DataFrame(
        {
            "study": [str(i) for i in range(len(pairs))],
            "events": [a for a, _ in pairs],
            "n": [a + b + 1 for a, b in pairs],
        }
    )
    found = pool_shares(rows)
    near = (rows["events"] + 0.5) / (rows["n"] + 1)
    low, high = (rows["events"] / rows["n"]).min(), (rows["events"] / rows["n"]).max()
    assert min(low, near.min()) - 1e-9 <= found.estimate <= max(high, near.max()) + 1e-9
    assert found.low <= found.estimate + 1e-12
    assert found.high >= found.estimate - 1e-12


# Residual tumour -----------------------------------------------------------------------------


def test_scales_by_hand_and_as_the_audit_judges_them() -> None:
    rows = scale_table(SHEET).numbers.set_index(["reading", "scale"])
    low, high = (math.asin(math.sqrt(x)) for x in (0.115, 0.395))
    assert rows.loc[("proportion", "arcsine"), "centre_low"] == pytest.approx(
        math.sin((low + high) / 2) ** 2
    )
    assert not rows.loc["residual", "possible"].any()
    fits = rows.loc["proportion"]
    assert fits["possible"].to_dict() == {
        "raw": True,
        "log": False,
        "logit": False,
        "arcsine": True,
    }
    assert fits.loc["raw", "edge"]
    assert not fits.loc["arcsine", "edge"]


def test_known_series_of_residual_tumour() -> None:
    rows = known_residuals()
    assert sorted(zip(rows["events"], rows["n"], strict=True)) == [(7, 31), (23, 76), (46, 95)]
    exhibit = residual_table(rows, pool_shares(rows), SHEET)
    assert any("71 patients rather than 76" in note for note in exhibit.notes)
    pooled = exhibit.numbers[exhibit.numbers["kind"] == "pooled"].iloc[0]
    assert pooled[["events", "n"]].tolist() == [76, 202]
    assert 7 / 31 < pooled["share"] < 46 / 95


# Crude against within ------------------------------------------------------------------------


def test_possible_counts_are_those_of_a_search_one_by_one() -> None:
    """All pairs of counts that round to the two rates, with Pearson's P rounding to 0.003."""
    found = crude_worlds(SHEET)
    assert found.exhaustive
    pairs = {
        p: [
            (e, n)
            for n in range(1, 2279)
            for e in range(max(int(n * (p - 0.01) / 100), 0), int(n * (p + 0.01) / 100) + 2)
            if e <= n and abs(100 * e / n - p) <= 0.005 + 1e-12
        ]
        for p in (0.96, 2.96)
    }
    a, n1 = np.array(pairs[0.96], float).T[:, :, None]
    c, n2 = np.array(pairs[2.96], float).T[:, None, :]
    b, d, n, events = n1 - a, n2 - c, n1 + n2, a + c
    chi = n * (a * d - b * c) ** 2 / (n1 * n2 * events * (n - events))
    inside = n <= 2279
    p = np.vectorize(math.erfc)(np.sqrt(np.where(inside, chi, 0.0) / 2.0))
    seen = inside & (np.abs(p - 0.003) <= 0.0005)
    assert int(found.worlds["tables_pearson"].sum()) == int(seen.sum())
    least = int(np.broadcast_to(a, seen.shape)[seen].min())
    assert least == SHEET["crude_salvage_least"].count == found.worlds["events_1"].min()


@pytest.mark.slow
def test_claims_and_rules() -> None:
    result = study()
    assert not result.synthetic
    assert result.source.startswith("printed figures only")
    expected = {
        "methods": "not in print",
        "residual": "left open",
        "crude_rates": "follows",
        "crude_effect": "design",
        "within": "too wide",
        "own": "too few",
        "certainty": "not judged",
    }
    assert {key: rule(result, key) for key in expected} == expected
    assert len(result.claims) == len(expected)
    for text in (*result.claims["sentence"], *result.answer):
        assert "nan" not in text
    said = " ".join(result.claims["sentence"])
    assert "The document itself grades the certainty as low." in said  # no more of it is printed
    crude = result.tables["crude"].set_index("part")
    assert crude.loc["crude", "odds_ratio"] == pytest.approx((0.0096 / 0.9904) / (0.0296 / 0.9704))
    assert crude.loc["crude", "odds_ratio"] < crude.loc["within", "low"]


def test_the_simulation_is_of_the_seed() -> None:
    scenes = study().tables["simulation"]
    assert set(scenes["seed"]) == {527}
    calm = scenes[(scenes["between_or"] == 1) & (scenes["heterogeneity"] == 0)].iloc[0]
    assert abs(calm["crude_significant"] - 0.05) < 3.5 * 0.0069
    assert (scenes["within_estimate"] - 1).abs().max() < 0.1
    by_between = scenes[scenes["heterogeneity"] > 0].set_index("between_or")["crude_significant"]
    assert by_between[0.25] > by_between[0.5] > by_between[1.0]


# The comparison ------------------------------------------------------------------------------


def test_studies_with_both_arms_are_the_three_that_are_known() -> None:
    both = known_studies().both.set_index("key")[COUNTS]
    assert both.loc["cha_jh"].tolist() == [0, 44, 0, 98]
    assert both.loc["lee"].tolist() == [0, 7, 3, 74]
    assert both.loc["lvi_korea"].tolist() == [1, 44, 0, 31]
    assert len(both) == 3
    assert "no" not in set(known_studies().frame["in_meta"])


def test_pooled_by_hand() -> None:
    """Mantel-Haenszel: sum of ad/N over sum of bc/N."""
    tables = [(0, 44, 0, 98), (0, 7, 3, 74), (1, 44, 0, 31)]
    above = sum(a * (m - c) / (n + m) for a, n, c, m in tables)
    below = sum((n - a) * c / (n + m) for a, n, c, m in tables)
    rare = study().tables["rare_methods"].set_index("method")
    assert rare.loc["mantel-haenszel", "estimate"] == pytest.approx(above / below)
    assert rare.loc["crude", "estimate"] == pytest.approx((1 / 94) / (3 / 200))
    # half added to the four cells of both studies that have a zero and an event
    logs, weights = [], []
    for a, n, c, m in tables[1:]:
        cells = [a + 0.5, n - a + 0.5, c + 0.5, m - c + 0.5]
        logs.append(math.log(cells[0] * cells[3] / cells[1] / cells[2]))
        weights.append(1 / sum(1 / cell for cell in cells))
    lines = study().tables["sensitivity"].set_index("analysis")
    half = lines[lines.index.str.startswith("0.5") & lines.index.str.endswith("left out")].iloc[0]
    assert half["estimate"] == pytest.approx(math.exp(np.average(logs, weights=weights)))


def test_treatment_arm_correction_by_hand() -> None:
    """Each arm's cells gain its share of the patients, so that no effect is added."""
    row = pd.DataFrame([("Lee", 0, 7, 3, 74)], columns=["study", *COUNTS])
    found = _corrected(row, "arm", zeros=False)
    k1, k2 = 7 / 81, 74 / 81
    ratio = k1 * (71 + k2) / ((7 + k1) * (3 + k2))
    assert found.estimate == pytest.approx(ratio)
    silent = pd.DataFrame([("Cha", 0, 44, 0, 98)], columns=["study", *COUNTS])
    assert _corrected(silent, "arm", zeros=True).estimate == pytest.approx(1.0)
    assert _corrected(silent, "half", zeros=True).estimate == pytest.approx(197 / 89)


def test_choices_without_an_estimate_are_missing_and_said() -> None:
    lines = study().tables["sensitivity"]
    none = lines[lines["estimate"].isna()]
    assert none["choice"].tolist() == ["correction"]
    assert any("without any correction" in line for line in study().skipped)
    notes = study().table("comparison").notes
    assert sum(note.startswith("No prediction interval") for note in notes) == 1
    floor = lines[lines["analysis"].str.endswith("its floor")].iloc[0]
    plain = lines[lines["analysis"].str.endswith("Hartung-Knapp")].iloc[0]
    assert floor["conf_high"] > 1000 * plain["conf_high"]


def test_all_corrections_have_classical_limits() -> None:
    alike = frame(events_1=[8, 8, 8], n_1=[31, 31, 31], events_2=[17, 17, 17], n_2=[53, 53, 53])
    found = compare(read_table(alike), Attempts())
    table = sensitivity_table(found)
    assert table is not None
    lines = table.numbers[table.numbers["choice"] == "correction"]
    error = math.sqrt((1 / 8 + 1 / 23 + 1 / 17 + 1 / 36) / 3)
    high = math.exp(math.log(8 * 36 / (23 * 17)) + 1.959963984540054 * error)
    np.testing.assert_allclose(lines["conf_high"].to_numpy(float), high, rtol=1e-9)


# From residual tumour to recurrence ----------------------------------------------------------


def test_the_gap_by_hand() -> None:
    gap = gap_of(SHEET)
    assert gap.residual == (0.12, 0.25, 0.40)
    assert gap.product(0.25) == pytest.approx(0.0296 / 0.25)
    assert gap.recurring(0.5) == pytest.approx(0.0592)
    assert gap.within(1.0) == pytest.approx(0.0)
    assert gap.within(0.4) > 0 > gap.within(2.02)
    rows = benefit_table(gap).numbers.set_index("reading")["difference"]
    assert rows["Crude difference of the arms"] == pytest.approx(0.02)
    assert rows.iloc[0] == pytest.approx(0.0296)
    table = gap_table(gap).numbers
    assert (table["product_low"] < table["product"]).all()
    assert table["product"].is_monotonic_decreasing


@given(st.floats(0.13, 0.4), st.floats(0.3, 1.0))
def test_every_pair_on_the_curve_gives_the_print(residual: float, found: float) -> None:
    gap = gap_of(SHEET)
    grows = gap.product(residual) / found
    assert residual * grows * found == pytest.approx(gap.observed[1])
    assert gap.recurring(found) == pytest.approx(residual * grows)


def test_information_size_is_that_of_the_verb() -> None:
    rows = study().tables["information_size"]
    again = rn.information_size(
        measure="OR", effect=0.5, control_risk=0.0296, diversity=(0.0, 0.25, 0.5), patients=2279
    ).to_frame()
    pd.testing.assert_frame_equal(rows, again)
    assert (rows["share_patients"] < 1).all()


# A table of one's own ------------------------------------------------------------------------


def test_a_table_is_read_and_its_arms_told_apart() -> None:
    table = read_table(frame(n_2=[50, 0, None], events_2=[3, 0, None], residual=[None, 7, 1]))
    assert table.own
    assert table.both["study"].tolist() == ["A"]
    assert table.arm(1) == (1, 30)
    assert table.frame["n_2"].tolist() == [50, 0, 0]
    unknown = read_table(frame(events_1=[None, 2, 0]))
    assert unknown.both["study"].tolist() == ["B", "C"]
    assert any("row 1 (A)" in note for note in unknown.notes)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"events_1": [31, 2, 0]}, r"events_1 is more than n_1 in row 1 \(A\)"),
        ({"events_2": [0.5, 2, 0]}, r"events_2 is no whole number in row 1 \(A\)"),
        ({"n_1": [-3, 40, 20]}, r"n_1 is negative in row 1 \(A\)"),
        ({"n_1": [None, 40, 20]}, r"n_1 is missing where events_1 is not in row 1 \(A\)"),
        ({"residual": [1, 41, 2]}, r"residual is more than n_1 in row 2 \(B\)"),
        ({name: [0, 0, 0] for name in COUNTS}, "No study has an arm with patients"),
    ],
)
def test_tables_that_cannot_be(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_table(frame(**changed))


def test_files_that_cannot_be() -> None:
    with pytest.raises(DataError, match="'A' occurs again"):
        rn.reproduce("meta2026", data=frame(study=["A", "A", "B"]))
    with pytest.raises(ColumnError, match="n_2"):
        rn.reproduce("meta2026", data=frame().drop(columns="n_2"))


@pytest.fixture
def _no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the models for rare events, which are slow and tested where they live."""
    monkeypatch.setattr(MetaAnalysisResult, "rare_events", lambda self: None)


def compared(**changed: Any) -> tuple[Any, list[str]]:
    attempts = Attempts()
    return compare(read_table(frame(**changed)), attempts), attempts.skipped


@pytest.mark.usefixtures("_no_models")
def test_zero_in_both_arms_leaves_a_ratio_and_stays_in_a_difference() -> None:
    found, _ = compared(events_1=[1, 2, 0], events_2=[3, 4, 0])
    assert found.pooled.k_used == 2
    assert found.difference.k_used == 3
    none, skipped = compared(events_1=[0, 0, 0], events_2=[0, 0, 0])
    assert none.pooled is None
    assert none.difference is None
    assert sum("No study had an event in either arm" in line for line in skipped) == 2


def test_an_arm_without_events_is_judged_by_exact_limits() -> None:
    found, _ = compared(events_1=[0, 0, 0], events_2=[3, 4, 1])
    assert np.isnan(found.pooled.conf_low)
    claim = own_finding(found)
    exact = found.rare.method("exact")
    assert claim.method == exact["label"]
    assert claim.p_value == exact["p_value"]
    contrast = claim.contrasts[0]
    assert (contrast.conf_low, contrast.conf_high) == (0.0, exact["conf_high"])
    assert any("No limits" in note for note in sensitivity_table(found).notes)


@pytest.mark.usefixtures("_no_models")
def test_one_study_and_none_to_compare() -> None:
    one, _ = compared(n_2=[50, 0, 0], events_2=[3, 0, 0])
    row = one.pooled.glance().iloc[0]
    assert row["estimate"] == pytest.approx(1 * 47 / (29 * 3))
    assert math.isnan(row["pi_low"])
    table = forest_table(one)
    assert table is not None
    assert any("with 1 informative study the spread of effects" in note for note in table.notes)
    alone = compare(read_table(frame().iloc[[0]]), Attempts())
    assert sensitivity_table(alone).notes[0].startswith(f"All estimates are {row['estimate']:.2f}")
    none, skipped = compared(n_2=[0, 0, 0], events_2=[0, 0, 0])
    assert none.pooled is None
    assert skipped == ["Comparison within studies: no study has both arms."]


@pytest.mark.parametrize(
    ("informative", "studies", "said"),
    [
        (1, 1, "The one study tells something of an odds ratio."),
        (0, 1, "The one study tells nothing of an odds ratio."),
        (0, 3, "None of 3 studies tell something of an odds ratio."),
        (1, 3, "1 of 3 studies tells something of an odds ratio."),
        (2, 3, "2 of 3 studies tell something of an odds ratio."),
    ],
)
def test_how_many_studies_tell_is_good_english(informative: int, studies: int, said: str) -> None:
    assert _telling(informative, studies) == said


@pytest.mark.slow
def test_a_whole_report_of_a_table(tmp_path: Any) -> None:
    own = frame(residual=[4, 9, 3], method=["EMR", "ESD", "EMR"])
    result = rn.reproduce("meta2026", data=own, output=tmp_path / "report")
    assert rule(result, "own") in ("too wide", "compatible")
    assert result.facts["own"]
    names = {"own_parts", "by_method", "own_information_size", "residual"}
    assert names <= set(result.tables)
    residual = result.tables["residual"]
    assert residual.iloc[-1][["events", "n"]].tolist() == [16, 90]
    assert (tmp_path / "report" / "report.html").exists()
    silent = rn.reproduce("meta2026", data=frame(events_1=[0, 0, 0], events_2=[0, 0, 0]))
    assert rule(silent, "own") == "bound only"


@pytest.mark.slow
def test_the_order_of_studies_is_irrelevant() -> None:
    first = [compare(read_table(frame()), Attempts())]
    for order in itertools.islice(itertools.permutations(range(3)), 1, 4):
        again = compare(read_table(frame().iloc[list(order)]), Attempts())
        assert again.pooled.estimate == pytest.approx(first[0].pooled.estimate, rel=1e-8)
        np.testing.assert_allclose(
            again.rare.to_frame()["estimate"], first[0].rare.to_frame()["estimate"], rtol=1e-5
        )


def test_series_of_the_print_are_not_taken_for_the_readers() -> None:
    """A table without residual tumours leaves the known series, which are not the reader's."""
    sentences = {}
    for name, data in (("without", frame()), ("with", frame(residual=[5, 8, 3]))):
        claims = rn.reproduce("meta2026", data=data).claims.set_index("claim")
        sentences[name] = str(claims.loc["residual", "sentence"])
    assert "Pooled from the series at hand (ours)" in sentences["without"]
    assert "76 of 202 in 3 series" in sentences["without"]
    assert "Pooled from the series of your table (ours)" in sentences["with"]
    assert "16 of 90 in 3 series" in sentences["with"]


def test_studies_in_which_everybody_recurred_are_not_left_by_themselves() -> None:
    """Without the one study that tells of an odds ratio there is none to pool: no such choice."""
    full = frame(events_1=[30, 40, 10], events_2=[50, 60, 60])
    table = sensitivity_table(compare(read_table(full), Attempts()))
    assert table is not None
    assert "studies" not in set(table.numbers["choice"])
    two = frame(events_1=[30, 30, 10], events_2=[50, 40, 60])
    table = sensitivity_table(compare(read_table(two), Attempts()))
    assert table is not None
    without = table.numbers[table.numbers["choice"] == "studies"]
    assert without["analysis"].tolist() == ["Without B", "Without C"]
    assert without["estimate"].notna().all()


def test_the_span_of_methods_counts_those_that_it_spans() -> None:
    """Crude sums compare nothing within studies: named beside the span, not counted in it."""
    found = compare(known_studies(), Attempts())
    assert found.rare is not None
    rows = found.rare.to_frame().set_index("method")
    others = rows.drop(index="crude")["estimate"]
    crude = (1 / 94) / (3 / 200)
    assert math.isclose(rows.loc["crude", "estimate"], crude)
    words = span_words(found.rare)
    assert words == (
        f"{others.min():.2f} to {others.max():.2f} by 9 methods (crude sums of the same studies: "
        f"{crude:.2f})"
    )
    assert words in str(own_finding(found).said)
    assert words in study().answer[2]


def test_one_study_is_no_studies() -> None:
    for rows, said in ((1, "a table in memory, 1 study"), (3, "a table in memory, 3 studies")):
        assert _given(registered("meta2026"), frame().iloc[:rows], None, {})[2] == said


def test_notes_name_columns_as_the_reader_sees_them() -> None:
    table = study().table("rare_methods")
    assert "Without events" in table.display().columns
    (note,) = (text for text in table.notes if "had no event in either arm" in text)
    assert 'the column "Without events" says' in note
    assert not any("double_zeros" in text for text in table.notes)


@pytest.mark.parametrize(
    ("salvaged", "observed", "name"),
    [
        (4, 12, "association only"),
        (12, 4, "association against"),
        (0, 9, "association only"),
        (8, 9, None),
    ],
)
def test_an_odds_ratio_of_salvage_is_never_confirmed_or_refuted(
    salvaged: int, observed: int, name: str | None
) -> None:
    many = 6
    found, _ = compared(
        study=[f"S{k}" for k in range(many)],
        events_1=[salvaged] * many,
        n_1=[100] * many,
        events_2=[observed] * many,
        n_2=[100] * many,
    )
    claim = own_finding(found)
    confounded = "Doctors chose whom to salvage" in claim.said
    if name is None:
        assert claim.fixed is None
        assert not confounded
        return
    assert claim.fixed is not None
    assert (claim.fixed.rule, confounded) == (name, True)
    assert "an effect" in claim.fixed.words
    assert ("E-value" in claim.fixed.because) is (name == "association only" and salvaged > 0)


def test_the_report_shows_the_rules_of_an_association() -> None:
    (table,) = (t for t in RULE_TABLES if t.rules is ASSOCIATION_RULES)
    assert {rule.name for rule in table.rules} == {"association only", "association against"}
    assert all("odds ratio of 1" in rule.when for rule in table.rules)


def test_the_figure_of_possible_sizes_says_which_group_is_which() -> None:
    (drawn,) = (figure for figure in figures(study()) if figure.name == "worlds")
    assert "Group 1: the salvaged" in drawn.caption
    assert "group 2: the observed" in drawn.caption
