"""The code of docs/extending.md, run as it stands there; and what is said of parts that will not do."""

import json
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import rstdp_agents as ra
from rstdp_agents.agent.agent import Agent
from rstdp_agents.base import plugins
from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.settings import from_json, override
from rstdp_agents.codecs.encoders import Encoder
from rstdp_agents.tools.cli import main
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.presets import preset
from tests.helpers import CARTPOLE

PAGE = (Path(__file__).parents[1] / "docs" / "extending.md").read_text()
CODE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
MODULES = {re.match(r"# (\w+)\.py\n", code)[1]: code for code in CODE if code.startswith("# ")}
COMMANDS = re.findall(r"^python train\.py (.*)$", PAGE, re.MULTILINE)
SHORT = ["--total-steps", "120", "--eval-episodes", "1", "--images", "0", "--no-progress", "--run-dir", "run"]


@pytest.fixture(autouse=True)
def _a_folder_of_the_user(tmp_path, monkeypatch):
    for name, code in MODULES.items():
        (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.setattr(plugins, "_handed_in", {})
    yield
    for name in [name for name in sys.modules if name.startswith("my_")]:
        del sys.modules[name]


def cartpole(**changes):
    config = override(preset("CartPole-v1", "rstdp-et").agent, changes)
    return Agent(config, CARTPOLE.observation_space, CARTPOLE.action_space, seeds=(0,))


def test_everything_takes_less_than_15_lines():
    lines = {code.split("\n")[0]: [line for line in code.splitlines()[1:] if line.strip()] for code in CODE}
    assert {name: len(code) for name, code in lines.items() if len(code) >= 15} == {}
    assert len(MODULES) == len(COMMANDS) == 7


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_train_and_their_settings_are_kept(command, tmp_path, capsys):
    assert main([*shlex.split(command), *SHORT]) == 0, capsys.readouterr().err
    saved = json.loads((tmp_path / "run" / "config.json").read_text())
    named = [word for word in shlex.split(command) if word.startswith("my_")]
    text = json.dumps(saved)
    assert all(name in text for name in named)
    assert from_json(RunConfig, saved).wrapper == tuple(name for name in named if "my_wrapper" in name)
    assert main(["--resume", "run", "--total-steps", "200", "--trust"]) == 0, capsys.readouterr().err
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["agents"][0]["steps"] >= 200


def test_python_trains_classes_functions_and_a_single_environment(tmp_path, capsys):
    (code,) = [code for code in CODE if "from my_task import Echo" in code]
    scope = {}
    exec(code, scope)
    assert len(scope["run"].summary["agents"]) == scope["run"].agent.agents == 4
    assert json.loads((tmp_path / "runs/echo/config.json").read_text())["env"] == "my_task:Echo"
    with pytest.raises(UsageError, match="a single environment serves one agent with one env, `serial`, not 2 with 1"):
        ra.train(scope["Echo"](), "runs/two", agents=2)


def test_python_takes_the_parts_themselves(capsys):
    (code,) = [code for code in CODE if "rule=GoodNews" in code]
    scope = {"__name__": "notebook"}
    exec(code, scope)
    assert scope["run"].settings["rule"] == "notebook:GoodNews"
    assert scope["short"].agent.layer.rule.tau_e == 10.0
    assert scope["slow"].agent.layer.neuron.tau_w == 300.0
    assert capsys.readouterr().out.startswith("greedy: mean ")


def test_parts_do_what_they_say():
    agent = cartpole(**{"encoder.code": "my_encoder:Signs"})
    assert agent.encoder.rates(torch.tensor([[[1.0, -2.0, 0.0, 3.0]]])).tolist() == [[[1, 0, 0, 1, 0, 1, 0, 0]]]
    early = cartpole(**{"decoder.code": "my_decoder:Early"})
    spikes = torch.zeros(10, 1, 1, 16)
    spikes[0, ..., :8], spikes[9, ..., 8:] = 1.0, 1.0
    assert early.decoder.rates(spikes)[0, 0].tolist() == pytest.approx([0.2, 0.0])
    rule = cartpole(rule="my_rule:GoodNews").layer.rule
    assert rule.factors(torch.tensor([[-1.0, 2.0]]))[0].tolist() == [[0.0, 2.0]]
    assert rule.tau_e == preset("CartPole-v1", "rstdp-et").agent.plasticity.tau_e
    neuron = cartpole(**{"neuron.model": "my_neuron:Stochastic", "neuron.escape_noise": 0.5}).layer.neuron
    state = neuron.start((1, 1, 3), torch.device("cpu"), torch.float32)
    chance = torch.tensor([0.5, 0.8808, 0.1192])  # sigmoid of 0, 2 and -2
    current = torch.tensor([1.0, 2.0, 0.0]).expand(2000, 1, 1, 3)
    spikes, state = neuron.window(current, torch.rand(2000, 1, 1, 3), 0.0, state, 1.0)
    torch.testing.assert_close(spikes.mean((0, 1, 2)), chance, atol=0.06, rtol=0.0)
    assert torch.equal(state.spiked, spikes[-1])


def test_compiled_code_runs_what_it_knows_and_nothing_else():
    assert cartpole(**{"encoder.code": "my_encoder:Signs"}).backend == "fused"
    assert cartpole(**{"decoder.code": "my_decoder:Early"}).backend == "torch"
    assert cartpole(rule="my_rule:GoodNews").backend == "torch"
    assert cartpole(modulator="my_modulator:Sign").backend == "torch"
    assert cartpole(**{"neuron.model": "my_neuron:Stochastic"}).backend == "torch"


def test_an_encoder_derived_from_ours_is_asked_itself(tmp_path):
    (tmp_path / "my_cells.py").write_text(
        "from rstdp_agents.codecs.encoders import PlaceCells\n"
        "class Silent(PlaceCells):\n"
        "    def __init__(self, space, p):\n        super().__init__([-1.0] * 4, [1.0] * 4, (3,) * 4)\n"
        "    def rates(self, obs):\n        return 0 * super().rates(obs)\n"
    )
    agent = cartpole(**{"encoder.code": "my_cells:Silent"})
    agent.begin(np.zeros((1, 1, 4), dtype=np.float32))
    assert agent.spikes()[0].sum() == 0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my_nothing:Signs", "`--encoder my_nothing:Signs`: there is no such module"),
        ("my_broken:Signs", "`--encoder my_broken:Signs`: its import fails: ZeroDivisionError: division by zero"),
        ("my_encoder:Sings", "`--encoder my_encoder:Sings`: no 'Sings' in there, but Signs"),
        ("my_encoder:torch", "`--encoder my_encoder:torch` must be a class or a function; received <module 'torch'"),
        (
            "my_wrapper:Fuel",
            "`--encoder my_wrapper:Fuel` cannot be made: TypeError: RewardWrapper.__init__() takes 2 pos",
        ),
        ("my_modulator:Sign", "`--encoder my_modulator:Sign` cannot be made: TypeError"),
        ("my_wrong:Half", "`--encoder my_wrong:Half` makes no Encoder: size, to missing in <my_wrong.Half"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(tmp_path, name, message):
    (tmp_path / "my_broken.py").write_text("1 / 0\n")
    (tmp_path / "my_wrong.py").write_text("class Half:\n    def __init__(self, *_): ...\n    rates = None\n")
    with pytest.raises(UsageError) as error:
        plugins.build("--encoder", name, Encoder, CARTPOLE.observation_space, RunConfig().agent.encoder)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_rule_that_is_none_and_a_near_miss():
    with pytest.raises(UsageError, match=r"`--rule my_modulator:Sign.tensors` must make a PairRule; received {}"):
        cartpole(rule="my_modulator:Sign.tensors")
    with pytest.raises(ValueError, match=r"`rule` must be one of 'rstdp', .* 'module:Name'; received 'rstpd'"):
        cartpole(rule="rstpd")


def test_a_name_is_found_again_or_there_is_none():
    import my_task

    assert plugins.name_of(my_task.Echo) == "my_task:Echo"
    assert plugins.load("my_task:Echo", "--env") is my_task.Echo
    assert plugins.name_of(lambda: None) is None
