"""What is said while one waits, by a clock that is turned by hand."""

import io
import re
import signal
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
from numba import njit
from numba.core import event

from rstdp_agents.agent.fused.kernel import kernel
from rstdp_agents.base import progress
from rstdp_agents.base.progress import Bar, doing
from rstdp_agents.base.settings import override
from rstdp_agents.environments import probe
from rstdp_agents.tools.commands import report
from rstdp_agents.tools.sweep import space as search
from rstdp_agents.training import compilation
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.evaluation import play
from rstdp_agents.training.loop import Training
from rstdp_agents.training.ranged import with_range
from rstdp_agents.training.runs.checkpoint import latest_checkpoint
from rstdp_agents.training.runs.reading import History
from tests.helpers import OF_A_RUN, at_step, cartpole_agent


class Clock:
    """Seconds, and how many more of them every look takes."""

    def __init__(self):
        self.now, self.tick = 0.0, 0.0

    def __call__(self):
        self.now += self.tick
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "clock", clock)
    return clock


class Screen(io.StringIO):
    def isatty(self):
        return True

    @property
    def looks(self):
        """All that was ever shown of bars, in order."""
        return [look.strip() for look in re.split(r"[\r\n]|\x1b\[A", self.getvalue()) if look.strip()]

    def counts(self, what=""):
        """How far the bar had come at its looks, those with a description that begins so."""
        found = [re.match(rf"{what}.*?(\d+)/(\d+) \[", look) for look in self.looks]
        return [(int(m[1]), int(m[2])) for m in found if m]


def patched(monkeypatch, stderr):
    """Give bars another stderr; pytest keeps that of the process to itself."""
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=stderr))
    return stderr


