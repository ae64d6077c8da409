"""Tests of publisher.pipeline."""
