"""The range that is encoded: the bounds of observations, or what chance reaches where these say little of it."""

import logging

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from rstdp_agents.agent.agent import Agent
from rstdp_agents.base.errors import EnvironmentFault
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.bounds import numeric
from rstdp_agents.codecs.encoders.dimensions import Ranges
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.environments import SerialGrid, make_env, probe, ranges
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.ranged import with_range

F = float(np.finfo(np.float32).max)
PLACE_CELLS = override(RunConfig(), {"agent.encoder.code": "place-cells"})


class Shown(gym.Env):
    """Shows numbers that are drawn from a few, whatever is done. fault: the step that raises."""

    action_space = spaces.Discrete(2)

    def __init__(self, space, shows, fault=0, seconds=0.0):
        self.observation_space, self.shows, self.fault, self.seconds, self.steps = space, shows, fault, seconds, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self._look(), {}

    def step(self, action):
        self.steps += 1
        if self.steps == self.fault:
            raise RuntimeError("it is broken")
        return self._look(), 0.0, self.steps % 10 == 0, False, {}

    def _look(self):
        return self.shows(self.np_random.integers(21))


def found(space, shows, **settings):
    """Ends of the range that a run would have, () where they are those of the space."""
    arguments = {"space": space, "shows": shows, **settings}
    encoder = with_range(PLACE_CELLS, space, Shown, arguments).agent.encoder
    return (*encoder.low, *encoder.high)


def typical(space, shows):
    """What the default code would have: lower and upper ends, and usual values."""
    encoder = with_range(RunConfig(), space, Shown, {"space": space, "shows": shows}).agent.encoder
    return encoder.low, encoder.high, encoder.usual


def box(low, high, kind=np.float64):
    return spaces.Box(np.atleast_1d(np.asarray(low, kind)), np.atleast_1d(np.asarray(high, kind)), dtype=kind)


INF = box(-np.inf, np.inf)
RANGES = [
    ("no bounds", INF, lambda k: [k / 10 - 1], (-1.501, 1.501)),
    ("nano", INF, lambda k: [k * 1e-9], (-1e-8, 3e-8)),
    ("nano of single precision", box(-np.inf, np.inf, np.float32), lambda k: [k * 1e-9], (-1e-8, 3e-8)),
    ("seconds since 1970", INF, lambda k: [1.7e9 + k], (1.7e9 - 5.001, 1.7e9 + 25.001)),
    ("huge", INF, lambda k: [k * 1e30], (-5e30, 2.5e31)),
    ("far too wide", box(-1e5, 1e5), lambda k: [k / 10 - 1], (-1.501, 1.501)),
    ("a hundred times too wide", box(-250, 250), lambda k: [k / 10 - 1], (-1.501, 1.501)),
    ("wide", box(-150, 150), lambda k: [k / 10 - 1], ()),
    ("nano within one", box(-1, 1), lambda k: [k * 1e-9], (-1e-8, 3e-8)),
    ("the largest of single precision", box(-F, F), lambda k: [k / 10 - 1], (-1.501, 1.501)),
    ("one end", box(0, np.inf), lambda k: [k / 10 + 3], (0.0, 5.501)),
    ("one end far off", box(0, np.inf), lambda k: [1.7e9 + k], (1.7e9 - 5.001, 1.7e9 + 25.001)),
    ("one of two", box([-1, -1e5], [1, 1e5]), lambda k: [k / 10 - 1, 1 - k / 10], (-1.0, -1.501, 1.0, 1.501)),
    ("tight far off", box(1.7e9, 1.7e9 + 20), lambda k: [1.7e9 + k], ()),
    ("tight and tiny", box(0, 2e-8), lambda k: [k * 1e-9], ()),
    ("never moved", box([-1, 0], [1, 9]), lambda k: [0.0, k / 10], ()),
    ("never moved, no bounds", INF, lambda k: [0.5], (0.499, 0.501)),
    ("never moved far off", INF, lambda k: [1.7e9], (1.7e9 - 1700, 1.7e9 + 1700)),
    ("moved by rounding", INF, lambda k: [0.5 + k * 2.0**-53 / 10], (0.499, 0.501)),
    ("bytes", box(0, 255, np.uint8), lambda k: [k % 2], ()),
    ("whole", box(0, 10**6, np.int64), lambda k: [k], (0.0, 25.001)),
    ("whole without bounds", spaces.Box(-np.inf, np.inf, (1,), np.int32), lambda k: [k], (-5.001, 25.001)),
    ("whole and huge", spaces.Box(-np.inf, np.inf, (1,), np.int64), lambda k: [2**60 + k], (2**60 - 6, 2**60 + 26)),
    ("nothing", spaces.Box(0, 1, (0,), np.float64), lambda k: [], ()),
    ("a value", spaces.Discrete(21, start=2**40), lambda k: 2**40 + k, ()),
]


