"""Rows and events as often as their frequency weights say, within what memory holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats.errors import BudgetError

__all__ = ["MOST_COPIES", "MOST_EVENTS", "check_copies", "check_tied_events", "copies"]

MOST_COPIES = 5_000_000
MOST_EVENTS = 20_000_000


def copies(freq: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return each row's place as often as its weight says.

    Parameters
    ----------
    freq : array of shape (n,)
        Whole numbers, zero allowed.

    Returns
    -------
    int array of shape (sum of freq,)

    Raises
    ------
    BudgetError
        If that is more than five million.
    """
    check_copies(freq)
    places: NDArray[Any] = np.arange(len(freq))
    return np.repeat(places, freq.astype(np.intp))


def check_copies(freq: NDArray[np.float64]) -> None:
    """Refuse weights (n,) that stand for more than five million rows written out.

    Raises
    ------
    BudgetError
    """
    total = float(np.sum(freq))
    if total > MOST_COPIES:
        raise BudgetError(
            f"The freq_weights stand for {total:,.0f} patients, who are written out one by one "
            f"here; at most {MOST_COPIES:,} can be. Frequency weights count patients: if these "
            "are weights of sampling, or scaled, divide them to the number of patients seen."
        )


def check_tied_events(n_events: float) -> None:
    """Refuse more events than Efron's likelihood can hold, which has a term for each.

    Parameters
    ----------
    n_events : float
        By frequency weights.

    Raises
    ------
    BudgetError
        If there are more than 20 million.
    """
    if n_events > MOST_EVENTS:
        raise BudgetError(
            f"The freq_weights stand for {n_events:,.0f} events, each of them a term of Efron's "
            f"likelihood; at most {MOST_EVENTS:,} can be held. Take ties='breslow'; or, if the "
            "weights are of sampling, or scaled, divide them to the number of patients seen."
        )
