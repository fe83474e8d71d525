"""Tables: baseline characteristics, two-group tests, exact methods for small counts."""
