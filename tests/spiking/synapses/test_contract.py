"""The contract of every synapse. A new one joins by a line in SYNAPSES."""

from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch

from rstdp_agents.spiking.synapses import (
    Conv1d,
    Conv2d,
    ConvTranspose1d,
    ConvTranspose2d,
    Delayed,
    Geometry,
    Lateral,
    Linear,
    LocallyConnected2d,
    OneToOne,
)

TICKS, AGENTS, ENVS = 4, 3, 2


def delayed(synapse):
    generator = torch.Generator().manual_seed(1)
    delay = 1.3 * torch.rand(AGENTS, *synapse.weight_shape, generator=generator, dtype=torch.float64)
    return Delayed(synapse, delay, max_delay=1.3, dt=0.5)


SYNAPSES: dict[str, Geometry] = {
    "linear": Linear(5, 3),
    "one to one": OneToOne(4),
    "lateral": Lateral(4),
    "conv1d": Conv1d(2, 3, 7, 3),
    "conv1d stride padding dilation": Conv1d(2, 3, 8, 3, stride=2, padding=1, dilation=2),
    "conv1d circular": Conv1d(2, 3, 6, 3, padding=2, padding_mode="circular"),
    "conv1d same, even kernel": Conv1d(1, 2, 6, 4, padding="same"),
    "conv2d": Conv2d(2, 3, (5, 4), 3),
    "conv2d stride leaves a rest": Conv2d(1, 2, (6, 5), (3, 2), stride=(2, 3)),
    "conv2d groups": Conv2d(4, 6, 4, 2, groups=2),
    "conv2d zeros": Conv2d(2, 3, (5, 4), 3, stride=2, padding=(1, 2)),
    "conv2d reflect": Conv2d(2, 3, (5, 4), 3, padding=(1, 2), padding_mode="reflect"),
    "conv2d replicate": Conv2d(2, 3, (5, 4), 3, padding=(0, 2), padding_mode="replicate"),
    "conv2d same circular dilated": Conv2d(2, 2, (5, 4), (3, 2), padding="same", padding_mode="circular", dilation=2),
    "conv transpose 1d": ConvTranspose1d(2, 3, 4, 3, stride=2, padding=1, output_padding=1),
    "conv transpose 1d same": ConvTranspose1d(2, 3, 4, 4, padding="same"),
    "conv transpose 2d": ConvTranspose2d(2, 3, (3, 4), 3),
    "conv transpose 2d torch": ConvTranspose2d(
        4, 6, (3, 2), (3, 2), stride=(2, 3), padding=(2, 1), output_padding=(1, 2), dilation=(2, 1), groups=2
    ),
    "conv transpose 2d same": ConvTranspose2d(2, 3, (3, 4), 3, stride=2, padding="same"),
    "conv transpose 2d same, stride beyond kernel": ConvTranspose2d(1, 2, (3, 2), 2, stride=3, padding="same"),
    "conv transpose 2d valid": ConvTranspose2d(2, 3, (3, 4), 3, stride=2, padding="valid"),
    "conv transpose 2d valid, stride beyond kernel": ConvTranspose2d(2, 1, (3, 2), 2, stride=3, padding="valid"),
    "locally connected": LocallyConnected2d(2, 3, (5, 4), (3, 2)),
    "locally connected strided groups": LocallyConnected2d(
        4, 2, (5, 4), 3, stride=2, padding=(1, 2), padding_mode="circular", dilation=(1, 2), groups=2
    ),
    "delayed linear": delayed(Linear(4, 3)),
    "delayed one to one": delayed(OneToOne(4)),
    "delayed lateral": delayed(Lateral(3)),
    "delayed conv1d": delayed(Conv1d(2, 3, 6, 3, padding=2, padding_mode="circular")),
    "delayed conv2d": delayed(Conv2d(2, 3, (5, 4), 3, stride=2, padding=1)),
    "delayed conv transpose 2d": delayed(ConvTranspose2d(2, 3, (3, 2), 3, stride=2, padding="same")),
    "delayed locally connected": delayed(LocallyConnected2d(1, 2, (4, 3), 2)),
}


@pytest.fixture(params=SYNAPSES.values(), ids=SYNAPSES.keys())
def synapse(request) -> Geometry:
    return request.param


def activity(synapse):
    """Real-valued pre and post factors of a window (a rule hands in traces as well as spikes), and weights."""
    generator = torch.Generator().manual_seed(0)
    window = (TICKS, AGENTS, ENVS)
    shapes = (*window, *synapse.pre_shape), (*window, *synapse.post_shape), (AGENTS, *synapse.weight_shape)
    pre, post, weight = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)
    return pre, post, weight


def assert_same(got, want):
    torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-10)


def test_current_has_the_announced_shape(synapse):
    pre, post, weight = activity(synapse)
    assert synapse.current(pre, weight).shape == post.shape


