"""The slide deck's two pairs, DCGAN and SNGAN in plain PyTorch: layers from the shelf, in the order of the source.

See also: ``torch_stylegan.py``; ``torch_script.py``, which trains them.
"""

from __future__ import annotations

import math

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from benchmarks.baselines import LATENT_DIM
from benchmarks.baselines.torch_stylegan import stylegan


def networks(system: str, image_size: int, **options) -> tuple[nn.Module, nn.Module]:
    """Return generator and discriminator of one of ``NETWORKS``; scores are logits."""
    return NETWORKS[system](image_size, **options)


def slides_v1(image_size, latent_dim=LATENT_DIM, dense=1024, filters=(128, 64)):
    base, (wide, narrow) = image_size // 4, filters
    after = (image_size // 2 - 4) // 2
    generator = nn.Sequential(
        nn.Linear(latent_dim, dense),
        nn.Tanh(),
        nn.Linear(dense, wide * base * base),
        nn.BatchNorm1d(wide * base * base),
        nn.Tanh(),
        nn.Unflatten(1, (wide, base, base)),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(wide, narrow, 5, padding=2),
        nn.Tanh(),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(narrow, 3, 5, padding=2),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(3, narrow, 5, padding=2),
        nn.Tanh(),
        nn.MaxPool2d(2),
        nn.Conv2d(narrow, wide, 5),
        nn.Tanh(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(wide * after * after, dense),
        nn.Tanh(),
        nn.Linear(dense, 1),
    )
    return generator, discriminator


def slides_v2(image_size, latent_dim=LATENT_DIM, filters=(512, 256, 128, 64)):
    first, *widths = filters
    base = image_size // 8
    stages = [nn.Linear(latent_dim, first * base * base), nn.ReLU(), nn.Unflatten(1, (first, base, base))]
    for before, width in zip(filters, widths, strict=False):
        stages += [nn.Upsample(scale_factor=2), nn.Conv2d(before, width, 5, padding=2)]
        stages += [nn.BatchNorm2d(width, momentum=0.2), nn.ReLU()]
    stages += [nn.Conv2d(filters[-1], 3, 5, padding=2), nn.Tanh()]

    narrow, second, third, last = filters[::-1]
    side = -(-(image_size // 4 + 1) // 2)
    judges = [nn.Conv2d(3, narrow, 5, stride=2, padding=2), nn.LeakyReLU(0.2), nn.Dropout(0.4)]
    judges += [nn.Conv2d(narrow, second, 5, stride=2, padding=2), nn.ZeroPad2d((0, 1, 0, 1))]
    judges += [nn.BatchNorm2d(second, momentum=0.2), nn.LeakyReLU(0.2), nn.Dropout(0.4)]
    for before, width, stride in ((second, third, 2), (third, last, 1)):
        judges += [nn.Conv2d(before, width, 5, stride=stride, padding=2), nn.BatchNorm2d(width, momentum=0.2)]
        judges += [nn.LeakyReLU(0.2), nn.Dropout(0.4)]
    judges += [nn.Flatten(), nn.Linear(last * side * side, 1)]
    return nn.Sequential(*stages), nn.Sequential(*judges)


def dcgan(image_size, latent_dim=LATENT_DIM, width=64):
    widths = [width * min(8, 2**rung) for rung in range(int(math.log2(image_size)) - 2)]
    stages = [nn.Linear(latent_dim, 16 * widths[-1], bias=False), nn.Unflatten(1, (widths[-1], 4, 4))]
    stages += [nn.BatchNorm2d(widths[-1]), nn.ReLU()]
    up = {"kernel_size": 5, "stride": 2, "padding": 2, "output_padding": 1}
    for before, filters in zip(widths[::-1], widths[-2::-1], strict=False):
        stages += [nn.ConvTranspose2d(before, filters, bias=False, **up), nn.BatchNorm2d(filters), nn.ReLU()]
    stages += [nn.ConvTranspose2d(width, 3, **up), nn.Tanh()]

    judges = [nn.Conv2d(3, width, 5, stride=2, padding=2), nn.LeakyReLU(0.2)]
    for before, filters in zip(widths, widths[1:], strict=False):
        judges += [nn.Conv2d(before, filters, 5, stride=2, padding=2, bias=False)]
        judges += [nn.BatchNorm2d(filters), nn.LeakyReLU(0.2)]
    judges += [nn.Flatten(), nn.Linear(16 * widths[-1], 1)]
    return nn.Sequential(*stages), nn.Sequential(*judges)


def sngan(image_size, latent_dim=LATENT_DIM, width=64):
    generator, _ = dcgan(image_size, latent_dim, width)
    judges, before = [], 3
    for filters in (width * min(8, 2**rung) for rung in range(int(math.log2(image_size)) - 2)):
        judges += [spectral_norm(nn.Conv2d(before, filters, 5, stride=2, padding=2)), nn.LeakyReLU(0.2)]
        before = filters
    judges += [nn.Flatten(), spectral_norm(nn.Linear(16 * before, 1))]
    return generator, nn.Sequential(*judges)


NETWORKS = {"slides-v1": slides_v1, "slides-v2": slides_v2, "dcgan": dcgan, "sngan": sngan, "stylegan": stylegan}


def parameters(network: nn.Module) -> int:
    """Return the number of weights, with BatchNorm's moving averages and spectral normalisation's u."""
    state = network.state_dict().items()
    return sum(values.numel() for name, values in state if not name.endswith(("num_batches_tracked", "_v")))
