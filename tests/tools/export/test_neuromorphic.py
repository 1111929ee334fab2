import numpy as np
import pytest
import torch
from torch import nn

nir = pytest.importorskip("nir", reason="needs the extra `nir`")

from rstdp_agents.equations.neuron import LIFParams  # noqa: E402
from rstdp_agents.equations.rate_control import HomeostasisParams  # noqa: E402
from rstdp_agents.spiking.layer import Layer  # noqa: E402
from rstdp_agents.spiking.neurons import LIF  # noqa: E402
from rstdp_agents.spiking.plasticity import RSTDP  # noqa: E402
from rstdp_agents.spiking.synapses import Conv1d, Conv2d, ConvTranspose1d, Linear  # noqa: E402
from rstdp_agents.tools.export.neuromorphic import agent_graph, nir_bytes, offsets, refuse_inexpressible, synapse_node  # noqa: E402
from tests.agent.test_agent import transition  # noqa: E402
from tests.helpers import cartpole_agent, experience  # noqa: E402
from tests.spiking.test_network import see, seeing_agent  # noqa: E402

HARD = {"neuron.escape_noise": 0.0, "neuron.t_ref": 0.0, "homeostasis.tau": 200.0, "plasticity.w_init": 0.5}
ALIKE = {
    "homeostasis.tau": float("inf"),
    "plasticity.lr": 0.0,
    "network.w_init": 20.0,
    "network.hidden": (24,),
    "plasticity.w_init": 1.0,
}
"""No leak is lifted by homeostasis, which SpikingJelly does not read; weights are such that all layers fire without it."""
TICKS, DT = 40, 1e-3


def trained(**changes):
    agent = cartpole_agent(range(3), 2, **{**HARD, "plasticity.lr": 0.02, **changes})
    experience(agent, transition, rows=slice(0, 3))
    return agent


def seeing(**changes):
    """Agents with two convolutions, a dense hidden layer and the output, which have learnt something."""
    lively = {"plasticity.lr": 0.3, "network.w_init": 5.0, "plasticity.w_init": 1.0}
    agent = seeing_agent(range(3), 2, **{**HARD, **lively, **changes})
    see(agent)
    return agent


def constant_input(agent):
    """A drive of every input neuron that does not change, with which some output neurons fire and others do not."""
    shape = agent.network.layers[0].synapse.pre_shape
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * (0.3 if len(shape) == 1 else 1.0)


def our_counts(agent, pre):
    """Spikes of every output neuron of agent 1 in `TICKS` ticks, from rest."""
    network = agent.single(1).network
    unused = [torch.full((TICKS, 1, 1, neurons), 0.5) for neurons in network.sizes]
    spikes, _ = network.forward(pre.flatten().expand(TICKS, 1, 1, -1), unused, network.fresh_neurons(1))
    return spikes[-1].sum(0)[0, 0]


class Integrator(nn.Module):
    """NIR's LIF to the letter, integrated in steps of `DT`."""

    def __init__(self, node, solver):
        super().__init__()
        self.node, self.solver = node, solver

    def forward(self, current, state=None):
        tau, r, leak, threshold, reset = (
            torch.from_numpy(getattr(self.node, name)) for name in ("tau", "r", "v_leak", "v_threshold", "v_reset")
        )
        v = leak * 0 if state is None else state
        share = DT / tau if self.solver == "euler" else 1 - torch.exp(-DT / tau)
        v = v + share * (leak - v + r * current)
        spike = v > threshold
        return spike.float(), torch.where(spike, reset, v)


def affine(node):
    """The node with its bias, which nirtorch's own map forgets."""
    layer = nn.Linear(*node.weight.shape[::-1])
    layer.weight.data, layer.bias.data = torch.from_numpy(node.weight), torch.from_numpy(node.bias)
    return layer


def run(program, pre):
    state, counts = None, 0
    with torch.no_grad():
        for _ in range(TICKS):
            spikes, state = program(pre, state)
            counts = counts + spikes
    return counts


@pytest.mark.parametrize("solver", ["euler", "exact"])
@pytest.mark.parametrize("regulated", ["bias", "threshold", "gain", "none"])
@pytest.mark.parametrize("make", [trained, seeing])
def test_nirtorch_counts_the_spikes_of_the_agent(tmp_path, solver, regulated, make):
    nirtorch = pytest.importorskip("nirtorch", reason="needs the extra `nir`")
    agent = make(**{"homeostasis.param": regulated, "neuron.v_reset": -0.2})
    (tmp_path / "a.nir").write_bytes(nir_bytes(agent_graph(agent, 1, solver)))
    maps = {nir.Affine: affine, nir.LIF: lambda node: Integrator(node, solver)}
    program = nirtorch.nir_to_torch(nir.read(tmp_path / "a.nir"), maps)
    pre = constant_input(agent)
    counts = our_counts(agent, pre)
    assert 3 < len(counts.unique()) < counts.sum()
    assert torch.equal(run(program, pre), counts)


