import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from rstdp_agents.base.settings import override
from rstdp_agents.tools.sweep import space as search
from rstdp_agents.training.presets import preset
from rstdp_agents.training.ranged import ranged
from rstdp_agents.training.run import load_run
from rstdp_agents.training.runs.reading import read_run
from tests.tools.commands.conftest import command  # noqa: F401 (a fixture)

ray = pytest.importorskip("ray", reason="needs the extra `ray`")
optuna = pytest.importorskip("optuna", reason="needs the extra `tune`")

from rstdp_agents.tools.sweep.ray_trial import Trial  # noqa: E402
from rstdp_agents.tools.sweep.ray_tune import inside  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
SETTINGS = {"agents": 2, "total_steps": 1_000, "progress": False, "images": 0, "launcher": "ray"}
CONFIG = override(preset("CartPole-v1", "rstdp-et"), {**SETTINGS, "keep_checkpoints": 1, "launcher": "local"})
RANGED = ranged(CONFIG, "CartPole-v1", {})  # as trials of one search are
STUDY = "CartPole-v1 rstdp-et"
LINE = [f"--{name.replace('_', '-')}={value}" for name, value in SETTINGS.items() if name != "progress"]
LINE += ["--no-progress", "--looks", 4]


@pytest.fixture(scope="module")
def one_cpu():
    """A cluster on which one trial runs at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
        ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)
        yield
        ray.shutdown()


def trial(**settings):
    """A trial as Tune makes it, without Tune."""
    made = Trial.__new__(Trial)
    made.setup({name.replace("__", "."): value for name, value in settings.items()}, asdict(RANGED), "area", 4)
    return made


def test_a_trial_is_worth_what_it_is_worth_in_a_sweep_on_one_machine():
    once = trial(plasticity__lr=0.5)
    told = [once.step() for _ in range(4)]
    once.cleanup()
    assert [(each["env_steps"], each["done"]) for each in told] == [
        (250, False),
        (500, False),
        (750, False),
        (1_000, True),
    ]
    assert told[-1]["score"] == pytest.approx(search.scores(CONFIG, [{"plasticity.lr": 0.5}], "area").mean(), rel=1e-5)


def test_a_trial_that_takes_over_from_another_is_that_one_with_settings_of_its_own(tmp_path):
    donor, taker = trial(plasticity__lr=0.5), trial(plasticity__lr=0.0)
    donor.step()
    taker.step()
    before = donor.step()
    donor.save_checkpoint(str(tmp_path))
    taker.load_checkpoint(str(tmp_path))
    of_donor, of_taker = donor.training.agent.tensors(), taker.training.agent.tensors()
    assert all(torch.equal(of_taker[name], tensor) for name, tensor in of_donor.items())
    assert (taker.training.step, taker.training.config.agent.plasticity.lr) == (before["env_steps"], 0.0)
    weight = of_donor["output.weight"].clone()
    after = donor.step(), taker.step()
    assert torch.equal(taker.training.agent.layer.weight, weight)
    assert not torch.equal(donor.training.agent.layer.weight, weight)
    rows = [(each.training.folder / "monitor.csv").read_text().splitlines()[1:] for each in (donor, taker)]
    same = [a.split(",")[:2] == b.split(",")[:2] for a, b in zip(*rows)]
    assert same[: same.index(False)].count(True) > 10
    assert after[0]["env_steps"] == after[1]["env_steps"] == 750
    donor.cleanup()
    taker.cleanup()


def test_settings_that_cannot_be_trained_with_have_no_score():
    wrong = trial(plasticity__w_max=-2.0)
    told = wrong.step()
    assert (told["done"], np.isnan(told["score"])) == (True, True)
    assert told["wrong"] == "`w_min` must be below `w_max`; received -1.0 and -2.0"


def test_asha_stops_a_trial_that_falls_behind(one_cpu, command, tmp_path):  # noqa: F811
    storage = f"sqlite:///{tmp_path / 'sweep.db'}"
    study = optuna.create_study(storage=storage, study_name=STUDY, direction="maximize")
    for lr in (3.0, 0.0, 3.0):
        study.enqueue_trial({"plasticity.lr": lr})
    longer = [option for option in LINE if "total-steps" not in str(option)] + ["--total-steps", 3_000]
    line = [*longer, "--scheduler", "asha", "--storage", storage, "--storage-path", (tmp_path / "trials").as_uri()]
    code, out, err = command("sweep", *line, "--space", "plasticity.lr=0,3.0", "--trials", 3)
    assert code == 0, err
    good, bad, again = optuna.load_study(study_name=STUDY, storage=storage).trials
    assert [t.state.name for t in (good, bad, again)] == ["COMPLETE", "PRUNED", "COMPLETE"]
    assert [list(t.intermediate_values) for t in (good, bad)] == [[1, 2, 3, 4], [1]]  # looks
    assert bad.intermediate_values[1] < good.intermediate_values[1]
    expected = search.scores(override(CONFIG, {"total_steps": 3_000}), [{"plasticity.lr": 3.0}], "area").mean()
    assert (good.value, again.value) == pytest.approx((expected, expected), rel=1e-5)
    assert out.endswith("--plasticity.lr 3\n")
    best = Path(out.partition("as a run folder: ")[2].splitlines()[0])
    assert load_run(best).config.agent.plasticity.lr == 3.0


def test_population_based_training_goes_on_from_the_best(one_cpu, command, tmp_path):  # noqa: F811
    storage = f"sqlite:///{tmp_path / 'sweep.db'}"
    line = [*LINE, "--scheduler", "pbt", "--storage", storage, "--storage-path", tmp_path / "trials"]
    code, out, err = command("sweep", *line, "--trials", 4, "--space", "plasticity.lr=0.001:1:log")
    assert code == 0, err
    (folder,) = (tmp_path / "trials").iterdir()
    exploits = [json.loads(text) for text in (folder / "pbt_global.txt").read_text().splitlines()]
    assert len(exploits) == 3  # one of four trials, at every look but the last
    target, donor, *_, new = exploits[-1]
    ended = {index: sorted(folder.glob(f"Trial_*_{index}_*/checkpoint_*"))[-1] for index in (target, donor)}
    assert read_run(ended[target]).config.agent.plasticity.lr == new["plasticity.lr"]
    rows = [[row.split(",")[:2] for row in (path / "monitor.csv").open()][2:] for path in ended.values()]
    assert sum(a == b for a, b in zip(*rows)) > 10  # what the donor had met by then
    trials = optuna.load_study(study_name=STUDY, storage=storage).trials
    assert [t.state.name for t in trials] == ["COMPLETE"] * 4
    assert new in [t.params for t in trials]
    assert all(0.001 <= t.params["plasticity.lr"] <= 1 for t in trials)
    best = max(trials, key=lambda t: t.value)
    assert out.endswith(f"--plasticity.lr {best.params['plasticity.lr']:.4g}\n")


def test_settings_that_are_perturbed_stay_in_their_range():
    space = {"plasticity.lr": search.Range(0.1, 1.0, True, False), "homeostasis.tau": search.Choice((100.0, 1000.0))}
    assert inside(space, {"plasticity.lr": 1.2, "homeostasis.tau": 100.0}) == {
        "plasticity.lr": 1.0,
        "homeostasis.tau": 100.0,
    }
    assert inside(space, {"plasticity.lr": 0.08, "homeostasis.tau": 1000.0})["plasticity.lr"] == 0.1
    search.check_steady(space)
    for name, dimension in (
        ("encoder.width", (0.1, 1.0)),
        ("modulation.critic_neurons", (2, 8)),
        ("homeostasis.param", ("none",)),
    ):
        with pytest.raises(ValueError, match=f"pbt.*received {name}"):
            search.check_steady({name: search.Choice(dimension)})
