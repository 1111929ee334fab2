"""The critic of spiking neurons: what it says, what it learns, and that compiled code says and learns the same."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.agent.modulators import Step, TDError
from rstdp_agents.agent.spiking_critic import SpikingCritic, fire_together
from rstdp_agents.base.settings import override
from tests.agent.fused.test_engine import transition
from tests.helpers import cartpole_agent, experience, observations

CPU, F32 = torch.device("cpu"), torch.float32
SMALL = {"modulator": "td-spiking", "modulation.critic_neurons": 8}


def critic(agents=1, envs=1, inputs=2, dale=False, **changes):
    settings = {f"modulation.{name}": value for name, value in {"gamma": 0.0, "novelty": 0.0, **changes}.items()}
    config = override(AgentConfig(), settings)
    s = config.simulation
    return SpikingCritic(
        config.modulation, (agents, envs, inputs), CPU, F32, ticks=s.ticks, dt=s.dt, rate_max=config.encoder.rate_max,
        dale=dale, layout=(inputs,),
    )  # fmt: skip


def one_hot(state, inputs=2):
    return torch.nn.functional.one_hot(torch.tensor([[state]]), inputs).float()


def last(reward, state, td):
    """The only step of an episode: its error."""
    delta = td(Step(torch.tensor([[reward]]), torch.ones(1, 1), one_hot(state), one_hot(state)))
    td.reset(torch.ones(1, 1, dtype=torch.bool))
    return delta.item()


def one_spike(td):
    """The value of one spike of a population in a window."""
    c = td.constants
    return td.reach.item() / (2 * c.tonic * c.half * td.ticks)


def test_as_many_neurons_fire_as_bring_the_mean_to_one_half_and_those_of_the_highest_potential():
    potential = torch.tensor([[0.1, 0.9, 0.7, 0.8, 1.2, 0.3], [0.0, 0.5, 0.4, 0.6, 0.2, 0.1]])
    spike, after = fire_together(potential)
    assert spike.tolist() == [[0, 0, 0, 0, 1, 0], [0] * 6]
    torch.testing.assert_close(after, potential - spike)
    spike, _ = fire_together(potential + 0.35)
    assert spike.sum(1).tolist() == [3, 0]
    assert spike[0].nonzero()[:, 0].tolist() == [1, 3, 4]


def test_of_neurons_with_equal_potentials_no_more_fire_than_are_due():
    """As after a long silence, which leaves all of them at the lower bound."""
    spike, _ = fire_together(torch.full((1, 6), 0.75))
    assert spike.tolist() == [[1, 0, 0, 0, 0, 0]]
    agents = [cartpole_agent(backend=backend, **SMALL) for backend in ("torch", "fused")]
    for agent in agents:
        agent.tensors()["critic.potential"].fill_(-1.0)
        agent.begin(observations(1, 1, 77))
        for i in range(10):
            agent.step(transition(1, 1, i))
        calcium = agent.modulator.calcium
        assert 0.0 < (calcium.amax(-1) - calcium.amin(-1)).max() < 2.0, "they take turns"
    expected, got = (agent.modulator.calcium.sum(-1) for agent in agents)
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("neurons", [8, 64])
def test_what_a_population_says_is_rounded_to_one_spike_however_many_neurons_it_has(neurons):
    td = critic(critic_neurons=neurons)
    td.reach[:] = 10.0
    for value in (0.0, 3.3, -7.7):
        td.weight[:, 0], td.weight[:, 1] = value, -value
        said = torch.stack([td._say(one_hot(0), torch.ones(1, 1, dtype=torch.bool)).value for _ in range(50)])
        assert (said - value).abs().max() < 2 * one_spike(td) + 1e-3
        assert said.mean().item() == pytest.approx(value, abs=2 * one_spike(td) / 50 + 1e-3)


def test_a_visit_removes_its_share_of_an_error_of_either_sign():
    td = critic(critic_lr=0.3)
    for state, reward in ((0, 4.0), (1, -3.0)):
        td.reach[:] = 10.0
        first = last(reward, state, td)
        assert first == pytest.approx(reward, abs=2 * one_spike(td))
        assert last(reward, state, td) == pytest.approx(0.7 * reward, abs=4 * one_spike(td))


def test_values_are_learnt_and_learning_stops_where_the_learning_rate_is_zero():
    td, frozen = critic(), critic(critic_lr=0.0)
    for i in range(100):
        for each in (td, frozen):
            last(4.0 if i % 2 else -3.0, i % 2, each)
    assert td.value(torch.cat([one_hot(0), one_hot(1)], 1))[0].tolist() == pytest.approx([-3.0, 4.0], abs=0.15)
    assert frozen.value(one_hot(1)).item() == pytest.approx(0.0, abs=0.01)
    assert not frozen.weight.any()


def test_neurons_learn_the_same_from_a_state_however_few_spikes_each_fires_in_it():
    td = critic()
    td.reach[:] = 4.0
    for i in range(100):
        last(2.0 if i % 2 else -2.0, i % 2, td)
    torch.testing.assert_close(td.weight, td.weight[:, :, :1].expand_as(td.weight))
    torch.testing.assert_close(td.weight[0, 0, 0], torch.tensor([-2.0, 2.0]), atol=0.02, rtol=0.0)


def test_neurons_that_have_been_silent_for_long_do_not_learn():
    td = critic()
    td.reach[:], td.weight[:, 0], td.weight[:, 1] = 1.0, 2.0, -2.0
    before = td.weight.clone()
    assert last(0.5, 0, td) == pytest.approx(0.5 - 1.5, abs=0.1), "one population says 1.5, the other is silent"
    assert (td.weight[:, 0, :, 0] < before[:, 0, :, 0]).all()
    assert torch.equal(td.weight[:, 1], before[:, 1])


@pytest.mark.parametrize(("calcium", "learns"), [(0.106, True), (0.105, False)])
def test_calcium_lasts_for_200_ms(calcium, learns):
    """A window of 10 ms leaves 0.951 of it; a tenth of a spike's is enough."""
    td = critic()
    td.reach[:], td.weight[:, 0], td.weight[:, 1], td.calcium[:] = 1.0, 2.0, -2.0, calcium
    before = td.weight.clone()
    last(0.5, 0, td)
    assert torch.equal(td.weight[:, 1], before[:, 1]) is not learns


