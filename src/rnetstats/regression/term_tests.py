"""Joint, linearity and interaction tests of the terms of a regression model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.distributions import chi_square_p
from rnetstats.formula.linearity import linear_first

if TYPE_CHECKING:
    from rnetstats.formula.spec import Spec
    from rnetstats.regression.engine import Engine

__all__ = ["Hypothesis", "hypotheses", "term_tests"]


@dataclass(frozen=True)
class Hypothesis:
    """Columns of the design (splines line first) whose coefficients are zero under the null."""

    term: str
    test: str
    columns: tuple[int, ...]


def hypotheses(spec: Spec) -> tuple[Hypothesis, ...]:
    """List the tests of a design, in the order of its terms.

    A main effect is tested together with every interaction that holds it: its coefficient alone
    has no meaning beside an interaction.

    References
    ----------
    Harrell FE (2015). Regression Modeling Strategies, 2nd ed., section 2.6. Springer.
    """
    found: list[Hypothesis] = []
    bent = linear_first(spec).nonlinear
    for term in spec.terms:
        own = tuple(range(term.start, term.stop))
        if term.kind == "interaction":
            found.append(Hypothesis(term.name, "interaction", own))
            continue
        holders = [t for t in spec.terms if t.kind == "interaction" and term.name in t.parts]
        higher = tuple(c for t in holders for c in range(t.start, t.stop))
        found.append(Hypothesis(term.name, "joint", own + higher))
        if term.name in bent:
            found.append(Hypothesis(term.name, "linearity", bent[term.name]))
    return tuple(found)


def term_tests(engine: Engine) -> pd.DataFrame:
    """Test every hypothesis of the engine's design by the model's own method."""
    found = hypotheses(engine.spec)
    statistics = engine.test([h.columns for h in found], linear_first(engine.spec).transform)
    df = np.array([len(h.columns) for h in found], dtype=int)
    return pd.DataFrame(
        {
            "term": [h.term for h in found],
            "test": [h.test for h in found],
            "df": df,
            "statistic": statistics,
            "p_value": chi_square_p(statistics, df),
            "method": engine.test_method,
        }
    )
