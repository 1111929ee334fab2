"""Which settings a run starts from."""

import inspect

import gymnasium as gym
import pytest
from gymnasium.envs.registration import load_env_creator

from rstdp_agents.base.settings import override
from rstdp_agents.environments import make_env
from rstdp_agents.environments.source import parse_kwargs
from rstdp_agents.tools.commands.train import parse
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.presets import PRESETS, RULES, SERVES, origin, preset

FLAT = "gymnasium.wrappers:FlattenObservation"
OTHER = [
    ("rstdp/Bars-v0", ("size:7",), (), "with size=7"),
    ("rstdp/Bars-v0", ("size:7",), (FLAT,), f"with size=7, the wrapper {FLAT}"),
    ("CartPole-v1", None, (FLAT,), f"with the wrapper {FLAT}"),
    ("ale_py:ALE/Breakout-v5", ("frameskip:2",), (), "without obs_type='ram'"),
    ("ale_py:ALE/Breakout-v5", ("obs_type:rgb",), (), "with obs_type='rgb'"),
    ("CartPole-v1", ("a_new_argument:1",), (), "with a_new_argument=1"),
]
SAME = [
    ("CartPole-v1", ("sutton_barto_reward:on", "max_episode_steps:7")),
    ("rstdp/Bars-v0", ("size:5", "render_mode:rgb_array")),
    ("ale_py:ALE/Breakout-v5", ("obs_type:ram", "frameskip:2")),
    ("rstdp/Bars-v0", ()),
]


@pytest.mark.parametrize(("env", "env_kwargs", "wrapper", "why"), OTHER)
def test_a_preset_is_for_what_it_was_found_for(env, env_kwargs, wrapper, why):
    defaults = override(RunConfig(), {"env": env})
    assert preset(env, "rstdp-et", env_kwargs, wrapper) == defaults
    why = f": no preset for {env} {why}" if env != "CartPole-v1" else ""  # whose preset changes what is shown alone
    assert origin(env, "rstdp-et", env_kwargs, wrapper) == f"the one setting of rstdp-et{why}"


@pytest.mark.parametrize(("env", "env_kwargs"), SAME)
def test_arguments_that_leave_the_task_what_it_is_leave_the_preset(env, env_kwargs):
    assert preset(env, "rstdp-et", env_kwargs) == preset(env, "rstdp-et")
    one = "the one setting of rstdp-et" if env == "CartPole-v1" else f"preset {env}, rstdp-et"
    assert origin(env, "rstdp-et", env_kwargs) == one
    assert preset(env, "rstdp-et") != override(RunConfig(), {"env": env})


def test_the_command_line_says_which_settings_it_starts_from():
    line = ["--env", "rstdp/Bars-v0", "--env-kwargs", "size:7", "--total-steps", "9"]
    config, _, note = parse(line)
    assert note == "the one setting of rstdp-et: no preset for rstdp/Bars-v0 with size=7"
    assert config.env_kwargs == ("size:7",)
    assert config.agent == RunConfig().agent
    config, _, note = parse(line[:2])
    assert note == "preset rstdp/Bars-v0, rstdp-et"
    assert config.agent == preset("rstdp/Bars-v0", "rstdp-et").agent
    config, _, note = parse(["--wrapper", FLAT, "--wrapper", "a:B", "--rule", "rstdp"])
    assert note == "the one setting of rstdp"
    assert config.wrapper == (FLAT, "a:B")
    assert parse(["--env", "Nobody/Knows-v0", "--env-kwargs", "a:1"])[2] == "the one setting of rstdp-et"


def test_a_rule_has_its_one_setting_wherever_there_is_no_preset():
    one = preset("Nobody/Knows-v0", "reward-switch")
    assert one == override(
        RunConfig(), {"env": "Nobody/Knows-v0", "agent.rule": "reward-switch", **RULES["reward-switch"]}
    )
    assert preset("CartPole-v1", "reward-switch").agent == one.agent


def test_a_preset_has_at_most_three_constants_of_learning():
    for rules in PRESETS.values():
        for settings in rules.values():
            assert len([name for name in settings if name.startswith("agent.")]) <= 3


@pytest.mark.parametrize("env", [env for env in SERVES if not env.startswith("ale_py")])
def test_arguments_that_presets_serve_are_there_and_leave_the_spaces_alone(env):
    make_env(env, {}).close()  # which registers the project's own
    takes = inspect.signature(load_env_creator(gym.spec(env).entry_point)).parameters
    plain = make_env(env, parse_kwargs(PRESETS[env]["rstdp-et"].get("env_kwargs", ())))
    for name, values in SERVES[env].items():
        default = takes[name].default
        value = values[0] if values else not default
        one = make_env(env, {name: value})
        assert one.observation_space == plain.observation_space, name
        assert one.action_space == plain.action_space, name