def test_a_checkpoint_holds_calcium_and_balance():
    assert {"critic.calcium", "critic.balance"} <= set(critic().tensors())


def test_errors_go_back_along_the_trace_as_those_of_a_linear_critic():
    """A walk through five states to a reward of 1, of which a linear critic of the same settings learns the same."""
    settings = {"gamma": 0.9, "lambda_": 0.8, "critic_neurons": 256}
    td = critic(inputs=5, **settings)
    linear = TDError(td.p, (1, 1, 5), CPU, F32)
    for _ in range(25):
        for state in range(5):
            end, reward = torch.tensor([[float(state == 4)]]), torch.tensor([[float(state == 4)]])
            for each in (td, linear):
                each(Step(reward, end, one_hot(state, 5), one_hot(min(state + 1, 4), 5)))
        for each in (td, linear):
            each.reset(torch.ones(1, 1, dtype=torch.bool))
    states = torch.eye(5)[None]
    torch.testing.assert_close(td.value(states), linear.value(states), atol=0.03, rtol=0.0)
    torch.testing.assert_close(linear.value(states)[0], 0.9 ** torch.arange(4.0, -1.0, -1.0), atol=0.03, rtol=0.0)


def test_the_modulator_is_the_td_error_of_what_the_spikes_say():
    td = critic(gamma=0.9, value_init=5.0, critic_lr=0.0)
    ones = torch.ones(1, 1)
    assert td(Step(2 * ones, 0 * ones, one_hot(0), one_hot(1))).item() == pytest.approx(2.0 + 0.9 * 5.0 - 5.0, abs=0.1)
    assert td(Step(2 * ones, ones, one_hot(0), one_hot(1))).item() == pytest.approx(2.0 - 5.0, abs=0.1)


def test_a_state_that_an_error_leads_to_is_worth_at_once_what_the_error_has_made_of_it():
    td, stay = critic(gamma=0.9), Step(torch.full((1, 1), 10.0), torch.zeros(1, 1), one_hot(0), one_hot(0))
    td(stay)
    # the share critic_lr of an error of 10, to which nothing is rounded
    assert td.said.item() == pytest.approx(3.0, abs=1e-4)
    td(stay)
    assert td.said.item() == pytest.approx(td.value(one_hot(0)).item(), abs=3 * one_spike(td))


