"""Table 1, two-group tests and exact methods."""
