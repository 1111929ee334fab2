"""What a notebook sees: `import rstdp_agents as ra`, and everything in its `__all__`."""

import re
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch

import rstdp_agents as ra
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base import plugins
from rstdp_agents.base.errors import UsageError
from rstdp_agents.codecs.encoders import OneHot
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.environments.source import id_of
from rstdp_agents.training.evaluation import Evaluation
from rstdp_agents.training.recorder import WHAT
from rstdp_agents.training.runs.trust import Trust, foreign
from tests.helpers import Corridor

SHORT = {"eval_episodes": 4, "images": 0, "progress": False, "max_episode_steps": 10}


class GoodNews(ra.RSTDPET):
    def factors(self, m):
        return (m.clamp(min=0.0),) * len(self.terms)


def slow(p):
    return ra.RSTDPET(tau_e=10 * p.tau_e)


class Sign:
    def __init__(self, options, shape, device, dtype):
        self.made = torch.zeros(shape[:2])

    def __call__(self, step):
        self.made += 1
        return step.taken(step.reward.sign())

    def value(self, features):
        return None

    def reset(self, done):
        pass

    def tensors(self):
        return {"mine.made": self.made}


class Walk(gym.Env):
    observation_space, action_space = gym.spaces.Box(-1, 1, (2,)), gym.spaces.Box(-1, 1, (3,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        return np.full(2, action[0], np.float32), float(action.sum()), False, False, {}


def alike(one, other):
    # whether two agents hold the same numbers, but for sums that are cleared when a run has written them
    a, b = one.tensors(), other.tensors()
    return a.keys() == b.keys() and all(
        torch.equal(a[k], b[k]) for k in a if not k.startswith(("statistics.", "agent.windows"))
    )


@pytest.fixture(autouse=True)
def _a_folder_and_a_process_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plugins, "_handed_in", {})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "corridor"
    return ra.train("Corridor-v0", folder, rule="rstdp", agents=2, total_steps=600, **SHORT)


def test_the_import_is_quick_and_everything_is_there():
    assert dir(ra) == sorted(ra.__all__)
    assert all(getattr(ra, name) is not None for name in ra.__all__)
    assert all(getattr(ra, name).__doc__ for name in ra.__all__)
    with pytest.raises(AttributeError, match="module 'rstdp_agents' has no attribute 'learn'"):
        ra.learn  # noqa: B018
    loaded = (
        "import sys, rstdp_agents; print({'torch', 'numpy', 'gymnasium', 'tyro'} & set(sys.modules), dir(rstdp_agents))"
    )
    out = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout
    assert out.startswith("set() ['Agent', ")


def test_everything_is_documented_and_the_readme_does_what_it_says(monkeypatch):
    root = Path(__file__).parents[1]
    page = (root / "docs" / "api.md").read_text()
    for name in ra.__all__:
        what = getattr(ra, name)
        assert (f"::: {what.__module__}.{name}\n" if name != "__version__" else "`ra.__version__`") in page
    (code,) = re.findall(r"```python\n(import gymnasium.*?)```", (root / "README.md").read_text(), re.DOTALL)
    scope = {}
    exec(code.replace("60_000", "200").replace("agents=10", "agents=2").replace("episodes=20", "episodes=2"), scope)
    assert scope["action"] in (0, 1)


def test_a_run_says_what_it_was_and_what_came_of_it(run):
    assert (run.config.agents, run.settings["rule"], run.settings["plasticity.lr"], run.step) == (
        2,
        "rstdp",
        AgentConfig().plasticity.lr,
        600,
    )
    assert "\n" not in repr(run)
    assert repr(run).startswith("Run(Corridor-v0, rstdp, 2 agent(s), 600 env steps, greedy ")
    assert repr(run.agent) == "Agent(rstdp, td, 2 agent(s) x 1 env(s), 5 -> 16 lif neurons, fused)"
    table = run.episodes
    assert {len(column) for column in table.values()} == {len(table["return"])}
    for agent, told in enumerate(run.summary["agents"]):
        own = table["agent"] == agent
        assert own.sum() == told["episodes"] == table["episode"][own][-1]
        assert table["return"][own][-100:].mean() == pytest.approx(told["final_mean"])
        assert table["step"][own][-1] == table["length"][own].sum() <= 600
    (axes,) = run.plot(axis="episodes", window=10).axes
    assert len(axes.get_lines()[0].get_xdata()) > 1
    assert run.plot()._repr_png_().startswith(b"\x89PNG")


def test_a_loaded_run_is_the_run(run):
    for path in (run.folder, str(run.checkpoint)):
        loaded = ra.load(path)
        assert (loaded.folder, loaded.config, loaded.step) == (run.folder, run.config, run.step)
        assert "agent" not in vars(loaded)  # nothing is built before somebody asks
        assert alike(loaded.agent, run.agent)


def test_evaluations_are_those_of_the_closing_one_and_of_any_other_environment(run):
    greedy = run.evaluate(episodes=4)
    told = run.summary["aggregate"]["eval_greedy"]
    assert (greedy.mean, *greedy.interval) == (told["mean"], told["low"], told["high"])
    assert greedy.returns.shape == greedy.lengths.shape == (2, 4)
    assert repr(greedy) == (
        f"greedy: mean {told['mean']:.1f}, 95 % interval over 2 agents [{told['low']:.1f}, {told['high']:.1f}]"
    )
    for trained in (run, run.agent, ra.load(run.folder)):
        assert (ra.evaluate(trained, "Corridor-v0", 4).returns == greedy.returns).all()
    assert (ra.evaluate(run, episodes=4, seed=7).returns == run.evaluate(4, seed=7).returns).all()
    one = Evaluation(np.array([[1.0, 2.0]]), np.array([[3, 3]]), greedy=False)
    assert repr(one).startswith("stochastic: mean 1.5, 95 % interval over 2 episodes [1.0, 2.0]")
    with pytest.raises(UsageError, match="`env` is needed for an agent; a run knows its own"):
        ra.evaluate(run.agent)
    with pytest.raises(UsageError, match=r"has the spaces .*Box.*; the agents have learnt with Discrete"):
        ra.evaluate(run, Walk)
    with pytest.raises(UsageError, match="one environment serves one agent, not 2"):
        ra.evaluate(run, Corridor())


@pytest.mark.parametrize("backend", ["fused", "torch"])
def test_one_plain_observation_in_one_plain_action_out_and_nothing_is_changed(run, backend):
    agent = ra.load(run.folder).agent if backend == "fused" else run.agent.single(1)
    before = {name: tensor.clone() for name, tensor in agent.tensors().items()}
    actions = [agent.act(obs) for obs in (0, np.int64(3), np.array(1)) for _ in range(20)]
    assert {type(action) for action in actions} == {int}
    assert set(actions) == {0, 1}
    assert agent.backend == backend
    assert all(torch.equal(agent.tensors()[name], tensor) for name, tensor in before.items())
    with pytest.raises(ValueError, match=r"`obs` must be one of the space Discrete\(5\); received an observation 5"):
        agent.act(5)
    with pytest.raises(ValueError, match=rf"`agent` must be 0 to {agent.agents - 1}; received 2"):
        agent.act(0, agent=2)


def test_greedy_acts_take_the_best_of_the_agent_that_is_asked_for():
    spaces = (
        gym.spaces.Dict({"where": gym.spaces.Discrete(2), "it": gym.spaces.Box(0, 1, (2,))}),
        gym.spaces.Discrete(3, start=5),
    )
    agent = ra.Agent(ra.preset("x", "rstdp").agent, *spaces, seeds=(1, 2))
    n = agent.decoder.size // 3
    agent.layer.weight[0, :n] = agent.layer.weight[1, 2 * n :] = 3.0
    obs = {"where": 1, "it": np.array([0.2, 0.7])}
    assert [agent.act(obs, greedy=True, agent=i) for i in (0, 1)] == [5, 7]
    with pytest.raises(
        ValueError, match=r"`obs` must be one of the space Dict.*; received an observation\['it'\] of shape"
    ):
        agent.act({"where": 1, "it": [0.2]})


def test_continuous_actions_are_arrays_of_their_space_and_masks_are_kept():
    agent = ra.Agent(ra.preset("x", "rstdp-et").agent, Walk.observation_space, Walk.action_space, seeds=(3,))
    assert Walk.action_space.contains(agent.act(np.zeros(2), greedy=True))
    with pytest.raises(ValueError, match="`obs` must be finite; received"):
        agent.act([0.0, np.nan])
    masked = gym.spaces.Dict({"observation": gym.spaces.Discrete(4), "action_mask": gym.spaces.MultiBinary(3)})
    agent = ra.Agent(ra.preset("x", "rstdp-et").agent, masked, gym.spaces.Discrete(3), seeds=(3,))
    assert {agent.act(2, mask=np.array([0, 1, 0])) for _ in range(20)} == {1}
    assert {agent.act(2) for _ in range(60)} == {0, 1, 2}
    assert {agent.act({"observation": 2, "action_mask": np.array([0, 0, 1], np.int8)}) for _ in range(5)} == {2}


@pytest.mark.parametrize(
    ("part", "given", "named"),
    [
        ("rule", GoodNews, f"{__name__}:GoodNews"),
        ("rule", slow, f"{__name__}:slow"),
        ("rule", f"{__name__}:slow", f"{__name__}:slow"),
        ("rule", ra.RSTDPET(tau_e=450.0), "rstdp_agents.spiking.plasticity.rstdp:RSTDPET(tau_e=450.0)"),
        ("rule", ra.RewardSwitch, "reward-switch"),
        ("modulator", Sign, f"{__name__}:Sign"),
        ("encoder", lambda space, options: OneHot(5), f"{__name__}:<lambda>"),
        ("encoder", OneHot(5), "rstdp_agents.codecs.encoders.populations:OneHot()"),
        ("neuron", "izhikevich", "izhikevich"),
    ],
)
def test_a_part_may_be_a_name_a_class_a_function_or_an_instance(part, given, named):
    settings = {"plasticity.tau_e": 45.0}
    run = ra.train(Corridor, "run", total_steps=60, settings=settings, backend="torch", **{part: given}, **SHORT)
    option = {"encoder": "encoder.code", "neuron": "neuron.model"}.get(part, part)
    assert run.settings[option] == named
    rule = run.agent.layer.rule
    assert getattr(rule, "tau_e", 45.0) == (450.0 if "slow" in named or "450" in named else 45.0)
    again = ra.load("run", trust=named == given).agent
    assert again.layer.rule == rule
    assert alike(again, run.agent)
    further = run.resume(total_steps=90)
    assert (further.step, further.settings[option]) == (90, named)


def test_an_instance_is_copied_for_every_agent():
    mine = Sign(None, (1, 1, 5), None, None)
    run = ra.train(Corridor, "run", modulator=mine, total_steps=60, **SHORT)
    assert mine.made.item() == 0 < run.agent.modulator.made.item()
    assert ra.load("run").agent.modulator is not run.agent.modulator


def test_in_another_process_parts_are_handed_in_again(monkeypatch):
    run = ra.train(lambda: Corridor(), "run", rule=ra.RSTDPET(tau_e=450.0), total_steps=30, **SHORT)
    assert ra.load("run").evaluate(2).returns.shape == (1, 2)  # in this one they are known
    monkeypatch.setattr(plugins, "_handed_in", {})
    with pytest.raises(
        UsageError, match=r"names code from outside .*: --env '.*<lambda>', --rule '.*RSTDPET\(tau_e=450"
    ):
        ra.load("run")
    with pytest.raises(
        UsageError, match=r"was handed in from Python .*: load the run together with it, load\(..., env=...\)"
    ):
        ra.load("run", trust=True).agent  # noqa: B018
    again = ra.load("run", env=Corridor, rule=ra.RSTDPET(tau_e=450.0))
    assert torch.equal(again.agent.layer.weight, run.agent.layer.weight)
    with pytest.raises(UsageError, match="`encoder` of run is 'hashed', which is not handed in"):
        ra.load("run", encoder=OneHot)
    with pytest.raises(UsageError, match=r"`load` has no argument 'ruel' \(did you mean 'rule'\?\)"):
        ra.load("run", ruel=GoodNews)


def test_only_what_was_handed_in_is_trusted_and_for_the_same_option_alone():
    config = ra.train(Corridor, "run", rule=slow, total_steps=30, **SHORT).config
    assert foreign(config) == []
    from dataclasses import replace

    other = replace(config, env=f"{__name__}:slow", agent=replace(config.agent, modulator=f"{__name__}:slow"))
    assert foreign(other) == [("--env", f"{__name__}:slow"), ("--modulator", f"{__name__}:slow")]
    told = replace(config, env_kwargs=("broken:3",))
    assert foreign(told) == [("--env", "tests.helpers:Corridor")]  # arguments are the file's
    with pytest.raises(UsageError, match=r"--env 'tests.helpers:Corridor'"):
        Trust().check(told, ra.load("run").checkpoint)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"callback": 3}, "`callback` must be a function; received 3"),
        ({"recorder": ra.Recorder}, "`recorder` must be a Recorder; received <class"),
        ({"launcher": "ray"}, r"`train` has no argument 'launcher'$"),
        ({"rul": "rstdp"}, r"`train` has no argument 'rul' \(did you mean 'rule'\?\)"),
        ({"totl_steps": 3}, r"`train` has no argument 'totl_steps' \(did you mean 'total_steps'\?\)"),
        ({"lr": 0.3}, r"`train` has no argument 'lr' \(did you mean settings=\{'plasticity.lr': ...\}\?\)"),
        ({"settings": {"plasticity.lrr": 1}}, r"`settings` has no 'plasticity.lrr' \(did you mean 'plasticity.lr'\?\)"),
        ({"settings": {"lr": 1}}, r"`settings` has no 'lr' \(did you mean settings=\{'plasticity.lr': ...\}\?\)"),
        ({"settings": {"plasticity.lr": "0.1"}}, "`plasticity.lr` must be float; received '0.1'"),
        ({"rule": "rstpd"}, "`rule` must be one of .*; received 'rstpd'; did you mean 'rstdp'?"),
        ({"encoder": "tile"}, "`encoder.code` must be one of .* did you mean 'tiles'?"),
        ({"neuron": "ade"}, "`neuron.model` must be one of .* did you mean 'adex'?"),
        ({"neuron": f"{__name__}:slow"}, r"`--neuron \w*test_api:slow` cannot be made|makes no Neuron"),
        ({"rule": 3.5}, r"`--rule builtins:float\(\)` must make a PairRule; received 3.5"),
        ({"neuron": GoodNews}, r"`--neuron \w*test_api:GoodNews` makes no Neuron: start, window missing in"),
        ({"agents": "2"}, "`agents` must be int; received '2'"),
        ({"device": "nowhere"}, "`--device nowhere` cannot be used here"),
    ],
)  # fmt: skip
def test_wrong_names_and_values_are_answered_in_one_line_before_anything_is_written(words, error, tmp_path):
    with pytest.raises(ValueError, match=error) as raised:
        ra.train("Corridor-v0", **words)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_numbers_of_numpy_are_numbers():
    settings = {"plasticity.lr": np.float32(0.5), "encoder.rate_max": np.int64(400)}
    run = ra.train("Corridor-v0", "run", total_steps=np.int64(30), hidden=[np.int64(3)], settings=settings, **SHORT)
    assert (run.settings["plasticity.lr"], run.settings["network.hidden"]) == (0.5, (3,))
    again = ra.train("Corridor-v0", "other", config=run.config, seed=1)
    assert again.settings == {**run.settings, "seed": 1, "run_dir": "other"}


