import math

import pytest
import torch

from rstdp_agents.equations.neuron import LIFParams, lif_constants, noisy_threshold
from rstdp_agents.spiking import neurons
from rstdp_agents.spiking.neurons import LIF, LIFState, lif_init, lif_step, lif_window

F64 = torch.float64


def run(current, p, dt=1.0, uniform=None):
    current = torch.as_tensor(current, dtype=F64).reshape(-1, 1, 1, 1)
    uniform = torch.full_like(current, 0.5) if uniform is None else uniform
    state = lif_init((1, 1, 1), p, torch.device("cpu"), F64)
    return lif_window(current, state, noisy_threshold(uniform, lif_constants(p, dt)), p, dt)


def test_membrane_leaks_exponentially_between_inputs():
    p = LIFParams(tau_m=5.0, escape_noise=0.0)
    _, state = run([0.8, 0, 0], p, dt=0.5)
    assert state.v.item() == pytest.approx(0.8 * math.exp(-2 * 0.5 / 5))


def test_membrane_leaks_towards_a_resting_potential_other_than_zero():
    p = LIFParams(tau_m=10.0, v_rest=-0.5, v_reset=-1.0, escape_noise=0.0)
    _, state = run([0.4] + [0.0] * 300, p)
    assert state.v.item() == pytest.approx(-0.5)


def test_fires_at_threshold_and_resets():
    spikes, state = run([1.0, 0.6, 0.3], LIFParams(escape_noise=0.0, t_ref=0.0, v_reset=-0.2))
    assert spikes.flatten().tolist() == [1, 0, 0]
    keep = math.exp(-0.1)
    assert state.v.item() == pytest.approx((-0.2 * keep + 0.6) * keep + 0.3)


@pytest.mark.parametrize(
    ("t_ref", "expected"), [(0.0, [1] * 6), (1.0, [1, 0] * 3), (2.0, [1, 0, 0] * 2), (9.0, [1] + [0] * 5)]
)
def test_refractory_period_blocks_as_many_ticks_as_it_lasts(t_ref, expected):
    spikes, _ = run([5.0] * 6, LIFParams(escape_noise=0.0, t_ref=t_ref))
    assert spikes.flatten().tolist() == expected


@pytest.mark.parametrize("t_ref", [0.0, 1.0, 3.0, 7.0])
def test_window_is_the_step_repeated(t_ref):
    generator = torch.Generator().manual_seed(1)
    p = LIFParams(t_ref=t_ref, v_rest=-0.1)
    current = torch.rand(15, 2, 3, 4, generator=generator, dtype=F64)
    threshold = noisy_threshold(torch.rand(15, 2, 3, 4, generator=generator, dtype=F64), lif_constants(p, 1.0))
    start = LIFState(torch.rand(2, 3, 4, generator=generator, dtype=F64), torch.full((2, 3, 4), 2.0, dtype=F64))
    spikes, end = lif_window(current, start, threshold, p, 1.0)
    state, stepped = start, []
    for tick in range(15):
        spike, state = lif_step(current[tick], state, threshold[tick], p, 1.0)
        stepped.append(spike)
    assert torch.equal(spikes, torch.stack(stepped))
    torch.testing.assert_close(end.v, state.v, rtol=0, atol=1e-14)
    assert torch.equal(end.refractory, state.refractory)


@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("t_ref", [0.0, 1.0, 3.0, 20.0])
@pytest.mark.parametrize(("reset", "inhibition"), [(0.0, 0.0), (-0.3, 0.0), (0.0, 0.01)])
def test_compiled_scan_is_that_of_torch(dtype, t_ref, reset, inhibition, monkeypatch):
    generator = torch.Generator().manual_seed(3)
    p = LIFParams(t_ref=t_ref, v_rest=-0.1, v_reset=reset, lateral_inhibition=inhibition)
    current, uniform = torch.rand(2, 4, 15, 3, 5, generator=generator, dtype=dtype).transpose(1, 2)  # not contiguous
    start = LIFState(
        torch.rand(4, 3, 5, generator=generator, dtype=dtype), torch.full((4, 3, 5), min(2.0, t_ref), dtype=dtype)
    )
    before = [tensor.clone() for tensor in start]
    spikes, end = lif_window(current, start, noisy_threshold(uniform, lif_constants(p, 1.0)), p, 1.0)
    monkeypatch.setattr(neurons, "_compiled_takes", lambda current: False)
    by_torch, end_by_torch = lif_window(current, start, noisy_threshold(uniform, lif_constants(p, 1.0)), p, 1.0)
    assert torch.equal(spikes, by_torch)
    assert 0.02 < spikes.mean() < 0.5
    torch.testing.assert_close(end.v, end_by_torch.v, rtol=1e-5, atol=1e-6)
    assert torch.equal(end.refractory, end_by_torch.refractory)
    assert all(torch.equal(tensor, old) for tensor, old in zip(start, before, strict=True))


