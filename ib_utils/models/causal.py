"""A recurrent network whose output at each time depends on the tokens up to that time."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


class CausalGRU(nn.Module):
    """Gated recurrent unit read out at every time.

    Written out, because ``torch.nn.GRU`` has no batching rule under ``torch.func.vmap``; equal to it to rounding
    (tested).

    Args:
        n_tokens: size of the one-hot input.
        width: size of the state.
        n_outputs: outputs at each time.

    Source: Cho et al. (2014) with the gates of ``torch.nn.GRU``. Explained in chapter *Probing for state and
    invariance*.

    Example:
        >>> CausalGRU(3, 8, 2)(torch.zeros(5, 10, 3)).shape
        torch.Size([5, 10, 2])
    """

    def __init__(self, n_tokens: int, width: int, n_outputs: int):
        super().__init__()
        self.width = width
        self.from_input = nn.Linear(n_tokens, 3 * width)  # reset, update, candidate
        self.from_state = nn.Linear(width, 3 * width)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -1 / math.sqrt(width), 1 / math.sqrt(width))
        self.head = nn.Linear(width, n_outputs)

    def forward(self, x: Float[Tensor, "batch time token"]) -> Float[Tensor, "batch time output"]:
        h = torch.zeros_like(x[:, 0, :1]).expand(-1, self.width)
        states = []
        for now in self.from_input(x).unbind(1):
            reset_x, update_x, candidate_x = now.chunk(3, -1)
            reset_h, update_h, candidate_h = self.from_state(h).chunk(3, -1)
            update = (update_x + update_h).sigmoid()
            candidate = (candidate_x + (reset_x + reset_h).sigmoid() * candidate_h).tanh()
            h = candidate + update * (h - candidate)
            states.append(h)
        return self.head(torch.stack(states, 1))
