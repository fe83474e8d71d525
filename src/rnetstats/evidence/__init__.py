"""Evidence: facts as data, audit, possible worlds, reconstruction, meta-analysis."""
