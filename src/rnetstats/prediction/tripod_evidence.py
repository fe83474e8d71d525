"""What the checklist is filled from: a model, its recipe, its validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnetstats.prediction.model import RiskModel
from rnetstats.prediction.published import PUBLISHED
from rnetstats.prediction.recipe import Recipe
from rnetstats.prediction.validation_result import ValidationResult

__all__ = ["Evidence"]


@dataclass(frozen=True)
class Evidence:
    """The objects at hand; any of the last three may be absent."""

    model: RiskModel
    validation: ValidationResult | None = None
    recipe: Recipe | None = None
    decision: Any = None

    @property
    def counts(self) -> str:
        """Patients and events of the model."""
        about = self.model.summary
        if "n" not in about:
            return ""
        by = about.get("n_events_by_horizon")
        until = "" if by is None else f" ({by:,.0f} by {self.model.horizon:g})"
        return f"{about['n']:,.0f} patients, {about['n_events']:,.0f} with the outcome{until}"

    @property
    def method(self) -> str:
        """The method of validation."""
        return "" if self.validation is None else str(self.validation.summary["method"])

    @property
    def published(self) -> bool:
        """Whether the model was typed in, so that nothing is known of its patients."""
        return self.model.method.startswith(PUBLISHED)

    @property
    def same_patients(self) -> bool:
        """Whether the data called external are those of the model."""
        return self.validation is not None and bool(self.validation.options.get("same_patients"))
