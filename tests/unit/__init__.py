"""Tests of single classes and modules: values, checks, errors."""
