"""``python -m rstdp_agents``: the same as train.py."""

import sys

from rstdp_agents.tools.cli import main

if __name__ == "__main__":
    sys.exit(main())
