"""Options of the pair rules: trace form, gain, weight dependence, terms apart, lag, and who refuses what."""

import math

import pytest
import torch

from rstdp_agents.equations.traces import decay_factor, trace_set, trace_step
from rstdp_agents.spiking.plasticity import RSTDP, RSTDPET, RewardSwitch
from rstdp_agents.spiking.plasticity.dependence import Clamp, Constant, GapToBound, Identity, Power, PowerUpper
from rstdp_agents.spiking.plasticity.online import online_tick
from rstdp_agents.spiking.plasticity.stdp import coincidence, eligibility_gain, pair_terms
from rstdp_agents.spiking.plasticity.update import modulate
from rstdp_agents.spiking.plasticity.window import pair_init, pair_kernels, pair_window
from rstdp_agents.spiking.synapses import Conv2d, ConvTranspose2d, Linear
from tests.helpers import cartpole_agent

F64, CPU = torch.float64, torch.device("cpu")
PAIRS = {"a_plus": 0.9, "a_minus": 0.6, "tau_plus": 15.0, "tau_minus": 25.0}
SYNAPSES = [Linear(5, 4), Conv2d(2, 3, (4, 5), (2, 3), padding=1), ConvTranspose2d(2, 2, (3, 2), 3, stride=2)]
OPTIONS = [
    {"on_spike": "set"},
    {"decay_form": "euler"},
    {"on_spike": "set", "decay_form": "euler", "f_post": Identity()},
    {"f_post": PowerUpper(1.5, 0.8, 0.7), "f_pre": Power(0.6, 0.9)},
    {"keep_apart": True},
    {"keep_apart": True, "f_pre": Clamp(0.2, 0.6)},
]
RULES = [RSTDPET(**PAIRS, **options) for options in OPTIONS]
RULES += [RSTDPET(**PAIRS, gain_form="dt/tau"), RSTDPET(**PAIRS, gain_form="1-decay")]
RULES += [RewardSwitch(**PAIRS, on_spike="set", a_plus_punished=0.3, a_minus_punished=0.2)]


def spikes(*shape, seed=0):
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64) < 0.3).double()


def activity(synapse, ticks, agents=2, envs=3):
    pre = spikes(ticks, agents, envs, *synapse.pre_shape)
    post = spikes(ticks, agents, envs, *synapse.post_shape, seed=1)
    weight = torch.rand(agents, *synapse.weight_shape, generator=torch.Generator().manual_seed(2), dtype=F64)
    return pre, post, weight


def by_pure_functions(rule, synapse, pre, post, weight, dt):
    """Eligibility of each term after all ticks, composed of one pure function per equation."""
    step = trace_set if rule.on_spike == "set" else trace_step
    d_plus, d_minus = (decay_factor(rule.decay_form, tau, dt) for tau in (rule.tau_plus, rule.tau_minus))
    x, y = torch.zeros_like(pre[0]), torch.zeros_like(post[0])
    z = [torch.zeros(*pre.shape[1:3], *synapse.weight_shape, dtype=F64) for _ in rule.terms]
    f_post, f_pre = rule.f_post or Constant(), rule.f_pre or Constant()
    for now_pre, now_post in zip(pre, post):
        x, y = step(x, now_pre, d_plus), step(y, now_post, d_minus)
        terms = pair_terms(synapse, now_pre[None], now_post[None], x[None], y[None])
        for i, (plus, minus) in enumerate(rule.terms):
            zeta = coincidence(terms, weight, f_post, f_pre, plus, -minus)
            z[i] = trace_step(z[i], zeta, math.exp(-dt / rule.tau_e), eligibility_gain(rule.gain_form, rule.tau_e, dt))
    return x, y, *z


