"""Reward that comes after the cue is gone: the eligibility trace learns from it, a rule without one does not."""

import numpy as np
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base.settings import override
from rstdp_agents.environments import SerialGrid

TASK, LEARNERS, EPISODES, STEPS = "rstdp/DelayedCue-v0", 8, 500, 6
CUES = 4
SETTINGS = {
    "plasticity.tau_e": 60.0, "plasticity.lr": 0.5, "decoder.inverse_temperature": 30.0, "modulation.gamma": 1.0,
    "modulation.critic_lr": 0.05, "homeostasis.tau": float("inf"), "modulation.novelty": 0.0, "decoder.temperature_lr": 0.0,
}  # fmt: skip


def trained(rule, episodes=EPISODES, **changes):
    # seeds 0 to 7 as learners and as their frozen twins; the agent, and the share of right answers in the last 100 episodes
    seeds = tuple(range(LEARNERS)) * 2
    envs, config = SerialGrid(TASK, {}, len(seeds), 1), override(AgentConfig(rule=rule), {**SETTINGS, **changes})
    scale = torch.tensor([1.0] * LEARNERS + [0.0] * LEARNERS)
    agent = Agent(config, envs.observation_space, envs.action_space, seeds=seeds, lr_scale=scale)
    action, right = agent.begin(envs.reset(seeds)), []
    for _ in range(episodes * STEPS):
        t = envs.step(action)
        right.append(t.reward[:, 0])
        action = agent.step(t)
    share = np.sum(right[-100 * STEPS :], 0) / 100
    return agent, share[:LEARNERS], share[LEARNERS:]


def test_the_trace_carries_credit_over_five_neutral_steps():
    _, learner, frozen = trained("rstdp-et")
    assert learner.min() > 0.9
    assert abs(frozen.mean() - 1 / CUES) < 0.06
    assert frozen.max() < 0.45


def test_reward_switch_has_the_trace_too():
    _, learner, _ = trained("reward-switch", 800)
    assert learner.min() > 0.9


def test_without_a_trace_a_critic_does_not_help():
    _, learner, frozen = trained("rstdp")
    assert abs(learner.mean() - 1 / CUES) < 0.1
    assert learner.max() < 0.7
    assert abs(frozen.mean() - 1 / CUES) < 0.06


def test_without_a_trace_reward_alone_leaves_the_synapses_of_the_cues_as_they_were():
    agent, _, _ = trained("rstdp", 50, modulator="reward")
    weight = agent.layer.weight
    assert torch.equal(weight[:LEARNERS, :, :CUES], weight[LEARNERS:, :, :CUES])
    assert not torch.equal(weight[:LEARNERS, :, CUES], weight[LEARNERS:, :, CUES])


def test_the_trace_is_what_makes_the_difference():
    _, learner, _ = trained("rstdp-et", **{"plasticity.tau_e": 2.0})  # gone before the reward: exp(-50 / 2)
    assert learner.max() < 0.7
