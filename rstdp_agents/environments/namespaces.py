"""Environment ids of other packages: which package an id belongs to, how it gets registered, suggestions for unknown ids.

Gymnasium 1 knows an id of another package only after its module has been imported. That happens here for ids of the packages
listed below, and for packages that declare the entry point ``gymnasium.envs``: never for a name taken from the id itself.
"""

from __future__ import annotations

import difflib
import importlib
import logging
import re
from functools import cache
from importlib.metadata import entry_points
from typing import NamedTuple

import gymnasium as gym

from rstdp_agents.base import plugins
from rstdp_agents.base.errors import UsageError

logger = logging.getLogger(__name__)

GROUP = "gymnasium.envs"
"""Group of entry points whose name, or else the rest of whose group's name, is a namespace; ``__root__`` for any."""


class Package(NamedTuple):
    """A package with environments."""

    ids: str
    """How its ids begin, a regular expression."""
    module: str
    """Module to import to register them; ``module:function`` if a function must be called."""
    install: str
    """Its name for pip."""


PACKAGES = (
    Package(r"ALE/|\w+(NoFrameskip|Deterministic)-v", "ale_py", "rstdp_agents[atari]"),
    Package(r"MiniGrid-|BabyAI-", "minigrid", "rstdp_agents[minigrid]"),
    Package(
        r"(highway|merge|roundabout|parking|intersection|racetrack|exit|two-way|u-turn|lane-keeping)-",
        "highway_env", "rstdp_agents[highway]",
    ),
    Package(r"popgym-", "popgym", "rstdp_agents[popgym]"),
    Package(
        r"(mo|deep-sea-treasure|resource-gathering|four-room|fruit-tree|minecart|water-reservoir)-",
        "mo_gymnasium", "rstdp_agents[mo]",
    ),
    Package(r"MinAtar/", "minatar.gym:register_envs", "rstdp_agents[minatar]"),
    Package(r"MiniWorld-", "miniworld", "miniworld"),
    Package(r"dm_control/", "shimmy", "shimmy[dm-control]"),
    Package(r"bsuite/", "shimmy", "shimmy[bsuite]"),
    Package(r"Meta-World/", "metaworld", "metaworld"),
    Package(r"PyFlyt/", "PyFlyt.gym_envs", "PyFlyt"),
    Package(
        r"Fetch|Hand(Reach|Manipulate)|AdroitHand|AntMaze_|PointMaze_|FrankaKitchen-",
        "gymnasium_robotics", "gymnasium-robotics",
    ),
    Package(r"Vizdoom", "vizdoom.gymnasium_wrapper", "vizdoom"),
    Package(r"FlappyBird-", "flappy_bird_gymnasium", "flappy-bird-gymnasium"),
    Package(r"gym_pusht/", "gym_pusht", "gym-pusht"),
)  # fmt: skip


def find(name: str, module: str = "") -> None:
    """Register an id with Gymnasium, by importing its package.

    module: the module that was imported for it, if any, with a colon: prefix of suggestions. Raises UsageError that names the
    missing package, or the nearest ids.
    """
    if name in gym.registry:
        return
    package = next((one for one in PACKAGES if re.match(one.ids, name, re.IGNORECASE)), None)
    if package is not None:
        register(package, name)
    for target in plug_ins(namespace(name)) if name not in gym.registry else ():
        try:
            load(target)
        except Exception as error:  # any installed package, perhaps there for other reasons
            logger.debug("environments of %s cannot be registered: %s", target, plugins.said(error))
    if name not in gym.registry:
        raise UsageError(f"unknown environment {module + name!r}{hint(name, module, package)}")


def register(package: Package, name: str) -> None:
    """Import the package of an id. Raises UsageError if it is not installed, or cannot be imported."""
    try:
        load(package.module)
    except Exception as error:
        module = package.module.partition(":")[0]
        missing = isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}.")
        reason = "which is not installed" if missing else f"whose import fails ({plugins.said(error)})"
        raise UsageError(
            f"environment {name!r} belongs to {module}, {reason}: pip install '{package.install}'"
        ) from error


@cache
def load(target: str) -> None:
    """Import ``module``, or call ``module:function`` without arguments, once."""
    module, _, function = target.partition(":")
    imported = importlib.import_module(module)
    if function:
        getattr(imported, function)()


def plug_ins(space: str) -> list[str]:
    """Entry points of installed packages that register the ids of a namespace, or any ids."""
    groups = [group for group in entry_points().groups if f"{group}.".startswith(f"{GROUP}.")]
    found = [entry for group in groups for entry in entry_points(group=group)]
    spaces = ((entry.name if entry.group == GROUP else entry.group[len(GROUP) + 1 :], entry.value) for entry in found)
    return [value for own, value in spaces if own.lower() in ("__root__", space.lower())]


def hint(name: str, module: str = "", package: Package | None = None) -> str:
    """A suggestion for an unknown id."""
    same = [one for one in sorted(gym.registry, key=version, reverse=True) if plain(one) == plain(name)]
    if same:
        return f"; did you mean {module}{same[0]}?"
    beside = {one.rpartition("/")[2]: one for one in gym.registry if namespace(one).lower() == namespace(name).lower()}
    near = difflib.get_close_matches(name.rpartition("/")[2], beside, n=3, cutoff=0.5)
    if near:
        return f"; the nearest are {', '.join(module + beside[one] for one in near)}"
    if package is not None:
        return f"; install what {package.module} needs for it with: pip install '{package.install}'"
    return "" if module else f"; an id of another package needs its module in front, as in module:{name or 'Name-v0'}"


def namespace(name: str) -> str:
    """The part of an id before the slash; empty if there is none."""
    return name.rpartition("/")[0]


def version(name: str) -> int:
    """The number after the ``-v`` of an id, -1 if there is none."""
    return int(found[1]) if (found := re.search(r"-v(\d+)$", name)) else -1


def plain(name: str) -> str:
    """The letters and digits of an id in lower case, without namespace and version: equal for ids that differ only in slips."""
    return re.sub(r"[\W_]", "", re.sub(r"-v\d*$", "", name.rpartition("/")[2].strip())).lower()
