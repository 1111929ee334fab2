"""The agent: its settings, parts, backends, modulators and policy."""
