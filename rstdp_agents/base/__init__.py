"""What everything stands on: errors, checks, settings, plug-ins, files, compiled code."""
