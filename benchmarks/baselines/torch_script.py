"""The same networks and the same step in plain PyTorch, after PyTorch's own DCGAN example.

Channels last, and ``torch.autocast`` for bfloat16. As in the example, D learns from real images, then from fakes, and
G from the same fakes: its forward pass is made once. On a GPU the step is wrapped by ``torch.compile`` where asked.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from benchmarks.baselines import LATENT_DIM, pictures


def networks(system: str, image_size: int, **options) -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator of "slides-v1", "slides-v2" or "dcgan"; scores are logits."""
    return {"slides-v1": slides_v1, "slides-v2": slides_v2, "dcgan": dcgan}[system](image_size, **options)


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


def parameters(network: nn.Module) -> int:
    """Weights, with BatchNorm's running mean and variance."""
    buffers = sum(buffer.numel() for name, buffer in network.named_buffers() if "num_batches" not in name)
    return sum(weight.numel() for weight in network.parameters()) + buffers


class Trainer:
    def __init__(self, system, image_size, batch_size, precision, options):
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        nets = networks(system, image_size, **{key: value for key, value in options.items() if key != "compile"})
        self.parameters = tuple(parameters(net) for net in nets)
        self.generator, self.discriminator = (net.to(self.device, memory_format=torch.channels_last) for net in nets)
        self.latent_dim = options.get("latent_dim", LATENT_DIM)
        images = torch.from_numpy(pictures(image_size)).permute(0, 3, 1, 2).float() / 127.5 - 1.0
        loader = torch.utils.data.DataLoader(
            torch.utils.data.TensorDataset(images), batch_size, shuffle=True, drop_last=True
        )
        self.batches = self.forever(loader)
        self.criterion = nn.BCEWithLogitsLoss()
        self.d_optimizer = torch.optim.Adam(self.discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.g_optimizer = torch.optim.Adam(self.generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.autocast = torch.autocast(self.device, torch.bfloat16, enabled=precision == "bfloat16")
        self.step = torch.compile(self.one_step) if options.get("compile") else self.one_step

    @staticmethod
    def forever(loader):
        while True:
            for (images,) in loader:
                yield images

    def one_step(self, real):
        ones = torch.ones(len(real), 1, device=self.device)
        zeros = torch.zeros(len(real), 1, device=self.device)
        self.d_optimizer.zero_grad()
        with self.autocast:
            fake = self.generator(torch.randn(len(real), self.latent_dim, device=self.device))
            fake = fake.contiguous(memory_format=torch.channels_last)
            d_loss = self.criterion(self.discriminator(real).float(), ones)
            d_loss = d_loss + self.criterion(self.discriminator(fake.detach()).float(), zeros)
        d_loss.backward()
        self.d_optimizer.step()

        self.g_optimizer.zero_grad()
        with self.autocast:
            g_loss = self.criterion(self.discriminator(fake).float(), ones)
        g_loss.backward()
        self.g_optimizer.step()
        return d_loss, g_loss

    def run(self, steps):
        for _ in range(steps):
            real = next(self.batches).to(self.device, memory_format=torch.channels_last)
            losses = self.step(real)
        for loss in losses:
            loss.item()  # waits for the device
