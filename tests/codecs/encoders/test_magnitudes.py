"""Numbers of any magnitude have cells that tell them apart, in torch and in compiled code."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from rstdp_agents.agent.fused.place_cell_grids import compiled
from rstdp_agents.codecs.encoders import Intensity, OneHot, PlaceCells
from rstdp_agents.codecs.encoders.base import computable
from rstdp_agents.codecs.encoders.build import build_encoder
from rstdp_agents.codecs.encoders.counted import Counted
from rstdp_agents.codecs.encoders.images import ImageEncoder
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.encoders.tile_coding import TileCoding
from tests.helpers import compiled_rates as listed_rates

CPU, F32 = torch.device("cpu"), torch.float32
STEPS = np.arange(21)
RANGES = {
    "ordinary": (0.0, 20.0, STEPS.astype(np.float64)),
    "nano": (0.0, 2e-8, STEPS * 1e-9),
    "below single precision": (-1e-199, 3e-199, STEPS * 1e-200),
    "seconds since 1970": (1.7e9, 1.7e9 + 20, 1.7e9 + STEPS),
    "below zero": (-1.7e9 - 20, -1.7e9, -1.7e9 - STEPS),
    "huge": (-1e31, 3e31, STEPS * 1e30),
    "huge and far": (1e30, 1e30 + 2e21, 1e30 + STEPS * 1e20),
    "above single precision": (0.0, 2e201, STEPS * 1e200),
    "nanoseconds since 1970": (2**60, 2**60 + 20, 2**60 + STEPS),
    "unsigned": (2**60, 2**60 + 20, (2**60 + STEPS).astype(np.uint64)),
    "halves": (0.0, 20.0, STEPS.astype(np.float16)),
    "short": (0, 20, STEPS.astype(np.uint16)),
}


def rates_of(encoder, obs):
    """Of observations ``(n, *obs)``, as an agent of the torch backend has them."""
    return encoder.rates(torch.as_tensor(computable(obs[None])))[0].numpy()


def compiled_rates_of(encoder, obs):
    """The same, as one of the fused backend has them."""
    obs = computable(obs)
    if isinstance(encoder, Counted):
        obs, encoder = obs - encoder.first.reshape(obs.shape[1:]), encoder.encoder
    if compiled(encoder) is not None:
        return compiled(encoder).rates(obs[None])[0]
    return listed_rates(encoder, obs)


def coded(space, obs, **settings):
    encoder = build_encoder(space, EncoderConfig(**settings)).to(CPU, F32)
    return rates_of(encoder, obs), compiled_rates_of(encoder, obs)


def box(low, high, shape, like):
    if like.dtype.kind == "f":
        return spaces.Box(low, high, shape, np.float64)
    return spaces.Box(np.full(shape, low, like.dtype), np.full(shape, high, like.dtype), shape, like.dtype)


@pytest.mark.parametrize("code", ["place-cells", "tiles", "separate", "hashed"])
@pytest.mark.parametrize(("low", "high", "values"), RANGES.values(), ids=RANGES)
def test_codes_depend_on_where_in_its_range_a_number_is_not_on_its_magnitude(low, high, values, code):
    settings = {"code": code, "cells": (21,), "tilings": 3}
    given = {"low": (low,), "high": (high,)} if high > 1e37 else {}  # which is no bound, where a space says it
    space = spaces.Box(-np.inf, np.inf, (1,), np.float64) if given else box(low, high, (1,), values)
    torch_rates, fused_rates = coded(space, values[:, None], **settings, **given)
    share = np.array([(value - low) / (high - low) for value in values.tolist()])
    alike, _ = coded(spaces.Box(0.0, 1.0, (1,), np.float64), share[:, None], **settings)
    assert len({row.tobytes() for row in fused_rates}) == 21
    atol = 0.0 if code in ("tiles", "hashed") else 2e-4
    if code not in ("tiles", "hashed"):  # whose edges may lie on either side of a number
        np.testing.assert_allclose(torch_rates, alike, atol=atol)
    np.testing.assert_allclose(torch_rates, fused_rates, atol=atol)


@pytest.mark.parametrize("start", [0, -3, 20_250_101, -(2**40), 2**40, 2**53, 2**60, -(2**62)])
def test_values_of_a_discrete_have_neurons_of_their_own_wherever_they_start(start):
    values = np.array([start + k for k in range(5)])
    torch_rates, fused_rates = coded(spaces.Discrete(5, start=start), values)
    assert torch_rates.tolist() == fused_rates.tolist() == np.eye(5).tolist()
    several = spaces.MultiDiscrete([5, 3], start=[start, -7])
    matrix, rows = spaces.MultiDiscrete([[5], [3]], start=[[start], [-7]]), np.stack([values, np.full(5, -6)], 1)
    for code in ("place-cells", "hashed"):
        torch_rates, fused_rates = coded(several, rows, code=code)
        assert torch_rates.tolist() == fused_rates.tolist()
        assert torch_rates.argmax(1).tolist() == [1, 4, 7, 10, 13]
        assert coded(matrix, rows[..., None], code=code)[0].tolist() == torch_rates.tolist()


@pytest.mark.parametrize("start", [20_250_101, -(2**40), 2**52])
def test_so_have_those_of_a_discrete_among_other_parts(start):
    rows = np.stack([start + np.arange(5.0), np.ones(5)], 1)
    pair = spaces.Tuple((spaces.Discrete(5, start=start), spaces.Discrete(2)))
    for code in ("place-cells", "hashed"):
        torch_rates, fused_rates = coded(pair, rows, code=code)
        assert torch_rates.tolist() == fused_rates.tolist() == np.eye(10)[1::2].tolist()
    space = spaces.Dict(day=spaces.Discrete(5, start=start), x=spaces.Box(0.0, 1.0, (1,)))
    torch_rates, _ = coded(space, rows, code="place-cells", cells=(2,))
    assert torch_rates.argmax(1).tolist() == [5, 6, 7, 8, 9]


def test_what_a_row_of_numbers_cannot_tell_apart_is_refused():
    with pytest.raises(
        ValueError, match=r'^observation\["day"\] has values beyond 9007199254740992, which only observations'
    ):
        build_encoder(spaces.Dict(day=spaces.Discrete(5, start=2**53)), EncoderConfig())


@pytest.mark.parametrize("start", [0, 20_250_101, 2**60])
def test_tuples_tell_large_whole_numbers_apart(start):
    values = np.array([[start + k, 7] for k in range(5)])
    space = spaces.MultiDiscrete([5, 9], start=[start, 0])
    torch_rates, fused_rates = coded(space, values, code="tuples", tuples=((1, 2),))
    assert torch_rates.tolist() == fused_rates.tolist()
    assert len({row.argmax() for row in torch_rates}) == 5


@pytest.mark.parametrize("width", [1e-8, 1.0, 1e30, 1e200])
@pytest.mark.parametrize("far", [0.0, 1e8])
@pytest.mark.parametrize("code", ["intensity", "on-off"])
def test_pictures_of_any_magnitude_are_as_bright(width, far, code):
    levels = np.random.default_rng(0).integers(5, size=(3, 8, 8)) / 4
    space = spaces.Box(far * width, far * width + width, (8, 8), np.float64)
    rates = rates_of(ImageEncoder(space, code, 4).to(CPU, F32), (far + levels) * width)
    plain = rates_of(ImageEncoder(spaces.Box(0.0, 1.0, (8, 8), np.float64), code, 4).to(CPU, F32), levels)
    np.testing.assert_allclose(rates, plain, atol=1e-6)


def test_symbols_are_counted_from_their_lowest_before_they_are_rounded():
    first = 2**25
    space = spaces.Box(first, first + 3, (8, 8), np.int64)
    rates = rates_of(ImageEncoder(space, "one-hot", 4).to(CPU, F32), first + np.arange(64).reshape(1, 8, 8) % 4)
    assert rates.reshape(4, 64).argmax(0).tolist() == [0, 1, 2, 3] * 16


def test_intensity_of_large_numbers():
    encoder = Intensity(np.array([1.7e9]), np.array([1.7e9 + 20])).to(CPU, F32)
    assert rates_of(encoder, 1.7e9 + np.array([[0.0], [5.0], [99.0]])).tolist() == [[0.0], [0.25], [1.0]]


def test_numbers_beyond_a_range_far_from_zero_are_moved_onto_it():
    low, high = np.array([1.7e9]), np.array([1.7e9 + 20])
    for encoder in (PlaceCells(low, high, (5,)), TileCoding(low, high, (5,), 2)):
        rates = rates_of(encoder.to(CPU, F32), np.array([[0.0], [1.7e9], [1.7e9 + 20], [1e300]]))
        assert rates[0].tolist() == rates[1].tolist()
        assert rates[2].tolist() == rates[3].tolist()
        assert rates[1].tolist() != rates[2].tolist()


def test_ordinary_observations_have_the_rates_that_rounding_first_would_give():
    """To the bit: what is subtracted or divided by is 0 and 1 there."""
    random = np.random.default_rng(1)
    low, high = -random.random(4), random.random(4)
    obs = random.uniform(-1, 1, (50, 4))
    place = PlaceCells(low, high, (3, 4, 2, 5)).to(CPU, F32)
    rounded = rates_of(place, obs.astype(np.float32))
    assert np.array_equal(rates_of(place, obs), rounded)
    assert OneHot(3, 5).to(CPU, F32).rates(torch.tensor([[5.0, 7.0]])).tolist() == [[[1, 0, 0], [0, 0, 1]]]


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint32, np.uint64])
def test_numbers_without_a_sign_and_truths_are_computed_with(dtype):
    assert computable(np.array([0, 1], dtype)).tolist() == [0, 1]
    if dtype is np.uint64:
        assert computable(np.array([2**63], dtype)).tolist() == [float(2**63)]
