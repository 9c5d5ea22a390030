"""Integration tried against the real package; see `tests.frameworks`."""
