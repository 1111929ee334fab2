"""What ours does where a source raises or surprises: one sentence and one check for each entry of `errors` and `facts`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from rstdp_agents.spiking.homeostasis import cumulative_rate, homeostatic_drive, linear_homeostasis
from rstdp_agents.spiking.plasticity import RSTDP, RSTDPET, PairRule
from rstdp_agents.spiking.plasticity.bounds import PowerBound, bounded_change
from rstdp_agents.spiking.plasticity.online import online_tick
from rstdp_agents.spiking.plasticity.trace_stdp import TraceSTDPParams, trace_stdp, trace_stdp_update
from rstdp_agents.spiking.plasticity.update import apply_update, modulate
from rstdp_agents.spiking.plasticity.window import PairState, pair_init, pair_kernels, pair_window
from rstdp_agents.spiking.reductions import mean_envs, per_weight
from rstdp_agents.spiking.synapses import Conv1d, Conv2d, ConvTranspose2d, Geometry, Linear, OneToOne

F64, CPU = torch.float64, torch.device("cpu")
LINEAR = Linear(4, 3)


class Answer(NamedTuple):
    """First words of the entries it answers, what ours does, and the check of it."""

    entry: str
    ours: str
    check: Callable[[], None]


def _random(*shape: int) -> Tensor:
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(0), dtype=F64) < 0.4).to(F64)


def _start(synapse: Geometry, rule: PairRule, envs: int) -> PairState:
    return pair_init(synapse, rule, 1, envs, CPU, F64)


def _run(synapse: Geometry, rule: PairRule, envs: int = 3, ticks: int = 5) -> tuple[Tensor, Tensor]:
    """Update for a reward per env, and what autograd says of the pairs of one window (tau -> 0: coincidences only)."""
    pre, post = _random(ticks, 1, envs, *synapse.pre_shape), _random(ticks, 1, envs, *synapse.post_shape)
    reward = torch.linspace(-1.0, 1.0, envs, dtype=F64)[None]
    state = pair_window(synapse, pair_kernels(rule, ticks, 1.0, CPU, F64), pre, post, _start(synapse, rule, envs))
    weight = torch.zeros(1, *synapse.weight_shape, dtype=F64, requires_grad=True)
    weighted = post * reward.reshape(1, 1, envs, *[1] * len(synapse.post_shape))
    (gradient,) = torch.autograd.grad((weighted * synapse.current(pre, weight)).sum() / envs, weight)
    return modulate(state.z, rule.factors(reward)), gradient


def works_on(*synapses: Geometry) -> Callable[[], None]:
    """Reward-modulated pairs on a synapse are the gradient of its current, and an eligibility trace runs as well."""

    def check() -> None:
        for synapse in synapses:
            update, gradient = _run(synapse, RSTDP(tau_plus=1e-3))
            torch.testing.assert_close(update, gradient, rtol=0, atol=1e-12)
            assert _run(synapse, RSTDPET(a_minus=0.5))[0].abs().sum() > 0

    return check


def refuses(words: str, call: Callable[[], object]) -> Callable[[], None]:
    """The call raises a ValueError with these words in it."""

    def check() -> None:
        with pytest.raises(ValueError, match="received") as error:
            call()
        assert words in str(error.value)

    return check


def conv(**options: object) -> Conv2d:
    return Conv2d(2, 2, (6, 6), (3, 3), **options)


def reward_of(shape: tuple[int, ...], envs: int, synapse: Geometry = LINEAR) -> Tensor:
    z = torch.ones(1, envs, *synapse.weight_shape, dtype=F64)
    return modulate((z,), (torch.ones(shape, dtype=F64),))


def nothing_seen_nothing_learned() -> None:
    z = _start(LINEAR, RSTDPET(), 2).z
    assert modulate(z, (torch.ones(1, 2, dtype=F64),)).abs().sum() == 0


def wrong_envs() -> PairState:
    rule = RSTDP()
    pre, post = _random(1, 1, 3, 4), _random(1, 1, 3, 3)
    return pair_window(LINEAR, pair_kernels(rule, 1, 1.0, CPU, F64), pre, post, _start(LINEAR, rule, 1))


def one_tick(rule: PairRule, state: PairState, spikes: float) -> PairState:
    pre, post = torch.full((1, 1, 1, 4), spikes, dtype=F64), torch.full((1, 1, 1, 3), spikes, dtype=F64)
    return pair_window(LINEAR, pair_kernels(rule, 1, 1.0, CPU, F64), pre, post, state)


def projections_share_nothing() -> None:
    slow, fast = RSTDP(tau_plus=20.0), RSTDP(tau_plus=5.0)
    a, b = _start(LINEAR, slow, 1), _start(LINEAR, fast, 1)
    for spikes in (0.0, 1.0, 1.0):
        a, b = one_tick(slow, a, spikes), one_tick(fast, b, spikes)
    assert a.x[0, 0, 0].item() == pytest.approx(1.951229424500714)
    assert b.x[0, 0, 0].item() == pytest.approx(1.8187307530779818)
    assert one_tick(slow, _start(LINEAR, slow, 1), 0.0).y.abs().sum() == 0


def update_is_in_place() -> None:
    weight = torch.zeros(1, 3, 4, dtype=F64)
    view = weight[0]
    apply_update(weight, torch.full_like(weight, 0.1), -1.0, 1.0)
    assert (view == 0.1).all()


def not_learning_is_not_calling() -> None:
    dw, state = online_tick(
        LINEAR, pair_kernels(RSTDP(), 1, 1.0, CPU, F64), torch.ones(1, 1, 1, 4, dtype=F64), torch.ones(1, 1, 1, 3, dtype=F64),
        _start(LINEAR, RSTDP(), 1),
        torch.zeros(1, 1, dtype=F64), lagged=False,
    )  # fmt: skip
    assert dw.abs().sum() == 0
    assert state.x.sum() > 0


def bounds_of_both_sides() -> None:
    weight = torch.tensor([-0.5, 0.25, 1.5], dtype=F64)
    one = torch.ones_like(weight)
    change = bounded_change(weight, one, 0 * one, PowerBound(1.0, 0.5), PowerBound(0.0, 0.5))
    assert change.tolist() == pytest.approx([1.5**0.5, 0.75**0.5, -(0.5**0.5)])


def drive(rate: float | Tensor, target: float | Tensor, plasticity: float = 0.1) -> Tensor:
    rates = torch.as_tensor(rate, dtype=F64).expand(1, 1, 3)
    return homeostatic_drive(LINEAR, rates, target, plasticity)


def sign_of_homeostasis() -> None:
    for param, sign in (("weight", 1.0), ("bias", 1.0), ("delay", -1.0)):
        for rate, change in ((1.0, -0.1), (0.0, 0.1)):
            got = linear_homeostasis(LINEAR, param, drive(rate, 0.5))
            torch.testing.assert_close(got, torch.full_like(got, sign * change))


def tensor_target() -> None:
    target = torch.tensor([0.25, 0.4, 0.5], dtype=F64)
    assert drive(0.5, target)[0, 0].tolist() == pytest.approx([-0.1, -0.025, 0.0])


def no_target() -> None:
    with pytest.raises(TypeError, match="target"):
        homeostatic_drive(LINEAR, torch.zeros(1, 1, 3), plasticity=0.1)  # pyright: ignore[reportCallIssue]


def bias_needs_no_bias() -> None:
    assert linear_homeostasis(LINEAR, "bias", drive(0.0, 0.5)).shape == (1, 3)


def changes_add_up() -> None:
    weight = torch.zeros(1, 3, 4, dtype=F64)
    for _ in range(3):
        weight += linear_homeostasis(LINEAR, "weight", drive(0.0, 0.5))
    torch.testing.assert_close(weight, torch.full_like(weight, 0.3))


def mean_of_all_steps() -> None:
    spikes, rate = _random(50, 3), torch.zeros(3, dtype=F64)
    for step, now in enumerate(spikes, 1):
        rate = cumulative_rate(rate, now, step)
    torch.testing.assert_close(rate, spikes.mean(0))


def one_term_may_be_missing() -> None:
    assert RSTDP(a_minus=0.0).a_minus == 0.0


def any_reduction() -> None:
    z = _random(1, 3, 3, 4)
    assert torch.equal(modulate((z,), (torch.ones(1, 3, dtype=F64),), torch.amax), z.amax(1))


def trace_stdp_clip_and_decay() -> None:
    weight = torch.tensor([-1.0, 0.0, 0.3, 2.0], dtype=F64)
    trace_stdp_update(weight, torch.zeros(4, dtype=F64), 0.0, TraceSTDPParams(w_max=0.5))
    assert weight.tolist() == pytest.approx([0.01, 0.01, 0.3, 0.49])
    weight = torch.ones(1, dtype=F64)
    trace_stdp_update(weight, torch.zeros(1, dtype=F64), 0.0, TraceSTDPParams(weight_decay=0.1))
    assert weight.item() == pytest.approx(0.9)


def batch_of_trace_stdp() -> None:
    pre, post = _random(1, 1, 1, 4), _random(1, 1, 1, 3)
    once = [pre, post, pre, post]
    twice = [torch.cat([a, a], 2) for a in once]
    p = TraceSTDPParams(a_minus=0.5)
    torch.testing.assert_close(trace_stdp(LINEAR, *twice, p), 2 * trace_stdp(LINEAR, *once, p))
    torch.testing.assert_close(trace_stdp(LINEAR, *twice, p, mean_envs), trace_stdp(LINEAR, *once, p))


def current_is_linear_in_gain() -> None:
    weight, pre = torch.ones(1, 3, 4, dtype=F64), _random(1, 1, 1, 4)
    torch.testing.assert_close(LINEAR.current(pre, 0.5 * weight), 0.5 * LINEAR.current(pre, weight))


def same_bits() -> None:
    assert torch.equal(_run(LINEAR, RSTDPET())[0], _run(LINEAR, RSTDPET())[0])


def reset_is_init() -> None:
    rule = RSTDPET(a_minus=1.0)
    used, fresh = one_tick(rule, _start(LINEAR, rule, 1), 1.0), _start(LINEAR, rule, 1)
    assert used.x.sum() > 0
    assert all(tensor.abs().sum() == 0 for tensor in (fresh.x, fresh.y, *fresh.z))


def reward_per_output_is_asked_for() -> None:
    refuses("(agents=1, envs=3); received the shape (3,)", lambda: reward_of((3,), 3))()
    reward = torch.tensor([1.0, 0.0, -2.0], dtype=F64).expand(1, 3, 3)
    assert modulate((torch.ones(1, 3, 3, 4, dtype=F64),), (per_weight(LINEAR, reward),))[0, :, 0].tolist() == [
        1.0,
        0.0,
        -2.0,
    ]


def whole_ticks() -> None:
    assert pair_kernels(RSTDP(), 10, 0.1, CPU, F64).late.shape == (10,)


CONVOLUTIONS = works_on(conv(), Conv1d(2, 2, 7, 3))
DILATED = works_on(conv(dilation=2), conv(groups=2), Conv1d(2, 2, 7, 3, dilation=2), Conv1d(2, 2, 7, 3, groups=2))

ANSWERS = (
    # SpikingJelly
    Answer("stdp_conv2d_single_step with dilation", "works: any dilation", DILATED),
    Answer("stdp_conv2d_single_step with groups", "works: any number of groups", DILATED),
    Answer("stdp_conv1d_single_step with dilation", "works: any dilation", DILATED),
    Answer("stdp_conv1d_single_step with groups", "works: any number of groups", DILATED),
    Answer("STDPLearner('s', Conv2d(", "works: any dilation and groups", DILATED),
    Answer("stdp_conv2d_single_step with padding='same'", "works with every padding mode",
           works_on(conv(padding="same"), conv(padding="same", padding_mode="circular"))),
    Answer("stdp_multi_step with a layer that", "works: rules know no geometry; a synapse is two maps",
           works_on(OneToOne(4), ConvTranspose2d(2, 2, (3, 3), 3))),
    Answer("STDPLearner('s', Conv3d)", "refused at construction: convolutions have one or two axes",
           refuses("one for each of (height, width)", lambda: Conv2d(1, 2, (3, 3, 3), 2))),
    Answer("STDPLearner('x'", "there are no modes; an unknown word is refused, with a suggestion",
           refuses("did you mean 'set'?", lambda: RSTDP(on_spike="sett"))),
    Answer("MSTDPLearner('x'", "there are no modes; an unknown word is refused, with a suggestion",
           refuses("did you mean 'euler'?", lambda: RSTDP(decay_form="eulr"))),
    Answer("MSTDPLearner('s', Conv", "works: reward per env on convolutions", CONVOLUTIONS),
    Answer("MSTDPLearner('m'", "works: a window of any number of ticks", works_on(LINEAR, conv())),
    Answer("MSTDPLearner('s', Linear).step(0.5)", "refused, with the axes: a modulator has one value per agent and env",
           refuses("`m` must have the axes (agents=1, envs=3); received the shape ()",
                   lambda: modulate((torch.ones(1, 3, 3, 4),), (0.5,)))),  # pyright: ignore[reportArgumentType]
    Answer("MSTDPLearner('s', Linear).step(reward) before", "works: no spikes, no change", nothing_seen_nothing_learned),
    Answer("STDPLearner('s', Linear).step() before", "works: no spikes, no change", nothing_seen_nothing_learned),
    Answer("MSTDPETLearner('s', Conv2d)", "works: reward per env on convolutions", CONVOLUTIONS),
    Answer("MSTDPETLearner('m', Linear)", "works: a window of any number of ticks", works_on(LINEAR)),
    Answer("MSTDPETLearner('s', Linear).step(reward) with batched", "works: envs are an axis", works_on(LINEAR)),
    Answer("MSTDPLearner('s', Linear, batch_size=1)", "refused: the state must have the envs of the spikes",
           refuses("`state.x` must have the axes (agents=1, envs=3, pre0=4)", wrong_envs)),
    Answer("STDPLearner('s', Linear, tau_pre=0.5)", "refused for Euler decay; exponential decay takes it",
           refuses("at least dt=1.0 (ms) for an Euler decay",
                   lambda: pair_kernels(RSTDP(tau_plus=0.5, decay_form="euler"), 1, 1.0, CPU, F64))),
    Answer("MSTDPLearner('s', Linear).step(reward of shape [2])", "refused, with the axes",
           refuses("`m` must have the axes (agents=1, envs=3); received the shape (2,)", lambda: reward_of((2,), 3))),
    Answer("MSTDPETLearner('s', Linear).step(reward of shape [2])", "refused, with the axes",
           refuses("`m` must have the axes (agents=1, envs=1); received the shape (2,)", lambda: reward_of((2,), 1))),
    Answer("functional names", "one name for each function: `stdp.pair_terms`, `update.modulate`", works_on(LINEAR)),
    # SPAIC
    Answer("a network step with RewardSwitchSTDP.training", "works: not learning is not calling, or m = 0",
           not_learning_is_not_calling),
    Answer("RSTDPET in a network with batch", "works: envs are an axis", works_on(LINEAR)),
    Answer("RSTDP with one post neuron", "works", works_on(Linear(4, 1))),
    Answer("RewardSwitchSTDP: after a run", "one weight, written in place by `apply_update`", update_is_in_place),
    Answer("RewardSwitchSTDP: a new run", "a reset clears every trace and eligibility", reset_is_init),
    Answer("RewardSwitchSTDP: learner.optim_step()", "nothing to copy: one weight", update_is_in_place),
    Answer("RSTDP: changes", "the same", update_is_in_place),
    Answer("RSTDP: two trained connections", "each projection has its own traces", projections_share_nothing),
    Answer("RSTDP registers tau_plus", "each rule has its own constants", projections_share_nothing),
    Answer("RSTDP with a reward of shape [N_pre]", "refused, with the axes",
           refuses("`m` must have the axes (agents=1, envs=1); received the shape (4,)", lambda: reward_of((4,), 1))),
    Answer("Network.run_continue", "a window is a whole number of ticks", whole_ticks),
    # Inferno
    Answer("fullbound(bound_power", "works: a separate bound for each side, never NaN", bounds_of_both_sides),
    Answer("LinearHomeostasis without default target", "Python's error names the argument", no_target),
    Answer("LinearHomeostasis(target=0.0)", "refused, at every call",
           refuses("`target` must be positive", lambda: drive(0.5, 0.0))),
    Answer("LinearHomeostasis(target=tensor)", "works: number or tensor, at every call", tensor_target),
    Answer("LinearHomeostasis(param='threshold')", "refused, with the choices",
           refuses("must be one of 'weight', 'bias', 'delay'; received 'threshold'",
                   lambda: linear_homeostasis(LINEAR, "threshold", drive(0.5, 0.4)))),  # pyright: ignore
    Answer("LinearHomeostasis(param='bias')", "works: a bias is the neuron's, not the synapse's", bias_needs_no_bias),
    Answer("CellTrainer.monitors", "state is a tuple; every trace can be read", reset_is_init),
    Answer("CellTrainer.update()", "an update is a tensor and `apply_update`", update_is_in_place),
    Answer("STDP with lr_pre = 0", "works: either term may be missing", one_term_may_be_missing),
    Answer("Updater(connection", "works: any callable on (tensor, axis)", any_reduction),
    Answer("STDP on a Conv2D", "works", CONVOLUTIONS),
    Answer("MSTDP on a Conv2D", "works", CONVOLUTIONS),
    Answer("MSTDPET on a Conv2D", "works", CONVOLUTIONS),
    Answer("STDP trainer called before", "works: no spikes, no change", nothing_seen_nothing_learned),
    Answer("CAReducer on boolean", "`cumulative_rate` is the same mean; `running_rate` forgets", mean_of_all_steps),
    Answer("LinearHomeostasis (plasticity 0.1", "the documented sign: -0.1 above the target, +0.1 below", sign_of_homeostasis),
    Answer("Trainer called three times", "changes are tensors; three of them add up", changes_add_up),
    Answer("LinearHomeostasis with two cells", "the target is an argument of each call: -0.025", tensor_target),
    Answer("One STDP trainer with cells", "each projection has its own traces", projections_share_nothing),
    # ngc-learn
    Answer("TraceSTDPDeconvSynapse.reset()", "works: the state is made again", reset_is_init),
    Answer("TraceSTDPDeconvSynapse(padding=None)", "works: the default is 0; an unknown word is refused",
           refuses("`padding` must be numbers", lambda: ConvTranspose2d(1, 1, 3, 3, padding="none"))),
    Answer("w_bound is a hard clip", "the same, with the margin as a parameter", trace_stdp_clip_and_decay),
    Answer("w_decay is not multiplied", "the same, and documented", trace_stdp_clip_and_decay),
    Answer("The older argument name", "no such argument: the gain is a factor on the weight", current_is_linear_in_gain),
    Answer("dWeights with the same sample", "the same; mean and any other reduction as well", batch_of_trace_stdp),
    Answer("evolve() called directly", "a pure function: the same bits every time", same_bits),
    # BindsNET
    Answer("MSTDP with batch 3", "refused; a reward per output goes through `per_weight`", reward_per_output_is_asked_for),
    Answer("Only nu[0]", "one learning rate", update_is_in_place),
    Answer("Network.reset_state_variables()", "a reset clears every trace and eligibility", reset_is_init),
)  # fmt: skip


def answer(entry: str) -> Answer:
    """The answer whose first words the entry has; the longest of them."""
    fitting = [a for a in ANSWERS if entry.startswith(a.entry)]
    if not fitting:
        raise AssertionError(f"no answer to {entry!r}")
    return max(fitting, key=lambda a: len(a.entry))
