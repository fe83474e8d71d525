"""Drawing cohorts whose truth is known."""
