"""Which test compares a row of Table 1 between the groups, and its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from rnetstats._core.options import choice
from rnetstats.errors import BudgetError, DataError, OptionError
from rnetstats.tables.categorical_tests import chi_square, expected_counts, fisher_test
from rnetstats.tables.rank_tests import kruskal_wallis, signed_rank_test, wilcoxon_test
from rnetstats.tables.test_result import TestResult
from rnetstats.tables.two_groups import (
    anova,
    paired_t_test,
    t_test,
    variance_f_test,
    welch_anova,
)
from rnetstats.tables.variables import Variable

__all__ = ["TestPlan", "compare", "known_values", "level_counts", "plan_tests"]

Arrays = list[np.ndarray]
_RESAMPLES = 20_000

_TWO: dict[str, Callable[[np.ndarray, np.ndarray, float], TestResult]] = {
    "welch": lambda x, y, level: t_test(x, y, conf_level=level),
    "t": lambda x, y, level: t_test(x, y, equal_variance=True, conf_level=level),
    "wilcoxon": lambda x, y, _: wilcoxon_test(x, y),
    "wilcoxon-uncorrected": lambda x, y, _: wilcoxon_test(x, y, continuity=False),
    "wilcoxon-exact": lambda x, y, level: wilcoxon_test(x, y, method="exact", conf_level=level),
    "variance-f": lambda x, y, level: variance_f_test(x, y, conf_level=level),
}
_PAIRED: dict[str, Callable[[np.ndarray, np.ndarray, float], TestResult]] = {
    "paired-t": lambda x, y, level: paired_t_test(x, y, conf_level=level),
    "signed-rank": lambda x, y, _: signed_rank_test(x, y),
    "signed-rank-exact": lambda x, y, _: signed_rank_test(x, y, method="exact"),
}
_MANY: dict[str, Callable[[Arrays], TestResult]] = {
    "anova": anova,
    "welch-anova": welch_anova,
    "kruskal": kruskal_wallis,
}
CONTINUOUS = (*_TWO, *_MANY, *_PAIRED)
CATEGORICAL = ("chi-square", "fisher", "fisher-monte-carlo")
# These need two values a group, ranks need one.
_MOMENTS = ("welch", "t", "variance-f", "anova", "welch-anova")
_FASTER = {
    "wilcoxon-exact": "wilcoxon",
    "signed-rank-exact": "signed-rank",
    "fisher": "fisher-monte-carlo",
}


@dataclass(frozen=True)
class TestPlan:
    """The test asked for, by column; ``"auto"`` chooses by kind, None tests nothing.

    ``pairs`` has the pair's number of each row (n,), for the paired tests.
    """

    __test__ = False

    by_column: dict[str, str | None]
    continuity: bool
    conf_level: float
    seed: int
    pairs: np.ndarray | None = None


def plan_tests(
    tests: str | Mapping[str, str] | None,
    variables: list[Variable],
    *,
    continuity: bool,
    conf_level: float,
    seed: int,
    pairs: np.ndarray | None,
) -> TestPlan:
    """Resolve ``tests=`` of :func:`~rnetstats.tables.table_one.table_one`.

    Raises
    ------
    OptionError
        If a test is unknown, or named for a column that is not in the table or of another kind; if
        a paired test has no ``pairs=``, or these have no paired test.
    """
    chosen = _chosen(tests, {v.name: v.kind for v in variables})
    paired = {name: test for name, test in chosen.items() if test in _PAIRED}
    if paired and pairs is None:
        name, test = next(iter(paired.items()))
        raise OptionError(
            f"tests={{{name!r}: {test!r}}} compares pairs: give pairs= too, the column whose equal "
            "values mark the two rows of a pair."
        )
    if pairs is not None and not paired:
        raise OptionError(f"pairs= belongs to the paired tests: {', '.join(_PAIRED)}.")
    return TestPlan(chosen, continuity, conf_level, seed, pairs)


def _chosen(
    tests: str | Mapping[str, str] | None, kinds: Mapping[str, str]
) -> dict[str, str | None]:
    """The test of each column."""
    if tests is None:
        return dict.fromkeys(kinds)
    if isinstance(tests, str):
        choice("tests", tests, ("auto",))
        return dict.fromkeys(kinds, "auto")
    if not isinstance(tests, Mapping):
        raise OptionError('tests must be None, "auto" or a mapping of columns to test names.')
    for key in tests:
        choice("tests: the column", key, [*kinds, "continuous", "categorical"])
    chosen: dict[str, str | None] = {}
    for name, kind in kinds.items():
        group = "continuous" if kind == "continuous" else "categorical"
        asked = tests.get(name, tests.get(group))
        allowed = CONTINUOUS if kind == "continuous" else CATEGORICAL
        chosen[name] = None if asked is None else choice(f"tests[{name!r}]", asked, allowed)
    return chosen


def level_counts(variable: Variable, rows: np.ndarray) -> np.ndarray:
    """Counts of each level (or of 0 and 1) among some rows."""
    size = 2 if variable.kind == "binary" else len(variable.levels)
    values = variable.values[rows]
    return np.bincount(values[~np.isnan(values)].astype(int), minlength=size)


def known_values(variable: Variable, groups: Arrays) -> Arrays:
    """The values of each group, the missing ones left out."""
    found = [variable.values[rows] for rows in groups]
    return [values[~np.isnan(values)] for values in found]


def compare(
    variable: Variable, groups: dict[str, np.ndarray], plan: TestPlan, *, ranked: bool
) -> tuple[TestResult | None, str | None]:
    """The test of one variable over the groups, or why there is none.

    Parameters
    ----------
    variable : Variable
        The column.
    groups : dict of ndarray of bool
        Rows of each group, by its name.
    plan : TestPlan
        What was asked for.
    ranked : bool
        Whether the variable is summarised by its median, so that ``"auto"`` takes ranks.

    Returns
    -------
    tuple
        The test (None if none was asked for or none exists) and a note for a failed one, or on
        what it leaves out.

    Raises
    ------
    BudgetError
        If an exact test that was asked for takes too long.
    """
    asked = plan.by_column[variable.name]
    if asked is None:
        return None, None
    rows = list(groups.values())
    try:
        if asked in _PAIRED:
            return _paired(variable, groups, asked, plan)
        if variable.kind == "continuous":
            arrays = dict(zip(groups, known_values(variable, rows), strict=True))
            return _continuous(arrays, asked, ranked, plan.conf_level), None
        table = np.column_stack([level_counts(variable, inside) for inside in rows])
        return _categorical(table, asked, plan), None
    except BudgetError:
        if asked not in _FASTER:
            raise
        raise BudgetError(
            f"{variable.name}: the test {asked!r} of {int(sum(map(np.sum, rows)))} rows takes too "
            f"long. Write tests={{{variable.name!r}: {_FASTER[asked]!r}}}."
        ) from None
    except DataError as error:
        return None, f"{variable.name}: no test. {error}"


def _paired(
    variable: Variable, groups: dict[str, np.ndarray], asked: str, plan: TestPlan
) -> tuple[TestResult, str | None]:
    """Compare the two values of each pair; rows whose pair lacks one are left out and counted."""
    assert plan.pairs is not None
    if len(groups) != 2:
        raise DataError(f"The test {asked!r} compares two groups, not {len(groups)}.")
    sides = []
    for name, inside in groups.items():
        rows = np.flatnonzero(inside & ~np.isnan(variable.values) & (plan.pairs >= 0))
        codes, first, held = np.unique(plan.pairs[rows], return_index=True, return_counts=True)
        if (held > 1).any():
            several = int((held > 1).sum())
            raise DataError(f"Pairs with several rows in {name!r}: {several}; keep one of each.")
        sides.append((codes, variable.values[rows[first]]))
    (one, x), (two, y) = sides
    _, at_x, at_y = np.intersect1d(one, two, assume_unique=True, return_indices=True)
    if len(at_x) < 2:
        raise DataError(f"Pairs with both values: {len(at_x)}; the test {asked!r} needs two.")
    alone = sum(int(inside.sum()) for inside in groups.values()) - 2 * len(at_x)
    note = f"{variable.name}: {alone} rows without a value or without their pair's are not tested."
    return _PAIRED[asked](x[at_x], y[at_y], plan.conf_level), note if alone else None


def _continuous(
    groups: dict[str, np.ndarray], asked: str, ranked: bool, conf_level: float
) -> TestResult:
    arrays = list(groups.values())
    if asked == "auto":
        two = len(arrays) == 2
        asked = (
            ("wilcoxon" if two else "kruskal") if ranked else ("welch" if two else "welch-anova")
        )
    if asked in _TWO and len(arrays) != 2:
        raise DataError(f"The test {asked!r} compares two groups, not {len(arrays)}.")
    least = 2 if asked in _MOMENTS else 1
    short = [f"{name!r} has {len(found)}" for name, found in groups.items() if len(found) < least]
    if short:
        words = "a value" if least == 1 else f"{least} values"
        raise DataError(f"Each group needs {words} at least: {', '.join(short)}.")
    if asked in _MANY:
        return _MANY[asked](arrays)
    return _TWO[asked](arrays[0], arrays[1], conf_level)


def _categorical(table: np.ndarray, asked: str, plan: TestPlan) -> TestResult:
    if asked == "chi-square":
        return chi_square(table, continuity=plan.continuity)
    if asked == "fisher-monte-carlo":
        return fisher_test(table, resamples=_RESAMPLES, seed=plan.seed)
    if asked == "fisher":
        return fisher_test(table)
    kept = table[table.sum(axis=1) > 0]
    if len(kept) > 1 and kept.sum(axis=0).all() and expected_counts(kept).min() >= 5.0:
        return chi_square(table, continuity=plan.continuity)
    try:
        return fisher_test(table)
    except BudgetError:
        return fisher_test(table, resamples=_RESAMPLES, seed=plan.seed)
