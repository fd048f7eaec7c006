"""On JAX and a CPU no convolution reads less than its kernel: JAX's outputs and derivatives, and the rule."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

jax = pytest.importorskip("jax")

from keras_faces.fast import convolution_jax  # noqa: E402  (it loads JAX)


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, "float32")


def plain(maps, kernel, strides, padding):
    """JAX's convolution; what it is the transpose of, ``jax.vjp`` gives."""
    layout = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(maps, kernel, (strides, strides), padding.upper(), dimension_numbers=layout)


def transposed(maps, kernel, strides, padding, shape):
    def smaller(larger):
        return plain(larger, kernel, strides, padding)

    return jax.linear_transpose(smaller, jax.ShapeDtypeStruct((len(maps), *shape), maps.dtype))(maps)[0]


def outputs_and_gradients(form, maps, kernel):
    """Outputs, and the gradients of a weighted sum of their squares by both."""

    def loss(maps, kernel):
        outputs = form(maps, kernel)
        return (outputs**2 * drawn(*outputs.shape, seed=5)).sum(), outputs

    gradients, outputs = jax.jit(jax.grad(loss, (0, 1), has_aux=True))(maps, kernel)
    return [outputs, *gradients]


def gradients_of_penalty(form, maps, kernel):
    """As R1 and the gradient penalty take them: of the length of the gradient by the maps, by both."""

    def length(maps, kernel):
        return (jax.grad(lambda maps: (form(maps, kernel) ** 2).sum())(maps) ** 2).mean()

    return jax.jit(jax.grad(length, (0, 1)))(maps, kernel)


SIDES = st.integers(1, 7)
KERNELS = st.sampled_from([(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (3, 5)])
PADDINGS = st.sampled_from(["same", "valid"])


@settings(max_examples=8, deadline=None)
@given(height=SIDES, width=SIDES, size=KERNELS, strides=st.integers(1, 3), padding=PADDINGS)
def test_outputs_and_gradients_are_jax_own(height, width, size, strides, padding):
    if padding == "valid":
        height, width = height + size[0], width + size[1]
    maps, kernel = drawn(2, height, width, 2), drawn(*size, 2, 3, seed=1)
    ours = outputs_and_gradients(lambda *both: convolution_jax.convolution(*both, strides, padding), maps, kernel)
    theirs = outputs_and_gradients(lambda *both: plain(*both, strides, padding), maps, kernel)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-3)


@settings(max_examples=8, deadline=None)
@given(height=SIDES, width=SIDES, size=KERNELS, strides=st.integers(1, 3), padding=PADDINGS, more=st.integers(0, 2))
def test_so_are_those_of_the_transposed_convolution(height, width, size, strides, padding, more):
    """To each of the sizes whose convolution makes maps of these sides: nothing is cut off or made up."""
    more %= strides
    shape = [max(1, strides * side - more) for side in (height, width)]
    if padding == "valid":
        shape = [strides * (side - 1) + reach + more for side, reach in zip((height, width), size, strict=True)]
    maps, kernel, how = drawn(2, height, width, 3), drawn(*size, 2, 3, seed=1), (strides, padding, (*shape, 2))
    ours = outputs_and_gradients(lambda *both: convolution_jax.transposed_convolution(*both, *how), maps, kernel)
    theirs = outputs_and_gradients(lambda *both: transposed(*both, *how), maps, kernel)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-3)


def test_a_penalty_on_gradients_can_be_differentiated():
    maps, kernel = drawn(2, 4, 4, 2), drawn(5, 5, 2, 3, seed=1)
    ours = gradients_of_penalty(lambda *both: convolution_jax.convolution(*both, 2, "same"), maps, kernel)
    theirs = gradients_of_penalty(lambda *both: plain(*both, 2, "same"), maps, kernel)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3)
    maps, how = drawn(2, 4, 4, 3), (2, "same", (8, 8, 2))
    ours = gradients_of_penalty(lambda *both: convolution_jax.transposed_convolution(*both, *how), maps, kernel)
    theirs = gradients_of_penalty(lambda *both: transposed(*both, *how), maps, kernel)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3)


def slow_convolutions(form, maps, kernel):
    """Those that XLA for a CPU computes in its simple way: they read less than their kernel, or spread both."""

    def loss(maps, kernel):
        return (form(maps, kernel) ** 2).sum()

    found = []
    for step in jax.make_jaxpr(lambda *both: jax.grad(loss, (0, 1))(*both))(maps, kernel).eqns:
        if step.primitive.name == "conv_general_dilated":
            spatial = step.params["dimension_numbers"]
            read, window = (
                [value.aval.shape[axis] for axis in layout[2:]]
                for value, layout in zip(step.invars, (spatial.lhs_spec, spatial.rhs_spec), strict=True)
            )
            spread = max(step.params["lhs_dilation"]) > 1 and max(step.params["rhs_dilation"]) > 1
            found.append(spread or any(side < reach for side, reach in zip(read, window, strict=True)))
    assert len(found) >= 3
    return sum(found)


@pytest.mark.parametrize("side, strides", [(4, 1), (8, 2), (4, 2)])
def test_no_convolution_is_slow_where_the_rule_holds(side, strides):
    maps, kernel = drawn(2, side, side, 2), drawn(5, 5, 2, 3)
    made = side // strides
    assert convolution_jax.wins("float32", (made, made), (5, 5))
    assert slow_convolutions(lambda *both: plain(*both, strides, "same"), maps, kernel)
    assert not slow_convolutions(lambda *both: convolution_jax.convolution(*both, strides, "same"), maps, kernel)


@pytest.mark.parametrize("side", [4, 8])
def test_nor_is_a_transposed_one(side):
    maps, kernel, shape = drawn(2, side, side, 3), drawn(5, 5, 2, 3), (2 * side, 2 * side, 2)
    how = (2, "same", shape)
    assert slow_convolutions(lambda *both: transposed(*both, *how), maps, kernel)
    assert not slow_convolutions(lambda *both: convolution_jax.transposed_convolution(*both, *how), maps, kernel)


@pytest.mark.parametrize(
    "sides, size, transposed, own",
    [
        ((4, 4), (5, 5), False, True),
        ((5, 4), (5, 5), False, True),
        ((5, 5), (5, 5), False, False),
        ((32, 32), (5, 5), True, True),
        ((None, 4), (5, 5), False, False),
        ((None, 4), (5, 5), True, False),
    ],
)
def test_the_rule(monkeypatch, sides, size, transposed, own):
    assert convolution_jax.wins("float32", sides, size, transposed) == own
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert not convolution_jax.wins("float32", sides, size, transposed)
