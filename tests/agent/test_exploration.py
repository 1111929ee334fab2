"""How random actions are is learnt from what they bring."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.agent.exploration import Exploration
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.decoders import PopulationDecoder
from rstdp_agents.codecs.decoders.build import build_decoder
from rstdp_agents.codecs.decoders.options import DecoderConfig
from rstdp_agents.codecs.transition import Transition
from tests.environments.zoo import ACTIONS

F64, CPU = torch.float64, torch.device("cpu")
LINE = gym.spaces.Box(-1.0, 1.0, (1,), np.float64)
SEEDS = tuple(range(4))


def steps(lr):
    return DecoderConfig(temperature_lr=lr, exploration_lr=lr)


def exploration(space, lr=0.1, agents=2, envs=3, decay=0.8):
    decoder = build_decoder(space, DecoderConfig(neurons_per_action=4)).to(CPU, F64)
    return Exploration(decoder, steps(lr), torch.ones(agents, dtype=F64), decay, envs)


def act(e, i=0):
    agents, envs, _ = e.trace.shape
    torch.manual_seed(i)
    rates = e.decoder.rates((torch.rand(10, agents, envs, e.decoder.size) < 0.3).double())
    return e.act(rates, torch.rand(agents, envs, e.decoder.draws, dtype=F64), None)


@pytest.mark.parametrize("name", ["discrete", "multi-discrete", "box", "dict"])
def test_every_component_has_a_sharpness_and_a_trace_of_its_pushes(name):
    e = exploration(ACTIONS[name])
    decoder = e.decoder
    assert e.sharpness.shape == (2, decoder.components)
    act(e, 0)
    first = e.trace.clone()
    torch.manual_seed(1)
    rates = decoder.rates((torch.rand(10, 2, 3, decoder.size) < 0.3).double())
    uniform = torch.rand(2, 3, decoder.draws, dtype=F64)
    push = decoder.decide(rates, uniform, None, e.sharpness[:, None]).push
    assert push.shape == first.shape
    act(e, 1)
    torch.testing.assert_close(e.trace, 0.8 * first + push)
    done = torch.tensor([[True, False, False], [False, False, True]])
    e.reset(done)
    assert (e.trace[done] == 0).all()
    assert (e.trace[~done] != 0).all()


@pytest.mark.parametrize(
    ("name", "lr"), [("discrete", [0.1]), ("multi-discrete", [0.1, 0.1]), ("box", [0.2, 0.2]), ("dict", None)]
)
def test_choices_and_noise_have_step_sizes_of_their_own(name, lr):
    p = DecoderConfig(neurons_per_action=4, temperature_lr=0.1, exploration_lr=0.2)
    decoder = build_decoder(ACTIONS[name], p).to(CPU, F64)
    e = Exploration(decoder, p, torch.tensor([1.0, 0.5], dtype=F64), 0.8, 1)
    if lr is None:
        assert 0 < decoder.choices < decoder.components
        lr = [0.1] * decoder.choices + [0.2] * (decoder.components - decoder.choices)
    assert e.lr[0].tolist() == lr
    assert torch.equal(e.lr[1], e.lr[0] / 2)


def test_step_sizes_that_are_changed_count_in_compiled_code_too():
    """As `benchmarks.players.RandomSign` changes them."""
    config = override(
        AgentConfig(), {"encoder.code": "place-cells", "encoder.cells": (3,), "decoder.exploration_lr": 0.05}
    )
    agent = Agent(config, LINE, LINE, seeds=SEEDS, backend="fused")
    agent.parts.exploration.lr[:2] = 0.0
    Still(False).live(agent, 50)
    sharpness = agent.parts.exploration.sharpness[:, 0]
    assert (sharpness[:2] == 0.0).all()
    assert (sharpness[2:] != 0.0).all()


def test_envs_share_what_is_learnt_and_agents_do_not():
    e = exploration(LINE)
    act(e)
    m = torch.tensor([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0]], dtype=F64)
    e.learn(m)
    assert e.sharpness[0].item() == pytest.approx(0.1 * (m[0] * e.trace[0, :, 0]).mean().item())
    assert e.sharpness[1].item() == 0.0
    assert e.learnt().keys() == {"exploration.sharpness"}


def test_sharper_is_more_probable_and_less_noisy():
    e = exploration(gym.spaces.Discrete(2))
    rates = torch.tensor([[[0.5, 0.4]] * 3] * 2, dtype=F64)
    before = e.decoder.policy(rates, None, e.sharpness[:, None])[0, 0, 0]
    e.sharpness += 1.0
    after = e.decoder.policy(rates, None, e.sharpness[:, None])[0, 0, 0]
    expected = [1.0 / (1.0 + np.exp(-10.0 * scale * 0.1)) for scale in (1.0, np.e)]
    assert [before.item(), after.item()] == pytest.approx(expected)
    noisy = exploration(LINE, agents=1, envs=20_000)
    widths = []
    for sharpness in (0.5, 1.5):
        noisy.sharpness.fill_(sharpness)
        widths.append(act(noisy)[0].std().item())
    assert widths[0] > 1.5 * widths[1]


class Still:
    """One step an episode; the reward is minus (or, if ``wide``, plus) the size of the action."""

    def __init__(self, wide):
        self.sign = 1.0 if wide else -1.0

    def live(self, agent, steps):
        obs, none = np.zeros((len(SEEDS), 1, 1)), np.zeros((len(SEEDS), 1), bool)
        action = agent.begin(obs)
        for _ in range(steps):
            action = agent.step(Transition(obs, self.sign * np.abs(action[..., 0]), ~none, none))
        return agent


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["fused", "torch"])
def test_noise_shrinks_where_it_costs_and_grows_where_it_pays(backend):
    settings = {
        "encoder.code": "place-cells", "encoder.cells": (3,), "plasticity.lr": 0.0, "decoder.exploration": 0.4,
        "decoder.exploration_lr": 0.01, "modulation.novelty": 0.0,
    }  # fmt: skip
    found = []
    for wide, scale in ((False, 1.0), (True, 1.0), (False, 0.0)):
        config = override(AgentConfig(), settings)
        agent = Agent(config, LINE, LINE, seeds=SEEDS, backend=backend, lr_scale=torch.full((4,), scale))
        found.append(Still(wide).live(agent, 1500).parts.exploration.sharpness[:, 0])
    shrunk, grown, twin = found
    assert (shrunk > 0.3).all()
    assert (grown < -0.1).all()
    assert (twin == 0.0).all()


def test_a_decoder_that_cannot_explore_is_left_alone():
    decoder = build_decoder(LINE, DecoderConfig())

    class Own:
        size, draws, actions = decoder.size, decoder.draws, 0
        rates, choose, greedy, to = decoder.rates, decoder.choose, decoder.greedy, decoder.to

    e = Exploration(Own(), steps(0.1), torch.ones(1, dtype=F64), 0.8, 1)
    assert e.sharpness.shape == (1, 0)
    rates, uniform = torch.rand(1, 1, decoder.size, dtype=F64), torch.rand(1, 1, 2, dtype=F64)
    action, gate = e.act(rates, uniform, None)
    assert torch.equal(action, decoder.choose(rates, uniform)[0])
    assert torch.equal(e.choose(rates, uniform, None), action)
    assert gate.shape == rates.shape
    e.learn(torch.ones(1, 1))


def test_a_decoder_with_a_choice_of_its_own_chooses_by_it():
    class First(PopulationDecoder):
        def choose(self, rates, uniform, allowed=None):
            return torch.zeros(rates.shape[:2], dtype=torch.long), None

    class Sharp(PopulationDecoder):
        def decide(self, rates, uniform, allowed, sharpness):
            return super().decide(rates, uniform, allowed, sharpness + 9.0)

    rates, uniform = torch.tensor([[[0.1, 0.9]]]), torch.tensor([[[0.5]]])
    own, derived = (Exploration(kind(2), steps(0.1), torch.ones(1), 0.8, 1) for kind in (First, Sharp))
    assert own.act(rates, uniform, None) == (torch.zeros(1, 1), None)
    assert own.sharpness.shape == (1, 0)
    assert derived.act(rates, uniform, None)[0].item() == 1
    assert derived.sharpness.shape == (1, 1)