@pytest.mark.parametrize(("space", "shows", "ends"), [case[1:] for case in RANGES], ids=[case[0] for case in RANGES])
def test_range_that_is_encoded(space, shows, ends):
    kind = space.dtype
    got = found(space, lambda k: shows(k) if isinstance(space, spaces.Discrete) else np.array(shows(k), kind))
    assert got == pytest.approx(ends, rel=1e-12, abs=1e-12 * max(map(abs, ends), default=0))
    assert [type(end) for end in got] == [type(end) for end in ends]


def test_bounds_that_do_not_count_are_named_in_a_line(caplog):
    parts = spaces.Dict(a=box([-1, -1e5], [1, 1e5]), b=box(-F, F))
    found(parts, lambda k: {"a": np.array([0.0, k]), "b": np.array([float(k)])})
    assert [record.getMessage() for record in caplog.records] == [
        'the bounds of observation["a"][1] are far wider than what 2,000 random actions reach: that range, plus a quarter, is '
        "encoded instead; `--encoder.low` and `--encoder.high` set another"
    ]
    caplog.clear()
    found(spaces.Box(-1e5, 1e5, (12,)), lambda k: np.full(12, k, np.float32))
    assert "observation[6], observation[7] and 4 more are far wider" in caplog.text
    assert caplog.records[0].levelno == logging.WARNING


def test_both_backends_tell_numbers_apart_where_bounds_do_not(caplog):
    """A number of bounds too wide by 10^5, and one of 10^-9, in one observation."""
    space = spaces.Dict(wide=spaces.Box(-1e5, 1e5, (1,)), tiny=box(-np.inf, np.inf), sign=spaces.Discrete(2))
    arguments = {
        "space": space,
        "shows": lambda k: {"wide": np.float32([k / 20]), "tiny": np.array([1e-9 * k]), "sign": k % 2},
    }
    config, grid = with_range(PLACE_CELLS, space, Shown, arguments).agent, SerialGrid(Shown, arguments, 1, 1)
    rows = grid.rows.array([arguments["shows"](k) for k in range(21)])[:, None, None]
    agents = [Agent(config, space, spaces.Discrete(2), seeds=(0,), backend=backend) for backend in ("torch", "fused")]
    torch_rates = np.stack([agents[0].coded(obs)[0, 0].numpy() for obs in rows])
    fused_rates = np.stack([agents[1]._backend._observations.coded(obs)[0, 0] for obs in rows])
    np.testing.assert_allclose(torch_rates, fused_rates, atol=1e-5)
    apart = np.linalg.norm(torch_rates[:, None] - torch_rates[None], axis=-1) + 9 * np.eye(21)
    assert apart.min() > 0.5


@pytest.mark.parametrize(
    "env",
    ["MountainCar-v0", "MountainCarContinuous-v0", "Acrobot-v1", "Pendulum-v1", "CliffWalking-v1", "rstdp/Reach-v0"],
)
def test_bounds_of_known_environments_count(env, caplog):
    plain = override(PLACE_CELLS, {"env": env})
    assert with_range(plain, make_env(env, {}).observation_space, env, {}) == plain
    assert not caplog.records