def test_what_was_said_of_the_next_state_is_where_the_next_error_starts():
    """Without discount and reward the errors sum to V(last) - V(first): the windows in between leave nothing."""
    td = critic(gamma=1.0, critic_lr=0.0, value_init=5.0, critic_neurons=6)
    td.reach[:], td.weight[:, 0] = 10.0, 3.3
    step = Step(torch.zeros(1, 1), torch.zeros(1, 1), one_hot(0), one_hot(1))
    td(step)
    first = td.said.clone()
    errors = torch.stack([td(step) for _ in range(100)])
    assert errors.std() > 0.01
    torch.testing.assert_close(errors.sum(0), td.said - first, atol=1e-4, rtol=0.0)
    assert not td.silent.any()
    td.reset(torch.ones(1, 1, dtype=torch.bool))
    assert td.silent.all()
    assert not td.trace.any()


def test_under_dales_law_values_of_either_sign_are_learnt():
    td = critic(inputs=4, dale=True)
    both = torch.tensor([[[0.5, 0.5, 0.0, 0.0]]])
    for i in range(60):
        state, reward = (both, 2.0) if i % 2 else (both.flip(-1), -2.0)
        td(Step(torch.tensor([[reward]]), torch.ones(1, 1), state, state))
        td.reset(torch.ones(1, 1, dtype=torch.bool))
    assert td.value(torch.cat([both, both.flip(-1)], 1))[0].tolist() == pytest.approx([2.0, -2.0], abs=0.2)


def test_under_dales_law_what_excites_and_what_inhibits_share_an_error_and_neither_goes_beyond_its_balance():
    td = critic(inputs=2, dale=True, critic_lr=1.0)
    both = torch.tensor([[[0.5, 0.5]]])
    td.reach[:] = 4.0
    for reward in (1.0, 1.0, -1.0):
        td(Step(torch.tensor([[reward]]), torch.ones(1, 1), both, both))
        td.reset(torch.ones(1, 1, dtype=torch.bool))
        mean = td.weight.mean(2)
        torch.testing.assert_close(mean[..., 0], mean[..., 1], atol=0.05, rtol=0.0)
    td.weight[:], td.reach[:] = torch.tensor([-5.0, 5.0]), 2.0
    td(Step(torch.zeros(1, 1), torch.ones(1, 1), both, both))
    assert (td.weight[..., 0] == -td.balance.float()).all()
    assert (td.weight[..., 1] == td.balance.float()).all()


@pytest.mark.parametrize("envs", [1, 3])
def test_compiled_code_says_what_torch_says_across_the_ends_of_episodes(envs):
    settings = {**SMALL, "modulation.value_init": 2.0, "modulation.tau_reach": 2.0}
    both = [cartpole_agent(range(2), envs, backend=backend, **settings) for backend in ("torch", "fused")]
    for agent in both:
        agent.begin(observations(2, envs, 77))
    for i in range(60):
        for agent in both:
            agent.step(transition(2, envs, i))
        expected, got = (agent.modulator for agent in both)
        torch.testing.assert_close(got.said, expected.said, rtol=1e-4, atol=1e-5, msg=str(i))
        torch.testing.assert_close(got.reach, expected.reach, rtol=1e-5, atol=1e-9, msg=str(i))
        assert (expected.said[expected.silent] == 2.0).all(), "of a state of which nothing has been said"


def test_values_are_looked_up_in_parts():
    td, states = critic(2), torch.rand(2, 40, 2, generator=torch.Generator().manual_seed(0))
    td.weight.normal_(generator=torch.Generator().manual_seed(1))
    td.reach[:] = 10.0
    alone = torch.cat([td.value(states[:, i : i + 1]) for i in range(40)], 1)
    assert torch.equal(td.value(states), alone)


def test_looking_at_a_value_changes_nothing():
    td = critic(2)
    before = {name: t.clone() for name, t in td.tensors().items()}
    first, again = (td.value(torch.rand(2, 3, 2, generator=torch.Generator().manual_seed(0))) for _ in range(2))
    assert torch.equal(first, again)
    assert all(torch.equal(t, before[name]) for name, t in td.tensors().items())