def test_hebb_is_the_weight_gradient_of_every_agent_and_env(synapse):
    pre, post, weight = activity(synapse)
    weight.requires_grad_()
    got = synapse.hebb(post, pre)
    assert got.shape == (AGENTS, ENVS, *synapse.weight_shape)
    for env in range(ENVS):
        one = slice(env, env + 1)
        (gradient,) = torch.autograd.grad((post[:, :, one] * synapse.current(pre[:, :, one], weight)).sum(), weight)
        assert_same(got[:, env], gradient)


def test_accumulate_is_decay_and_hebb_in_place(synapse):
    pre, post, _ = activity(synapse)
    z = torch.randn(
        AGENTS, ENVS, *synapse.weight_shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    )
    want = 0.7 * z + 0.3 * synapse.hebb(post, pre)
    synapse.accumulate(z, post, pre, 0.7, 0.3)
    assert_same(z, want)


TWO_WAY = {name: synapse for name, synapse in SYNAPSES.items() if hasattr(synapse, "backtransmit")}


@pytest.mark.parametrize("synapse", TWO_WAY.values(), ids=TWO_WAY.keys())
def test_backtransmit_is_the_input_gradient(synapse):
    pre, post, weight = activity(synapse)
    pre.requires_grad_()
    (gradient,) = torch.autograd.grad((post * synapse.current(pre, weight)).sum(), pre)
    assert_same(synapse.backtransmit(post, weight), gradient)
    with refused("post", post[:, :1], "ticks", "envs", *synapse.post_axes):
        synapse.backtransmit(post[:, :1], weight)
    with refused("weight", weight[0], *synapse.weight_axes):
        synapse.backtransmit(post, weight[0])


def test_a_window_is_its_ticks_one_after_the_other(synapse):
    pre, post, weight = activity(synapse)
    ticks = [slice(t, t + 1) for t in range(TICKS)]
    assert_same(synapse.current(pre, weight), torch.cat([synapse.current(pre[t], weight) for t in ticks]))
    assert_same(synapse.hebb(post, pre), torch.stack([synapse.hebb(post[t], pre[t]) for t in ticks]).sum(0))


def test_envs_do_not_see_each_other(synapse):
    pre, post, weight = activity(synapse)
    current, hebb = synapse.current(pre, weight), synapse.hebb(post, pre)
    pre[:, :, 0] += 1
    post[:, :, 0] -= 1
    assert_same(synapse.current(pre, weight)[:, :, 1:], current[:, :, 1:])
    assert_same(synapse.hebb(post, pre)[:, 1:], hebb[:, 1:])


def test_an_agent_of_a_population_is_the_agent_alone(synapse):
    pre, post, weight = activity(synapse)
    current, hebb = synapse.current(pre, weight), synapse.hebb(post, pre)
    for agent in range(AGENTS):
        one = slice(agent, agent + 1)
        alone = replace(synapse, delay=synapse.delay[one]) if isinstance(synapse, Delayed) else synapse
        assert_same(alone.current(pre[:, one], weight[one]), current[:, one])
        assert_same(alone.hebb(post[:, one], pre[:, one]), hebb[one])


def misfits(tensor):
    """The tensor with one axis too many, one too few, and, axis by axis, one element too many."""
    yield tensor[None]
    yield tensor[0]
    for axis in range(tensor.ndim):
        yield torch.cat([tensor, tensor.narrow(axis, 0, 1)], axis)


@contextmanager
def refused(name, tensor, *axes):
    """A ValueError that names the argument, its expected axes and what came."""
    with pytest.raises(ValueError, match=f"`{name}` must have the axes") as error:
        yield
    assert str(tuple(tensor.shape)) in str(error.value)
    assert all(axis in str(error.value) for axis in ("agents", *axes))


def test_current_refuses_what_does_not_fit(synapse):
    pre, _, weight = activity(synapse)
    for i, wrong in enumerate(misfits(pre)):
        if i not in (2, 4):  # ticks and envs are free
            with refused("pre", wrong, "ticks", "envs", *synapse.pre_axes):
                synapse.current(wrong, weight)
    for i, wrong in enumerate(misfits(weight)):
        if i == 2:  # one agent more than pre has: it is pre that is named
            with refused("pre", pre, "ticks", "envs", *synapse.pre_axes):
                synapse.current(pre, wrong)
        else:
            with refused("weight", wrong, *synapse.weight_axes):
                synapse.current(pre, wrong)


def test_hebb_refuses_what_does_not_fit(synapse):
    pre, post, _ = activity(synapse)
    for wrong in misfits(post):
        with refused("post", wrong, "ticks", "envs", *synapse.post_axes):
            synapse.hebb(wrong, pre)
    for i, wrong in enumerate(misfits(pre)):
        if i in (2, 3, 4):  # the leading axes of pre say what post must have
            with refused("post", post, "ticks", "envs", *synapse.post_axes):
                synapse.hebb(post, wrong)
        else:
            with refused("pre", wrong, "ticks", "envs", *synapse.pre_axes):
                synapse.hebb(post, wrong)
