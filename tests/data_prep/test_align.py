"""Alignment: landmarks come to lie where they shall, and a folder's report tells what became of every face."""

import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep import align
from data_prep.align import Settings, align_folder, main, summary
from data_prep.engine.align_faces import CELEBA_LANDMARKS, Face, canonical, choose, similarity, warp
from keras_faces.data.pictures import decode

ROOT = Path(__file__).resolve().parents[2]
LFW = ROOT.parent / "shared" / "data" / "lfw-deepfunneled"
COLOURS = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255)])


def face_at(x: float, y: float, size: float, degrees: float = 0, score: float = 0.99) -> Face:
    """A face whose square of `size` pixels has its centre at x, y."""
    turn = np.exp(1j * np.radians(degrees))
    points = ((CELEBA_LANDMARKS - 0.5) @ (1, 1j)) * size * turn + x + 1j * y
    return Face((x - size / 4, y - size / 4, size / 2, size / 2), np.stack([points.real, points.imag], axis=1), score)


def drawn(faces: list[Face], width: int = 300, height: int = 260) -> np.ndarray:
    """Grey, with a dot of its own colour at each landmark."""
    image = np.full((height, width, 3), 128, np.uint8)
    for face in faces:
        for (x, y), colour in zip(face.landmarks, COLOURS.tolist(), strict=True):
            cv2.circle(image, (round(x * 16), round(y * 16)), round(face.size * 0.06 * 16), colour, -1, cv2.LINE_AA, 4)
    return image


def dots(image: np.ndarray) -> np.ndarray:
    """Centres of the coloured dots, (5, 2)."""
    centres = []
    for colour in COLOURS:
        weight = np.clip(1 - np.abs(image.astype(int) - colour).sum(2) / 120, 0, 1)
        rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
        centres.append(((weight * columns).sum() / weight.sum(), (weight * rows).sum() / weight.sum()))
    return np.array(centres)


@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize("margin", [-0.2, 0.0, 0.3])
@pytest.mark.parametrize(("scale", "degrees"), [(150, 0), (150, 35), (60, -20), (220, 170)])
def test_landmarks_land_where_they_shall(size, margin, scale, degrees):
    face = face_at(150.3, 130.7, scale, degrees)
    result, _ = warp(drawn([face]), face.landmarks, size, margin)
    assert result.shape == (size, size, 3) and result.dtype == np.uint8
    assert np.abs(dots(result) - canonical(size, margin)).max() < max(0.35, size * 0.006)


def test_the_canonical_places_are_those_of_celeba():
    eyes = canonical(178)[:2] + (0, 40)  # the face square begins at row 40 of the frame as distributed
    np.testing.assert_allclose(eyes, [(69.2, 111.5), (107.8, 111.5)], atol=0.1)
    np.testing.assert_allclose(canonical(64, 0.5), (CELEBA_LANDMARKS + 0.5) * 32 - 0.5)
    for margin in (-0.31, 1.1, float("nan")):
        with pytest.raises(ValueError, match="margin=.* is not between -0.3"):
            canonical(64, margin)


numbers = st.floats(-500, 500)


@settings(max_examples=100, deadline=None)
@given(st.floats(0.01, 50), st.floats(-180, 180), numbers, numbers, st.integers(0, 2**32))
def test_a_similarity_is_found_again(scale, degrees, x, y, seed):
    points = np.random.default_rng(seed).uniform(0, 100, (5, 2))
    turn = np.radians(degrees)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    found = similarity(points, points @ linear.T + (x, y))
    np.testing.assert_allclose(found, np.column_stack([linear, (x, y)]), atol=1e-6 * (1 + scale))


def test_no_other_similarity_fits_better():
    """Least squares: any small change of the four numbers makes the distances larger."""
    random = np.random.default_rng(1)
    source, target = random.uniform(0, 100, (5, 2)), random.uniform(0, 50, (5, 2))
    best = similarity(source, target)

    def misfit(matrix):
        return ((source @ matrix[:, :2].T + matrix[:, 2] - target) ** 2).sum()

    for a, b, x, y in 0.01 * np.eye(4).repeat(2, axis=0) * np.tile([1, -1], 4)[:, None]:
        assert misfit(best + [[a, -b, x], [b, a, y]]) > misfit(best)


