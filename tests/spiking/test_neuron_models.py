"""Neuron models beside LIF: known behaviour under constant currents, and what any model has to keep to."""

import numpy as np
import pytest
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base.settings import override
from rstdp_agents.environments import SerialGrid
from rstdp_agents.equations.neuron import LIFParams, logistic_width, noise_of_current
from rstdp_agents.spiking.adex import AdEx
from rstdp_agents.spiking.alif import ALIF
from rstdp_agents.spiking.izhikevich import Izhikevich
from rstdp_agents.spiking.neuron_models import MODELS, build_neuron
from rstdp_agents.spiking.neurons import LIF, reset
from rstdp_agents.training.episodes import EpisodeTracker
from tests.helpers import cartpole_agent, observations

F64, CPU = torch.float64, torch.device("cpu")


def spike_times(model, current, ms=1000, dt=1.0, **lowered):
    # of one neuron under a current in its own unit, without noise
    unit = model.lift / dt if isinstance(model, Izhikevich) else model.c * (model.v_t - model.e_l) / dt
    drive = torch.full((int(ms / dt), 1, 1, 1), current / unit, dtype=F64)
    spikes, _ = model.window(
        drive, torch.full_like(drive, 0.5), lowered.get("lowered", 0.0), model.start((1, 1, 1), CPU, F64), dt
    )
    return np.flatnonzero(spikes.numpy()) * dt


def test_a_regular_spiking_neuron_fires_from_a_current_of_4_on_and_adapts():
    assert len(spike_times(Izhikevich(), 3.7)) <= 1  # the rest is stable below 3.8, where trace = 0
    assert len(spike_times(Izhikevich(), 4.5)) > 5
    times = spike_times(Izhikevich(), 10.0)
    assert 20 <= len(times) <= 26  # Hz
    intervals = np.diff(spike_times(Izhikevich(), 30.0))
    assert intervals[0] < 5 < 14 < intervals[-1]
    assert len(spike_times(Izhikevich(d=2.0), 10.0)) > 1.5 * len(times)  # less recovery to overcome: fast spiking


def test_the_adaptation_of_adex_lengthens_intervals_and_without_it_they_are_equal():
    intervals = np.diff(spike_times(AdEx(), 800.0))
    assert (np.diff(intervals[:5]) > 0).all()
    assert intervals[-1] > 2 * intervals[0]
    plain = np.diff(spike_times(AdEx(a=0.0, b=0.0), 800.0))
    assert np.ptp(plain) <= 1.0
    assert len(plain) > 3 * len(intervals)


def test_adex_fires_above_its_rheobase():
    model = AdEx(a=0.0, b=0.0)
    rheobase = model.g_l * (model.v_t - model.e_l - model.delta_t)  # pA, where both fixed points meet
    assert len(spike_times(model, rheobase - 6.0)) == 0 < len(spike_times(model, rheobase + 6.0, ms=2000))
    assert len(spike_times(model, rheobase - 6.0, lowered=0.1)) > 0


def test_the_threshold_of_alif_rises_with_spikes_and_comes_back():
    """Under a constant current intervals grow to where what a spike adds is what is lost until the next."""
    model = ALIF(escape_noise=0.0, threshold_jump=0.3, tau_threshold=50.0)
    drive, half = torch.full((1000, 1, 1, 1), 0.3, dtype=F64), torch.full((1000, 1, 1, 1), 0.5, dtype=F64)
    spikes, after = model.window(drive, half, 0.0, model.start((1, 1, 1), CPU, F64), 1.0)
    times = np.flatnonzero(spikes.numpy())
    intervals = np.diff(times)
    assert intervals[0] < intervals[-1] == intervals[-2]
    kept = np.exp(-intervals[-1] / 50.0)
    since = 999 - times[-1]
    assert after.raised.item() == pytest.approx(0.3 / (1 - kept) * np.exp(-since / 50.0), rel=1e-3)
    _, rested = model.window(0 * drive[:400], half[:400], 0.0, after, 1.0)
    assert rested.raised.item() == pytest.approx(after.raised.item() * np.exp(-400 / 50.0))
    plain = ALIF(escape_noise=0.0, threshold_jump=0.0)
    of_lif, _ = LIF(escape_noise=0.0, t_ref=0.0).window(drive, half, 0.0, LIF().start((1, 1, 1), CPU, F64), 1.0)
    assert torch.equal(plain.window(drive, half, 0.0, plain.start((1, 1, 1), CPU, F64), 1.0)[0], of_lif)


@pytest.mark.parametrize("model", [AdEx(), Izhikevich()], ids=["adex", "izhikevich"])
def test_shorter_ticks_change_little(model):
    current = 1000.0 if isinstance(model, AdEx) else 20.0
    coarse, fine = (len(spike_times(model, current, dt=dt)) for dt in (1.0, 0.1))
    assert abs(coarse - fine) <= 0.05 * fine


def test_noise_has_the_standard_deviation_that_it_says():
    uniform = torch.rand(100_000, generator=torch.Generator().manual_seed(1), dtype=F64)
    noise = noise_of_current(uniform, logistic_width(0.4))
    assert abs(noise.mean()) < 0.005
    assert noise.std() == pytest.approx(0.4, rel=0.02)
    assert not noise_of_current(uniform, logistic_width(0.0)).any()


