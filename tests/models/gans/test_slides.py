"""Both slide pairs: the layers, shapes and counts that the deck prints, and the sizes that the structure allows."""

import math

import pytest

import keras_faces as kf
from keras_faces.cli.describe import beside, describe
from keras_faces.models.gans import slides_v1, slides_v2
from keras_faces.models.printed import PRINTED


def layers_of(network):
    return [(type(layer).__name__, tuple(layer.output.shape[1:]), layer.count_params()) for layer in network.layers]


@pytest.mark.parametrize(
    "printed, network",
    [
        (PRINTED["slides-v1"][64]["generator"], slides_v1.generator_model),
        (PRINTED["slides-v1"][64]["discriminator"], slides_v1.discriminator_model),
        (PRINTED["slides-v2"][96]["generator"], lambda: slides_v2.generator_model(96, upsamplings=4)),
        (PRINTED["slides-v2"][64]["discriminator"], slides_v2.discriminator_model),
    ],
    ids=["v1-G", "v1-D", "v2-G", "v2-D"],
)
def test_layers_shapes_and_counts_are_the_slides(printed, network):
    assert layers_of(network()) == printed


def test_totals_as_printed():
    generator, discriminator = slides_v1.generator_model(), slides_v1.discriminator_model()
    assert generator.count_params() == 34_031_363 and discriminator.count_params() == 25_901_953
    assert sum(math.prod(variable.shape) for variable in generator.trainable_variables) == 33_965_827
    assert slides_v2.generator_model(48).count_params() == 6_169_475
    assert slides_v2.discriminator_model(64).count_params() == 4_351_617


@pytest.mark.parametrize("upsamplings, image_size, base", [(3, 48, 6), (3, 64, 8), (4, 96, 6), (4, 64, 4)])
def test_the_forms_of_v2(upsamplings, image_size, base):
    generator = slides_v2.generator_model(image_size, upsamplings=upsamplings, filters=(8, 4, 4, 4))
    assert generator.layers[2].output.shape[1:] == (base, base, 8)
    assert generator.output_shape[1:] == (image_size, image_size, 3)


def test_the_slides_code_has_the_same_weights_at_48_and_at_96():
    assert slides_v2.generator_model(96, upsamplings=4).count_params() == 6_169_475


def test_momentum_slope_and_dropout_are_the_slides():
    for network in (slides_v2.generator_model(48), slides_v2.discriminator_model(64)):
        for layer in network.layers:
            kind = type(layer).__name__
            if kind == "BatchNormalization":
                assert layer.momentum == 0.8
            if kind == "LeakyReLU":
                assert layer.negative_slope == pytest.approx(0.2)
            if kind == "Dropout":
                assert layer.rate == 0.4


@pytest.mark.parametrize(
    "name, image_size", [("slides-v1", 20), ("slides-v1", 36), ("slides-v2", 24), ("slides-v2", 40)]
)
def test_any_size_that_the_structure_allows(narrow, name, image_size):
    model = narrow(name, image_size=image_size)
    assert model.sample(1).shape == (1, image_size, image_size, 3)


@pytest.mark.parametrize(
    "name, image_size, near",
    [("slides-v1", 66, "64 or 68"), ("slides-v1", 8, "16"), ("slides-v2", 60, "56 or 64"), ("slides-v2", 1, "16")],
)
def test_a_size_that_cannot_be_made_names_the_nearest_that_can(name, image_size, near):
    with pytest.raises(ValueError, match=f"Try {near}"):
        kf.models.build(name, image_size=image_size)


def test_describe_lays_the_slides_numbers_beside(narrow):
    text = describe("slides-v1", kf.models.build("slides-v1"))
    assert "33,587,200" in text and "34,031,363" in text and "≠" not in text


def test_describe_shows_the_decks_four_doublings_beside_a_reading(narrow):
    text = describe("slides-v2", narrow("slides-v2"))
    source = text[text.index("slides-v2, generator: the source, 96×96") :]
    assert source[: source.index("total")].count("UpSampling2D") == 4
    assert "16×16, is a reading of it" in text and "--image-size 96 --option upsamplings=4" in text
    text = describe("slides-v2", kf.models.build("slides-v2", image_size=96, upsamplings=4))
    generator = text[text.index("slides-v2, generator") : text.index('Model: "discriminator"')]
    assert "6,169,475" in generator and "≠" not in generator and "reading" not in generator


def test_describe_marks_what_differs():
    rows = [*PRINTED["slides-v1"][64]["generator"]]
    rows[0] = ("Dense", (1024,), 1)
    marked = [line for line in beside(slides_v1.generator_model(), rows, "x").splitlines() if line.startswith("≠")]
    assert len(marked) == 2 and "Dense" in marked[0] and "total" in marked[1]


def test_available_and_unknown_names():
    assert kf.models.available()[:2] == ["slides-v1", "slides-v2"]
    with pytest.raises(ValueError, match="slides-v1"):
        kf.models.build("slide-v1")


def test_unknown_options_and_precisions_are_refused():
    with pytest.raises(ValueError, match="no such option.*colour"):
        kf.models.build("slides-v1", colour=3)
    with pytest.raises(ValueError, match="float32, bfloat16"):
        kf.models.build("slides-v1", precision="float8")
    with pytest.raises(ValueError, match="upsamplings=5"):
        kf.models.build("slides-v2", upsamplings=5)


def test_the_decks_rule_is_the_default_of_v1_and_an_option_of_v2(narrow):
    assert not narrow("slides-v1").separate_batches
    assert narrow("slides-v2").separate_batches
    assert not narrow("slides-v2", separate_batches=False).separate_batches
