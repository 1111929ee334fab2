import json

import gymnasium as gym
import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.agent.tensors import restore
from rstdp_agents.base.settings import from_json, override
from rstdp_agents.codecs.encoders import bernoulli
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.spiking.agent_random import AgentRandom
from rstdp_agents.spiking.network import balanced, fed_back, mirrored
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.loop import Training
from rstdp_agents.training.presets import preset
from rstdp_agents.training.runs.checkpoint import load_checkpoint, save_checkpoint
from tests.helpers import cartpole_agent, experience, observations

DEEP = {"network.hidden": (12, 7), "network.w_init": 8.0}
IMAGE = gym.spaces.Box(0, 255, (6, 5), np.uint8)
SEEN = {"network.conv": ((3, 3, 1), (2, 2, 2)), "network.hidden": (6,), "network.w_init": 4.0}


def transition(agents, envs, seed):
    random, ended = np.random.default_rng(seed), np.zeros((agents, envs), dtype=bool)
    return Transition(observations(agents, envs, seed), random.normal(size=(agents, envs)), ended, ended)


def pictures(agents, envs, seed=0):
    return np.random.default_rng(seed).integers(256, size=(agents, envs, *IMAGE.shape), dtype=np.uint8)


def seeing_agent(seeds=(0,), envs=1, dtype=torch.float32, **changes):
    config = override(AgentConfig(), {**SEEN, **changes})
    return Agent(config, IMAGE, gym.spaces.Discrete(3), seeds=tuple(seeds), envs=envs, dtype=dtype)


def see(agent, steps=15, rows=slice(None)):
    """Actions of an agent that sees ``rows`` of what three agents would."""
    random, still = np.random.default_rng(1), np.zeros((3, agent.envs), dtype=bool)[rows]
    actions = [agent.begin(pictures(3, agent.envs)[rows])]
    for i in range(steps):
        reward = random.normal(size=(3, agent.envs))[rows]
        actions.append(agent.step(Transition(pictures(3, agent.envs, i)[rows], reward, still, still)))
    return np.stack(actions)


def test_a_network_without_hidden_layers_draws_and_computes_what_a_single_layer_does():
    agent = cartpole_agent(seeds=(3,))
    layer, random = agent.layer, AgentRandom((3,), agent.device, agent.dtype)
    start = random.uniform(16 * 270).mul(2).sub(1).mul(0.01)
    assert torch.equal(layer.weight, start.reshape(1, 16, 270))
    agent.begin(observations(1, 1))
    of_input, of_output, choice = random.windows(1, 10, (270, 16))
    pre = bernoulli(agent.coded(observations(1, 1)), of_input, 0.5)
    post, _ = layer.forward(pre, of_output, layer.neurons)
    _, gate = agent.decoder.choose(agent.decoder.rates(post), choice)
    assert all(torch.equal(*pair) for pair in zip((pre, post), agent.spikes(), strict=True))
    z = agent.eligibility()[0].clone()
    layer.reset(torch.ones(1, 1, dtype=torch.bool))
    layer.remember(pre, post, gate / expected_power(agent))  # which the input shares
    assert torch.equal(layer.pairs.z[0], z)


@pytest.mark.parametrize("credit", ["mirrored", "feedback", "broadcast", "frozen"])
def test_hidden_layers_learn_unless_they_are_frozen(credit):
    agent = cartpole_agent(range(2), 2, **DEEP, **{"network.credit": credit})
    before = [layer.weight.clone() for layer in agent.network.layers]
    experience_of_two(agent)
    changed = [not torch.equal(layer.weight, old) for layer, old in zip(agent.network.layers, before, strict=True)]
    assert changed == [credit != "frozen", credit != "frozen", True]


def expected_power(agent):
    """Sum of the squares of the spikes expected of the inputs, of an agent that began with ``observations(1, 1)``."""
    parts = agent.parts
    return (parts.coded(observations(1, 1)) * parts.p_max * parts.config.simulation.ticks).square().sum()


def experience_of_two(agent, steps=8):
    actions = [agent.begin(observations(2, 2))]
    return np.stack([*actions, *(agent.step(transition(2, 2, i)) for i in range(steps))])


def test_without_a_learning_rate_of_its_own_a_hidden_layer_is_a_fixed_random_projection():
    frozen = cartpole_agent(range(2), 2, **DEEP, **{"network.credit": "frozen"})
    still = cartpole_agent(range(2), 2, **DEEP, **{"network.credit": "broadcast", "network.lr_scale": 0.0})
    assert np.array_equal(experience_of_two(frozen), experience_of_two(still))
    assert torch.equal(frozen.layer.weight, still.layer.weight)


