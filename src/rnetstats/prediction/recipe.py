"""The whole way from data to a model, as a frozen description that can be repeated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rnetstats import __version__
from rnetstats._core.frame import Data
from rnetstats._core.options import choice, positive_int, real
from rnetstats.errors import FormulaError, OptionError, ReadError, RnetError
from rnetstats.formula.parser import as_formula
from rnetstats.formula.terms import Formula, Plain
from rnetstats.prediction.recipe_model import fit_recipe, refit_of_recipe
from rnetstats.prediction.refit import Refit
from rnetstats.prediction.risk_model import RiskModel
from rnetstats.prediction.selection import Selection
from rnetstats.regression.penalty import prior_name, read_strength

__all__ = ["Recipe", "recipe"]

_SCHEMA = 1
_SHRINK = (None, "heuristic", "bootstrap", "ridge-aic", "ridge-cv")


@dataclass(frozen=True)
class Recipe:
    """How a model is made; see :func:`recipe`.

    Attributes
    ----------
    formula : str
        Outcome and candidate terms.
    impute : int or None
        Imputations of missing values for the model itself; each resample, and each test, is
        imputed once.
    cut : dict of str to (str or float)
        Variables that are dichotomised, and how their cut-off is found.
    select : dict or None
        ``method`` and ``alpha`` (None for Akaike's criterion).
    shrink : str or None
    penalty : str or None
    horizon : float or None
        For a model of a time: that of its risks.
    m : float or None
        Strength of log-F priors, in patients.
    """

    formula: str
    impute: int | None = None
    cut: Mapping[str, str | float] | None = None
    select: Mapping[str, Any] | None = None
    shrink: str | None = None
    penalty: str | None = "firth"
    horizon: float | None = None
    m: float | None = None

    def fit(self, data: Data, *, seed: int | None = None) -> RiskModel:
        """Carry the recipe out on data.

        Parameters
        ----------
        data : DataFrame or mapping of columns
            Never changed.
        seed : int, optional
            For imputation and shrinkage by resampling.

        Returns
        -------
        RiskModel
            With the chosen terms, cut-offs and knots in its formula; the notes say what was
            chosen.

        Raises
        ------
        FormulaError, ColumnError, DataError
            If the formula or the data cannot be used.
        TooFewEventsError
            If no model can be made of these data.
        """
        return fit_recipe(self, data, seed)

    def refit(self, data: Data, *, horizon: float | None = None) -> Refit:
        """Return what repeats the recipe in resamples of the data."""
        return refit_of_recipe(self, data, self.horizon if horizon is None else horizon)

    @property
    def selection(self) -> Selection | None:
        """The rule by which terms are selected."""
        if self.select is None:
            return None
        alpha = self.select["alpha"]
        return Selection(self.select["method"], float("nan") if alpha is None else alpha)

    def steps(self) -> tuple[str, ...]:
        """Say each step in words, in order."""
        said = [f"Formula: {self.formula}."]
        if self.impute:
            said.append(f"Missing values: {self.impute} imputations by chained equations.")
        for name, how in (self.cut or {}).items():
            where = f"at {how:g}" if isinstance(how, float) else f"where {how} puts it"
            said.append(f"{name} is dichotomised {where}.")
        if self.select is not None:
            alpha = self.select["alpha"]
            rule = "Akaike's criterion" if alpha is None else f"P <= {alpha:g}"
            kind = {
                "univariable": "Terms are screened one by one",
                "backward": "Terms are eliminated backward",
            }[self.select["method"]]
            said.append(f"{kind} ({rule}).")
        said.append(self._fitted())
        if self.shrink:
            said.append(f"Slopes are shrunken ({self.shrink}).")
        return tuple(said)

    def _fitted(self) -> str:
        left = as_formula(self.formula).outcome
        if left is not None and left.times:
            how = {"firth": "Firth's penalised likelihood", None: "maximum likelihood"}
            prior = "" if self.m is None else f"{prior_name(self.m)} priors on every coefficient"
            return f"Fit: Cox regression, {prior or how[self.penalty]}."
        if self.penalty == "firth":
            return "Fit: Firth's penalised likelihood, the intercept re-estimated (FLIC)."
        if self.m is not None:
            return f"Fit: {prior_name(self.m)} priors on every coefficient but the intercept."
        return "Fit: maximum likelihood."

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as strict JSON types; ``m`` only where there are priors."""
        fields = asdict(self)
        if self.m is None:
            del fields["m"]
        return {
            "type": "Recipe",
            "schema_version": _SCHEMA,
            "package_version": __version__,
            "fields": fields,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Recipe:
        """Rebuild a recipe from :meth:`to_dict`.

        Raises
        ------
        RnetError
            If the dictionary holds something else, is of a later schema, or is damaged.
        """
        kind = stored.get("type") if isinstance(stored, Mapping) else type(stored).__name__
        if kind != "Recipe":
            raise RnetError(f"This dictionary holds a {kind!r}, not a Recipe.")
        try:
            if int(stored.get("schema_version", 0)) > _SCHEMA:
                raise RnetError(
                    f"This Recipe was written with schema {stored['schema_version']}, which is "
                    f"newer than the {_SCHEMA} of rnetstats {__version__}. Upgrade the package."
                )
            fields = dict(stored["fields"])
            return recipe(fields.pop("formula"), **fields)
        except RnetError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ReadError(
                f"This Recipe is damaged: {type(error).__name__} ({error}). Write it again."
            ) from None


def recipe(
    formula: str | Formula,
    *,
    impute: int | None = None,
    cut: Mapping[str, str | float] | None = None,
    select: str | Mapping[str, Any] | None = None,
    shrink: str | None = None,
    penalty: str | None = "firth",
    m: float | None = None,
    horizon: float | None = None,
) -> Recipe:
    """Describe how a model is made, so that :func:`rnetstats.validate` can repeat all of it.

    Parameters
    ----------
    formula : str
        Outcome and candidate terms, ``"margin_positive ~ method + nlr + rcs(size_mm, 4)"``.
        Knots that are not named are placed anew in every resample.
    impute : int, optional
        Number of imputations for missing values; without it rows with missing values are left
        out.
    cut : mapping, optional
        For each numeric term to be dichotomised ``"youden"``, ``"maxstat"``, or a given number
        (``x > number``).
    select : {None, "univariable", "backward"} or mapping, optional
        Terms with P <= .05 one by one, as many studies do (no interactions), or backward
        elimination (Wald; the parts of an interaction stay as long as it does);
        ``{"method": "backward", "alpha": 0.157}``, ``alpha=None`` for Akaike's criterion.
    shrink : {None, "heuristic", "bootstrap", "ridge-aic", "ridge-cv"}
        Uniform shrinkage of the slopes, or ridge with its penalty by Akaike's criterion or
        cross-validation; the intercept, or of a time the baseline hazard, is re-estimated. A ridge
        takes the place of ``penalty``. The amount is unstable in small samples:
        :func:`rnetstats.shrink` shows by how much.
    penalty : {"firth", "log-f", None}
        Firth's penalty with the intercept re-estimated (FLIC), log-F priors on every coefficient
        but the intercept (Greenland and Mansournia 2015), or maximum likelihood.
    m : float, optional
        Of ``penalty="log-f"``: what the prior of a coefficient is worth in patients; 1 by default.
        It is per unit of each column as coded.
    horizon : float, optional
        For ``Surv()``: the time of the risks, in the units of the data.

    Returns
    -------
    Recipe

    Raises
    ------
    FormulaError, OptionError
        If a step is unknown or does not suit the formula.

    Examples
    --------
    >>> import rnetstats as rn
    >>> study = rn.recipe(
    ...     "margin_positive ~ method + location + nlr + size_mm",
    ...     cut={"nlr": "youden", "size_mm": "youden"},
    ...     select="univariable",
    ... )
    >>> study.steps()[1]
    'nlr is dichotomised where youden puts it.'
    """
    parsed = as_formula(formula)
    if parsed.outcome is None:
        raise FormulaError(f"{str(parsed)!r} has no left side: a recipe needs an outcome.")
    if parsed.strata or parsed.cluster or parsed.offsets:
        raise FormulaError("A recipe takes no strata(), cluster() or offset().")
    if not parsed.terms:
        raise FormulaError("A recipe needs at least one candidate term.")
    choice("shrink", shrink, _SHRINK)
    if isinstance(m, Mapping):
        raise OptionError("m= of a recipe is one number for all terms, as in m=2.")
    strength = read_strength(penalty, m)
    if impute is not None:
        impute = positive_int("impute", impute)
    if parsed.outcome.times:
        if len(parsed.outcome.times) > 1:
            raise FormulaError("A recipe takes Surv(time, event), without late entry.")
    elif horizon is not None:
        raise OptionError("horizon= belongs to a model of a time, Surv(time, event).")
    return Recipe(
        formula=str(parsed),
        impute=impute,
        cut=_cut(parsed, cut),
        select=_select(parsed, select),
        shrink=shrink,
        penalty=penalty,
        horizon=None if horizon is None else real("horizon", horizon, low=0.0, closed=False),
        m=strength if isinstance(strength, float) else None,
    )


def _cut(parsed: Formula, cut: Mapping[str, Any] | None) -> dict[str, str | float] | None:
    if not cut:
        return None
    if not isinstance(cut, Mapping):
        raise OptionError("cut= is a mapping, as in cut={'nlr': 'youden', 'size_mm': 10}.")
    plain = {atom.column for term in parsed.terms for atom in term if isinstance(atom, Plain)}
    found: dict[str, str | float] = {}
    given: Mapping[str, Any] = cut
    for name, how in given.items():
        if name not in plain:
            raise OptionError(
                f"cut= names {name!r}, which is no plain term of the formula; its plain terms are "
                f"{', '.join(sorted(plain)) or 'none'}."
            )
        if isinstance(how, str):
            choice(f"cut[{name!r}]", how, ("youden", "maxstat"))
            if how == "youden" and parsed.outcome is not None and parsed.outcome.times:
                raise OptionError("A cut-off for a time is searched by 'maxstat', not 'youden'.")
            found[name] = how
        else:
            found[name] = real(f"cut[{name!r}]", how)
    return found


def _select(parsed: Formula, select: str | Mapping[str, Any] | None) -> dict[str, Any] | None:
    if select is None:
        return None
    given = dict(select) if isinstance(select, Mapping) else {"method": select}
    if not isinstance(given.get("method"), str):
        given = {}
    unknown = set(given) - {"method", "alpha"}
    if unknown or "method" not in given:
        raise OptionError(
            "select= is 'univariable', 'backward', or a mapping of method and alpha, as in "
            "{'method': 'backward', 'alpha': 0.157}."
        )
    choice("select", given["method"], ("univariable", "backward"))
    if given["method"] == "univariable" and any(len(term) > 1 for term in parsed.terms):
        raise FormulaError(
            "An interaction has no univariable test, by which select='univariable' would keep it: "
            "select='backward' keeps its parts with it, or join the terms by '+'."
        )
    alpha: Any = given.get("alpha", 0.05)
    if alpha is not None:
        alpha = real("alpha", alpha, low=0.0, high=1.0, closed=False)
    elif given["method"] == "univariable":
        raise OptionError("alpha=None (Akaike's criterion) is for backward elimination.")
    return {"method": given["method"], "alpha": alpha}
