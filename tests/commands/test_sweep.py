import numpy as np
import pytest

from rstdp_agents import search
from rstdp_agents.config import override
from rstdp_agents.presets import preset
from rstdp_agents.search import Choice, Range, parse_space

CONFIG = override(preset("CartPole-v1", "rstdp-et"), {"agents": 2, "total_steps": 300, "backend": "torch"})


def test_a_space_is_read_by_the_names_of_the_command_line():
    texts = ["plasticity.lr=0.1:2:log", "simulation.ticks=5:20", "decoder.gate=centred,chosen", "neuron.t-ref=0,1.5"]
    assert parse_space(texts, CONFIG) == {
        "plasticity.lr": Range(0.1, 2.0, log=True, whole=False),
        "simulation.ticks": Range(5, 20, log=False, whole=True),
        "decoder.gate": Choice(("centred", "chosen")),
        "neuron.t_ref": Choice((0.0, 1.5)),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("plasticty.lr=0:1", "the nearest settings are plasticity.lr"),
        ("plasticity.lr", "takes setting=low:high"),
        ("plasticity.lr=2:1", "low < high"),
        ("plasticity.lr=0:1:log", "above 0 for log"),
        ("plasticity.lr=a:b", "low < high"),
        ("simulation.ticks=5,x", "cannot read the values of 'simulation.ticks=5,x' as int"),
        ("env_kwargs=a,b", "as tuple"),
    ],
)
def test_what_is_no_space_says_why(text, words):
    with pytest.raises(ValueError, match=words):
        parse_space([text], CONFIG)


def test_settings_of_the_run_and_of_the_agent_are_changed_by_one_name():
    changed = search.changed(CONFIG, {"agents": 3, "plasticity.lr": 0.2, "rule": "rstdp"})
    assert (changed.agents, changed.agent.plasticity.lr, changed.agent.rule) == (3, 0.2, "rstdp")


def test_trials_at_once_are_worth_what_each_is_worth_alone():
    trials = [{"plasticity.lr": 0.05}, {"plasticity.lr": 0.8}]
    together = search.scores(CONFIG, trials, "area")
    alone = np.concatenate([search.scores(CONFIG, [trial], "area") for trial in trials])
    assert together.shape == (2, 2)
    assert np.array_equal(together, alone)
    assert not np.array_equal(together[0], together[1])


def test_a_sweep_goes_on_where_it_was_stopped(command, tmp_path):
    optuna = pytest.importorskip("optuna")
    storage = f"sqlite:///{tmp_path / 'sweep.db'}"
    line = ["sweep", "--space", "plasticity.lr=0.01:1:log", "--storage", storage, "--at-once", 2, "--backend", "torch"]
    line += ["--agents", 2, "--total-steps", 200]
    code, out, err = command(*line, "--trials", 3)
    assert code == 0, err
    study = optuna.load_study(study_name="CartPole-v1 rstdp-et", storage=storage)
    cut_short = study.ask({"plasticity.lr": optuna.distributions.FloatDistribution(0.01, 1.0, log=True)})
    code, out, err = command(*line, "--trials", 5)
    assert code == 0, err
    assert (out.count("\ntrial "), out.startswith("trial 4: ")) == (2, True)  # 4 and 5, then the table
    done = optuna.load_study(study_name="CartPole-v1 rstdp-et", storage=storage).trials
    assert [t.state.name for t in done].count("COMPLETE") == 5
    assert done[4].params == cut_short.params
    assert done[0].value == pytest.approx(np.mean(list(done[0].user_attrs["seeds"].values())))
    best = max((t for t in done if t.value is not None), key=lambda t: t.value)
    assert out.endswith(f"--plasticity.lr {best.params['plasticity.lr']:.4g}\n")
    code, _, err = command(*line, "--trials", 5, "--objective", "final")
    assert (code, err) == (
        2,
        "error: the study 'CartPole-v1 rstdp-et' was begun with another objective; give another --study\n",
    )


def test_wrong_usage(command, tmp_path):
    assert command("sweep")[2].startswith("error: `--space` is empty")
    pytest.importorskip("optuna")
    storage = f"sqlite:///{tmp_path}/no/such/folder.db"
    code, _, err = command("sweep", "--space", "plasticity.lr=0.1:1", "--storage", storage)
    assert (code, err.count("\n")) == (2, 1)
    assert "cannot be used" in err
