"""The integration of Supervision, tried against the package itself."""
