"""Planes and symbols: what is other than usual in an observation of many whole numbers, alone, in pairs and all together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from rstdp_agents.codecs.encoders.base import Precise
from rstdp_agents.codecs.encoders.composite import POWER
from rstdp_agents.equations.receptive_fields import PRIME, even_rate, hash_step

DRAWN_BY = 0
"""Seed of the hashes, the same in every run."""
MOST = 64
"""Unusual numbers that count; further ones are ignored."""
FEW = 8
"""How often a thing may be there for its pairs to count; for pairs wherever they are: once."""
PAIRED = 256
"""Pairs that count; further ones are ignored."""
ALONE, PAIRS, TOGETHER, RELATIVE = 4096, 16384, 4096, 16384
"""Neurons for unusual numbers alone, in pairs, all together, and in pairs wherever they are, onto which these are hashed."""
VALUES = 1 << 16
"""Values of a number that are told apart."""
LEVELS = 17
"""Values of a number that make different things of it, from the lowest."""
ALWAYS = 0.3
"""Rate of a neuron that is always active."""
NOWHERE = -1
"""Board of a number that is on none."""
ROW = 1 << 12
"""By how much the place of a field grows from one row of a board to the next: more than boards are wide."""


class Symbol(NamedTuple):
    """A whole number of an observation."""

    column: int
    usual: float
    """The value that it has most of the time, for which no neuron fires."""
    low: float
    """Its lowest value."""
    kind: int
    """What it speaks of. Equal values of one kind are the same *thing*: the numbers of a plane are of one kind."""
    board: int = NOWHERE
    """Whose field it is, or `NOWHERE`."""
    place: int = 0
    """On the board, see `ROW`."""


class ActivePairs(Precise):
    """Cells for numbers with unusual values, for pairs of them, for pairs wherever on a board they are, and for all at once.

    A ball and a paddle on a board of a hundred fields are two numbers and one pair; how far apart they are is the same pair
    everywhere. Neurons adapt to what is there always and fire for what is not, and first for what is rare: it stands out. One
    of a pair is there `FEW` times at most; one of a pair wherever it is, once, as an agent itself is. The kinds of cells share
    the power evenly, so do the cells of a kind. Pairs by their distance, of all that there is, are in Liang and others (2016),
    "State of the art control of Atari games using shallow reinforcement learning".
    """

    def __init__(self, symbols: list[Symbol]) -> None:
        random = np.random.default_rng(DRAWN_BY)
        self.columns = torch.tensor([symbol.column for symbol in symbols])
        self.usual, self.low = (torch.tensor([symbol[i] for symbol in symbols], dtype=torch.float64) for i in (1, 2))
        self.kind, self.board, self.place = (torch.tensor([symbol[i] for symbol in symbols]) for i in (3, 4, 5))
        self.hashes = torch.from_numpy(random.integers(PRIME // 2, PRIME, 4))
        """Factors of the hash of a number, of a pair and of all together; where they begin."""
        boards = bool((self.board != NOWHERE).any())
        self.power = POWER / (4 if boards else 3)
        self.things = (int(self.kind.max()) + 1) * LEVELS
        self.size = ALONE + PAIRS + TOGETHER + 1 + (RELATIVE if boards else 0)
        self.most = MOST + PAIRED * (2 if boards else 1) + 2
        self._pairs = torch.triu_indices(MOST, MOST, 1)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """What is known of every number, ``(numbers,)`` each: column, usual and lowest value, kind, board, place; and hashes."""
        return self.columns, self.usual, self.low, self.kind, self.board, self.place, self.hashes

    def active(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        """See `base.Listed`, for rows ``(agents, envs, columns)``; two places are the same if two pairs have the same neuron."""
        rows = obs.to(self.device).reshape(*obs.shape[:2], -1)[..., self.columns].double()
        unusual = rows != self.usual
        number = torch.arange(rows.shape[-1], device=self.device)
        token = hash_step(number * VALUES, rows.long() % VALUES, self.hashes[0])
        together = self.hashes[3].expand(rows.shape[:-1])
        for i in range(rows.shape[-1]):
            together = torch.where(unusual[..., i], hash_step(together, token[..., i], self.hashes[2]), together)
        thing = self.kind * LEVELS + (rows - self.low).clamp_(0, LEVELS - 1).long()
        times = torch.zeros(*rows.shape[:2], self.things, dtype=torch.int64, device=self.device)
        times = times.scatter_add_(-1, thing, unusual.long()).gather(-1, thing)
        order = torch.where(unusual, times, VALUES).argsort(dim=-1, stable=True)[..., :MOST]
        rest = MOST - order.shape[-1]
        counts, few, once = (pad(of.gather(-1, order), (0, rest)) for of in (unusual, times <= FEW, times == 1))
        order = pad(order, (0, rest))
        first, second, both, beside = self._chosen(order, counts, few, once)
        pair = hash_step(
            hash_step(token.gather(-1, second), 0, self.hashes[1]), token.gather(-1, first), self.hashes[1]
        )
        ones = torch.ones_like(together)[..., None]
        places = [token.gather(-1, order) % ALONE, ALONE + pair % PAIRS]
        places += [ALONE + PAIRS + together[..., None] % TOGETHER, ones * (ALONE + PAIRS + TOGETHER)]
        alone, paired = (even_rate(self.power, n.sum(-1, keepdim=True).double()) for n in (counts, both))
        shares = [counts * alone, both * paired, ones * even_rate(self.power, 1.0), ones * ALWAYS]
        if self.size > ALONE + PAIRS + TOGETHER + 1:
            apart = self.place[second] - self.place[first]
            near = beside & (self.board[first] == self.board[second]) & (self.board[first] != NOWHERE)
            key = hash_step(
                hash_step(thing.gather(-1, second), 0, self.hashes[1]), thing.gather(-1, first), self.hashes[1]
            )
            where = hash_step(key, apart, self.hashes[1]) % RELATIVE
            places.append(ALONE + PAIRS + TOGETHER + 1 + where)
            shares.append(near * even_rate(self.power, _different(where, near).double()))
        return torch.cat(places, -1), torch.cat([part.to(self.dtype) for part in shares], -1)

    def rates(self, obs: Tensor) -> Tensor:
        """Rows ``(agents, envs, columns)`` -> ``(agents, envs, size)``."""
        out = torch.zeros(*obs.shape[:2], self.size, dtype=self.dtype, device=self.device)
        return out.scatter_reduce_(-1, *self.active(obs), "amax")

    def to(self, device: torch.device, dtype: torch.dtype) -> ActivePairs:
        self.device, self.dtype = device, dtype
        for name in ("columns", "usual", "low", "kind", "board", "place", "hashes", "_pairs"):
            setattr(self, name, getattr(self, name).to(device))
        return self

    def _chosen(self, order: Tensor, counts: Tensor, few: Tensor, once: Tensor) -> tuple[Tensor, ...]:
        """The first pairs ``(agents, envs, PAIRED)``: of which numbers in the row, whether they count, and wherever they are."""
        rarer, other = self._pairs
        both = counts[..., rarer] & counts[..., other] & few[..., rarer]
        chosen = both.to(torch.uint8).argsort(dim=-1, descending=True, stable=True)[..., :PAIRED]
        pair = order.gather(-1, rarer[chosen]), order.gather(-1, other[chosen])
        both = both.gather(-1, chosen)
        return torch.minimum(*pair), torch.maximum(*pair), both, both & once[..., rarer].gather(-1, chosen)


def _different(places: Tensor, valid: Tensor) -> Tensor:
    """How many different ones there are among the valid ``places (..., n)``, ``(..., 1)``."""
    ordered = torch.where(valid, places, -1).sort(-1).values
    changes = ordered.diff(dim=-1, prepend=torch.full_like(ordered[..., :1], -1)) != 0
    return changes.sum(-1, keepdim=True)
