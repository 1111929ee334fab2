"""Ids of other packages are made where their package is installed, else told with what installs it; slips are understood."""

import sys

import gymnasium as gym
import pytest

from rstdp_agents.base.errors import UsageError
from rstdp_agents.environments import make_env, namespaces
from rstdp_agents.training.presets import preset

REGISTERS = """
import gymnasium as gym
from tests.helpers import Corridor
def register(name="Hall"):
    gym.register(f"{__name__}/{name}-v0", Corridor)
    gym.register(f"{__name__}/{name}-v2", Corridor)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a module that registers environments, and what its package declares."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(gym.registry)

    def put(module, text, declares=""):
        (tmp_path / f"{module}.py").write_text(text)
        about = tmp_path / f"{module}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(declares)

    yield put
    for name in set(gym.registry) - before:
        del gym.registry[name]
    namespaces.load.cache_clear()
    for module in [name for name in sys.modules if name.startswith("rooms_")]:
        del sys.modules[module]


def refused(name):
    with pytest.raises(UsageError) as error:
        make_env(name, {})
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "module", "what"),
    [
        ("ALE/Pong-v5", "ale_py", "rstdp_agents[atari]"),
        ("PongNoFrameskip-v4", "ale_py", "rstdp_agents[atari]"),
        ("MiniGrid-Empty-5x5-v0", "minigrid", "rstdp_agents[minigrid]"),
        ("BabyAI-GoToObj-v0", "minigrid", "rstdp_agents[minigrid]"),
        ("highway-fast-v0", "highway_env", "rstdp_agents[highway]"),
        ("popgym-RepeatFirstEasy-v0", "popgym", "rstdp_agents[popgym]"),
        ("mo-mountaincar-v0", "mo_gymnasium", "rstdp_agents[mo]"),
        ("MinAtar/Breakout-v1", "minatar.gym", "rstdp_agents[minatar]"),
        ("MiniWorld-Hallway-v0", "miniworld", "miniworld"),
        ("dm_control/cartpole-balance-v0", "shimmy", "shimmy[dm-control]"),
        ("bsuite/catch-v0", "shimmy", "shimmy[bsuite]"),
        ("Meta-World/MT1", "metaworld", "metaworld"),
        ("PyFlyt/QuadX-Hover-v4", "PyFlyt.gym_envs", "PyFlyt"),
        ("FetchReach-v4", "gymnasium_robotics", "gymnasium-robotics"),
        ("VizdoomBasic-v1", "vizdoom.gymnasium_wrapper", "vizdoom"),
        ("FlappyBird-v0", "flappy_bird_gymnasium", "flappy-bird-gymnasium"),
        ("gym_pusht/PushT-v0", "gym_pusht", "gym-pusht"),
    ],
)
def test_a_package_that_is_missing_is_named_with_what_installs_it(name, module, what, monkeypatch):
    for known in [known for known in gym.registry if known == name]:
        monkeypatch.delitem(gym.registry, known)
    root = module.partition(".")[0]
    for loaded in [loaded for loaded in sys.modules if f"{loaded}.".startswith(f"{root}.")]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setattr(sys, "meta_path", [Hidden(root), *sys.meta_path])
    namespaces.load.cache_clear()
    assert refused(name) == f"environment {name!r} belongs to {module}, which is not installed: pip install '{what}'"


class Hidden:
    """Finds no package of a name, whether it is installed or not."""

    def __init__(self, name):
        self.name = name

    def find_spec(self, name, path=None, target=None):
        if name == self.name:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_an_id_of_a_package_that_we_know_needs_no_module_in_front(install, monkeypatch):
    install("rooms_known", f"{REGISTERS}\nregister()")
    known = namespaces.Package("rooms_known/", "rooms_known", "rooms-known")
    monkeypatch.setattr(namespaces, "PACKAGES", (known,))
    assert make_env("rooms_known/Hall-v2", {}).spec.id == "rooms_known/Hall-v2"
    assert (
        refused("rooms_known/hall-v2") == "unknown environment 'rooms_known/hall-v2'; did you mean rooms_known/Hall-v2?"
    )
    assert refused("rooms_known/Xyz").endswith(
        "; install what rooms_known needs for it with: pip install 'rooms-known'"
    )


def test_a_package_whose_import_fails_is_told_with_the_reason(install, monkeypatch):
    install("rooms_broken", "import no_such_module")
    monkeypatch.setattr(namespaces, "PACKAGES", (namespaces.Package("rooms_broken/", "rooms_broken", "rooms-broken"),))
    assert refused("rooms_broken/Hall-v0") == (
        "environment 'rooms_broken/Hall-v0' belongs to rooms_broken, whose import fails (ModuleNotFoundError: No module named "
        "'no_such_module' (rooms_broken.py, line 1)): pip install 'rooms-broken'"
    )


@pytest.mark.parametrize(
    "declares",
    [
        "[gymnasium.envs]\nrooms_declared = rooms_declared:register\n",  # as MinAtar does
        "[gymnasium.envs]\n__root__ = rooms_declared:register\n",
        "[gymnasium.envs.Rooms_Declared]\nall = rooms_declared:register\n",  # as highway-env does
    ],
)
def test_an_id_of_a_package_that_declares_its_environments_is_found(install, declares):
    install("rooms_declared", REGISTERS, declares)
    found = "rooms_declared/Hall-v2"
    assert make_env(found, {}).spec.id == found
    assert (
        refused("rooms_declared/Hall")
        == "unknown environment 'rooms_declared/Hall'; did you mean rooms_declared/Hall-v2?"
    )


def test_a_broken_package_that_was_not_asked_for_is_in_nobodys_way(install):
    install("rooms_unasked", "1 / 0", "[gymnasium.envs]\n__root__ = rooms_unasked:register\n")
    assert refused("CartPole-v3") == "unknown environment 'CartPole-v3'; did you mean CartPole-v1?"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CartPole", "CartPole-v1"),
        ("CartPole-v", "CartPole-v1"),
        ("CartPole-v7", "CartPole-v1"),
        ("cartpole-v1", "CartPole-v1"),
        (" CartPole-v1 ", "CartPole-v1"),
        ("CART_POLE-v1", "CartPole-v1"),
        ("LunarLander-v2", "LunarLander-v3"),
        ("FrozenLake8x8-v0", "FrozenLake8x8-v1"),
        ("Cue-v0", "rstdp/Cue-v0"),
        ("rstdp/cue", "rstdp/Cue-v0"),
        ("rstdp_envs:rstdp/Cue", "rstdp_envs:rstdp/Cue-v0"),
    ],
)
def test_a_slip_gets_the_id_that_was_meant(name, meant):
    assert refused(name) == f"unknown environment {name!r}; did you mean {meant}?"


def test_suggestions_stay_within_the_namespace():
    assert refused("rstdp/Ca-v0").startswith("unknown environment 'rstdp/Ca-v0'; the nearest are rstdp/")
    assert "/" not in refused("Pendolum-v1").partition("nearest are ")[2]
    assert refused("foo/CartPol-v1") == (
        "unknown environment 'foo/CartPol-v1'; an id of another package needs its module in front, as in module:foo/CartPol-v1"
    )


def test_a_preset_is_that_of_the_environment_with_or_without_its_module():
    with_module, without = (preset(f"{m}ALE/Breakout-v5", "rstdp-et").env_kwargs for m in ("ale_py:", ""))
    assert with_module == without != preset("ALE/Pong-v5", "rstdp-et").env_kwargs