def test_an_environment_that_is_there_is_called_by_its_id_where_that_makes_it():
    run = ra.train(gym.make("Corridor-v0"), "run", total_steps=30, **SHORT)
    assert ra.load("run").config.env == run.config.env == "Corridor-v0"
    for env in (
        gym.make("Corridor-v0", broken=None),
        gym.wrappers.TransformReward(gym.make("Corridor-v0"), lambda r: r),
    ):
        assert id_of(env) is None
    assert id_of(Corridor()) is None
    assert id_of(gym.make("CartPole-v1", max_episode_steps=5)) is None
    assert id_of(gym.make("CartPole-v1", render_mode="rgb_array")) == "CartPole-v1"


def test_a_callback_stops_a_run_which_can_be_resumed_to_the_bit():
    seen = []

    def watch(training):
        seen.append((training.step, training.agent.weights()["output"].clone()))
        return training.step < 200

    words = {"total_steps": 400, "log_every": 100, **SHORT}
    stopped = ra.train("Corridor-v0", "stopped", callback=watch, **words)
    assert [step for step, _ in seen] == [100, 200]
    assert not torch.equal(seen[0][1], seen[1][1])
    assert (stopped.step, stopped.summary) == (200, None)
    assert repr(stopped).startswith("Run(Corridor-v0, rstdp-et, 1 agent(s), 200 of 400 env steps, in ")
    whole, resumed = ra.train("Corridor-v0", "whole", **words), stopped.resume()
    assert resumed.summary == whole.summary
    assert alike(resumed.agent, whole.agent)
    with pytest.raises(
        UsageError, match="`total_steps` must be above the 400 env steps that the run has; received 400"
    ):
        resumed.resume()
    with pytest.raises(UsageError, match="stopped already holds a run"):
        ra.train("Corridor-v0", "stopped", **words)


