"""Pictures of coloured cells, or of discs in a square: all that these environments need to be seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SIZE = 24
"""Pixels along a cell."""
SIDE = 192
"""Pixels along a square from -1 to 1."""
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
    """Colour of an answer that earned ``reward``."""
    return RIGHT if reward > 0 else WRONG


def field(colour: tuple[int, int, int] = FLOOR) -> np.ndarray:
    """A square from -1 to 1 in one colour: picture ``(SIDE, SIDE, 3)``, uint8."""
    return np.full((SIDE, SIDE, 3), colour, dtype=np.uint8)


def disc(pixels: np.ndarray, centre: np.ndarray | Sequence[float], radius: float, colour: tuple[int, int, int]) -> None:
    """Paint a disc into a `field`; ``centre`` (x, y) with y upwards, and ``radius``, in units of the square."""
    axis = (np.arange(SIDE) + 0.5) * (2 / SIDE) - 1
    inside = (axis - centre[0]) ** 2 + (-axis[:, None] - centre[1]) ** 2 <= radius**2
    pixels[inside] = colour
