"""Rules on the layers of torch: the same map, the update by hand, and what is refused."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from rstdp_agents.equations.traces import decay
from rstdp_agents.spiking.plasticity import RSTDP, RSTDPET, RewardSwitch
from rstdp_agents.spiking.reductions import add_envs
from rstdp_agents.spiking.torch_layers import LocalLearner, synapse_of

LAYERS = {
    "linear": (nn.Linear(5, 3), (5,)),
    "conv1d": (nn.Conv1d(2, 3, 3, stride=2, padding=1), (2, 7)),
    "conv1d valid": (nn.Conv1d(2, 4, 2, padding="valid", groups=2), (2, 7)),
    "conv2d": (nn.Conv2d(2, 3, (3, 2), stride=(1, 2), padding=(1, 0), dilation=(2, 1)), (2, 6, 5)),
    "conv2d same circular": (nn.Conv2d(2, 3, 3, padding="same", padding_mode="circular"), (2, 4, 5)),
    "conv transpose 1d": (nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1, output_padding=1), (2, 4)),
    "conv transpose 2d": (nn.ConvTranspose2d(2, 4, 3, stride=(1, 2), dilation=(2, 1), groups=2), (2, 4, 3)),
}
layers = pytest.mark.parametrize(("module", "shape"), LAYERS.values(), ids=LAYERS.keys())
BATCH = 3


def without_bias(module, x):
    return module(x) - module(torch.zeros_like(x))


def spikes(module, shape, ticks):
    generator = torch.Generator().manual_seed(0)
    pre = torch.rand(ticks, BATCH, *shape, generator=generator).lt(0.4).float()
    post_shape = module(pre[0]).shape
    post = torch.rand(ticks, *post_shape, generator=generator).lt(0.4).float()
    return pre, post, torch.randn(BATCH, generator=generator)


@layers
def test_the_synapse_is_the_layer_without_its_bias(module, shape):
    synapse, weight = synapse_of(module, shape)
    pre = torch.rand(BATCH, *shape)
    got = synapse.current(pre[None, None], weight)[0, 0]
    torch.testing.assert_close(got, without_bias(module, pre), rtol=1e-5, atol=1e-6)
    assert weight.data_ptr() == module.weight.data_ptr()
    assert not weight.requires_grad


@layers
def test_the_update_is_reward_times_pairs_of_every_sample(module, shape):
    """MSTDP and MSTDPET tick by tick, with torch's gradient of each sample as the correlation."""
    pre, post, reward = spikes(module, shape, ticks=4)
    dt, d_plus, d_minus, d_e = 1.0, decay(10.0, 1.0), decay(15.0, 1.0), decay(30.0, 1.0)

    def correlate(post, pre):
        current = (post * without_bias(module, pre[None])[0]).sum()
        return torch.autograd.grad(current, module.weight)[0]

    pairs = dict(a_plus=0.8, a_minus=0.6, tau_plus=10.0, tau_minus=15.0)
    mstdp = LocalLearner(module, RSTDP(**pairs), shape, batch=BATCH, dt=dt)
    mstdpet = LocalLearner(module, RSTDPET(**pairs, tau_e=30.0), shape, batch=BATCH, dt=dt)
    x, y, z = torch.zeros_like(pre[0]), torch.zeros_like(post[0]), torch.zeros(BATCH, *module.weight.shape)
    for pre_t, post_t in zip(pre, post):
        x, y = d_plus * x + pre_t, d_minus * y + post_t
        ltp, ltd = (torch.stack([correlate(*pair) for pair in zip(a, b)]) for a, b in ((post_t, x), (y, pre_t)))
        zeta = 0.8 * ltp - 0.6 * ltd
        z = d_e * z + zeta / 30.0
        mstdp.see(pre_t, post_t)
        mstdpet.see(pre_t, post_t)
        summed = torch.einsum("b,b...->...", reward, zeta)
        torch.testing.assert_close(mstdp.update(reward), summed / BATCH, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(mstdp.update(reward, reduce=add_envs), summed, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(
            mstdpet.update(reward), torch.einsum("b,b...->...", reward, z) / BATCH, rtol=1e-4, atol=1e-5
        )


@layers
@pytest.mark.parametrize("rule", [RSTDPET(a_minus=0.5, tau_e=20.0), RewardSwitch(a_minus=0.3, a_plus_punished=0.5)])
def test_a_window_is_its_ticks_one_after_the_other(module, shape, rule):
    pre, post, reward = spikes(module, shape, ticks=4)
    whole = LocalLearner(module, rule, shape, batch=BATCH, dt=0.5, ticks=4)
    by_tick = LocalLearner(module, rule, shape, batch=BATCH, dt=0.5)
    whole.see(pre, post)
    for pre_t, post_t in zip(pre, post):
        by_tick.see(pre_t, post_t)
    torch.testing.assert_close(whole.update(reward), by_tick.update(reward), rtol=1e-4, atol=1e-6)
    assert whole.update(reward).shape == module.weight.shape
    assert whole.update(torch.zeros(BATCH)).eq(0).all()


def test_a_reset_sample_is_a_fresh_one_and_the_others_go_on():
    module, shape = LAYERS["conv2d"]
    pre, post, _ = spikes(module, shape, ticks=2)
    reset, going_on, fresh = (LocalLearner(module, RSTDPET(a_minus=0.5), shape, batch=BATCH, dt=1.0) for _ in range(3))
    for learner in (reset, going_on):
        learner.see(pre[0], post[0])
    reset.reset(torch.tensor([True, False, False]))
    for learner in (reset, going_on, fresh):
        learner.see(pre[1], post[1])
    first, second = torch.eye(BATCH)[:2]
    assert torch.equal(reset.update(first), fresh.update(first))
    assert torch.equal(reset.update(second), going_on.update(second))
    assert not torch.equal(fresh.update(second), going_on.update(second))


def test_the_example_in_the_docs_learns():
    root = Path(__file__).parents[2]
    code = re.search(r"```python\n(.*?)```", (root / "docs" / "torch_layers.md").read_text(), re.DOTALL).group(1)
    assert code in (root / "README.md").read_text()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        names = {}
        exec(code, names)
        conv, pre = names["conv"], names["pre"]
        untrained = nn.Conv2d(1, 4, kernel_size=3, padding=1, bias=False)
    rate, rate_before = (layer(pre).gt(0.3).float().mean() for layer in (conv, untrained))
    assert conv.weight.grad is None
    assert abs(rate - 0.5) < 0.1 < abs(rate_before - 0.5)


def learner(**changes):
    return LocalLearner(nn.Conv2d(1, 2, 3), RSTDP(), **{"input_shape": (1, 4, 4), "batch": 2, "dt": 1.0, **changes})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: learner(input_shape=(4, 4)), r"`input_shape` must have the axes \(channels, height, width\)"),
        (lambda: learner(input_shape=(3, 4, 4)), r"`input_shape` must be \(in_channels=1, height=4, width=4\)"),
        (lambda: learner(batch=0), r"`batch` must be positive \(samples\); received 0"),
        (lambda: learner(dt=-1.0), r"`dt` must be positive \(ms\); received -1.0"),
        (
            lambda: learner().see(torch.ones(2, 1, 4, 5), torch.ones(2, 2, 2, 2)),
            r"`pre` must have the axes \(ticks=1, b",
        ),
        (
            lambda: learner().see(torch.ones(2, 1, 4, 4), torch.ones(1, 2, 2, 2)),
            r"`post` must have .*batch=2, out_chan",
        ),
        (lambda: learner(ticks=2).see(torch.ones(2, 1, 4, 4), torch.ones(2, 2, 2, 2)), r"`pre` must .*\(ticks=2"),
        (
            lambda: learner().update(torch.ones(3)),
            r"`reward` must have the axes \(batch=2\); received the shape \(3,\)",
        ),
        (lambda: learner().update(torch.tensor(1.0)), r"`reward` must have the axes \(batch=2\)"),
        (lambda: learner().reset(torch.ones(3, dtype=torch.bool)), r"`done` must have the axes \(batch=2\)"),
        (lambda: learner().reset(torch.ones(2)), r"`done` must be bool; received torch.float32"),
        (lambda: synapse_of(nn.Linear(3, 2), (4,)), r"`input_shape` must be \(pre=3\); received \(4,\)"),
    ],
)
def test_what_does_not_fit_the_layer_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_layer_without_a_synapse_is_refused():
    with pytest.raises(TypeError, match=r"`module` must be one of Linear, .* received Conv3d"):
        synapse_of(nn.Conv3d(1, 1, 3), (1, 4, 4, 4))
