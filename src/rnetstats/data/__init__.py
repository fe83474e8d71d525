"""Reading cohorts, codebooks and checks."""
