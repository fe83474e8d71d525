"""Disease-free survival after hepatectomy by observation rules, and why it cannot be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p, listed
from rnetstats.regression.cox import cox
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.evidence_verdicts import evidence_verdict
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.finding import Finding
from rnetstats.studies.nelm2024.cohort import Cohort
from rnetstats.studies.records import records
from rnetstats.survival.kaplan_meier import kaplan_meier

__all__ = ["Rules", "alias_table", "rules_finding", "rules_of"]

COUNTRY = "Japan"
FORMULA = "Surv(relapse_months, relapse) ~ rules_followed"


@dataclass(frozen=True)
class Rules:
    """Comparisons by observation rules: within one country, and over both."""

    counts: pd.DataFrame | None
    curve: Any
    within: dict[str, Any] | None
    overall: dict[str, Any] | None
    events: str
    why_not: str = ""

    def results(self) -> dict[str, Result]:
        """Return the curve by name."""
        return {} if self.curve is None else {"after_hepatectomy": self.curve}


def rules_of(cohort: Cohort, attempts: Attempts) -> Rules:
    """Compare patients after hepatectomy by whether the observation rules were followed."""
    frame, needed = cohort.everyone, ("rules_followed", "relapse_months", "relapse")
    why_not = ""
    if not (frame["liver_resected"] == 1).any():
        why_not = "Nobody had the liver metastases resected, so that there is no relapse after it."
    elif missing := [name for name in needed if not cohort.has(name)]:
        why_not = (
            "The file does not hold who followed the rules and when patients relapsed: nothing is "
            f"known of {listed(missing)}."
        )
    if why_not:
        attempts.skip("Disease-free survival by observation rules", why_not)
        return Rules(None, None, None, None, "none", why_not)
    counts = pd.crosstab(frame["country"].astype(object), frame["rules_followed"])
    after = frame[frame["relapse"].notna() & frame["relapse_months"].notna()]
    inside = after[after["country"].astype(object) == COUNTRY]
    curve = attempts.run(
        f"Curves after hepatectomy, {COUNTRY}", lambda: kaplan_meier(inside, FORMULA)
    )
    by = inside.groupby("rules_followed")["relapse"].agg(["sum", "count"])
    events = "; ".join(
        f"{int(row['sum'])} of {int(row['count'])} "
        f"{'with' if followed else 'without'} the rules followed"
        for followed, row in by.iterrows()
    )
    return Rules(
        counts=counts,
        curve=curve,
        within=_ratio(inside, f"Relapse by rules, {COUNTRY}", attempts),
        overall=_ratio(after, "Relapse by rules, both countries", attempts),
        events=f"relapses or deaths after hepatectomy, {COUNTRY}: {events or 'none'}",
    )


def _ratio(frame: pd.DataFrame, what: str, attempts: Attempts) -> dict[str, Any] | None:
    fit = attempts.run(what, lambda: cox(frame, FORMULA))
    return None if fit is None else records(fit.to_frame())[0]


def alias_table(rules: Rules) -> Exhibit | None:
    """Return who followed the rules, by country."""
    if rules.counts is None:
        return None
    table = rules.counts.reindex(columns=[0, 1], fill_value=0)
    return Exhibit(
        name="rules_by_country",
        title="Observation rules by country",
        caption=_lives(table),
        numbers=table.rename(columns={0: "not_followed", 1: "followed"}).reset_index(),
        shown=pd.DataFrame(
            {
                "Country": [str(name) for name in table.index],
                "Rules followed": [str(n) for n in table[1]],
                "Not followed": [str(n) for n in table[0]],
            }
        ),
    )


def _lives(table: pd.DataFrame) -> str:
    """Say where those live who followed the rules, and what cannot be told for it."""
    untold = "what the rules do cannot be told from what else differs between the countries."
    if len(table) < 2:
        return "The data hold one country, so that nothing can be said of the other."
    followers = int((table[1] > 0).sum())
    if followers == 0:
        return "Nobody followed the rules, so that nothing can be said of them."
    if followers == 1:
        return f"Whoever followed the rules lives in one country: {untold}"
    return "Rules and country: where the two nearly always come together, " + untold


def _aliased(counts: pd.DataFrame | None) -> bool:
    """Say whether whoever followed the rules lives in one of several countries."""
    if counts is None or len(counts) < 2:
        return False
    return int((counts.reindex(columns=[1], fill_value=0)[1] > 0).sum()) == 1


def rules_finding(rules: Rules, printed: str) -> Finding:
    """Return the claim on disease-free survival after hepatectomy."""
    within, aliased = _text(rules.within), _aliased(rules.counts)
    return Finding(
        key="rules",
        statement=f"{COUNTRY}: disease-free survival after hepatectomy, {printed}",
        endpoint="Relapse or death after hepatectomy, as found at visits",
        estimand="Ratio of the hazards by whether the observation rules were followed",
        method="Cox regression, Firth’s penalty, profile limits, within one country",
        events=rules.events,
        said=(
            f"{_compared(rules, aliased=aliased)} Rules set when patients are looked at. Looked at "
            "more often, a relapse is found earlier, so that closer watching shortens the time to "
            "it; who follows the rules may also be fitter, or diagnosed earlier. None of this can "
            "be told from an effect."
        ),
        fixed=evidence_verdict(
            "design",
            f"The groups differ in how they were observed{', and largely by country' * aliased}.",
        ),
        shown=within,
    )


def _compared(rules: Rules, *, aliased: bool) -> str:
    """Say what the two comparisons give, or that there is none."""
    if rules.counts is None:
        return rules.why_not
    within, overall = (
        "no hazard ratio can be given" if row is None else _text(row)
        for row in (rules.within, rules.overall)
    )
    if len(rules.counts) < 2:
        return f"The data hold one country, {rules.counts.index[0]}: {overall}."
    apart = ", where country and rules can hardly be told apart" * aliased
    return f"Within {COUNTRY}: {within}; over both countries{apart}: {overall}."


def _text(row: dict[str, Any] | None) -> str:
    if row is None:
        return "none"
    limits = fmt_interval(row["conf_low"], row["conf_high"])
    return f"HR {fmt_number(row['estimate'])} ({limits}), P {fmt_p(row['p_value'])}"
