"""A small decoder-only transformer, and the probability that it gives to whole strings."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F


class Block(nn.Module):
    """Causal self-attention and a feed-forward layer, each behind a layer norm and beside a residual path."""

    def __init__(self, width: int, n_heads: int):
        super().__init__()
        self.n_heads = n_heads
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, h: Float[Tensor, "batch position width"]) -> Float[Tensor, "batch position width"]:
        heads = self.qkv(self.norms[0](h)).unflatten(2, (3, self.n_heads, -1))  # (batch, position, 3, head, size)
        q, k, v = heads.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)  # (batch, head, position, size)
        h = h + self.out(mixed.transpose(1, 2).flatten(2))
        return h + self.down(F.gelu(self.up(self.norms[1](h))))


class GPT(nn.Module):
    """Decoder-only transformer with learnt positions; all weights start as PyTorch's layers start by themselves.

    Args:
        n_tokens: size of the vocabulary.
        n_positions: longest context.
        width, depth, n_heads: of the residual path, in blocks, in attention heads.

    Source:
        The shape of minGPT; with PyTorch's own starts, as Goldblum et al. (2024), arXiv:2304.05366, reset it.

    Explained in chapter *No free lunch*.

    Example:
        >>> GPT(2, 10)(torch.zeros(3, 7, dtype=torch.long)).shape  # a score for each next token
        torch.Size([3, 7, 2])
    """

    def __init__(self, n_tokens: int, n_positions: int, *, width: int = 48, depth: int = 3, n_heads: int = 3):
        super().__init__()
        self.token, self.position = nn.Embedding(n_tokens, width), nn.Embedding(n_positions, width)
        self.blocks = nn.Sequential(*(Block(width, n_heads) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, n_tokens, bias=False)

    def forward(self, tokens: Int[Tensor, "batch position"]) -> Float[Tensor, "batch position n_tokens"]:
        h = self.token(tokens) + self.position.weight[: tokens.shape[1]]
        return self.head(self.norm(self.blocks(h)))


@torch.no_grad()
def string_log_probability(
    model: nn.Module, strings: Int[Tensor, "string position"], *, n_tokens: int = 2, context: int | None = None
) -> Float[Tensor, " string"]:
    """Natural log of the probability that a model, reading at most its last ``context`` tokens, writes each string.

    The first token is uniform. With a context of one token the model is a Markov chain on the tokens, whatever it is
    made of.

    Args:
        model: tokens ``(batch, position)`` to scores of the next token.
        strings: tokens.
        n_tokens: size of the vocabulary.
        context: tokens that it reads; None: all before.

    Raises:
        ValueError: a context below 1.
    """
    length = strings.shape[1]
    context = length if context is None else min(context, length)
    if context < 1:
        raise ValueError(f"context must be at least 1, got {context}")
    windows = strings.unfold(1, context, 1)[:, :-1] if context < length else strings[:, None, :-1]
    kinds, place = windows.flatten(0, 1).unique(dim=0, return_inverse=True)  # equal windows get equal scores
    scores = model(kinds).log_softmax(-1)[place.view(windows.shape[:2])]  # (string, window, position, token)
    started = scores[:, 0]  # the first window sees the string from its start
    later = scores[:, 1:, -1] if context < length else scores[:, :0, -1]
    chosen = torch.cat([started, later], 1).gather(-1, strings[:, 1:, None])[..., 0]
    return chosen.sum(1) - math.log(n_tokens)
