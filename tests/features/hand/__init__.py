"""Edits by hand: what is edited, and how."""
