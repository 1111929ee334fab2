"""The decision benchmark: trials are counted right by hand, curves fit what is known, what is there is not run again."""

import json

import gymnasium as gym
import numpy as np
import pytest

from benchmarks import choices, decisions, decisions_report, psychometric
from benchmarks.choices import Choice, choice
from benchmarks.decisions import Args, Who
from benchmarks.pool import TRIALS
from benchmarks.psychometric import Psychometric
from benchmarks.variants import Traces
from rstdp_agents.environments import make_env
from rstdp_agents.environments.source import Wrapped, parse_kwargs
from rstdp_agents.training.presets import preset

DT = parse_kwargs(TRIALS)["dt"]
COHERENCES = np.array([-51.2, -25.6, -12.8, -6.4, 0.0, 6.4, 12.8, 25.6, 51.2])
NAN = float("nan")


def test_threshold_by_hand():
    assert Psychometric(0.0, 10.0, 0.0).threshold == pytest.approx(10 * np.log(3))
    assert Psychometric(5.0, 10.0, 0.1).threshold == pytest.approx(10 * np.log(0.70 / 0.20))
    assert Psychometric(0.0, 10.0, 0.5).threshold == np.inf
    for curve in (Psychometric(0.0, 10.0, 0.0), Psychometric(5.0, 7.0, 0.2)):
        assert curve.right(curve.bias + curve.threshold) == pytest.approx(0.75)
        assert curve.right(curve.bias) == pytest.approx(0.5)


@pytest.mark.parametrize("known", [(0.0, 8.0, 0.0), (4.0, 5.0, 0.1), (-6.0, 12.0, 0.05)])
def test_fit_finds_the_curve_that_made_the_choices(known):
    n = np.full(9, 1000.0)
    found = psychometric.fit(COHERENCES, n, n * Psychometric(*known).right(COHERENCES))
    np.testing.assert_allclose(found, known, atol=0.05, rtol=0.02)


def test_fit_of_choices_by_a_coin_has_no_threshold():
    assert psychometric.fit(COHERENCES, np.full(9, 100), np.full(9, 50)).threshold > 100


def test_choices_by_hand():
    perceptual = {"coh": 25.6}
    assert choice(perceptual, 2, 2, 0.0, 1.0) == Choice(1.0, 2.0, 25.6, 0.0)
    assert choice(perceptual, 1, 2, 0.0, 0.0) == Choice(0.0, 2.0, -25.6, 0.0)
    np.testing.assert_array_equal(choice({"coh": 0}, 1, 0, 100.0, 0.0), (0.0, 0.0, 0.0, NAN))
    context = {"context": 1, "coh_1": 5, "coh_2": 50}
    assert choice(context, 2, 1, 0.0, 0.0).coherence == 50.0
    assert choice(context | {"context": 0}, 1, 1, 0.0, 0.0).coherence == -5.0
    np.testing.assert_array_equal(choice({}, 0, 0, 400.0, 0.0), (1.0, 0.0, NAN, NAN))  # a no-go that was withheld
    np.testing.assert_array_equal(choice({}, 0, 1, 200.0, 0.0), (0.0, 1.0, NAN, 200.0))
    np.testing.assert_array_equal(
        choice({}, np.array([1.0, 0.5]), np.array([0.1, 0.5]), 300.0, 0.8), (0.8, 1.0, NAN, 300.0)
    )


def test_trials_are_counted_by_hand():
    right, wrong, none = Choice(1.0, 2.0, 6.4, 100.0), Choice(0.0, 2.0, -6.4, 0.0), Choice(0.0, 0.0, 6.4, NAN)
    trials = [right, wrong, none, right]
    assert decisions.by_coherence(trials) == {"-6.4": [1, 1], "6.4": [2, 2]}
    assert decisions.by_reaction(trials) == {"0": 1, "100": 2}
    assert decisions.curve([(1, right), (30, wrong), (31, right), (900, wrong)], 900) == [0.5, 1.0, *[None] * 27, 0.0]
    found = decisions.outcome([[(720, wrong), (721, right), (900, wrong)]], (3,), Who("ppo"), 900)
    assert (found["trials"], found["late_trials"], found["correct"]) == ([3], [2], [0.5])
    assert decisions.outcome([[(1, right), (2, wrong)]], (3,), Who("random"), 180)["correct"] == [0.5]


def test_traces_are_means_that_forget():
    class Ramp(gym.Env):
        observation_space, action_space, dt = (
            gym.spaces.Box(-1.0, 9.0, (1,)),
            gym.spaces.Discrete(2),
            1000.0 * np.log(2),
        )

        def reset(self, *, seed=None, options=None):
            self.at = 2.0
            return np.array([self.at]), {}

        def step(self, action):
            self.at *= 2
            return np.array([self.at]), 0.0, False, False, {}

    env = Traces(Ramp())  # which keeps half of the trace at every step
    for _ in range(2):
        assert env.reset()[0].tolist() == [2.0, 1.0]
        assert [env.step(0)[0].tolist() for _ in range(2)] == [[4.0, 2.5], [8.0, 5.25]]
    assert env.observation_space.high.tolist() == [9.0, 9.0]


