"""The integration of Ultralytics, tried against the package itself."""
