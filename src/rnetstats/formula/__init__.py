"""The formula language: from text and a table to outcomes, groups and design matrices."""
