"""Spiking agents for Gymnasium environments that learn by reward-modulated, local plasticity."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rstdp_agents.agent.agent import Agent as Agent
    from rstdp_agents.agent.modulators import Modulator as Modulator
    from rstdp_agents.codecs.decoders import Decoder as Decoder
    from rstdp_agents.codecs.encoders import Encoder as Encoder
    from rstdp_agents.spiking.plasticity import RSTDP as RSTDP
    from rstdp_agents.spiking.plasticity import RSTDPET as RSTDPET
    from rstdp_agents.spiking.plasticity import RewardSwitch as RewardSwitch
    from rstdp_agents.spiking.torch_layers import LocalLearner as LocalLearner
    from rstdp_agents.training.api import evaluate as evaluate
    from rstdp_agents.training.api import load as load
    from rstdp_agents.training.api import train as train
    from rstdp_agents.training.presets import preset as preset
    from rstdp_agents.training.recorder import Recorder as Recorder
    from rstdp_agents.training.run import Run as Run

    __version__: str

_HOMES = {
    "train": "training.api", "load": "training.api", "evaluate": "training.api", "Agent": "agent.agent",
    "Run": "training.run", "Recorder": "training.recorder", "preset": "training.presets", "RSTDP": "spiking.plasticity",
    "RSTDPET": "spiking.plasticity", "RewardSwitch": "spiking.plasticity", "LocalLearner": "spiking.torch_layers",
    "Encoder": "codecs.encoders", "Decoder": "codecs.decoders", "Modulator": "agent.modulators",
}  # fmt: skip
"""Module of every public name."""
__all__ = [
    "RSTDP", "RSTDPET", "Agent", "Decoder", "Encoder", "LocalLearner", "Modulator", "Recorder", "RewardSwitch", "Run",
    "__version__", "evaluate", "load", "preset", "train",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """A public name, imported when it is asked for: the import of this package stays quick."""
    if name == "__version__":
        from rstdp_agents.base.installation import version

        return version("rstdp_agents")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return __all__
