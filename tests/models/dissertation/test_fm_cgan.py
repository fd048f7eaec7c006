"""fm-cgan: tables 3.1 to 3.3, which loss reaches which network, C before the others, and resuming."""

import keras
import numpy as np
import pytest

from keras_faces.models.dissertation import fm_cgan
from keras_faces.models.networks.classifier import classifier
from keras_faces.runs.classifier import ClassifierConfig, ClassifierFolder
from keras_faces.training import checkpoint

to_numpy, tensor = keras.ops.convert_to_numpy, keras.ops.convert_to_tensor


def shapes(network, kinds):
    return [tuple(layer.output.shape[1:]) for layer in network.layers if type(layer).__name__ in kinds]


def test_the_nets_are_those_of_the_tables():
    g = shapes(fm_cgan.generator(530), ("Dense", "Reshape", "Conv2DTranspose", "Conv2D"))
    rungs = [(8, 8, 512), (16, 16, 256), (32, 32, 256), (64, 64, 128), (128, 128, 64)]
    assert g == [(8192,), (4, 4, 512), *rungs, (128, 128, 3)]  # table 3.1
    d = shapes(fm_cgan.discriminator(), ("Conv2D", "Dense"))
    assert d == [(64, 64, 64), (32, 32, 128), (16, 16, 256), (8, 8, 512), (4, 4, 512), (1,)]  # table 3.2
    c = shapes(classifier(128, 530), ("Conv2D", "Dense"))
    rungs = [(128, 128, 64), (64, 64, 128), (32, 32, 256), (16, 16, 512), (8, 8, 512), (4, 4, 512)]
    assert c == [*rungs, (1024,), (530,)]  # table 3.3


@pytest.mark.parametrize("side, rungs", [(64, [256, 256, 128, 64]), (32, [256, 128, 64]), (16, [128, 64])])
def test_smaller_images_keep_the_rungs_next_to_the_image(side, rungs):
    network = fm_cgan.generator(3, side, latent_dim=5)
    assert [shape[-1] for shape in shapes(network, ("Conv2DTranspose",))] == rungs
    assert network.output_shape[1:] == (side, side, 3)


def test_other_sizes_and_mistakes_are_refused(narrow):
    for options, message in (
        ({"image_size": 48}, "48×48 images: its sides are 16, 32, 64, 128"),
        ({"classifier_layers": ["conv9"]}, "C has no conv9; choose from pool1, pool2, flatten, features, logits"),
        ({"classifier_layers": []}, "name one layer"),
        ({"classifier_first": -1}, "classifier_first=-1"),
        ({"class_weight": -1.0}, "class_weight=-1.0"),
        ({"loss": "hinge"}, "fm-cgan has no such option.*loss"),
        ({"r1": 1.0}, "fm-cgan has no such option.*r1"),
        ({"classifier": "/nowhere/c"}, "there is no such folder"),
    ):
        with pytest.raises(ValueError, match=message):
            narrow("fm-cgan", **options)


def test_each_loss_reaches_its_own_network_and_no_other(narrow, photographs, labels_of, values, moved):
    model, labels = narrow("fm-cgan", classifier_layers=["features", "flatten"]), tensor(labels_of("fm-cgan", 8)[0])
    nets = {"c": model.classifier, "d": model.discriminator, "g": model.generator}
    centres = {"real": [model.d_real, *model.c_real], "fake": [model.d_fake, *model.c_fake]}
    parts = nets | {side: keras.Sequential(layers) for side, layers in centres.items()}
    real = model.preprocess(photographs[:8])
    fake = keras.ops.stop_gradient(model.generator([model.noise(8), labels], training=False))
    for step, mine in (
        (lambda: model.train_classifier(real, labels), ["c"]),
        (lambda: model.train_discriminator(real, fake, labels), ["d", "real"]),
        (lambda: model.train_generator(model.noise(8), labels), ["g", "fake"]),
    ):
        before = {name: values(part.variables) for name, part in parts.items()}
        numbers = step()
        assert [name for name, part in parts.items() if any(moved(before[name], values(part.variables)))] == mine
    in_d = 0.5 * ((to_numpy(model.d_real.means) - to_numpy(model.d_fake.means)) ** 2).sum()
    pairs = zip(model.c_real, model.c_fake, strict=True)
    in_c = sum(0.5 * ((to_numpy(one.means) - to_numpy(other.means)) ** 2).sum() for one, other in pairs)
    assert float(numbers["gd_loss"]) == pytest.approx(in_d, rel=1e-4)  # eq. 3.10
    assert float(numbers["gc_loss"]) == pytest.approx(in_c, rel=1e-4)  # eq. 3.12, of both layers
    assert float(numbers["g_loss"]) == pytest.approx(in_d + in_c, rel=1e-4)  # eq. 3.13, λ₁ = 1


