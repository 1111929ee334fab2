"""Eligibility as factors of the last window against eligibility that is written down."""

import pytest
import torch

from rstdp_agents.spiking.plasticity import RSTDP, RSTDPET
from rstdp_agents.spiking.plasticity.last_window import (
    add_modulated_last,
    eligible,
    last_init,
    last_window,
    lasts_one_window,
)
from rstdp_agents.spiking.plasticity.update import add_modulated
from rstdp_agents.spiking.plasticity.window import (
    pair_init,
    pair_kernels,
    pair_window,
    pair_window_from_rest,
    traces_init,
)
from rstdp_agents.spiking.synapses import Conv2d, Linear
from tests.agent.test_agent import transition
from tests.helpers import cartpole_agent, experience

TICKS, AGENTS, ENVS = 5, 2, 3
CPU, F64 = torch.device("cpu"), torch.float64
SYNAPSES = Linear(6, 4), Conv2d(2, 3, (4, 4), 3, 1)
RULES = RSTDP(0.7, 0.4, 9.0, 5.0), RSTDP(0.7, 0.4, 9.0, 5.0, keep_apart=True), RSTDPET(0.7, 0.4, tau_e=1e-3)


def window(synapse, seed):
    generator = torch.Generator().manual_seed(seed)

    def spikes(shape):
        return (torch.rand(TICKS, AGENTS, ENVS, *shape, generator=generator) < 0.4).to(F64)

    gate = torch.randn(AGENTS, ENVS, *synapse.post_shape, generator=generator, dtype=F64)
    return spikes(synapse.pre_shape), spikes(synapse.post_shape), gate


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("rule", RULES, ids=["sum", "terms", "short trace"])
@pytest.mark.parametrize("synapse", SYNAPSES, ids=["linear", "conv"])
def test_it_teaches_what_the_eligibility_of_every_env_would(synapse, rule, fresh, gated):
    k = pair_kernels(rule, TICKS, 1.0, CPU, F64)
    assert lasts_one_window(k)
    state, traces = pair_init(synapse, rule, AGENTS, ENVS, CPU, F64), traces_init(synapse, AGENTS, ENVS, CPU, F64)
    last = last_init(synapse, k, AGENTS, ENVS, fresh)
    assert not any(z.any() for z in eligible(synapse, last, slice(None)))
    for seed in range(2):
        pre, post, gate = window(synapse, seed)
        gate = gate if gated else None
        if fresh:
            pair_window_from_rest(synapse, k, pre, post, state.z, gate)
        else:
            state = pair_window(synapse, k, pre, post, state, gate)
        last, traces = last_window(k, pre, post, traces, gate, fresh)
    for z, expected in zip(eligible(synapse, last, slice(1, 3)), state.z, strict=True):
        torch.testing.assert_close(z, expected[:, 1:3], rtol=1e-12, atol=1e-12)
        assert z.any()
    torch.testing.assert_close((traces.x, traces.y), (state.x, state.y), rtol=1e-12, atol=1e-12)
    m = torch.linspace(-1, 2, AGENTS * ENVS, dtype=F64).reshape(AGENTS, ENVS)
    got, weight = (torch.ones(AGENTS, *synapse.weight_shape, dtype=F64) for _ in range(2))
    add_modulated_last(synapse, got, last, rule.factors(m))
    add_modulated(weight, state.z, rule.factors(m))
    torch.testing.assert_close(got, weight, rtol=1e-12, atol=1e-12)


def test_a_trace_and_pairs_without_factors_are_written_down():
    for rule in (RSTDPET(tau_e=20.0), RSTDP(on_spike="set"), RSTDP(f_post=abs)):
        assert not lasts_one_window(pair_kernels(rule, TICKS, 1.0, CPU, F64))


@pytest.mark.parametrize("backend", ["torch", "fused"])
def test_an_agent_without_a_trace_holds_no_eligibility_per_synapse(backend):
    agent = cartpole_agent(range(2), 3, rule="rstdp", backend=backend)
    experience(agent, transition, steps=5, rows=slice(0, 2))
    synapses = agent.layer.weight[0].numel()
    assert all(t[0].numel() < 2 * synapses for t in agent.tensors().values())
    assert agent.eligibility()[0].shape == (2, 3, *agent.layer.weight.shape[1:])
    done = torch.tensor([[False, True, False], [False, False, True]]).numpy()
    agent.reset(done)
    (z,) = agent.eligibility()
    assert not z[torch.from_numpy(done)].any()
    assert z[torch.from_numpy(~done)].flatten(1).any(1).all()
