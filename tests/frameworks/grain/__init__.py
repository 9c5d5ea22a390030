"""Grain: its own data sets and loaders, with threads and processes."""
