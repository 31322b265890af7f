"""A small conditional diffusion model: an MLP that guesses the clean image behind a noisy one and its prompt."""

import math
from collections.abc import Mapping
from copy import deepcopy

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, vmap


def signal_and_noise(level: Float[Tensor, "..."]) -> tuple[Float[Tensor, "..."], Float[Tensor, "..."]]:
    """Shares of image and noise at a level from 0 (clean) to 1 (noise alone); their squares sum to 1."""
    return (math.pi / 2 * level).cos(), (math.pi / 2 * level).sin()


class PromptedDenoiser(nn.Module):
    """MLP from (noisy image, prompt, noise level) to the clean image.

    Args:
        n_pixels: of a flattened image; the input has as many places, those of the prompt, and one for the level.
        n_prompt: numbers in a prompt.
        width: units of each of the two hidden layers.

    Explained in chapter *Simplicity bias*.

    Example:
        >>> PromptedDenoiser(8, 2, 16)(torch.zeros(5, 11)).shape
        torch.Size([5, 8])
    """

    def __init__(self, n_pixels: int, n_prompt: int, width: int):
        super().__init__()
        self.n_pixels = n_pixels
        self.body = nn.Sequential(
            nn.Linear(n_pixels + n_prompt + 1, width), nn.GELU(), nn.Linear(width, width), nn.GELU()
        )
        self.head = nn.Linear(width, n_pixels)

    def forward(self, x: Float[Tensor, "batch place"]) -> Float[Tensor, "batch pixel"]:
        return self.head(self.body(x))


def add_noise(x: Float[Tensor, "batch place"], generator: torch.Generator, *, n_pixels: int) -> Tensor:
    """Mix each image with noise at a random level, which goes into the last place: `train(augment=...)`."""
    level = torch.rand(len(x), 1, generator=generator)
    noise = torch.randn(len(x), n_pixels, generator=generator)
    level, noise = level.to(x), noise.to(x)
    signal_share, noise_share = signal_and_noise(level)
    return torch.cat([signal_share * x[:, :n_pixels] + noise_share * noise, x[:, n_pixels:-1], level], 1)


@torch.no_grad()
def generate(
    network: PromptedDenoiser,
    parameters: Mapping[str, Float[Tensor, "member ..."]],
    prompts: Float[Tensor, "image n_prompt"],
    *,
    n_steps: int,
    seed: int,
) -> Float[Tensor, "member image pixel"]:
    """Draw images of all members by deterministic denoising (DDIM) from the same noise.

    Args:
        network: gives the architecture; its own parameters are not used.
        parameters: stacked, as in ``Run.snapshots``.
        prompts: one an image.
        n_steps: noise levels, evenly spaced from 1 down to 0.
        seed: of the noise.

    Source:
        Song, Meng and Ermon (2021), Denoising Diffusion Implicit Models, ICLR; their deterministic case.
    """
    base = deepcopy(network).eval()
    first = next(iter(parameters.values()))
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(len(prompts), network.n_pixels, generator=generator).to(first)
    x, prompts = noise.expand(len(first), -1, -1), prompts.to(first).expand(len(first), -1, -1)
    step = vmap(lambda own, inputs: functional_call(base, dict(own), (inputs,)))
    for i in range(n_steps):
        level, below = (torch.tensor(1 - j / n_steps).to(first) for j in (i, i + 1))
        clean = step(dict(parameters), torch.cat([x, prompts, level.expand(*x.shape[:-1], 1)], -1))
        signal_share, noise_share = signal_and_noise(level)
        direction = (x - signal_share * clean) / noise_share
        signal_share, noise_share = signal_and_noise(below)
        x = signal_share * clean + noise_share * direction
    return x