def recorded(backend, what=WHAT, **changes):
    recorder = ra.Recorder(what, **changes)
    words = {"agents": 3, "envs_per_agent": 2, "total_steps": 60, "log_every": 20, **SHORT, "eval_episodes": 0}
    words["settings"] = {"modulation.novelty": 0.0}
    return recorder, ra.train("Corridor-v0", f"{backend}{len(changes)}", recorder=recorder, backend=backend, **words)


def test_records_are_the_same_on_both_backends_and_change_nothing():
    (fused, run), (by_torch, _) = (recorded(name, agents=(2, 0)) for name in ("fused", "torch"))
    assert (run.agent.backend, fused.dt, fused.window_ms) == ("fused", 1.0, 10.0)
    assert fused["step"].tolist() == list(range(1, 31))
    assert {name: array.shape for name, array in fused.arrays.items()} == {
        "step": (30,), "modulator": (30, 2, 2), "value": (30, 2, 2), "spikes/input": (30, 10, 2, 2, 5),
        "spikes/output": (30, 10, 2, 2, 16), "weight/output": (30, 2, 16, 5), "eligibility": (30, 1, 2, 2, 16, 5),
        **dict.fromkeys(("observation", "action", "reward", "terminated", "truncated", "restarted"), (30, 2, 2)),
    }  # fmt: skip
    for name, array in fused.arrays.items():
        np.testing.assert_allclose(array, by_torch[name], rtol=1e-4, atol=1e-6, err_msg=name)
    first = fused["reward"].any((1, 2)).argmax()  # nothing was expected before: the TD error is the reward
    assert fused["modulator"][:first].any() == fused["value"][: first + 1].any() == False  # noqa: E712
    assert (fused["modulator"][first] == fused["reward"][first]).all()
    assert fused["value"][first + 1].any()
    alone = ra.train("Corridor-v0", "alone", config=run.config)
    assert alike(run.agent, alone.agent)


