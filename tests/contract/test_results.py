"""Every result class keeps one contract."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb, to_rgba

import rnetstats as rn
from reproduced import reproduced
from rnetstats._core.json import decode, encode
from rnetstats._core.result import SCHEMA_VERSION, Result
from rnetstats._core.schema import COEFFICIENT_COLUMNS
from rnetstats.errors import RnetError
from rnetstats.plots.style import MARK
from rnetstats.simulation.operating import operating_characteristics
from rnetstats.simulation.treatment_operating import Cohorts, treatment_characteristics
from rnetstats.studies.overview import assemble, questions
from support import data_path

PACKAGE = Path(rn.__file__).parent
ATTRIBUTES = re.MULTILINE | re.DOTALL


def cohort() -> pd.DataFrame:
    return rn.read_cohort(data_path("rnet_like_a.csv"), codebook="duan2024")


MARGIN = "margin_positive ~ rcs(size_mm, 3) + location + lvi"
TIME = "Surv(dfs_months, recurrence)"


def scheduled_curve(d: pd.DataFrame) -> Any:
    made = rn.intervals_from_schedule(d, f"{TIME} ~ margin_positive", visits=6)
    formula = "Interval(left, right) ~ margin_positive"
    return rn.turnbull(made, formula, resamples=20, seed=1)


def rare_trials() -> Any:
    names = {"events_1": "ai", "n_1": "n1i", "events_2": "ci", "n_2": "n2i"}
    studies = pd.read_csv(data_path("meta_double_zero.csv"))
    return rn.meta_analysis(studies, measure="RR", columns=names)


def trials() -> Any:
    names = {"study": "trial", "events_1": "tpos", "events_2": "cpos"}
    studies = pd.read_csv(data_path("dat_bcg.csv"))
    sizes = {"n_1": studies["tpos"] + studies["tneg"], "n_2": studies["cpos"] + studies["cneg"]}
    return rn.meta_analysis(studies.assign(**sizes), measure="OR", columns=names)


def across() -> Any:
    """The page across the documents, each with the audit of one small sheet: those take seconds."""
    figure = {
        "label": "Patients",
        "value": "12",
        "unit": "",
        "standing": "printed",
        "where": "here",
    }
    sheet = {"schema": 1, "study": {"name": "a", "title": "A"}, "facts": {"n": figure}}
    names = {says.study for question in questions() for says in question.says}
    return assemble({"duan2024": reproduced("rnet_like_b")}, dict.fromkeys(names, rn.audit(sheet)))


# What these show is drawn by its nature.
ALWAYS_DRAWN = {
    "DrawnCohort",
    "OperatingCharacteristics",
    "ScheduleSimulationResult",
    "TreatmentCharacteristics",
    "Truth",
}
# These rest on no cohort; those show other results, which carry the mark.
NEVER_DRAWN = {
    "EventSplitsResult",
    "MatchingCountsResult",
    "MatchingTablesResult",
    "SampleSizeResult",
    "SupportedParametersResult",
    "TablesResult",
    "ThresholdResult",
}
SHOW_OTHERS = {"FollowUpResult", "TreatmentEffectResult"}

EXAMPLES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "LogisticResult": lambda d: rn.logistic(d, MARGIN),
    "CoxResult": lambda d: rn.cox(d, f"{TIME} ~ margin_positive + size_mm"),
    "FineGrayResult": lambda d: rn.fine_gray(
        d, "Surv(dfs_months, event_type) ~ margin_positive + size_mm", cause=1
    ),
    "ExactLogisticResult": lambda d: rn.exact_logistic(d, "recurrence ~ margin_positive + lvi"),
    "EffectResult": lambda d: rn.logistic(d, MARGIN).effect("size_mm"),
    "RisksResult": lambda d: rn.logistic(d, MARGIN).risks("location"),
    "UnivariableResult": lambda d: rn.univariable(d, MARGIN),
    "ProportionalHazardsResult": lambda d: rn.cox(
        d, "Surv(dfs_months, dfs_event) ~ age + size_mm"
    ).proportional_hazards(),
    "SeparationResult": lambda d: rn.separation(d, "margin_positive ~ size_mm + lvi"),
    "CalibrationResult": lambda d: rn.calibration(
        d, "margin_positive ~ 1", models={"A": rn.logistic(d, MARGIN)}
    ),
    "KaplanMeierResult": lambda d: rn.kaplan_meier(d, f"{TIME} ~ margin_positive"),
    "CumulativeIncidenceResult": lambda d: rn.cumulative_incidence(
        d, "Surv(dfs_months, event_type) ~ margin_positive"
    ),
    "GrayTestResult": lambda d: rn.gray_test(d, "Surv(dfs_months, event_type) ~ margin_positive"),
    "LogrankResult": lambda d: rn.logrank(d, f"{TIME} ~ margin_positive"),
    "MilestoneResult": lambda d: rn.milestone(d, f"{TIME} ~ margin_positive", times=[12, 36]),
    "ParametricResult": lambda d: rn.parametric(
        d, "Surv(dfs_months, dfs_event) ~ margin_positive + age"
    ),
    "TimeVaryingResult": lambda d: rn.time_varying_effect(
        d, "Surv(dfs_months, dfs_event) ~ margin_positive + age", term="age", cuts=[36]
    ),
    "RmstResult": lambda d: rn.rmst(d, f"{TIME} ~ margin_positive", tau=60),
    "RmstWindow": lambda d: rn.rmst(
        d, "Surv(dfs_months, dfs_event) ~ margin_positive", tau=60
    ).window([12, 24, 48]),
    "TurnbullResult": scheduled_curve,
    "IntervalTestResult": lambda d: scheduled_curve(d).test(resamples=99, seed=1),
    "SufficientFollowUpResult": lambda d: rn.sufficient_follow_up(d, f"{TIME} ~ margin_positive"),
    "IntervalRegressionResult": lambda d: rn.interval_regression(
        d.assign(left=d["dfs_months"], right=d["dfs_months"].where(d["dfs_event"] == 1)),
        "Interval(left, right) ~ margin_positive + size_mm",
    ),
    "ScheduleSimulationResult": lambda d: rn.schedule_sensitivity(
        visits={"A": 6, "B": 12}, n=100, replicates=4, seed=1
    ),
    "ScheduleRegridResult": lambda d: rn.schedule_sensitivity(
        d, f"{TIME} ~ margin_positive", visits={0: 12, 1: 6}
    ),
    "FollowUpResult": lambda d: rn.follow_up(d, f"{TIME} ~ margin_positive"),
    "TableOneResult": lambda d: rn.table_one(d, by="margin_positive"),
    "ExactTableResult": lambda d: rn.exact_table([[8, 173], [4, 342]]),
    "ExactContingencyResult": lambda d: rn.exact_table([[3, 2], [1, 5], [4, 4]]),
    "ExactProportionResult": lambda d: rn.exact_proportion(12, 527),
    "ExactRateResult": lambda d: rn.exact_rate(12, 2538.8),
    "ExactRateRatioResult": lambda d: rn.exact_rate_ratio(9, 840.2, 3, 1698.6),
    "DecisionCurveResult": lambda d: rn.decision_curve(
        d, "margin_positive ~ 1", models={"A": rn.logistic(d, MARGIN)}, resamples=50, seed=1
    ),
    "Imputations": lambda d: rn.impute(d.assign(nlr=d["nlr"].mask(d["age"] > 70)), imputations=2),
    "SwimmerResult": lambda d: rn.swimmer(d, "Surv(dfs_months, event_type) ~ margin_positive"),
    "MissingPatterns": lambda d: rn.missing_patterns(d, by="margin_positive"),
    "CompleteAndImputed": lambda d: rn.complete_and_imputed(
        d, "margin_positive ~ lvi + location", [d, d]
    ),
    "DiscriminationResult": lambda d: rn.discrimination(
        d, "margin_positive ~ size_mm + nlr", scale="score", models={"fit": rn.logistic(d, MARGIN)}
    ),
    "PooledResult": lambda d: rn.pool([rn.logistic(d, "margin_positive ~ lvi")] * 2),
    "PooledUnivariable": lambda d: rn.pool([rn.univariable(d, "margin_positive ~ lvi")] * 2),
    "BootstrapResult": lambda d: rn.bootstrap(
        d, lambda rows: rows["nlr"].mean(), resamples=30, seed=1
    ),
    "PooledEstimates": lambda d: rn.pool_estimates([1.0, 2.0, 1.5], [0.2, 0.3, 0.25]),
    "RiskModel": lambda d: rn.risk_model(rn.logistic(d, MARGIN), resamples=20, seed=1),
    "ShrinkageResult": lambda d: rn.shrink(
        rn.logistic(d, MARGIN), method="bootstrap", resamples=20, seed=1
    ),
    "NomogramResult": lambda d: rn.risk_model(rn.logistic(d, MARGIN)).nomogram(),
    "ValidationResult": lambda d: rn.validate(rn.logistic(d, MARGIN), resamples=20, seed=1),
    "StabilityResult": lambda d: rn.stability(rn.logistic(d, MARGIN), resamples=20, seed=1),
    "CutpointResult": lambda d: rn.cutpoint(d, "margin_positive ~ nlr", method="maxstat"),
    "CutpointDistribution": lambda d: rn.cutpoint(
        d, "margin_positive ~ size_mm", permutations=99, seed=1
    ).resampling(resamples=60, fraction=0.5, seed=2),
    "CutResolution": lambda d: rn.cut_resolution(d["size_mm"], "14.89"),
    "DichotomisingResult": lambda d: rn.dichotomising_cost(
        d, "margin_positive ~ nlr + location", cuts={"nlr": 4.44}, thresholds=[0.3]
    ),
    "SampleSizeResult": lambda d: rn.sample_size(
        outcome="binary", parameters=8, prevalence=0.1, r2_cs=0.1
    ),
    "SupportedParametersResult": lambda d: rn.supported_parameters(527, 181, r2_nagelkerke=0.15),
    "TripodResult": lambda d: rn.tripod_checklist(rn.risk_model(rn.logistic(d, MARGIN))),
    "DetectableEffectResult": lambda d: rn.detectable_effect(d, f"{TIME} ~ margin_positive"),
    "FewEventsResult": lambda d: rn.few_events(
        d, f"{TIME} ~ margin_positive", resamples=99, seed=1
    ),
    "FragilityResult": lambda _: rn.fragility(8, 181, 4, 346),
    "NoEventsResult": lambda d: rn.no_events(d, f"{TIME} ~ margin_positive", times=[12, 60]),
    "EValueResult": lambda d: rn.e_value(3.9, 1.8, 8.7, measure="rr"),
    "MarginResult": lambda d: rn.equivalence(
        d, f"{TIME} ~ margin_positive", margin=0.1, horizon=60
    ),
    "ImmortalTimeResult": lambda d: rn.immortal_time(
        d, TIME, delays=(2, 12), cohorts=4, patients=2000, seed=1
    ),
    "ImmortalBiases": lambda d: rn.immortal_time(
        d, TIME, delays=[2], cohorts=4, patients=2000, seed=1
    ).biases(cohorts=4, patients=2000),
    "TippingPointResult": lambda d: rn.tipping_point(
        rn.cox(d, f"{TIME} ~ margin_positive + size_mm + lvi"), term="margin_positive"
    ),
    "BiasAnalysisResult": lambda d: rn.bias_analysis(
        d,
        "dfs_event ~ margin_positive",
        misclassified="exposure",
        specificity=(0.8, 1.0),
        draws=500,
        seed=1,
    ),
    "DrawnCohort": lambda d: rn.draw_cohort("duan2024", seed=1),
    "Truth": lambda d: rn.draw_cohort("duan2024", seed=1).truth,
    "OperatingCharacteristics": lambda d: operating_characteristics(
        "duan2024", replicates=4, seed=1
    ),
    "TreatmentCharacteristics": lambda d: treatment_characteristics(
        truth="effect", patients=181, recurrences=20, cohorts=Cohorts(2, 1, 20), seed=1
    ),
    "TreatmentEffectResult": lambda d: rn.treatment_effect(
        d[d["margin_positive"] == 1],
        "Surv(dfs_months, dfs_event) ~ age",
        treatment_time="salvage_months",
        resamples=100,
        seed=1,
    ),
    "PropensityResult": lambda d: rn.propensity(d, 'method == "ESD" ~ age + size_mm + location'),
    "BalanceResult": lambda d: rn.propensity(d, 'method == "ESD" ~ age + location').balance(),
    "WeightedEffectResult": lambda d: rn.propensity(d, 'method == "ESD" ~ age + size_mm').cox(
        "Surv(dfs_months, dfs_event)", resamples=50, seed=1
    ),
    "AdjustedSurvivalResult": lambda d: rn.adjusted_survival(
        d, f"{TIME} ~ margin_positive + age", times=60, resamples=50, seed=1
    ),
    "RightTruncatedResult": lambda d: rn.right_truncated(
        d[d["dfs_event"] == 1].assign(window=120.0),
        "dfs_months ~ margin_positive",
        truncation="window",
    ),
    "InformationSizeResult": lambda _: rn.information_size(
        measure="OR", effect=0.5, control_risk=[0.03, 0.1], diversity=[0, 0.3], patients=900
    ),
    "ReconstructedSurvival": lambda d: rn.reconstruct_survival(
        rn.kaplan_meier(d, f"{TIME} ~ margin_positive").to_frame(),
        pd.DataFrame({"group": ["0", "1"], "time": 0.0, "n_risk": [346, 181]}),
    ),
    "ClassificationResult": lambda d: rn.classify(d, guideline="enets2023"),
    "DisagreementResult": lambda d: rn.guideline_disagreement(d, situation="1-2 cm"),
    "MetaAnalysisResult": lambda _: trials(),
    "SubgroupsResult": lambda _: trials().subgroups("alloc"),
    "RareEventsResult": lambda _: rare_trials().rare_events(),
    "MetaProportionsResult": lambda _: rn.meta_proportions(
        pd.read_csv(data_path("dat_pritz1997.csv")), columns={"events": "xi", "n": "ni"}
    ),
    "MetaRegressionResult": lambda _: trials().meta_regression("ablat + alloc"),
    "LeaveOneOutResult": lambda _: trials().leave_one_out(),
    "CumulativeResult": lambda _: trials().cumulative("year"),
    "InfluenceResult": lambda _: trials().influence(),
    "ThresholdResult": lambda _: rn.treatment_threshold(
        fatal=(0.2, 0.6),
        fatal_within=10,
        efficacy=0.9,
        operative_mortality=(0.01, 0.05),
        utility_loss=(0.02, 0.1),
        life_expectancy=(8, 12),
    ),
    "SmallStudyResult": lambda _: trials().small_study_tests(),
    "TrimAndFillResult": lambda _: trials().trim_and_fill(side="left"),
    "AuditResult": lambda _: rn.audit("duan2024"),
    "EventSplitsResult": lambda _: rn.event_splits(12, 181, 346, deaths=True),
    "MatchingCountsResult": lambda _: rn.matching_counts("71.4", at_most=40),
    "MatchingTablesResult": lambda _: rn.matching_tables(
        "0.96", "2.96", p="0.003", at_most=2000, tests="pearson"
    ),
    "TablesResult": lambda _: rn.tables_from_odds_ratio("0.04", p="0.001", n=142, events=44),
    "Exhibit": lambda d: reproduced("rnet_like_b").exhibits[0],
    "OverviewResult": lambda _: across(),
    "StudyResult": lambda d: reproduced("rnet_like_b"),
}


def all_kinds() -> set[str]:
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if parts[-1] not in {"__main__", "__init__"}:
            importlib.import_module(".".join(parts))
    return {
        name
        for name, kind in Result._kinds.items()
        if kind.__module__.startswith("rnetstats.") and not kind.__abstractmethods__
    }


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    data = cohort()
    before = data.copy(deep=True)
    made = {name: make(data) for name, make in EXAMPLES.items()}
    pd.testing.assert_frame_equal(data, before)
    return made


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    yield
    plt.close("all")


def test_every_result_class_has_an_example() -> None:
    bases = {"RegressionResult"}
    assert all_kinds() - bases == set(EXAMPLES)


def described(kind: type) -> set[str]:
    """The names under Attributes, of the class and of those it stands on."""
    found: set[str] = set()
    for one in kind.__mro__:
        text = inspect.cleandoc(one.__dict__.get("__doc__") or "")
        part = re.search(r"^Attributes\n-+\n(.*?)(?=^\w+\n-{3,}$|\Z)", text, ATTRIBUTES)
        heads = re.findall(r"^\S.*$", part[1], re.MULTILINE) if part else []
        found |= {name.strip() for head in heads for name in head.split(" : ")[0].split(",")}
    return found


@pytest.mark.parametrize("name", EXAMPLES)
def test_result_describes_its_fields_and_no_others(name: str, results: dict[str, Result]) -> None:
    kind = type(results[name])
    assert described(kind) == {item.name for item in dataclasses.fields(kind)}


# What they are asked for they have, or pass on
NEVER_REFUSE = {"analysis", "from_dict", "label", "labelled"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_methods_with_options_say_what_they_refuse(name: str, results: dict[str, Result]) -> None:
    for method, function in inspect.getmembers(type(results[name]), inspect.isfunction):
        private = method.startswith(("_", "plot", "display")) or method in NEVER_REFUSE
        if private or not function.__module__.startswith("rnetstats."):
            continue
        if set(inspect.signature(function).parameters) - {"self"}:
            assert "Raises\n------" in (inspect.getdoc(function) or ""), method


@pytest.mark.parametrize("name", EXAMPLES)
def test_result_is_frozen_tidy_and_printable(name: str, results: dict[str, Result]) -> None:
    result = results[name]
    assert type(result).__name__ == name
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.notes = ()  # type: ignore[misc]
    frame = result.to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) > 0
    name_of_first = frame.columns[0]
    del frame[name_of_first]
    assert name_of_first in result.to_frame().columns, "to_frame() must give a copy"
    assert len(result.glance()) == 1
    shown = result.display()
    assert len(shown) > 0
    assert all(isinstance(cell, str) for cell in shown.to_numpy().ravel())
    assert "nan" not in " ".join(shown.to_numpy().ravel()).split()
    assert all(isinstance(note, str) and note for note in result.notes)
    assert name in repr(result)
    assert "<table" in result._repr_html_()


@pytest.mark.parametrize("name", EXAMPLES)
def test_result_plots_on_given_or_new_axes_and_marks_what_was_drawn(
    name: str, results: dict[str, Result]
) -> None:
    drawn = dataclasses.replace(results[name], synthetic=True).plot()
    assert isinstance(drawn, Axes)
    assert drawn.has_data()
    _, ax = plt.subplots()
    assert dataclasses.replace(results[name], synthetic=False).plot(ax=ax) is ax
    if name not in SHOW_OTHERS:
        assert marks(drawn) == (name not in NEVER_DRAWN)
        assert marks(ax) == (name in ALWAYS_DRAWN)


def marks(axes: Axes) -> int:
    """The most marks of synthetic data on any axes of a figure."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return max([text.get_gid() for text in ax.texts].count(MARK) for ax in figure.axes)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_dark_style_hides_nothing(name: str, results: dict[str, Result]) -> None:
    with plt.style.context("dark_background"):
        drawn = results[name].plot()
        figure = np.ravel(np.asarray(drawn, dtype=object))[0].figure
        figure.canvas.draw()
    for ax in figure.axes:
        assert sum(to_rgb(ax.get_facecolor())) == 3, "white"
        labels = [*ax.get_xticklabels(which="both"), *ax.get_yticklabels(which="both")]
        legend = ax.get_legend()
        labels += legend.get_texts() if legend else []
        for label in [ax.xaxis.label, ax.yaxis.label, ax.title, *labels]:
            assert sum(to_rgb(label.get_color())) < 2, label.get_text()
    plt.close(figure)


