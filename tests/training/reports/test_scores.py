import numpy as np
import pytest

from rstdp_agents.training.reports.scores import (
    band,
    episodes_to,
    iqm,
    median,
    probability_of_improvement,
    rolling,
    stratified,
)


def test_rolling_mean_and_the_first_episode_above_a_bound():
    returns = [0.0] * 50 + [10.0] * 100
    assert rolling(returns)[:51].tolist() == [0.0] * 50 + [10 / 51]
    assert rolling([1.0, 2.0, 3.0, 4.0], window=2).tolist() == [1.0, 1.5, 2.5, 3.5]
    assert episodes_to(10.0, returns) == 150
    assert episodes_to(5.0, returns) == 100
    assert episodes_to(10.1, returns) is None
    assert episodes_to(0.0, returns[:99]) is None


def test_the_band_of_a_mean_is_as_wide_as_its_standard_error_says():
    curves = np.random.default_rng(1).normal(5.0, 2.0, (40, 3))
    low, high = band(curves)
    half = 1.96 * curves.std(0) / np.sqrt(40)
    assert np.allclose(high - curves.mean(0), half, rtol=0.15)
    assert np.allclose(curves.mean(0) - low, half, rtol=0.15)
    assert band(curves[:1])[0].tolist() == curves[0].tolist()


def test_interquartile_mean_leaves_out_the_outer_quarters():
    value, low, high = iqm([np.array([-100.0, 1.0, 2.0, 3.0]), np.array([2.0, 2.0, 3.0, 900.0])])
    assert value == np.mean([2.0, 2.0, 2.0, 3.0])  # of 1 2 2 2 3 3 without their outer quarters: -100 1, 3 900
    assert low <= value <= high


def test_median_is_of_the_means_of_tasks_and_its_interval_resamples_within_them():
    assert median([np.array([1.0, 3.0]), np.array([0.0]), np.array([7.0, 7.0, 7.0])]) == (2.0, 1.0, 3.0)
    assert median([np.array([4.0])]) == (4.0, 4.0, 4.0)


def test_stratified_interval_of_a_mean_is_as_wide_as_the_standard_errors_of_its_tasks_say():
    random = np.random.default_rng(2)
    tasks = [random.normal(0.0, 1.0, 50), random.normal(9.0, 3.0, 80)]
    value, low, high = stratified(lambda drawn: sum(task.mean(-1) for task in drawn), tasks)
    half = 1.96 * np.sqrt(sum(task.var() / len(task) for task in tasks))
    assert value == pytest.approx(sum(task.mean() for task in tasks))
    assert high - value == pytest.approx(half, rel=0.1)
    assert value - low == pytest.approx(half, rel=0.1)


@pytest.mark.parametrize(
    ("y", "probability"), [([0.0, 0.5], 1.0), ([1.0, 2.0], 0.5), ([5.0, 6.0], 0.0), ([1.0, 1.0], 0.75)]
)
def test_probability_of_improvement_counts_pairs_and_half_of_ties(y, probability):
    x = np.array([1.0, 2.0])
    p, low, high = probability_of_improvement([x, x], [np.array(y)] * 2)
    assert p == probability
    assert low <= p <= high
    assert probability_of_improvement([np.array(y)], [x])[0] == 1 - probability
