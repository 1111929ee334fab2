"""What agents do, and what happens inside of them while they learn, kept step by step: copies, as arrays, a table or a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from torch import Tensor

from rstdp_agents.agent.agent import Agent
from rstdp_agents.base import validate
from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.plugins import optional
from rstdp_agents.codecs.transition import Transition

if TYPE_CHECKING:
    import pandas

What = Literal[
    "spikes", "weight", "eligibility", "modulator", "value",
    "observation", "action", "reward", "terminated", "truncated", "restarted",
]  # fmt: skip
WHAT: tuple[What, ...] = get_args(What)


class Recorder:
    """Keeps copies of what happens in env steps of some agents, on either backend alike: ``train(..., recorder=Recorder())``.

    what: names of what is kept, see `arrays`. every: env steps of an env from one that is kept to the next. agents: which of the
    population, by index: one, or several. Raises ValueError for names that there are not.

    An env step is a window and what came of it: the observation it began with, its spikes, what was eligible after it, the
    weights and the value of the observation as they were in it; its action, the reward, whether an episode ended, and the
    modulator that the reward became. The first env step of a resumed run is not seen: no checkpoint holds its observation.
    """

    def __init__(self, what: Sequence[What] = WHAT, every: int = 1, agents: int | Sequence[int] = 0) -> None:
        self.what: tuple[str, ...] = (what,) if isinstance(what, str) else tuple(what)
        for name in self.what:
            validate.one_of("what", name, WHAT)
        validate.positive("every", every, "env steps")
        self.every = every
        self.agents = tuple(np.atleast_1d(agents).tolist())
        self.dt = 0.0
        """Length of a tick (ms); 0 before the first record, as below."""
        self.window_ms = 0.0
        """Length of a window (ms)."""
        self._steps = 0
        self._kept: dict[str, list[np.ndarray]] = {}

    def step(self, agent: Agent, obs: np.ndarray, action: np.ndarray, t: Transition) -> np.ndarray:
        """`Agent.step`, with a look before and after it; ``action`` is what ``obs`` was answered with, ``t`` what it led to."""
        self._steps += 1
        if self._steps % self.every:
            return agent.step(t)
        self._keep_window(agent)
        self._keep_behaviour(obs, action, t)
        after = agent.step(t)
        self._keep("step", np.array(self._steps))
        if "modulator" in self.what:
            self._keep("modulator", self._of(agent.m))
        return after

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """All that was kept, by name; of ``n`` env steps and some ``agents``.

        ``step (n,)``: which env step of each env, of those seen, from 1 on. ``spikes/LAYER (n, ticks, agents, envs, neurons)``
        bool, for the input, hidden layers and the output. ``weight/LAYER (n, agents, *weight)``. ``eligibility (n, terms, agents,
        envs, *weight)`` of the output layer, for each term of the rule that is kept apart. ``reward``, ``modulator``,
        ``value (n, agents, envs)``; a modulator without a critic has no value.

        ``observation (n, agents, envs, *obs)`` and ``action (n, agents, envs, *action)`` as agents have them: rows of numbers if
        the space is not one of arrays (`Rows`, `Actions`). ``terminated``, ``truncated``, ``restarted (n, agents, envs)`` bool:
        whether the env step ended an episode, and how; whether the env only began one, and did not take the action.
        """
        return {name: np.stack(values) for name, values in self._kept.items()}

    def __getitem__(self, name: str) -> np.ndarray:
        """One of `arrays`. Raises KeyError with the names that there are."""
        if name not in self._kept:
            raise KeyError(f"nothing is kept under {name!r}; there are {', '.join(self._kept) or 'no records yet'}")
        return np.stack(self._kept[name])

    def __repr__(self) -> str:
        agents = ", ".join(map(str, self.agents))
        return f"Recorder({len(self._kept.get('step', ()))} env steps of agent {agents}: {', '.join(self.what)})"

    def to_npz(self, path: str | Path) -> None:
        """Write `arrays` to a compressed file of NumPy, and with them ``agents``, their indices, ``dt`` and ``window_ms``."""
        about = {"agents": self.agents, "dt": self.dt, "window_ms": self.window_ms}
        arrays = {name: np.array(value) for name, value in about.items()} | self.arrays
        np.savez_compressed(path, **arrays)  # pyright: ignore[reportArgumentType] (names of arrays, no options)

    def to_dataframe(self) -> pandas.DataFrame:
        """A pandas table of a row for every env step, agent and env.

        ``spikes/LAYER`` is their number in the window, ``weight/LAYER`` and ``eligibility`` are root mean squares of an agent.
        An observation or action of several numbers has a column for each, ``observation/0``, ``observation/1``, ...
        """
        table = optional("pandas", "pandas")
        steps, arrays = self["step"], {}
        for name, array in self.arrays.items():
            if name != "step":
                arrays |= _columns(name, array)
        shape = np.broadcast_shapes((len(steps), len(self.agents), 1), *(a.shape for a in arrays.values()))
        index = [steps, np.array(self.agents), np.arange(shape[2])]
        columns = dict(zip(("step", "agent", "env"), np.meshgrid(*index, indexing="ij"), strict=True)) | arrays
        return table.DataFrame({name: np.broadcast_to(array, shape).ravel() for name, array in columns.items()})

    def to_nwb(self, path: str | Path) -> None:
        """Write a file of Neurodata Without Borders (extra ``nwb``); see `nwb.write`."""
        from rstdp_agents.training import nwb

        nwb.write(Path(path), self.arrays, self.agents, self.every, self.dt, self.window_ms)

    def _keep_window(self, agent: Agent) -> None:
        if max(self.agents) >= agent.agents or min(self.agents) < 0:
            raise UsageError(
                f"`agents` of the recorder must be 0 to {agent.agents - 1}; received {', '.join(map(str, self.agents))}"
            )
        self.dt, self.window_ms, layers = agent.layer.dt, agent.layer.window_ms, agent.network.layers
        if "spikes" in self.what:
            for name, spikes in zip(("input", *(layer.name for layer in layers)), agent.spikes(), strict=True):
                self._keep(f"spikes/{name}", self._of(spikes, 1).astype(bool))
        if "weight" in self.what:
            for layer in layers:
                self._keep(f"weight/{layer.name}", self._of(layer.weight))
        if "eligibility" in self.what:
            self._keep("eligibility", np.stack([self._of(z) for z in agent.eligibility()]))
        value = agent.modulator.value(agent.features()) if "value" in self.what else None
        if value is not None:
            self._keep("value", self._of(value))

    def _keep_behaviour(self, obs: np.ndarray, action: np.ndarray, t: Transition) -> None:
        restarted = np.zeros_like(t.terminated) if t.restarted is None else t.restarted
        behaviour = {
            "observation": obs, "action": action, "reward": t.reward, "terminated": t.terminated,
            "truncated": t.truncated, "restarted": restarted,
        }  # fmt: skip
        for name, array in behaviour.items():
            if name in self.what:
                self._keep(name, array[list(self.agents)])

    def _of(self, tensor: Tensor, axis: int = 0) -> np.ndarray:
        """A copy of what a tensor holds of the agents, which lie along an axis."""
        return tensor.detach().cpu().numpy().take(self.agents, axis)

    def _keep(self, name: str, array: np.ndarray) -> None:
        before = self._kept.setdefault(name, [])
        if before and before[0].shape != array.shape:
            was, now = before[0].shape, array.shape
            raise UsageError(
                f"the recorder holds {name} of the shape {was}, of another run; received {now}: make a new one"
            )
        before.append(array)


class Recorded:
    """An agent that learns under the eyes of a recorder."""

    def __init__(self, agent: Agent, recorder: Recorder) -> None:
        self._agent, self._recorder = agent, recorder
        self._last: tuple[np.ndarray, np.ndarray] | None = None  # the last observation and the action that answers it

    def begin(self, obs: np.ndarray) -> np.ndarray:
        """As `Agent.begin`."""
        return self._answered(obs, self._agent.begin(obs))

    def step(self, t: Transition) -> np.ndarray:
        """As `Agent.step`, recorded."""
        action = self._agent.step(t) if self._last is None else self._recorder.step(self._agent, *self._last, t)
        return self._answered(t.obs, action)

    def _answered(self, obs: np.ndarray, action: np.ndarray) -> np.ndarray:
        self._last = obs.copy(), action.copy()  # vector envs and agents may write to their arrays again
        return action


def _columns(name: str, array: np.ndarray) -> dict[str, np.ndarray]:
    """One of `Recorder.arrays` as columns of a table ``(n, agents, envs)``, where envs may be 1 for what all share."""
    kind = name.partition("/")[0]
    if kind == "spikes":
        return {name: array.sum((1, 4))}
    if kind == "weight":
        return {name: np.sqrt(np.square(array, dtype=np.float64).mean(tuple(range(2, array.ndim))))[:, :, None]}
    if kind == "eligibility":
        return {name: np.sqrt(np.square(array, dtype=np.float64).mean((1, *range(4, array.ndim))))}
    if array.ndim == 3:
        return {name: array}
    numbers = array.reshape(*array.shape[:3], -1)
    return {f"{name}/{i}": numbers[..., i] for i in range(numbers.shape[-1])}
