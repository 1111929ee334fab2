"""Trained agents for other runtimes: torch programs, ONNX, neuromorphic graphs."""
