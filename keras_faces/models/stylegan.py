"""stylegan: a mapped w sets the style of every layer of G; noise decides what is left to chance.

Source: Karras et al. 2019, "A style-based generator architecture for generative adversarial networks"; the course's
dissertation, section 2.2.2, eq. 2.14. Noise z no longer enters at the bottom of G. A mapping network of 8 dense layers
turns it into w; G starts from a *learned constant* of 4×4, and after each convolution w sets the mean and spread of
every channel (``layers/adain.py``): coarse layers pose and shape of the head, fine ones its colours. To each layer
fresh noise is added with a learned strength (``layers/noise.py``). In training nine images of ten have two w, one for
the coarse layers, one for the fine (``layers/style_mixing.py``).

As in the paper: equalised learning rates, the mapping's 100 times smaller, LeakyReLU 0.2, binomial filters around each
change of size, D with minibatch statistics, the non-saturating loss with R1, Adam with beta_1 = 0 and beta_2 = 0.99,
pictures from averaged weights, w truncated towards its mean. Decided here:

- Not grown from 4×4: all layers train together from the start, G with no shortcut from its small maps to the image. The
  course's small sizes do not need it, one step is the same from first to last, and StyleGAN2 gave up growing as well
  (a grown G ties details to places of the image). ``pggan.py`` grows.
- In D a map is halved *before* the second convolution of its stage, not after it, which costs a quarter there.
- The noise's strengths learn at a tenth of the rate. In a training of minutes G otherwise finds noise faster than
  style: after 2000 iterations every face was covered with the same speckles.
- ``width``, rate and R1's γ were tried out at 32 pixels on two cores: with γ = 1, D soon only guessed, with 0.1 faces
  broke. The paper's γ = 10 is for 1024 pixels (``width=16, most=32, latent_dim=512``: 26.2 million weights in G).

Read next: ``layers/adain.py``; then ``pggan.py`` for what this network came from.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces import plots
from keras_faces.layers.adain import AdaIN
from keras_faces.layers.blur import Blur
from keras_faces.layers.equalized import EqualizedConv2D, EqualizedDense
from keras_faces.layers.ladder import channels, sides
from keras_faces.layers.learned_constant import LearnedConstant
from keras_faces.layers.minibatch_std import MinibatchStd
from keras_faces.layers.noise import NoiseInjection
from keras_faces.layers.pixel_norm import PixelNorm
from keras_faces.layers.style_mixing import StyleMixing
from keras_faces.training.adam import Adam
from keras_faces.training.adversarial import AdversarialModel
from keras_faces.training.sampling import generate, latent_noise

IMAGE_SIZE = 32
PRINTED: dict = {}  # the dissertation prints no layers
NOISE_RATE = 0.1  # of the noise's strength, as a share of the other rates: see above
PSI = (1.0, 0.7, 0.5, 0.0, -0.5, -1.0)  # the rows of Karras et al. 2019, figure 8


@keras.saving.register_keras_serializable("keras_faces")
class AnotherNoise(layers.Layer):
    """Fresh noise like the one it is called with, to mix styles with; outside training that noise itself."""

    def __init__(self, seed: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, noise, training=False):
        return keras.random.normal(ops.shape(noise), dtype=noise.dtype, seed=self.seed_generator) if training else noise

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


def mapping(latent_dim: int = 128, depth: int = 8, rate: float = 0.01) -> keras.Sequential:
    """Noise z (latent_dim,) to w (latent_dim,). ``rate``: its layers learn at this share of the others' rate."""
    stages = [layers.Input((latent_dim,)), PixelNorm()]
    for _ in range(depth):
        stages += [EqualizedDense(latent_dim, lr_multiplier=rate), layers.LeakyReLU(negative_slope=0.2)]
    stages += [layers.Activation("linear", dtype="float32")]
    return keras.Sequential(stages, name="mapping")


