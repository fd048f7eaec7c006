"""Options are converted and checked against the builders' signatures, before anything is built."""

import inspect
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_faces as kf
from keras_faces.models import option_types
from keras_faces.models.option_types import check_options, check_size, options_of

SYSTEMS = kf.models.available()


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_option_has_a_type_a_line_and_a_default_that_passes(system):
    for name, option in options_of(system).items():
        assert option.type is not None and option.about, name
        copy = list(option.default) if isinstance(option.default, tuple) else option.default
        checked = check_options(system, {name: copy})[name]
        assert checked == option.default or list(checked) == list(option.default), name


@pytest.mark.parametrize(
    ("system", "name", "value", "converted"),
    [
        ("dcgan", "width", "64", 64),
        ("dcgan", "width", 64.0, 64),
        ("dcgan", "separate_batches", "no", False),
        ("dcgan", "separate_batches", 1, True),
        ("dcgan", "learning_rate", "1e-4", 1e-4),
        ("slides-v2", "filters", "256,128,64,32", (256, 128, 64, 32)),
        ("slides-v2", "filters", "[8, 4, 4, 4]", (8, 4, 4, 4)),
        ("slides-v1", "filters", [8, 4], (8, 4)),
        ("infogan", "categories", "3,4", (3, 4)),
        ("infogan", "categories", 3, 3),
        ("stackgan", "languages", "english", "english"),
        ("cvae-gan", "kl_weight", None, None),
    ],
)
def test_values_are_converted(system, name, value, converted):
    checked = check_options(system, {name: value})[name]
    assert checked == converted and type(checked) is type(converted)


@pytest.mark.parametrize(
    ("system", "name", "value", "message"),
    [
        ("dcgan", "width", "x", "width='x': must be a whole number; the default is 64"),
        ("dcgan", "width", None, "whole number"),
        ("dcgan", "width", True, "whole number"),
        ("dcgan", "width", 0, "from 1 to 65,536"),
        ("dcgan", "width", 1.5, "whole number"),
        ("dcgan", "width", [64], "whole number"),
        ("dcgan", "latent_dim", 10**9, "from 1 to"),
        ("dcgan", "learning_rate", math.nan, "must be a number"),
        ("dcgan", "learning_rate", math.inf, "must be a number"),
        ("dcgan", "learning_rate", 0, "from 1e-12 to 1"),
        ("dcgan", "average", 1, "below 1"),
        ("dcgan", "separate_batches", "maybe", "true or false"),
        ("dcgan", "loss", 3, "must be a text"),
        ("gan", "dropout", 2, "from 0 to below 1"),
        ("slides-v2", "filters", 5, "must be a list"),
        ("slides-v2", "filters", [1, 2, 3], "list of 4, and it has 3"),
        ("slides-v2", "filters", "256,128,64,x", "whole number"),
        ("dcgan", "generator", "x", "no such option: generator"),
        ("dcgan", "widht", 3, "Did you mean width"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(system, name, value, message):
    with pytest.raises(ValueError, match=message):
        check_options(system, {name: value})
    with pytest.raises(ValueError, match=message):
        kf.models.build(system, **{name: value})


NONSENSE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers() | st.text(), max_size=5)
)


@settings(deadline=None)
@given(st.sampled_from(SYSTEMS), st.data(), st.recursive(NONSENSE, lambda inner: st.dictionaries(st.text(), inner)))
def test_any_value_is_taken_in_its_type_or_refused_in_words(system, data, value):
    option = options_of(system)[data.draw(st.sampled_from(sorted(options_of(system))))]
    try:
        taken = check_options(system, {option.name: value})[option.name]
    except ValueError as error:
        assert option.name in str(error) and "default" in str(error)
    else:
        assert not isinstance(taken, float) or math.isfinite(taken)
        assert inspect.isclass(option.type) is False or isinstance(taken, option.type)


@pytest.mark.parametrize("size", [(64, 48), [64, 64]])
def test_a_frame_that_is_no_square_is_told(size):
    with pytest.raises(ValueError, match="one number, the side in pixels"):
        kf.models.build("dcgan", image_size=size)


@pytest.mark.parametrize("size", ["x", 0, -1, 10**6, math.nan])
def test_impossible_sizes(size):
    with pytest.raises(ValueError, match="image_size="):
        check_size(size)
    assert check_size("64") == 64


def test_networks_that_do_not_fit_into_memory_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr(option_types, "free_memory", lambda: 10 * 2**20)
    kf.models.build("dcgan", image_size=16, width=4)
    with pytest.raises(ValueError, match=r"dcgan: with these options .* GiB in training; 0.0 GiB of memory are free"):
        kf.models.build("dcgan", image_size=64, width=64)
    assert kf.models.build("dcgan", image_size=16, width=4).generator.layers[0].add_weight  # as before


def test_free_memory_is_that_of_the_container(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:   2048 kB\n")
    (tmp_path / "limit").write_text("max\n")
    assert option_types.free_memory(tmp_path / "meminfo", tmp_path / "limit") == 2048 * 1024
    (tmp_path / "limit").write_text("1000\n")
    assert option_types.free_memory(tmp_path / "meminfo", tmp_path / "limit") == 1000
    assert option_types.free_memory(tmp_path / "nothing", tmp_path / "nothing") is None
