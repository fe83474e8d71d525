"""Curves of a Cox model averaged over the cohort, each patient given each treatment in turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.cox_standardised import hazard_steps, mean_survival
from rnetstats.kernels.newton import LOST_TERM, OK
from rnetstats.kernels.risksets import RiskSets
from rnetstats.treatment.draws import Draws, patient_counts

__all__ = ["StandardisedRows", "resampled_curves"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class StandardisedRows:
    """A Cox model's rows and what they would be under each treatment.

    Attributes
    ----------
    X
        (n, p) design as observed.
    given
        (L, n, p) designs with everybody given each treatment; the first is the reference.
    treatment
        Columns of the treatment.
    group
        (n,) which treatment each patient had.
    event
        (n,) whether the event was seen.
    sets, freq
        Risk sets; how many patients each row stands for (n,).
    coef
        (p,) where every replicate starts.
    grid
        (k,) event times at which curves are taken, within the follow-up of every treatment.
    places
        (t,) places among the steps 0 ... k of the times at which risks are compared.
    tau
        End of the restricted mean survival times.
    """

    X: Floats
    given: Floats
    treatment: NDArray[np.intp]
    group: NDArray[np.intp]
    event: Flags
    sets: RiskSets
    freq: Floats
    coef: Floats
    grid: Floats
    places: NDArray[np.intp]
    tau: float
    firth: bool
    ties: str

    @property
    def n_levels(self) -> int:
        """Number of treatments."""
        return len(self.given)

    def curves(self, coef: Floats, counts: Floats) -> Floats:
        """Mean survival under each treatment after 0, 1, ... k event times, (b, L, k + 1).

        Parameters
        ----------
        coef : array of shape (b, p)
        counts : array of shape (b, n)
            How often each row stands in the replicate.
        """
        centre = self.X.mean(axis=0)
        observed = coef @ (self.X - centre).T
        steps = hazard_steps(self.sets, observed, freq=counts, ties=self.ties)
        found = np.ones((len(coef), self.n_levels, self.grid.size + 1))
        upto = np.cumsum(steps[:, : self.grid.size], axis=1)
        for level, design in enumerate(self.given):
            predictor = coef @ (design - centre).T
            found[:, level, 1:] = mean_survival(predictor, upto, counts)
        return found

    def measures(self, curves: Floats) -> Floats:
        """Risks (L, t), differences and log ratios ((L - 1), t), RMST (L,), differences (L - 1,).

        Parameters
        ----------
        curves : array of shape (b, L, k + 1)

        Returns
        -------
        array of shape (b, m)
            In this order, the last axis running fastest; risks on the logit scale.
        """
        risk = 1.0 - curves[:, :, self.places]
        edges = np.concatenate(([0.0], np.minimum(self.grid, self.tau), [self.tau]))
        mean = curves @ np.diff(edges)
        with np.errstate(divide="ignore", invalid="ignore"):
            log = np.log(risk)
            logit = log - np.log1p(-risk)
            ratio = log[:, 1:] - log[:, :1]
        parts = (logit, risk[:, 1:] - risk[:, :1], ratio, mean, mean[:, 1:] - mean[:, :1])
        return np.concatenate([part.reshape(len(curves), -1) for part in parts], axis=1)


def resampled_curves(rows: StandardisedRows, *, resamples: int, seed: int) -> tuple[Draws, Floats]:
    """Draw patients, fit the model again and standardise over those drawn.

    Returns
    -------
    draws : Draws
        Of the measures.
    curves : array of shape (B, L, k)
        Missing where a replicate failed.
    """
    shape = (rows.n_levels, rows.grid.size + 1)
    width = rows.measures(np.ones((1, *shape))).shape[1]
    draws, curves = Draws.empty(resamples, width), np.full((resamples, *shape), np.nan)
    for part, counts in patient_counts(rows.freq.size, seed, resamples, freq=rows.freq):
        start = np.broadcast_to(rows.coef, (len(counts), rows.coef.size))
        fit = fit_cox(rows.X, rows.sets, freq=counts, ties=rows.ties, firth=rows.firth, start=start)
        fine = np.isin(fit.status, (OK, LOST_TERM)) & ~fit.lost[:, rows.treatment].any(axis=1)
        draws.failed[part] = ~fine
        draws.lost[part] = fit.lost.any(axis=1) & fine
        for level in range(rows.n_levels):
            seen = (rows.group == level) & rows.event
            draws.eventless[part] |= counts[:, seen].sum(axis=1) == 0.0
        here = np.arange(part.start, part.stop)[fine]
        curves[here] = rows.curves(fit.coef[fine], counts[fine])
        draws.values[here] = rows.measures(curves[here])
    return draws, curves[:, :, 1:]
