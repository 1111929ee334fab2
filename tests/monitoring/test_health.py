import pytest
import torch

from rstdp_agents.monitoring.health import PATIENCE, Health

FINE = {
    "activity/silent_frac/input": torch.tensor([0.99, 0.99]),  # most place cells are silent at any time
    "activity/silent_frac/output": torch.tensor([0.1, 0.2]),
    "learn/w_saturated_frac": torch.tensor([0.1, 0.3]),
    "learn/critic_w_max": torch.tensor([50.0, 60.0]),
}


def looks(figures, times=PATIENCE, health=None, scale=50.0):
    health = health or Health({})
    return [warning for _ in range(times) for warning in health.look({**FINE, **figures}, scale)]


def test_a_healthy_run_is_not_disturbed():
    assert looks({}, 20) == []


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"activity/silent_frac/output": torch.tensor([0.2, 1.0])}, "warning: agent 1: layer output is dead"),
        (
            {"learn/w_saturated_frac": torch.tensor([0.7, 0.8])},
            "warning: 2 agents (0, 1): weights of layer output are saturated",
        ),
        ({"learn/critic_w_max": torch.tensor([501.0, 1.0])}, "warning: agent 0: the critic runs away"),
        ({"learn/critic_w_max": torch.tensor([1.0, float("nan")])}, "warning: agent 1: the critic runs away"),
    ],
)
def test_each_ill_is_said_once_in_words_that_help(figures, words):
    (warning,) = looks(figures, 10)
    assert warning.startswith(words)
    assert "; " in warning
    assert "--" in warning  # which option to turn


def test_what_passes_by_itself_is_not_said_and_a_resumed_run_remembers():
    health, sick = Health({}), {"learn/w_saturated_frac": torch.tensor([0.9, 0.1])}
    for _ in range(5):
        assert looks(sick, PATIENCE - 1, health) == []
        assert looks({}, 1, health) == []
    assert len(looks(sick, PATIENCE, health)) == 1
    assert looks(sick, 5, Health(dict(health.seen))) == []