def synthesis(
    image_size: int = IMAGE_SIZE, latent_dim: int = 128, width: int = 24, most: int = 8, seed: int = 0
) -> keras.Model:
    """One w a layer (layers, latent_dim) to an image (image_size, image_size, 3). Shapes in the comments: 32×32."""
    small, *larger = reversed(_stages(image_size, width, most))
    side, filters = small
    styles = layers.Input((2 * len(larger) + 2, latent_dim))  # 8, 128
    rule = iter(range(styles.shape[1]))  # from the coarsest layer to the finest

    maps = LearnedConstant(side, filters)(styles)  # 4, 4, 192
    maps = styled(maps, styles[:, next(rule)], seed + 1)
    maps = EqualizedConv2D(filters, kernel_size=3)(maps)
    maps = styled(maps, styles[:, next(rule)], seed + 2)
    for stage, (_, filters) in enumerate(larger, start=1):
        maps = Blur("up")(maps)  # bilinear
        maps = EqualizedConv2D(filters, kernel_size=3)(maps)
        maps = styled(maps, styles[:, next(rule)], seed + 2 * stage + 1)
        maps = EqualizedConv2D(filters, kernel_size=3)(maps)
        maps = styled(maps, styles[:, next(rule)], seed + 2 * stage + 2)  # 8, 8, 96 → 16, 16, 48 → 32, 32, 24
    images = EqualizedConv2D(3, kernel_size=1, gain=1.0, dtype="float32", name="to_rgb")(maps)  # 32, 32, 3
    return keras.Model(styles, images, name="synthesis")


def styled(maps: Any, w: Any, seed: int) -> Any:
    """What follows every convolution of G: noise, LeakyReLU, and the style that an affine map makes of w."""
    maps = NoiseInjection(seed=seed, rate=NOISE_RATE)(maps)
    maps = layers.LeakyReLU(negative_slope=0.2)(maps)
    scale = EqualizedDense(maps.shape[-1], gain=1.0, bias_init=1.0)(w)  # y_s of eq. 2.14
    shift = EqualizedDense(maps.shape[-1], gain=1.0)(w)  # y_b
    return AdaIN()(maps, scale, shift)


def generator(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 128,
    width: int = 24,
    most: int = 8,
    mapping_depth: int = 8,
    mapping_rate: float = 0.01,
    mixing: float = 0.9,
    seed: int = 0,
) -> keras.Model:
    """Noise (latent_dim,) to an image (image_size, image_size, 3): mapping, style mixing, synthesis."""
    noise = layers.Input((latent_dim,))
    to_w = mapping(latent_dim, mapping_depth, mapping_rate)
    to_image = synthesis(image_size, latent_dim, width, most, seed=seed + 10)
    other = AnotherNoise(seed=seed + 1)(noise)
    styles = StyleMixing(to_image.input_shape[1], mixing, seed=seed + 2)(to_w(noise), to_w(other))
    return keras.Model(noise, to_image(styles), name="generator")


def discriminator(image_size: int = IMAGE_SIZE, width: int = 24, most: int = 8) -> keras.Sequential:
    """Image (image_size, image_size, 3) in [-1, 1] to the logit (1,) of its being real."""
    (_, filters), *smaller = _stages(image_size, width, most)
    stages = [
        layers.Input((image_size, image_size, 3)),
        EqualizedConv2D(filters, kernel_size=1),
        layers.LeakyReLU(negative_slope=0.2),  # 32, 32, 24
    ]
    for _, wider in smaller:
        stages += [
            EqualizedConv2D(filters, kernel_size=3),
            layers.LeakyReLU(negative_slope=0.2),
            Blur("down"),
            EqualizedConv2D(wider, kernel_size=3),
            layers.LeakyReLU(negative_slope=0.2),  # 16, 16, 48 → 8, 8, 96 → 4, 4, 192
        ]
        filters = wider
    stages += [
        MinibatchStd(),  # 4, 4, 193
        EqualizedConv2D(filters, kernel_size=3),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Flatten(),  # 3072
        EqualizedDense(filters),
        layers.LeakyReLU(negative_slope=0.2),  # 192
        EqualizedDense(1, gain=1.0, dtype="float32"),  # 1
    ]
    return keras.Sequential(stages, name="discriminator")


