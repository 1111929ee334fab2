"""Foundations: errors, checks, settings, plug-ins, files, compiled code."""
