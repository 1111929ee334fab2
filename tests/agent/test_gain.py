"""Modulators in units of their own running size."""

import numpy as np
import pytest
import torch
from numba import njit

from rstdp_agents.agent.fused.credit import adapt_gain
from rstdp_agents.agent.gain import Gain
from rstdp_agents.agent.modulators import ModulatorConfig, TDError, modulator_constants

F64, CPU = torch.float64, torch.device("cpu")
P = ModulatorConfig(tau_gain=50.0)


def errors(agents=2, envs=3, steps=200, dtype=F64):
    """Of a critic that mostly expects what comes."""
    random = np.random.default_rng(0)
    shape = steps, agents, envs
    return torch.from_numpy(random.normal(size=shape) * random.choice([0.01, 1.0], shape, p=[0.8, 0.2])).to(dtype)


def gained(deltas, p=P, restarted=None):
    """What a fresh gain makes of errors ``(steps, agents, envs)``, and what it has learnt from them."""
    gain = Gain(p, deltas.shape[1], CPU)
    rows = [gain(delta, None if restarted is None else restarted[i]) for i, delta in enumerate(deltas)]
    return torch.stack(rows), gain.moments


@pytest.mark.parametrize("scale", [1000.0, 0.001, 1024.0])
def test_the_scale_of_rewards_is_nothing(scale):
    m, moments = gained(errors())
    scaled, moments_of_scaled = gained(scale * errors())
    torch.testing.assert_close(scaled, m, rtol=1e-12, atol=0.0)
    torch.testing.assert_close(moments_of_scaled, moments * torch.tensor([scale**2, scale**4, 1.0], dtype=F64))
    if scale == 1024.0:
        assert torch.equal(scaled, m)


def test_the_first_error_and_one_far_larger_than_all_before_count_as_one():
    delta = errors(1, 1)
    delta[-1] = -1e6
    m, _ = gained(delta)
    assert m[0].abs().item() == pytest.approx(1.0)
    assert m[-1].item() == pytest.approx(-1.0, rel=1e-6)
    assert gained(torch.zeros(3, 1, 1))[0].tolist() == [[[0.0]]] * 3


def test_errors_of_one_size_are_ones():
    delta = 7.0 * torch.sign(errors())
    torch.testing.assert_close(gained(delta)[0], torch.sign(errors()))


def test_envs_share_the_sizes_and_agents_do_not():
    delta = errors()
    m, moments = gained(delta)
    swapped, moments_of_swapped = gained(delta.flip(-1))
    torch.testing.assert_close(swapped.flip(-1), m)
    torch.testing.assert_close(moments_of_swapped, moments)
    for agent in range(2):
        alone, own = gained(delta[:, agent : agent + 1])
        assert torch.equal(alone[:, 0], m[:, agent])
        assert torch.equal(own[0], moments[agent])
    several, of_several = gained(delta[:, :, :1].expand(-1, -1, 3))
    alone, own = gained(delta[:, :, :1])
    torch.testing.assert_close(several[..., :1], alone)
    torch.testing.assert_close(of_several, own)


def test_envs_that_only_started_again_count_nothing():
    delta, restarted = errors(1, 2, 20), torch.zeros(20, 1, 2, dtype=torch.bool)
    restarted[5, 0, 1] = True
    delta[5, 0, 1] = 0.0
    _, with_one = gained(delta[:6], restarted=restarted)
    _, before = gained(delta[:5])
    _, alone = gained(delta[5:6, :, :1])
    assert with_one[0, 2].item() == 5.5
    share = 1 / 6
    square = alone[0, 0].item()
    assert with_one[0, 0].item() == pytest.approx(before[0, 0].item() + share * (square - before[0, 0].item()) / 2)
    _, nobody = gained(
        torch.cat([delta[:5], delta[:1] * 0.0]), restarted=torch.arange(6).reshape(6, 1, 1).expand(6, 1, 2) == 5
    )
    assert torch.equal(nobody, before)


def test_a_fixed_gain_leaves_the_error_in_units_of_rewards():
    delta = errors()
    m, moments = gained(delta, ModulatorConfig(gain="fixed"))
    assert torch.equal(m, delta)
    assert not moments.any()


def test_the_deadband_is_in_units_of_the_gain():
    delta = errors()
    m, _ = gained(delta)
    quiet, moments = gained(delta, ModulatorConfig(tau_gain=50.0, deadband=0.5))
    assert torch.equal(quiet, torch.where(m.abs() < 0.5, 0.0, m))
    assert torch.equal(moments, gained(delta)[1])  # which learns from all errors
    assert gained(delta, ModulatorConfig(gain="fixed", deadband=0.5))[0].abs()[delta.abs() < 0.5].max() == 0


@njit
def adapt(m, restarted, moments, p):
    adapt_gain(m, restarted, moments, p)


def test_compiled_code_adapts_alike():
    delta, constants = (
        errors(1, 3, dtype=torch.float32),
        modulator_constants(TDError(P, (1, 3, 2), CPU, F64), P, 10, 1.0),
    )
    restarted = torch.rand(delta.shape, generator=torch.Generator().manual_seed(1)) < 0.1
    delta[restarted] = 0.0
    expected, sizes = gained(delta, restarted=restarted)
    moments, m = np.zeros(3), delta.numpy().copy()
    for now, nobody in zip(m[:, 0], restarted[:, 0].numpy(), strict=True):
        adapt(now, nobody, moments, constants)
    np.testing.assert_allclose(m, expected.numpy(), rtol=1e-6)
    np.testing.assert_allclose(moments, sizes[0].numpy(), rtol=1e-12)


def test_processes_share_the_sizes_of_their_envs():
    """The mean of what each process has learnt from its envs is what one learns from all, as `learnt` is shared."""
    delta, whole, parts = errors(2, 4), Gain(P, 2, CPU), [Gain(P, 2, CPU) for _ in range(2)]
    for each in delta:
        m = whole(each)
        split = [gain(half) for gain, half in zip(parts, each.split(2, dim=1), strict=True)]
        torch.testing.assert_close(torch.cat(split, 1), m)
        mean = torch.stack([gain.learnt()["gain.moments"] for gain in parts]).mean(0)
        for gain in parts:
            gain.moments.copy_(mean)
    torch.testing.assert_close(parts[0].moments, whole.moments)
