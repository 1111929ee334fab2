from dataclasses import asdict

import numpy as np
import pytest
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base.settings import flat, override
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.tools.sweep import space as search
from rstdp_agents.tools.sweep.space import Choice, Range, parse_space
from rstdp_agents.training.config import RunConfig
from tests.helpers import CARTPOLE, OF_A_RUN, PLACE_CELLS

CONFIG = override(RunConfig(), {**OF_A_RUN, "agents": 2, "total_steps": 300, "backend": "torch"})


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


@pytest.mark.parametrize("backend", ["torch", "fused"])
def test_trials_at_once_are_worth_what_each_is_worth_alone(backend):
    config, trials = override(CONFIG, {"backend": backend}), [{"plasticity.lr": 0.05}, {"plasticity.lr": 0.8}]
    together = search.scores(config, trials, "area")
    alone = np.concatenate([search.scores(config, [trial], "area") for trial in trials])
    assert together.shape == (2, 2)
    assert np.array_equal(together, alone)
    assert not np.array_equal(together[0], together[1])


HALVED = {f"{group}.{name}" for group, names in search.OWN.items() for name in names} - {
    "decoder.exploration", "decoder.exploration_lr",
}  # fmt: skip
OTHERS = {
    "plasticity.w_min": -0.02, "plasticity.w_max": 0.02, "plasticity.mu": 0.5, "homeostasis.limit": 1e-3,
    "homeostasis.floor": 400.0,    "modulation.deadband": 0.5, "neuron.v_reset": -0.5, "neuron.lateral_inhibition": 0.3,
}  # fmt: skip
"""Values of settings whose half would make no difference."""


def lives(configs):
    """Weights and biases of agents that see the same for 200 steps, trained side by side."""
    agents = len(configs)
    agent = Agent(configs[0], CARTPOLE.observation_space, CARTPOLE.action_space, seeds=(3,) * agents, backend="fused")
    for i, config in enumerate(configs[1:], 1):
        agent.adopt(slice(i, i + 1), config)
    seen = np.random.default_rng(0)
    obs, nobody = seen.normal(0, 0.1, (200, 1, 1, 4)).astype(np.float32), np.zeros((agents, 1), dtype=bool)
    agent.begin(obs[0].repeat(agents, 0))
    for i in range(1, 200):
        done = nobody | (i % 30 == 0)
        agent.step(Transition(obs[i].repeat(agents, 0), np.ones((agents, 1)), done, nobody))
    state = agent.tensors()
    names = ("output.weight", "output.z0", "output.offset", "output.rate")
    return [torch.cat([state[name][i].flatten() for name in names]) for i in range(agents)]


@pytest.mark.parametrize("modulator", ["td", "reward-baseline"])
def test_every_setting_of_its_own_does_what_it_does_to_an_agent_alone(modulator):
    on = {"modulation.novelty": 0.2, "decoder.temperature_lr": 0.02}
    base = override(
        AgentConfig(),
        {**PLACE_CELLS, **on, "modulator": modulator, "plasticity.a_minus": 0.2, "modulation.gain": "fixed"},
    )
    mine = {"tau_baseline"} if modulator == "reward-baseline" else {"gamma", "lambda_", "critic_lr", "deadband"}
    other = {"gamma", "lambda_", "critic_lr", "deadband", "tau_baseline"} - mine
    names = sorted(name for name in HALVED if name.partition(".")[2] not in other)
    known = {name: value / 2 for name, value in flat(asdict(base)).items() if name in names}
    configs = [base, *(override(base, {name: OTHERS.get(name, known[name])}) for name in names)]
    together = lives(configs)
    for name, config, got in zip(["nothing", *names], configs, together, strict=True):
        assert torch.equal(got, lives([config])[0]), name
        assert torch.equal(got, together[0]) == (name == "nothing"), name


def test_what_can_be_searched_at_once():
    assert search.at_once(CONFIG, {"plasticity.lr"})
    assert not search.at_once(CONFIG, {"plasticity.lr", "modulation.critic_lr"})  # torch
    fused = override(CONFIG, {"backend": "auto"})
    assert search.at_once(fused, {"plasticity.tau_e", "modulation.critic_lr"})
    assert not search.at_once(fused, {"plasticity.tau_e", "simulation.ticks"})
    assert not search.at_once(fused, {"plasticity.w_init"})


@pytest.mark.slow
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
        "error: the study 'CartPole-v1 rstdp-et' was started with a different objective; give another --study\n",
    )


def test_wrong_usage(command, tmp_path):
    assert command("sweep")[2].startswith("error: `--space` is empty")
    pytest.importorskip("optuna")
    storage = f"sqlite:///{tmp_path}/no/such/folder.db"
    code, _, err = command("sweep", "--space", "plasticity.lr=0.1:1", "--storage", storage)
    assert (code, err.count("\n")) == (2, 1)
    assert "cannot be used" in err
