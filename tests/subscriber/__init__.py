"""Tests of subscriber."""