def test_shrinking_averages_all_pixels():
    """Fine stripes become grey: no pixel is left out."""
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[:, ::2] = 255
    result, _ = warp(stripes, face_at(400, 400, 700).landmarks, 32)
    assert np.abs(result.astype(int) - 127).max() < 12


def test_what_lies_outside_is_mirrored_and_counted():
    image = np.arange(100, dtype=np.uint8)[None, :, None].repeat(100, axis=0).repeat(3, axis=2) * 2
    result, outside = warp(image, face_at(-0.5, 49.5, 50).landmarks, 50)
    assert outside == pytest.approx(0.5, abs=0.001)
    assert np.abs(result[25, 1:25, 0].astype(int) - result[25, :25:-1, 0]).max() <= 1  # a mirror image
    assert np.abs(result[25, 25:, 0].astype(int) - image[50, :25, 0]).max() <= 1
    assert warp(image, face_at(49.5, 49.5, 60, 30).landmarks, 64)[1] == pytest.approx(0, abs=1e-6)
    assert warp(image, face_at(49.5, 49.5, 200).landmarks, 64)[1] == pytest.approx(0.75, abs=0.001)


def test_choosing():
    faces = [face_at(250, 50, 100), face_at(140, 140, 60), face_at(20, 20, 50)]
    assert choose(faces, "largest", 300, 260) == faces[:1]
    assert choose(faces, "center", 300, 260) == faces[1:2]
    assert choose(faces, "all", 300, 260) == faces
    assert choose([], "center", 300, 260) == [] == choose([], "largest", 300, 260)


PHOTOGRAPHS = {  # what the stand-in for the detector sees in each
    "Ann/one.png": [face_at(150, 130, 160)],
    "Ann/three.png": [face_at(100, 120, 150), face_at(220, 130, 90), face_at(270, 60, 60)],
    "Bo/none.png": [],
    "Bo/doubtful.png": [face_at(150, 130, 160, score=0.7)],
    "Bo/border.png": [face_at(20, 20, 160)],
}


NUMBERS = {name: number for number, name in enumerate(PHOTOGRAPHS)}


@pytest.fixture
def photographs(tmp_path):
    folder = tmp_path / "photographs"
    for name, faces in PHOTOGRAPHS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        image = drawn(faces)
        image[0, 0] = NUMBERS[name]  # by which the stand-in knows it
        (folder / name).write_bytes(cv2.imencode(".png", image[..., ::-1])[1].tobytes())
    (folder / "Bo" / "broken.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("hello")
    return folder


def find(image: np.ndarray) -> list[Face]:
    return list(PHOTOGRAPHS.values())[image[0, 0, 0]]


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if path.is_file())


def run_align(source: Path, target: Path, **options) -> pd.DataFrame:
    return align_folder(source, target, Settings(size=64, **options), find=find, progress=False)


def test_a_folder_becomes_faces_and_a_report(photographs, tmp_path):
    table = run_align(photographs, tmp_path / "faces")
    assert files(tmp_path / "faces") == [".align.json", "Ann/one.jpg", "Ann/three.jpg"]
    reasons = {file: list(rows["reason"]) for file, rows in table.groupby("file")}
    assert reasons == {
        "Ann/one.png": [""],
        "Ann/three.png": ["", "not the largest", "30 pixels, smaller than 40"],
        "Bo/none.png": ["no face found"],
        "Bo/doubtful.png": ["score 0.70, below 0.9"],
        "Bo/border.png": ["over 30% of the square lies outside the picture"],
        "Bo/broken.jpg": ["not a picture that OpenCV can read"],
        "notes.txt": ["not a picture (.txt)"],
    }
    saved = pd.read_csv(tmp_path / "faces.csv", keep_default_na=False, na_values={"score": [""], "outside": [""]})
    assert list(saved["file"]) == list(table["file"]) and list(saved["taken"]) == list(table["taken"])
    for file in ("Ann/one.jpg", "Ann/three.jpg"):
        assert np.abs(dots(decode(tmp_path / "faces" / file))[:2] - canonical(64)[:2]).max() < 1.5
    said = summary(table)
    assert "2 faces from 2 of 7 files" in said and "1 pictures show several faces" in said
    assert "tighter --margin" in said


@pytest.mark.parametrize(
    ("which", "names"),
    [
        ("center", ["Ann/one.jpg", "Ann/three.jpg"]),
        ("all", ["Ann/one_face1.jpg", "Ann/three_face1.jpg", "Ann/three_face2.jpg"]),
    ],
)
def test_which_faces_are_taken(photographs, tmp_path, which, names):
    table = run_align(photographs, tmp_path / "faces", faces=which)
    assert files(tmp_path / "faces") == [".align.json", *names]
    assert sorted(taken for taken in table["taken"] if taken) == names


