"""stylegan: a mapped w sets the style of each layer of G; noise sets the random details.

Source: Karras et al. 2019, "A style-based generator architecture for generative adversarial networks"; the course's
dissertation, section 2.2.2, eq. 2.14. Against ``pggan.py``:

- a mapping network of 8 dense layers turns z into w;
- G starts from a learned constant of 4×4, and after each convolution w sets the mean and the standard deviation of
  every channel (AdaIN): coarse layers set pose and shape of the head, fine ones the colours;
- fresh noise, times a learned strength, is added in each layer;
- in training nine images of ten have two w, one for the coarse and one for the fine layers (style mixing).

As in the paper: equalised learning rates, that of the mapping 100 times smaller, LeakyReLU 0.2, binomial filters at
each change of size, D with minibatch standard deviation, the non-saturating loss with R1, Adam with beta_1 0 and beta_2
0.99, images from averaged weights, truncation of w towards its mean. Ours:

- All layers are trained from the start, without growing and without outputs at small sizes, as in StyleGAN2.
- D halves a map before the second convolution of a stage, not after it: a quarter of the cost.
- The strengths of the noise learn at a tenth of the learning rate. Otherwise, after 2000 iterations, every face was
  covered with the same speckles.
- ``width``, learning rate and R1's γ were tried at 32×32 on two cores: with γ = 1 D could not tell fakes from
  photographs, with 0.1 faces broke. The paper's γ = 10 is for 1024×1024 (26.2 million weights in G).

See also: ``layers/adain.py``; ``figures/stylegan.py``, the paper's figures of style mixing and truncation.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.layers.adain import AdaIN
from keras_faces.layers.blur import Blur
from keras_faces.layers.dcgan_blocks import feature_channels, feature_sizes
from keras_faces.layers.equalized import EqualizedConv2D, EqualizedDense
from keras_faces.layers.learned_constant import LearnedConstant
from keras_faces.layers.minibatch_std import MinibatchStd
from keras_faces.layers.noise import NoiseInjection
from keras_faces.layers.pixel_norm import PixelNorm
from keras_faces.layers.style_mixing import StyleMixing
from keras_faces.training.gan import RegularizedGAN
from keras_faces.training.sampling import generate, latent_noise

IMAGE_SIZE = 32
NOISE_RATE = 0.1  # learning rate of the noise's strengths, as a share of the others


@keras.saving.register_keras_serializable("keras_faces")
class AnotherNoise(layers.Layer):
    """Second noise for style mixing: a fresh z of the same shape in training, otherwise the given z."""

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


def mapping(latent_dim: int = 128, depth: int = 8, lr_multiplier: float = 0.01) -> keras.Sequential:
    """Return the mapping network, from z (latent_dim,) to w (latent_dim,)."""
    stages = [layers.Input((latent_dim,)), PixelNorm()]
    for _ in range(depth):
        stages += [EqualizedDense(latent_dim, lr_multiplier=lr_multiplier), layers.LeakyReLU(negative_slope=0.2)]
    stages += [layers.Activation("linear", dtype="float32")]
    return keras.Sequential(stages, name="mapping")


def synthesis(
    image_size: int = IMAGE_SIZE, latent_dim: int = 128, width: int = 24, max_multiplier: int = 8, seed: int = 0
) -> keras.Model:
    """Return the synthesis network, from a w for each layer (layers, latent_dim) to an image. Shapes: 32×32."""
    (side, filters), *larger = reversed(_stages(image_size, width, max_multiplier))
    styles = layers.Input((2 * len(larger) + 2, latent_dim))  # 8, 128
    layer = iter(range(styles.shape[1]))  # from the coarsest layer to the finest

    maps = LearnedConstant(side, filters)(styles)  # 4, 4, 192
    maps = styled(maps, styles[:, next(layer)], seed + 1)
    maps = EqualizedConv2D(filters, kernel_size=3)(maps)
    maps = styled(maps, styles[:, next(layer)], seed + 2)
    for stage, (_, filters) in enumerate(larger, start=1):
        maps = Blur("up")(maps)  # bilinear
        maps = EqualizedConv2D(filters, kernel_size=3)(maps)
        maps = styled(maps, styles[:, next(layer)], seed + 2 * stage + 1)
        maps = EqualizedConv2D(filters, kernel_size=3)(maps)
        maps = styled(maps, styles[:, next(layer)], seed + 2 * stage + 2)  # 8, 8, 96 → 16, 16, 48 → 32, 32, 24
    images = EqualizedConv2D(3, kernel_size=1, gain=1.0, dtype="float32", name="to_rgb")(maps)  # 32, 32, 3
    return keras.Model(styles, images, name="synthesis")


def styled(maps: Any, w: Any, seed: int) -> Any:
    """Apply what follows every convolution of G: noise, LeakyReLU, and AdaIN with an affine map of w (eq. 2.14)."""
    maps = NoiseInjection(seed=seed, rate=NOISE_RATE)(maps)
    maps = layers.LeakyReLU(negative_slope=0.2)(maps)
    scale = EqualizedDense(maps.shape[-1], gain=1.0, bias_init=1.0)(w)  # y_s
    shift = EqualizedDense(maps.shape[-1], gain=1.0)(w)  # y_b
    return AdaIN()(maps, scale, shift)


def generator(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 128,
    width: int = 24,
    max_multiplier: int = 8,
    mapping_depth: int = 8,
    mapping_lr_multiplier: float = 0.01,
    mixing: float = 0.9,
    seed: int = 0,
) -> keras.Model:
    """Return G, from noise (latent_dim,) to an image (image_size, image_size, 3): mapping, style mixing, synthesis."""
    noise = layers.Input((latent_dim,))
    to_w = mapping(latent_dim, mapping_depth, mapping_lr_multiplier)
    to_image = synthesis(image_size, latent_dim, width, max_multiplier, seed=seed + 10)
    other = AnotherNoise(seed=seed + 1)(noise)
    styles = StyleMixing(to_image.input_shape[1], mixing, seed=seed + 2)(to_w(noise), to_w(other))
    return keras.Model(noise, to_image(styles), name="generator")


def discriminator(image_size: int = IMAGE_SIZE, width: int = 24, max_multiplier: int = 8) -> keras.Sequential:
    """Return D, from an image (image_size, image_size, 3) in [-1, 1] to the logit (1,) of "real". Shapes: 32×32."""
    (_, filters), *smaller = _stages(image_size, width, max_multiplier)
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


def _stages(image_size: int, width: int, max_multiplier: int) -> list[tuple[int, int]]:
    """(side, channels) from the image down to 4×4: (32, 24), (16, 48), (8, 96), (4, 192)."""
    sides = feature_sizes(image_size)
    made = 4 * 2 ** (len(sides) - 1)
    if image_size != made or image_size < 8:
        near = " or ".join(str(size) for size in sorted({max(8, made // 2), max(8, made)}))
        raise ValueError(f"stylegan doubles 4×4 maps and cannot make {image_size}×{image_size} images. Try {near}.")
    return list(zip(sides, feature_channels(2 * image_size, width, max_multiplier), strict=True))


@keras.saving.register_keras_serializable("keras_faces")
class StyleGAN(RegularizedGAN):
    """The common step, with a moving average of w, and faces made from w.

    ``w_mean``, (latent_dim,), has a decay of 0.995 (Karras et al. 2019, appendix C). It moves once in each iteration,
    after G's update.

    Parameters
    ----------
    networks : keras.Model
        From :func:`generator` and :func:`discriminator`.
    options
        See :class:`RegularizedGAN`.
    """

    def __init__(self, *networks: keras.Model, **options: Any) -> None:
        super().__init__(*networks, **options)
        self.w_mean = self.add_weight(shape=(self.latent_dim,), initializer="zeros", trainable=False, name="w_mean")
        self.w_mean.assign(ops.mean(self.mapping(latent_noise(512, self.latent_dim, self.seed), training=False), 0))

    @property
    def mapping(self) -> keras.Model:
        """The network from z (batch, latent_dim) to w (batch, latent_dim)."""
        return self.generator.get_layer("mapping")

    @property
    def synthesis(self) -> keras.Model:
        """The network from a w for each layer, (batch, layers, latent_dim), to images."""
        return self.generator.get_layer("synthesis")

    def train_generator(self, noise: Any, *labels: Any) -> dict[str, Any]:
        """Update G once, then ``w_mean``."""
        logs = super().train_generator(noise)
        w = self.mapping(self.noise(ops.shape(noise)[0]), training=False)
        self.w_mean.assign(0.995 * self.w_mean + 0.005 * ops.mean(ops.cast(w, "float32"), axis=0))
        return logs

    # ------------------------------------------------------------------------------------ faces from w

    def sample(self, count: int, seed: int = 0, truncation: float | None = None) -> np.ndarray:
        """Generate faces, uint8 (count, H, W, 3); the noise of the layers is the same for all (``layers/noise.py``).

        Parameters
        ----------
        count, seed : int
            As of :meth:`FaceModel.sample`.
        truncation : float, optional
            ψ in [0, 1], see :meth:`truncated`: 0.7 for fewer odd faces, 0 for the mean face; ``None`` or 1 for w.

        Raises
        ------
        ValueError
            If ψ is out of its range.
        """
        if truncation is not None and not 0.0 <= truncation <= 1.0:
            raise ValueError(f"truncation={truncation}: for stylegan it is ψ, the share of w kept, between 0 and 1.")
        w = self.styles(latent_noise(count, self.latent_dim, seed))
        return self.synthesize(w if truncation is None else self.truncated(w, truncation))

    def styles(self, noise: np.ndarray) -> np.ndarray:
        """Return w of the given z, both float32 (count, latent_dim)."""
        self.synchronise()
        with keras.StatelessScope(state_mapping=self.sampling_state()):
            return ops.convert_to_numpy(self.mapping(noise, training=False))

    def truncated(self, w: np.ndarray, psi: float) -> np.ndarray:
        """Return ``w_mean + ψ (w − w_mean)``, as w: ψ = 0 gives the mean face, ψ < 0 the opposite of a face."""
        self.synchronise()
        mean = ops.convert_to_numpy(self.w_mean)
        return mean + psi * (w - mean)

    def synthesize(self, w: np.ndarray, noise_seed: int | None = None) -> np.ndarray:
        """Generate faces of given styles, uint8 (count, H, W, 3).

        Parameters
        ----------
        w : ndarray of float32, shape (count, latent_dim) or (count, layers, latent_dim)
            One w for each image, or one for each of its layers, from 4×4 on.
        noise_seed : int, optional
            Seed of the noise of the layers; ``None`` for their fixed noise.
        """
        self.synchronise()
        if w.ndim == 2:
            w = np.repeat(w[:, None], self.synthesis.input_shape[1], axis=1)
        state = self.sampling_state()
        if noise_seed is not None:
            noisy = [layer for layer in self.synthesis.layers if isinstance(layer, NoiseInjection)]
            state += [(layer.fixed, layer.random_noise([noise_seed, index])) for index, layer in enumerate(noisy)]
        return generate(self.synthesis, w, state, self.value_range)

    def mixed(self, coarse: np.ndarray, fine: np.ndarray, crossover: int) -> np.ndarray:
        """Generate faces, uint8 (count, H, W, 3), whose first layers have other styles than the rest.

        Parameters
        ----------
        coarse, fine : ndarray of float32, shape (count, latent_dim)
            w of the first layers, from 4×4 on, and of the rest.
        crossover : int
            How many layers have ``coarse``, from 0 to all.
        """
        layers_of_g = np.arange(self.synthesis.input_shape[1])[:, None]
        return self.synthesize(np.where(layers_of_g < crossover, coarse[:, None], fine[:, None]))


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 128,
    width: int = 24,
    max_multiplier: int = 8,
    mapping_depth: int = 8,
    mapping_lr_multiplier: float = 0.01,
    mixing: float = 0.9,
    learning_rate: float = 2e-3,
    r1: float = 0.5,
    average: float = 0.995,
    seed: int = 0,
    **options: Any,
) -> StyleGAN:
    """Return StyleGAN, compiled. D always reads fakes and photographs as two batches.

    Parameters
    ----------
    image_size : int
        Side of the images in pixels: a power of two, at least 8.
    latent_dim : int
        Length of z and of w.
    width, max_multiplier : int
        Channels of both networks at the image's size; twice as many after each halving, at most
        ``max_multiplier * width``.
    mapping_depth : int
        Dense layers of the mapping network.
    mapping_lr_multiplier, learning_rate : float
        Adam's learning rate for D and for G, and that of the mapping as a share of it.
    mixing : float
        Share of the images in training that have two w.
    r1, average, seed, options
        See :class:`RegularizedGAN`.

    Raises
    ------
    ValueError
        For another ``image_size``.
    """
    model = StyleGAN(
        generator(image_size, latent_dim, width, max_multiplier, mapping_depth, mapping_lr_multiplier, mixing, seed),
        discriminator(image_size, width, max_multiplier),
        separate_batches=True,
        r1=r1,
        average=average,
        seed=seed,
        name="stylegan",
        **options,
    )
    adam = [keras.optimizers.Adam(learning_rate, beta_1=0.0, beta_2=0.99, epsilon=1e-8) for _ in range(2)]
    model.compile(*adam)
    return model
