"""Sums over the terms of the partial likelihood at each event time, by Breslow's or Efron's rule.

At a time with d events (d the sum of the frequencies) Efron's likelihood has d terms; the l-th,
l = 0 ... d - 1, divides by D_l = S - (l / d) T, where S is the risk of all at risk and T that of
the tied events. Breslow's has T left out. Everything else needs only the sums of
a^j / D^k with a = l / d over the terms of a time.

References
----------
Efron B (1977). The efficiency of Cox's likelihood function for censored data. JASA 72, 557-565.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnetstats.kernels.risksets import Floats, Ints

_BLOCK = 1 << 17

Levels = list[tuple[Ints, Floats]]


@dataclass(frozen=True, eq=False)
class TieSums:
    """Weighted sums over the terms of each event time.

    Attributes
    ----------
    log
        (A,) sum of w log D over all terms of all times.
    powers
        `powers[k - 1][j]` is the (A, E) sum of w a^j / D^k, for j = 0 ... k; without ties only
        j = 0 is there.
    """

    log: Floats
    powers: tuple[tuple[Floats, ...], ...]

    @property
    def tied(self) -> bool:
        """Whether some time has more than one term with its own divisor."""
        return len(self.powers[0]) > 1


def tie_levels(counts: Floats) -> Levels:
    """Blocks of terms beyond the first: the columns that have them, and their numbers l.

    Parameters
    ----------
    counts
        (A, E) numbers of events d.

    Returns
    -------
    list of (columns (K,), l (L,))
        Blocks double in length, so that a few long times do not cost a loop over their events.
    """
    most = counts.max(axis=0, initial=0)
    levels: Levels = []
    begin, length = 1, 1
    while (columns := np.flatnonzero(most > begin)).size:
        end = int(min(begin + length, most.max()))
        levels.append((columns, np.arange(begin, end, dtype=np.float64)))
        length = min(2 * length, max(1, _BLOCK // (columns.size * len(counts))))
        begin = end
    return levels


def untied_sums(risk: Floats, weight: Floats, order: int) -> TieSums:
    """Sums with one divisor a time: Breslow's rule, or Efron's where no events tie.

    Parameters
    ----------
    risk
        (A, E) S.
    weight
        (A, E) or (1, E) total weight of the events; 0 where a replicate has none.
    order
        Highest power k of 1 / D.
    """
    divisor = np.where(weight > 0, risk, 1.0)
    log = (weight * np.log(divisor)).sum(axis=-1)
    powers = [weight / divisor]
    for _ in range(1, order):
        powers.append(powers[-1] / divisor)
    return TieSums(log, tuple((power,) for power in powers))


def efron_sums(
    risk: Floats, tied: Floats, counts: Floats, weight: Floats, levels: Levels, order: int
) -> TieSums:
    """Sums over the terms of Efron's likelihood.

    Parameters
    ----------
    risk, tied
        (A, E) S and T.
    counts
        (A, E) or (1, E) numbers of events d.
    weight
        (A, E) or (1, E) weight of each term, the mean sampling weight of the tied events.
    levels
        From `tie_levels(counts)`.
    order
        Highest power k of 1 / D.
    """
    first = untied_sums(risk, np.where(counts > 0, weight, 0.0), order)
    log = first.log
    powers = [
        [sums, *(np.zeros_like(sums) for _ in range(k + 1))]
        for k, (sums,) in enumerate(first.powers)
    ]
    for columns, numbers in levels:
        d = counts[:, columns, None]
        share = numbers / np.where(d > 0, d, 1.0)
        here = np.where(numbers < d, weight[:, columns, None], 0.0)
        divisor = risk[:, columns, None] - share * tied[:, columns, None]
        divisor = np.where(numbers < d, divisor, 1.0)
        log = log + (here * np.log(divisor)).sum(axis=(-1, -2))
        for row in powers:
            here = here / divisor
            term = here
            for j, total in enumerate(row):
                term = term * share if j else term
                total[:, columns] += term.sum(axis=-1)
    return TieSums(log, tuple(tuple(row) for row in powers))
