"""Statistical reanalysis of small, rare-event clinical cohorts.

Names are loaded on first use: ``import rnetstats`` alone imports no third-party module.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    # data
    "Codebook": "data.codebook",
    "load_cohort": "data.embedded",
    "read_cohort": "data.read",
    "write_codebook": "data.template",
    # tables
    "exact_proportion": "tables.exact_proportion",
    "exact_rate": "tables.exact_rate",
    "exact_rate_ratio": "tables.exact_rate_ratio",
    "exact_table": "tables.exact_table",
    "table_one": "tables.table_one",
    # survival
    "follow_up": "survival.follow_up",
    "intervals_from_schedule": "survival.visits",
    "intervals_from_visits": "survival.visits",
    "cumulative_incidence": "survival.cumulative_incidence",
    "gray_test": "survival.gray_test",
    "kaplan_meier": "survival.kaplan_meier",
    "logrank": "survival.logrank",
    "sufficient_follow_up": "survival.sufficient",
    "turnbull": "survival.turnbull",
    "milestone": "survival.milestone",
    "right_truncated": "survival.right_truncation",
    "rmst": "survival.rmst",
    # regression
    "cox": "regression.cox",
    "exact_logistic": "regression.exact_logistic",
    "fine_gray": "regression.fine_gray",
    "interval_regression": "regression.interval",
    "logistic": "regression.logistic",
    "parametric": "regression.parametric",
    "separation": "regression.separation",
    "time_varying_effect": "regression.time_varying",
    "univariable": "regression.univariable",
    # missing
    "complete_and_imputed": "missing.complete_and_imputed",
    "impute": "missing.impute",
    "missing_patterns": "missing.patterns",
    "pool": "missing.pool",
    "pool_estimates": "missing.pool_estimates",
    # treatment
    "bias_analysis": "treatment.bias_analysis",
    "tipping_point": "treatment.tipping_point",
    "immortal_time": "treatment.immortal_time",
    "equivalence": "treatment.equivalence",
    "noninferiority": "treatment.equivalence",
    "schedule_sensitivity": "treatment.schedule",
    "split_at_treatment": "treatment.split",
    "treatment_effect": "treatment.effect",
    "e_value": "treatment.e_value",
    "detectable_effect": "treatment.detectable_effect",
    "few_events": "treatment.few_events",
    "fragility": "treatment.fragility",
    "no_events": "treatment.no_events",
    "swimmer": "treatment.swimmer",
    "adjusted_survival": "treatment.adjusted_survival",
    "propensity": "treatment.propensity",
    # prediction
    "RiskModel": "prediction.model",
    "bootstrap": "prediction.bootstrap",
    "bootstrap_limits": "prediction.bootstrap",
    "calibration": "prediction.calibration",
    "decision_curve": "prediction.net_benefit",
    "discrimination": "prediction.discrimination",
    "risk_model": "prediction.risk_model",
    "shrink": "prediction.shrinkage",
    "recipe": "prediction.recipe",
    "stability": "prediction.stability",
    "tripod_checklist": "prediction.tripod",
    "validate": "prediction.validation",
    "cut_resolution": "prediction.resolution",
    "cutpoint": "prediction.cutpoints",
    "dichotomising_cost": "prediction.dichotomising",
    "sample_size": "prediction.sample_size",
    "sample_size_validation": "prediction.sample_size_validation",
    "supported_parameters": "prediction.sample_size_support",
    # simulation
    "draw_cohort": "simulation.draw",
    # evidence
    "audit": "evidence.audit",
    "meta_analysis": "evidence.meta",
    "meta_proportions": "evidence.proportions",
    "read_facts": "evidence.facts",
    "information_size": "evidence.information_size",
    "reconstruct_survival": "evidence.reconstruct",
    "event_splits": "evidence.worlds_splits",
    "matching_counts": "evidence.worlds_counts",
    "matching_tables": "evidence.worlds_tables",
    "tables_from_odds_ratio": "evidence.worlds_odds_ratio",
    # studies
    "not_curative": "studies.cha2019.definitions",
    "classify": "studies.management.classify",
    "guideline_disagreement": "studies.management.disagreement",
    "guidelines": "studies.management.guidelines",
    "treatment_threshold": "studies.management.threshold",
    # report
    "calculator": "report.calculator",
    "overview": "report.overview",
    "reproduce": "report.reproduce",
}

__all__ = ["__version__", "errors", *_HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    """Load a public name (PEP 562) and keep it for the next use."""
    if name == "errors":
        return import_module("rnetstats.errors")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'rnetstats' has no attribute {name!r}")
    value = getattr(import_module(f"rnetstats.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
