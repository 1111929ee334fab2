"""Every equation once: for numbers, lanes of sixteen, and tensors."""
