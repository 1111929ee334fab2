"""The contract of every synapse. A new one joins by a line in SYNAPSES."""

from contextlib import contextmanager

import pytest
import torch

from rstdp_agents.synapses import Geometry, Lateral, Linear, OneToOne

TICKS, AGENTS, ENVS = 4, 3, 2

SYNAPSES: dict[str, Geometry] = {
    "linear": Linear(5, 3),
    "one to one": OneToOne(4),
    "lateral": Lateral(4),
}


@pytest.fixture(params=SYNAPSES.values(), ids=SYNAPSES.keys())
def synapse(request) -> Geometry:
    return request.param


def draw(*shape):
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def activity(synapse):
    """Real-valued pre and post factors of a window (a rule hands in traces as well as spikes), and weights."""
    pre = draw(TICKS, AGENTS, ENVS, *synapse.pre_shape)
    post = draw(TICKS, AGENTS, ENVS, *synapse.post_shape)
    return pre, post, draw(AGENTS, *synapse.weight_shape)


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
        assert_same(synapse.current(pre[:, one], weight[one]), current[:, one])
        assert_same(synapse.hebb(post[:, one], pre[:, one]), hebb[one])


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
