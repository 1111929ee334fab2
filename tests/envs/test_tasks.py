"""What is particular to each environment."""

import numpy as np
import pytest

from envs.catch import Catch
from envs.cue import Cue
from envs.delayed_cue import DelayedCue
from envs.t_maze import FORWARD, LEFT, RIGHT, TMaze
from envs.xor import XOR


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
        (Cue, {"cues": 1}, "`cues` must be a whole number of 2 or more; received 1"),
        (DelayedCue, {"delay": -1}, "`delay` must be a whole number of 0 or more; received -1"),
        (DelayedCue, {"delay": 2.5}, "`delay` must be a whole number of 0 or more; received 2.5"),
        (TMaze, {"length": 0}, "`length` must be a whole number of 1 or more; received 0"),
    ],
)
def test_arguments_are_checked(env, arguments, message):
    with pytest.raises(ValueError, match="must be") as error:
        env(**arguments)
    assert str(error.value) == message


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
