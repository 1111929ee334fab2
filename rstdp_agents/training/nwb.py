"""Records of agents as a file of Neurodata Without Borders (NWB 2), for the tools of electrophysiology."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.installation import version
from rstdp_agents.base.plugins import optional

BEHAVIOUR = {
    "observation": "what the agent saw when the env step began",
    "action": "what the agent did",
    "reward": "reward of the action",
    "terminated": "whether the episode ended",
    "truncated": "whether the episode was cut short",
    "restarted": "whether the env only began an episode, and did not take the action",
}
"""Series of the module ``behavior``, and what they are."""
INSIDE = {
    "weight": "synaptic weights, as they were in the env step",
    "eligibility": "eligibility of the output layer's synapses at the end of the window, for each term of the rule",
    "modulator": "third factor that the reward became",
    "value": "value of the observation, by the critic",
}
"""Series of the acquisition, and what they are."""


def write(
    path: Path, arrays: dict[str, np.ndarray], agents: tuple[int, ...], every: int, dt: float, window_ms: float
) -> None:
    """Write records, ``arrays`` as of `recorder.Recorder`, of some agents; times are seconds of simulated time.

    ``trials``: a row for every env step that was kept, from the first tick of its window to the last. ``units``: a row for every
    neuron, with its spike times, layer, agent, env and index; they are observed in the trials. Series of every agent: in the
    module ``behavior`` what is in `BEHAVIOUR`, in ``acquisition`` what is in `INSIDE`. A row of a series is an array of an env
    step, ``(envs, *obs)`` of observations, say, or ``(terms, envs, *weight)`` of eligibility, made flat; its time is the begin of
    the window for an observation, its end for all else.

    every: env steps from one that was kept to the next. dt, window_ms: length of a tick and of a window (ms). Raises UsageError
    for no records, or without pynwb.
    """
    pynwb = optional("pynwb", "nwb")
    if not arrays:
        raise UsageError("the recorder has kept nothing yet: give it to train(..., recorder=...)")
    file = pynwb.NWBFile(
        f"spiking agents, recorded by rstdp_agents {version('rstdp_agents')}", str(uuid.uuid4()), datetime.now(UTC),
        experiment_description="simulated agents that learn by reward-modulated plasticity; times are of the simulation",
        keywords=("simulation", "spiking neural network", "reward-modulated plasticity", "reinforcement learning"),
    )  # fmt: skip
    window = window_ms / 1000.0
    windows = np.stack([arrays["step"] - 1, arrays["step"]], 1) * window
    file.add_trial_column("step", "env step of each env, of those that the recorder saw, from 1 on")
    for step, (start, stop) in zip(arrays["step"].tolist(), windows.tolist()):
        file.add_trial(start_time=start, stop_time=stop, step=step)
    layers = {name.partition("/")[2]: array for name, array in arrays.items() if name.startswith("spikes/")}
    if layers:
        file.units = _units(pynwb, layers, windows, agents, dt / 1000.0)
    behaviour = file.create_processing_module("behavior", "what agents saw and did in their environments")
    for kind, series in _series(pynwb, arrays, agents, windows[0], 1.0 / (every * window)):
        add = behaviour.add if kind in BEHAVIOUR else file.add_acquisition
        add(series)
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)


def _series(
    pynwb: Any, arrays: dict[str, np.ndarray], agents: tuple[int, ...], window: np.ndarray, rate: float
) -> Iterator[tuple[str, Any]]:
    """Kind and series of every array and agent; window: the first one that was kept, ``(2,)`` (s). rate: rows per second."""
    kinds = BEHAVIOUR | INSIDE
    for name, array in arrays.items():
        kind = name.partition("/")[0]
        start = float(window[0 if kind == "observation" else 1])
        for i, agent in enumerate(agents if kind in kinds else ()):
            own = array.take(i, 2 if kind == "eligibility" else 1)
            about = f"{kinds[kind]}; a row is an array {own.shape[1:]} in C order"
            series = pynwb.TimeSeries(
                name=f"{name.replace('/', '_')}_agent{agent}", description=about, unit="n/a",
                data=_packed(pynwb, own.reshape(len(own), -1)), starting_time=start, rate=rate,
            )  # fmt: skip
            yield kind, series


def _units(pynwb: Any, layers: dict[str, np.ndarray], windows: np.ndarray, agents: tuple[int, ...], tick: float) -> Any:
    """All neurons of layers, whose spikes are ``(n, ticks, agents, envs, neurons)``, in ``windows (n, 2)``; times in seconds."""
    times, counts, rows = [], [], []
    for name, spikes in layers.items():
        unit, record, at = np.nonzero(spikes.transpose(2, 3, 4, 0, 1).reshape(-1, *spikes.shape[:2]))
        times.append(windows[record, 0] + at * tick)
        counts.append(np.bincount(unit, minlength=np.prod(spikes.shape[2:])))
        rows += [(name, agents[i], env, neuron) for i, env, neuron in np.ndindex(spikes.shape[2:])]
    breaks = np.flatnonzero(~np.isclose(windows[1:, 0], windows[:-1, 1]))
    observed = np.stack([windows[np.r_[0, breaks + 1], 0], windows[np.r_[breaks, -1], 1]], 1)
    columns = [
        pynwb.core.VectorData(name=name, description=f"{name} of the unit", data=list(values))
        for name, values in zip(("layer", "agent", "env", "neuron"), zip(*rows))
    ]
    columns += _ragged(pynwb, "spike_times", "times of the ticks (s)", np.concatenate(times), np.concatenate(counts))
    seen, each = np.tile(observed, (len(rows), 1)), np.full(len(rows), len(observed))
    columns += _ragged(pynwb, "obs_intervals", "when the unit was observed (s)", seen, each)
    about = "neurons of all layers of the agents"
    return pynwb.misc.Units(name="units", description=about, resolution=tick, id=np.arange(len(rows)), columns=columns)


def _ragged(pynwb: Any, name: str, about: str, data: np.ndarray, counts: np.ndarray) -> list[Any]:
    """A column of ``counts (units,)`` values each, and its index."""
    column = pynwb.core.VectorData(name=name, description=about, data=_packed(pynwb, data))
    return [column, pynwb.core.VectorIndex(name=f"{name}_index", target=column, data=np.cumsum(counts))]


def _packed(pynwb: Any, data: np.ndarray) -> Any:
    return pynwb.H5DataIO(data, compression="gzip", shuffle=True)