def test_the_weights_of_a_record_are_those_of_its_window_and_copies():
    recorder, run = recorded("fused", every=3)
    assert recorder["step"].tolist() == list(range(3, 31, 3))
    assert (np.diff(recorder["weight/output"], axis=0) != 0).any((1, 2, 3)).any()
    last = recorder["weight/output"][-1].copy()
    run.agent.layer.weight.zero_()
    assert (recorder["weight/output"][-1] == last).all()
    some, _ = recorded("torch", "reward", every=4, agents=1)
    assert sorted(some.arrays) == ["reward", "step"]
    assert repr(some) == "Recorder(7 env steps of agent 1: reward)"


class Diary(gym.Wrapper):
    # writes down what was seen, what was done then, and whether that was the end

    def __init__(self, env):
        super().__init__(env)
        self.seen, self.pages = None, []

    def reset(self, **words):
        self.seen, info = self.env.reset(**words)
        return self.seen, info

    def step(self, action):
        obs, reward, terminated, truncated, info = self.env.step(action)
        self.pages.append((self.seen, action, terminated))
        self.seen = obs
        return obs, reward, terminated, truncated, info


class Maze(gym.Env):
    # of spaces that are not arrays
    observation_space = gym.spaces.Dict(
        at=gym.spaces.MultiDiscrete([5, 5]), light=gym.spaces.Tuple((gym.spaces.Box(0, 1), gym.spaces.Discrete(3)))
    )
    action_space = gym.spaces.Dict(turn=gym.spaces.Discrete(3, start=-1), speed=gym.spaces.Box(0, 2, (2,)))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        return self.observation_space.sample(), 0.0, False, False, {}


