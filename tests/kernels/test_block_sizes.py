"""Work is cut in blocks: neither their size nor the way that is chosen for many rows matters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rnetstats.kernels.calibration_error import ici
from rnetstats.kernels.concordance import concordance
from rnetstats.kernels.concordance_many import harrell
from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.cox_standardised import mean_survival
from rnetstats.kernels.fine_gray import fit_fine_gray
from rnetstats.kernels.loess import loess
from rnetstats.kernels.maxstat import best_cut, best_cut_survival
from rnetstats.kernels.quasi_independence import conditional_tau
from rnetstats.kernels.risksets import prepare
from rnetstats.kernels.rmst import restricted_means
from rnetstats.kernels.roc import auc, delong

RNG = np.random.default_rng(12)
N, B = 40, 7
STOP = RNG.integers(1, 15, N).astype(float)
START = np.maximum(STOP - RNG.integers(1, 15, N), 0.0)
CODE = RNG.integers(0, 3, N)
EVENT = CODE == 1
X = RNG.normal(size=(N, 2)).round(1)
Y = (RNG.random(N) < 0.4).astype(float)
FREQ = RNG.multinomial(N, np.full(N, 1 / N), B)
MANY = (X[:, 0] + RNG.normal(size=(B, N))).round(1)
RISK = 1 / (1 + np.exp(-MANY))


def cox_fits() -> list[np.ndarray]:
    """Coefficients and likelihoods of seven fits at once and of one, with and without entry."""
    found = []
    for sets in (prepare(None, STOP, EVENT), prepare(START, STOP, EVENT)):
        for freq in (FREQ, FREQ[0]):
            fit = fit_cox(X, sets, freq=freq, firth=True)
            found += [fit.coef, fit.log_likelihood, fit.information]
    return found


CASES: dict[str, tuple[str, float, Callable[[], Any]]] = {
    "areas of many scores": ("roc._CELLS", 100, lambda: auc(Y, MANY, FREQ)),
    "areas of one score": ("roc._CELLS", 100, lambda: auc(Y, MANY[0], FREQ)),
    "placements": ("sorted_keys._CELLS", 7, lambda: delong(Y, MANY[0])),
    "cut-offs": ("maxstat._CELLS", 100, lambda: best_cut(Y, X[:, 0], FREQ)),
    "cut-offs of times": (
        "maxstat._CELLS",
        100,
        lambda: best_cut_survival(STOP, EVENT, X[:, 0], FREQ),
    ),
    "lowess": ("calibration_error._CELLS", 100, lambda: ici(Y, RISK, FREQ)),
    "local lines": ("local_lines._CELLS", 100, lambda: ici(Y, RISK, FREQ)),
    "rows of a loess": ("loess._NUMBERS", 100, lambda: loess(X[:, 0], Y)),
    "tau": ("quasi_independence._CELLS", 100, lambda: conditional_tau(STOP - START, STOP)),
    "mean curves": ("cox_standardised._CELLS", 100, lambda: mean_survival(MANY, MANY[:, :5] ** 2)),
    "subdistributions": (
        "fine_gray._CELLS",
        600,
        lambda: fit_fine_gray(X, STOP, CODE, freq=FREQ).coef,
    ),
    "restricted means": (
        "rmst._CELLS",
        100,
        lambda: restricted_means(STOP, EVENT, [3.0, 9.0], FREQ),
    ),
    "pairs one by one": ("concordance._FEW", 0, lambda: concordance(STOP, EVENT, X[:, 0])),
    "pairs of many": ("concordance_many._CELLS", 0, lambda: harrell(STOP, EVENT, MANY, FREQ)),
    "rows of a design": ("cox_design._CHUNK", 30, cox_fits),
    "products of columns": ("cox_design._PRODUCTS", 0, cox_fits),
    "columns of a penalty": ("cox_firth._AT_ONCE", 0, cox_fits),
    "places": ("risksets._MANY", 0, lambda: restricted_means(STOP, EVENT, 9.0, start=START)),
}


def flat(found: Any) -> np.ndarray:
    """All numbers of an answer, one after the other."""
    if hasattr(found, "__dataclass_fields__"):
        found = [getattr(found, name) for name in found.__dataclass_fields__]
    parts = found if isinstance(found, list | tuple) else [found]
    return np.concatenate([np.ravel(np.asarray(part, dtype=float)) for part in parts])


@pytest.mark.parametrize("name", CASES)
def test_the_size_of_blocks_does_not_matter(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    constant, small, work = CASES[name]
    whole = flat(work())
    monkeypatch.setattr(f"rnetstats.kernels.{constant}", small)
    np.testing.assert_allclose(flat(work()), whole, rtol=1e-12, atol=1e-12)
    assert np.isfinite(whole).any()
