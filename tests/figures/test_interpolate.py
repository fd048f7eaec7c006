"""The two ways between noise vectors, where they are easy and where the formula of the sphere breaks down."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from keras_faces.cli import main as cli
from keras_faces.figures import grids
from keras_faces.figures.interpolate import faces_between, lerp, path, round_trip, slerp

SHARES = np.linspace(0.0, 1.0, 9)


def vectors(count, dim, seed):
    return np.random.default_rng(seed).standard_normal((count, dim)).astype("float32")


def test_lerp_is_the_straight_line():
    np.testing.assert_array_equal(lerp([0.0, 2.0], [4.0, 0.0], 0.25), np.float32([1.0, 1.5]))
    np.testing.assert_array_equal(lerp([0.0], [4.0], [0.0, 0.5, 1.0]), np.float32([[0.0], [2.0], [4.0]]))


def test_slerp_is_shoemakes_formula_for_vectors_of_one_length():
    start, end = (3.0 * vector / np.linalg.norm(vector) for vector in vectors(2, 100, 0).astype("float64"))
    omega = np.arccos(start @ end / 9.0)
    share = SHARES[:, None]
    shoemake = (np.sin((1 - share) * omega) * start + np.sin(share * omega) * end) / np.sin(omega)
    np.testing.assert_allclose(slerp(start, end, SHARES), shoemake, rtol=1e-6, atol=1e-6)


@given(dim=st.integers(1, 130), seed=st.integers(0, 999), share=st.floats(0.0, 1.0))
def test_both_begin_and_end_exactly_and_slerp_keeps_to_the_lengths(dim, seed, share):
    start, end = vectors(2, dim, seed)
    for way in (lerp, slerp):
        np.testing.assert_array_equal(way(start, end, [0.0, 1.0]), [start, end])
        np.testing.assert_array_equal(way(start, end, share), way(start, end, [share])[0])
    if dim > 1:
        length = (1 - share) * np.linalg.norm(start) + share * np.linalg.norm(end)
        np.testing.assert_allclose(np.linalg.norm(slerp(start, end, share)), length, rtol=1e-5)


def test_the_line_cuts_through_the_sphere_and_the_arc_does_not():
    start, end = vectors(2, 100, 1)
    ends = 0.5 * (np.linalg.norm(start) + np.linalg.norm(end))
    assert np.linalg.norm(lerp(start, end, 0.5)) < 0.8 * ends
    assert np.linalg.norm(slerp(start, end, 0.5)) == pytest.approx(ends, rel=1e-5)


@pytest.mark.parametrize("end", [[3.0, 4.0], [3.0, 4.0 + 1e-7], [6.0, 8.0], [3.0 * (1 + 1e-15), 4.0]])
def test_slerp_between_parallel_vectors_is_the_straight_line(end):
    np.testing.assert_allclose(slerp([3.0, 4.0], end, SHARES), lerp([3.0, 4.0], end, SHARES), rtol=1e-6)


def test_small_angles_keep_their_digits():
    """One part in 10⁹ apart: arccos of the cosine would be 0 here."""
    middle = slerp([1e4, 0.0], [1e4, 1e-5], 0.5)
    np.testing.assert_allclose(middle, [1e4, 0.5e-5], rtol=1e-6)


@pytest.mark.parametrize("start", [[3.0, 4.0], [1.0, 0.0, 0.0], vectors(1, 100, 2)[0]])
def test_slerp_between_opposite_vectors_goes_round_the_sphere(start):
    start = np.asarray(start, "float32")
    way = slerp(start, -start, SHARES)
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), np.linalg.norm(start), rtol=1e-5)
    turned = np.einsum("sd,sd->s", way[:-1], way[1:]) / np.linalg.norm(start) ** 2
    np.testing.assert_allclose(turned, np.cos(np.pi / 8), rtol=1e-4)  # the same angle at each step
    np.testing.assert_array_equal(way, slerp(start, -start, SHARES))


def test_a_vector_without_direction():
    np.testing.assert_array_equal(slerp([0.0, 0.0], [2.0, 4.0], [0.5]), [[1.0, 2.0]])
    assert np.isfinite(slerp([0.0, 0.0], [0.0, 0.0], SHARES)).all()


def test_a_round_trip_comes_back_to_its_first_face():
    noise = vectors(3, 10, 0)
    for mode in ("linear", "spherical"):
        rows = round_trip(noise, 4, mode)
        assert rows.shape == (3, 4, 10) and rows.dtype == np.float32
        np.testing.assert_array_equal(rows[:, 0], noise)
        np.testing.assert_array_equal(rows[:, -1], noise[[1, 2, 0]])


def test_mistakes():
    with pytest.raises(ValueError, match="choose from linear, spherical"):
        path([1.0], [2.0], 3, "cubic")
    with pytest.raises(ValueError, match="at least 2"):
        path([1.0], [2.0], 1)
    with pytest.raises(ValueError, match=r"\(1,\) and \(2,\)"):
        slerp([1.0], [2.0, 3.0], 0.5)
    with pytest.raises(ValueError, match=r"two or more vectors"):
        round_trip([[1.0, 2.0]], 4)


@pytest.mark.parametrize("truncation", [None, 0.5])
def test_a_system_with_styles_goes_through_w_from_the_faces_that_it_samples(narrow, truncation):
    model = narrow("stylegan")
    rows = faces_between(model, 3, 4, "linear", seed=2, truncation=truncation)
    sampled = model.sample(3, seed=2, truncation=truncation)
    assert np.abs(rows[:, 0].astype(int) - sampled).max() <= 1
    np.testing.assert_array_equal(rows[:, -1], rows[[1, 2, 0], 0])
    with pytest.raises(ValueError, match="from 0 to 1"):
        faces_between(model, 3, 4, truncation=1.5)


# ------------------------------------------------------------------------------------------------ the command


@pytest.fixture
def trained(narrow, tmp_path):
    """A run folder with a checkpoint (of no training: the weights are those of the seed)."""
    import keras

    from keras_faces.runs.folder import RunConfig, RunFolder
    from keras_faces.training import checkpoint

    folder = RunFolder(tmp_path / "run")
    options = {"latent_dim": 5, "width": 4}
    folder.write(RunConfig("dcgan", image_size=16, seed=3, backend=keras.backend.backend(), options=options))
    model = narrow("dcgan")
    checkpoint.save(folder.checkpoint, model, 1, 1)
    return folder.path, model


def test_the_command_draws_a_row_a_pair_and_a_loop(trained, tmp_path, capsys):
    from keras_faces.training.sampling import latent_noise

    run, model = trained
    asked = ["--mode", "spherical", "--faces", "3", "--steps", "4", "--seed", "2", "--truncation", "1.0"]
    assert cli.main(["interpolate", str(run), *asked]) == 0
    faces = grids.untile(grids.read_picture(run / "interpolation-spherical.png"), 16)
    assert len(faces) == 12
    noise = round_trip(latent_noise(3, 5, seed=2, truncation=1.0), 4, "spherical")
    np.testing.assert_array_equal(faces, model.render(noise.reshape(12, 5)))
    with Image.open(run / "interpolation-spherical.gif") as gif:
        assert gif.n_frames == 9 and gif.info["loop"] == 0 and gif.height == 192
    assert "interpolation-spherical.gif" in capsys.readouterr().out

    out = tmp_path / "deep/way.png"
    assert cli.main(["interpolate", str(run), "--faces", "2", "--steps", "2", "--out", str(out)]) == 0
    assert out.exists() and out.with_suffix(".gif").exists()


@pytest.mark.parametrize(
    "wrong, message",
    [
        (["--out", "way.jpg"], "must be the name of a .png"),
        (["--truncation", "-1"], "must be a positive number"),
    ],
)
def test_the_command_tells_mistakes_in_a_line(trained, capsys, wrong, message):
    assert cli.main(["interpolate", str(trained[0]), *wrong]) == 1
    assert message in capsys.readouterr().err


def test_the_command_wants_a_run(tmp_path, capsys):
    assert cli.main(["interpolate", str(tmp_path)]) == 1
    assert "no run folder" in capsys.readouterr().err
    for wrong in (["--faces", "1"], ["--steps", "x"], ["--mode", "cubic"]):
        with pytest.raises(SystemExit, match="2"):
            cli.main(["interpolate", str(tmp_path), *wrong])