def _stages(image_size: int, width: int, most: int) -> list[tuple[int, int]]:
    """(side, channels) from the image down to 4×4: (32, 24), (16, 48), (8, 96), (4, 192)."""
    ladder = sides(image_size)
    made = 4 * 2 ** (len(ladder) - 1)
    if image_size != made or image_size < 8:
        near = " or ".join(str(size) for size in sorted({max(8, made // 2), max(8, made)}))
        raise ValueError(f"stylegan doubles 4×4 maps and cannot make {image_size}×{image_size} images. Try {near}.")
    return list(zip(ladder, channels(2 * image_size, width, most), strict=True))


@keras.saving.register_keras_serializable("keras_faces")
class StyleGAN(AdversarialModel):
    """The common step; beside it the mean of w is followed, and faces can be made from w.

    ``w_mean`` (latent_dim,) is the moving average of w with a decay of 0.995 (Karras et al. 2019, appendix C). It
    moves once an iteration, after G's update; nothing else moves it.
    """

    def __init__(self, *networks: keras.Model, **rule: Any) -> None:
        super().__init__(*networks, **rule)
        self.w_mean = self.add_weight(shape=(self.latent_dim,), initializer="zeros", trainable=False, name="w_mean")
        self.w_mean.assign(ops.mean(self.mapping(latent_noise(512, self.latent_dim, self.seed), training=False), 0))

    @property
    def mapping(self) -> keras.Model:
        """z (batch, latent_dim) to w (batch, latent_dim)."""
        return self.generator.get_layer("mapping")

    @property
    def synthesis(self) -> keras.Model:
        """One w a layer (batch, layers, latent_dim) to images."""
        return self.generator.get_layer("synthesis")

    def improve_generator(self, batch: int) -> dict[str, Any]:
        """G's step, then w_mean follows the w that the mapping makes now."""
        numbers = super().improve_generator(batch)
        w = self.mapping(self.noise(batch), training=False)
        self.w_mean.assign(0.995 * self.w_mean + 0.005 * ops.mean(ops.cast(w, "float32"), axis=0))
        return numbers

    # ------------------------------------------------------------------------------------ faces from w

    def sample(self, count: int, seed: int = 0, truncation: float | None = None) -> np.ndarray:
        """Generated faces, uint8 (count, H, W, 3); the same seed gives the same faces, whatever the count.

        The noise of the layers is their fixed one, the same for every face (``layers/noise.py``).

        Parameters
        ----------
        truncation
            ψ in [0, 1], in w and not in z: faces come from ``w_mean + ψ (w - w_mean)``. 1 or ``None`` for w as it
            is, 0.7 for fewer odd faces, 0 for the mean face alone.
        """
        if truncation is not None and not 0.0 <= truncation <= 1.0:
            raise ValueError(f"truncation={truncation}: for stylegan it is ψ, the share of w kept, between 0 and 1.")
        w = self.styles(latent_noise(count, self.latent_dim, seed))
        return self.synthesize(w if truncation is None else self.truncated(w, truncation))

    def styles(self, noise: np.ndarray) -> np.ndarray:
        """w of the given noise z, both float32 (count, latent_dim)."""
        self.synchronise()
        with keras.StatelessScope(state_mapping=self.sampling_state()):
            return keras.ops.convert_to_numpy(self.mapping(noise, training=False))

    def truncated(self, w: np.ndarray, psi: float) -> np.ndarray:
        """``w_mean + ψ (w - w_mean)``: towards the mean face, at ψ = 0 in it, at ψ < 0 beyond it."""
        self.synchronise()
        mean = keras.ops.convert_to_numpy(self.w_mean)
        return mean + psi * (w - mean)

    def synthesize(self, w: np.ndarray, noise_seed: int | None = None) -> np.ndarray:
        """Faces of the given styles, uint8 (count, H, W, 3).

        Parameters
        ----------
        w
            One w an image, (count, latent_dim), or one a layer, (count, layers, latent_dim), from 4×4 on.
        noise_seed
            Draw the noise of all layers by this seed; ``None`` for their fixed one.
        """
        self.synchronise()
        if w.ndim == 2:
            w = np.repeat(w[:, None], self.synthesis.input_shape[1], axis=1)
        state = self.sampling_state()
        if noise_seed is not None:
            noisy = [layer for layer in self.synthesis.layers if isinstance(layer, NoiseInjection)]
            state += [(layer.fixed, layer.drawn([noise_seed, index])) for index, layer in enumerate(noisy)]
        return generate(self.synthesis, w, state, self.value_range)

    def mixed(self, coarse: np.ndarray, fine: np.ndarray, crossover: int) -> np.ndarray:
        """Faces with the coarse styles of the first w and the others of the second, uint8 (count, H, W, 3).

        Parameters
        ----------
        coarse, fine
            w of the two sources, (count, latent_dim) each.
        crossover
            How many layers, from 4×4 on, follow ``coarse``: 0 gives ``fine``'s faces, all of them ``coarse``'s.
        """
        layers_of_g = np.arange(self.synthesis.input_shape[1])[:, None]
        return self.synthesize(np.where(layers_of_g < crossover, coarse[:, None], fine[:, None]))


def mixing_picture(model: StyleGAN, rows: int = 4, columns: int = 6, crossover: int = 6, seed: int = 0) -> Any:
    """Figure 3 of Karras et al. 2019: each face has the coarse styles of its row and the fine ones of its column.

    The sources stand beside the rows and above the columns. Returns a matplotlib ``Figure``.
    """
    w = model.styles(latent_noise(rows + columns, model.latent_dim, seed))
    faces = model.synthesize(w)
    corner = np.full_like(faces[:1], 255)
    lines = [("fine\nstyles of", np.concatenate([corner, faces[rows:]]))]
    for row in range(rows):
        mixed = model.mixed(np.repeat(w[row : row + 1], columns, axis=0), w[rows:], crossover)
        lines.append(("coarse\nstyles of", np.concatenate([faces[row : row + 1], mixed])))
    return plots.evolution(lines, title=f"style mixing, {crossover} layers coarse")


def truncation_picture(model: StyleGAN, count: int = 6, seed: int = 0) -> Any:
    """Figure 8 of Karras et al. 2019: faces with ψ from 1 over 0, the mean face, to -1. A matplotlib ``Figure``."""
    w = model.styles(latent_noise(count, model.latent_dim, seed))
    lines = [(f"ψ = {psi:g}", model.synthesize(model.truncated(w, psi))) for psi in PSI]
    return plots.evolution(lines, title="truncation in w")


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 128,
    width: int = 24,
    most: int = 8,
    mapping_depth: int = 8,
    mapping_rate: float = 0.01,
    mixing: float = 0.9,
    rate: float = 2e-3,
    r1: float = 0.5,
    average: float = 0.995,
    seed: int = 0,
    **rule: Any,
) -> StyleGAN:
    """StyleGAN, compiled.

    Parameters
    ----------
    image_size
        8, 16, 32, 64, 128, ...
    latent_dim
        Length of the noise z and of w.
    width, most
        Channels at the image's own size in both networks; twice as many at each halving, up to ``most`` times.
    mapping_depth, mapping_rate
        Dense layers of the mapping network, and the share of ``rate`` that they learn at.
    mixing
        Share of the images in training that have the styles of two noises.
    rate
        Adam's learning rate for D and for G.
    r1, average, rule
        ``loss``, ``d_steps``, ...: see :class:`AdversarialModel`. D always reads fakes and photographs one after the
        other, as its minibatch statistics want it.

    Raises
    ------
    ValueError
        For another ``image_size``.
    """
    model = StyleGAN(
        generator(image_size, latent_dim, width, most, mapping_depth, mapping_rate, mixing, seed),
        discriminator(image_size, width, most),
        separate_batches=True,
        r1=r1,
        average=average,
        seed=seed,
        name="stylegan",
        **rule,
    )
    adam = [Adam(rate, beta_1=0.0, beta_2=0.99, epsilon=1e-8) for _ in range(2)]
    model.compile(*adam)
    return model