@pytest.mark.parametrize("value_init", [10.0, -5.0, 0.0])
def test_values_far_from_rewards_are_learnt_and_leave_nothing_behind(value_init):
    """A reward of 1 at the end of every episode, which are cut off after a step: the value is 1 / (1 - gamma)."""
    td = critic(gamma=0.9, value_init=value_init)
    for _ in range(400):
        td(Step(torch.ones(1, 1), torch.zeros(1, 1), one_hot(0), one_hot(0)))
        td.reset(torch.ones(1, 1, dtype=torch.bool))
    assert td.value(one_hot(0)).item() == pytest.approx(10.0, abs=0.3)
    assert td.weight.abs().max() < 40.0


def test_under_dales_law_the_channels_of_an_image_have_signs():
    agent = Agent(
        override(AgentConfig(), {**SMALL, "network.dale": True, "network.conv": ((2, 3, 1),)}),
        gym.spaces.Box(0, 255, (6, 4, 1), np.uint8), gym.spaces.Discrete(2), seeds=(0,),
    )  # fmt: skip
    td, random = agent.modulator, torch.Generator().manual_seed(0)
    state = torch.rand(1, 1, td.weight.shape[-1], generator=random)
    channels = td.weight.unflatten(-1, td.layout)
    channels[:, :, :, ::2], channels[:, :, :, 1::2] = -100.0, 100.0
    agent.modulator(Step(torch.ones(1, 1), torch.ones(1, 1), state, state))
    balance = td.balance.to(td.weight)
    assert (td.weight.unflatten(-1, td.layout)[:, :, :, ::2] == -balance).all()
    assert (td.weight.unflatten(-1, td.layout)[:, :, :, 1::2] == balance).all()


def test_what_is_loaded_into_an_agent_that_has_lived_is_heard():
    first, second = (cartpole_agent(backend="torch", **SMALL) for _ in range(2))
    for agent in (first, second):
        agent.begin(observations(1, 1))
        agent.step(transition(1, 1, 3)._replace(any_done=False))
    done = np.ones((1, 1), dtype=bool)
    first.reset(done)
    for name, tensor in second.tensors().items():
        tensor.copy_(first.tensors()[name])
    for agent in (first, second):
        agent.parts.m = agent.modulator(Step(torch.ones(1, 1), torch.zeros(1, 1), *[torch.ones(1, 1, 270) / 270] * 2))
    assert torch.equal(first.m, second.m)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"modulation.critic_hz": 600.0}, "critic_hz"),
        ({"encoder.rate_max": 20.0}, "encoder.rate_max"),
        ({"modulation.critic_hz": 25.0, "modulation.critic_neurons": 8}, "critic_neurons"),
    ],
)
def test_critics_that_could_say_or_hear_nothing_are_refused(settings, name):
    with pytest.raises(ValueError, match=name):
        override(AgentConfig(), {"modulator": "td-spiking", **settings})


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_the_scale_of_rewards_is_the_scale_of_values(scale):
    ours, scaled = (critic(gamma=0.9) for _ in range(2))
    for i in range(20):
        for td, factor in ((ours, 1.0), (scaled, scale)):
            step = Step(
                torch.tensor([[factor * (i % 3 - 1.0)]]), torch.zeros(1, 1), one_hot(i % 2), one_hot((i + 1) % 2)
            )
            td(step)
    torch.testing.assert_close(scaled.weight, scale * ours.weight, rtol=1e-3, atol=1e-4 * scale)


def test_an_agent_with_a_spiking_critic_has_the_same_bits_alone_and_in_a_population():
    for backend in ("torch", "fused"):
        population, alone = (cartpole_agent(seeds, 2, backend=backend, **SMALL) for seeds in (range(4), [2]))
        together = experience(population, transition)
        assert np.array_equal(together[:, 2:3], experience(alone, transition, rows=slice(2, 3)))
        for name, tensor in alone.tensors().items():
            torch.testing.assert_close(population.tensors()[name][2:3], tensor, rtol=1e-5, atol=1e-6)
    assert cartpole_agent(backend="auto", **SMALL).backend == "fused"
    assert alone.value(observations(1, 5)).shape == (1, 5)


@pytest.mark.parametrize(
    ("field", "value"), [("critic_neurons", 1), ("critic_neurons", 5), ("critic_hz", 0.0), ("tau_reach", 0.5)]
)
def test_impossible_critics_are_refused(field, value):
    with pytest.raises(ValueError, match=f"`{field}`"):
        critic(**{field: value})
