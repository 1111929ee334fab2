"""Observations and actions of any space as rows of numbers."""
