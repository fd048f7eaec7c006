"""dcgan: its ladder of sizes, the paper's rules, and a clipped critic that still normalises."""

import keras
import numpy as np
import pytest

import keras_faces as kf
from keras_faces.layers.dcgan_blocks import feature_sizes
from keras_faces.models.gans import dcgan


@pytest.mark.parametrize("image_size", [16, 17, 32, 45, 64, 100, 125, 128])
def test_g_climbs_ds_ladder_backwards_at_every_size(image_size):
    def maps(network, kind):
        shapes = [tuple(layer.output.shape[1:3]) for layer in network.layers if type(layer).__name__ == kind]
        return [side for side, other in shapes if side == other]

    ladder = feature_sizes(image_size)
    assert maps(dcgan.discriminator(image_size, width=1), "Conv2D") == ladder[1:]
    assert maps(dcgan.generator(image_size, width=1), "Conv2DTranspose") == ladder[-2::-1]


def test_the_papers_rules_of_dcgan():
    generator, discriminator = dcgan.generator(64), dcgan.discriminator(64)

    def kinds(network):
        return [type(layer).__name__ for layer in network.layers]

    for network in (generator, discriminator):
        assert kinds(network).count("Dense") == 1
        assert not {"MaxPooling2D", "AveragePooling2D", "UpSampling2D"} & set(kinds(network))
    assert kinds(generator)[-2:] == ["Conv2DTranspose", "Activation"] and "LeakyReLU" not in kinds(generator)
    assert kinds(discriminator)[:3] == ["Conv2D", "LeakyReLU", "Conv2D"] and "ReLU" not in kinds(discriminator)


def test_smallest_sizes():
    for name, smallest in (("gan", 8), ("dcgan", 16), ("conv", 16), ("linear", 8)):
        with pytest.raises(ValueError, match=f"Try {smallest}"):
            kf.models.build(name, image_size=smallest - 1)


@pytest.mark.parametrize("name, rule", [("wgan", {}), ("dcgan", {"loss": "wgan"})])
def test_a_clipped_critic_still_normalises(name, rule, eager):
    """Clipped weights leave maps whose variance Keras's own epsilon of 1e-3 drowns: they came out at 0.02 instead."""
    model = kf.models.build(name, image_size=32, **rule)
    images = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
    model.train_on_batch(images)
    maps = keras.ops.convert_to_tensor(images / 127.5 - 1, "float32")
    for layer in model.discriminator.layers[:-2]:
        maps = layer(maps, training=True)
        if isinstance(layer, keras.layers.BatchNormalization):
            spread = keras.ops.std((maps - layer.beta) / layer.gamma, axis=(0, 1, 2))
            assert keras.ops.convert_to_numpy(spread).min() > 0.4


def test_in_16_bits_pictures_keep_their_digits(narrow):
    model = narrow("dcgan", precision="bfloat16")
    made = [layer for layer in model.generator.layers if layer.output.shape[-1] == 3]
    assert [layer.compute_dtype for layer in made] == ["float32", "float32"]  # the last convolution and its tanh
    first, second, *_ = (layer for layer in model.discriminator.layers if layer.weights)
    assert (first.compute_dtype, second.compute_dtype) == ("float32", "bfloat16")
