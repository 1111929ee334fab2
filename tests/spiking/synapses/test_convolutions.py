"""Convolutions against torch's own layers, transposed ones against the tap formula, and what they refuse."""

import pytest
import torch
from torch import nn

from rstdp_agents.spiking.synapses import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, LocallyConnected2d

LAYERS = {
    "conv1d": (nn.Conv1d(2, 3, 3, stride=2, padding=1), Conv1d(2, 3, 8, 3, stride=2, padding=1)),
    "conv1d same": (nn.Conv1d(2, 3, 5, padding="same", dilation=3), Conv1d(2, 3, 8, 5, padding="same", dilation=3)),
    "conv2d": (
        nn.Conv2d(4, 6, (3, 2), stride=(1, 2), padding=(2, 1), dilation=(1, 2), groups=2),
        Conv2d(4, 6, (6, 5), (3, 2), stride=(1, 2), padding=(2, 1), dilation=(1, 2), groups=2),
    ),
    "conv2d reflect": (
        nn.Conv2d(2, 3, 3, padding=(2, 1), padding_mode="reflect"),
        Conv2d(2, 3, (6, 5), 3, padding=(2, 1), padding_mode="reflect"),
    ),
    "conv2d replicate": (
        nn.Conv2d(2, 3, 3, padding=(2, 1), padding_mode="replicate"),
        Conv2d(2, 3, (6, 5), 3, padding=(2, 1), padding_mode="replicate"),
    ),
    "conv2d circular same": (
        nn.Conv2d(2, 3, (4, 3), padding="same", padding_mode="circular"),
        Conv2d(2, 3, (6, 5), (4, 3), padding="same", padding_mode="circular"),
    ),
    "conv transpose 1d": (
        nn.ConvTranspose1d(2, 3, 3, stride=3, padding=1, output_padding=2),
        ConvTranspose1d(2, 3, 5, 3, stride=3, padding=1, output_padding=2),
    ),
    "conv transpose 2d": (
        nn.ConvTranspose2d(4, 6, (3, 2), (2, 3), padding=(2, 1), output_padding=(1, 2), dilation=(2, 1), groups=2),
        ConvTranspose2d(
            4, 6, (6, 5), (3, 2), stride=(2, 3), padding=(2, 1), output_padding=(1, 2), dilation=(2, 1), groups=2
        ),
    ),
}


@pytest.mark.parametrize(("layer", "synapse"), LAYERS.values(), ids=LAYERS.keys())
def test_current_is_that_of_the_torch_layer(layer, synapse):
    pre = torch.rand(2, 1, 3, *synapse.pre_shape)
    want = layer(pre.flatten(0, 2)) - layer(torch.zeros_like(pre.flatten(0, 2)))
    got = synapse.current(pre, layer.weight[None]).flatten(0, 2)
    torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (4, 2), (4, 1), (2, 2), (2, 3), (5, 3), (1, 2)])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_same_and_valid_follow_the_taps_of_an_unflipped_filter(kernel, stride, padding):
    """Input i meets output j at tap  i stride + lo - j  of the unflipped filter, tap by tap."""
    n = 4
    if padding == "valid":
        low, size = kernel - 1, n * stride + max(kernel - stride, 0)
    else:
        low = kernel - 1 if stride > kernel - 1 else -((2 - kernel - stride) // 2)
        size = n * stride
    unflipped = torch.rand(kernel, dtype=torch.float64)
    pre = torch.rand(n, dtype=torch.float64)
    want = torch.zeros(size, dtype=torch.float64)
    for i in range(n):
        for j in range(size):
            if 0 <= i * stride + low - j < kernel:
                want[j] += unflipped[i * stride + low - j] * pre[i]
    synapse = ConvTranspose1d(1, 1, n, kernel, stride=stride, padding=padding)
    got = synapse.current(pre.reshape(1, 1, 1, 1, n), unflipped.flip(0).reshape(1, 1, 1, kernel))
    torch.testing.assert_close(got.flatten(), want, rtol=1e-12, atol=1e-12)


def test_a_locally_connected_synapse_with_equal_kernels_is_a_convolution():
    shape = dict(size=(6, 5), kernel=(3, 2), stride=2, padding=1, groups=2)
    local, conv = LocallyConnected2d(4, 6, **shape), Conv2d(4, 6, **shape)
    pre, weight = torch.rand(2, 3, 2, *conv.pre_shape), torch.rand(3, *conv.weight_shape)
    spread = weight[:, :, None, None].expand(3, *local.weight_shape)
    torch.testing.assert_close(local.current(pre, spread), conv.current(pre, weight))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv2d(1, 2, 5, (3, 3, 3)), r"`kernel` must be .* \(height, width\); received \(3, 3, 3\)"),
        (lambda: Conv2d(1, 2, 5, [3, 3]), r"`kernel` must be a whole number"),
        (lambda: Conv1d(1, 2, 5, 2.5), r"`kernel` must be a whole number"),
        (lambda: Conv1d(1, 2, 5, 0), r"`kernel` must be positive; received 0"),
        (lambda: Conv1d(1, 2, 5, 3, stride=0), r"`stride` must be positive; received 0"),
        (lambda: Conv1d(3, 2, 5, 3, groups=2), r"`in_channels` must divide by `groups` = 2; received 3"),
        (lambda: Conv2d(1, 2, (5, 3), (3, 4)), r"`width of the output` must be positive \(positions\); received 0"),
        (lambda: Conv1d(1, 2, 5, 3, padding=-1), r"`padding` must not be negative \(positions\); received -1"),
        (lambda: Conv1d(1, 2, 5, 3, padding="full"), r"`padding` must be a whole number .* received 'full'"),
        (lambda: Conv1d(1, 2, 5, 3, padding_mode="mirror"), r"`padding_mode` must be one of zeros, .* 'mirror'"),
        (lambda: Conv1d(1, 2, 5, 3, stride=2, padding="same"), r"`stride` must be 1 with padding \"same\"; received 2"),
        (lambda: Conv1d(1, 2, 3, 3, padding=3, padding_mode="reflect"), r"`padding` of 3 .* reflect .* `size` of 3"),
        (lambda: Conv1d(1, 2, 3, 3, padding=4, padding_mode="circular"), r"`padding` of 4 .* circular .* `size` of 3"),
        (lambda: ConvTranspose1d(1, 2, 3, 3, padding="full"), r"`padding` must be .* received 'full'"),
        (lambda: ConvTranspose1d(1, 2, 3, 3, padding=4), r"`length of the output` must be positive"),
        (lambda: ConvTranspose1d(1, 2, 3, 3, output_padding=-1), r"`output_padding` must not be negative"),
        (lambda: ConvTranspose1d(1, 2, 3, 3, padding="same", output_padding=1), r"`output_padding` must be 0 with"),
    ],
)
def test_a_geometry_that_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
