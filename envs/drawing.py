"""Pictures of coloured cells: all that these environments need to be seen."""

from __future__ import annotations

import numpy as np

SIZE = 24
"""Pixels along a cell."""
WALL, FLOOR, LIGHT, AGENT = (40, 40, 40), (215, 215, 215), (250, 200, 0), (50, 110, 220)
RIGHT, WRONG = (40, 170, 80), (210, 60, 50)


def blank(rows: int, columns: int, colour: tuple[int, int, int] = FLOOR) -> np.ndarray:
    """Cells ``(rows, columns, 3)`` of one colour, uint8."""
    return np.full((rows, columns, 3), colour, dtype=np.uint8)


def picture(cells: np.ndarray) -> np.ndarray:
    """Cells ``(rows, columns, 3)`` -> picture ``(rows * SIZE, columns * SIZE, 3)``, with a dark line on two sides of a cell."""
    pixels = cells.repeat(SIZE, 0).repeat(SIZE, 1)
    pixels[::SIZE], pixels[:, ::SIZE] = WALL, WALL
    return pixels


def verdict(reward: float) -> tuple[int, int, int]:
    """Colour of an answer that brought ``reward``."""
    return RIGHT if reward > 0 else WRONG
