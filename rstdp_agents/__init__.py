"""Spiking agents for Gymnasium environments that learn by reward-modulated, local plasticity."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rstdp_agents.training.api import load, train

__all__ = ["load", "train"]


def __getattr__(name: str) -> Any:
    """What stands in `rstdp_agents.training.api`, imported when it is asked for: the import of this package stays quick."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rstdp_agents.training import api

    return getattr(api, name)
