"""The formula language and the design matrix."""
