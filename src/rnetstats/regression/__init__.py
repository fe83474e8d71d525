"""Logistic and Cox regression, separation, term tests."""
