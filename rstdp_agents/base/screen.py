"""What SDL, by which many environments draw, is told of this machine: else it says errors where all is well.

What the user has set stays.
"""

from __future__ import annotations

import os
import sys


def prepare() -> None:
    """No sound, and no window where there is no screen to show it."""
    os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
    if not is_there():
        draw_unseen()


def draw_unseen() -> None:
    """No window, whether or not there is a screen: pictures are only taken."""
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")


def is_there() -> bool:
    """Whether a window would be seen."""
    own = sys.platform in ("win32", "darwin", "cygwin")
    return own or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
