"""The report's sections in order, their paragraphs, and the glossary."""

from __future__ import annotations

from rnetstats.formatting import fmt_number, fmt_percent
from rnetstats.studies.duan2024.arithmetic import (
    PrintedNumbers,
    at_most,
    ceiling,
    event_splits,
    first_significant,
    needed_salvages,
    share_at_which,
)
from rnetstats.studies.duan2024.prediction_section import prediction_section
from rnetstats.studies.duan2024.salvage_section import salvage_section
from rnetstats.studies.model_verdicts import MODEL_RULES
from rnetstats.studies.section import Paragraph, RuleTable, Section, filled, read_glossary
from rnetstats.studies.study_result import StudyResult
from rnetstats.studies.treatment_verdicts import TREATMENT_RULES
from rnetstats.studies.verdicts import RULES

__all__ = ["OVERVIEW", "RULE_TABLES", "glossary", "sections"]

OVERVIEW = ("claims",)
RULE_TABLES = (
    RuleTable("", "The table of rules", RULES),
    RuleTable(
        "The claim that the prediction model is highly accurate has no P value; it is judged by "
        "performance corrected for optimism, by a table of its own.",
        "The table of rules for the accuracy of the prediction model",
        MODEL_RULES,
    ),
    RuleTable(
        "Salvage was chosen by doctors, for reasons. Whether it has an effect is judged by a table "
        "in which no rule confirms.",
        "The table of rules for the effect of salvage",
        TREATMENT_RULES,
    ),
)


def sections(result: StudyResult) -> tuple[Section, ...]:
    """Return the sections; tables that a cohort could not fill are left out."""
    made = (
        _printed(result),
        _margin(result),
        prediction_section(result),
        _outcome(),
        salvage_section(result),
        _patients(),
        _methods(result),
        _facts(),
    )
    return filled(made, tuple(result.tables))


def glossary() -> tuple[tuple[str, str], ...]:
    """Return the words of the report with their meanings."""
    return read_glossary(__package__)


def _printed(result: StudyResult) -> Section:
    printed = PrintedNumbers(**result.facts["printed"])
    return Section(
        "printed",
        "What the printed numbers alone allow",
        (_ceiling(printed), _benefit(printed), _one_patient(printed)),
        ("event_splits", "share_of_follow_up"),
        ("event_splits", "needed_salvages"),
    )


def _ceiling(printed: PrintedNumbers) -> Paragraph:
    top = ceiling(printed)
    return Paragraph(
        lead="The ceiling of salvage.",
        text=f"Put all {printed.recurrences} recurrences among the {printed.positive} positive "
        f"margins, the split that favours treating them most. Then {printed.positive} − "
        f"{printed.recurrences} = {top['free']:g} ({fmt_percent(top['free_share'])}) had no "
        f"recurrence. Salvaging all {printed.positive}, with every salvage a success, could have "
        f"prevented the {printed.recurrences} recurrences that were seen and no more: "
        f"{printed.positive}/{printed.recurrences} = {fmt_number(top['salvages_per_prevented'])} "
        "salvages for each recurrence prevented. Fewer recurrences among the positives mean more "
        "salvages for each. Only two things could mean fewer salvages for each: recurrences that "
        "the salvages already done had prevented, which nobody can count here, and choosing for "
        "salvage those at higher risk.",
    )


def _benefit(printed: PrintedNumbers) -> Paragraph:
    fewest = needed_salvages(printed).set_index(["recurrences", "salvaged_events"])["salvages"]
    none, one = (int(fewest[(printed.recurrences, hits)]) for hits in (0, 1))
    return Paragraph(
        lead="What it takes to show a benefit.",
        text=f"With all {printed.recurrences} recurrences among the positives and none of them "
        f"after salvage, at least {none} of the {printed.positive} must have been salvaged before "
        "Fisher’s test calls the difference significant; with one recurrence after salvage, at "
        f"least {one}. The table below goes through the other possibilities.",
    )


def _one_patient(printed: PrintedNumbers) -> Paragraph:
    least = first_significant(event_splits(printed))
    share = at_most(share_at_which(least - 1, printed.recurrences))
    equal = fmt_percent(printed.positive / printed.patients)
    return Paragraph(
        lead="One patient decides.",
        text=f"With {least} of {printed.recurrences} recurrences among the positives, “worse” is "
        f"significant by Fisher’s test; with {least - 1} it is not. By the log-rank test "
        f"{least - 1} is enough if the positives hold {share} or less of all follow-up time at "
        f"risk. Followed as long as the others they would hold {equal}; they hold less if they "
        "were followed for a shorter time. The study prints neither the split nor the follow-up "
        "by margin.",
    )


