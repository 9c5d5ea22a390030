"""Tests of copypaste_rs; each folder says what is tested against what."""
