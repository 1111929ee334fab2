import pytest
import torch

from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.agent.modulators import Step
from rstdp_agents.agent.spiking_critic import SpikingCritic
from rstdp_agents.base.settings import override
from rstdp_agents.spiking.agent_random import AgentRandom
from rstdp_agents.spiking.neurons import LIF
from tests.agent.test_agent import transition
from tests.helpers import cartpole_agent, experience, observations

CPU, F32 = torch.device("cpu"), torch.float32


def critic(agents=1, envs=1, inputs=2, **changes):
    settings = {"modulation.gamma": 0.0, "modulation.critic_lr": 0.002, "modulation.value_scale": 20.0, **changes}
    config = override(AgentConfig(), settings)
    random, s = AgentRandom(tuple(range(agents)), CPU, F32), config.simulation
    return SpikingCritic(
        config.modulation, (agents, envs, inputs), random, neuron=LIF(), plasticity=config.plasticity, ticks=s.ticks,
        dt=s.dt, rate_max=config.encoder.rate_max,
    )  # fmt: skip


def one_hot(state, inputs=2):
    return torch.nn.functional.one_hot(torch.tensor([[state]]), inputs).float()


def mean_value(td, state):
    return td.value(one_hot(state).expand(1, 400, 2)).mean().item()


def test_values_of_either_sign_are_learnt_from_spikes():
    td = critic()
    for i in range(600):
        state = i % 2
        reward = torch.tensor([[4.0 if state else -3.0]])
        td(Step(reward, torch.ones(1, 1), one_hot(state), one_hot(1 - state)))
        td.reset(torch.ones(1, 1, dtype=torch.bool))
    assert mean_value(td, 1) == pytest.approx(4.0, abs=0.8)
    assert mean_value(td, 0) == pytest.approx(-3.0, abs=0.8)


def test_the_modulator_is_the_td_error_of_what_the_spikes_say():
    td = critic(**{"modulation.gamma": 0.9, "modulation.value_init": 5.0, "modulation.critic_lr": 0.0})
    ones = torch.ones(1, 1)
    errors = torch.stack([td(Step(2 * ones, 0 * ones, one_hot(0), one_hot(1)))[0, 0] for _ in range(400)])
    assert errors.mean().item() == pytest.approx(2.0 + 0.9 * 5.0 - 5.0, abs=0.3)
    last = torch.stack([td(Step(2 * ones, ones, one_hot(0), one_hot(1)))[0, 0] for _ in range(400)])
    assert last.mean().item() == pytest.approx(2.0 - 5.0, abs=0.3)


def test_noise_of_a_value_cancels_over_an_episode_and_starts_anew_with_the_next():
    """Without discount and reward the errors sum to V(last) - V(first): the windows in between leave nothing."""
    td = critic(**{"modulation.gamma": 1.0, "modulation.critic_lr": 0.0, "modulation.value_init": 5.0})
    step = Step(torch.zeros(1, 1), torch.zeros(1, 1), one_hot(0), one_hot(0))
    td(step)
    first = td.claimed.clone()
    errors = torch.stack([td(step) for _ in range(100)])
    assert errors.std() > 0.1
    torch.testing.assert_close(errors.sum(0), td.claimed - first, atol=1e-4, rtol=0.0)
    last = td.claimed.clone()
    td.reset(torch.ones(1, 1, dtype=torch.bool))
    error = td(step)
    begun = td.claimed - error
    assert (begun - last).abs() > 1e-3


def test_looking_at_a_value_changes_nothing():
    td = critic(2)
    before, stream = {name: t.clone() for name, t in td.tensors().items()}, td._random.state()
    first, again = (td.value(torch.rand(2, 3, 2, generator=torch.Generator().manual_seed(0))) for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(stream, td._random.state())
    assert all(torch.equal(t, before[name]) for name, t in td.tensors().items())


def test_an_agent_with_a_spiking_critic_has_the_same_bits_alone_and_in_a_population():
    settings = {"modulator": "td-spiking", "modulation.critic_neurons": 8}
    population, alone = cartpole_agent(range(4), 2, **settings), cartpole_agent([2], 2, **settings)
    assert population.backend == cartpole_agent(backend="auto", **settings).backend == "torch"
    together = experience(population, transition)
    assert torch.equal(
        torch.from_numpy(together[:, 2:3]), torch.from_numpy(experience(alone, transition, rows=slice(2, 3)))
    )
    for name, tensor in alone.tensors().items():
        torch.testing.assert_close(population.tensors()[name][2:3], tensor, rtol=1e-5, atol=1e-6)
    assert alone.value(observations(1, 5)).shape == (1, 5)


@pytest.mark.parametrize(("field", "value"), [("critic_neurons", 1), ("value_scale", 0.0)])
def test_impossible_critics_are_refused(field, value):
    with pytest.raises(ValueError, match=f"`{field}`"):
        critic(**{f"modulation.{field}": value})