def neurogym(name):
    pytest.importorskip("neurogym")
    return make_env(Wrapped(f"neurogym:{name}-v0", ("benchmarks.choices:Choices",)), {"dt": DT})


@pytest.mark.filterwarnings("ignore")
def test_going_without_a_response_is_right_in_every_no_go_trial_and_no_other():
    env = neurogym("GoNogo")
    env.reset(seed=3)
    truths, found = [], []
    for _ in range(30 * 15):  # a trial is 1500 ms
        truth, info = env.unwrapped.trial["ground_truth"], env.step(0)[4]
        if info["new_trial"]:
            truths.append(truth)
            found.append([info[key] for key in choices.KEYWORDS])
            assert len(found) == 1 or info["performance"] == 0  # which NeuroGym says of right ones too
    assert len(found) == 30
    np.testing.assert_array_equal(found, [[1.0 - truth, 0.0, NAN, NAN] for truth in truths])
    assert 0 < sum(truths) < 30


@pytest.mark.filterwarnings("ignore")
def test_seeds_count():
    first, second, third = (neurogym("PerceptualDecisionMaking") for _ in range(3))
    starts = [env.reset(seed=seed)[0] for env, seed in ((first, 3), (second, 3), (third, 4))]
    assert starts[0].tolist() == starts[1].tolist() != starts[2].tolist()
    assert first.step(0)[0].tolist() == second.step(0)[0].tolist()


def test_an_env_step_of_the_cortical_regime_is_one_of_the_task():
    simulation = preset("", "rstdp-et", regime="cortical").agent.simulation
    assert simulation.ticks * simulation.dt == DT
    assert decisions.task_of("GoNogo", Who("agent"), 10).env_kwargs == (f"dt:{DT}",)


def test_the_best_reach_without_a_stimulus_is_to_the_middle():
    places = np.linspace(0.0, 1.0, 10_001)
    reached = [np.mean(1 / (1 + np.abs(places - reach)) ** 2) for reach in (0.4, 0.5, 0.6)]
    assert max(reached) == reached[1] == pytest.approx(decisions_report.GUESS["ReachingDelayResponse"], abs=1e-4)


def figures(who, *correct):
    chosen = [{"-50": [10, 2], "50": [10, 8]}] * len(correct)
    return {
        "kind": who.kind, "regime": who.regime, "traced": who.traced, "seeds": [0] * len(correct), "steps": 900,
        "trials": [40] * len(correct), "late_trials": [20] * len(correct), "curve": [[0.5] * 30] * len(correct),
        "correct": list(correct), "chosen": chosen, "reactions": [{"0": 15, "100": 5}] * len(correct),
    }  # fmt: skip


def test_players_that_a_file_has_are_not_run_again_and_one_that_is_absent_is_skipped(tmp_path, monkeypatch):
    asked = []

    def decide(name, who, seeds, steps):
        if who.kind == "ppo":
            raise ValueError("it needs a package")
        asked.append((who.name, seeds, steps))
        return figures(who, *(0.5 for _ in seeds))

    monkeypatch.setattr(decisions, "decide", decide)
    file, args = tmp_path / "GoNogo.json", Args(seeds="5-8", steps=900)
    found = decisions.measure("GoNogo", args, file)
    assert found["skipped"] == {"ppo": "it needs a package", "ppo, no trace": "it needs a package"}
    assert asked[0] == ("agent, fast", (5, 6, 7, 8), 900)
    assert ("random", (5, 6, 7, 8), 180) in asked
    assert ("agent, fast, no trace", (5, 6, 7, 8), 300) in asked
    assert len(asked) == len(json.loads(file.read_text())["players"]) == 7
    decisions.measure("GoNogo", args, file)
    assert len(asked) == 7
    decisions.measure("GoNogo", Args(seeds="5-9", steps=900), file)
    assert len(asked) == 14


def test_page_says_what_share_of_ppo_is_reached(tmp_path):
    played = [
        (Who("agent"), 0.6, 0.8),
        (Who("agent", "cortical"), 0.8, 0.8),
        (Who("ppo"), 0.8, 0.6),
        (Who("random"), 0.3),
    ]
    played.append((Who("agent", traced=False), 0.4))
    players = {who.name: figures(who, *correct) for who, *correct in played}
    assert decisions_report.share_of_ppo(players["agent, cortical"], players) == pytest.approx(8 / 7)
    assert decisions_report.share_of_ppo(players["agent, fast, no trace"], players) is None
    found = {
        "task": "GoNogo",
        "seeds": "5-6",
        "steps": 900,
        "players": players,
        "skipped": {"ppo, no trace": "no package"},
    }
    folder = tmp_path / "decisions"
    folder.mkdir()
    decisions_report.write(folder, [found], {"command": "python -m benchmarks.decisions", "limit": "100"})
    page = (tmp_path / "decisions.md").read_text()
    assert "| random | best guess | ppo | fast |" in page
    assert "| GoNogo | 0.30 | 0.50 | 0.70 | 0.70 | 100% | 0.80 | 114% |" in page
    assert "| agent, cortical | 0.800 [0.800, 0.800] | 0.80 to 0.80 | 114% | - | 40 | 25 | " in page
    assert "| ppo, no trace | skipped: no package |" in page
    assert (folder / "GoNogo.png").exists()
