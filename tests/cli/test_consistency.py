"""``keras-faces consistency``: what was asked for is what is looked for, and sentences speak of nothing else."""

import json

import numpy as np
import pytest

from keras_faces.cli import main as cli
from keras_faces.runs.evaluate import consistency

SMALL = ["--data", "drawn", "--count", "40", "--image-size", "16", "--epochs", "1"]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "judge"
    given = ["--labels", "Male, Eyeglasses", "--width", "2", "--held-out", "0.2"]
    assert cli.main(["classify", *SMALL, *given, "--out", str(folder)]) == 0
    return folder


def test_the_table_has_the_classifiers_own_score_beside_it(classifier, tmp_path, capsys):
    run = tmp_path / "run"
    small = [*SMALL, "--batch-size", "8", "--option", "width=4", "--option", "latent_dim=5"]
    assert cli.main(["train", "cgan", *small, "--labels", "Male, Eyeglasses", "--out", str(run)]) == 0
    assert cli.main(["consistency", str(run), "--classifier", str(classifier), "--count", "20"]) == 0
    said = capsys.readouterr().out
    assert "20 faces of" in said and {"found", "absent", "mean", "real"} <= set(said.split())
    rows = json.loads((run / "consistency.json").read_text())["labels"]
    report = json.loads((classifier / "report.json").read_text())["labels"]
    assert set(rows) == {"Male", "Eyeglasses", "all"}
    for name in ("Male", "Eyeglasses"):
        assert rows[name]["mean"] == (rows[name]["found"] + rows[name]["absent"]) / 2
        assert rows[name]["real"] == 100 * report[name]["balanced"]
    assert rows["all"]["mean"] == np.mean([rows[name]["mean"] for name in ("Male", "Eyeglasses")])


def test_a_sentence_says_what_the_classifier_can_judge_and_no_more(narrow, classifier, monkeypatch):
    model = narrow("stackgan")  # knows Smiling, too
    asked = []
    sentences = model.sentences
    monkeypatch.setattr(model, "sentences", lambda *given: asked.extend(sentences(*given)) or asked)
    _, table = consistency(model, classifier, 12, seed=0)
    smiling, *others = model.text_encoder.captions.vectors(asked).T
    assert not smiling.any() and all(set(column) == {-1, 1} for column in others)
    assert list(table.index) == ["Male", "Eyeglasses", "all"]


def test_labels_that_the_classifier_does_not_know_are_told(narrow, classifier):
    with pytest.raises(ValueError, match="does not know Smiling"):
        consistency(narrow("cgan"), classifier, 8, seed=0)