@pytest.mark.parametrize("env", [Corridor, Walk, Maze])
@pytest.mark.parametrize("backend", ["fused", "torch"])
def test_what_is_kept_of_behaviour_is_what_the_environment_saw(env, backend):
    diary, every = Diary(env()), 3
    recorder = ra.Recorder(("observation", "action", "terminated", "truncated"), every)
    ra.train(diary, recorder=recorder, total_steps=30, backend=backend, **{**SHORT, "eval_episodes": 0})
    seen, done, terminated = zip(*diary.pages[-30:][every - 1 :: every])
    rows = Rows(diary.observation_space).array(list(seen))
    assert len(rows) == 10
    np.testing.assert_array_equal(recorder["observation"][:, 0, 0], rows)
    np.testing.assert_allclose(recorder["action"][:, 0, 0], flat(done), rtol=1e-6)
    assert recorder["terminated"][:, 0, 0].tolist() == list(terminated)
    if env is not Corridor:  # episodes of ten env steps, of which every third is kept
        assert recorder["step"][recorder["truncated"][:, 0, 0]].tolist() == [30]


def flat(actions):
    # each as its numbers, one after another
    leaves = [list(a.values()) if isinstance(a, dict) else [a] for a in actions]
    rows = np.array([np.concatenate([np.ravel(leaf) for leaf in each]) for each in leaves])
    return rows[:, 0] if isinstance(actions[0], np.integer) else rows