@pytest.mark.parametrize("synapse", SYNAPSES, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("rule", RULES, ids=range(len(RULES)))
@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_window_is_tick_by_tick_for_every_option_and_synapse(rule, synapse, dt):
    pre, post, weight = activity(synapse, 10)
    expected = by_pure_functions(rule, synapse, pre, post, weight, dt)
    for length in (10, 5, 1):
        state = pair_init(synapse, rule, 2, 3, CPU, F64)
        kernels = pair_kernels(rule, length, dt, CPU, F64)
        for start in range(0, 10, length):
            now = slice(start, start + length)
            state = pair_window(synapse, kernels, pre[now], post[now], state, weight=weight)
        for got, want in zip((state.x, state.y, *state.z), expected, strict=True):
            torch.testing.assert_close(got, want, rtol=0, atol=1e-12)


def florian(rule, lagged):
    """Weight after 200 steps of the one-synapse demonstration; reward +1 up to step 100, then -1."""
    synapse, k = Linear(1, 1), pair_kernels(rule, 1, 1.0, CPU, F64)
    state, w = pair_init(synapse, rule, 1, 1, CPU, F64), torch.full((1, 1, 1), 0.2, dtype=F64)
    for step in range(201):
        pre, post = (
            torch.full((1, 1, 1, 1), float(step in t), dtype=F64) for t in ((10, 85, 115, 135), (15, 75, 110, 140))
        )
        m = torch.full((1, 1), 1.0 if step <= 100 else -1.0, dtype=F64)
        dw, state = online_tick(synapse, k, pre, post, state, m, lagged=lagged)
        w += 0.2 * dw
    return w.item()


@pytest.mark.parametrize(
    ("rule", "lagged", "final"),
    [
        (RSTDP(a_minus=1.0), True, 0.20330),
        (RSTDP(a_minus=1.0), False, 0.20330),
        (RSTDPET(a_minus=1.0, tau_e=25.0), True, 0.33954),
        (RSTDPET(a_minus=1.0, tau_e=25.0), False, 0.33420),
    ],
)
def test_final_weights_of_the_florian_demonstration(rule, lagged, final):
    assert florian(rule, lagged) == pytest.approx(final, abs=6e-6)


@pytest.mark.parametrize("form", ["1/tau", "dt/tau", "1-decay"])
def test_gain_by_form(form):
    expected = {"1/tau": 1 / 20, "dt/tau": 0.5 / 20, "1-decay": 1 - math.exp(-0.5 / 20)}
    assert RSTDPET(tau_e=20.0, gain_form=form).gain(0.5) == pytest.approx(expected[form])


def test_terms_kept_apart_add_up_to_the_sum():
    synapse = Linear(5, 4)
    pre, post, _ = activity(synapse, 8)
    states = []
    for rule in (RSTDPET(**PAIRS), RSTDPET(**PAIRS, keep_apart=True)):
        state = pair_init(synapse, rule, 2, 3, CPU, F64)
        states.append(pair_window(synapse, pair_kernels(rule, 8, 1.0, CPU, F64), pre, post, state))
    torch.testing.assert_close(states[1].z[0] + states[1].z[1], states[0].z[0])
    assert (states[1].z[0] >= 0).all()
    assert (states[1].z[1] <= 0).all()


def test_zero_reward_punishes_only_on_request():
    m = torch.tensor([[-1.0, 0.0, 1.0]], dtype=F64)
    pairs = {"a_plus": 0.7, "a_plus_punished": 0.3}
    assert RewardSwitch(**pairs).factors(m)[0].tolist() == [[-0.3, 0.0, 0.7]]
    assert RewardSwitch(**pairs, zero_punishes=True).factors(m)[0].tolist() == [[-0.3, -0.3, 0.7]]


def test_reward_per_output_position_is_exact_as_a_gate_on_convolutions():
    synapse, rule = SYNAPSES[1], RSTDP(tau_plus=1e-3)
    pre, post, _ = activity(synapse, 6)
    reward = torch.randn(2, 3, *synapse.post_shape, generator=torch.Generator().manual_seed(3), dtype=F64)
    state = pair_init(synapse, rule, 2, 3, CPU, F64)
    state = pair_window(synapse, pair_kernels(rule, 6, 1.0, CPU, F64), pre, post, state, gate=reward)
    torch.testing.assert_close(state.z[0], synapse.hebb(post * reward, pre))


@pytest.mark.parametrize("f", [Power(1.0, 0.5), PowerUpper(0.1, 1.0, 0.5)])
def test_fractional_power_past_its_range_is_zero(f):
    assert not f(torch.tensor([-1.0, 0.0, 0.05, 3.0])).isnan().any()


def test_dependences_have_their_numbers():
    w = torch.tensor([0.25, 1.0], dtype=F64)
    assert Identity()(w).tolist() == [0.25, 1.0]
    assert Constant(0.3)(w).tolist() == [0.3, 0.3]
    assert Power(2.0, 0.5)(w).tolist() == [1.0, 2.0]
    assert GapToBound(-0.25, 1.25, 0.5, is_upper=True)(w).tolist() == pytest.approx(
        [(1.0 / 1.5) ** 0.5, (0.25 / 1.5) ** 0.5]
    )
    assert GapToBound(-0.25, 1.25, 2.0, is_upper=False)(w).tolist() == pytest.approx(
        [(0.5 / 1.5) ** 2, (1.25 / 1.5) ** 2]
    )
    assert PowerUpper(1.25, 2.0, 2.0)(w).tolist() == pytest.approx([2.0, 0.125])
    assert Clamp(0.5, 0.6)(w).tolist() == [0.5, 0.6]


def window_of(rule, pre, post, **more):
    state = pair_init(Linear(5, 4), rule, 1, 2, CPU, F64)
    return pair_window(Linear(5, 4), pair_kernels(rule, 3, 1.0, CPU, F64), pre, post, state, **more)


@pytest.mark.parametrize(
    ("pre", "post", "more", "words"),
    [
        ((3, 1, 2, 4), (3, 1, 2, 4), {}, "`pre` must have the axes (ticks=3, agents, envs, pre0=5); received"),
        ((2, 1, 2, 5), (3, 1, 2, 4), {}, "`pre` must have the axes (ticks=3,"),
        ((3, 1, 2, 5), (3, 1, 1, 4), {}, "`post` must have the axes (ticks=3, agents=1, envs=2, post0=4)"),
        ((3, 1, 2, 5), (3, 1, 2, 4), {"gate": (1, 4)}, "`gate` must have the axes (agents=1, envs=2, post0=4)"),
    ],
)  # fmt: skip
def test_shapes_that_do_not_fit_are_refused_by_name(pre, post, more, words):
    gates = {name: torch.ones(shape, dtype=F64) for name, shape in more.items()}
    with pytest.raises(ValueError, match="must have the axes") as error:
        window_of(RSTDP(), torch.zeros(pre, dtype=F64), torch.zeros(post, dtype=F64), **gates)
    assert str(error.value).startswith(words)


def test_traces_that_a_spike_sets_need_spikes_of_0_or_1():
    with pytest.raises(ValueError, match=r"must hold spikes of 0 or 1 only; received 0\.5"):
        window_of(RSTDP(on_spike="set"), torch.full((3, 1, 2, 5), 0.5, dtype=F64), torch.zeros(3, 1, 2, 4, dtype=F64))


def test_weight_dependence_asks_for_the_weight():
    with pytest.raises(ValueError, match="`weight` is needed"):
        window_of(RSTDP(f_post=Identity()), torch.zeros(3, 1, 2, 5, dtype=F64), torch.zeros(3, 1, 2, 4, dtype=F64))


def test_reward_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match=r"`m` must have the axes \(agents=1, envs=3\); received the shape \(1, 2\)"):
        modulate((torch.zeros(1, 3, 4, 5),), (torch.zeros(1, 2),))


