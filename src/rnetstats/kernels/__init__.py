"""Batched estimators that know NumPy alone: a single fit is a batch of one."""
