import pytest

from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base.settings import override

CHANGES = {"simulation.dt": 4.0, "encoder.rate_max": 200.0, "neuron.t_ref": 0.0, "rule": "rstdp"}


def test_changes_are_made_all_at_once_so_that_their_order_is_nothing():
    """Ticks of 4 ms alone are refused, for the rate of inputs that comes by default."""
    both = [override(AgentConfig(), dict(changes)) for changes in (CHANGES.items(), reversed(CHANGES.items()))]
    assert both[0] == both[1]
    assert (both[0].simulation.dt, both[0].encoder.rate_max, both[0].rule) == (4.0, 200.0, "rstdp")
    assert both[0].simulation.ticks == AgentConfig().simulation.ticks
    with pytest.raises(ValueError, match="one spike per tick"):
        override(AgentConfig(), {"simulation.dt": 4.0})


def test_parts_of_a_part_that_is_replaced_are_of_the_new_one():
    other = override(AgentConfig(), {"neuron.tau_m": 5.0, "neuron.v_th": 2.0}).neuron
    made = override(AgentConfig(), {"neuron.tau_m": 7.0, "neuron": other})
    assert (made.neuron.tau_m, made.neuron.v_th) == (7.0, 2.0)
