"""The papers' figures: the right grids in the right rows, the right numbers in the legend, and clear refusals."""

import numpy as np
import pandas
import pytest

from keras_faces.cli import main as cli
from keras_faces.figures import grids, papers
from keras_faces.runs.folder import RunConfig, RunFolder


def make_run(path, system="dcgan", epochs=20, iterations=10, size=8, fresh=True, **options):
    """A run folder made by hand: every face of the grid of epoch e has the brightness e."""
    folder = RunFolder(path)
    folder.write(RunConfig(system, image_size=size, epochs=epochs, options=options))
    folder.fresh.mkdir(parents=True)
    for epoch in range(1, epochs + 1):
        name = f"epoch{epoch:04d}-{iterations:06d}.png"
        faces = np.full((64, size, size, 3), epoch, "uint8")
        faces[:, 0, 0, 0] = np.arange(64)  # each face has its number in its first pixel
        grids.save_picture(grids.tile(faces), folder.samples / name)
        if fresh:
            grids.save_picture(grids.tile(faces[:8] + np.uint8(100), 8), folder.fresh / name)
    return folder


def write_log(folder, **columns):
    log = {"step": [10, 20, 30, 40, 45, 50], "d_loss": 0.7, "g_loss": 0.8, "d_real": 0.6, "d_fake": 0.4} | columns
    pandas.DataFrame(log).to_csv(folder.log, index=False)
    return folder


