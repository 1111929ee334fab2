"""Action spaces: which decoder they get, what it chooses, and whom it credits."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

from rstdp_agents.codecs.action_layout import Actions
from rstdp_agents.codecs.decoders import PopulationDecoder
from rstdp_agents.codecs.decoders.build import build_decoder, check_mask
from rstdp_agents.codecs.decoders.factored import FactoredDecoder, MixedDecoder
from rstdp_agents.codecs.decoders.options import DecoderConfig
from rstdp_agents.codecs.decoders.population_vector import PopulationVector
from rstdp_agents.codecs.observation_layout import Rows
from tests.environments.zoo import ACTIONS

NEURONS = 4


def decoder_of(space, **settings):
    return build_decoder(space, DecoderConfig(**{"neurons_per_action": NEURONS, **settings}))


def chosen(decoder, envs=50, seed=0, allowed=None, greedy=False):
    torch.manual_seed(seed)
    spikes = (torch.rand(10, 2, envs, decoder.size) < 0.3).float()
    rates, uniform = decoder.rates(spikes), torch.rand(2, envs, decoder.draws)
    if greedy:
        return decoder.greedy(rates, uniform, allowed).numpy(), None
    action, gate = decoder.choose(rates, uniform, allowed)
    return action.numpy(), gate


@pytest.mark.parametrize("space", ACTIONS.values(), ids=ACTIONS.keys())
@pytest.mark.parametrize("greedy", [False, True], ids=["drawn", "greedy"])
def test_every_action_is_of_its_space(space, greedy):
    action, gate = chosen(decoder_of(space), greedy=greedy)
    actions = Actions(space)
    each = actions.each(action)
    assert len(each) == 100
    assert all(space.contains(one) for one in each)
    assert greedy or gate.shape == (2, 50, decoder_of(space).size)
    assert len({str(one) for one in each}) > 1
    batch = gym.vector.utils.batch_space(space, 50)
    assert all(batch.contains(part) for part in actions.batches(action, 2))
    again = list(gym.vector.utils.iterate(batch, actions.batches(action, 2)[1]))
    assert all(str(one) == str(other) for one, other in zip(each[50:], again, strict=True))


def test_spaces_choose_their_decoder():
    assert isinstance(decoder_of(ACTIONS["discrete"]), PopulationDecoder)
    assert isinstance(decoder_of(spaces.Tuple([spaces.Discrete(3)])), PopulationDecoder)
    assert isinstance(decoder_of(ACTIONS["multi-binary"]), FactoredDecoder)
    assert isinstance(decoder_of(spaces.Dict(a=spaces.Box(-1, 1, (2,)), b=spaces.Box(0, 1, (1,)))), PopulationVector)
    mixed = decoder_of(ACTIONS["dict"])
    assert isinstance(mixed, MixedDecoder)
    assert mixed.columns == (2, 3, 4, 0, 1)  # the values of b and c, then the numbers of a
    assert mixed.size == NEURONS * (2 + 3 + 2 + 2)


@pytest.mark.parametrize("name", ["multi-discrete", "multi-discrete matrix", "multi-binary matrix", "dict"])
def test_the_gates_of_each_component_sum_to_zero_and_name_its_choice(name):
    decoder = decoder_of(ACTIONS[name])
    values = decoder.values if isinstance(decoder, MixedDecoder) else decoder
    action, gate = chosen(decoder)
    first = 0
    for k, (n, start) in enumerate(zip(values.sizes, values.starts, strict=True)):
        own = gate[..., first : first + n * NEURONS].unflatten(-1, (n, NEURONS))
        assert torch.equal(own, own[..., :1].expand_as(own))
        torch.testing.assert_close(own.sum((-2, -1)), torch.zeros(2, 50), rtol=0, atol=1e-5)
        column = decoder.columns[k] if isinstance(decoder, MixedDecoder) else k
        assert np.array_equal(own[..., 0].argmax(-1).numpy() + start, action[..., column])
        first += n * NEURONS


def test_a_component_is_chosen_and_credited_as_if_it_were_alone():
    decoder, one = decoder_of(ACTIONS["multi-discrete"]), decoder_of(spaces.Discrete(4))
    spikes, uniform = (torch.rand(10, 1, 30, decoder.size) < 0.3).float(), torch.rand(1, 30, 2)
    action, gate = decoder.choose(decoder.rates(spikes), uniform)
    second = slice(3 * NEURONS, 7 * NEURONS)
    alone, own = one.choose(one.rates(spikes[..., second]), uniform[..., 1:])
    assert torch.equal(action[..., 1], alone)
    torch.testing.assert_close(gate[..., second], own)


@pytest.mark.parametrize("kind", ["chosen", "none"])
def test_other_gates(kind):
    _, gate = chosen(decoder_of(ACTIONS["multi-discrete"], gate=kind))
    if kind == "none":
        assert gate is None
    else:
        assert (gate.unflatten(-1, (7, NEURONS))[..., 0].sum(-1) == 2).all()
    _, gate = chosen(decoder_of(ACTIONS["dict"], gate="none"))
    assert (gate[..., : 7 * NEURONS] == 1).all()


@pytest.mark.parametrize("name", ["discrete", "multi-discrete", "dict"])
@pytest.mark.parametrize("greedy", [False, True], ids=["drawn", "greedy"])
def test_what_is_not_allowed_is_never_chosen(name, greedy):
    decoder = decoder_of(ACTIONS[name], inverse_temperature=0.1)
    torch.manual_seed(1)
    allowed = torch.rand(2, 5000, decoder.actions) < 0.4
    values = decoder.values if isinstance(decoder, MixedDecoder) else decoder
    sizes, starts = (values.sizes, values.starts) if hasattr(values, "sizes") else ((values.actions,), (values.start,))
    action, gate = chosen(decoder, 5000, allowed=allowed, greedy=greedy)
    first = 0
    for k, (n, start) in enumerate(zip(sizes, starts, strict=True)):
        own, column = allowed[..., first : first + n], decoder.columns[k] if isinstance(decoder, MixedDecoder) else k
        taken = torch.as_tensor(action.reshape(2, 5000, -1)[..., column] - start).long()
        some = own.any(-1)
        assert own.gather(-1, taken[..., None])[..., 0][some].all()
        assert len(taken[~some].unique()) == n  # where nothing is allowed, everything is
        if gate is not None:
            credit = gate[..., first * NEURONS : (first + n) * NEURONS : NEURONS]
            assert (credit[some][~own[some]] == 0).all()
        first += n


def test_unbounded_actions_get_a_range():
    low = np.array([-np.inf, 0.0, -np.inf, -3.0], np.float32)
    high = np.array([np.inf, np.inf, 1.0, 4.0], np.float32)
    decoder = decoder_of(spaces.Box(low, high), action_range=1.5)
    assert decoder.low.tolist() == [-1.5, 0.0, -2.0, -3.0]
    assert decoder.high.tolist() == [1.5, 3.0, 1.0, 4.0]


@pytest.mark.parametrize(
    ("space", "words"),
    [
        (spaces.Dict(x=spaces.Tuple([spaces.Text(3)])), r'action\["x"\]\[0\] is of a space that no decoder .*, Text;'),
        (spaces.Sequence(spaces.Discrete(2)), r"action is of a space that no decoder chooses from, Sequence;"),
        (spaces.Discrete(10**7), r"action space Discrete\(10000000\) needs 40000000 output neurons; at most"),
        (spaces.Box(-1, 1, (0,)), "needs 0 output neurons"),
    ],
)
def test_actions_without_a_decoder_are_said(space, words):
    with pytest.raises(ValueError, match=words):
        decoder_of(space)


def test_a_mask_of_another_length_is_refused():
    rows = Rows(spaces.Dict(action_mask=spaces.MultiBinary(5), seen=spaces.Discrete(2)))
    check_mask(rows, decoder_of(spaces.Discrete(5)))
    with pytest.raises(
        ValueError, match=r'observation\["action_mask"\] must have an entry for each of 4 values .* has 5'
    ):
        check_mask(rows, decoder_of(spaces.Discrete(4)))
