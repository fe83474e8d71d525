"""Operating characteristics of the methods for a treatment: summaries, requirements, the page."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from rnetstats.errors import OptionError
from rnetstats.simulation import treatment_operating as operating
from rnetstats.simulation.treatment_answers import Question
from rnetstats.simulation.treatment_operating import (
    Cohorts,
    TreatmentCharacteristics,
    treatment_characteristics,
)
from rnetstats.simulation.treatment_page import parts_of, shown, treatment_part
from rnetstats.simulation.treatment_summary import COLUMNS, broken, summary
from rnetstats.simulation.treatment_words import HEADING

LOG = Question("a method", "hazard ratio", "profile", np.log(0.5))


def answers(inside, outside, none=0, target=LOG.target):
    """Limits that hold the target, miss it from below, or are not given."""
    row = [(target, target - 0.4, target + 0.4)] * inside
    row += [(target - 1.0, target - 1.4, target - 0.6)] * outside
    return np.array(row + [(target, np.nan, np.nan)] * none)


def test_summary_by_hand():
    found = summary(LOG, answers(6, 2, 2))
    assert set(found) | {"family"} == set(COLUMNS)
    assert (found["coverage"], found["coverage_given"], found["no_interval"]) == (0.6, 0.75, 0.2)
    assert found["coverage_given_mcse"] == pytest.approx(np.sqrt(0.75 * 0.25 / 8))
    assert found["median_width"] == pytest.approx(0.8)
    assert found["median_estimate"] == pytest.approx(LOG.target)
    assert found["interval_below"] == 0.2 and found["interval_above"] == 0.0
    # log(0.5) + 0.4 is below 0: every interval given speaks for the treatment
    assert (found["rejected"], found["favours"]) == (0.8, 0.8)


def test_a_benefit_is_a_longer_mean_time_and_a_lower_risk():
    gain = np.array([(2.0, 1.0, 3.0)])
    time = Question("m", "RMST difference at 60", "bootstrap", 2.0, ratio=False)
    risk = time._replace(estimand="risk difference at 60")
    assert summary(time, gain)["favours"] == 1.0
    assert summary(risk, gain)["favours"] == 0.0
    assert summary(risk, -gain)["favours"] == 1.0
    untested = summary(risk._replace(tested=False), gain)
    assert np.isnan(untested["favours"]) and np.isnan(untested["rejected"])


def test_nothing_given_leaves_no_number_but_counts_as_not_covered():
    found = summary(LOG, np.full((4, 3), np.nan))
    assert found["coverage"] == 0.0 and found["no_estimate"] == 1.0
    assert np.isnan(found["coverage_given"]) and np.isnan(found["median_width"])


@pytest.mark.parametrize(
    ("role", "inside", "expected"),
    [
        ("nominal", 950, False),
        ("nominal", 925, True),
        ("nominal", 975, True),
        ("at least", 975, False),
        ("at least", 925, True),
        ("naive", 100, False),
    ],
)
def test_what_is_required_depends_on_the_role(role, inside, expected):
    table = pd.DataFrame([summary(LOG._replace(role=role), answers(inside, 1000 - inside))])
    assert bool(len(broken(table))) is expected


def question(method, role="nominal", **more):
    return LOG._replace(method=method, role=role, **more)


def result(size, truth, inside=950):
    target = 0.0 if truth == "null" else LOG.target
    none = 0 if size == "many" else 600
    rows = [
        ("treatment during follow-up", question("naive", "naive", target=target), 100),
        ("treatment during follow-up", question("time-dependent Cox", target=target), inside),
        (
            "treatment during follow-up, resampled",
            question(
                "clone-censor-weight",
                estimand="risk difference at 60",
                ratio=False,
                target=target,
            ),
            inside,
        ),
    ]
    table = pd.DataFrame(
        [
            {"family": family, **summary(q, answers(n, 1000 - n, none, q.target))}
            for family, q, n in rows
        ],
        columns=list(COLUMNS),
    )
    return TreatmentCharacteristics(
        truth=truth,
        patients=800 if size == "many" else 181,
        recurrences=220 if size == "many" else 12,
        resamples=200,
        table=table,
        options={"cohorts": [1000, 200, 200]},
    )


def all_results(**options):
    return {(s, t): result(s, t, **options) for s in ("many", "few") for t in ("effect", "null")}


def test_requirements_bind_many_events_alone():
    assert result("many", "null").check().empty
    missed = result("many", "null", inside=900).check()
    assert missed["method"].tolist() == ["time-dependent Cox", "clone-censor-weight"]
    assert result("few", "null", inside=100).check().empty


def test_the_page_says_what_the_numbers_say():
    text = treatment_part(all_results(), 1)
    assert text.startswith(HEADING)
    assert "**Every requirement of this part is met.**" in text
    # nine hundred of a thousand naive intervals lie below no effect
    assert "speaks for the treatment in 90.0 (0.9) % of cohorts" in text
    assert "time-dependent Cox: 5.0 (0.7) %" in text
    assert "time-dependent Cox (profile) 37.5 %" not in text  # 600 of 1,600 is not half of them
    assert "| 800 patients" not in text and "800 patients" in text
    assert "2 to 9 months" in text and "13 to 23 months" in text
    assert "nan" not in text
    missed = treatment_part(all_results(inside=900), 1)
    assert "**Not met:**" in missed and "covers in 90.0 (0.9) %" in missed


def test_ratios_are_shown_as_ratios_and_their_widths_as_factors():
    row = shown(result("many", "effect").table).iloc[1]
    assert row["true value"] == "0.500" and row["median width"] == "×2.2"
    assert row["covers"] == "95.0 (0.7)"


def test_a_page_is_parted_where_treatments_begin():
    page = f"# A\n\nfirst\n\n{HEADING}\n\nsecond\n"
    before, after = parts_of(page)
    assert before == "# A\n\nfirst\n" and after == f"{HEADING}\n\nsecond\n"
    assert parts_of("# A\n") == ("# A\n", "")


def test_a_family_that_misses_is_run_twice_as_long(monkeypatch):
    sizes = []

    def analyse(scene, arrays, seed, resamples):
        sizes.append(seed)
        yield LOG, (LOG.target, LOG.target + 1.0, LOG.target + 2.0)  # never covers

    family = operating.Family(analyse, during=False, resampled=False)
    monkeypatch.setattr(operating, "FAMILIES", {"a family": family})
    wanted = {"truth": "effect", "patients": 40, "cohorts": Cohorts(6, 0, 0), "seed": 1}
    found = treatment_characteristics(recurrences=10, **wanted)
    assert found.table["cohorts"].tolist() == [6] and len(sizes) == 6
    wanted["patients"] = 600
    found = treatment_characteristics(recurrences=200, **wanted)
    assert found.table["cohorts"].tolist() == [12] and len(found.check()) == 1
    assert sizes[6:12] == sizes[12:18]  # the longer run begins with the shorter one


@pytest.mark.slow
def test_a_run_is_reproducible_and_goes_through_json():
    size = {"truth": "null", "patients": 181, "recurrences": 12, "seed": 3}
    one = treatment_characteristics(cohorts=Cohorts(1, 1, 20), **size)
    two = treatment_characteristics(cohorts=Cohorts(1, 1, 20), **size)
    pd.testing.assert_frame_equal(one.table, two.table)
    back = TreatmentCharacteristics.from_dict(one.to_dict())
    pd.testing.assert_frame_equal(back.table, one.table)
    assert one.glance()["recurrences"].tolist() == [12]
    methods = set(one.table["method"])
    assert {"naive", "time-dependent Cox", "clone-censor-weight", "Fine-Gray"} <= methods
    assert {"Cox, log-F", "g-formula (Cox)", "RMST", "Aalen-Johansen"} <= methods
    assert dataclasses.is_dataclass(one) and one.seed == 3


def test_refusals():
    size = {"patients": 181, "recurrences": 12, "cohorts": Cohorts(2, 1, 20)}
    with pytest.raises(OptionError, match="truth"):
        treatment_characteristics(truth="none", **size)
    with pytest.raises(OptionError, match="jobs"):
        treatment_characteristics(truth="null", jobs=0, **size)