def test_the_centres_of_classes_are_those_of_numpy(narrow, photographs, labels_of):
    model, labels = narrow("fm-cgan"), labels_of("fm-cgan", 8)[0]
    real = model.preprocess(photographs[:8])
    model.train_discriminator(real, real, tensor(labels))
    (seen,) = model.c_features_of(real)
    (centres,) = model.c_real
    for k in range(3):
        np.testing.assert_allclose(to_numpy(centres.means)[k], to_numpy(seen)[labels[:, k] > 0].mean(0), rtol=1e-4)


def test_c_learns_alone_first_and_a_resumed_training_knows_where_it_was(
    narrow, photographs, labels_of, values, tmp_path, moved
):
    """Two iterations of C alone, then two of all; a checkpoint of each, and on from there bit for bit."""
    model, labels = narrow("fm-cgan", classifier_first=2), labels_of("fm-cgan", 8)[0]
    others = [model.generator, model.discriminator]
    start = [values(network.variables) for network in others]

    def step(each):
        each.on_iteration(each.step_count())
        return each.step(tensor(photographs[:8]), tensor(labels))

    for done in range(3):
        still = [not any(moved(old, values(net.variables))) for old, net in zip(start, others, strict=True)]
        assert still == [done < 3] * 2 and model.step_count() == done
        checkpoint.save(tmp_path / "state.h5", model, epoch=1, iteration=done + 1)
        again = narrow("fm-cgan", classifier_first=2)
        checkpoint.load(tmp_path / "state.h5", again)
        assert again.step_count() == done
        if done != 1:
            for first, second in zip((numbers := step(model)).items(), step(again).items(), strict=True):
                assert first == second
            ends = [values([*each.variables, *each.optimizer.variables]) for each in (model, again)]
            assert not any(moved(*ends))
        else:
            numbers = step(model)
        assert (float(numbers["g_loss"]) == 0) == (done < 2)
    assert model.step_count() == 3 and not model.classifier_alone


def test_c_may_begin_with_a_trained_one_and_stand_still(narrow, photographs, labels_of, values, tmp_path):
    names = narrow("fm-cgan").label_names
    network, folder = classifier(16, names, width=2), ClassifierFolder(tmp_path)
    network.save(folder.network)
    folder.write(ClassifierConfig(image_size=16, width=2, kind="classes", names=list(names)))
    model = narrow("fm-cgan", classifier=str(tmp_path), classifier_first=None, classifier_learns=False)
    assert model.classifier_first == 0 and not model.classifier_alone
    model.step(tensor(photographs[:8]), tensor(labels_of("fm-cgan", 8)[0]))
    for ours, theirs in zip(values(model.classifier.variables), network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert model.step_count() == 1
    folder.write(ClassifierConfig(image_size=16, width=2, kind="classes", names=["a", "b", "c"]))
    with pytest.raises(ValueError, match="was trained on classes a, b, c at 16×16, this system on classes Smiling"):
        narrow("fm-cgan", classifier=str(tmp_path))
