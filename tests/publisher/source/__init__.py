"""Tests of the sources: one suite for all of them, and what is special of each."""
