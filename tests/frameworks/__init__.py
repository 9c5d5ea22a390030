"""Integrations tried against the real packages, each in an environment of its own: ``python -m tests.frameworks``."""
