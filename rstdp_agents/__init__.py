"""Spiking agents for Gymnasium environments that learn by reward-modulated, local plasticity."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rstdp_agents.training.api import load, train

__all__ = ["load", "train"]


def __getattr__(name: str) -> Any:
    """Names from `rstdp_agents.training.api`, imported on first use so that importing this package stays fast."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rstdp_agents.training import api

    return getattr(api, name)
