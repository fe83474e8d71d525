"""Predicted risks of many replicates beside their logits, block by block.

A risk of exactly 0 or 1 has no logit. One that the outcome agrees with fits every intercept and
every positive slope, so that it adds nothing and is left out; where an outcome contradicts one,
nothing can be fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.blocks import block_size, part_of
from rnetstats.kernels.memory import keep_freed_memory
from rnetstats.kernels.newton import BoolArray, FloatArray

__all__ = ["Logits", "logit_blocks"]


@dataclass(frozen=True, eq=False)
class Logits:
    """Rows of b replicates.

    Attributes
    ----------
    y : array of shape (n,) or (b, n)
        0 or 1.
    odds, lp : arrays of shape (b, n)
        Odds of the predicted risk and their logarithm; 1 and 0 in rows that are left out.
    w : array of shape (b, n)
        Whole numbers; 0 in rows that are left out.
    alike : bool
        Whether every weight is 1.
    edge, wrong : bool arrays of shape (b,)
        Whether a row has a risk of exactly 0 or 1, and whether its outcome contradicts it.
    """

    y: FloatArray
    odds: FloatArray
    lp: FloatArray
    w: FloatArray
    alike: bool
    edge: BoolArray
    wrong: BoolArray

    @property
    def events(self) -> FloatArray:
        """Rows with the outcome (b,)."""
        return np.asarray(self.w @ self.y if self.y.ndim == 1 else np.vecdot(self.w, self.y))


def logit_blocks(y: ArrayLike, risk: ArrayLike, freq: ArrayLike | None = None) -> list[Logits]:
    """Divide B replicates into blocks that stay in cache.

    Parameters
    ----------
    y : array of shape (n,) or (B, n)
        0 or 1.
    risk : array of shape (n,) or (B, n)
    freq : array of shape (n,) or (B, n), optional
        Whole numbers; zero leaves a row out.

    Returns
    -------
    list of Logits
    """
    keep_freed_memory()
    y, risk = np.asarray(y, dtype=float), np.asarray(risk, dtype=float)
    freq = None if freq is None else np.asarray(freq, dtype=float)
    given = [part for part in (y, risk, freq) if part is not None and part.ndim == 2]
    size = max((len(part) for part in given), default=1)
    step = block_size(y.shape[-1])
    blocks = [slice(at, min(at + step, size)) for at in range(0, size, step)]
    return [
        _block(rows.stop - rows.start, part_of(y, rows), part_of(risk, rows), part_of(freq, rows))
        for rows in blocks
    ]


def _block(size: int, y: FloatArray, risk: FloatArray, freq: FloatArray | None) -> Logits:
    shape = (size, y.shape[-1])
    risk = np.atleast_2d(risk)
    weight = np.ones((1, shape[1])) if freq is None else np.atleast_2d(freq)
    odds = 1.0 - risk
    with np.errstate(divide="ignore"):
        np.divide(risk, odds, out=odds)
        lp = np.log(odds)
    held = wrong = np.zeros(size, dtype=bool)
    edge = ~np.isfinite(lp)
    alike = freq is None or bool((weight == 1.0).all())
    if edge.any():
        there = edge & (weight > 0.0)
        held, wrong = there.any(axis=1) | held, (there & (risk != y)).any(axis=1) | wrong
        weight, alike = np.where(edge, 0.0, weight), False
        odds[edge], lp[edge] = 1.0, 0.0
    odds, lp, weight = (np.broadcast_to(part, shape) for part in (odds, lp, weight))
    return Logits(y, odds, lp, weight, alike, held, wrong)
