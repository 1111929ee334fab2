"""Reward at any tick of a window, against the online form tick by tick."""

import pytest
import torch

from rstdp_agents.spiking.plasticity import RSTDP, RSTDPET, RewardSwitch
from rstdp_agents.spiking.plasticity.dependence import Identity
from rstdp_agents.spiking.plasticity.online import online_tick
from rstdp_agents.spiking.plasticity.rewarded_window import rewarded_window
from rstdp_agents.spiking.plasticity.window import pair_init, pair_kernels
from rstdp_agents.spiking.synapses import Conv2d, Linear

CPU, F64 = torch.device("cpu"), torch.float64
TICKS, AGENTS, ENVS = 12, 2, 3
RULES = [
    RSTDP(a_minus=0.7),
    RSTDP(a_minus=0.0),
    RSTDP(a_plus=0.0, a_minus=0.7),
    RSTDP(a_minus=0.7, on_spike="set"),
    RSTDPET(a_minus=0.7, tau_e=9.0),
    RewardSwitch(a_minus=0.5, a_plus_punished=0.3, a_minus_punished=0.8, tau_e=9.0),
]
SYNAPSES = [Linear(5, 4), Conv2d(2, 3, (5, 5), 3)]


def trial(synapse, seed=0):
    g = torch.Generator().manual_seed(seed)
    lead = TICKS, AGENTS, ENVS
    pre = (torch.rand(*lead, *synapse.pre_shape, generator=g) < 0.3).to(F64)
    post = (torch.rand(*lead, *synapse.post_shape, generator=g) < 0.3).to(F64)
    return pre, post, torch.randn(*lead, generator=g, dtype=F64)


@pytest.mark.parametrize("lagged", [False, True])
@pytest.mark.parametrize("window", [1, 4, 12])
@pytest.mark.parametrize("synapse", SYNAPSES, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("rule", RULES, ids=lambda r: f"{type(r).__name__}-{r.a_plus}-{r.a_minus}-{r.on_spike}")
def test_a_window_adds_up_what_the_reward_of_every_tick_meets(rule, synapse, window, lagged):
    pre, post, reward = trial(synapse)
    k, state = pair_kernels(rule, 1, 1.0, CPU, F64), pair_init(synapse, rule, AGENTS, ENVS, CPU, F64)
    online = torch.zeros(AGENTS, *synapse.weight_shape, dtype=F64)
    for t in range(TICKS):
        dw, state = online_tick(synapse, k, pre[t : t + 1], post[t : t + 1], state, reward[t], lagged=lagged)
        online += dw
    windowed, now = torch.zeros_like(online), pair_init(synapse, rule, AGENTS, ENVS, CPU, F64)
    for part in range(0, TICKS, window):
        s = slice(part, part + window)
        dw, now = rewarded_window(synapse, rule, pre[s], post[s], reward[s], now, 1.0, lagged=lagged)
        windowed += dw
    torch.testing.assert_close(windowed, online)
    torch.testing.assert_close(now, state)


def test_no_reward_changes_nothing_and_its_sign_turns_the_change():
    pre, post, reward = trial(SYNAPSES[0])
    rule = RSTDPET(a_minus=0.7)

    def change(m):
        return rewarded_window(
            SYNAPSES[0], rule, pre, post, m, pair_init(SYNAPSES[0], rule, AGENTS, ENVS, CPU, F64), 1.0, lagged=False
        )[0]

    assert not change(torch.zeros_like(reward)).any()
    torch.testing.assert_close(change(-reward), -change(reward))


def test_what_does_not_fit_is_refused():
    pre, post, reward = trial(SYNAPSES[0])
    state = pair_init(SYNAPSES[0], RULES[0], AGENTS, ENVS, CPU, F64)
    with pytest.raises(ValueError, match="`reward` must have the axes"):
        rewarded_window(SYNAPSES[0], RULES[0], pre, post, reward[:1], state, 1.0, lagged=False)
    with pytest.raises(ValueError, match="weight dependence"):
        rewarded_window(SYNAPSES[0], RSTDP(f_post=Identity()), pre, post, reward, state, 1.0, lagged=False)
