"""Tests of publisher."""