def _margin(result: StudyResult) -> Section:
    names = {"nlr": "NLR", "size_mm": "size"}
    units = {"nlr": "", "size_mm": " mm"}
    cutoffs = result.table("cutoffs").to_frame()
    best = [
        f"{names[row['variable']]} > {row['cutoff']:g}{units[row['variable']]}"
        for row in cutoffs.to_dict("records")
        if row["source"] != "printed" and row["youden"] > 0.0
    ]
    which = "cut-offs" if len(best) > 1 else "cut-off"
    found = f" In this cohort the best {which} would be {' and '.join(best)}." if best else ""
    return Section(
        "margin",
        "What predicts a positive margin",
        (
            Paragraph(
                "The study names four independent predictors, two of them with a cut-off to two "
                "decimals. A cut-off counts as a finding only if it was fixed beforehand; how the "
                "printed ones were chosen is not in print." + found
            ),
        ),
        ("effect_size_mm", "effect_nlr"),
        ("margin_models", "margin_risks", "margin_splines", "cutoffs"),
    )


def _outcome() -> Section:
    return Section(
        "outcome",
        "Outcome by margin",
        (
            Paragraph(
                "Two endpoints are both called disease-free survival. Time to recurrence asks "
                "about the tumour. Recurrence or death asks about the patient and, where many "
                "more patients die than recur, mostly about death. The study’s definition is not "
                "printed, so both are shown. Beside the hazard of recurrence stands its cumulative "
                "incidence: how many patients recur, given that the dead no longer can."
            ),
        ),
        ("km_recurrence", "incidence_by_margin", "km_dfs", "km_os"),
        ("outcomes_by_margin", "comparisons_by_margin", "incidence_by_margin"),
    )


def _patients() -> Section:
    return Section(
        "patients",
        "The patients",
        (
            Paragraph(
                "The standardised mean difference (SMD) compares the groups on a scale that does "
                "not depend on their size: 0.1 is small, 0.2 and more deserves a look."
            ),
        ),
        (),
        ("table_one", "follow_up"),
    )


def _methods(result: StudyResult) -> Section:
    excluded = int(result.facts["excluded_method"])
    one = excluded == 1
    left_out = (
        f"The {'one patient' if one else f'{excluded} patients'} whose resection method is “other” "
        f"{'is' if one else 'are'} left out of these models by recipe (a level this small has no "
        f"stable odds ratio), and {'stays' if one else 'stay'} in everything else."
        if excluded
        else "No patient has the resection method “other”, so none is left out for it."
    )
    return Section(
        "methods",
        "Methods",
        (
            Paragraph(
                lead="Positive margin.",
                text="Logistic regression with Firth’s penalty (profile penalised-likelihood "
                "limits and tests), maximum likelihood beside it. The verdicts rest on the model "
                f"with the four printed predictors at their printed cut-offs. {left_out} Patients "
                "with a missing value in a model are left out of that model, and counted.",
            ),
            Paragraph(
                lead="Prediction model.",
                text="Logistic models by Firth’s penalty with the intercept re-estimated, so that "
                "the mean risk is right (FLIC); Firth’s penalty alone is no shrinkage for "
                "prediction. Optimism is estimated by the bootstrap: in each resample everything "
                "that is said to be repeated is done again, the index on the resample less that "
                "on the cohort is the optimism, and its mean is taken off. Limits are the "
                "percentiles of the resamples, shifted by it. Patients with a missing predictor "
                "are left out of every model alike; where there are any, imputed data stand "
                "beside the complete cases.",
            ),
            Paragraph(
                lead="Outcome.",
                text="Kaplan-Meier curves with beta product limits, log-rank test (asymptotic, by "
                "permutation, and allowing for unequal follow-up), and Cox regression with "
                "Firth’s penalty, Efron’s ties and profile limits, maximum likelihood beside it. "
                "Where a group has no event, the exact ratio of the two rates stands in for the "
                "hazard ratio; where it has fewer than five, the exact test of that ratio must "
                "agree before a claim is confirmed. Nothing is "
                "adjusted: with so few recurrences a model carries about one covariate. For the "
                "time to recurrence, deaths without recurrence are censored (a cause-specific "
                "hazard).",
            ),
            Paragraph(
                lead="Salvage.",
                text="Follow-up is split at the day of salvage, with person-time and events "
                "checked to be the same before and after. The verdict rests on the "
                "time-dependent hazard ratio (Firth’s penalty, profile limits), adjusted for what "
                "was recorded at the first resection. Landmarks at 3, 6 and 12 months and the "
                "comparison of two strategies by cloning, censoring and weighting answer other "
                "questions and stand beside it. With fewer than five events in an arm, or where "
                "more than 5 % of resamples leave an arm without events, there is neither an "
                "interval nor a P value. Biases are simulated under no effect of salvage.",
            ),
            Paragraph(
                lead="Throughout.",
                text="Median follow-up is the reverse Kaplan-Meier estimate. Intervals are 95 % "
                "intervals, and a P value comes from the same method as its interval.",
            ),
        ),
    )


def _facts() -> Section:
    return Section(
        "facts",
        "What the study prints",
        (
            Paragraph(
                "The published figures that this report may rely on. Everything else in it is "
                "computed here."
            ),
        ),
        (),
        ("printed_facts",),
    )
