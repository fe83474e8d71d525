"""Missing data: patterns, multiple imputation, and the pooling of what was fitted to it."""
