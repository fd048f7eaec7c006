"""The benchmark of training runs on tiny nets, its programs have the same nets, and it counts what it says."""

import json
import re
from importlib import util

import keras
import numpy as np
import pytest

import keras_faces as kf
from benchmarks import train
from benchmarks.baselines import keras_nets

TINY = {
    "slides-v1": {"dense": 8, "filters": [8, 4], "latent_dim": 5},
    "slides-v2": {"filters": [16, 8, 8, 4], "latent_dim": 5},
    "dcgan": {"width": 4, "latent_dim": 5},
    "sngan": {"width": 4, "latent_dim": 5},
    "stylegan": {"width": 2, "latent_dim": 6, "mapping_depth": 2},
}
FULL = [("slides-v1", 64), ("slides-v2", 64), ("dcgan", 64), ("dcgan", 128), ("sngan", 128), ("stylegan", 64)]
on_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the Keras baselines need it")
with_torch = pytest.mark.skipif(util.find_spec("torch") is None, reason="PyTorch is not installed")


def counts_of_ours(system, size, options):
    model = kf.models.build(system, size, **options)
    return keras_nets.parameters(model.generator, model.discriminator)


@pytest.mark.parametrize("system, size", FULL)
def test_the_baselines_have_as_many_weights_at_full_width(system, size):
    ours = counts_of_ours(system, size, {})
    if system in train.KERAS_SYSTEMS:
        assert keras_nets.parameters(*keras_nets.networks(system, size)) == ours
    if util.find_spec("torch"):
        from benchmarks.baselines import torch_nets

        assert tuple(map(torch_nets.parameters, torch_nets.networks(system, size))) == ours


@pytest.mark.parametrize("system", TINY)
def test_the_baselines_make_images_and_scores_of_the_same_shape(system):
    if system in train.KERAS_SYSTEMS:
        generator, discriminator = keras_nets.networks(system, 16, **TINY[system])
        assert generator.output_shape[1:] == (16, 16, 3) and discriminator.output_shape[1:] == (1,)
    if util.find_spec("torch"):
        import torch

        from benchmarks.baselines import torch_nets

        make, judge = torch_nets.networks(system, 16, **TINY[system])
        images = make(torch.randn(4, TINY[system]["latent_dim"]))
        assert images.shape == (4, 3, 16, 16) and judge(images).shape == (4, 1)


@on_tensorflow
@pytest.mark.parametrize("program", ["keras_step", "keras_toggle"])
def test_a_keras_baseline_trains_both_nets(program, values):
    import importlib

    trainer = importlib.import_module(f"benchmarks.baselines.{program}").Trainer(
        "dcgan", 16, 8, "float32", TINY["dcgan"]
    )
    model = trainer.gan if program == "keras_step" else trainer
    weights = [*model.generator.trainable_variables, *model.discriminator.trainable_variables]
    before = values(weights)
    trainer.run(2)
    assert all((old != new).any() for old, new in zip(before, values(weights), strict=True))


@with_torch
@pytest.mark.parametrize("system", ["slides-v2", "sngan", "stylegan"])
def test_the_torch_baseline_trains_both_nets(system):
    from benchmarks.baselines import torch_script

    trainer = torch_script.Trainer(system, 16, 8, "bfloat16", TINY[system])
    weights = [*trainer.generator.parameters(), *trainer.discriminator.parameters()]
    before = [weight.detach().clone() for weight in weights]
    trainer.run(3)
    still = [tuple(new.shape) for old, new in zip(before, weights, strict=True) if (old == new).all()]
    # a bias before BatchNorm has a gradient of almost nothing, but Adam moves it; that of the hinge's score cancels
    assert still == ([(1,)] if system == "sngan" else [])
    averages = [bool((old != new).any()) for old, new in zip(before, trainer.averaged, strict=False)]
    assert any(averages) == (system == "stylegan")


