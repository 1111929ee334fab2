import math
import re

import pytest
import torch

from rstdp_agents.agent.tensors import not_finite
from rstdp_agents.base.errors import Diverged
from rstdp_agents.tools.cli import main
from rstdp_agents.training.loop import Training
from rstdp_agents.training.monitoring.health import PATIENCE, Health, expectable, off_target, symptoms
from rstdp_agents.training.runs.checkpoint import checkpoints, latest_checkpoint, load_checkpoint
from tests.helpers import at_step
from tests.training.test_training import config

FINE = {
    "activity/silent_frac/input": torch.tensor([0.99, 0.99]),  # most place cells are silent at any time
    "activity/silent_frac/output": torch.tensor([0.1, 0.2]),
    "learn/w_saturated_frac": torch.tensor([0.1, 0.3]),
    "learn/critic_w_max": torch.tensor([50.0, 60.0]),
}


def looks(figures, times=PATIENCE, health=None, well=(False, False)):
    health = health or Health({}, {})
    found = symptoms({**FINE, **figures}, 50.0, torch.tensor(well))
    return [warning for _ in range(times) for warning in health.look(found)]


def test_a_healthy_run_is_not_disturbed():
    assert looks({}, 20) == []


@pytest.mark.parametrize(
    ("episode_return", "length", "gamma", "value"),
    [
        (500.0, 500, 0.99, 500.0),  # longer than the horizon of 100 steps: the return
        (-20.0, 20, 0.99, 100.0),  # cut off before: a reward of 1 for 100 steps
        (9.0, 9, 1.0, 9.0),
        (0.0, 1, 0.99, 0.0),
    ],
)
def test_what_a_critic_may_expect_of_an_episode(episode_return, length, gamma, value):
    assert expectable(episode_return, length, gamma) == pytest.approx(value)


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
    health, sick = Health({}, {}), {"learn/w_saturated_frac": torch.tensor([0.9, 0.1])}
    for _ in range(5):
        assert looks(sick, PATIENCE - 1, health) == []
        assert looks({}, 1, health) == []
    assert len(looks(sick, PATIENCE, health)) == 1
    assert looks(sick, 5, Health(dict(health.seen), {})) == []


def test_what_is_wrong_now_is_known_of_every_agent_and_forgotten_when_it_passes():
    health, sick = Health({}, {}), {"learn/w_saturated_frac": torch.tensor([0.9, 0.1])}
    looks(sick, PATIENCE - 1, health)
    assert health.of_agent(0) == []
    looks(sick, 1, health)
    (words,) = health.of_agent(0)
    assert words.startswith("weights of layer output are saturated")
    assert health.of_agent(1) == []
    assert Health(dict(health.seen), dict(health.found)).of_agent(0) == [words]
    looks({}, 1, health)
    assert health.of_agent(0) == []
    looks(sick, 1, health)  # the warning was given, the fault is back
    assert health.of_agent(0) == [words]


def test_agents_that_do_well_may_have_their_weights_on_the_bounds():
    both = {"learn/w_saturated_frac": torch.tensor([0.9, 0.9])}
    assert looks(both, well=(True, True)) == []
    assert looks(both, well=(True, False))[0].startswith("warning: agent 1: weights")


@pytest.mark.parametrize(("limit", "warned"), [(0.001, True), (5.0, False)], ids=["out of reach", "held"])
def test_a_rate_that_is_not_held_is_said_once_it_should_have_settled(limit, warned, tmp_path, capsys):
    """Homeostasis of 200 ms, looked at every 25 windows of 10 ms: from the 100th env step on, and said at the third look."""
    quick = {"limit": limit, "tau": 200.0, "tau_rate": 50.0}
    changes = {f"agent.homeostasis.{name}": value for name, value in quick.items()}
    with Training(config(agents=2, total_steps=150, log_every=25, **changes), tmp_path / "run") as run:
        run.run()
    assert ("2 agents (0, 1): homeostasis does not hold the rate of layer output" in capsys.readouterr().err) == warned
    assert run.monitor.health.seen["activity/rate_of_target/output"] == PATIENCE * warned


def test_what_counts_as_held():
    tag = "activity/rate_of_target/output"
    assert off_target({tag: torch.tensor([0.7, 0.8, 1.2, 1.3])})[tag].wrong.tolist() == [True, False, False, True]


@pytest.mark.parametrize("backend", ["fused", "torch"])
def test_a_critic_that_runs_away_ends_the_run_in_one_line_before_it_spoils_a_checkpoint(backend, tmp_path, capsys):
    run = tmp_path / "run"
    line = ["--backend", backend, "--modulation.critic-lr", "50", "--total-steps", "4000", "--checkpoint-every", "20"]
    line += ["--log-every", "50", "--eval-every", "100", "--eval-episodes", "1", "--images", "0", "--no-progress"]
    assert main([*line, "--run-dir", str(run)]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    what = r"error: the critic of agent 0 is no longer finite: lower --modulation.critic-lr or --modulation.gamma "
    where = rf"\(env step (\d+); the last finite checkpoint: {latest_checkpoint(run)}\)"
    step = int(re.fullmatch(what + where, said)[1])
    assert len(checkpoints(run)) == 3
    for path in run.glob("*/*.safetensors"):
        tensors, data = load_checkpoint(path)
        assert data["step"] < step
        assert all(t.isfinite().all() for name, t in tensors.items() if not name.startswith("statistics"))
    assert math.isfinite(float((run / "monitor.csv").read_text().splitlines()[-1].split(",")[0]))
    before = load_checkpoint(latest_checkpoint(run))[1]["step"]
    still = [
        "--modulation.critic-lr",
        "0",
        "--plasticity.lr",
        "0",
        "--total-steps",
        str(before + 1),
        "--eval-episodes",
        "1",
    ]
    assert main(["--resume", str(run), *still]) == 0


def test_what_is_lost_in_a_population_is_named_and_no_checkpoint_is_needed(tmp_path):
    with Training(config(agents=3, checkpoint_every=1000, log_every=100, images=0), tmp_path) as run:
        at_step(run, 130, lambda: run.agent.layer.weight[1].fill_(math.nan))
        message = (
            r"layer output \(weight\) of agent 1 is no longer finite: .* \(env step 200; there is no checkpoint yet\)"
        )
        with pytest.raises(Diverged, match=message):
            run.run()
    assert not (tmp_path / "checkpoints").exists()


def test_causes_are_named_before_what_they_lead_to():
    bad = torch.tensor([[0.0, 1.0], [math.inf, 1.0]])
    assert not_finite({"output.weight": torch.ones(2, 2), "count": torch.ones(2, dtype=torch.int64)}) == ""
    assert not_finite({"output.weight": bad, "m": bad}).startswith("the modulator of agent 1")
    assert not_finite({"output.weight": bad, "m": bad, "critic.weight": bad}).startswith("the critic of agent 1")


def test_numbers_whose_sum_overflows_are_finite_and_nothing_else_is_missed():
    huge = torch.full((2, 3), 3e38)
    assert not_finite({"agent.x": huge}) == ""
    for wrong in (math.inf, -math.inf, math.nan):
        tensor = huge.clone()
        tensor[1, 2] = wrong
        assert "the input of agent 1 is no longer finite" in not_finite({"agent.x": tensor})
        tensor[1, 1] = -wrong
        assert "the input of agent 1" in not_finite({"agent.x": tensor})
