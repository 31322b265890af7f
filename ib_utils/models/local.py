"""Networks that look at small windows: locally connected (weights of its own at each position) and convolutional
(the same weights at every position). The two differ in one tensor's shape and in nothing else."""

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad


class LocallyConnected(nn.Module):
    """Each output position sees one window of the input, through weights of its own.

    Works on signals ``(channel, length)`` and images ``(channel, height, width)``. With ``i`` running over the
    channels and offsets of the window at position ``p``:  y[o, p] = sum_i weight[p, o, i] x[window(p), i] + bias[p, o].

    Args:
        input_shape: ``(channel, *size)`` of one example.
        n_channels: output channels.
        kernel_size: side of the window, in input positions.
        stride: distance between neighbouring windows.
        padding: zeros added on each side.

    Raises:
        ValueError: if the window is larger than the padded input.

    Weights start as in ``torch.nn.Conv2d``: uniform within 1/sqrt(inputs of a window). Source: LeCun (1989), Net-3.
    """

    shared: ClassVar[bool] = False

    def __init__(
        self,
        input_shape: Sequence[int],
        n_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
    ):
        super().__init__()
        in_channels, *size = input_shape
        if kernel_size > min(size) + 2 * padding:
            raise ValueError(f"window of {kernel_size} does not fit into {tuple(size)} + padding")
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.positions = tuple((n + 2 * padding - kernel_size) // stride + 1 for n in size)
        self.output_shape = (n_channels, *self.positions)
        fan_in = in_channels * kernel_size ** len(size)
        places = () if self.shared else (math.prod(self.positions),)
        self.weight = nn.Parameter(torch.empty(*places, n_channels, fan_in))
        self.bias = nn.Parameter(torch.empty(*places, n_channels))
        for parameter in (self.weight, self.bias):
            nn.init.uniform_(parameter, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))

    def windows(self, x: Float[Tensor, "batch channel ..."]) -> Float[Tensor, "batch position fan_in"]:
        """Cut ``x`` into its windows, each flattened to channels x offsets."""
        n_axes = x.ndim - 2
        x = pad(x, (self.padding, self.padding) * n_axes)
        for axis in range(2, 2 + n_axes):
            x = x.unfold(axis, self.kernel_size, self.stride)  # appends the offset within the window
        return x.movedim(1, 1 + n_axes).flatten(1 + n_axes).flatten(1, n_axes)

    def forward(self, x: Float[Tensor, "batch channel ..."]) -> Float[Tensor, "batch n_channels ..."]:
        y = einsum(self.windows(x), self.weight, "b p i, p o i -> b p o") + self.bias
        return y.transpose(1, 2).unflatten(2, self.positions)


class Convolution(LocallyConnected):
    """A locally connected layer with the same weights at every position: no index p in weight and bias.

    Equal to ``torch.nn.Conv1d`` and ``Conv2d`` (tested); written with windows so that the only difference from
    ``LocallyConnected`` is visible, and so that many networks can be trained at once. Source: LeCun (1989), Net-4.
    """

    shared: ClassVar[bool] = True

    def forward(self, x: Float[Tensor, "batch channel ..."]) -> Float[Tensor, "batch n_channels ..."]:
        y = einsum(self.windows(x), self.weight, "b p i, o i -> b p o") + self.bias
        return y.transpose(1, 2).unflatten(2, self.positions)


class LocallyConnectedNetwork(nn.Module):
    """Locally connected layers with ReLU, then a linear read-out of everything that is left.

    Args:
        input_shape: ``(channel, *size)`` of one example.
        channels: output channels of each layer.
        kernel_sizes: side of the window of each layer.
        n_outputs: number of class scores.
        stride, padding: of every layer.
        pooling: keep only each channel's largest response over all positions before the read-out, which then
            knows whether a feature was found but not where.

    Raises:
        ValueError: if ``channels`` and ``kernel_sizes`` differ in length, or a window does not fit.

    Example:
        >>> LocallyConnectedNetwork((1, 8, 8), [4, 4], [3, 3], 10)(torch.zeros(5, 1, 8, 8)).shape
        torch.Size([5, 10])
    """

    layer: ClassVar[type[LocallyConnected]] = LocallyConnected

    def __init__(
        self,
        input_shape: Sequence[int],
        channels: Sequence[int],
        kernel_sizes: Sequence[int],
        n_outputs: int,
        *,
        stride: int = 1,
        padding: int = 0,
        pooling: bool = False,
    ):
        super().__init__()
        if len(channels) != len(kernel_sizes):
            raise ValueError(f"got {len(channels)} channels for {len(kernel_sizes)} kernel sizes")
        shape, layers = tuple(input_shape), []
        for n_channels, kernel_size in zip(channels, kernel_sizes, strict=True):
            layers.append(self.layer(shape, n_channels, kernel_size, stride=stride, padding=padding))
            shape = layers[-1].output_shape
        self.layers = nn.ModuleList(layers)
        self.hidden_widths = [math.prod(layer.output_shape) for layer in layers]  # channels times positions
        self.pooling = pooling
        self.head = nn.Linear(shape[0] if pooling else math.prod(shape), n_outputs)

    def forward(self, x: Float[Tensor, "batch channel ..."]) -> Float[Tensor, "batch n_outputs"]:
        for layer in self.layers:
            x = layer(x).relu()
        features = x.movedim(1, -1).flatten(1, -2)  # (batch, position, channel), as the layers lay them out
        return self.head(features.amax(1) if self.pooling else features.flatten(1))


class ConvolutionalNetwork(LocallyConnectedNetwork):
    """The same network with convolutions: every position uses the same weights.

    Example:
        >>> ConvolutionalNetwork((1, 40), [25, 25, 25], [5, 3, 3], 10, stride=2, padding=1).hidden_widths
        [475, 250, 125]
    """

    layer: ClassVar[type[LocallyConnected]] = Convolution
