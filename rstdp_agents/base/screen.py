"""Settings for SDL, with which many environments draw: without them it reports errors where nothing is wrong.

Settings of the user stay.
"""

from __future__ import annotations

import os
import sys


def prepare() -> None:
    """No sound, and no window if there is no screen."""
    os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
    if not is_there():
        draw_unseen()


def draw_unseen() -> None:
    """No window, whether or not there is a screen: pictures are only recorded."""
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")


def is_there() -> bool:
    """Whether there is a screen."""
    own = sys.platform in ("win32", "darwin", "cygwin")
    return own or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