def test_an_env_that_only_restarts_takes_no_action():
    recorder = ra.Recorder(("observation", "terminated", "truncated", "restarted"))
    words = {**SHORT, "eval_episodes": 0, "settings": {"encoder.code": "place-cells"}}
    ra.train("CartPole-v1", recorder=recorder, total_steps=60, backend="torch", vectorization="vector", **words)
    ended = recorder["terminated"] | recorder["truncated"]
    assert ended.sum() >= 5
    assert (recorder["restarted"][1:] == ended[:-1]).all()
    assert (np.abs(recorder["observation"][1:][recorder["restarted"][:-1]]) <= 0.05).all()  # the first of an episode


def test_the_observation_that_a_resumed_run_goes_on_from_is_not_known():
    before, after = ra.Recorder(("observation", "action")), ra.Recorder(("observation", "action"))
    whole = ra.Recorder(("observation", "action"))
    words = {**SHORT, "eval_episodes": 0}
    run = ra.train("Corridor-v0", "half", recorder=before, total_steps=20, **words)
    run.resume(total_steps=40, recorder=after)
    ra.train("Corridor-v0", "whole", recorder=whole, total_steps=40, **words)
    assert (len(before["step"]), after["step"].tolist()) == (20, list(range(1, 20)))
    for name in ("observation", "action"):
        assert (whole[name] == np.concatenate([before[name], whole[name][20:21], after[name]])).all()


