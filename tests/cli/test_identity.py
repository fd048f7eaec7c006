"""The commands of IP-GAN as a user types them, on a narrow run of drawn faces."""

import pandas
import pytest

from keras_faces import data
from keras_faces.cli import identity
from keras_faces.cli import main as cli
from keras_faces.figures import grids

NARROW = ["--option", "width=4", "--option", "convolutions=1", "--option", "latent_dim=5"]
NARROW += ["--option", "recogniser_iterations=0", "--option", "identity_pooling=average"]

LOADED: dict = {}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """An ip-gan of a few steps."""
    folder = tmp_path_factory.mktemp("runs") / "ip-gan"
    given = ["--data", "drawn", "--count", "40", "--image-size", "16", "--batch-size", "8", "--epochs", "1"]
    given += ["--precision", "float32", "--labels", "identity", "--keep-labels", "20", "--out", str(folder)]
    assert cli.main(["train", "ip-gan", *NARROW, *given]) == 0
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Three pictures as files, in a folder."""
    folder = tmp_path_factory.mktemp("pictures")
    for number, face in enumerate(data.load("drawn", 40, count=3, seed=9, progress=False).images[:]):
        grids.save_picture(face, folder / f"{number}.png")
    return folder


@pytest.fixture(autouse=True)
def loaded_once(monkeypatch, run):
    """The run is read by the first command, and the others have the same model."""
    read = identity.trained_run
    monkeypatch.setattr(
        identity, "trained_run", lambda path: LOADED[path] if path in LOADED else LOADED.setdefault(path, read(path))
    )


def cells(path, columns):
    """How many pictures of 64×64 high, and how many columns of them, a figure's size speaks of."""
    picture = grids.read_picture(path)
    return round(columns * picture.shape[0] / picture.shape[1])


def test_transfer_of_given_pictures_and_of_the_runs_own(run, files, tmp_path, capsys):
    given = ["--identity", str(files), "--attributes", str(files / "0.png"), str(files / "1.png")]
    assert cli.main(["transfer", str(run), *given, "--out", str(tmp_path / "new/t.png")]) == 0
    assert "3 people with the attributes of 2 pictures" in capsys.readouterr().out
    assert cells(tmp_path / "new/t.png", 3) == 4
    assert cli.main(["transfer", str(run)]) == 0
    assert "6 people with the attributes of 6" in capsys.readouterr().out and (run / "transfer.png").exists()


def test_people_by_picture_and_by_name(run, files, capsys):
    assert cli.main(["person", str(run), str(files / "2.png"), "--count", "3"]) == 0
    assert "1 people, 3 faces" in capsys.readouterr().out and cells(run / "person.png", 4) == 1
    assert cli.main(["person", str(run), "--label", "1", "--label", "3", "--count", "2"]) == 0
    assert "2 people, 2 faces" in capsys.readouterr().out
    assert cli.main(["sample", str(run), "--count", "3"]) == 0


def test_attribute_morph_and_frontal(run, files, capsys):
    given = ["--identity", str(files), "--first", str(files / "0.png"), "--last", str(files), "--steps", "3"]
    assert cli.main(["attribute-morph", str(run), *given]) == 0
    assert "3 people, 3 steps" in capsys.readouterr().out
    assert cli.main(["frontal", str(run), str(files), "--data", "drawn"]) == 0
    assert cli.main(["frontal", str(run), "--front", str(files / "0.png")]) == 0
    assert "6 profiles" in capsys.readouterr().out and cells(run / "frontal.png", 6) == 3


def test_the_table_of_adversarial_examples(run, capsys):
    given = ["--pairs", "4", "--thresholds", "1, 0.5", "--steps", "2", "--data", "drawn"]
    assert cli.main(["detect-adversarial", str(run), *given]) == 0
    said = capsys.readouterr().out
    table = pandas.read_csv(run / "detect-adversarial.csv")
    assert list(table["threshold"]) == [1.0, 0.5] and "got through" in said
    assert (run / "detect-adversarial.png").exists()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["transfer", "RUN", "--identity", "nowhere.png"], "nowhere.png"),
        (["transfer", "RUN", "--out", "x.jpg"], "must be the name of a .png"),
        (["transfer", "nowhere"], "no run folder"),
        (["person", "RUN", "--label", "Nobody"], "nobody called 'Nobody'"),
        (["person", "RUN", "FILES", "--label", "1"], "not both"),
        (["attribute-morph", "RUN", "--identity", "FILES", "--first", "TWO", "TWO"], "2 pictures for 3 people"),
        (["detect-adversarial", "RUN", "--thresholds", "9", "--pairs", "2"], "threshold=9"),
        (["frontal", "RUN", "--data", "nowhere.h5"], "nowhere.h5"),
    ],
)
def test_what_is_wrong_is_told(run, files, capsys, arguments, message):
    words = {"RUN": str(run), "FILES": str(files), "TWO": str(files / "1.png")}
    assert cli.main([words.get(word, word) for word in arguments]) == 1
    assert message in capsys.readouterr().err
