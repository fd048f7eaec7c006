"""The same networks and the same step in plain PyTorch, after PyTorch's own DCGAN example.

Channels last, and ``torch.autocast`` for bfloat16. As in the example, D learns from real images, then from fakes, and
G from the same fakes: its forward pass is made once. SNGAN has the hinge loss; StyleGAN the penalty R1 on D, an average
of G's weights and the mean of w. The step is wrapped by ``torch.compile`` where asked.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from benchmarks.baselines import LATENT_DIM, pictures
from benchmarks.baselines.torch_nets import networks, parameters

R1 = {"stylegan": 0.5}
AVERAGE = {"stylegan": 0.995}
LATENT_DIMS = {"stylegan": 128}


def logistic(real, fake):
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


def hinge(real, fake):
    return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()


class Trainer:
    def __init__(self, system, image_size, batch_size, precision, options):
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        nets = networks(system, image_size, **{key: value for key, value in options.items() if key != "compile"})
        self.parameters = tuple(parameters(net) for net in nets)
        self.generator, self.discriminator = (net.to(self.device, memory_format=torch.channels_last) for net in nets)
        self.latent_dim = options.get("latent_dim", LATENT_DIMS.get(system, LATENT_DIM))
        images = torch.from_numpy(pictures(image_size)).permute(0, 3, 1, 2).float() / 127.5 - 1.0
        loader = torch.utils.data.DataLoader(
            torch.utils.data.TensorDataset(images), batch_size, shuffle=True, drop_last=True
        )
        self.batches = self.forever(loader)
        self.d_loss, self.g_loss = logistic, lambda fake: functional.softplus(-fake).mean()
        if system == "sngan":
            self.d_loss, self.g_loss = hinge, lambda fake: -fake.mean()
        self.r1, self.average = R1.get(system, 0.0), AVERAGE.get(system)
        self.averaged = [weight.detach().clone() for weight in self.generator.parameters()] if self.average else []
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
        self.d_optimizer.zero_grad()
        with self.autocast:
            fake = self.generator(torch.randn(len(real), self.latent_dim, device=self.device))
            fake = fake.contiguous(memory_format=torch.channels_last)
            real_logits = self.discriminator(real.requires_grad_(self.r1 > 0)).float()
            d_loss = self.d_loss(real_logits, self.discriminator(fake.detach()).float())
        if self.r1:
            (gradients,) = torch.autograd.grad(real_logits.sum(), real, create_graph=True)
            d_loss = d_loss + self.r1 / 2 * gradients.square().sum((1, 2, 3)).mean()
        d_loss.backward()
        self.d_optimizer.step()

        self.g_optimizer.zero_grad()
        with self.autocast:
            g_loss = self.g_loss(self.discriminator(fake).float())
        g_loss.backward()
        self.g_optimizer.step()
        if self.average:
            self.follow(len(real))
        return d_loss, g_loss

    @torch.no_grad()
    def follow(self, batch):
        torch._foreach_lerp_(self.averaged, list(self.generator.parameters()), 1 - self.average)
        w = self.generator.mapping(torch.randn(batch, self.latent_dim, device=self.device))
        self.generator.w_mean.lerp_(w.mean(0), 0.005)

    def run(self, steps):
        for _ in range(steps):
            real = next(self.batches).to(self.device, memory_format=torch.channels_last)
            losses = self.step(real)
        for loss in losses:
            loss.item()  # waits for the device
