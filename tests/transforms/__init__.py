"""Tests of transforms and of the whole operation: plans, columns, batches, threads."""
