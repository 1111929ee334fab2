import os
import signal

import pytest
import torch

from rstdp_agents.base.errors import Diverged, RankLost
from rstdp_agents.base.settings import override
from rstdp_agents.training.distributed.peers import RankPeers
from rstdp_agents.training.loop import Training
from rstdp_agents.training.runs.checkpoint import checkpoints, latest_checkpoint, load_checkpoint
from tests.training.distributed.test_shared_agent import spread
from tests.training.test_training import config

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
SETTINGS = config(
    envs_per_agent=4, agents=2, total_steps=400, checkpoint_every=200, log_every=100, images=0, eval_episodes=2, backend="torch",
)  # fmt: skip


def train(ranks, settings, folder, checkpoint=None, die_at=None, signal_at=None):
    """Train on a rank; rank 1 dies, or gets a signal, when it has made so many env steps."""
    with Training(settings, folder, checkpoint, peers=RankPeers(ranks, settings)) as training:
        step = training.agent.step

        def fateful(transition):
            if ranks.rank == 1 and training.step == die_at:
                os._exit(9)
            if ranks.rank == 1 and training.step == signal_at:
                signal.raise_signal(signal.SIGTERM)
            return step(transition)

        training.agent.step = fateful
        try:
            done = training.run()
        except RankLost as error:
            return str(error)
        return (training.finish() if done else {}), training.step


def test_a_run_of_two_ranks_is_the_run_of_one_process(tmp_path):
    with Training(SETTINGS, tmp_path / "one") as alone:
        alone.run()
        expected = alone.finish()
    (summary, _), (nothing, _) = spread(2, train, SETTINGS, tmp_path / "two")
    assert nothing == {}
    assert summary["agents"] == expected["agents"]
    (one, data), (two, other) = (load_checkpoint(latest_checkpoint(tmp_path / name)) for name in ("one", "two"))
    evaluated = {f"monitor.evaluations.{name}" for name in ("timesteps", "results", "ep_lengths")}
    assert one.keys() - evaluated == two.keys()  # a closing evaluation of rank 0 is in the summary only
    for name, tensor in one.items():
        if not name.startswith(("statistics", "agent.windows", "monitor.")):
            torch.testing.assert_close(two[name], tensor, rtol=1e-4, atol=1e-5, msg=name)
    for name in ("records", "episodes", "envs", "step"):
        assert data[name] == other[name], name
    rows = [(tmp_path / name / "monitor.csv").read_text().splitlines()[2:] for name in ("one", "two")]
    told = [[row.split(",")[0::3] + row.split(",")[1:2] for row in each] for each in rows]
    assert told[0] == told[1]


def test_all_ranks_stop_at_the_same_step_and_any_number_of_processes_goes_on(tmp_path):
    answers = spread(2, train, SETTINGS, tmp_path / "run", None, None, 120)
    assert [step for _, step in answers] == [128, 128]  # told with the next step
    with Training(SETTINGS, tmp_path / "uninterrupted") as alone:
        alone.run()
    spread(4, train, SETTINGS, tmp_path / "run", latest_checkpoint(tmp_path / "run"))
    expected, got = (load_checkpoint(latest_checkpoint(tmp_path / name))[0] for name in ("uninterrupted", "run"))
    torch.testing.assert_close(got["output.weight"], expected["output.weight"], rtol=1e-4, atol=1e-5)
    with Training(
        override(SETTINGS, {"total_steps": 440}), tmp_path / "run", latest_checkpoint(tmp_path / "run")
    ) as on:
        assert on.run()
        assert on.step == 440


def test_a_lost_rank_ends_the_run_with_a_message_and_a_good_checkpoint(tmp_path):
    answers = spread(2, train, SETTINGS, tmp_path / "run", None, 300)
    assert answers[0] == "another of the 2 processes was lost, as rank 0 found"
    assert [path.name for path in checkpoints(tmp_path / "run")] == ["step_0000000200.safetensors"]
    assert load_checkpoint(latest_checkpoint(tmp_path / "run"))[0]["output.weight"].isfinite().all()


def lose_a_number(ranks, settings, folder):
    """Train on a rank; the eligibility of rank 1 is lost on the way."""
    with Training(settings, folder, peers=RankPeers(ranks, settings)) as training:
        step = training.agent.step

        def lossy(transition):
            if ranks.rank == 1 and training.step == 120:
                training.agent.layer.pairs.z[0][1].fill_(torch.nan)
            return step(transition)

        training.agent.step = lossy
        with pytest.raises(Diverged) as error:
            training.run()
        return str(error.value)


def test_a_number_that_is_lost_on_one_rank_stops_all_of_them(tmp_path):
    said = spread(2, lose_a_number, SETTINGS, tmp_path / "run")
    assert said[0] == said[1]
    assert said[0].startswith("layer output (weight) of agent 1 is no longer finite")
    assert not checkpoints(tmp_path / "run")


def test_envs_that_cannot_be_shared_alike_are_refused(tmp_path):
    from rstdp_agents.training.distributed.ranks import Ranks

    with pytest.raises(ValueError, match=r"`envs_per_agent` must divide by the number of ranks, 3; received 4"):
        Training(SETTINGS, tmp_path / "run", peers=RankPeers(Ranks(0, 3), SETTINGS))
    assert not (tmp_path / "run").exists()
