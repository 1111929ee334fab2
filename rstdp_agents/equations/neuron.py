"""The leaky integrate-and-fire neuron: one tick; the noise of neurons, and inhibition within a layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from rstdp_agents.base import validate
from rstdp_agents.base.compiled import equation
from rstdp_agents.equations.ops import Value, cloglog, like, logit, where
from rstdp_agents.equations.traces import decay

Escape = Literal["logistic", "exponential"]


@dataclass(frozen=True)
class LIFParams:
    """Leaky integrate-and-fire neuron; voltages in units of the distance from rest to threshold."""

    tau_m: float = 10.0
    """Membrane time constant (ms)."""
    v_th: float = 1.0
    """Threshold."""
    v_rest: float = 0.0
    """Resting potential, to which the membrane leaks."""
    v_reset: float = 0.0
    """Potential right after a spike."""
    t_ref: float = 1.0
    """Refractory period (ms): after a spike the neuron cannot fire for this long; 0 for none."""
    escape_noise: float = 0.4
    """Width of the soft threshold; 0 for a hard threshold."""
    escape: Escape = "logistic"
    """P(spike) per tick: sigmoid((v - v_th) / escape_noise) (logistic), which has no time constant; or from a firing rate of
    escape_rate exp((v - v_th) / escape_noise), whatever the tick (exponential)."""
    escape_rate: float = 60.0
    """Firing rate at the threshold, were there no reset (Hz; exponential)."""
    lateral_inhibition: float = 0.0
    """By how much a spike lowers the potential of every other neuron of its layer, from the next tick on."""

    def __post_init__(self) -> None:
        validate.positive("tau_m", self.tau_m, "ms")
        validate.not_negative("t_ref", self.t_ref, "ms")
        validate.not_negative("escape_noise", self.escape_noise)
        validate.not_negative("lateral_inhibition", self.lateral_inhibition)
        validate.one_of("escape", self.escape, get_args(Escape))
        validate.positive("escape_rate", self.escape_rate, "Hz")
        validate.ordered("v_reset", self.v_reset, "v_th", self.v_th)
        validate.ordered("v_rest", self.v_rest, "v_th", self.v_th)


class LIFConstants(NamedTuple):
    """What a tick computes with: `LIFParams` for ticks of one length."""

    keep_v: float
    """What is left of the distance from rest after a tick, exp(-dt / tau_m)."""
    v_th: float
    v_rest: float
    v_reset: float
    refractory_ticks: float
    """Ticks that a spike's pause lasts, a whole number."""
    escape_noise: float
    lateral_inhibition: float
    is_exponential: bool
    """Whether a neuron escapes by a firing rate, else by a probability per tick."""
    log_hazard: float
    """Logarithm of the spikes to be expected in a tick at the threshold."""


def logistic_width(sd: float) -> float:
    """Width of a logistic distribution of this standard deviation, sd sqrt(3) / pi."""
    return sd * math.sqrt(3.0) / math.pi


def lif_constants(p: LIFParams, dt: float) -> LIFConstants:
    """Constants of neurons for ticks of ``dt`` ms."""
    return LIFConstants(
        decay(p.tau_m, dt), p.v_th, p.v_rest, p.v_reset, round(p.t_ref / dt), p.escape_noise, p.lateral_inhibition,
        p.escape == "exponential", math.log(p.escape_rate * dt / 1000.0),
    )  # fmt: skip


@equation
def lif_tick(v: Value, refractory: Value, current: Value, threshold: Value, p: LIFConstants) -> tuple[Value, ...]:
    """One tick of a neuron: leak, integrate, fire, reset.

        v <- v_rest + (v - v_rest) exp(-dt / tau_m) + current
        spike = v >= threshold, where no pause is left

    A spike sets v to v_reset, and a pause of t_ref begins. v: membrane potential. refractory: ticks of pause that are left.
    current: the jump of potential of this tick. All of one shape. Returns spike (a mask), v and refractory after the tick.
    After Gerstner and Kistler (2002), chapter 4.
    """
    v = p.v_rest + (v - p.v_rest) * p.keep_v + current
    spike = (v >= threshold) & (refractory <= 0)
    left = where(refractory > 0, refractory - like(1, refractory), like(0, refractory))
    return spike, where(spike, p.v_reset, v), where(spike, p.refractory_ticks, left)


@equation
def conductance_jump(v: Value, excitation: Value, inhibition: Value, e_exc: Value, e_inh: Value) -> Value:
    """Jump of potential by open synapses in a tick, by the implicit method of Euler: it never goes beyond a reversal potential.

        current = (E (e_exc - v) + I (e_inh - v)) / (1 + E + I)

    excitation, inhibition: E and I, conductances times dt / C, so that both are numbers. v, e_exc, e_inh: potentials of one unit.
    The ``current`` of `lif_tick`. After Gerstner and Kistler (2002), chapter 2.
    """
    return (excitation * (e_exc - v) + inhibition * (e_inh - v)) / (1.0 + excitation + inhibition)


@equation
def noise_of_current(uniform: Value, width: Value) -> Value:
    """Noise that is added to the current of a tick, of a logistic distribution of mean 0, from a uniform draw in [0, 1).

        noise = width log(u / (1 - u))

    Shape of ``uniform``.
    """
    return logit(uniform) * width


@equation
def noisy_threshold(uniform: Value, p: LIFConstants) -> Value:
    """Threshold that turns the hard comparison of `lif_tick` into escape noise, from a uniform draw in [0, 1).

    Logistic:

        threshold = v_th + escape_noise log(u / (1 - u))
        P(spike) = sigmoid((v - v_th) / escape_noise)

    Exponential, the soft threshold of a neuron that fires at a rate:

        threshold = v_th + escape_noise log(-log(1 - u) / (escape_rate dt))
        P(spike) = 1 - exp(-escape_rate dt exp((v - v_th) / escape_noise))

    P is that of v >= threshold; a hard threshold v_th where the noise is 0. Shape of ``uniform``.
    After Gerstner and Kistler (2002), chapter 5.
    """
    noise = cloglog(uniform) - p.log_hazard if p.is_exponential else logit(uniform)
    return noise * p.escape_noise + p.v_th


@equation
def inhibited(v: Value, spike: Value, spikes_of_layer: Value, p: LIFParams | LIFConstants) -> Value:
    """Potential after the spikes of the other neurons of a layer.

        v <- v - lateral_inhibition (spikes of the layer - own spike)

    spike: 1 if the neuron itself fired, else 0. spikes_of_layer: of all its neurons, in this tick.
    """
    return v - p.lateral_inhibition * (spikes_of_layer - spike)