def test_an_archive_gives_the_same_faces(photographs, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in files(photographs):
            archive.write(photographs / name, name)
    ours = run_align(photographs, tmp_path / "one", format="png")
    theirs = run_align(tmp_path / "a.zip", tmp_path / "two", format="png")
    pd.testing.assert_frame_equal(
        ours.sort_values(["file", "reason"], ignore_index=True),
        theirs.sort_values(["file", "reason"], ignore_index=True),
    )
    assert files(tmp_path / "one") == files(tmp_path / "two")
    for name in files(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_two_pictures_of_one_stem(photographs, tmp_path):
    (photographs / "Ann" / "one.bmp").write_bytes((photographs / "Ann" / "one.png").read_bytes())
    run_align(photographs, tmp_path / "faces")
    assert files(tmp_path / "faces") == [".align.json", "Ann/one.jpg", "Ann/one.png.jpg", "Ann/three.jpg"]


def test_a_second_call_does_only_what_is_missing_or_changed(photographs, tmp_path):
    first = run_align(photographs, tmp_path / "faces")
    asked = []

    def noting(image):
        asked.append(int(image[0, 0, 0]))
        return find(image)

    def again():
        asked.clear()
        table = align_folder(photographs, tmp_path / "faces", Settings(size=64), find=noting, progress=False)
        return table.sort_values(["file", "score"], ascending=[True, False], ignore_index=True)

    expected = first.sort_values(["file", "score"], ascending=[True, False], ignore_index=True)
    pd.testing.assert_frame_equal(again(), expected, check_dtype=False)
    assert asked == []
    (tmp_path / "faces" / "Ann" / "three.jpg").unlink()
    with open(photographs / "Bo" / "none.png", "ab") as file:
        file.write(b"more")
    changed = again()
    assert sorted(asked) == sorted([NUMBERS["Ann/three.png"], NUMBERS["Bo/none.png"]])
    assert list(changed["taken"]) == list(expected["taken"])
    assert files(tmp_path / "faces") == [".align.json", "Ann/one.jpg", "Ann/three.jpg"]


def test_folders_that_hold_something_else_are_left_alone(photographs, tmp_path):
    run_align(photographs, tmp_path / "faces")
    with pytest.raises(FileExistsError, match="other settings.*choose another folder"):
        run_align(photographs, tmp_path / "faces", margin=0.1)
    before = files(photographs)
    with pytest.raises(FileExistsError, match="photographs is there already"):
        run_align(photographs, photographs)
    assert files(photographs) == before


def test_a_stop_half_way_keeps_what_is_done(photographs, tmp_path):
    def stopping(image):
        if int(image[0, 0, 0]) == NUMBERS["Ann/three.png"]:
            raise KeyboardInterrupt
        return find(image)

    with pytest.raises(KeyboardInterrupt):
        align_folder(photographs, tmp_path / "faces", Settings(size=64), find=stopping, progress=False)
    assert files(tmp_path / "faces") == [".align.json", "Ann/one.jpg"]
    assert list(pd.read_csv(tmp_path / "faces.csv")["file"]) == ["Ann/one.png"]
    run_align(photographs, tmp_path / "faces")
    assert files(tmp_path / "faces") == [".align.json", "Ann/one.jpg", "Ann/three.jpg"]


SLOW = """
import sys, time
from data_prep.align import Settings, align_folder
sys.path.insert(0, "tests/data_prep")
from test_align import find
def slow(image):
    time.sleep(0.3)
    return find(image)
align_folder(sys.argv[1], sys.argv[2], Settings(size=64), find=slow, progress=False)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kill -9 is Unix's")
def test_killed_and_run_again(photographs, tmp_path):
    running = subprocess.Popen([sys.executable, "-c", SLOW, str(photographs), str(tmp_path / "faces")], cwd=ROOT)
    while running.poll() is None and not (tmp_path / "faces" / "Ann" / "one.jpg").exists():
        time.sleep(0.005)
    running.kill()
    running.wait()
    assert not (tmp_path / "faces" / "Ann" / "three.jpg").exists()
    table = run_align(photographs, tmp_path / "faces")
    assert sorted(taken for taken in table["taken"] if taken) == ["Ann/one.jpg", "Ann/three.jpg"]
    assert decode(tmp_path / "faces" / "Ann" / "one.jpg").shape == (64, 64, 3)


def test_a_full_disk(photographs, tmp_path):
    """The operating system refuses to let a file grow, which is what a full disk does."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        with pytest.raises(OSError):
            run_align(photographs, tmp_path / "faces")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files(tmp_path / "faces") == [".align.json"]  # and no part of a picture
    run_align(photographs, tmp_path / "faces")
    assert files(tmp_path / "faces") == [".align.json", "Ann/one.jpg", "Ann/three.jpg"]


def test_the_script(photographs, tmp_path, monkeypatch, capsys):
    class StandIn:
        def __init__(self, min_face):
            assert min_face == 25
            self.find = find

    monkeypatch.setattr(align, "Detector", StandIn)
    options = [str(photographs), str(tmp_path / "faces"), "--size", "64", "--min-face", "50", "--quiet"]
    assert main([*options, "--dry-run"]) == 3
    assert "2 faces from 2 of 7 files" in capsys.readouterr().out and not (tmp_path / "faces").exists()
    assert main(options) == 3
    assert "report in" in capsys.readouterr().out and (tmp_path / "faces.csv").exists()
    for name in files(photographs):
        if name not in ("Ann/one.png", "notes.txt"):
            os.remove(photographs / name)
    assert main([str(photographs), str(tmp_path / "good"), *options[2:]]) == 0  # a note is no failure


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"size": 4}, "size=4"),
        ({"margin": 3}, "margin=3"),
        ({"faces": "some"}, "'some' is none of largest, center, all"),
        ({"min_face": 5}, "fewer than 20 pixels"),
        ({"format": "gif"}, "'gif' is none of jpg, png"),
        ({"min_score": 2}, "min_score=2"),
        ({"max_outside": -1}, "max_outside=-1"),
    ],
)
def test_wrong_settings(wrong, message):
    with pytest.raises(ValueError, match=message):
        Settings(**wrong)


