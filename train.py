"""Train spiking agents on a Gymnasium environment: python train.py --help."""

import sys

from rstdp_agents.tools.cli import main

if __name__ == "__main__":
    sys.exit(main())