def test_axes_of_the_caller_keep_their_style(results: dict[str, Result]) -> None:
    with plt.style.context("dark_background"):
        figure, ax = plt.subplots()
        results["KaplanMeierResult"].plot(ax=ax)
        assert to_rgb(ax.get_facecolor()) == (0, 0, 0)
    plt.close(figure)


@pytest.mark.parametrize(("ink", "transparent"), [("black", True), ("white", False)])
def test_axes_seen_through_are_judged_by_what_is_written(
    ink: str, transparent: bool, results: dict[str, Result]
) -> None:
    with plt.rc_context({"axes.facecolor": "none", "text.color": ink}):
        ax = results["KaplanMeierResult"].plot()
    assert (to_rgba(ax.get_facecolor())[3] == 0.0) == transparent
    plt.close(ax.figure)


@pytest.mark.parametrize("source", ["drawn", "observed"])
def test_curves_of_other_results_are_marked_too(source: str) -> None:
    cohort = rn.load_cohort("duan2024")
    if source == "observed":
        cohort.attrs = {}
    positive = cohort[cohort["margin_positive"] == 1]
    time = "Surv(dfs_months, dfs_event) ~ 1"
    figures = [
        rn.follow_up(positive, time).plot(),
        rn.treatment_effect(
            positive, time, treatment_time="salvage_months", methods="naive", resamples=0
        ).plot(),
    ]
    assert [marks(axes) for axes in figures] == [source == "drawn"] * 2


