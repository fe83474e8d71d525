"""Meta-analysis of rare events: the models that stand beside inverse variance."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, is_synthetic_data
from rnetstats._core.options import choice, level
from rnetstats.evidence.meta_columns import read_studies
from rnetstats.evidence.meta_empty import Arms, bounds_text
from rnetstats.evidence.meta_measures import MEASURES
from rnetstats.evidence.rare_events_result import RareEventsResult
from rnetstats.evidence.rare_models import beta_binomial_row, inverse_variance_row, mixed_row
from rnetstats.evidence.rare_rows import RareRow, closed_rows
from rnetstats.evidence.rare_words import METHODS, estimand_of, methods_for
from rnetstats.formatting import fmt_number, fmt_percent
from rnetstats.kernels.glmm_tables import TABLE_MODELS
from rnetstats.kernels.mantel_haenszel import Tables

__all__ = ["RareEventsResult", "rare_events"]

_UNEQUAL = 2.0  # patients of one arm to the other, from where Peto is said to be biased (chosen)
_LARGE = 2.0  # odds ratio, or its inverse (chosen)
_COMMON = 0.1  # share with the event in an arm, from where CM.AL is no odds ratio (chosen)
_COLUMNS = ("events_1", "n_1", "events_2", "n_2")


def rare_events(
    studies: Data, *, measure: str = "OR", conf_level: float = 0.95
) -> RareEventsResult:
    """Pool two arms of rare events by every model that does without a correction, side by side.

    Parameters
    ----------
    studies : DataFrame or mapping
        Columns ``study, events_1, n_1, events_2, n_2``, one row a study. Arm 1 is compared with
        arm 2.
    measure : {"OR", "RR", "RD"}
    conf_level : float
        Of Wald and profile limits alike.

    Returns
    -------
    RareEventsResult
        One row a method: crude sums; Mantel-Haenszel; Peto's one-step odds ratio; the exact
        conditional estimate; binomial-normal models with fixed (UM.FS) or random (UM.RS) study
        effects, conditional exactly (CM.EL) or by a binomial law (CM.AL); the beta-binomial
        model with one intraclass correlation; and inverse variance. Of the risk ratio those that
        give one; of the risk difference the crude one, Mantel-Haenszel, beta-binomial and inverse
        variance. ``assumptions()`` says of each what it assumes and where it fails.

    Raises
    ------
    ColumnError
        If a column is absent or holds no numbers.
    DataError
        If a count cannot be: more events than patients, a fraction of an event.
    OptionError
        If the measure or the level is not allowed.

    Notes
    -----
    Nothing is added to a cell except under inverse variance. Limits of likelihood models are
    Wald's (observed information of all parameters) and, beside them, by the profile likelihood
    with the variance between studies free; ``p_value`` is Wald's, ``p_lr`` the likelihood ratio's.
    The test of heterogeneity is Tarone's for Mantel-Haenszel, Cochran's for Peto and inverse
    variance, and for binomial-normal models the likelihood ratio against an effect for each study.
    Integrals over random effects are sums over even steps, as many as it takes for some nine
    digits. Where a likelihood rises without end, or beyond a standard deviation of 15 between
    studies (odds ratios e^15 apart), the method has no estimate; its note says whether an arm is
    empty or the studies contradict each other. With more than 20,000 events in an arm of a study,
    or 300,000 patients, models for rare events are not fitted.

    Where an arm has no event in any study, ratios are 0 or infinite: such estimates stand as they
    are, without standard error; the exact method still gives a bound. Without any event nothing is
    estimated; the notes bound the risks. One study alone is pooled by the methods that need no
    variation between studies.

    References
    ----------
    Bradburn MJ, Deeks JJ, Berlin JA, Localio AR (2007) Much ado about nothing: a comparison of the
    performance of meta-analytical methods with rare events. Stat Med 26:53-77. Stijnen T, Hamza
    TH, Ozdemir P (2010) Random effects meta-analysis of event outcome in the framework of the
    generalized linear mixed model with applications in sparse data. Stat Med 29:3046-3067. Kuss O
    (2015) Statistical methods for meta-analyses including information from studies without any
    events. Stat Med 34:1097-1116. Jackson D, Law M, Stijnen T, Viechtbauer W, White IR (2018) A
    comparison of seven random-effects models for meta-analyses that estimate the summary odds
    ratio. Stat Med 37:1059-1085.

    Examples
    --------
    >>> from rnetstats.evidence.rare_events import rare_events
    >>> trials = {
    ...     "study": ["A", "B", "C", "D"],
    ...     "events_1": [0, 1, 0, 3], "n_1": [45, 60, 32, 120],
    ...     "events_2": [2, 4, 0, 7], "n_2": [43, 62, 30, 118],
    ... }
    >>> found = rare_events(trials, measure="OR")
    >>> round(float(found.method("mantel-haenszel")["estimate"]), 3)
    0.293
    >>> int(found.method("CM.EL")["k"]), int(found.method("beta-binomial")["k"])
    (3, 4)
    """
    choice("measure", measure, ("OR", "RR", "RD"))
    conf_level = level(conf_level)
    own = {name: name for name in _COLUMNS}
    table = read_studies(studies, MEASURES[measure], own, missing="drop")
    counts = table.given[list(_COLUMNS)].to_numpy()[table.complete]
    keys = tuple(tuple(float(x) for x in row) for row in counts)
    rows = [_shown(row, measure) for row in _rows(keys, measure, conf_level)]
    used = np.flatnonzero(table.complete)
    kept = pd.DataFrame(counts.astype(np.int64), columns=list(_COLUMNS))
    kept.insert(0, "study", [table.names[i] for i in used])
    return RareEventsResult(
        measure=measure,
        rows=pd.DataFrame(rows),
        studies=kept,
        notes=(*table.notes, *_notes(kept, measure, rows, conf_level)),
        options={"measure": measure, "conf_level": conf_level},
        synthetic=is_synthetic_data(studies),
    )


@lru_cache(maxsize=32)
def _rows(
    counts: tuple[tuple[float, ...], ...], measure: str, conf_level: float
) -> tuple[RareRow, ...]:
    """All methods; a result is displayed more often than it changes."""
    t = Tables.of(*np.array(counts).T)
    found = {row.method: row for row in closed_rows(t, measure, conf_level)}
    for method in methods_for(measure):
        if method in TABLE_MODELS:
            found[method] = mixed_row(t, method, conf_level)
    found["beta-binomial"] = beta_binomial_row(t, measure, conf_level)
    found["inverse-variance"] = inverse_variance_row(t, measure, conf_level)
    return tuple(found[method] for method in methods_for(measure))


def _shown(row: RareRow, measure: str) -> dict[str, object]:
    """A row on the measure's scale, with what is to be said of it."""
    back, words = MEASURES[measure].back, METHODS[row.method]
    return {
        "method": row.method,
        "label": words.label,
        "estimand": estimand_of(row.method, measure),
        "kind": words.kind,
        "k": row.k,
        "double_zeros": words.double_zeros[measure],
        **{
            name: float(back(value))
            for name, value in (
                ("estimate", row.coef),
                ("conf_low", row.low),
                ("conf_high", row.high),
            )
        },
        "p_value": row.p_value,
        "profile_low": float(back(row.profile_low)),
        "profile_high": float(back(row.profile_high)),
        "p_lr": row.p_lr,
        "coef": row.coef,
        "std_error": row.std_error,
        "tau2": row.tau2,
        "rho": row.rho,
        "q": row.statistic,
        "q_df": row.df,
        "q_p": row.p_heterogeneity,
        "note": row.note,
    }