def test_hidden_pairs_are_gated_by_the_output_gate_through_random_feedback():
    settings = {"network.hidden": (12,), "network.w_init": 8.0, "network.credit": "feedback"}
    agent = cartpole_agent(dtype=torch.float64, **settings)
    agent.begin(observations(1, 1))
    pre, hidden, out = agent.spikes()
    _, gate = agent.decoder.choose(agent.decoder.rates(out), agent._backend._window.choice)
    layer = agent.network.hidden[0]
    own = agent.network.feedback[0][0] @ gate[0, 0]
    plain = cartpole_agent(dtype=torch.float64, **{"network.hidden": (12,), "network.credit": "broadcast"}).network
    plain.hidden[0].remember(pre, hidden, None)
    expected = own[:, None] * plain.hidden[0].pairs.z[0][0, 0] / expected_power(agent)
    torch.testing.assert_close(layer.pairs.z[0][0, 0], expected, rtol=0, atol=1e-12)
    assert layer.pairs.z[0].any()


def test_feedback_weights_are_balanced_whatever_the_number_of_outputs():
    feedback = balanced(torch.rand(1, 400, 50, generator=torch.Generator().manual_seed(0)))
    assert feedback.mean().abs() < 0.003
    assert feedback.square().sum(-1).mean().item() == pytest.approx(1.0, abs=0.02)
    gate = torch.ones(1, 2, 50)
    torch.testing.assert_close(fed_back(gate, feedback)[0, 1], feedback[0].sum(-1))


def test_mirrored_feedback_projects_the_gate_on_what_has_come_to_a_neurons_synapses():
    random = torch.Generator().manual_seed(0)
    gate, grown = torch.randn(2, 3, 4, generator=random), torch.randn(2, 4, 5, generator=random)
    by_hand = [
        [[gate[a, e] @ grown[a, :, j] / grown[a, :, j].norm() for j in range(5)] for e in range(3)] for a in range(2)
    ]
    torch.testing.assert_close(mirrored(gate, grown), torch.tensor(by_hand))
    torch.testing.assert_close(mirrored(gate, 1e-3 * grown), mirrored(gate, grown))  # their length does not count
    assert (mirrored(gate, grown).abs() <= gate.norm(dim=-1, keepdim=True) + 1e-6).all()
    assert not mirrored(gate, torch.zeros(2, 4, 5)).any()  # silent synapses say nothing


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["fused", "torch"])
def test_mirrored_feedback_is_silent_at_first_and_then_what_has_come_to_the_output(dtype):
    agent = cartpole_agent(range(2), 2, dtype, **DEEP, **{"plasticity.w_max": 0.05, "plasticity.w_min": -0.05})
    network, first = agent.network, [layer.weight.clone() for layer in agent.network.layers]
    agent.begin(observations(2, 2))
    last, before = network.hidden[-1], network.hidden[:-1]
    assert not last.eligibility()[0].any()
    assert all(layer.eligibility()[0].any() for layer in before)
    assert len(network.feedback) == len(before)
    agent.step(transition(2, 2, 0))
    agent.step(transition(2, 2, 1))
    assert torch.equal(agent.tensors()["output.origin"], first[-1])
    assert last.eligibility()[0].any()


@pytest.mark.parametrize("credit", ["mirrored", "feedback", "broadcast"])
def test_an_agent_with_hidden_layers_is_the_same_in_a_population(credit):
    changes = {**DEEP, "network.credit": credit}
    population, alone = (cartpole_agent(seeds, 2, torch.float64, **changes) for seeds in (range(4), [2]))
    together, single = experience(population, transition), experience(alone, transition, rows=slice(2, 3))
    assert np.array_equal(together[:, 2:3], single)
    for name, tensor in alone.tensors().items():
        torch.testing.assert_close(population.tensors()[name][2:3], tensor, rtol=0, atol=1e-12)


def test_an_agent_with_convolutions_is_the_same_in_a_population():
    population, alone = (seeing_agent(seeds, 2, torch.float64) for seeds in (range(3), [1]))
    assert [layer.synapse.post_shape for layer in alone.network.layers] == [(3, 4, 3), (2, 2, 1), (6,), (24,)]
    start = population.network.layers[0].weight.clone()
    assert np.array_equal(see(population)[:, 1:2], see(alone, rows=slice(1, 2)))
    for name, tensor in alone.tensors().items():
        torch.testing.assert_close(population.tensors()[name][1:2], tensor, rtol=0, atol=1e-12)
    assert not torch.equal(start, population.network.layers[0].weight)


