"""Self-attention against the paper's section 3 written out in NumPy, place by place."""

import keras
import numpy as np
import pytest

from keras_faces.layers.attention import SelfAttention
from keras_faces.training.gradients import value_and_grad

to_numpy = keras.ops.convert_to_numpy
FORMS = [{}, {"spectral": False}, {"pooled": True}, {"reduction": 2}]
each_form = pytest.mark.parametrize("form", FORMS, ids=["paper", "plain", "pooled", "half"])


def maps(channels=16):
    return np.random.default_rng(1).normal(size=(2, 4, 6, channels)).astype("float32")


def built(gamma=0.0, channels=16, **form):
    keras.utils.set_random_seed(4)
    layer = SelfAttention(**form)
    layer(maps(channels))
    layer.gamma.assign(gamma)
    return layer


def kernel(convolution):
    weights = convolution.normalised_kernel() if hasattr(convolution, "normalised_kernel") else convolution.kernel
    return to_numpy(weights)[0, 0].T  # (out, in), as the paper's W


def pooled_places(image):
    rows, columns, channels = image.shape
    return image.reshape(rows // 2, 2, columns // 2, 2, channels).max(axis=(1, 3)).reshape(-1, channels)


def reference(layer, image):
    """Section 3, one image (H, W, C), one place at a time."""
    places = image.reshape(-1, image.shape[-1])
    f, g, h, v = (kernel(convolution) for convolution in (layer.f, layer.g, layer.h, layer.v))
    keys, news = places @ f.T, places @ h.T
    if layer.pooled:
        keys, news = (pooled_places(values.reshape(*image.shape[:2], -1)) for values in (keys, news))
    gamma = float(to_numpy(layer.gamma))
    out, shares = np.empty_like(places), np.empty((len(places), len(keys)))
    for j, place in enumerate(places):
        scores = np.array([key @ (g @ place) for key in keys])
        shares[j] = np.exp(scores) / np.exp(scores).sum()
        out[j] = gamma * (v @ sum(share * new for share, new in zip(shares[j], news, strict=True))) + place
    return out.reshape(image.shape), shares


@each_form
def test_with_gamma_0_it_is_the_identity(form):
    np.testing.assert_array_equal(to_numpy(built(**form)(maps())), maps())


@each_form
def test_with_another_gamma_it_is_the_papers_formula(form):
    layer = built(gamma=1.7, **form)
    outputs, shares = to_numpy(layer(maps())), to_numpy(layer.attention_map(maps()))
    for image, output, share in zip(maps(), outputs, shares, strict=True):
        expected, expected_share = reference(layer, image)
        np.testing.assert_allclose(share, expected_share, atol=1e-5)
        np.testing.assert_allclose(output, expected, atol=1e-4)
    assert np.abs(outputs - maps()).max() > 0.05


@each_form
def test_attention_map_is_a_share_of_all_places(form):
    shares = to_numpy(built(**form).attention_map(maps()))
    assert shares.shape == (2, 24, 6 if form.get("pooled") else 24)
    np.testing.assert_allclose(shares.sum(-1), 1.0, atol=1e-5)


def test_where_the_places_stand_does_not_matter_to_it():
    layer = built(gamma=1.0)
    turned = to_numpy(layer(maps()[:, ::-1]))
    np.testing.assert_allclose(turned[:, ::-1], to_numpy(layer(maps())), atol=1e-5)


def test_at_gamma_0_only_gamma_learns_and_then_the_rest():
    layer = built()

    def loss():
        return keras.ops.sum(layer(maps(), training=True) ** 3), None

    def learning():
        _, gradients = value_and_grad(loss, layer.trainable_variables, layer.variables)
        return [bool(to_numpy(gradient).any()) for gradient in gradients]

    names = [variable.path.split("/", 1)[-1] for variable in layer.trainable_variables]
    assert names == ["gamma", "f/kernel", "g/kernel", "h/kernel", "v/kernel"]
    assert learning() == [True, False, False, False, False]
    layer.gamma.assign(0.1)
    assert all(learning())


@pytest.mark.parametrize("channels, narrow", [(16, 2), (64, 8), (4, 1)])
def test_weights_are_an_eighth_of_the_channels(channels, narrow):
    layer = built(channels=channels)
    assert [variable.shape[-2:] for variable in layer.trainable_variables[1:]] == [
        (channels, narrow),
        (channels, narrow),
        (channels, narrow),
        (narrow, channels),
    ]
    assert sum(to_numpy(variable).size for variable in layer.trainable_variables) == 1 + 4 * channels * narrow


def test_spectral_kernels_have_sigma_1_and_u_moves_in_training_only():
    layer = built()
    for convolution in (layer.f, layer.g, layer.h, layer.v):
        assert np.linalg.svd(kernel(convolution), compute_uv=False)[0] == pytest.approx(1.0, abs=1e-3)
        convolution.kernel.assign(np.random.default_rng(2).normal(size=convolution.kernel.shape))

    def vectors():
        return [to_numpy(variable) for variable in layer.non_trainable_variables]

    before = vectors()
    layer(maps(), training=False)
    assert len(before) == 4 and all((old == new).all() for old, new in zip(before, vectors(), strict=True))
    layer(maps(), training=True)
    assert all((old != new).any() for old, new in zip(before, vectors(), strict=True))


def test_the_four_kernels_begin_different():
    layer = built(channels=8, reduction=1, kernel_initializer=keras.initializers.RandomNormal(stddev=0.02))
    kernels = [to_numpy(variable) for variable in layer.trainable_variables[1:]]
    assert all((kernels[0] != other).any() for other in kernels[1:])


@each_form
def test_config_round_trip(form):
    layer = built(gamma=0.5, **form)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    again(maps())
    again.set_weights(layer.get_weights())
    assert again.get_config() == layer.get_config()
    np.testing.assert_array_equal(to_numpy(again(maps())), to_numpy(layer(maps())))


def test_bfloat16_softmax_stays_float32():
    layer = built(gamma=0.5, dtype="mixed_bfloat16")
    dtype = keras.backend.standardize_dtype
    assert dtype(layer(maps(), training=True).dtype) == "bfloat16"
    shares = layer.attention_map(maps())
    assert dtype(shares.dtype) == "float32"
    np.testing.assert_allclose(to_numpy(shares).sum(-1), 1.0, atol=1e-5)


def test_pooling_odd_sides_is_refused():
    with pytest.raises(ValueError, match="even sides, not 5×6"):
        SelfAttention(pooled=True)(np.zeros((1, 5, 6, 8), "float32"))
