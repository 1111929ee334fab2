"""Records of agents as a file of Neurodata Without Borders (NWB 2), for the tools of electrophysiology."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.installation import version
from rstdp_agents.base.plugins import optional


def write(path: Path, arrays: dict[str, np.ndarray], agents: tuple[int, ...], dt: float, window_ms: float) -> None:
    """Write records, ``arrays`` as of `recorder.Recorder`, of some agents; times are seconds of simulated time.

    ``trials``: a row for every env step that was kept, from the first tick of its window to the last. ``units``: a row for every
    neuron, with its spike times, layer, agent, env and index; they are observed in the trials. ``acquisition``: for every agent
    reward, modulator and value ``(n, envs)``, weights ``(n, synapses)`` and eligibility ``(n, terms * envs * synapses)``, at the
    ends of the windows. dt, window_ms: length of a tick and of a window (ms). Raises UsageError for no records, or without pynwb.
    """
    pynwb = optional("pynwb", "nwb")
    if not arrays:
        raise UsageError("the recorder has kept nothing yet: give it to train(..., recorder=...)")
    about = f"spiking agents, recorded by rstdp_agents {version('rstdp_agents')}"
    file = pynwb.NWBFile(about, str(uuid.uuid4()), datetime.now(UTC))
    window = window_ms / 1000.0
    begin = (arrays["step"] - 1) * window
    file.add_trial_column("step", "env step of each env, from 1 on")
    for step, start in zip(arrays["step"], begin):
        file.add_trial(start_time=float(start), stop_time=float(start + window), step=int(step))
    for name, array in arrays.items():
        if name.startswith("spikes/"):
            _add_units(file, name.partition("/")[2], array, begin, agents, dt / 1000.0)
        elif name != "step":
            for i, agent in enumerate(agents):
                own = array[:, :, i] if name == "eligibility" else array[:, i]
                series = pynwb.TimeSeries(
                    name=f"{name.replace('/', '_')}_agent{agent}", data=own.reshape(len(own), -1), unit="n/a",
                    timestamps=begin + window,
                )  # fmt: skip
                file.add_acquisition(series)
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)


def _add_units(
    file: Any, layer: str, spikes: np.ndarray, begin: np.ndarray, agents: tuple[int, ...], tick: float
) -> None:
    """Units of a layer, of ``spikes (n, ticks, agents, envs, neurons)`` in windows that ``begin (n,)``; times in seconds."""
    if file.units is None:
        for name in ("layer", "agent", "env", "neuron"):
            file.add_unit_column(name, f"{name} of the unit")
    observed = np.stack([begin, begin + spikes.shape[1] * tick], 1)
    for i, env, neuron in np.ndindex(spikes.shape[2:]):
        record, at = np.nonzero(spikes[:, :, i, env, neuron])
        file.add_unit(
            spike_times=begin[record] + at * tick,
            obs_intervals=observed,
            layer=layer,
            agent=agents[i],
            env=env,
            neuron=neuron,
        )
