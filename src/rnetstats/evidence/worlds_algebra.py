"""2x2 tables from an odds ratio and margins, in closed form: real numbers, not yet counts.

With the odds ``o`` in group 1 and ``o / theta`` in group 2, each group adds ``(1 + o)^2 / (n o)``
to the variance of the log odds ratio. The variance that limits or a P value imply is then a
quadratic equation in o, and so is the odds ratio itself when all events are known.

References
----------
Di Pietrantonj C (2006) Four-fold table cell frequencies imputation in meta analysis. Stat Med
25:2299-2322. Veroniki AA, Pavlides M, Patsopoulos NA, Salanti G (2013) Reconstructing 2x2
contingency tables from odds ratios using the Di Pietrantonj method: difficulties, constraints and
impact in meta-analysis results. Res Synth Methods 4:78-94.
"""

from __future__ import annotations

import math

__all__ = ["events_from_total", "events_from_variance"]

Pair = tuple[float, float]

_ROUND = 1e-14  # of the square of a coefficient: what rounding errors make of a double root


def events_from_variance(theta: float, variance: float, n_1: float, n_2: float) -> list[Pair]:
    """Solve for the events of both groups from the variance of the log odds ratio.

    Parameters
    ----------
    theta : float
        Odds ratio of group 1 over group 2.
    variance : float
        Of its logarithm, as Woolf has it.
    n_1, n_2 : float
        Patients of each group.

    Returns
    -------
    list of tuple
        Events of group 1 and group 2: two solutions, rare events first; one where they coincide;
        none where the variance is smaller than groups of this size can have.
    """
    square = 1.0 / n_1 + 1.0 / (theta * n_2)
    linear = 2.0 / n_1 + 2.0 / n_2 - variance
    rest = 1.0 / n_1 + theta / n_2
    inside = linear**2 - 4.0 * square * rest
    if inside < -_ROUND * linear**2 or linear >= 0.0:
        return []
    large = (-linear + math.sqrt(max(inside, 0.0))) / (2.0 * square)
    odds = sorted({rest / (square * large), large})
    return [(n_1 * o / (1.0 + o), n_2 * (o / theta) / (1.0 + o / theta)) for o in odds]


def events_from_total(theta: float, n_1: float, n_2: float, events: float) -> Pair:
    """Solve for the events of both groups from all events together.

    The number ``a`` in group 1 solves ``a (n_2 - events + a) = theta (n_1 - a) (events - a)``; one
    of the two roots lies among the possible counts.
    """
    if theta == 1.0:
        return events * n_1 / (n_1 + n_2), events * n_2 / (n_1 + n_2)
    square = 1.0 - theta
    linear = n_2 - events + theta * (n_1 + events)
    rest = -theta * n_1 * events
    root = math.sqrt(max(linear**2 - 4.0 * square * rest, 0.0))
    # In the form that loses no digits near theta = 1; linear is positive.
    a = -2.0 * rest / (linear + root)
    return a, events - a
