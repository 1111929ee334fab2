import multiprocessing
from functools import partial
from typing import ClassVar

import numpy as np
import pytest
import torch
import torch.distributed as dist

from rstdp_agents.agent.agent import Agent
from rstdp_agents.training.distributed.backend import SharedBackend
from rstdp_agents.training.distributed.ranks import Ranks
from tests.agent.fused.test_engine import transition
from tests.helpers import CARTPOLE, cartpole_agent, observations

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
ENVS, STEPS = 4, 30
CHANGES = {"plasticity.lr_halved_after": 3.0, "homeostasis.tau": 500.0, "plasticity.w_max": 0.05}


def spread(size, body, *args):
    """What ``body(ranks, *args)`` returns in each of ``size`` processes that are a process group."""
    fork = multiprocessing.get_context("fork")
    results, here = fork.SimpleQueue(), fork.SimpleQueue()
    store = dist.TCPStore("localhost", 0, is_master=True, wait_for_workers=False)

    def process(rank):
        mine = dist.TCPStore("localhost", store.port, is_master=False)
        dist.init_process_group("gloo", store=mine, rank=rank, world_size=size)
        results.put((rank, body(Ranks(rank, size), *args)))
        here.get()  # nobody leaves while another one still talks

    processes = [fork.Process(target=process, args=(rank,)) for rank in range(size)]
    for p in processes:
        p.start()
    answers = {}
    while len(answers) < sum(p.exitcode is None or p.exitcode == 0 for p in processes):
        if results.empty():
            processes[-1].join(0.01)
        else:
            rank, answers[rank] = results.get()
    for _ in processes:
        here.put(None)
    for p in processes:
        p.join()
    return [answers.get(rank) for rank in range(size)]


def live(agent, mine=slice(None)):
    """Actions of an agent whose envs live through ``mine`` of what `ENVS` envs do; then its weights and offsets."""
    actions = [agent.begin(observations(2, ENVS)[:, mine])]
    for i in range(STEPS):
        t = transition(2, ENVS, i)
        arrays = {name: value[:, mine] for name, value in t._asdict().items() if isinstance(value, np.ndarray)}
        actions.append(agent.step(t._replace(**arrays)))
    if isinstance(agent._backend, SharedBackend):
        agent._backend.settle()
    shared = (".weight", ".rate", ".offset", ".r_bar", ".moments", ".visits", ".sharpness", ".episodes")
    return np.stack(actions), {name: t.numpy() for name, t in agent.tensors().items() if name.endswith(shared)}


class Counting(Ranks):
    """Ranks that take note of how many numbers each collective sends."""

    sent: ClassVar[list[int]] = []

    def add(self, tensor):
        self.sent.append(tensor.numel())
        super().add(tensor)


def share(ranks, config):
    here = ranks.share(ENVS)
    spaces = CARTPOLE.observation_space, CARTPOLE.action_space
    counting = Counting(ranks.rank, ranks.size)
    backend = partial(SharedBackend, ranks=counting)
    agent = Agent(config, *spaces, seeds=(0, 1), envs=here, dtype=torch.float64, backend=backend)
    return *live(agent, slice(ranks.rank * here, (ranks.rank + 1) * here)), counting.sent


@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize(
    "options",
    [
        {"rule": "reward-switch"},
        {"modulation.novelty": 1.0, "decoder.temperature_lr": 0.1},
        {"rule": "rstdp", "modulator": "reward-baseline", "network.hidden": (6,)},
    ],
    ids=str,
)
def test_ranks_learn_what_one_process_learns(size, options):
    alone = cartpole_agent((0, 1), ENVS, torch.float64, **CHANGES, **options)
    actions, learnt = live(alone)
    assert not np.array_equal(learnt["output.weight"], cartpole_agent((0, 1), ENVS, torch.float64).layer.weight)
    shared = (
        "output.weight", "hidden1.weight", "critic.weight", ".r_bar", ".moments", ".visits", ".sharpness", ".rate", ".episodes",
    )  # fmt: skip
    numbers = sum(tensor.numel() for name, tensor in alone.tensors().items() if name.endswith(shared))
    for rank, (own, tensors, sent) in enumerate(spread(size, share, alone.config)):
        assert sent[:STEPS] == [numbers + 1] * STEPS  # one call per env step, whatever the envs; and whether to stop
        here = ENVS // size
        assert np.array_equal(own, actions[:, :, rank * here : (rank + 1) * here])
        assert tensors.keys() == learnt.keys()
        for name, tensor in tensors.items():
            np.testing.assert_allclose(tensor, learnt[name], rtol=1e-9, atol=1e-12, err_msg=name)
