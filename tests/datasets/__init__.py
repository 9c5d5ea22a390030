"""Tests of reading, pairing and writing data sets."""