@pytest.fixture
def screen(monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")
    return patched(monkeypatch, Screen())


@pytest.fixture
def file(monkeypatch):
    return patched(monkeypatch, io.StringIO())


def config(**changes):
    base = {"total_steps": 600, "log_every": 200, "images": 0, "eval_episodes": 0, "backend": "torch"}
    base["env_kwargs"] = ("max_episode_steps:30",)
    return override(RunConfig(), OF_A_RUN | base | changes)


@pytest.mark.parametrize(("seconds", "moves"), [(1 / 512, 3), (0.125, 250), (0.5, 1000), (3.0, 1000)])
def test_a_bar_moves_with_time_whatever_a_turn_takes(clock, screen, seconds, moves):
    moved = []
    with Bar(1000, "step") as bar:
        for turn in range(1, 1001):
            clock.now += seconds
            if bar.due():
                moved.append(turn)
                bar.move(turn)
    assert len(moved) == moves
    assert list(dict.fromkeys(screen.counts()))[-moves:] == [(turn, 1000) for turn in moved]


def test_nothing_is_shown_before_half_a_second_of_what_does_not_stay(clock, screen):
    with Bar(10, "episode", "evaluating") as bar:
        clock.now += 0.4
        assert not bar.due()
    assert screen.getvalue() == ""


@pytest.mark.parametrize(
    ("envs", "before", "total"), [(1, 0, 600), (7, 0, 602), (1, 300, 600), (7, 301, 602), (4, 600, 600)]
)
def test_a_run_ends_at_all_of_its_steps(clock, screen, tmp_path, envs, before, total):
    clock.tick = 0.01
    checkpoint = None
    if before:
        with Training(config(envs_per_agent=envs, total_steps=before, progress=False), tmp_path) as run:
            run.run()
        checkpoint = latest_checkpoint(tmp_path)
    assert screen.getvalue() == ""  # --no-progress
    with Training(config(envs_per_agent=envs), tmp_path, checkpoint) as run:
        run.run()
        assert run.step == total
    looks = screen.counts()
    assert looks[0] == (before, total)
    assert looks[-1] == (total, total)
    assert screen.looks[-1].startswith("100%|")
    assert len(looks) > 5 or before == total
    assert [done for done, _ in looks] == sorted(done for done, _ in looks)


def test_a_run_that_is_interrupted_shows_how_far_it_came(clock, screen, tmp_path):
    with Training(config(), tmp_path) as run:
        at_step(run, 150, lambda: signal.raise_signal(signal.SIGINT))
        assert not run.run()
    assert screen.counts()[-1] == (150, 600)
    assert screen.looks[-1].startswith("25%|")


def test_what_keeps_a_run_from_moving_is_said(clock, screen, tmp_path):
    clock.tick = 0.1
    settings = {"eval_every": 300, "eval_episodes": 12, "images": 1, "checkpoint_every": 200}
    with Training(config(**settings, agents=2), tmp_path) as run:
        run.run()
        played = screen.counts("evaluating, greedy: ")
        assert {total for _, total in played} == {2 * 12}
        assert 0 < max(done for done, _ in played) <= 24
        for what in ("drawing", "saving"):
            assert screen.counts(f"{what}: ")
        before = len(screen.getvalue())
        run.finish()
    closing = screen.getvalue()[before:]
    assert "evaluating, greedy: " in closing
    assert "evaluating, stochastic: " in closing
    assert " 600/600" not in closing


def test_in_a_file_it_is_a_line_a_minute_and_one_at_the_end(clock, file, tmp_path):
    clock.tick = 0.25  # one look at the clock for each env step, and few besides
    with Training(config(), tmp_path) as run:
        run.run()
    lines = file.getvalue().splitlines()
    assert "\r" not in file.getvalue()
    steps = [int(re.match(r"\d+% (\d+)/600 \[", line)[1]) for line in lines]
    assert steps[-1] == 600
    assert 2 <= len(steps[:-1]) <= 3
    assert all(200 <= gap <= 240 for gap in np.diff([0, *steps[:-1]]))
    assert re.fullmatch(r"100% 600/600 \[.* step/s, return of last 10 \d+\.\d, rate \d+ Hz\]", lines[-1])


def test_silence_is_silence(clock, screen, tmp_path):
    clock.tick = 1.0
    settings = {"eval_every": 300, "eval_episodes": 2, "images": 1, "progress": False}
    with Training(config(**settings), tmp_path) as run:
        run.run()
        run.finish()
    assert screen.getvalue() == ""
    agent = cartpole_agent()
    play(agent, "CartPole-v1", {}, (0,), 2, True)
    assert screen.getvalue() == ""


def test_without_a_stderr_nothing_is_shown(clock, monkeypatch):
    clock.tick = 1.0
    patched(monkeypatch, None)
    with Bar(10, "step") as bar, doing("saving"):
        assert not bar.due()
        bar.move(3)


def test_what_it_waits_for_is_said_once_and_then_no_more(clock, screen):
    with Bar(10, "step", "filming") as bar, Bar(5, "episode", "within") as inner:
        with doing("drawing"):
            assert (bar.what, inner.what) == ("filming", "drawing")
            with doing("saving"):
                assert inner.what == "saving"
            assert inner.what == "drawing"
        assert inner.what == "within"
    with doing("nothing to say it on"):
        pass


def compile_event(function):
    """What numba tells of a function that it compiles."""
    return event.trigger_event("numba:compile", data={"dispatcher": function})


def test_compilation_is_said_with_its_time_while_it_lasts(clock, screen):
    other = njit(lambda x: x + 1)
    with compilation.said(), Bar(10, "step", stays=True) as bar:
        with compile_event(kernel):
            assert bar.what == "compiling once, about 20 s"
            for passed, more in ((0.2, 0), (0.4, 1), (0.2, 0), (0.4, 1)):
                clock.now, before = clock.now + passed, len(screen.looks)
                with compile_event(other):  # of what the entry calls only that time passes
                    assert bar.what == "compiling once, about 20 s"
                assert len(screen.looks) == before + more
        assert bar.what == ""
        other(3)
    assert "compiling once, about 20 s:   0%|" in screen.getvalue()
    assert "about 1 s" not in screen.getvalue()


def test_compilation_is_said_in_a_file_at_once(clock, file):
    with compilation.said(), Bar(10, "step") as bar, compile_event(kernel):
        assert not bar.due()
    assert re.fullmatch(r"compiling once, about 20 s:   0% 0/10 \[.*\]\n", file.getvalue())


def test_what_has_been_compiled_is_not_said(clock, screen, tmp_path):
    clock.tick = 0.1
    for name in ("first", "second"):
        before = len(screen.getvalue())
        with Training(config(backend="fused", eval_episodes=2, total_steps=200), tmp_path / name) as run:
            run.run()
            run.finish()
    said = screen.getvalue()[before:]
    assert "200/200" in said
    assert "evaluating" in said
    assert "compiling" not in said


def test_a_probe_for_the_range_says_how_far_it_has_come(clock, screen):
    clock.tick = 0.01
    unbounded = config(**{"agent.encoder.low": (), "agent.encoder.high": ()})
    with_range(unbounded, gym.make("CartPole-v1").observation_space, "CartPole-v1", {})
    looks = screen.counts("finding the range of observations: ")
    assert {total for _, total in looks} == {probe.STEPS}
    assert len(looks) >= 20
    silent = len(screen.getvalue())
    with_range(override(unbounded, {"progress": False}), gym.make("CartPole-v1").observation_space, "CartPole-v1", {})
    assert len(screen.getvalue()) == silent


def test_chance_and_trials_of_a_search_say_how_far_they_have_come(clock, screen, tmp_path):
    clock.tick = 0.01
    report.chance(History(tmp_path, config(), [], None))
    assert {total for _, total in screen.counts("random policy on CartPole-v1: ")} == {report.CHANCE_STEPS}
    search.scores(config(total_steps=300), [{"plasticity.lr": 0.1}, {"plasticity.lr": 0.2}], "area")
    assert {total for _, total in screen.counts(r"2 trial\(s\): ")} == {300}
