"""One synapse under pre-, postsynaptic and dopamine spikes, recorded from NEST or from Brian2.

    python benchmarks/recordings/dopamine.py nest   > tests/conformance/dopamine/nest.json
    python benchmarks/recordings/dopamine.py brian2 > tests/conformance/dopamine/brian2.json

Neither is needed to run or to test this project, and Brian2 wants an older NumPy: give each an environment of its own
(``pip install nest-simulator``; ``pip install brian2 'numpy<2'``). The model is that of Izhikevich (2007) as NEST's
`stdp_dopamine_synapse` has it: an eligibility c of spike pairs, a dopamine level n, and dw/dt = c (n - b).
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

DT, DURATION = 0.1, 2000.0
"""ms"""
MODEL = {"A_plus": 1.0, "A_minus": 1.5, "tau_plus": 20.0, "tau_minus": 15.0, "tau_c": 1000.0, "tau_n": 200.0, "b": 0.01}
EVERY = 10
"""ms between the states that are kept: weight, c and n."""
SPIKES = {"pre": 40, "post": 40, "dopamine": 12}
TOGETHER = {"pre": [10.5, 20.5], "post": [14.5, 20.5], "dopamine": [25.5]}
"""A pair that arrives in the same tick."""
SAME_MS = {"pre": [10.5, 20.3], "post": [14.5, 20.8], "dopamine": [25.5]}
"""A pair that arrives within the same ms, the interval in which NEST delivers dopamine."""


def random_spikes() -> dict[str, list[float]]:
    """When spikes arrive (ms): each in a ms of its own, none on a whole one or in the ms before states are read."""
    random = np.random.default_rng(0)
    whole = [ms for ms in range(5, round(DURATION) - 5) if ms % EVERY != EVERY - 1]
    drawn = random.choice(whole, sum(SPIKES.values()), replace=False)
    parts = np.split(drawn + random.integers(1, 10, len(drawn)) / 10, np.cumsum(list(SPIKES.values()))[:-1])
    return {name: np.sort(part).round(1).tolist() for name, part in zip(SPIKES, parts, strict=True)}


def nest(spikes: dict[str, list[float]], duration: float) -> tuple[list[Any], str]:
    """Weight, c and n at every whole ms. A parrot passes a spike on after 1 ms; post- and dopamine spikes take another one."""
    import nest as simulator  # pyright: ignore[reportMissingImports]

    simulator.ResetKernel()
    simulator.resolution = DT
    parrots = simulator.Create("parrot_neuron", 3)
    for (name, arrivals), parrot in zip(spikes.items(), parrots):
        sent = [round(time - (1.0 if name == "pre" else 2.0), 1) for time in arrivals]
        generator = simulator.Create("spike_generator", params={"spike_times": sent})
        simulator.Connect(generator, parrot, syn_spec={"delay": 1.0})
    transmitter = simulator.Create("volume_transmitter", params={"deliver_interval": 1})
    simulator.Connect(parrots[2], transmitter, syn_spec={"delay": 1.0})
    own = {name: value for name, value in MODEL.items() if name != "tau_minus"}
    bounds = {"Wmin": -1e6, "Wmax": 1e6}
    simulator.CopyModel("stdp_dopamine_synapse", "synapse", {"volume_transmitter": transmitter, **own, **bounds})
    parrots[1].tau_minus = MODEL["tau_minus"]
    one = {"synapse_model": "synapse", "weight": 0.0, "delay": 1.0, "receptor_type": 1}
    simulator.Connect(parrots[0], parrots[1], syn_spec=one)
    synapse, states = simulator.GetConnections(synapse_model="synapse"), []
    for _ in range(round(duration)):
        simulator.Simulate(1.0)
        states.append([float(synapse.get(name)) for name in ("weight", "c", "n")])
    return states, simulator.__version__


def brian2(spikes: dict[str, list[float]], duration: float) -> tuple[list[Any], str]:
    """Weight, c and n at every whole ms. A spike acts at the end of its tick; the weight is integrated by Euler's method."""
    import brian2 as b2  # pyright: ignore[reportMissingImports]

    b2.prefs.codegen.target = "numpy"
    b2.defaultclock.dt = DT * b2.ms
    groups = [
        b2.SpikeGeneratorGroup(1, np.zeros(len(arrivals), int), (np.array(arrivals) - DT) * b2.ms)
        for arrivals in spikes.values()
    ]
    times = {name: value * b2.ms for name, value in MODEL.items() if name.startswith("tau")}
    names = {
        **times,
        "A_plus": MODEL["A_plus"],
        "A_minus": MODEL["A_minus"],
        "b": MODEL["b"],
        "tick": DT,
        "tau": MODEL["tau_n"],
    }
    synapse = b2.Synapses(
        groups[0],
        groups[1],
        model="""dn/dt = -n / tau_n : 1 (clock-driven)
                 dc/dt = -c / tau_c : 1 (clock-driven)
                 dx/dt = -x / tau_plus : 1 (event-driven)
                 dy/dt = -y / tau_minus : 1 (event-driven)
                 w : 1""",
        on_pre="c -= A_minus * y; x += 1",
        on_post="c += A_plus * x; y += 1",
        method="exact",
        namespace=names,
    )
    synapse.connect()
    synapse.run_regularly("w += c * (n - b) * tick", dt=DT * b2.ms, when="start")
    dopamine = b2.Synapses(groups[2], synapse, on_pre="n_post += 1 / tau", namespace=names)
    dopamine.connect()
    monitor = b2.StateMonitor(synapse, ["w", "c", "n"], record=True, dt=1 * b2.ms, when="start", order=-1)
    b2.Network(*groups, synapse, dopamine, monitor).run((duration + 1) * b2.ms, namespace=names)
    return np.stack([monitor.w[0], monitor.c[0], monitor.n[0]], 1)[1 : round(duration) + 1].tolist(), b2.__version__


def main(name: str) -> None:
    cases = {"apart": (random_spikes(), DURATION), "together": (TOGETHER, 30.0), "same ms": (SAME_MS, 30.0)}
    simulate, recorded, version = {"nest": nest, "brian2": brian2}[name], {}, ""
    for case, (spikes, duration) in cases.items():
        states, version = simulate(spikes, duration)
        recorded[case] = {"spikes": spikes, "states": states[EVERY - 1 :: EVERY]}
    print(json.dumps({"simulator": f"{name} {version}", "dt": DT, "every": EVERY, "model": MODEL, **recorded}))


if __name__ == "__main__":
    main(sys.argv[1])