@pytest.mark.parametrize("t_ref", [0.0, 2.0])
def test_as_a_model_it_starts_at_rest_with_noisy_thresholds(t_ref):
    p, generator = LIF(t_ref=t_ref, v_rest=-0.1), torch.Generator().manual_seed(2)
    current, uniform = torch.rand(2, 15, 2, 3, 4, generator=generator, dtype=F64)
    start = lif_init((2, 3, 4), p, torch.device("cpu"), F64)
    spikes, _ = lif_window(current, start, noisy_threshold(uniform, lif_constants(p, 1.0)), p, 1.0)
    model = p.window(current, uniform, 0.0, p.start((2, 3, 4), torch.device("cpu"), F64), 1.0)
    assert torch.equal(model[0], spikes)
    lifted = p.window(current + 0.3, uniform, 0.0, start, 1.0)[0]
    lowered = p.window(current, uniform, torch.full((2, 1, 4), 0.3, dtype=F64), start, 1.0)[0]
    assert lifted.sum() > lowered.sum() > spikes.sum()  # a lift adds up from tick to tick


def test_escape_noise_fires_with_the_probability_of_the_sigmoid():
    p = LIFParams(escape_noise=0.4)
    uniform = (torch.arange(100_000, dtype=F64) + 0.5) / 100_000
    for v in (0.0, 0.8, 1.0, 1.5):
        fired = (v >= noisy_threshold(uniform, lif_constants(p, 1.0))).double().mean().item()
        assert fired == pytest.approx(1 / (1 + math.exp(-(v - 1.0) / 0.4)), abs=1e-4)


def test_without_noise_the_threshold_is_hard():
    assert noisy_threshold(
        torch.tensor([0.0, 0.3, 0.999]), lif_constants(LIFParams(escape_noise=0.0), 1.0)
    ).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"tau_m": -5.0}, "`tau_m` must be positive (ms); received -5.0"),
        ({"tau_m": 0.0}, "`tau_m` must be positive (ms); received 0.0"),
        ({"tau_m": math.nan}, "`tau_m` must be positive (ms); received nan"),
        ({"t_ref": -1.0}, "`t_ref` must not be negative (ms); received -1.0"),
        ({"v_reset": 2.0}, "`v_reset` must be below `v_th`; received 2.0 and 1.0"),
    ],
)
def test_impossible_parameters_are_refused_in_words(wrong, words):
    with pytest.raises(ValueError, match="must") as error:
        LIFParams(**wrong)
    assert str(error.value) == words


def test_a_spike_lowers_every_other_neuron_of_its_layer_and_env_and_not_itself():
    p = LIFParams(escape_noise=0.0, t_ref=0.0, v_reset=-0.2, lateral_inhibition=0.25)
    current = torch.zeros(1, 1, 2, 3, dtype=F64)  # two envs, three neurons
    current[0, 0, 0] = torch.tensor([1.0, 0.5, 1.5])
    current[0, 0, 1] = torch.tensor([0.5, 0.5, 0.5])
    spikes, state = lif_window(current, lif_init((1, 2, 3), p, current.device, F64), torch.ones_like(current), p, 1.0)
    assert spikes.flatten().tolist() == [1, 0, 1, 0, 0, 0]
    torch.testing.assert_close(state.v[0], torch.tensor([[-0.45, 0.0, -0.45], [0.5, 0.5, 0.5]], dtype=F64))


def test_the_strongest_drive_silences_the_others_by_inhibition():
    p = LIFParams(escape_noise=0.0, t_ref=0.0, lateral_inhibition=2.0)
    current = torch.tensor([0.4, 0.45, 0.55], dtype=F64).expand(40, 1, 1, 3).contiguous()
    spikes, _ = lif_window(current, lif_init((1, 1, 3), p, current.device, F64), torch.ones_like(current), p, 1.0)
    assert spikes.sum(0).flatten().tolist() == [0, 0, 20]