@pytest.mark.parametrize("make", [trained, lambda: seeing(**ALIKE)], ids=["dense", "conv"])
def test_spikingjelly_counts_the_spikes_of_the_agent(tmp_path, make):
    exchange = pytest.importorskip("spikingjelly.activation_based.nir_exchange", reason="needs SpikingJelly")
    agent = make()
    (tmp_path / "a.nir").write_bytes(nir_bytes(agent_graph(agent, 1)))
    program = exchange.import_from_nir(tmp_path / "a.nir", dt=DT)
    pre = constant_input(agent)
    counts = our_counts(agent, pre)
    assert 2 < len(counts.unique()) < counts.sum()
    assert torch.equal(run(program, pre[None])[0], counts)


def test_a_neuron_on_the_threshold_fires_here_and_there():
    v_th = np.float32(0.7)
    node = agent_graph(cartpole_agent(**{**HARD, "neuron.v_th": float(v_th)})).nodes["output_neurons"]
    assert np.all(v_th > node.v_threshold)
    assert np.all(np.nextafter(node.v_threshold, np.float32(1)) == v_th)
    assert {getattr(node, name).shape for name in ("tau", "r", "v_leak", "v_reset")} == {(16,)}
    assert node.tau[0] == pytest.approx(0.001 / (1 - np.exp(-0.1)))  # seconds


def test_what_the_file_says_of_the_agent_comes_back(tmp_path):
    (tmp_path / "a.nir").write_bytes(nir_bytes(agent_graph(trained(), metadata={"rstdp_agents": '{"env": "here"}'})))
    assert nir.read(tmp_path / "a.nir").metadata == {"rstdp_agents": '{"env": "here"}'}


@pytest.mark.filterwarnings("ignore:Using padding=:UserWarning")  # of torch, about even kernels
@pytest.mark.parametrize(
    "synapse",
    [Conv1d(2, 3, 9, 4, 2, padding=1), Conv2d(2, 4, (5, 6), 3, groups=2), Conv2d(1, 2, 5, 2, padding="same")],
    ids=str,
)
def test_convolutions_are_those_of_nir(synapse):
    weight = torch.randn(1, *synapse.weight_shape)
    node = synapse_node(synapse, weight[0], None)
    node.input_type = {"input": np.array(synapse.pre_shape)}
    assert np.array_equal(node.bias, np.zeros(synapse.post_shape[0], np.float32))
    x = torch.randn(synapse.pre_shape)
    convolve = nn.functional.conv1d if isinstance(synapse, Conv1d) else nn.functional.conv2d
    w, b, padding = torch.from_numpy(node.weight), torch.from_numpy(node.bias), node.padding
    y = convolve(x[None], w, b, node.stride, padding, node.dilation, node.groups)[0]
    torch.testing.assert_close(y, synapse.current(x[None, None, None], weight)[0, 0, 0])


def test_a_bias_per_position_of_a_convolution_lifts_the_leak():
    synapse = Conv1d(1, 2, 5, 3)
    layer = Layer(
        "c", synapse, torch.zeros(1, *synapse.weight_shape), 1, neuron=LIF(escape_noise=0.0, t_ref=0.0), rule=RSTDP(),
        homeostasis=HomeostasisParams(), bounds=(-1, 1), ticks=5, dt=1.0, fresh_each_window=True,
    )  # fmt: skip
    offset = torch.linspace(0.0, 0.3, 6).reshape(2, 3)
    bias, leak, threshold = offsets(layer, layer.neuron, offset)
    assert bias is None
    v = torch.zeros(2, 3)
    for _ in range(50):  # a current each tick, by the exact step of a leak without current
        v = leak + (v - leak) * np.exp(-0.1)
    ours = offset * (1 - np.exp(-5.0)) / (1 - np.exp(-0.1))
    torch.testing.assert_close(v, ours)
    assert torch.equal(threshold, torch.ones(2, 3))


def test_what_nir_cannot_express_is_refused_by_name_or_left_out():
    with pytest.raises(ValueError, match=r"received `network.max_delay` 4.0"):
        agent_graph(cartpole_agent(**{"network.max_delay": 4.0}))
    with pytest.raises(ValueError, match=r"`neuron.escape_noise` is 0.4"):
        agent_graph(cartpole_agent())
    with pytest.raises(ValueError, match=r"`neuron.t_ref` is 1.0 ms"):
        agent_graph(cartpole_agent(), without=["noise"])
    assert agent_graph(cartpole_agent(), without=["noise", "refractory"]).nodes
    with pytest.raises(ValueError, match="do not inhibit each other"):
        refuse_inexpressible(LIFParams(escape_noise=0.0, t_ref=0.0, lateral_inhibition=0.1), 1.0, [])
    with pytest.raises(ValueError, match="did you mean 'noise'"):
        agent_graph(cartpole_agent(), without=["nois"])
    with pytest.raises(ValueError, match="of type ConvTranspose1d"):
        synapse_node(ConvTranspose1d(1, 2, 5, 3), torch.zeros(1, 2, 3), None)
    with pytest.raises(ValueError, match="`padding_mode` 'circular'"):
        synapse_node(Conv1d(1, 2, 5, 3, padding=1, padding_mode="circular"), torch.zeros(2, 1, 3), None)
    assert isinstance(synapse_node(Linear(3, 2), torch.zeros(2, 3), torch.ones(2)), nir.Affine)
