"""The maze demonstration: values, errors, walls and the bump by hand, and a short course that is pinned."""

from dataclasses import replace

import numpy as np
import pytest

from rstdp_agents.tools.demos.maze import EVERY, OBSTACLE, Maze, animal, rates
from rstdp_agents.tools.demos.maze_trial import crosses, move, td_error, trial
from rstdp_agents.tools.demos.water_maze import CONDITIONS, Course, as_json, draw, main, measure, run, table

SHORT = Maze(limit=1000, pause=500)
U = np.array(OBSTACLE, np.float64)


def course(p, s, x=-7.0, y=0.0, learning=False):
    """A trial, and what was written of it."""
    path = np.zeros(((p.limit + p.pause) // EVERY, 4))
    return trial(s, rates(p), 0, 0, x, y, learning, path), path


def test_a_value_that_stays_is_wrong_by_what_discounting_takes():
    """delta = -V / tau_r dt of a constant value, and none of one that falls short of the reward by that much."""
    assert td_error(8.0, 8.0, 0.0, 1 / 4000, 10.0) == pytest.approx(-8.0 * 10 / 4000)
    assert td_error(8.0, 6.0, 2.0, 1 / 4000, 10.0) == pytest.approx(-6.0 * 10 / 4000)
    assert td_error(8.0, 8.0 / (1 - 10 / 4000), 0.0, 1 / 4000, 10.0) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("way", "crossed"),
    [
        ((-4.1, 0, -3.9, 0), True), ((-3.9, 0, -4.1, 0), True), ((-4.1, 5, -3.9, 5), False), ((4.1, 0, 3.9, 0), False),
        ((0, 4.1, 0, 3.9), True), ((5, 4.1, 5, 3.9), False), ((0, -3.9, 0, -4.1), True), ((-4.2, 0, -4.1, 0), False),
    ],
)  # fmt: skip
def test_the_obstacle_is_open_to_the_east_alone(way, crossed):
    assert crosses(*way, U) == crossed


def test_a_wall_throws_back_and_the_animal_stays_where_that_would_cross_another():
    at = np.array([-4.1, 0.0])
    assert move(at, 0.2, 0.0, 0.5, U)
    assert at.tolist() == pytest.approx([-4.6, 0.0])
    assert not move(at, 0.3, 0.4, 0.5, U)
    assert at.tolist() == pytest.approx([-4.3, 0.4])
    corridor = np.array([(0.0, -9.0, 0.0, 9.0), (0.4, -9.0, 0.4, 9.0)])
    at = np.array([0.1, 0.0])
    assert move(at, -0.2, 0.0, 0.5, corridor)
    assert at.tolist() == [0.1, 0.0]


@pytest.mark.slow
def test_the_value_is_that_of_the_critics_rate():
    """Critics that fire with certainty in every ms have 1000 Hz; those that never do have 0."""
    for tonic, hertz in ((1000.0, 1000.0), (-1000.0, 0.0)):
        p = replace(SHORT, tonic=tonic, after_spike=0.0, third="none", limit=3000)
        (_, critic, _), path = course(p, animal(p, 0))
        assert critic == pytest.approx(hertz, rel=1e-3)
        assert path[p.limit // EVERY - 1, 2] == pytest.approx(p.value * (hertz - p.base), rel=0.01)


def test_a_bump_moves_the_animal_in_the_direction_of_its_neurons():
    p = replace(SHORT, third="none", w_sd=0.0)
    for neuron in (0, 45, 100):
        s = animal(p, 0)
        s.weight[:, p.critics :] = 0.0
        s.weight[:, p.critics + neuron] = p.w_max * 2
        _, path = course(p, s, 0.0, -7.0)
        way = path[30, :2] - np.array([0.0, -7.0])
        assert way / np.hypot(*way) == pytest.approx(s.direction[neuron], abs=0.05)
    assert animal(p, 0).direction[45] == pytest.approx([0.0, 1.0])


def test_neighbours_excite_each_other_and_others_inhibit():
    p = Maze()
    lateral = animal(p, 0).lateral
    assert lateral[0, 1] > 0 > lateral[0, 90]
    assert lateral[0, 90] == pytest.approx(p.inhibit / p.actors, rel=1e-4)
    assert (lateral == lateral.T).all()
    assert (np.diag(lateral) == 0).all()


def test_a_frozen_animal_keeps_its_weights_and_the_goal_ends_a_trial():
    p = replace(SHORT, third="none", near=20.0)
    s = animal(p, 0)
    before = s.weight.copy()
    (took, *_), path = course(p, s)
    assert took == 0
    assert (s.weight == before).all()
    assert (path[: p.pause // EVERY] != 0).any()
    assert (path[p.pause // EVERY :] == 0).all()


def test_the_reward_itself_comes_in_a_few_hundred_ms_and_a_wall_is_punished():
    p = replace(SHORT, third="reward", critics=0, near=20.0, pause=2000)
    _, path = course(p, animal(p, 0), learning=True)
    assert path[:, 3].sum() == pytest.approx(p.reward, rel=1e-3)
    assert path[20, 3] / path[0, 3] == pytest.approx(np.exp(-200 / p.tau_eat))
    far = replace(p, near=0.0, w_sd=0.0)
    s = animal(far, 0)
    s.weight[:] = 0.0
    s.weight[:, 0] = 2.0  # the neuron for the east, where a wall is
    _, path = course(far, s, 9.8, 0.0)
    assert path[:, 3].min() == pytest.approx(far.penalty)
    assert path[:, 0].max() < 10.0


def test_the_first_second_of_a_course_is_what_it_was():
    (took, critic, actor), path = course(SHORT, animal(SHORT, 7), learning=True)
    assert took == SHORT.limit
    assert (critic, actor) == pytest.approx((15.2, 8.8), abs=0.5)
    assert path[99, :2] == pytest.approx((-7.5, -1.8), abs=0.5)
    assert (course(SHORT, animal(SHORT, 7), learning=True)[1] == path).all()


def test_pairs_less_those_to_be_expected_are_none_on_average():
    """In a second, 180 actor neurons fire about 1500 spikes: their pairs add up, and their surprise does not."""
    grown = []
    for hebbian in (1.0, 0.0):
        p = replace(SHORT, third="reward", critics=0, hebbian=hebbian, near=0.0, w_sd=0.0, penalty=0.0)
        s = animal(p, 0)
        course(p, s, learning=True)
        grown.append((s.slow.mean(), np.abs(s.slow).mean()))
    assert grown[0][0] == grown[0][1] > 0
    assert abs(grown[1][0]) < 0.2 * grown[0][0]


@pytest.fixture(scope="module")
def found():
    with pytest.MonkeyPatch.context() as patched:
        for name, p in CONDITIONS.items():
            patched.setitem(CONDITIONS, name, replace(p, limit=400, pause=100))
        yield measure((0, 1), 8)


def test_every_start_comes_once_in_four_trials(found):
    for courses in found.values():
        for c in courses:
            assert sorted(c.start[:4]) == sorted(c.start[4:]) == [0, 1, 2, 3]
            assert len(c.seconds) == 8
            assert (len(c.early), len(c.late)) == (4, 4)
    assert Course(0, [0] * 8, [1.0] * 4 + [3.0] * 4, [], []).by_fours().tolist() == [1.0, 3.0]
    with pytest.raises(ValueError, match="multiple of 4; received 6"):
        run(SHORT, 0, 6)


def test_table_figure_and_file(found, tmp_path, capsys, monkeypatch):
    assert [line.split("|")[1].strip() for line in table(found).splitlines()[2:]] == list(CONDITIONS)
    assert len(draw(found).axes) == 11  # and the colours of values
    assert as_json(found)["maze, td"][1]["seed"] == 1
    for name, p in CONDITIONS.items():
        monkeypatch.setitem(CONDITIONS, name, replace(p, limit=400, pause=100))
    main(tmp_path / "m.png", (0, 0), 4)
    assert (tmp_path / "m.png").stat().st_size > 10_000
    assert (tmp_path / "m.json").exists()
    assert "| pool, frozen | " in capsys.readouterr().out
