import pytest
import torch

from rstdp_agents.equations.random_numbers import tensor_uniform_at, tensor_window_keys
from rstdp_agents.spiking import agent_random as random
from rstdp_agents.spiking.agent_random import AgentRandom, uniform_draws

CPU, F32 = torch.device("cpu"), torch.float32


@pytest.mark.parametrize("ranks", [2, 3])
def test_numbers_of_an_env_do_not_depend_on_where_its_agent_is_spread(ranks):
    whole, parts = AgentRandom((5, 9), CPU, F32), [AgentRandom((5, 9), CPU, F32, (r, ranks)) for r in range(ranks)]
    for _ in range(3):
        together = whole.windows(2 * ranks, 4, (7, 3), draws=2)
        apart = zip(*(part.windows(2, 4, (7, 3), draws=2) for part in parts), strict=True)
        for numbers, shares in zip(together, apart, strict=True):
            assert torch.equal(numbers, torch.cat(shares, -2))
        more = [part.beyond(2, 4 * (7 + 3) + 2, 6) for part in parts]
        assert torch.equal(whole.beyond(2 * ranks, 4 * (7 + 3) + 2, 6), torch.cat(more, 1))


def test_numbers_are_the_same_on_any_device_and_in_any_precision(monkeypatch):
    seeds, window = torch.tensor([0, 3, 2**32 - 1, 2**63 - 1]), 2**40 + 7
    compiled = uniform_draws(seeds, window, 2**32 - 50, 400, 10, 33)  # places wrap around
    key0, key1 = (key[:, None, None] for key in tensor_window_keys(seeds, window))
    places = (2**32 - 50 + 400 * torch.arange(10))[:, None] + torch.arange(33)
    assert torch.equal(compiled, tensor_uniform_at(places, key0, key1).flatten(1))
    single, double = (AgentRandom((1,), CPU, dtype).windows(2, 3, (4,)) for dtype in (F32, torch.float64))
    assert all(torch.equal(a.double(), b) for a, b in zip(single, double, strict=True))
    monkeypatch.setattr(random, "draw_rows", None)
    meta = uniform_draws(seeds.to("meta"), 0, 0, 66, 10, 33)
    assert meta.shape == compiled.shape
    assert meta.dtype == compiled.dtype


def test_more_numbers_than_there_are_places_are_refused():
    with pytest.raises(ValueError, match=r"a window takes 20000000000 random numbers"):
        AgentRandom((1,), CPU, F32, (0, 4_000_000_000)).windows(1, 4, (1,))


def test_numbers_go_on_from_a_saved_state():
    first, second = AgentRandom((1, 2), CPU, F32), AgentRandom((8, 9), CPU, F32)
    first.windows(2, 3, (4,))
    second.load_state(first.state())
    assert all(torch.equal(a, b) for a, b in zip(first.windows(2, 3, (4,)), second.windows(2, 3, (4,)), strict=True))
    assert torch.equal(first.state(), second.state())
