"""Dopamine, the third factor as tissue has it: neurons that fire an error, and a level that follows what is released."""

from __future__ import annotations

from math import inf

from rstdp_agents.base.compiled import equation
from rstdp_agents.equations.ops import Value, clip, exp
from rstdp_agents.equations.traces import decay


@equation
def dopamine_chance(m: Value, rest: Value) -> Value:
    """Probability that a dopamine neuron fires in a tick.

        P(spike in a tick) = 1 - exp(-rest max(0, 1 + m))

    m: modulator, in units of its own size: an error of 1 doubles the rate, one of -1 or less silences the neuron. rest: spikes
    expected in a tick without an error. After the recordings of Schultz, Dayan and Montague (1997) and of Bayer and Glimcher
    (2005): bursts grow with the error, and there is no rate below 0.
    """
    return 1.0 - exp(-rest * clip(1.0 + m, 0.0, inf))


@equation
def dopamine_said(spikes: Value, n: Value, rest: Value) -> Value:
    """The modulator that dopamine neurons fired in a window.

        m = spikes / (N (1 - exp(-rest))) - 1

    spikes: of all neurons in a window. n: N, the spikes that they would fire with one in every tick. rest: of
    `dopamine_chance`. Without an error m is 0 on average, with a variance of 1 / (spikes to be expected).
    """
    return spikes / (n * (1.0 - exp(-rest))) - 1.0


def dopamine_share(tau: float, window: float) -> float:
    """Share of the modulator of an env step of ``window`` ms in the level of dopamine, 1 - exp(-window / tau); tau in ms."""
    return 1.0 - decay(tau, window)


@equation
def dopamine_step(level: Value, m: Value, share: Value) -> Value:
    """Level of dopamine, above its baseline, after an env step with the modulator m.

        d <- exp(-window / tau_dopamine) d + (1 - exp(-window / tau_dopamine)) m

    share: of `dopamine_share`. All m ever felt adds up to m. After the dopamine of Izhikevich (2007), in other units.
    """
    return (1.0 - share) * level + share * m