def test_looking_at_a_recorder_adds_no_records():
    recorder = ra.Recorder()
    assert repr(recorder).startswith("Recorder(0 env steps of agent 0: spikes, ")
    assert recorder.arrays == {}


def test_records_are_written_to_files_of_numpy_and_shown_as_a_table(tmp_path):
    recorder, _ = recorded("fused", agents=(2, 0))
    recorder.to_npz("records.npz")
    with np.load("records.npz") as saved:
        assert all((saved[name] == array).all() for name, array in recorder.arrays.items())
        assert (saved["agents"].tolist(), float(saved["dt"]), float(saved["window_ms"])) == ([2, 0], 1.0, 10.0)
    pytest.importorskip("pandas")
    table = recorder.to_dataframe()
    assert len(table) == 30 * 2 * 2
    row = table[(table["step"] == 7) & (table["agent"] == 0) & (table["env"] == 1)].iloc[0]
    assert row["reward"] == recorder["reward"][6, 1, 1]
    assert row["spikes/output"] == recorder["spikes/output"][6, :, 1, 1].sum()
    assert row["eligibility"] == pytest.approx(np.sqrt(np.mean(recorder["eligibility"][6, 0, 1, 1] ** 2)))
    assert row["weight/output"] == pytest.approx(np.sqrt(np.mean(recorder["weight/output"][6, 1] ** 2)))
    assert row["action"] == recorder["action"][6, 1, 1]
    assert table["terminated"].dtype == bool
    walk = ra.Recorder(("observation", "action"))
    ra.train(Walk, recorder=walk, total_steps=20, backend="torch", **SHORT)
    columns = ["step", "agent", "env", "observation/0", "observation/1", "action/0", "action/1", "action/2"]
    assert sorted(walk.to_dataframe().columns) == sorted(columns)
    assert (walk.to_dataframe()["action/2"] == walk["action"][:, 0, 0, 2]).all()
    some, _ = recorded("torch", "weight")
    assert list(some.to_dataframe().columns) == ["step", "agent", "env", "weight/output"]


@pytest.mark.filterwarnings("default")
def test_records_are_written_for_electrophysiologists(tmp_path):
    recorder = ra.Recorder(agents=1, every=2)
    if "pynwb" not in sys.modules and not plugins.importlib.util.find_spec("pynwb"):
        with pytest.raises(UsageError, match=r"pynwb is missing: pip install 'rstdp_agents\[nwb\]'"):
            recorder.to_nwb("records.nwb")
        pytest.skip("pynwb is not installed")
    import pynwb

    with pytest.raises(UsageError, match="the recorder has kept nothing yet"):
        recorder.to_nwb("records.nwb")
    ra.train("Corridor-v0", recorder=recorder, agents=2, envs_per_agent=2, total_steps=40, hidden=3, **SHORT)
    recorder.to_nwb("records.nwb")
    assert pynwb.validate(path="records.nwb") == []
    with pynwb.NWBHDF5IO("records.nwb", "r") as io:
        file = io.read()
        trials, units = file.trials.to_dataframe(), file.units.to_dataframe()
        starts = [0.01 * (step - 1) for step in range(2, 21, 2)]
        assert trials["start_time"].tolist() == pytest.approx(starts)
        assert trials["stop_time"].tolist() == pytest.approx([start + 0.01 for start in starts])
        assert units.groupby(["layer", "env"]).size().to_dict() == {
            ("input", 0): 5, ("input", 1): 5, ("hidden1", 0): 3, ("hidden1", 1): 3, ("output", 0): 16, ("output", 1): 16,
        }  # fmt: skip
        for _, unit in units.iterrows():
            own = recorder[f"spikes/{unit['layer']}"][:, :, 0, unit["env"], unit["neuron"]]
            record, tick = np.nonzero(own)
            assert list(unit["spike_times"]) == pytest.approx([starts[i] + 0.001 * at for i, at in zip(record, tick)])
            assert unit["agent"] == 1
            np.testing.assert_allclose(unit["obs_intervals"], trials[["start_time", "stop_time"]])
        assert file.units.resolution == 0.001
        behaviour = file.processing["behavior"].data_interfaces
        for name in ("observation", "action", "reward", "terminated", "truncated", "restarted"):
            assert (behaviour[f"{name}_agent1"].data[:] == recorder[name][:, 0]).all(), name
        assert behaviour["observation_agent1"].get_timestamps().tolist() == pytest.approx(starts)
        assert behaviour["reward_agent1"].get_timestamps().tolist() == pytest.approx(trials["stop_time"].tolist())
        weight, z = file.acquisition["weight_output_agent1"], file.acquisition["eligibility_agent1"]
        assert (weight.data[:].reshape(10, 16, 3) == recorder["weight/output"][:, 0]).all()
        assert "a row is an array (16, 3) in C order" in weight.description
        assert (z.data[:].reshape(10, 1, 2, 16, 3) == recorder["eligibility"][:, :, 0]).all()


