"""What people run: the command line, exports, sweeps and demonstrations."""
