"""The same noise through labels and strengths: what is in which row and column."""

import numpy as np
import pytest

from keras_faces.figures import label_grids


def painted(images):
    return (images[:, :, 0, 0] / 255.0).tolist()


def test_a_row_a_label_a_column_a_noise(painter, narrow):
    images = label_grids.same_noise(painter(), ["Male", "", "Smiling, Eyeglasses"], faces=2)
    assert images.shape == (3, 2, 4, 4, 3)
    assert painted(images) == [[[0, 1, 0]] * 2, [[0, 0, 0]] * 2, [[1, 0, 1]] * 2]
    model = narrow("cgan")
    images = label_grids.same_noise(model, ["Male", "Smiling"], faces=3, seed=6)
    for row, label in zip(images, ("Male", "Smiling"), strict=True):
        assert np.abs(row.astype(int) - model.sample(3, seed=6, labels=label)).max() <= 1


def test_strengths_go_from_one_label_to_the_other(painter):
    values = [0, 0.5, 1]
    images = label_grids.strengths(painter(), "Smiling, !Male", "Male, Eyeglasses", values, faces=1)
    wanted = [[0, 1, 1], [0.5, 0.5, 1], [1, 0, 1]]
    np.testing.assert_allclose(np.array(painted(images))[:, 0], wanted, atol=0.003)
    images = label_grids.strengths(painter("classes"), "Male", "Smiling", values, faces=1)
    np.testing.assert_allclose(np.array(painted(images))[:, 0], [[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0]], atol=0.003)


def test_beyond_1_the_label_is_more_than_any_photograph_had(painter, monkeypatch):
    model, seen = painter(), []
    render = model.render
    monkeypatch.setattr(model, "render", lambda noise, labels: seen.append(labels) or render(noise, labels))
    label_grids.strengths(model, "Smiling", "Male", [2, -1], faces=1)
    np.testing.assert_allclose(seen[0], [[2, 1, 0], [-1, 1, 0]])


def test_what_is_shown_if_nobody_says_what(painter):
    assert label_grids.labels_to_show(painter("classes")) == ["Smiling", "Male", "Eyeglasses"]
    rows = label_grids.labels_to_show(painter())
    assert len(rows) == 8 and rows[0] == "" and rows[-1] == "Smiling, Male, Eyeglasses"
    model = painter()
    model.label_names = tuple("abcdefghijklmnopqrstuvw")
    assert label_grids.labels_to_show(model) == ["", *"abcdefghijklmno"]


@pytest.mark.parametrize(
    "add, start, values, message",
    [("Male", "Male", [1], "changes nothing"), ("Mal", "", [1], "Did you mean Male"), ("Male", "", [np.inf], "number")],
)
def test_mistakes(painter, add, start, values, message):
    with pytest.raises(ValueError, match=message):
        label_grids.strengths(painter(), add, start, values)


def test_the_figures_name_every_row(painter):
    model, labels = painter(), ["", "Male"]
    figure = label_grids.figure_of_labels(model, labels, label_grids.same_noise(model, labels, faces=8))
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["none", "Male"]
    images = label_grids.strengths(model, "Male", "", [0, 0.5], faces=8)
    figure = label_grids.figure_of_strengths(model, "Male", "", [0, 0.5], images)
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["Male × 0", "Male × 0.5"]
    assert figure.axes[0].images[0].get_array().shape[1] == 8 * 66 + 2  # 4×4 pixels, magnified to 64
