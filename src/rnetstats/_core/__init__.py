"""Shared ground beneath every room: results, schema, JSON, options, random draws, columns."""
