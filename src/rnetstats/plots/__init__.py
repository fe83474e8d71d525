"""Figures from frames and strings."""
