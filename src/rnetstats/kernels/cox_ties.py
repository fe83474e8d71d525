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

from typing import NamedTuple

import numpy as np

from rnetstats.kernels.risksets import Floats, Ints


class TieSums(NamedTuple):
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


class TieTerms(NamedTuple):
    """The terms after the first of each time, of A replicates.

    Attributes
    ----------
    place
        (P,) the time that a term belongs to, as a place in the raveled (A, E).
    share
        (P,) a = l / d.
    weight
        (P,) weight of the term.
    first
        (A, E) weight of the first term; 0 where the replicate has no event.
    """

    place: Ints
    share: Floats
    weight: Floats
    first: Floats


def tie_terms(counts: Floats, weight: Floats) -> TieTerms:
    """List the terms of Efron's likelihood.

    Parameters
    ----------
    counts
        (A, E) numbers of events d.
    weight
        (A, E) weight of each term, the mean sampling weight of the tied events.
    """
    d = counts.ravel()
    more = np.maximum(d - 1.0, 0.0).astype(np.intp)
    place = np.repeat(np.arange(d.size), more)
    number = np.arange(1, place.size + 1) - np.repeat(np.cumsum(more) - more, more)
    first = np.where(counts > 0, weight, 0.0)
    return TieTerms(place, number / d[place], weight.ravel()[place], first)


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
    log = np.vecdot(weight, np.log(divisor))
    power = weight / divisor
    powers = [(power,)]
    for _ in range(1, order):
        power = power / divisor
        powers.append((power,))
    return TieSums(log, tuple(powers))


def efron_sums(risk: Floats, tied: Floats, terms: TieTerms, order: int) -> TieSums:
    """Sums over the terms of Efron's likelihood.

    Parameters
    ----------
    risk, tied
        (A, E) S and T.
    terms
        From `tie_terms`.
    order
        Highest power k of 1 / D.
    """
    first = untied_sums(risk, terms.first, order)
    place, share = terms.place, terms.share
    divisor = risk.ravel()[place] - share * tied.ravel()[place]

    def add_up(values: Floats) -> Floats:
        sums: Floats = np.bincount(place, values, minlength=risk.size).astype(np.float64)
        return sums.reshape(risk.shape)

    term = terms.weight
    log = first.log + add_up(term * np.log(divisor)).sum(axis=-1)
    powers = []
    for k, (sums,) in enumerate(first.powers):
        term = part = term / divisor
        row = [sums + add_up(term)]
        for _ in range(k + 1):
            part = part * share
            row.append(add_up(part))
        powers.append(tuple(row))
    return TieSums(log, tuple(powers))
