"""Tiled pictures can be taken apart again; figures and animations are files of the right form."""

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from keras_faces.figures import grids


def faces(count, size=8, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3)).astype("uint8")


@given(count=st.integers(1, 20), size=st.integers(1, 12), columns=st.one_of(st.none(), st.integers(1, 8)))
def test_untile_undoes_tile(count, size, columns):
    images = faces(count, size)
    again = grids.untile(grids.tile(images, columns), size)
    np.testing.assert_array_equal(again[:count], images)
    assert (again[count:] == 255).all()


def test_images_lie_row_by_row():
    images = faces(6)
    picture = grids.tile(images, columns=3)
    assert picture.shape == (2 * 10 + 2, 3 * 10 + 2, 3)
    np.testing.assert_array_equal(picture[12:20, 2:10], images[3])


@pytest.mark.parametrize("images", [faces(0), faces(2).astype("float32"), faces(2)[..., 0], faces(1)[0]])
def test_tile_refuses_what_is_no_row_of_faces(images):
    with pytest.raises(ValueError, match="uint8"):
        grids.tile(images)


def test_untile_refuses_another_size():
    with pytest.raises(ValueError, match="no grid"):
        grids.untile(grids.tile(faces(4, 8)), 9)


def test_evolution_has_a_row_a_moment_and_a_column_a_noise():
    figure = grids.evolution([("epoch 1", faces(5)), ("epoch 2", faces(5, seed=1))])
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["epoch 1", "epoch 2"]
    np.testing.assert_array_equal(
        axes.images[0].get_array(), grids.tile(np.concatenate([faces(5), faces(5, seed=1)]), 5)
    )


@pytest.mark.parametrize("label", ["epoch 1", "a smiling young woman with blond wavy hair\nstage I"])
def test_long_labels_do_not_make_faces_smaller(label):
    images = np.concatenate([faces(8)] * 8)
    figure = grids.evolution([(label, images), ("", images)])
    figure.draw_without_rendering()
    (axes,) = figure.axes
    assert axes.get_window_extent().width / figure.dpi > 0.9 * axes.images[0].get_array().shape[1] / 80


def test_loss_curves_show_the_log():
    log = pandas.DataFrame({"step": [1, 2], "d_loss": [0.7, 0.6], "g_loss": [0.7, 0.9]})
    log = log.assign(d_real=[0.5, 0.6], d_fake=[0.5, 0.4], spread=[0.1, 0.2])
    above, middle = grids.losses(log).axes  # an older log has no gradients
    assert list(above.lines[0].get_ydata()) == [0.7, 0.6] and list(above.lines[1].get_ydata()) == [0.7, 0.9]
    assert [line.get_label() for line in middle.lines[:2]] == ["D(x), photographs", "D(G(z)), fakes"]
    below = grids.losses(log.assign(d_gradient=[1.0, 2.0], g_gradient=[3.0, 4.0])).axes[2]
    assert [line.get_label() for line in below.lines] == ["D's gradient", "G's gradient"]


def test_what_a_log_has_not_gets_no_panel():
    log = pandas.DataFrame({"step": [1, 2], "bits_loss": [7.0, 5.0], "d_real": [None, None]})
    (alone,) = grids.losses(log, title="pixelcnn").axes
    assert alone.get_title() == "pixelcnn" and [line.get_label() for line in alone.lines] == ["bits loss"]
    assert grids.losses(log[["step"]]).axes  # nothing to show is no error


def test_an_animation_holds_every_frame_and_loops(tmp_path):
    grids.animation([grids.tile(faces(4, seed=seed)) for seed in range(3)], tmp_path / "a.gif", milliseconds=100)
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == 3 and gif.info["loop"] == 0


def test_pictures_survive_writing(tmp_path):
    picture = grids.tile(faces(4))
    grids.save_picture(picture, tmp_path / "a.png")
    np.testing.assert_array_equal(grids.read_picture(tmp_path / "a.png"), picture)


def test_figures_are_written_as_png(tmp_path):
    grids.save(grids.grid(faces(4), title="four"), tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as image:
        assert image.format == "PNG" and image.width > 100
