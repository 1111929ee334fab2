"""What is particular to each environment."""

import numpy as np
import pytest

from rstdp_envs.bandit import Bandit
from rstdp_envs.bars import Bars
from rstdp_envs.catch import Catch
from rstdp_envs.cue import Cue
from rstdp_envs.delayed_cue import DelayedCue
from rstdp_envs.pattern import Pattern
from rstdp_envs.reach import Reach
from rstdp_envs.t_maze import FORWARD, LEFT, RIGHT, TMaze
from rstdp_envs.water_maze import WaterMaze
from rstdp_envs.xor import XOR


def course(env, actions, seed=0):
    # observations after the first one, and rewards
    env.reset(seed=seed)
    steps = [env.step(action) for action in actions]
    return [obs for obs, *_ in steps], [reward for _, reward, *_ in steps], [over for _, _, over, *_ in steps]


@pytest.mark.parametrize(
    ("env", "arguments", "message"),
    [
        (
            Catch,
            {"rows": 3, "columns": 7},
            "`columns` must be below twice `rows`, or no paddle is fast enough; received 7",
        ),
        (Bars, {"size": 1}, "`size` must be a whole number of 2 or more; received 1"),
        (Bandit, {"odds": 1.5}, "`odds` must lie between 0 and 1; received 1.5"),
        (Pattern, {"jitter": -0.1}, "`jitter` must lie between 0 and 1; received -0.1"),
        (
            WaterMaze,
            {"platform": (0.7, 0.7)},
            "`platform` must be a place (x, y) inside the pool of radius 1; received (0.7, 0.7)",
        ),
        (Cue, {"cues": 1}, "`cues` must be a whole number of 2 or more; received 1"),
        (DelayedCue, {"delay": -1}, "`delay` must be a whole number of 0 or more; received -1"),
        (DelayedCue, {"delay": 2.5}, "`delay` must be a whole number of 0 or more; received 2.5"),
        (TMaze, {"length": 0}, "`length` must be a whole number of 1 or more; received 0"),
    ],
)
def test_arguments_are_checked(env, arguments, message):
    with pytest.raises(ValueError, match="must ") as error:
        env(**arguments)
    assert str(error.value) == message


def test_lying_and_standing_bars_light_every_pixel_equally_often():
    env, shown = Bars(size=4), {0: set(), 1: set()}
    for seed in range(100):
        image, _ = env.reset(seed=seed)
        shown[int(env.step(1)[1])].add(image.tobytes())
    lying, standing = (sum(np.frombuffer(image, np.uint8) for image in shown[k]) for k in (0, 1))
    assert len(shown[0]) == len(shown[1]) == 4
    assert lying.tolist() == standing.tolist() == [255] * 16


def test_every_cue_comes_up_and_has_its_own_answer():
    env = Cue(cues=3)
    cues = {env.reset(seed=seed)[0] for seed in range(50)}
    assert cues == {0, 1, 2}
    for answer in range(3):
        cue = env.reset(seed=answer)[0]
        assert env.step(answer)[1:4] == (float(answer == cue), True, False)


@pytest.mark.parametrize("delay", [0, 1, 5])
def test_the_first_answer_is_paid_after_the_delay_and_no_other(delay):
    env = DelayedCue(cues=2, delay=delay)
    cue = env.reset(seed=0)[0]
    for answer in range(2):
        for later in range(2):
            seen, rewards, over = course(env, [answer] + [later] * delay)
            assert seen == [2] * (delay + 1)
            assert rewards == [0.0] * delay + [float(answer == cue)]
            assert over == [False] * delay + [True]


def test_what_is_seen_after_the_cue_is_the_same_for_all_cues_and_answers():
    env = DelayedCue()
    seen = {str(course(env, [answer] * 6, seed)[0]) for answer in range(4) for seed in range(20)}
    assert seen == {str([4] * 6)}


