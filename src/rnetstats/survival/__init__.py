"""Kaplan-Meier, log-rank and follow-up."""