def test_options_of_an_agent_make_the_reward_switch_of_its_source():
    """Amplitudes of punishment of their own, the sign of the reward itself, nearest pairs, and 0 as punishment."""
    changes = {
        "plasticity.a_plus": 0.9, "plasticity.a_minus": 0.6, "plasticity.punished_plus": 0.5, "plasticity.punished_minus": 2.0,
        "plasticity.zero_punishes": True, "plasticity.on_spike": "set", "modulator": "reward", "modulation.novelty": 0.0,
    }  # fmt: skip
    agent = cartpole_agent(rule="reward-switch", **changes)
    rule = agent.layer.rule
    assert (rule.a_plus_punished, rule.a_minus_punished) == (0.45, 1.2)
    assert (rule.zero_punishes, rule.on_spike) == (True, "set")
    plus, minus = rule.factors(torch.tensor([[0.001, 0.0, -7.0]]))
    assert plus.tolist() == [pytest.approx([0.9, -0.45, -0.45])]
    assert minus.tolist() == [pytest.approx([0.6, -1.2, -1.2])]
    assert agent.backend == "torch"  # whose traces can be set
    usual = cartpole_agent(rule="reward-switch", **{"plasticity.a_minus": 0.6}).layer.rule
    assert (usual.a_plus_punished, usual.a_minus_punished, usual.zero_punishes) == (1.0, 0.6, False)
