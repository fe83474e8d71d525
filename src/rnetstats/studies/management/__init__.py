"""The question-and-answer page on one patient, and the guidelines behind it."""