@pytest.mark.filterwarnings("default")
def test_neurons_are_observed_without_a_break_where_every_env_step_is_kept():
    pynwb = pytest.importorskip("pynwb")
    recorder = ra.Recorder("spikes")
    ra.train("Corridor-v0", recorder=recorder, total_steps=20, **SHORT)
    recorder.to_nwb("records.nwb")
    assert pynwb.validate(path="records.nwb") == []
    with pynwb.NWBHDF5IO("records.nwb", "r") as io:
        units = io.read().units
        assert all(units.get_unit_obs_intervals(i) == pytest.approx(np.array([[0.0, 0.2]])) for i in range(len(units)))
        spikes = recorder["spikes/input"].sum() + recorder["spikes/output"].sum()
        assert sum(len(units.get_unit_spike_times(i)) for i in range(len(units))) == spikes > 0


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"what": "spike"}, "`what` must be one of 'spikes', .*; received 'spike'; did you mean 'spikes'?"),
        ({"every": 0}, r"`every` must be positive \(env steps\); received 0"),
    ],
)
def test_a_recorder_refuses_what_it_does_not_know(words, error):
    with pytest.raises(ValueError, match=error):
        ra.Recorder(**words)
    with pytest.raises(KeyError, match="nothing is kept under 'reward'; there are no records yet"):
        ra.Recorder()["reward"]


def test_a_recorder_is_of_one_run():
    recorder, run = recorded("torch", "weight", every=10)
    run.resume(total_steps=102, recorder=recorder)  # 30 and 21 env steps, of which the first is not seen
    assert recorder["weight/output"].shape == (5, 1, 16, 5)
    with pytest.raises(
        UsageError, match=r"holds weight/output of the shape \(1, 16, 5\), of another run; received \(1"
    ):
        ra.train("CartPole-v1", recorder=recorder, total_steps=20, backend="torch", **SHORT)


def test_an_agent_that_is_not_there_cannot_be_recorded():
    with pytest.raises(UsageError, match="`agents` of the recorder must be 0 to 1; received 2"):
        ra.train("Corridor-v0", recorder=ra.Recorder(agents=2), agents=2, total_steps=20, **SHORT)


def test_what_an_agent_shows_are_copies(run):
    agent = ra.load(run.folder).agent
    agent.begin(np.zeros((2, 1), np.int64))
    shown = (*agent.spikes(), *agent.eligibility(), *agent.weights().values(), agent.features())
    before = {name: tensor.clone() for name, tensor in agent.tensors().items()}
    for tensor in shown:
        tensor.fill_(7.0)
    assert all(torch.equal(agent.tensors()[name], tensor) for name, tensor in before.items())
