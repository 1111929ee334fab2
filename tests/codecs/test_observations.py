import logging

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.spaces import GraphInstance

from rstdp_agents.base.errors import EnvironmentFault
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.row_layout import HASHED, SLOTS, hashed
from tests.environments.zoo import OBSERVATIONS


@pytest.mark.parametrize("space", OBSERVATIONS.values(), ids=OBSERVATIONS.keys())
def test_columns_are_the_leaves_one_after_the_other(space):
    rows = Rows(space)
    assert [leaf.first for leaf in rows.leaves] == np.cumsum([0, *(leaf.size for leaf in rows.leaves)])[:-1].tolist()
    space.seed(0)
    samples = [space.sample() for _ in range(20)]
    array = rows.array(samples)
    assert np.array_equal(array, rows.array(samples))
    assert array.shape[1:] == (space.shape if rows.is_array else (rows.size,))
    flat = array.reshape(20, -1)
    for leaf in (leaf for leaf in rows.leaves if isinstance(leaf.space, spaces.Discrete) and leaf.within is None):
        assert all(leaf.space.contains(int(value)) for value in flat[:, leaf.first]), leaf.path


def read(leaf_space, numbers):
    return numbers.reshape(leaf_space.shape).astype(leaf_space.dtype)


def test_every_number_of_a_nested_observation_is_in_its_row():
    space, rows = OBSERVATIONS["dict"], Rows(OBSERVATIONS["dict"])
    space.seed(1)
    obs = space.sample()
    by_path = {leaf.path: read(leaf.space, rows.row(obs)[leaf.columns]) for leaf in rows.leaves}
    assert set(by_path) == {
        'observation["a"]', 'observation["b"]["c"]', 'observation["b"]["d"][0][0]', 'observation["b"]["d"][0][1]',
        'observation["b"]["d"][1]',
    }  # fmt: skip
    assert np.array_equal(by_path['observation["a"]'], obs["a"])
    assert by_path['observation["b"]["c"]'] == obs["b"]["c"]
    assert by_path['observation["b"]["d"][0][1]'] == obs["b"]["d"][0][1]
    assert np.array_equal(by_path['observation["b"]["d"][1]'], obs["b"]["d"][1])
    assert rows.path(2) == 'observation["b"]["c"]'


def test_what_is_absent_is_marked():
    rows = Rows(OBSERVATIONS["one of"])
    assert rows.row((0, 2)).tolist() == [0, 2, 0, 0]
    assert rows.row((1, np.array([0.5, -0.5]))).tolist() == [1, -1, 0.5, -0.5]
    assert [leaf.within for leaf in rows.leaves] == [None, (0, 0, 0), (0, 1, 1)]


def test_sequences_are_seen_up_to_a_length():
    rows = Rows(spaces.Sequence(spaces.Discrete(5)))
    assert rows.row((3, 4)).tolist() == [2, 3, 4, *[-1] * (SLOTS - 2)]
    assert rows.row((1,) * 100).tolist() == [SLOTS, *[1] * SLOTS]
    stacked = Rows(spaces.Sequence(spaces.Discrete(5), stack=True))
    assert np.array_equal(stacked.row(np.array([3, 4])), rows.row((3, 4)))


def test_an_empty_part_of_a_sequence_hides_what_is_in_it():
    rows = Rows(OBSERVATIONS["nested"])
    row = rows.row(((0, 1), (1, (1, 0))))
    present = [
        leaf.path for leaf in rows.leaves
        if leaf.within is None or leaf.within.lowest <= row[leaf.within.column] <= leaf.within.highest
    ]  # fmt: skip
    assert present == [
        "length of observation", "observation[0][0]", "observation[0][1] of subspace 0", "observation[1][0]",
        "length of observation[1][1] of subspace 1", "observation[1][1] of subspace 1[0]",
        "observation[1][1] of subspace 1[1]",
    ]  # fmt: skip


def test_edges_of_a_graph_are_those_between_its_nodes():
    rows = Rows(OBSERVATIONS["graph"])
    nodes, links = np.arange(9.0).reshape(3, 3) / 10, np.array([[0, 1], [2, 0], [50, 1]])
    row = rows.row(GraphInstance(nodes, np.array([1, 0, 1]), links))
    assert row[:10].tolist() == [3, *nodes.reshape(-1)]
    there = [leaf.path for leaf in rows.leaves if "edge_links" in leaf.path and row[leaf.first] == 1]
    assert there == ["observation.edge_links from 0 to 1", "observation.edge_links from 2 to 0"]
    assert [row[leaf.first] for leaf in rows.leaves if leaf.path == "observation.edges from 0 to 1"] == [1]
    assert np.array_equal(rows.row(GraphInstance(nodes, None, None))[:10], row[:10])


def test_texts_share_what_they_have_in_common():
    red, blue = hashed("go to the red door"), hashed("go to the blue door")
    assert red.sum() == pytest.approx(12, abs=1)  # five words and the whole, two numbers each
    assert 7 <= (red * blue).sum() < red.sum()
    assert np.flatnonzero(hashed("left")).tolist() == [11, 27]  # in this run and in every other
    assert len({tuple(hashed(f"go to {i}")) for i in range(200)}) == 200


class Mission(gym.Space):
    """A space of sentences, as others define them."""


def test_a_space_without_a_code_is_hashed_with_one_warning_that_names_it(caplog):
    space = spaces.Dict(mission=Mission(), at=spaces.Discrete(3))
    with caplog.at_level(logging.WARNING):
        rows, _ = Rows(space), Rows(space)
    assert [record.message.split(" is of a space")[0] for record in caplog.records] == ['observation["mission"]']
    row = rows.row({"mission": "go left", "at": 2})
    assert row[-1] == 2
    assert np.array_equal(row[:-1], hashed("go left"))
    assert rows.row({"mission": object(), "at": 1}).tolist() == [*[0] * HASHED, 1]


def test_an_observation_of_another_structure_is_a_fault_of_the_environment():
    rows = Rows(OBSERVATIONS["grid world"])
    with pytest.raises(EnvironmentFault, match="an observation is not in its space: KeyError: 'direction'"):
        rows.array([{"image": np.zeros((7, 7, 3)), "mission": "x"}])
