"""Limits of a pooled coefficient: which law they are of."""

from __future__ import annotations

import numpy as np
from scipy import stats

from rnetstats.evidence.meta_intervals import limits_of
from rnetstats.evidence.meta_options import PoolOptions
from support import assert_close


def test_the_wider_of_two_limits_brings_its_law() -> None:
    # Knapp's error is far smaller, then larger, then without degrees of freedom
    coef, wald, knapp = np.full(3, 0.5), np.full(3, 0.2), np.array([0.01, 0.3, 0.3])
    df = np.array([4.0, 4.0, 0.0])
    found = limits_of(coef, wald, knapp, df, PoolOptions(ci="hartung-knapp-wider"))
    z, t = stats.norm.ppf(0.975), stats.t(4).ppf(0.975)
    assert found.df.tolist() == [np.inf, 4.0, np.inf]
    assert_close(found.std_error, [0.2, 0.3, 0.2])
    assert_close(found.low, [0.5 - z * 0.2, 0.5 - t * 0.3, 0.5 - z * 0.2])
    assert_close(found.high, [0.5 + z * 0.2, 0.5 + t * 0.3, 0.5 + z * 0.2])
    assert_close(found.statistic, [2.5, 0.5 / 0.3, 2.5])
    normal, student = 2 * stats.norm.sf(2.5), 2 * stats.t(4).sf(0.5 / 0.3)
    assert_close(found.p_value, [normal, student, normal])