@with_torch
def test_the_torch_stylegan_has_our_stylegans_penalty_and_minibatch_statistics():
    import torch

    from benchmarks.baselines import torch_stylegan
    from keras_faces.layers.minibatch_std import MinibatchStd
    from keras_faces.models.gans import stylegan

    maps = np.random.default_rng(0).standard_normal((8, 4, 4, 3), "float32")
    ours = keras.ops.convert_to_numpy(MinibatchStd()(maps))
    theirs = torch_stylegan.MinibatchStd()(torch.from_numpy(maps).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    np.testing.assert_allclose(theirs.numpy(), ours, rtol=1e-4)
    model = kf.models.build("stylegan", 16, **TINY["stylegan"])
    from benchmarks.baselines import torch_script

    assert torch_script.R1["stylegan"] == model.r1 and torch_script.AVERAGE["stylegan"] == model.average.decay
    assert torch_script.LATENT_DIMS["stylegan"] == stylegan.build(16).latent_dim


def test_multiplications_are_those_of_the_layers():
    generator, discriminator = keras_nets.networks("dcgan", 16, width=4, latent_dim=5)
    # dense 5·16·8; transposed 4×4·(25·8·4), 8×8·(25·4·3)
    assert keras_nets.multiplications(generator) == 5 * 128 + 16 * 800 + 64 * 300
    # 8×8·(25·3·4), 4×4·(25·4·8), dense 16·8
    assert keras_nets.multiplications(discriminator) == 64 * 300 + 16 * 800 + 128
    assert train.operations_of("dcgan", 16, 2, TINY["dcgan"]) == 2 * 2 * (4 * 32_640 + 8 * 32_128)
    penalised = train.operations_of("dcgan", 16, 2, {**TINY["dcgan"], "r1": 1.0})  # R1: six more passes of D
    assert penalised == 2 * 2 * (4 * 32_640 + 14 * 32_128)


@pytest.mark.parametrize("system", train.KERAS_SYSTEMS)
def test_ours_asks_for_as_many_multiplications_as_the_plain_nets(system):
    model = kf.models.build(system, 16, **TINY[system])
    ours = [keras_nets.multiplications(network) for network in (model.generator, model.discriminator)]
    assert ours == [keras_nets.multiplications(network) for network in keras_nets.networks(system, 16, **TINY[system])]


def test_ratios_are_medians_within_rounds():
    slow = train.Measured(steps=[1, 2, 1], seconds=[2.0, 8.0, 30.0])
    fast = train.Measured(steps=[2, 1, 1], seconds=[2.0, 1.0, 10.0])
    assert slow.step == [2.0, 4.0, 30.0] and train.ratio(slow, fast) == 3.0


@on_tensorflow
def test_report(capsys):
    programs = ["ours-float32", "step-float32", "torch-bfloat16"]
    given = ["--systems", "dcgan", "--image-size", "16", "--batch-size", "8", "--rounds", "2", "--seconds", "0.01"]
    tiny = ["--matrix-side", "64", "--options", json.dumps(TINY["dcgan"]), "--programs", *programs]
    assert train.main([*given, *tiny]) == 0
    printed = capsys.readouterr().out
    assert "Weights of G and D: 1,791 and 1,265." in printed  # one pair: all programs have the same
    rows = [line.split("|") for line in printed.splitlines() if line.startswith("| this") or line.startswith("| Keras")]
    assert [row[1].strip() for row in rows] == ["this package", "Keras, train_step"]
    assert all(float(row[3]) > 0 for row in rows) and rows[0][8].strip() == "1.00" and rows[0][10].strip().endswith("%")
    assert re.search(r"Matrix products: \d+ GFLOP/s in float32, \d+ GFLOP/s in bfloat16", printed)
    assert ("PyTorch, channels last | bfloat16" in printed) == bool(util.find_spec("torch"))


def test_a_program_that_cannot_run_is_left_out_with_a_line(monkeypatch):
    options = train._parser().parse_args(["--programs", "torch-float32", "--image-size", "16"])
    monkeypatch.setattr(train.util, "find_spec", lambda name: None)
    tasks, missing = train.tasks_of("dcgan", options)
    assert tasks == {} and missing == ["- torch-float32: left out: torch is not installed"]

    monkeypatch.undo()
    options = train._parser().parse_args(["--programs", "ours-float32", "step-float32"])
    tasks, missing = train.tasks_of("stylegan", options)
    assert "ours-float32" in tasks and "step-float32" not in tasks
    assert missing == ["- step-float32: left out: stylegan is not written in plain Keras here"]

    task = {"trainer": "keras_step", "system": "nobody", "image_size": 16, "batch_size": 8}
    broken = {"broken": ({**task, "precision": "float32", "options": {}}, "tensorflow")}
    found, missing = train.measure(broken, 1, 0.01)
    assert found == {} and missing == ["- broken: left out: KeyError: 'nobody'"]


def test_pictures_again_are_as_many_as_asked_for():
    from benchmarks.baselines.ours import Again

    images = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1).repeat(3, axis=3)
    again = Again(images, 7)
    assert len(again) == 7 and again[np.array([0, 4, 6])][:, 0, 0, 0].tolist() == [0, 1, 0]
