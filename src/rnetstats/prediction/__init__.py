"""Risk models: made, validated, calibrated and judged by net benefit."""