def test_walls_cost_and_do_not_move():
    env = TMaze(length=2)
    env.reset(seed=0)
    sign = env.sign
    seen, rewards, _ = course(env, [LEFT, FORWARD, RIGHT, FORWARD, FORWARD, sign])
    assert [obs // 3 for obs in seen] == [0, 1, 1, 2, 2, 2]
    assert rewards == [-0.1, 0.0, -0.1, 0.0, -0.1, 1.0]
    assert {obs % 3 for obs in seen} == {sign}


def test_the_other_turn_ends_without_reward():
    env = TMaze(length=1)
    env.reset(seed=0)
    _, rewards, over = course(env, [FORWARD, LEFT + RIGHT - env.sign])
    assert rewards == [0.0, 0.0]
    assert over == [False, True]


def test_a_hidden_sign_needs_memory():
    env, seen_from = TMaze(visible=False), {}
    for seed in range(20):
        obs, _ = env.reset(seed=seed)
        seen, rewards, _ = course(env, [FORWARD] * 4 + [obs], seed)  # obs is the sign: what memory would hold
        assert sum(rewards) == 1.0
        seen_from.setdefault(obs, set()).add(str(seen))
    assert set(seen_from) == {LEFT, RIGHT}
    assert seen_from[LEFT] == seen_from[RIGHT] == {str([3, 6, 9, 12, 12])}


def test_a_hidden_sign_is_drawn_where_it_is_seen():
    hidden, visible = TMaze(visible=False, render_mode="rgb_array"), TMaze(render_mode="rgb_array")
    for env in (hidden, visible):
        env.reset(seed=0)
    assert np.array_equal(hidden.render(), visible.render())
    for env in (hidden, visible):
        env.step(FORWARD)
    assert not np.array_equal(hidden.render(), visible.render())


def test_truth_table_of_exclusive_or():
    env, table = XOR(), {}
    for seed in range(40):
        inputs, _ = env.reset(seed=seed)
        table[tuple(inputs.tolist())] = env.step(1)[1]
    assert table == {(0.0, 0.0): 0.0, (0.0, 1.0): 1.0, (1.0, 0.0): 1.0, (1.0, 1.0): 0.0}


def test_a_ball_falls_straight_and_the_paddle_stops_at_walls():
    env = Catch(rows=4, columns=3)
    first = env.reset(seed=1)[0]
    ball = int(first[0].argmax())
    seen, rewards, over = course(env, [0, 0, 2], seed=1)
    assert [np.argwhere(image[:-1]).tolist() for image in seen] == [[[1, ball]], [[2, ball]], []]
    assert [int(image[-1].argmax()) for image in seen[:2]] == [0, 0]
    assert (rewards, over) == ([0.0, 0.0, float(ball == 1)], [False, False, True])


def test_arms_pay_by_their_odds_and_are_swapped_by_the_hazard():
    env = Bandit(odds=1.0, hazard=0.1, pulls=5000)
    env.reset(seed=0)
    better, paid = [], []
    for _ in range(5000):
        better.append(env.better)
        paid.append(env.step(0)[1] > 0)
    assert [arm == 0 for arm in better] == paid
    assert np.mean(np.diff(better) != 0) == pytest.approx(0.1, abs=4 * 0.3 / 5000**0.5)


def test_noise_has_its_rate_and_the_pattern_comes_up_in_half_of_the_frames():
    env, frames, present = Pattern(frames=4000), [], []
    env.reset(seed=0)
    for _ in range(4000):
        present.append(env.present)
        frames.append(env.spikes)
        env.step(0)
    frames, present = np.array(frames), np.array(present)
    assert present.mean() == pytest.approx(0.5, abs=4 * 0.5 / 4000**0.5)
    assert frames[~present].mean(0) == pytest.approx(np.full(50, 0.3), abs=0.05)
    assert frames[present].mean(0) == pytest.approx(0.8 * env.pattern + 0.2 * 0.3, abs=0.05)
    assert frames[present].sum(1).mean() == pytest.approx(15.0, abs=0.3)  # as many spikes as in noise
    assert frames[~present].sum(1).mean() == pytest.approx(15.0, abs=0.3)
    assert np.array_equal(Pattern().pattern, env.pattern)
    assert not np.array_equal(Pattern(pattern_seed=1).pattern, env.pattern)


def test_reaching_is_paid_by_the_way_gained():
    env = Reach(speed=0.5, radius=0.1)
    env.reset(seed=0)
    env.hand, env.target, env.way = np.array([0.0, 0.0]), np.array([0.8, 0.0]), 0.8
    assert env.step(np.array([1.0, 0.0]))[1:3] == (pytest.approx(0.5 / 0.8), False)
    assert env.step(np.array([-0.5, 0.0]))[1:3] == (pytest.approx(-0.25 / 0.8), False)
    assert env.step(np.array([1.0, 0.0]))[1:3] == (pytest.approx(0.55 / 0.8), True)
    env.hand = np.array([-0.9, 0.9])
    env.step(np.array([-1.0, 1.0]))
    assert env.hand.tolist() == [-1.0, 1.0]


def test_the_wall_of_the_pool_stops_the_rat_and_long_strokes_are_shortened():
    env = WaterMaze(platform=(-0.5, 0.0), speed=0.1, radius=0.2)
    env.reset(seed=0)
    assert np.linalg.norm(env.place) == pytest.approx(1.0)
    env.place = np.array([1.0, 0.0])
    assert env.step(np.array([1.0, 0.0]))[0].tolist() == [1.0, 0.0]
    env.place = np.zeros(2)
    seen, reward, over, *_ = env.step(np.array([1.0, 1.0]))
    assert (np.linalg.norm(seen), reward, over) == (pytest.approx(0.1), -0.01, False)
    env.place = np.array([-0.25, 0.0])
    assert env.step(np.array([-1.0, 0.0]))[1:3] == (1.0, True)