def test_reset_of_a_row_is_fresh_in_every_layer_and_leaves_the_others_to_the_bit():
    agent, fresh = (seeing_agent(range(2), 3, **{"simulation.fresh_each_window": False}) for _ in range(2))
    agent.begin(pictures(2, 3))
    before = {name: tensor.clone() for name, tensor in agent.tensors().items()}
    done = np.array([[False, True, False], [False, False, False]])
    agent.reset(done)
    for layer in agent.network.layers:
        for name in (f"{layer.name}.{part}" for part in ("v", "refractory", "z0", "x", "y")):
            tensor = agent.tensors()[name]
            assert torch.equal(tensor[0, 1], fresh.tensors()[name][0, 1]), name
            assert torch.equal(tensor[~done], before[name][~done]), name
        assert before[f"{layer.name}.x"].any()


def test_a_checkpoint_holds_every_layer(tmp_path):
    agent, other = (seeing_agent(seeds, 2) for seeds in ([5], [6]))
    see(agent, rows=slice(0, 1))
    save_checkpoint(tmp_path / "deep.safetensors", agent.tensors(), {})
    restore(other.tensors(), load_checkpoint(tmp_path / "deep.safetensors")[0], tmp_path)
    names = {name.split(".")[0] for name in agent.tensors()}
    assert {"hidden1", "hidden2", "hidden3", "output"} <= names
    policies = [a.policy(envs=4, seeds=(7,)) for a in (agent, other)]
    rates = [policy.rates(pictures(1, 4)) for policy in policies]
    assert torch.equal(*rates)


@pytest.mark.parametrize("ticks", [10, 100])
def test_hidden_layers_run_compiled(ticks):
    assert cartpole_agent(backend="auto", **DEEP, **{"simulation.ticks": ticks}).backend == "fused"


def test_convolutions_of_what_is_no_image_are_refused_in_words():
    with pytest.raises(ValueError, match=r"`network.conv` needs observations that are images; received an encoder"):
        cartpole_agent(**{"network.conv": ((2, 3, 1),)})
    with pytest.raises(ValueError, match=r"`network.hidden and network.conv` must be positive; received 0"):
        cartpole_agent(**{"network.hidden": (0,)})


def test_every_layer_is_watched_by_name(tmp_path):
    config = override(preset("CartPole-v1", "rstdp-et"), {f"agent.{name}": value for name, value in DEEP.items()})
    config = override(config, {"total_steps": 200, "eval_episodes": 1, "progress": False, "images": 1})
    with Training(config, tmp_path) as run:
        assert run.run()
        run.finish()
    events = EventAccumulator(str(tmp_path)).Reload()
    tags = set(events.Tags()["scalars"])
    for name in ("hidden1", "hidden2", "output"):
        assert {f"activity/rate_hz/{name}", f"activity/silent_frac/{name}"} <= tags
    assert {"learn/w_mean", "learn/w_mean/hidden1", "learn/w_saturated_frac/hidden2"} <= tags
    assert {"weights/hidden1", "weights/hidden2", "weights/output"} <= set(events.Tags()["histograms"])
    assert from_json(RunConfig, json.loads((tmp_path / "config.json").read_text())) == run.config


def test_all_layers_leave_with_an_exported_agent():
    agent = seeing_agent(range(2), 2)
    see(agent, steps=5, rows=slice(0, 2))
    obs = pictures(1, 3)
    rates = agent.as_torch_module(1, seed=4)(torch.from_numpy(obs[0]).float())[1]
    expected = [agent.single(1).policy(envs=1, seeds=(4,)).rates(obs[:, i : i + 1])[0, 0] for i in range(3)]
    assert torch.equal(rates, torch.stack(expected))


def test_all_layers_are_in_the_neuromorphic_graph():
    pytest.importorskip("nir")
    from rstdp_agents.tools.export.neuromorphic import agent_graph

    nodes = agent_graph(seeing_agent(), without=("noise", "refractory")).nodes
    kinds = [type(node).__name__ for node in nodes.values()]
    assert kinds == [
        "Input", "Conv2d", "LIF", "Conv2d", "LIF", "Flatten", "Affine", "LIF", "Affine", "LIF", "Output",
    ]  # fmt: skip