def test_without_the_detector_the_way_out_is_named(photographs, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mtcnn", None)
    with pytest.raises(ImportError, match=r"pip install mtcnn tensorflow"):
        align_folder(photographs, tmp_path / "faces")
    assert not (tmp_path / "faces").exists()


REAL = """
import sys
import numpy as np
from pathlib import Path
from data_prep.align import Settings, align_folder
from data_prep.engine.align_faces import Detector, canonical
from keras_faces.data.pictures import decode
table = align_folder(sys.argv[1], sys.argv[2], Settings(size=160), progress=False)
detector = Detector(20)
errors = []
for name in table.loc[table["taken"] != "", "taken"]:
    faces = detector.find(decode(Path(sys.argv[2], name)))
    errors.append(np.abs(faces[0].landmarks[:2] - canonical(160)[:2]).max())
print("ERRORS", len(table), *errors)
print("BLANK", *(len(detector.find(np.full((*shape, 3), 99, np.uint8))) for shape in ((90, 60), (1, 1))))
"""


@pytest.mark.skipif(not LFW.is_dir(), reason="no LFW photographs beside this checkout")
def test_the_detector_aligns_photographs(tmp_path):
    """In a process of its own, where Keras may run on TensorFlow whatever the suite runs on."""
    pytest.importorskip("mtcnn")
    pytest.importorskip("tensorflow")
    for path in sorted(LFW.glob("*/*.jpg"))[:240:40]:
        (tmp_path / "lfw").mkdir(exist_ok=True)
        (tmp_path / "lfw" / path.name).write_bytes(path.read_bytes())
    command = [sys.executable, "-c", REAL, str(tmp_path / "lfw"), str(tmp_path / "faces")]
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
    assert result.returncode == 0, result.stderr
    found = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()}
    count, *errors = map(float, found["ERRORS"])
    assert count == 6 and len(errors) >= 5
    assert np.median(errors) < 3.2 and max(errors) < 12  # of 160 pixels: eyes lie on eyes
    assert found["BLANK"] == ["0", "0"]


def test_the_detector_is_loaded_only_when_faces_are_looked_for():
    code = (
        "import sys, data_prep.align, data_prep.check, data_prep.fetch\n"
        "print(sorted({'keras', 'tensorflow', 'mtcnn', 'sklearn', 'torch', 'jax'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.stdout.strip() == "[]", result.stderr
