"""Three factors: the pairs of pre- and postsynaptic spikes, how the modulator meets them, and the weight."""

from __future__ import annotations

from math import inf

from rstdp_agents.base.compiled import equation
from rstdp_agents.equations.ops import Value, clip, like, power, where


@equation
def spike_pairs(causal: Value, anticausal: Value, a_plus: Value, a_minus: Value) -> Value:
    """Signed pairs of spikes of a synapse in one tick: pre before post strengthens, post before pre weakens.

        zeta = a_plus post x - a_minus y pre

    causal: post x, with the trace x of pre. anticausal: y pre, with the trace y of post. After Florian (2007).
    """
    return a_plus * causal - a_minus * anticausal


@equation
def shared_gate(gate: Value, power: Value) -> Value:
    """Gate of a neuron's spike pairs as a share of its input: what an update changes does not grow with the number of inputs.

        gate <- gate / sum_i n_i^2, at least 1

    gate: of the action taken. power: sum over the input neurons i of the square of the number of spikes n_i that is expected
    of them in the window (of neurons of a hidden layer: of those that they fired). Each of their synapses learns in
    proportion to n_i and acts in proportion to n_i: the drive by the same input changes by lr m gate for each output spike
    that followed.
    After Nagumo and Noda (1967); in tissue, shunting inhibition by the neurons' common input.
    """
    return gate / clip(power, 1.0, inf)


@equation
def switch_factor(m: Value, rewarded: Value, punished: Value, zero_punishes: bool = False) -> Value:
    """Amplitude by the sign of the modulator, whatever its size.

        A(sign m) = rewarded where m > 0, punished where m < 0, else 0

    zero_punishes: take m = 0 for punishment. Shape of ``m``.
    """
    return where(m > 0, rewarded, where(m < 0, like(punished, m), punished if zero_punishes else 0.0))


@equation
def dale_bounds(w_min: float, w_max: float, inhibitory: bool) -> tuple[float, float]:
    """Bounds of the weights of a neuron that obeys Dale's law.

        0 <= w <= w_max if the neuron excites, w_min <= w <= 0 if it inhibits

    Returns the lower and the upper one.
    """
    return w_min if inhibitory else 0.0, 0.0 if inhibitory else w_max


@equation
def gap_factor(gap: Value, span: Value, mu: Value) -> Value:
    """What a weight's distance from a bound leaves of its plasticity.

        f(w) = (gap / (w_max - w_min))^mu

    gap: w_max - w, or w - w_min. span: w_max - w_min. mu: 1 for a gap that counts in proportion, 0 for one that does not count.
    Of the shape of ``gap``. After Gütig and others (2003).
    """
    return power(gap / span, mu)


@equation
def soft_change(weight: Value, dw: Value, w_min: Value, w_max: Value, mu: Value) -> Value:
    """Change of a weight between soft bounds: the closer it is to the one that it moves to, the less it moves.

        dw <- dw f(w)

    f: `gap_factor` of w_max - w where dw > 0, else of w - w_min. mu: its power; 0 is a hard bound, for which nothing changes.
    All of one shape. After Gütig and others (2003).
    """
    return dw * gap_factor(where(dw > 0, w_max - weight, weight - w_min), w_max - w_min, mu)


@equation
def weight_step(weight: Value, dw: Value, w_min: Value, w_max: Value) -> Value:
    """Weight after its change.

        w <- w + dw, within w_min and w_max

    All of one shape.
    """
    return clip(weight + dw, w_min, w_max)
