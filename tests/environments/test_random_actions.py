"""Random actions keep to the mask that an observation shows."""

import numpy as np
import pytest

from rstdp_agents.codecs.decoders.build import build_decoder
from rstdp_agents.codecs.decoders.options import DecoderConfig
from rstdp_agents.codecs.observation_layout import MASK
from rstdp_agents.environments.random_actions import entries, random_action
from tests.environments.zoo import ACTIONS


def flat(space, action):
    """One for every value that an action chooses, as a mask has them."""
    if hasattr(space, "spaces"):
        parts = [(space[key], action[key]) for key in (space.keys() if hasattr(space, "keys") else range(len(space)))]
        return np.concatenate([flat(*part) for part in parts])
    if not hasattr(space, "n") and not hasattr(space, "nvec"):
        return np.zeros(0)
    values, start = np.ravel(action), np.ravel(getattr(space, "start", 0))
    sizes = np.ravel(space.nvec) if hasattr(space, "nvec") else [2] * values.size if space.shape else [space.n]
    return np.concatenate([np.eye(n)[v] for n, v in zip(sizes, (values - start).astype(int), strict=True)])


@pytest.mark.parametrize("name", [name for name in ACTIONS if name not in ("unbounded",)])
def test_only_what_is_allowed_is_chosen(name):
    space, random = ACTIONS[name], np.random.default_rng(0)
    space.seed(0)
    assert entries(space) == build_decoder(space, DecoderConfig()).actions
    for _ in range(30):
        mask = (flat(space, space.sample()) + (random.random(entries(space)) < 0.2) > 0).astype(np.int8)
        action = random_action(space, {"observation": 0, MASK: mask})
        assert space.contains(action)
        assert (mask[flat(space, action) > 0] == 1).all()


def test_all_that_is_allowed_is_chosen():
    space = ACTIONS["multi-discrete"]
    space.seed(0)
    seen = {tuple(random_action(space, {MASK: np.array([1, 0, 1, 0, 1, 1, 0])})) for _ in range(60)}
    assert seen == {(a, b) for a in (1, 3) for b in (1, 2)}
    assert len({tuple(random_action(space, 0)) for _ in range(300)}) == 12
