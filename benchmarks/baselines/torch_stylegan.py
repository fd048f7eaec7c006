"""StyleGAN in plain PyTorch, as ``models/gans/stylegan.py`` has it: the same layers, the same number of weights.

See also: ``torch_script.py``, which trains it.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

ROOT_2 = math.sqrt(2.0)  # before a LeakyReLU


class EqualizedLinear(nn.Module):
    def __init__(self, inputs, units, gain=ROOT_2, rate=1.0, bias=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(units, inputs) / rate)
        self.bias = nn.Parameter(torch.full((units,), bias / rate))
        self.scale, self.rate = gain / math.sqrt(inputs) * rate, rate

    def forward(self, x):
        return functional.linear(x, self.weight * self.scale, self.bias * self.rate)


class EqualizedConv2d(nn.Module):
    def __init__(self, channels, filters, size, gain=ROOT_2):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(filters, channels, size, size))
        self.bias = nn.Parameter(torch.zeros(filters))
        self.scale = gain / math.sqrt(channels * size**2)

    def forward(self, x):
        return functional.conv2d(x, self.weight * self.scale, self.bias, padding=self.weight.shape[-1] // 2)


class PixelNorm(nn.Module):
    def forward(self, z):
        return z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)


class Styled(nn.Module):
    """Noise, LeakyReLU, AdaIN."""

    def __init__(self, latent_dim, filters, side):
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(filters))
        self.register_buffer("fixed", torch.randn(1, 1, side, side))
        self.scale = EqualizedLinear(latent_dim, filters, gain=1.0, bias=1.0)
        self.shift = EqualizedLinear(latent_dim, filters, gain=1.0)

    def forward(self, x, w):
        noise = torch.randn(len(x), 1, *x.shape[2:], device=x.device) if self.training else self.fixed
        x = functional.leaky_relu(x + 0.1 * self.strength[:, None, None] * noise, 0.2)
        return functional.instance_norm(x) * self.scale(w)[:, :, None, None] + self.shift(w)[:, :, None, None]


class Generator(nn.Module):
    def __init__(self, stages, latent_dim, depth):
        super().__init__()
        dense = [(EqualizedLinear(latent_dim, latent_dim, rate=0.01), nn.LeakyReLU(0.2)) for _ in range(depth)]
        self.mapping = nn.Sequential(PixelNorm(), *(layer for pair in dense for layer in pair))
        (side, before), *larger = stages
        self.constant = nn.Parameter(torch.ones(1, before, side, side))
        self.convolutions = nn.ModuleList([EqualizedConv2d(before, before, 3)])
        self.styles = nn.ModuleList([Styled(latent_dim, before, side) for _ in range(2)])
        for side, filters in larger:
            self.convolutions += [EqualizedConv2d(before, filters, 3), EqualizedConv2d(filters, filters, 3)]
            self.styles += [Styled(latent_dim, filters, side) for _ in range(2)]
            before = filters
        self.to_rgb = EqualizedConv2d(before, 3, 1, gain=1.0)
        self.w_mean = torch.zeros(latent_dim)  # not one of the network's own weights

    def _apply(self, move, recurse=True):
        self.w_mean = move(self.w_mean)
        return super()._apply(move, recurse)

    def forward(self, z):
        first, second = self.mapping(z), self.mapping(torch.randn_like(z))
        count, batch = len(self.styles), len(z)
        places = torch.randint(1, count, (batch,), device=z.device)
        places = torch.where(torch.rand(batch, device=z.device) < 0.9, places, count)
        keep = torch.arange(count, device=z.device)[:, None] < places  # layers, batch
        rule = [torch.where(kept[:, None], first, second) for kept in keep]
        x = self.styles[0](self.constant.expand(batch, -1, -1, -1), rule[0])
        for number, (convolution, style) in enumerate(zip(self.convolutions, self.styles[1:], strict=True), 1):
            if number > 1 and number % 2 == 0:
                x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = style(convolution(x), rule[number])
        return self.to_rgb(x)


class Down(nn.Module):
    """1 3 3 1 along both sides, one output for every two pixels."""

    def __init__(self, channels):
        super().__init__()
        along = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8.0
        self.register_buffer("kernel", torch.outer(along, along).repeat(channels, 1, 1, 1), persistent=False)

    def forward(self, x):
        return functional.conv2d(x, self.kernel.to(x.dtype), stride=2, padding=1, groups=x.shape[1])


class MinibatchStd(nn.Module):
    def forward(self, x):
        batch, channels, height, width = x.shape
        spread = x.float().reshape(4, batch // 4, channels, height, width).var(0, unbiased=False)
        spread = (spread + 1e-8).sqrt().mean((1, 2, 3), keepdim=True)  # groups, 1, 1, 1
        return torch.cat([x, spread.repeat(4, 1, height, width).to(x.dtype)], 1)


def stylegan(image_size, latent_dim=128, width=24, most=8, mapping_depth=8):
    """Return generator and discriminator; batches are multiples of 4."""
    doublings = int(math.log2(image_size)) - 2
    stages = [(4 * 2**rung, width * min(most, 2 ** (doublings - rung))) for rung in range(doublings + 1)]
    before = stages[-1][1]
    judges = [EqualizedConv2d(3, before, 1), nn.LeakyReLU(0.2)]
    for _, filters in stages[-2::-1]:
        judges += [EqualizedConv2d(before, before, 3), nn.LeakyReLU(0.2), Down(before)]
        judges += [EqualizedConv2d(before, filters, 3), nn.LeakyReLU(0.2)]
        before = filters
    judges += [MinibatchStd(), EqualizedConv2d(before + 1, before, 3), nn.LeakyReLU(0.2), nn.Flatten()]
    judges += [EqualizedLinear(16 * before, before), nn.LeakyReLU(0.2), EqualizedLinear(before, 1, gain=1.0)]
    return Generator(stages, latent_dim, mapping_depth), nn.Sequential(*judges)
