"""Links of risks, by hand and at their ends."""

from __future__ import annotations

import numpy as np
import pytest

from rnetstats.kernels.links import cloglog, logit, with_intercept


def test_links_by_hand() -> None:
    assert logit(np.array(0.2)) == pytest.approx(np.log(0.25))
    assert cloglog(np.array(1 - np.exp(-2.0))) == pytest.approx(np.log(2.0))


def test_links_are_finite_and_monotone_at_the_ends() -> None:
    ends = np.array([0.0, 1e-9, 0.5, 1 - 1e-9, 1.0])
    for link in (logit, cloglog):
        assert np.isfinite(link(ends)).all()
        assert (np.diff(link(ends)) > 0).all()


def test_the_constant_stands_first() -> None:
    columns = np.arange(12.0).reshape(2, 3, 2)
    found = with_intercept(columns)
    assert found.shape == (2, 3, 3)
    assert (found[..., 0] == 1.0).all()
    np.testing.assert_array_equal(found[..., 1:], columns)
