"""Indices of performance of many replicates at once, for models of a binary outcome."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from rnetstats.kernels.calibration import (
    LogLikelihoods,
    brier,
    brier_scaled,
    log_likelihoods,
    spiegelhalter,
)
from rnetstats.kernels.calibration_error import ici_of
from rnetstats.kernels.calibration_level import level_of
from rnetstats.kernels.calibration_line import line_of
from rnetstats.kernels.logits import Logits, logit_blocks
from rnetstats.kernels.newton import OK
from rnetstats.kernels.ordered import Ordered, in_order, mean_difference
from rnetstats.kernels.risk_groups import hosmer_lemeshow_of
from rnetstats.kernels.roc import area_of

__all__ = ["ANCHORED", "BINARY", "DISTANCES", "LABELS", "binary_indices"]

Floats = NDArray[np.float64]

BINARY: Final = (
    "auc",
    "dxy",
    "brier",
    "brier_scaled",
    "nagelkerke_r2",
    "intercept",
    "slope",
    "joint_intercept",
    "ici",
    "e50",
    "e90",
    "emax",
    "spiegelhalter_z",
    "hosmer_lemeshow",
    "r2",
    "d",
    "u",
    "q",
    "g",
    "gp",
)

LABELS: Final = {
    "auc": "AUC",
    "dxy": "Somers' Dxy",
    "c": "Harrell's C",
    "uno_c": "Uno's C up to the horizon",
    "auc_t": "AUC at the horizon",
    "brier": "Brier score",
    "brier_scaled": "Scaled Brier score",
    "ipa": "Index of prediction accuracy (IPA)",
    "oe": "Observed to expected",
    "nagelkerke_r2": "Nagelkerke's R2",
    "intercept": "Calibration-in-the-large",
    "slope": "Calibration slope",
    "joint_intercept": "Calibration intercept, slope free",
    "ici": "Integrated calibration index",
    "e50": "E50",
    "e90": "E90",
    "emax": "Emax",
    "spiegelhalter_z": "Spiegelhalter's z",
    "hosmer_lemeshow": "Hosmer-Lemeshow statistic",
    "r2": "Nagelkerke's R2, recalibrated",
    "d": "Discrimination index D",
    "u": "Unreliability index U",
    "q": "Quality index Q",
    "g": "Gini's mean difference, predictor",
    "gp": "Gini's mean difference, risk",
}

ANCHORED: Final = frozenset({"intercept", "slope", "joint_intercept", "u", "oe", "spiegelhalter_z"})
"""Indices that the fit itself brings to their ideal in every resample."""

DISTANCES: Final = frozenset({"ici", "e50", "e90", "emax", "hosmer_lemeshow"})
"""Distances from perfect calibration: resampling adds a distance of its own to them."""

_OF_ONE_KIND: Final = frozenset({"brier", "spiegelhalter_z", "hosmer_lemeshow"})
"""What outcomes of one kind have as well: they are compared with the risks as they are."""

_QUANTILES: Final = frozenset({"e50", "e90", "emax"})
_SORTED: Final = _QUANTILES | {"auc", "dxy", "ici", "hosmer_lemeshow"}

UNCORRECTED: Final = frozenset({"hosmer_lemeshow"})
"""What grows with the number of patients and with patients who stand several times in a sample."""


def binary_indices(
    y: Floats,
    risk: Floats,
    predictor: Floats,
    freq: Floats | None,
    names: tuple[str, ...] = BINARY,
) -> Floats:
    """Judge B models of a binary outcome.

    Parameters
    ----------
    y : array of shape (n,)
        0 or 1.
    risk, predictor : arrays of shape (B, n)
        Predicted risk and log odds.
    freq : array of shape (n,) or (B, n), or None
        Whole numbers.
    names : tuple of k str
        Of :data:`BINARY`; what none of them needs is not computed.

    Returns
    -------
    array of shape (B, k)
        Without both outcomes missing, but for the Brier score, Spiegelhalter's z and the
        Hosmer-Lemeshow statistic; what rests on the slope is missing with identical predictions
        or separated outcomes.

    Notes
    -----
    ``nagelkerke_r2`` takes the risks as they are; ``r2``, D, U and Q take them recalibrated, as
    Harrell defines them: D = (LR - 1) / n, U = (-2 log L of the risks as they are - that of the
    recalibrated ones - 2) / n, Q = D - U; g and gp are Gini's mean differences of the recalibrated
    log odds and risks.

    References
    ----------
    Harrell FE (2015). Regression Modeling Strategies, 2nd ed. Springer, sections 5.3 and 10.9.
    Austin PC, Steyerberg EW (2019). The integrated calibration index (ICI) and related metrics.
    Statistics in Medicine 38:4051-4065.
    """
    scores = _Scores(y, risk, predictor, freq, names)
    table = np.column_stack([np.broadcast_to(scores[name], len(risk)) for name in names])
    both = np.array([name not in _OF_ONE_KIND for name in names])
    table[np.ix_(~np.broadcast_to(scores.mixed, len(risk)), both)] = np.nan
    return np.where(np.isfinite(table), table, np.nan)


class _Scores:
    """The indices of B models, each computed when it is asked for."""

    def __init__(
        self,
        y: Floats,
        risk: Floats,
        predictor: Floats,
        freq: Floats | None,
        names: tuple[str, ...],
    ) -> None:
        self.quantiles = not _QUANTILES.isdisjoint(names)
        self.sorts = not _SORTED.isdisjoint(names)
        self.y, self.risk, self.predictor, self.freq = y, risk, predictor, freq
        self.weight = np.ones((1, y.size)) if freq is None else np.atleast_2d(freq)
        total = self.weight.sum(axis=1)
        events = self.weight @ y
        self.mixed = (events > 0.0) & (events < total)

    def __getitem__(self, name: str) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Floats = getattr(self, f"_{name}")()
        return found

    @cached_property
    def ordered(self) -> Ordered:
        return in_order(self.y, self.risk, self.freq)

    @cached_property
    def rows(self) -> tuple[Floats, Floats, Floats | None]:
        """Outcomes, risks and weights; if sorted anyway, without the rows that are lacking."""
        if self.freq is None or not self.sorts:
            return self.y, self.risk, self.freq
        return self.ordered.y, self.ordered.x, self.ordered.w

    @cached_property
    def areas(self) -> Floats:
        return area_of(self.ordered)

    @cached_property
    def likelihoods(self) -> LogLikelihoods:
        """Log-likelihoods of the risks as they are, and of no model."""
        return log_likelihoods(*self.rows)

    @cached_property
    def logits(self) -> list[Logits]:
        return logit_blocks(*self.rows)

    @cached_property
    def line(self) -> tuple[Floats, Floats]:
        """Joint intercept and slope; missing where there is no line."""
        line = line_of(self.logits)
        good = line.status == OK
        return np.where(good, line.intercept, np.nan), np.where(good, line.slope, np.nan)

    @cached_property
    def recalibrated(self) -> Ordered:
        """Log odds after recalibration, in order; 0 where there is no line."""
        intercept, slope = (np.where(self.unlined, 0.0, part) for part in self.line)
        return in_order(self.y, intercept[:, None] + slope[:, None] * self.predictor, self.freq)

    @cached_property
    def unlined(self) -> NDArray[np.bool_]:
        """Whether there is no line."""
        return np.isnan(self.line[1])

    @cached_property
    def again(self) -> Floats:
        """Log-likelihood after recalibration."""
        rows = self.recalibrated
        against = rows.x * (1.0 - 2.0 * rows.y)
        loss = np.exp(-np.abs(against))
        loss += 1.0
        np.log(loss, out=loss)
        loss += np.clip(against, 0.0, None)
        return np.where(self.unlined, np.nan, -np.vecdot(rows.w, loss))

    @cached_property
    def errors(self) -> Floats:
        """ICI, E50, E90, Emax (B, 4)."""
        return ici_of(self.ordered, quantiles=self.quantiles)

    def _auc(self) -> Floats:
        return self.areas

    def _dxy(self) -> Floats:
        return 2.0 * self.areas - 1.0

    def _brier(self) -> Floats:
        return brier(*self.rows)

    def _brier_scaled(self) -> Floats:
        return brier_scaled(*self.rows)

    def _nagelkerke_r2(self) -> Floats:
        return self.likelihoods.nagelkerke

    def _intercept(self) -> Floats:
        return level_of(self.logits).intercept

    def _slope(self) -> Floats:
        return self.line[1]

    def _joint_intercept(self) -> Floats:
        return self.line[0]

    def _ici(self) -> Floats:
        return self.errors[:, 0]

    def _e50(self) -> Floats:
        return self.errors[:, 1]

    def _e90(self) -> Floats:
        return self.errors[:, 2]

    def _emax(self) -> Floats:
        return self.errors[:, 3]

    def _spiegelhalter_z(self) -> Floats:
        return spiegelhalter(*self.rows)

    def _hosmer_lemeshow(self) -> Floats:
        return hosmer_lemeshow_of(self.ordered)

    def _r2(self) -> Floats:
        return self.likelihoods.nagelkerke_of(self.again)

    def _d(self) -> Floats:
        return np.asarray((2.0 * (self.again - self.likelihoods.null) - 1.0) / self.likelihoods.n)

    def _u(self) -> Floats:
        return np.asarray((2.0 * (self.again - self.likelihoods.risk) - 2.0) / self.likelihoods.n)

    def _q(self) -> Floats:
        return self._d() - self._u()

    def _g(self) -> Floats:
        return self._gini(self.recalibrated.x)

    def _gp(self) -> Floats:
        return self._gini(expit(self.recalibrated.x))

    def _gini(self, values: Floats) -> Floats:
        return np.where(self.unlined, np.nan, mean_difference(values, self.recalibrated.w))