@pytest.mark.parametrize("name", MODELS)
def test_a_model_leaves_the_state_it_is_given_and_rests_where_it_is_told(name):
    model = build_neuron(name, LIFParams(t_ref=2.0))
    state = model.start((2, 3, 4), CPU, F64)
    before = [tensor.clone() for tensor in state]
    current, uniform = torch.rand(2, 12, 2, 3, 4, generator=torch.Generator().manual_seed(2), dtype=F64)
    spikes, after = model.window(2 * current, uniform, 0.0, state, 1.0)
    assert spikes.shape == current.shape
    assert spikes.dtype == F64
    assert set(spikes.unique().tolist()) == {0.0, 1.0}
    assert type(after) is type(state)
    assert all(torch.equal(a, b) for a, b in zip(state, before, strict=True))
    halves = model.window(2 * current[:5], uniform[:5], 0.0, state, 1.0)
    rest = model.window(2 * current[5:], uniform[5:], 0.0, halves[1], 1.0)
    assert torch.equal(torch.cat([halves[0], rest[0]]), spikes)  # a window is its ticks, however they are cut
    done = torch.tensor([[True, False, False], [False, False, True]])
    kept = [tensor.clone() for tensor in after]
    reset(model, after, done)
    for tensor, old, first in zip(after, kept, before, strict=True):
        assert torch.equal(tensor[done], first[done])
        assert torch.equal(tensor[~done], old[~done])


def test_settings_make_lif_and_no_other_model():
    p = LIF(tau_m=7.0, escape_noise=0.3)
    assert build_neuron("lif", p) == p
    assert build_neuron("alif", p) == ALIF(tau_m=7.0, escape_noise=0.3)
    assert build_neuron("adex", p) == AdEx()
    assert build_neuron("izhikevich", p) == Izhikevich()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: AdEx(tau_w=0.0), r"`tau_w` must be positive \(ms\); received 0.0"),
        (lambda: ALIF(v_rest=1.0), "`v_rest` must be below `v_th`; received 1.0 and 1.0"),
        (lambda: ALIF(tau_threshold=0.0), r"`tau_threshold` must be positive \(ms\); received 0.0"),
        (lambda: AdEx(e_l=-40.0), "`e_l` must be below `v_t`; received -40.0 and -50.4"),
        (lambda: Izhikevich(c=40.0), "`c` must be below `v_peak`; received 40.0 and 30.0"),
        (lambda: Izhikevich(noise=-1.0), "`noise` must not be negative; received -1.0"),
        (
            lambda: override(AgentConfig(), {"neuron.model": "adx"}),
            "`neuron.model` must be one of .*; did you mean 'adex'?",
        ),
    ],
)
def test_wrong_constants_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()


@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize("name", ["alif", "adex", "izhikevich"])
def test_the_state_of_a_model_is_in_checkpoints_by_its_fields(name, fresh, tmp_path):
    changes = {"neuron.model": name, "simulation.fresh_each_window": fresh, "homeostasis.param": "threshold"}
    agent, other = (cartpole_agent(backend="auto", **changes) for _ in range(2))
    assert agent.backend == "fused"
    agent.begin(observations(1, 1))
    fields = agent.layer.neurons._fields
    held = {key: agent.tensors()[f"output.{key}"] for key in fields}
    assert all(
        (tensor != start).any() != fresh for tensor, start in zip(held.values(), other.layer.neurons, strict=True)
    )
    other.load(agent.tensors(), tmp_path / "x")
    assert all(torch.equal(other.tensors()[f"output.{key}"], tensor) for key, tensor in held.items())
    agent.reset(np.ones((1, 1), bool))
    fresh_agent = cartpole_agent(**changes)
    assert all(torch.equal(a, b) for a, b in zip(agent.layer.neurons, fresh_agent.layer.neurons, strict=True))


class Tame(AdEx):
    """A model that is not the one it is made of."""


def test_compiled_code_says_which_neuron_it_does_not_know(monkeypatch):
    monkeypatch.setitem(MODELS, "adex", Tame)
    with pytest.raises(ValueError, match="the fused backend cannot run this agent: it does not know Tame"):
        cartpole_agent(backend="fused", **{"neuron.model": "adex"})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alif", "adex", "izhikevich"])
def test_agents_of_other_neurons_learn_cue(name):
    seeds, lr_scale = (0, 1, 0, 1), torch.tensor([1.0, 1.0, 0.0, 0.0])  # the last two are frozen twins
    config = override(
        AgentConfig(),
        {
            "neuron.model": name,
            "decoder.inverse_temperature": 30.0,
            "homeostasis.tau": float("inf"),
            "plasticity.lr": 1.5,
        },
    )
    envs, tracker = SerialGrid("rstdp/Cue-v0", {}, len(seeds), 1), EpisodeTracker(len(seeds), 1, None)
    spaces = envs.observation_space, envs.action_space
    agent = Agent(config, *spaces, seeds=seeds, lr_scale=lr_scale, backend="torch")  # compiling takes longer
    action = agent.begin(envs.reset(seeds))
    for step in range(1, 401):
        transition = envs.step(action)
        action = agent.step(transition)
        tracker.add(transition, step)
    scores = [record.final_mean for record in tracker.records]
    assert min(scores[:2]) > 0.8 > 0.45 > max(scores[2:])  # chance is 0.25