def _notes(
    studies: pd.DataFrame, measure: str, rows: list[dict[str, object]], conf_level: float
) -> list[str]:
    events = studies["events_1"] + studies["events_2"]
    double = int((events == 0).sum())
    notes = []
    if not events.any():
        arms = Arms(
            studies[["events_1", "events_2"]].to_numpy(float),
            studies[["n_1", "n_2"]].to_numpy(float),
            rates=False,
        )
        bounds = bounds_text(arms, conf_level)
        return [f"No study had an event in either arm: no effect can be estimated. {bounds}"]
    if double:
        notes.append(
            f"{double} of {len(studies)} studies had no event in either arm; the column "
            '"Without events" (double_zeros in to_frame()) says what each method does with them.'
        )
    for reason in dict.fromkeys(str(row["note"]) for row in rows if row["note"]):
        whose = ", ".join(str(row["label"]) for row in rows if row["note"] == reason)
        notes.append(f"{whose}: {reason}.")
    return notes + (_odds_notes(studies, rows) if measure == "OR" else [])


def _odds_notes(studies: pd.DataFrame, rows: list[dict[str, object]]) -> list[str]:
    """Say where the conditions of Peto's method and of CM.AL do not hold."""
    told = studies[studies["events_1"] + studies["events_2"] > 0]
    ratio = (told["n_1"] / told["n_2"]).to_numpy()
    most = float(np.maximum(ratio, 1.0 / ratio).max())
    effect = next(float(str(row["coef"])) for row in rows if row["method"] == "mantel-haenszel")
    why, notes = [], []
    if most > _UNEQUAL:
        why.append(f"one arm of a study has {fmt_number(most)} times the patients of the other")
    if math.isfinite(effect) and abs(effect) > math.log(_LARGE):
        why.append(f"the Mantel-Haenszel odds ratio is {fmt_number(math.exp(effect))}")
    if why:
        notes.append(
            f"Peto is biased when arms are unequal or effects large: {' and '.join(why)} "
            f"(bounds of {_UNEQUAL:g} and {_LARGE:g}, chosen here)."
        )
    shares = [told[f"events_{arm}"].sum() / told[f"n_{arm}"].sum() for arm in ("1", "2")]
    if max(shares) > _COMMON:
        notes.append(
            f"Events are not rare ({fmt_percent(float(max(shares)))} of an arm have one; bound of "
            f"{fmt_percent(_COMMON, 0)}, chosen here): CM.AL is near the risk ratio."
        )
    return notes
