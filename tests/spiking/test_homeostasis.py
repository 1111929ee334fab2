import pytest
import torch

from rstdp_agents.equations.rate_control import HomeostasisParams
from rstdp_agents.spiking.homeostasis import homeostasis_init, homeostasis_window

F64, CPU = torch.float64, torch.device("cpu")


def offsets(counts, windows=50, **settings):
    p = HomeostasisParams(rate_target=100.0, tau_rate=100.0, lr=0.01, **settings)
    state = homeostasis_init((1, 1), p, CPU, F64)
    for _ in range(windows):
        state = homeostasis_window(torch.tensor([[100.0 * counts]], dtype=F64), state, p, 10.0)
    return state


def test_rate_above_target_lowers_excitability_and_below_raises_it():
    assert offsets(3).offset.item() < 0 < offsets(0).offset.item()
    assert offsets(1).offset.item() == pytest.approx(0.0)  # one spike in 10 ms is the target


def test_rate_estimate_is_in_hz_and_converges():
    assert offsets(3, windows=500).rate.item() == pytest.approx(300.0)


def test_one_window_changes_the_offset_by_its_equation():
    state = offsets(0, windows=1)
    rate = 100.0 * torch.exp(torch.tensor(-0.1, dtype=F64)).item()
    assert state.rate.item() == pytest.approx(rate)
    assert state.offset.item() == pytest.approx(0.01 * (100.0 - rate) / 100.0)


def test_offset_stays_within_its_limit_and_none_moves_nothing():
    assert offsets(0, windows=5000, limit=0.2).offset.item() == 0.2
    assert offsets(0, param="none").offset.item() == 0.0


@pytest.mark.parametrize("field", ["rate_target", "tau_rate", "limit"])
def test_impossible_parameters_are_refused(field):
    with pytest.raises(ValueError, match=f"`{field}` must be positive"):
        HomeostasisParams(**{field: 0.0})
