"""Maps of value and policy are of what they say: the value of the states at their points, whatever the code."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.encoders.hashed_tiles import HashedTiles
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.training.monitoring import figures

LOW, HIGH = (-1.0, 0.0, 0.0, -3.0), (1.0, 0.0, 2.0, 3.0)  # the second number does not vary
SPACE = gym.spaces.Box(-np.inf, np.inf, (4,))
ACTIONS = gym.spaces.Discrete(2)


def learnt(code: str = "hashed", high: tuple[float, ...] = HIGH, **changes) -> Agent:
    """Two agents after 60 steps at random places."""
    settings = {"encoder.code": code, "encoder.low": LOW, "encoder.high": high, **changes}
    agent = Agent(override(AgentConfig(), settings), SPACE, ACTIONS, seeds=(0, 1))
    random, none = np.random.default_rng(0), np.zeros((2, 1), bool)
    places = random.uniform(-1.0, 1.0, (61, 2, 1, 4))
    agent.begin(places[0])
    for place in places[1:]:
        agent.step(Transition(place, place[..., 0], none, none))
    return agent


def image(figure, panel=0):
    return figure.axes[panel].get_images()[0]


@pytest.mark.parametrize("dims", [(0, 2), (3, 0)])
def test_a_map_of_the_default_code_has_the_values_of_its_points(dims):
    agent = learnt()
    assert isinstance(agent.encoder, HashedTiles)
    drawn = image(figures.policy_maps(agent, SPACE, dims))
    (x0, y0), (x1, y1) = ([ends[d] for d in dims] for ends in (LOW, HIGH))
    assert drawn.get_extent() == [x0, x1, y0, y1]
    values = np.asarray(drawn.get_array())
    assert values.shape == (figures.GRID, figures.GRID)
    middle = (np.array(LOW) + HIGH) / 2
    for row, column in ((0, 0), (0, 20), (7, 13), (20, 4)):
        place = middle.copy()
        place[list(dims)] = x0 + (x1 - x0) * column / 20, y0 + (y1 - y0) * row / 20
        assert values[row, column] == pytest.approx(agent.value(np.tile(place, (2, 1, 1)))[0, 0].item(), abs=1e-6)
    assert np.ptp(values) > 0.0


def test_what_drives_the_neurons_is_the_same_however_few_points_are_worked_on_at_a_time(monkeypatch):
    agent = learnt()
    whole = [np.asarray(image(figures.receptive_fields(agent, SPACE, (0, 2)), k).get_array()) for k in range(2)]
    monkeypatch.setattr(figures, "AT_ONCE", 1)
    singly = [np.asarray(image(figures.receptive_fields(agent, SPACE, (0, 2)), k).get_array()) for k in range(2)]
    np.testing.assert_allclose(whole, singly, atol=1e-7)
    assert np.ptp(whole) > 0.0
    weight = agent.layer.weight[0, :8].mean(0)
    place = (np.array(LOW) + HIGH) / 2
    drive = torch.dot(agent.coded(np.tile(place, (2, 1, 1)))[0, 0], weight) * agent.parts.p_max
    assert whole[0][10, 10] == pytest.approx(drive.item(), abs=1e-7)


def test_a_code_without_such_dimensions_has_no_map():
    agent = learnt()
    assert figures.policy_maps(agent, SPACE, (0, 4)) is None
    assert figures.policy_maps(agent, SPACE, (0, 1)) is None
    assert figures.receptive_fields(agent, gym.spaces.Dict(x=SPACE), (0, 2)) is None


def test_a_critic_of_spikes_is_not_asked_for_minutes():
    agent = learnt(modulator="td-spiking", **{"modulation.critic_neurons": 4})
    drawn = figures.policy_maps(agent, SPACE, (0, 2))
    assert not drawn.axes[0].axison
    assert drawn.axes[1].get_images()