def test_a_glance_that_fails_leaves_faults_to_the_run(caplog):
    shows = {"space": box(-1e5, 1e5), "shows": lambda k: np.array([k / 10.0]), "fault": 5}
    config = PLACE_CELLS
    assert with_range(config, shows["space"], Shown, shows) is config
    assert not caplog.records
    with pytest.raises(EnvironmentFault, match="it is broken"):
        with_range(config, INF, Shown, shows | {"space": INF})


def test_few_steps_of_a_slow_environment_do_not_overrule_bounds(monkeypatch, caplog):
    monkeypatch.setattr(probe, "SECONDS", 0.0)
    assert found(box(-1e5, 1e5), lambda k: np.array([k / 10.0])) == ()
    low, _, high, _ = found(box([-1e5, -np.inf], [1e5, np.inf]), lambda k: np.array([k / 10.0, k]))
    assert (low, high) == (-1e5, 1e5)


def test_a_glance_is_short_where_everything_has_moved_and_ends_where_something_never_does(monkeypatch):
    looked = []
    both = {"space": box([0, 0], [20, 1]), "shows": lambda k: looked.append(k) or np.array([k, 0.0])}
    assert found(**both) == ()
    assert len(looked) == 200 + 2 + 20  # steps, the first look, and one after each of twenty episodes
    looked.clear()
    assert found(box(0, 20), lambda k: looked.append(k) or np.array([float(k)])) == ()
    assert len(looked) < 12


def test_a_run_that_goes_on_keeps_its_code(tmp_path):
    from rstdp_agents.training.loop import Training

    name = f"{__name__}:loose"
    small = {
        "env": name,
        "agent.encoder.code": "place-cells",
        "total_steps": 20,
        "checkpoint_every": 10,
        "eval_episodes": 0,
        "images": 0,
        "progress": False,
    }
    config = override(RunConfig(), {**small, "agent.encoder.low": (-1e5,), "agent.encoder.high": (1e5,)})
    with Training(config, tmp_path) as run:
        assert run.run()
    longer = override(config, {"total_steps": 30})
    with Training(longer, tmp_path, tmp_path / "checkpoints" / "step_0000000020.safetensors") as run:
        assert run.config.agent.encoder.low == (-1e5,)


def loose():
    return Shown(box(-1e5, 1e5), lambda k: np.array([k / 10.0]))


def test_a_hundred_thousand_numbers_are_watched_at_once():
    space, many = spaces.Box(-1e5, 1e5, (100_000,), np.float32), np.linspace(0, 1, 100_000, dtype=np.float32)
    low, high = probe.probe_bounds(space, Shown, {"space": space, "shows": lambda k: many * (k + 1)}, 0)
    assert len(low) == len(high) == 100_000
    assert low[-1] == pytest.approx(1 - 0.25 * 20 - 1e-3)


def test_ends_have_three_digits_of_their_range():
    bounds = ranges.own(numeric(Rows(spaces.Box(-np.inf, np.inf, (4,), np.float64))))
    low, high = ranges.ends(np.array([0.0, 1e-7, 3.0, -5e8]), np.array([1.23456, 2.34567e-7, 3.0, 5e8]), bounds)
    assert low.tolist() == pytest.approx([-0.3096, 3.3e-8, 2.999, -7.5e8 - 1e-3], rel=1e-9)
    assert high.tolist() == pytest.approx([1.5442, 3.02e-7, 3.001, 7.5e8 + 1e-3], rel=1e-9)


