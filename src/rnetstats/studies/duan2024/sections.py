"""The report's sections in order, their paragraphs, and the glossary."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from rnetstats.formatting import fmt_number, fmt_percent
from rnetstats.studies.duan2024.arithmetic import (
    PrintedNumbers,
    ceiling,
    event_splits,
    first_significant,
    needed_salvages,
    share_at_which,
)
from rnetstats.studies.study_result import StudyResult

__all__ = ["GLOSSARY", "OVERVIEW", "Section", "sections"]

OVERVIEW = ("claims",)


@dataclass(frozen=True)
class Section:
    """A section of the report: text, then figures, then tables."""

    id: str
    title: str
    paragraphs: tuple[str, ...]
    figures: tuple[str, ...] = ()
    exhibits: tuple[str, ...] = field(default=())


def sections(result: StudyResult) -> tuple[Section, ...]:
    """Return the sections; tables that a cohort could not fill are left out."""
    there = set(result.tables)
    made = (
        _printed(result),
        _methods(result),
        Section(
            "patients",
            "The patients",
            (
                "Characteristics by margin. The standardised mean difference (SMD) compares the "
                "groups on a scale that does not depend on their size: 0.1 is small, 0.2 and more "
                "deserves a look.",
            ),
            (),
            ("table_one", "follow_up"),
        ),
        _margin(result),
        Section(
            "outcome",
            "Outcome by margin",
            (
                "Two endpoints are both called disease-free survival. Time to recurrence asks "
                "about the tumour; recurrence or death asks about the patient, and with many more "
                "deaths than recurrences it mostly asks about death. The study’s definition is not "
                "printed, so both are shown.",
            ),
            ("km_recurrence", "km_dfs", "km_os"),
            ("outcomes_by_margin", "comparisons_by_margin"),
        ),
        _salvage(),
    )
    return tuple(
        Section(
            s.id,
            s.title,
            s.paragraphs,
            s.figures,
            tuple(name for name in s.exhibits if name in there),
        )
        for s in made
    )


def _printed(result: StudyResult) -> Section:
    printed = PrintedNumbers(**result.facts["printed"])
    top = ceiling(printed)
    least = first_significant(event_splits(printed))
    score = share_at_which(least - 1, printed.recurrences)
    fewest = needed_salvages(printed).set_index(["recurrences", "salvaged_events"])["salvages"]
    none, one = (int(fewest[(printed.recurrences, hits)]) for hits in (0, 1))
    return Section(
        "printed",
        "What the printed numbers alone allow",
        (
            f"The ceiling of salvage. Put all {printed.recurrences} recurrences among the "
            f"{printed.positive} positive margins, the split most favourable to treating them. Then "
            f"{printed.positive} − {printed.recurrences} = {top['free']:g} "
            f"({fmt_percent(top['free_share'])}) had no recurrence. Salvaging all {printed.positive} "
            f"could have prevented at most the {printed.recurrences} recurrences that were seen: "
            f"{printed.positive}/{printed.recurrences} = "
            f"{fmt_number(top['salvages_per_prevented'])} salvages per recurrence prevented, even "
            "if every salvage worked. Two things could move this figure: recurrences that salvage "
            "had already prevented are not counted, and a group at higher risk among the positives "
            "would need fewer salvages; fewer recurrences among positives would need more.",
            f"What it takes to show a benefit. With all {printed.recurrences} recurrences among the "
            f"positives and none after salvage, at least {none} of {printed.positive} patients must "
            f"have been salvaged before Fisher’s test calls the difference significant; with one "
            f"recurrence after salvage, at least {one}.",
            f"One patient decides. With {least} of {printed.recurrences} recurrences among the "
            f"positives “worse” is significant by Fisher’s test, with {least - 1} it is not. Under "
            f"the log-rank test {least - 1} suffices if the positives hold "
            f"{fmt_percent(score)} or less of all follow-up time ("
            f"{fmt_percent(printed.positive / printed.patients)} if all were followed equally), as "
            "they do if they were followed for a shorter time. The study prints neither the split "
            "nor the follow-up by margin.",
        ),
        ("event_splits", "share_of_follow_up"),
        ("event_splits", "needed_salvages", "printed_facts"),
    )


def _methods(result: StudyResult) -> Section:
    excluded = int(result.facts["excluded_method"])
    left_out = (
        f"The {excluded} patients whose resection method is “other” are left out of these models "
        "by recipe (a level this small has no stable odds ratio); they stay in everything else. "
        if excluded
        else "No patient has the resection method “other”, so none is left out for it. "
    )
    return Section(
        "methods",
        "Methods",
        (
            "Positive margin: logistic regression with Firth’s penalty (profile penalised-likelihood "
            "limits and tests), with maximum likelihood beside it. The verdicts rest on the model "
            "with the four printed predictors at their printed cut-offs. " + left_out + "Patients "
            "with a missing value in a model are left out of that model, and counted.",
            "Outcome: Kaplan-Meier curves with beta product limits, log-rank test (asymptotic and "
            "by permutation), and Cox regression with Firth’s penalty, Efron’s ties and profile "
            "limits, maximum likelihood beside it. Where a group has no event, the exact ratio of "
            "the two rates stands in for the hazard ratio. Nothing is adjusted: with so few "
            "recurrences a model carries about one covariate.",
            "Deaths without recurrence are censored for the time to recurrence (a cause-specific "
            "hazard). Median follow-up is the reverse Kaplan-Meier estimate. Intervals are 95 % "
            "intervals; P and interval come from the same method.",
        ),
    )


def _margin(result: StudyResult) -> Section:
    own = result.table("cutoffs").to_frame() if "cutoffs" in result.tables else pd.DataFrame()
    best = [
        f"{row.cutoff:g} ({row.variable.partition('_')[0].upper() if row.variable == 'nlr' else 'size, mm'})"
        for row in own.itertuples()
        if row.source != "printed"
    ]
    found = f" In this file the best cut-offs would be {' and '.join(best)}." if best else ""
    return Section(
        "margin",
        "What predicts a positive margin",
        (
            "The study names four independent predictors, two of them with a cut-off to two "
            "decimals. A cut-off is a finding only if it was fixed beforehand; how the printed ones "
            "were chosen is not in print." + found,
        ),
        ("effect_size_mm", "effect_nlr"),
        ("margin_models", "margin_risks", "margin_splines", "cutoffs"),
    )


def _salvage() -> Section:
    return Section(
        "salvage",
        "Salvage among positive margins: the naive analysis",
        (
            "This is the naive analysis, shown because it is what a simple comparison would do, "
            "and not judged. It groups patients from the day of resection by a salvage that came "
            "later: time before salvage is counted as salvaged, although nobody could have recurred "
            "in it and still be in the group. When salvage follows within months the bias is small; "
            "the larger ones are that patients were chosen for salvage by their risk, were watched "
            "more closely, and that residual tumour found at salvage may not count as recurrence.",
        ),
        ("km_salvage_naive",),
        ("salvage_naive", "salvage_comparisons", "salvage_kinds"),
    )


GLOSSARY = (
    (
        "Adjusted P value",
        "A P value made larger because several claims are tested at once, so that the chance of any false confirmation stays at 5 %.",
    ),
    (
        "Confidence interval (CI)",
        "The values that agree with the data. A wide interval means that the study could not tell; it is not a sign of no effect.",
    ),
    (
        "Disease-free survival (DFS)",
        "Time alive without recurrence. Used here for the first of recurrence or death; time to recurrence is shown apart.",
    ),
    (
        "Events per arm",
        "How many patients in each group had what is being counted. Events, not patients, decide what a study can show.",
    ),
    (
        "Firth’s penalty",
        "A correction of regression that keeps estimates finite and nearly unbiased when events are few.",
    ),
    (
        "Hazard ratio (HR), odds ratio (OR)",
        "How many times higher the rate (HR) or the odds (OR) of an event is in one group. 1 means no difference.",
    ),
    (
        "Immortal time",
        "Time in which, by the way groups were formed, the event could not have happened.",
    ),
    (
        "Log-rank, permutation and Fisher’s tests",
        "Tests for a difference in time to an event (the first two) or in proportions (the third).",
    ),
    (
        "Positive margin",
        "Tumour at the edge of what was removed. The study’s own definition is not printed.",
    ),
    (
        "Reverse Kaplan-Meier",
        "The usual way to estimate how long patients were followed: end of observation is the event, death ends it early.",
    ),
    (
        "Salvage",
        "Treatment after a resection with a positive margin: a second endoscopic resection or radical surgery.",
    ),
    (
        "Youden index",
        "Sensitivity plus specificity less 1, for a cut-off: 0 is useless, 1 is perfect.",
    ),
)
