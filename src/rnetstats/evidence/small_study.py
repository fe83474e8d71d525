"""Tests of whether smaller studies of a meta-analysis show other effects than larger ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.frame import is_synthetic_data
from rnetstats._core.options import choice, level
from rnetstats.errors import DataError
from rnetstats.evidence.asymmetry import (
    COUNTS,
    TESTS,
    Row,
    begg_row,
    rank_correlation,
    refused_row,
    regression_row,
)
from rnetstats.evidence.small_study_result import SmallStudyResult
from rnetstats.evidence.study_effects import StudyEffects, how_many, study_effects

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["SmallStudyResult", "small_study_tests"]

FEWEST = 10
MEANING = (
    "A small P points to a small-study effect: smaller studies show other effects than larger "
    "ones. That is not publication bias: real differences between their patients, poorer methods, "
    "the measure itself and chance do the same, and a large P does not show that nothing is "
    "missing."
)
_RELATED = {
    "OR": "A log odds ratio and its standard error are correlated by their formulas, so that "
    "Egger's and Begg's tests reject too often; Harbord's and Peters' are made for it.",
    "RR": "A log risk ratio and its standard error are correlated by their formulas, so that "
    "these tests reject too often.",
    "RD": "The standard error of a risk difference depends on the risks themselves: a funnel of "
    "differences is lopsided without any small-study effect.",
    "SMD": "A standardised difference and its standard error are correlated by their formulas, "
    "so that these tests reject too often.",
    "proportion": "The standard error of a proportion depends on the proportion, and there is no "
    "significance that studies could be selected for: these tests are not made for proportions.",
}


def small_study_tests(
    studies: pd.DataFrame,
    *,
    measure: str = "generic",
    coef: str | ArrayLike = "coef",
    std_error: str | ArrayLike = "std_error",
    conf_level: float = 0.95,
    force: bool = False,
    synthetic: bool = False,
) -> SmallStudyResult:
    """Test a meta-analysis for small-study effects by the methods of Egger, Begg, Harbord, Peters.

    Below 10 studies the tests are refused: they have next to no power there, and what they find is
    chance. ``force=True`` does them all the same, and marks them.

    Parameters
    ----------
    studies : DataFrame
        One row a study, e.g. ``to_frame()`` of :func:`rnetstats.meta_analysis`: ``study``,
        ``used``, and for odds ratios the counts ``events_1, n_1, events_2, n_2``, without which
        Harbord's and Peters' tests cannot be done.
    measure : str
        What the effects are, e.g. ``"OR"``.
    coef, std_error : str or array-like
        Effects and standard errors on the scale of analysis (logarithms of ratios): columns, or
        as many numbers as rows.
    conf_level : float
    force : bool
        Do the tests with 3 to 9 studies too.
    synthetic : bool
        Mark figures as drawn from synthetic data.

    Returns
    -------
    SmallStudyResult
        Refused tests are missing, with the reason.

    Raises
    ------
    ColumnError
        If a column is missing or holds no numbers.
    DataError
        If no study has an effect, or a standard error is not above 0.

    Notes
    -----
    Egger: weighted regression of the effect on its standard error, with a residual variance; the
    slope is the intercept of the classic form (the standard normal deviate on precision). Begg:
    Kendall's tau of the effects, less the common one and standardised, with their variances; exact
    without ties. Harbord: the same regression of the efficient score of each 2x2 table, divided by
    its information. Peters: regression on 1/n, weighted by events times others over n.

    References
    ----------
    Egger M et al (1997) Bias in meta-analysis detected by a simple, graphical test. BMJ
    315:629-634. Begg CB, Mazumdar M (1994) Operating characteristics of a rank correlation test
    for publication bias. Biometrics 50:1088-1101. Harbord RM, Egger M, Sterne JAC (2006) A modified
    test for small-study effects in meta-analyses of controlled trials with binary endpoints. Stat
    Med 25:3443-3457. Peters JL et al (2006) Comparison of two methods to detect publication bias
    in meta-analysis. JAMA 295:676-680. Sterne JAC et al (2011) Recommendations for examining and
    interpreting funnel plot asymmetry in meta-analyses of randomised controlled trials. BMJ
    343:d4002.

    Examples
    --------
    >>> import pandas as pd
    >>> from rnetstats.evidence.small_study import small_study_tests
    >>> studies = pd.DataFrame({"coef": [0.1, 0.3, 0.2, 0.6, 0.5, 0.9, 0.4, 0.8, 1.1, 0.7]})
    >>> studies["std_error"] = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55]
    >>> found = small_study_tests(studies)
    >>> found.to_frame()[["test", "estimate", "p_value"]].iloc[:2].round(3)
        test  estimate  p_value
    0  egger     1.973    0.001
    1   begg     0.467    0.073
    """
    conf_level = level(conf_level)
    choice("force", force, (True, False))
    effects = study_effects(studies, coef, std_error)
    if effects.k == 0:
        raise DataError("No study has an effect and a standard error.")
    few = effects.k < FEWEST
    refused = few and not force
    ranks = rank_correlation(effects)
    rows = [_test("egger", effects, measure, conf_level), begg_row(ranks, effects.k)]
    rows += [_test(name, effects, measure, conf_level) for name in ("harbord", "peters")]
    if refused:
        rows = [_withheld(row) for row in rows]
    weights = effects.weights
    return SmallStudyResult(
        measure=measure,
        tests=pd.DataFrame(rows),
        ranks=_nothing(ranks) if refused else ranks,
        studies=pd.DataFrame(
            {
                "study": effects.studies["study"],
                "coef": effects.coef,
                "std_error": effects.std_error,
            }
        ),
        common=float((weights * effects.coef).sum() / weights.sum()),
        forced=few and force,
        notes=_notes(effects, measure, few=few, refused=refused, rows=rows),
        options={"measure": measure, "conf_level": conf_level, "force": force},
        synthetic=synthetic or is_synthetic_data(studies),
    )


def _test(name: str, effects: StudyEffects, measure: str, conf_level: float) -> Row:
    """Do a test that the measure and the columns allow."""
    lacking = [column for column in COUNTS if column not in effects.studies]
    if TESTS[name].counts and (measure != "OR" or lacking):
        why = "needs the counts of both arms" if measure == "OR" else "made for odds ratios"
        return refused_row(name, effects.k, TESTS[name].method, why)
    return regression_row(name, effects, conf_level)


def _withheld(row: Row) -> Row:
    """The row of a test without its numbers."""
    few = f"{how_many(row['k'])}, and these tests take {FEWEST}"
    return refused_row(row["test"], row["k"], row["method"], row["reason"] or few)


def _nothing(ranks: pd.DataFrame) -> pd.DataFrame:
    numbers = [str(name) for name in ranks if name not in ("ties", "method")]
    return ranks.assign(**dict.fromkeys(numbers, np.nan))


def _notes(
    effects: StudyEffects, measure: str, *, few: bool, refused: bool, rows: list[Row]
) -> tuple[str, ...]:
    notes = []
    if effects.left_out:
        some = how_many(effects.left_out)
        verb = "is" if effects.left_out == 1 else "are"
        notes.append(f"{some} without an effect, or not used, {verb} left out.")
    if refused:
        there = f"{'is' if effects.k == 1 else 'are'} {how_many(effects.k)}"
        notes.append(
            f"Refused: there {there}, and tests for small-study effects take "
            f"{FEWEST}. Fewer have next to no power; force=True does the tests all the same."
        )
    elif few:
        notes.append(
            f"Done by force with {how_many(effects.k)}: these tests take {FEWEST}, and with fewer "
            "neither a small nor a large P says much."
        )
    if not refused:
        notes += [
            f"No {row['test'].capitalize()} test: {row['reason']}." for row in rows if row["reason"]
        ]
        notes.append("Begg's tau has neither limits nor degrees of freedom.")
    if measure in _RELATED:
        notes.append(_RELATED[measure])
    return (*notes, MEANING)
