"""Recurrent networks: the same map at every time step, so weights are shared along time."""

import math
from collections.abc import Sequence

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor, nn


class GRUClassifier(nn.Module):
    """Bidirectional gated recurrent unit, then a linear read-out of its states at all times.

    Written out, with both directions as one batched product, because ``torch.nn.GRU`` cannot be vectorised over
    networks (it has no batching rule under ``torch.func.vmap``); equal to it to rounding (tested).

    Args:
        input_shape: ``(channel, length)`` of one signal.
        n_hidden: state size of each direction.
        n_outputs: number of class scores.

    Source: Cho et al. (2014) with the gates of ``torch.nn.GRU``; setting of Greydanus & Kobak (2024).

    Example:
        >>> GRUClassifier((1, 40), 6, 10)(torch.zeros(5, 1, 40)).shape
        torch.Size([5, 10])
    """

    def __init__(self, input_shape: Sequence[int], n_hidden: int, n_outputs: int):
        super().__init__()
        n_channels, length = input_shape
        self.n_hidden = n_hidden
        # axis 0: forward, backward in time; axis 1: reset, update and candidate, stacked as in torch.nn.GRU
        self.weight_input = nn.Parameter(torch.empty(2, 3 * n_hidden, n_channels))
        self.weight_state = nn.Parameter(torch.empty(2, 3 * n_hidden, n_hidden))
        self.bias_input = nn.Parameter(torch.empty(2, 1, 3 * n_hidden))
        self.bias_state = nn.Parameter(torch.empty(2, 1, 3 * n_hidden))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -1 / math.sqrt(n_hidden), 1 / math.sqrt(n_hidden))
        self.head = nn.Linear(2 * n_hidden * length, n_outputs)

    def states(self, x: Float[Tensor, "batch channel length"]) -> Float[Tensor, "direction length batch hidden"]:
        """States of both directions, each in the order of the signal."""
        series = torch.stack([x, x.flip(2)]).permute(3, 0, 1, 2)  # (length, direction, batch, channel)
        from_input = einsum(series, self.weight_input, "t d b i, d g i -> t d b g") + self.bias_input
        h = torch.zeros_like(from_input[0, ..., : self.n_hidden])
        states = []
        for gates in from_input:
            reset_x, update_x, candidate_x = gates.chunk(3, -1)
            reset_h, update_h, candidate_h = (h @ self.weight_state.mT + self.bias_state).chunk(3, -1)
            reset, update = (reset_x + reset_h).sigmoid(), (update_x + update_h).sigmoid()
            candidate = (candidate_x + reset * candidate_h).tanh()
            h = candidate + update * (h - candidate)
            states.append(h)
        forward, backward = torch.stack(states, 1)
        return torch.stack([forward, backward.flip(0)])

    def forward(self, x: Float[Tensor, "batch channel length"]) -> Float[Tensor, "batch n_outputs"]:
        states = self.states(x).permute(2, 1, 0, 3)  # (batch, length, direction, hidden)
        return self.head(states.flatten(1))
