"""Tests that both backends agree: results, errors, signatures, instruction sets."""
