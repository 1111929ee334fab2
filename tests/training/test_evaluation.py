import numpy as np
import pytest

from rstdp_agents.training.evaluation import aggregate, interval, summarise


def test_interval_holds_the_mean_and_shrinks_with_more_values():
    few, many = (np.random.default_rng(0).normal(5, 1, n) for n in (10, 1000))
    low, high = interval(few)
    assert low < few.mean() < high
    assert np.diff(interval(many)) < 0.3 * np.diff(interval(few))
    assert np.diff(interval(many)).item() == pytest.approx(2 * 1.96 / 1000**0.5, rel=0.15)


def test_values_that_do_not_vary_have_no_interval():
    assert interval(np.array([3.0])) == (3.0, 3.0)
    assert interval(np.array([2.0, 2.0])) == (2.0, 2.0)


def test_summary_and_aggregate():
    returns = np.array([[1.0, 3.0], [5.0, 7.0]])
    assert summarise(returns[0]) == {"mean": 2.0, "std": 1.0, "episodes": 2}
    both = aggregate(returns)
    assert (both["mean"], both["n"], both["over"]) == (4.0, 2, "agents")
    one = aggregate(returns[:1])
    assert (one["mean"], one["n"], one["over"]) == (2.0, 2, "episodes")
