"""Options of systems: as they are typed, under old and new names, and unknown ones."""

import pytest

import keras_faces as kf
from keras_faces.models import options
from keras_faces.models.options import parse_options, parse_system, standard_options
from keras_faces.runs.folder import RunConfig, RunFolder


@pytest.mark.parametrize(
    "text, expected",
    [
        ("dcgan", ("dcgan", {})),
        ("dcgan:loss=hinge,width=32", ("dcgan", {"loss": "hinge", "width": 32})),
        ("slides-v2:filters=[16,8,8,4], latent-dim=5", ("slides-v2", {"filters": [16, 8, 8, 4], "latent_dim": 5})),
        ("conv:stages=sgd:1e-2:50,adam:2e-4,r1=0.5", ("conv", {"stages": "sgd:1e-2:50,adam:2e-4", "r1": 0.5})),
        ("dcgan:separate_batches=false", ("dcgan", {"separate_batches": False})),
    ],
)
def test_systems_carry_options(text, expected):
    assert parse_system(text) == expected


@pytest.mark.parametrize("text", ["dcgan:width", "dcgan:=4", "dcgan: =4"])
def test_an_option_without_a_value_or_name(text):
    with pytest.raises(ValueError, match=f"'{text}': .*: write KEY=VALUE"):
        parse_system(text)


@pytest.mark.parametrize("text", ["dcgan:width=4,seed=3", "dcgan:image-size=16", "dcgan:precision=bfloat16"])
def test_what_is_the_same_for_all_is_no_option_of_one(text):
    with pytest.raises(ValueError, match="has an option of its own, --(seed|image-size|precision)"):
        parse_system(text)


def test_an_option_of_train_is_read_alike():
    assert parse_options(["width=32", "loss=hinge", "filters=[1,2]"]) == {
        "width": 32,
        "loss": "hinge",
        "filters": [1, 2],
    }
    with pytest.raises(ValueError, match="--option filters: write KEY=VALUE"):
        parse_options(["filters"])


@pytest.mark.parametrize("word, value", [("True", True), ("False", False), ("false", False), ("None", None)])
def test_no_in_pythons_words_is_no(word, value):
    assert parse_options([f"polyphase={word}"]) == {"polyphase": value}
    assert parse_system(f"slides-v1:polyphase={word},width=4") == ("slides-v1", {"polyphase": value, "width": 4})


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch):
    monkeypatch.setattr(options, "_told", set())


@pytest.mark.parametrize(
    "system, old, new",
    [
        ("dcgan", {"rate": 1e-3, "width": 4}, {"learning_rate": 1e-3, "width": 4}),
        ("slides-v1", {"d_rate": 1e-4, "g_rate": 2e-4}, {"d_learning_rate": 1e-4, "g_learning_rate": 2e-4}),
        ("stylegan", {"most": 4}, {"max_multiplier": 4}),
        ("slides-v1", {"polyphase": False}, {"fast_layers": False}),
        ("slides-v1", {"pool_first": False, "polyphase": False}, {"fast_layers": False}),
        ("slides-v2", {"polyphase": True}, {}),
    ],
)
def test_old_names_are_replaced_and_told_once(system, old, new, capsys):
    assert standard_options(system, old) == new
    said = capsys.readouterr().out
    changed = old.keys() - new.keys()
    assert len(said.splitlines()) == len(changed) and all(f"the option {name} is now" in said for name in changed)
    assert standard_options(system, old) == new and capsys.readouterr().out == ""
    assert standard_options(system, new) == new and capsys.readouterr().out == ""


def test_one_option_under_both_names():
    with pytest.raises(ValueError, match="rate is the old name of learning_rate"):
        standard_options("dcgan", {"rate": 1e-3, "learning_rate": 1e-4})


def test_build_takes_old_names(capsys):
    model = kf.models.build("dcgan", 16, width=4, latent_dim=5, rate=3e-3)
    assert float(model.optimizer.generator.learning_rate) == pytest.approx(3e-3)
    assert "rate is now called learning_rate" in capsys.readouterr().out


def test_a_run_folder_with_old_names_is_read_and_built(tmp_path):
    (tmp_path / "config.json").write_text(
        '{"system": "dcgan", "image_size": 16, "steps_per_call": 3, "options": {"rate": 0.003, "width": 4}}'
    )
    config = RunFolder(tmp_path).read()
    assert isinstance(config, RunConfig) and config.steps_per_execution == 3
    assert float(config.build().optimizer.discriminator.learning_rate) == pytest.approx(3e-3)


@pytest.mark.parametrize(
    "option, near", [("widht", "width"), ("learning_rat", "learning_rate"), ("averag", "average"), ("r", "r1")]
)
def test_an_unknown_option_names_the_nearest(option, near):
    with pytest.raises(ValueError, match=f"dcgan has no such option: {option}. Did you mean .*{near}"):
        kf.models.build("dcgan", 16, **{option: 1})
