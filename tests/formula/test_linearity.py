"""Splines as a straight line and the rest: the same model, with linearity a set of zeros."""

from __future__ import annotations

import numpy as np
import pytest

from rnetstats.formula.design import Design, model_frame
from rnetstats.formula.linearity import linear_first
from support import assert_close, case, read


def design_of(right: str) -> Design:
    return model_frame(read("birthwt.csv"), f"low ~ {right}").design


@pytest.mark.parametrize(
    ("right", "term"),
    [
        ("age + rcs(lwt, 5)", "rcs(lwt, 5)"),
        ("age + ns(lwt, 3)", "ns(lwt, 3)"),
        ("ns(log(lwt), 2) + smoke", "ns(log(lwt), 2)"),
        ("ns(lwt, 2)*C(race)", "ns(lwt, 2)"),
    ],
)
def test_the_first_column_is_a_straight_line(right: str, term: str) -> None:
    design = design_of(right)
    change = linear_first(design.spec)
    X = design.X @ change.transform
    assert np.linalg.matrix_rank(change.transform) == len(design.names)
    place = design.spec.term(term)
    bends = [column for column in change.nonlinear[term] if column < place.stop]
    assert bends == list(range(place.start + 1, place.stop))
    x = read("birthwt.csv")["lwt"].to_numpy(dtype=float)
    x = np.log(x) if "log" in term else x
    line = X[:, place.start]
    np.testing.assert_allclose(line - line[0], x - x[0], atol=1e-8 * np.ptp(x))


def test_a_skewed_variable_is_a_straight_line_too() -> None:
    """Its knots lie within a hundredth of the range, where an even grid has hardly a point."""
    z = np.exp(2.0 * np.random.default_rng(3).normal(size=300))
    design = model_frame({"y": np.arange(300) % 2, "z": z}, "y ~ ns(z, 4)").design
    line = design.X @ linear_first(design.spec).transform[:, 1]
    np.testing.assert_allclose(line - line[0], z - z[0], atol=1e-8 * np.ptp(z))


def test_interactions_follow_their_parts() -> None:
    design = design_of("ns(lwt, 3)*C(race)")
    change = linear_first(design.spec)
    X = design.X @ change.transform
    main, race = design.spec.term("ns(lwt, 3)"), design.spec.term("C(race)")
    joined = design.spec.term("ns(lwt, 3):C(race)")
    products = [
        X[:, s] * X[:, r]
        for r in range(*race.columns.indices(99))
        for s in range(main.start, main.stop)
    ]
    np.testing.assert_allclose(X[:, joined.columns], np.column_stack(products), atol=1e-10)
    lines = {main.start, joined.start, joined.start + 3}
    columns = {*range(main.start, main.stop), *range(joined.start, joined.stop)}
    assert set(change.nonlinear) == {main.name}
    assert set(change.nonlinear[main.name]) == columns - lines


def test_each_of_two_splines_that_meet_is_bent_by_its_own_columns() -> None:
    design = design_of("rcs(age, 3)*ns(lwt, 3)")
    change = linear_first(design.spec)
    X = design.X @ change.transform
    first, second, joined = design.spec.terms
    for own, other in ((first, second), (second, first)):
        bends = {
            column
            for column in range(joined.start, joined.stop)
            for bend in range(own.start + 1, own.stop)
            for with_ in range(other.start, other.stop)
            if np.allclose(X[:, column], X[:, bend] * X[:, with_], rtol=1e-9, atol=1e-9)
        }
        assert len(bends) == (own.df - 1) * other.df
        expected = bends | set(range(own.start + 1, own.stop))
        assert set(change.nonlinear[own.name]) == expected


def test_terms_without_a_spline_stay() -> None:
    design = design_of("age*smoke + C(race)")
    change = linear_first(design.spec)
    assert change.nonlinear == {}
    np.testing.assert_array_equal(change.transform, np.eye(len(design.names)))


def test_wald_test_of_linearity_of_r() -> None:
    values = case("logistic_ml", "birthwt_rcs4")["values"]
    columns = list(linear_first(design_of("age + rcs(lwt, 4)").spec).nonlinear["rcs(lwt, 4)"])
    coef = np.array(list(values["coef"].values()))[columns]
    vcov = np.array(values["vcov"])[np.ix_(columns, columns)]
    assert_close(coef @ np.linalg.solve(vcov, coef), values["wald_nonlinear_chi2"])
