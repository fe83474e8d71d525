"""Models of risk from what is no fit of this package: published numbers, or an estimator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from rnetstats._core.frame import Data
from rnetstats._core.options import choice, level
from rnetstats.errors import OptionError

__all__ = ["ModelSources"]


class ModelSources:
    """The ways to make a RiskModel without a fit."""

    @classmethod
    def from_coefficients(
        cls,
        formula: str,
        coefficients: Mapping[str, Any],
        *,
        intercept: float | None = None,
        baseline_survival: float | None = None,
        horizon: float | None = None,
        scale: str = "coefficient",
        levels: Mapping[str, Sequence[Any]] | None = None,
        ranges: Mapping[str, tuple[float, float]] | None = None,
        centre: Mapping[str, float] | None = None,
        covariance: Any = None,
        labels: Mapping[str, str] | None = None,
        source: str = "",
        conf_level: float = 0.95,
    ) -> Self:
        """Make a model of published coefficients.

        Parameters
        ----------
        formula : str
            ``"y ~ method + I(nlr > 4.44) + rcs(size_mm, knots=[5, 8, 12, 20])"``; splines with
            their knots.
        coefficients : mapping
            By column: ``"nlr"``, ``"I(nlr > 4.44)"`` or ``"nlr > 4.44"``, ``"method[ESD]"``; a
            factor or spline also as a mapping of levels or a list.
        intercept : float, optional
            Of a logistic model: the log odds, whatever the scale of the coefficients; with
            ``centre`` those of a patient there.
        baseline_survival, horizon : float, optional
            Of a Cox model: survival until the horizon of a patient at ``centre``.
        scale : {"coefficient", "ratio"}
            Whether the coefficients are logarithms, or odds or hazard ratios.
        levels : mapping, optional
            Levels of each factor, the reference first.
        ranges : mapping, optional
            Smallest and largest value of each numeric variable; where none is given every value
            is taken, and a note says so.
        centre : mapping, optional
            Values by column that were taken off before multiplying (means, as a rule).
        covariance : array of shape (p, p), optional
            Of the intercept and the coefficients as they are given, in the order of the design,
            for limits of the risk; with ``centre`` that of the centred model.
        labels : mapping, optional
            Printed names.
        source : str
            Where the numbers were published.
        conf_level : float

        Raises
        ------
        FormulaError
            If the formula has no left side, or strata, clusters or offsets.
        OptionError
            If a coefficient is missing, unknown or no number, or levels, knots, the intercept or
            the baseline are.

        Examples
        --------
        >>> import rnetstats as rn
        >>> model = rn.RiskModel.from_coefficients(
        ...     "event ~ size_mm", {"size_mm": 0.08}, intercept=-4.0, ranges={"size_mm": (1, 20)}
        ... )
        >>> model.predict({"size_mm": [10.0]})["risk"].round(3).tolist()
        [0.039]
        """
        from rnetstats.prediction.published import published_fields
        from rnetstats.prediction.published_coefficients import by_name, read_labels

        if not isinstance(source, str):
            raise OptionError(f"source is a text, not {source!r}.")
        fields = published_fields(
            formula,
            coefficients,
            intercept=intercept,
            baseline_survival=baseline_survival,
            horizon=horizon,
            scale=scale,
            levels=by_name("levels", levels),
            ranges=by_name("ranges", ranges),
            centre=by_name("centre", centre),
            covariance=covariance,
            source=source,
        )
        options = {"conf_level": level(conf_level), "scale": scale, "source": source}
        make: Callable[..., Self] = cls
        return make(**fields, labels=read_labels(labels), options=options)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        data: Data,
        formula: str,
        *,
        features: str = "columns",
        event: Any = None,
    ) -> Self:
        """Make a model of anything with ``predict_proba``.

        Parameters
        ----------
        estimator : object
            Fitted; ``predict_proba(X)`` gives a column a class.
        data : DataFrame or mapping of columns
            The patients it was fitted on: they give the domain.
        formula : str
            ``"y ~ a + b"``, the variables in the estimator's order.
        features : {"columns", "design"}
            Whether the estimator takes these columns of the data, as a DataFrame, or the
            formula's design matrix without the intercept, as an array.
        event : optional
            The class that is the event; by default the one that the formula names, as in
            ``grade == 'G2' ~ a + b``, else the second of two.

        Raises
        ------
        OptionError
            If it has no ``predict_proba``, or the class of the event is unclear or is not that of
            the formula.
        FormulaError, ColumnError, DataError
            If the formula or the data cannot be used, or its probabilities are none.

        Notes
        -----
        Only a linear model (``coef_`` and ``intercept_``, its risks those of the logistic
        function) can be saved; there are no limits of the risk.
        """
        from rnetstats.prediction.foreign import foreign_fields

        choice("features", features, ("columns", "design"))
        fields = foreign_fields(estimator, data, formula, features=features, event=event)
        make: Callable[..., Self] = cls
        return make(**fields, options={"features": features, "event": event})