@pytest.mark.parametrize("name", EXAMPLES)
def test_result_survives_strict_json_without_patient_rows(
    name: str, results: dict[str, Result]
) -> None:
    result = results[name]
    text = json.dumps(result.to_dict(), allow_nan=False)
    stored = json.loads(text)
    assert stored["type"] == name
    assert stored["schema_version"] == SCHEMA_VERSION
    assert stored["package_version"] == rn.__version__
    assert "A0001" not in text, "a patient's identifier was written"
    kept = {f.name for f in dataclasses.fields(result) if f.metadata.get("rows")}
    assert not kept & set(stored["fields"])
    again = type(result).from_dict(stored)
    assert again.notes == result.notes
    assert again.seed == result.seed
    if name not in {"DrawnCohort", "StudyResult"}:
        pd.testing.assert_frame_equal(again.to_frame(), result.to_frame(), check_dtype=False)
        pd.testing.assert_frame_equal(again.display(), result.display())
    with pytest.raises(RnetError, match="newer"):
        type(result).from_dict({**stored, "schema_version": SCHEMA_VERSION + 1})


@pytest.mark.parametrize("name", ["LogisticResult", "CoxResult", "UnivariableResult"])
def test_coefficients_have_the_one_schema(name: str, results: dict[str, Result]) -> None:
    assert tuple(results[name].to_frame().columns) == COEFFICIENT_COLUMNS


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, 2.5, None, "x", True, float("inf"), float("-inf")]},
        {"array": np.array([[1.0, np.nan], [np.inf, 2.0]])},
        {"texts": np.array(["a", "b"], dtype=object)},
        {
            "frame": pd.DataFrame(
                {
                    "x": [1.5, np.nan],
                    "n": [1, 2],
                    "t": ["a", None],
                    "g": pd.Categorical(["u", "v"], categories=["v", "u"]),
                }
            )
        },
    ],
)
def test_json_round_trip(value: dict[str, Any]) -> None:
    again = decode(json.loads(json.dumps(encode(value), allow_nan=False)))
    (key,) = value
    old, new = value[key], again[key]
    if isinstance(old, pd.DataFrame):
        pd.testing.assert_frame_equal(old, new)
    elif isinstance(old, np.ndarray):
        np.testing.assert_array_equal(old, new)
    else:
        assert tuple(old) == new


def test_json_refuses_what_it_cannot_hold() -> None:
    with pytest.raises(RnetError, match="set cannot be written"):
        encode({"x": {1, 2}})
    with pytest.raises(RnetError, match="text keys"):
        encode({1: "a"})
