"""What holds for all tests."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side, and what they compute is small