TYPICAL = [
    ("no bounds", INF, lambda k: [k / 10 - 1], (-1.0, 1.0)),
    ("bounds that are reached", box(-1, 1), lambda k: [k / 10 - 1], (-1.0, 1.0)),
    ("bounds four times as wide", box(-4, 4), lambda k: [k / 10 - 1], (-2.0, 2.0)),
    ("bounds that say nothing", box(-1e7, 1e7), lambda k: [k / 10 - 1], (-1.0, 1.0)),
    ("one bound", box(0, np.inf), lambda k: [k / 10], (0.0, 2.0)),
    ("nano", INF, lambda k: [k * 1e-9], (0.0, 2e-8)),
    ("never moved", box([-1, 0], [1, 4]), lambda k: [0.5, k / 10 + 1], (0.5, 0.5858, 0.5, 3.4142)),
    ("whole and few", box(0, 30, np.int64), lambda k: [k], (0.0, 30.0)),
    ("whole and many", box(0, 1000, np.int64), lambda k: [k + 7], (7.0, 27.0)),
    ("whole without bounds", spaces.Box(-np.inf, np.inf, (1,), np.int32), lambda k: [-k], (-20.0, 0.0)),
]


@pytest.mark.parametrize(("space", "shows", "ends"), [case[1:] for case in TYPICAL], ids=[case[0] for case in TYPICAL])
def test_the_default_code_has_the_range_of_what_is_typical(space, shows, ends):
    low, high, _ = typical(space, lambda k: np.array(shows(k), space.dtype))
    assert (*low, *high) == pytest.approx(ends, abs=1e-12)


def test_what_is_rare_is_not_typical():
    rows = np.concatenate([np.linspace(0.0, 1.0, 1001), [-50.0, 80.0]])[:, None]
    none, no, yes = np.full(1, np.inf), np.zeros(1, bool), np.ones(1, bool)
    real, whole = (Ranges(np.zeros(1, int), -none, none, counted, no) for counted in (no, yes))
    low, high = ranges.typical(rows, real)
    assert (low.item(), high.item()) == pytest.approx((0.009, 0.991), abs=1e-3)
    low, high = ranges.typical(rows, whole)  # of whole numbers, everything counts
    assert (low.item(), high.item()) == (-50.0, 80.0)
    almost_always = np.array([0.0] * 999 + [3.0])[:, None]
    low, high = ranges.typical(almost_always, real)
    assert (low.item(), high.item()) == (0.0, 3.0)


def test_the_usual_value_of_planes_is_the_most_frequent_one():
    space = spaces.MultiBinary((5, 6))
    low, high, usual = typical(space, lambda k: np.array([k > 15] * 15 + [k > 5] * 15, np.int8).reshape(5, 6))
    assert (low, high) == ((0.0,) * 30, (1.0,) * 30)
    assert usual == (0.0,) * 15 + (1.0,) * 15
    assert ranges.usual(np.array([[3, 1], [3, 2], [7, 2]])).tolist() == [3, 2]
    assert (
        typical(spaces.Dict(a=space, b=box(0, 1)), lambda k: {"a": np.ones((5, 6), np.int8), "b": np.ones(1)})[2] == ()
    )


def test_what_was_given_is_not_looked_for():
    given = override(RunConfig(), {"agent.encoder.low": (-3.0,), "agent.encoder.high": (3.0,)})
    assert with_range(given, INF, Shown, {"space": INF, "shows": None}) is given
    assert with_range(RunConfig(), spaces.Discrete(4), Shown, {"shows": None}) == RunConfig()


def test_long_observations_are_kept_in_part():
    space = spaces.Box(-1.0, 1.0, (3000,))
    rows, kept = Rows(space), [np.full(3000, k / 2000 - 0.5, np.float32) for k in range(2001)]
    sample = probe.Sample(rows, rows.leaves, kept[0])
    for step, obs in enumerate(kept[1:], 1):
        sample.add(obs, step)
    assert sample.rows.size <= probe.KEPT + 3000
    assert (sample.low[0], sample.high[0]) == (-0.5, 0.5)
    assert sample.rows[:, 0].max() > 0.49
