import gymnasium as gym
import numpy as np
import pytest
import torch

from rstdp_agents.codecs.encoders.images import ImageEncoder, channels_first
from rstdp_agents.codecs.encoders.options import EncoderConfig

CPU, F64 = torch.device("cpu"), torch.float64


def encoder(space, **config):
    p = EncoderConfig(**config)
    return ImageEncoder(space, p.image, p.levels).to(CPU, F64)


def image(shape, high=255):
    return gym.spaces.Box(0, high, shape, np.uint8)


@pytest.mark.parametrize(
    ("shape", "channels"),
    [
        ((10, 5), (1, 10, 5)),
        ((7, 7, 3), (3, 7, 7)),
        ((210, 160, 3), (3, 210, 160)),
        ((4, 84, 84), (4, 84, 84)),
        ((84, 84, 4), (4, 84, 84)),
        ((4, 84, 84, 3), (12, 84, 84)),
        ((4, 3, 84, 84), (12, 84, 84)),
    ],
)
def test_channels_are_found_and_put_first(shape, channels):
    assert channels_first(shape)[1] == channels
    assert encoder(image(shape)).shape == channels


def test_brightness_of_every_channel_and_pixel_is_where_a_convolution_looks_for_it():
    frames = np.random.default_rng(0).integers(256, size=(2, 5, 6, 3))  # frames, height, width, colours
    rates = encoder(image(frames.shape)).rates(torch.from_numpy(frames[None, None]).double())
    maps = rates.reshape(6, 5, 6)
    for frame, colour in np.ndindex(2, 3):
        expected = torch.from_numpy(frames[frame, :, :, colour] / 255)
        torch.testing.assert_close(maps[frame * 3 + colour], expected, rtol=0, atol=1e-12)


def test_on_and_off_share_what_differs_from_the_mean():
    obs = torch.tensor([[[[0.0, 255.0], [0.0, 255.0]]]], dtype=F64)
    on, off = encoder(image((2, 2)), image="on-off").rates(obs).reshape(2, 2, 2)
    assert on.tolist() == [[0.0, 0.5], [0.0, 0.5]]
    assert off.tolist() == [[0.5, 0.0], [0.5, 0.0]]
    grey = torch.full((1, 1, 2, 2), 99.0, dtype=F64)
    assert not encoder(image((2, 2)), image="on-off").rates(grey).any()


def test_every_symbol_has_a_channel():
    obs = torch.tensor([[[[2.0, 0.0], [1.0, 9.0]]]], dtype=F64)
    code = encoder(image((2, 2)), image="one-hot", levels=3)
    assert code.shape == (3, 2, 2)
    maps = code.rates(obs).reshape(3, 2, 2)
    assert maps.argmax(0).tolist() == [[2, 0], [1, 0]]
    assert maps.sum(0).tolist() == [[1, 1], [1, 0]]  # a value beyond the levels is none


def test_images_without_bounds_are_refused_in_words():
    with pytest.raises(ValueError, match="images must have a lower and an upper bound"):
        encoder(gym.spaces.Box(-np.inf, np.inf, (4, 4)))
