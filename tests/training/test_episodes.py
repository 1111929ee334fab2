import json

import numpy as np
import pytest

from rstdp_agents.base.growing import Extent
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.training.episodes import AgentRecord, Episode, EpisodeTracker, mean, reaches
from rstdp_agents.training.monitoring.monitor_file import MonitorFile
from rstdp_agents.training.reports.scores import episodes_to


def test_terminal_reward_counts_and_rows_are_apart():
    tracker = EpisodeTracker(2, 1, None)
    no, first = np.zeros((2, 1), dtype=bool), np.array([[True], [False]])

    def step(rewards, done):
        return Transition(no, np.array(rewards)[:, None], done, no, any_done=bool(done.any()))

    assert tracker.add(step([1.0, 5.0], no), 1) == []
    assert tracker.add(step([2.0, 5.0], first), 2) == [Episode(0, 3.0, 2, 2)]
    assert tracker.add(step([4.0, 5.0], ~no), 3) == [Episode(0, 4.0, 1, 3), Episode(1, 15.0, 3, 3)]


def test_envs_that_only_started_again_took_no_step():
    tracker = EpisodeTracker(1, 2, None)
    no, second = np.zeros((1, 2), dtype=bool), np.array([[False, True]])

    def step(done, restarted=None):
        return Transition(no, np.ones((1, 2)), done, no, None, bool(done.any()), restarted)

    assert tracker.add(step(second), 1) == [Episode(0, 1.0, 1, 1)]
    assert tracker.add(step(no, second), 2) == []
    assert tracker.add(step(~no), 3) == [Episode(0, 3.0, 3, 3), Episode(0, 1.0, 1, 3)]


def test_solved_is_the_first_full_window_at_the_threshold():
    record = AgentRecord()
    for i in range(150):
        record.add(Episode(0, 0.0 if i < 10 else 1.0, 5, 5 * (i + 1)), threshold=0.95)
    assert (record.solved_at_episode, record.solved_at_step) == (105, 525)
    assert record.best_mean == 1.0
    assert record.final_mean == 1.0


def test_nothing_counts_before_a_hundred_episodes():
    record = AgentRecord()
    assert record.final_mean is None
    for i in range(99):
        record.add(Episode(0, 1.0, 1, i), threshold=0.5)
    assert (record.best_mean, record.solved_at_episode, record.final_mean) == (None, None, 1.0)


def test_record_survives_json():
    record = AgentRecord()
    for i in range(120):
        record.add(Episode(0, float(i), 1, i), threshold=60.0)
    again = AgentRecord.from_json(json.loads(json.dumps(record.to_json())))
    assert again.to_json() == record.to_json()
    assert again.recent.maxlen == 100
    assert again.final_mean == pytest.approx(np.mean(range(20, 120)))


@pytest.mark.parametrize(
    ("returns", "better"),
    [
        ([1.0, 3.0] * 9, None),  # too few to tell
        ([1.0, 3.0] * 5 + [2.0, 3.0] * 5, False),  # 2.5 against 2, but by less than two standard errors
        ([1.0, 3.0] * 5 + [4.0, 5.0] * 5, True),
        ([1.0, 3.0] * 5 + [9.0] * 50 + [1.0, 3.0] * 50, False),  # it was better for a while
        ([-200.0] * 30, False),
    ],
)
def test_an_agent_has_improved_where_its_last_returns_are_clearly_above_the_first(returns, better):
    record = AgentRecord()
    for value in returns:
        record.add(Episode(0, value, 1, 1), None)
    assert record.has_improved is better
    assert (record.lowest, record.highest) == (min(returns), max(returns))
    assert AgentRecord.from_json(json.loads(json.dumps(record.to_json()))).has_improved is better


def test_a_record_of_before_the_first_returns_were_kept_tells_nothing_of_improvement():
    record = AgentRecord.from_json({"episodes": 50, "recent": [1.0] * 50})
    for _ in range(50):
        record.add(Episode(0, 9.0, 1, 1), None)
    assert record.has_improved is None


def test_agents_are_unrewarded_until_a_reward_comes_in_an_episode_or_within_one():
    tracker, no = EpisodeTracker(3, 1, None), np.zeros((3, 1), dtype=bool)
    for rewards in ([0.0, 0.0, 0.0], [0.0, 1.0, -1.0]):
        tracker.add(Transition(no, np.array(rewards)[:, None], no, no, any_done=False), 1)
        assert tracker.unrewarded().tolist() == [value == 0 for value in rewards]
    tracker.add(Transition(no, np.zeros((3, 1)), ~no, no), 3)
    assert tracker.unrewarded().tolist() == [True, False, False]


def test_a_mean_reaches_a_threshold_up_to_rounding_whatever_their_size():
    assert reaches(mean([0.1, 0.2, 0.3]), 0.2)
    assert reaches(0.95 - 1e-12, 0.95)
    assert not reaches(0.95 - 1e-8, 0.95)
    assert reaches(-1.7e9 - 0.5, -1.7e9)
    assert not reaches(-1.7e9 - 5.0, -1.7e9)
    assert mean([1e16, 1.0, -1e16]) == 1 / 3


PATTERN = [sum([0.1] * k) for k in range(11)]
"""Returns of rstdp/Pattern-v0: so many of ten frames answered well, a tenth for each."""
NEARLY = {
    "answers of Pattern": ([PATTERN[9], PATTERN[10]] * 90, 0.95),
    "tenths that are summed": ([0.1 + 0.1 + 0.1, 0.3 - 1e-16] * 60, 0.3),
    "thirds": ([1 / 3, 2 / 3] * 60 + [0.0], 0.5),
    "large ones": ([1e9 / 3, 2e9 / 3] * 60, 5e8),
    "costs": ([-0.1 * k for k in range(200)][::-1], -4.95),
    "a rise": (PATTERN + [PATTERN[9], PATTERN[10]] * 80, 0.95),
}


@pytest.mark.parametrize(("returns", "threshold"), NEARLY.values(), ids=NEARLY)
def test_record_and_report_agree_on_when_it_was_solved(returns, threshold, tmp_path):
    """Also where returns average to the threshold but for rounding, and by way of monitor.csv."""
    record, episodes = AgentRecord(), [Episode(0, r, 1, i) for i, r in enumerate(returns, 1)]
    for episode in episodes:
        record.add(episode, threshold)
    first = next(n for n in range(100, len(returns) + 1) if sum(returns[n - 100 : n]) / 100 > threshold - 1e-7)
    assert record.solved_at_episode == episodes_to(threshold, returns) == first
    file = MonitorFile(tmp_path, "rstdp/Pattern-v0", (), None, Extent(), 0)
    file.write(episodes, 0.0)
    file.close()
    assert episodes_to(threshold, np.loadtxt(tmp_path / "monitor.csv", delimiter=",", skiprows=2)[:, 0]) == first