def faces_of(figure, size, columns):
    """The faces of an evolution, (rows, columns, size, size, 3), each pixel once."""
    picture = np.asarray(figure.axes[0].images[0].get_array())
    side = -(-64 // size) * size
    return grids.untile(picture, side)[:, :: side // size, :: side // size].reshape(6, columns, size, size, 3)


# ------------------------------------------------------------------------------------------- figures 6 and 7


def test_settled_is_the_mean_of_the_last_fifth_by_iterations():
    log = pandas.DataFrame({"step": [20, 40, 60, 80, 95, 100], "d_loss": [9.0, 9.0, 9.0, 9.0, 1.0, 2.0]})
    assert papers.settled(log, "d_loss") == pytest.approx((15 * 1.0 + 5 * 2.0) / 20)


def test_the_losses_lie_beside_the_papers(tmp_path):
    folder = write_log(make_run(tmp_path / "x"), g_loss=[3.0, 2.0, 1.0, 1.0, 0.8, 0.6])
    generator, discriminator = papers.s0_losses(folder).axes
    np.testing.assert_array_equal(generator.lines[0].get_ydata(), [3.0, 2.0, 1.0, 1.0, 0.8, 0.6])
    levels = [line.get_ydata()[0] for line in generator.lines[1:]]
    assert levels == pytest.approx([0.7, 0.74, np.log(2)])
    assert [line.get_ydata()[0] for line in discriminator.lines[1:]] == pytest.approx([0.7, 0.695, np.log(2)])
    assert "0.700" in generator.get_legend().get_texts()[0].get_text()


@pytest.mark.parametrize(
    "options, columns, message",
    [
        ({"loss": "hinge"}, {}, "not trained with the paper's loss"),
        ({}, {"d_real": [0.5, 1.4, 2.0, 2.0, 2.0, 2.0]}, "not trained with the paper's loss"),  # a critic by its system
    ],
)
def test_another_loss_is_not_laid_beside_the_papers(tmp_path, options, columns, message):
    with pytest.raises(ValueError, match=message):
        papers.s0_losses(write_log(make_run(tmp_path / "x", **options), **columns))


def test_losses_want_a_log(tmp_path):
    with pytest.raises(ValueError, match="no row in log.csv"):
        papers.s0_losses(make_run(tmp_path / "x"))
    with pytest.raises(ValueError, match="no run folder"):
        papers.s0_losses(RunFolder(tmp_path))


# ------------------------------------------------------------------------------------------- figures 8 and 9


def test_the_moments_are_the_papers_shares_of_the_run():
    shares = [epoch / 3000 for epoch in papers.S0_EPOCHS]
    as_the_paper = [(epoch, 7) for epoch in range(1, 3001)]
    assert [as_the_paper[index][0] for index in papers.moments(as_the_paper, shares)] == list(papers.S0_EPOCHS)
    within_epochs = [(epoch, iteration) for epoch in (1, 2) for iteration in range(5, 51, 5)]
    chosen = [within_epochs[index] for index in papers.moments(within_epochs, shares)]
    assert chosen == [(1, 10), (1, 40), (2, 10), (2, 20), (2, 30), (2, 50)]


@pytest.mark.parametrize("fresh", [False, True])
def test_six_rows_of_seven(tmp_path, fresh):
    folder = make_run(tmp_path / "x")
    figure = papers.s0_fresh_noise(folder) if fresh else papers.s0_same_noise(folder)
    faces = faces_of(figure, 8, 7)
    np.testing.assert_array_equal(faces[:, 0, 5, 5, 0], np.array([2, 8, 12, 14, 16, 20]) + 100 * fresh)
    np.testing.assert_array_equal(faces[0, :, 0, 0, 0], np.arange(7) + 100 * fresh)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[0] == "epoch 2\niteration 10\n(paper: epoch 300)" and "epoch 20\n" in labels[-1]


def test_what_six_rows_need(tmp_path):
    with pytest.raises(ValueError, match="5 grids, too few for six moments.*--sample-every"):
        papers.s0_same_noise(make_run(tmp_path / "short", epochs=5))
    old = make_run(tmp_path / "old", fresh=False)
    with pytest.raises(ValueError, match="fresh holds no grids"):
        papers.s0_fresh_noise(old)
    with pytest.raises(ValueError, match="holds 64 faces, not 65"):
        papers.s0_same_noise(old, faces=65)


# ------------------------------------------------------------------------------------- the sequence of S1


def test_the_sequence_lies_side_by_side(tmp_path):
    runs = [make_run(tmp_path / system, system, epochs=2) for system in ("linear", "linear-tanh", "conv")]
    figure = papers.s1_sequence(*runs, faces=4)
    titles = [axes.get_title() for axes in figure.axes]
    assert [title.split(":")[0] for title in titles] == ["linear", "linear-tanh", "conv"]
    assert "epoch 2" in titles[0]
    assert all((np.asarray(axes.images[0].get_array()) == 2).any() for axes in figure.axes)


def test_the_sequence_wants_its_order_and_one_size(tmp_path):
    linear, tanh = make_run(tmp_path / "a", "linear", epochs=1), make_run(tmp_path / "b", "linear-tanh", epochs=1)
    conv, other = make_run(tmp_path / "c", "conv", epochs=1), make_run(tmp_path / "d", "conv", epochs=1, size=9)
    with pytest.raises(ValueError, match="b is a run of linear-tanh.*asks for linear"):
        papers.s1_sequence(tanh, linear, conv)
    with pytest.raises(ValueError, match="sizes, 8, 9"):
        papers.s1_sequence(linear, tanh, other)
    for grid in conv.samples.rglob("*.png"):
        grid.unlink()
    with pytest.raises(ValueError, match="holds no grids"):
        papers.s1_sequence(linear, tanh, conv)


# ------------------------------------------------------------------------------------------------ the command


def test_the_commands_write_their_files(tmp_path, capsys):
    run = write_log(make_run(tmp_path / "x")).path
    for name in ("s0-losses", "s0-fresh-noise", "s0-same-noise"):
        assert cli.main(["figure", name, str(run)]) == 0
        assert (run / f"{name}.png").exists()
    runs = [str(make_run(tmp_path / system, system, epochs=1).path) for system in ("linear", "linear-tanh", "conv")]
    assert cli.main(["figure", "s1-sequence", *runs, "--faces", "4", "--out", str(tmp_path / "new/s1.png")]) == 0
    assert (tmp_path / "new/s1.png").exists()
    assert cli.main(["figure", "s0-fresh-noise", str(run), "--faces", "9"]) == 1
    assert cli.main(["figure", "s0-losses", str(tmp_path / "nowhere")]) == 1
    errors = capsys.readouterr().err
    assert "holds 8 faces, not 9" in errors and "no run folder" in errors


# --------------------------------------------------------------------------- the grids that figure 8 is made of


def stop_at(iterations):
    """A callback that breaks off in the middle of things, as Ctrl-C does."""
    import keras

    done = []

    def count(batch, logs=None):
        done.append(batch)
        if len(done) == iterations:
            raise KeyboardInterrupt

    return keras.callbacks.LambdaCallback(on_train_batch_end=count)


def test_a_run_keeps_fresh_faces_of_each_moment_and_resumed_the_same(tmp_path, photographs):
    from keras_faces.data import Faces
    from keras_faces.runs.train import train_run

    def config():
        asked = {"epochs": 2, "batch_size": 8, "sample_every": 2, "checkpoint_every": 2, "image_size": 16, "seed": 5}
        return RunConfig("dcgan", options={"latent_dim": 5, "width": 4}, **asked)

    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    train_run(whole, config(), Faces(photographs[:24]))
    names = [file.name for _, _, file in whole.grids()]
    assert names == [file.name for _, _, file in whole.grids(fresh=True)] and len(names) == 4
    faces = [grids.untile(grids.read_picture(file), 16) for _, _, file in whole.grids(fresh=True)]
    assert all(len(row) == 8 for row in faces)
    assert len(np.unique(np.concatenate(faces), axis=0)) == 32  # no two alike

    with pytest.raises(KeyboardInterrupt):
        train_run(broken, config(), Faces(photographs[:24]), callbacks=[stop_at(4)])
    late = broken.fresh / "epoch0002-000003.png"
    late.write_bytes(b"from after the checkpoint")
    train_run(broken, config(), Faces(photographs[:24]), resume=True)
    for _, _, file in whole.grids(fresh=True):
        assert file.read_bytes() == (broken.fresh / file.name).read_bytes()
