"""Tests of the library in the habits of other frameworks; each says which package it needs."""
