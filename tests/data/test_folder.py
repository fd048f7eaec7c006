"""Folders of photographs: what is read, in which order and shape, and what happens to files that are no pictures."""

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from keras_faces.data import load
from keras_faces.data.folder import person_folders
from keras_faces.data.pictures import is_cut_short, is_picture, to_square

PHOTOGRAPHS = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def smooth(height, width, seed=0):
    """A smooth colour picture, which JPEG and resizing change little: uint8 RGB."""
    blobs = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return cv2.resize(blobs, (width, height), interpolation=cv2.INTER_LINEAR)


def encoded(image, extension=".png", parameters=()):
    bgr = image[..., ::-1] if image.ndim == 3 and image.shape[2] == 3 else image
    return cv2.imencode(extension, np.ascontiguousarray(bgr), list(parameters))[1].tobytes()


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def difference(a, b):
    return np.abs(a.astype(int) - b.astype(int)).mean()


@pytest.fixture
def people(tmp_path):
    """Seven pictures of three people, in nested folders, and what each should look like at 16×16."""
    expected = {}
    for number, name in enumerate(["b/2.png", "b/1.png", "a/x.png", "a/y.png", "c/d/1.png", "b/10.png", "a/é 脸.png"]):
        image = smooth(16, 16, seed=number)
        put(tmp_path / name, encoded(image))
        expected[name] = image
    return tmp_path, expected


def test_nested_folder_gives_sorted_names_pixels_and_identities(people):
    folder, expected = people
    faces = load(folder, 16)
    assert faces.names == sorted(expected)
    for number, name in enumerate(faces.names):
        np.testing.assert_array_equal(faces.images[number], expected[name])
    assert faces.identity_names == ["a", "b", "c/d"]
    assert [faces.identity_names[i] for i in faces.identities] == [name.rsplit("/", 1)[0] for name in faces.names]
    assert "7 faces of 16×16" in repr(faces) and "3 people" in repr(faces)


@pytest.mark.parametrize("names", [["1.png", "2.png"], ["all/1.png", "all/2.png"], ["1.png", "a/1.png", "b/1.png"]])
def test_flat_folder_one_subfolder_or_loose_pictures_give_no_identities(names):
    assert person_folders(names) == (None, None)


def test_memory_bound_changes_no_pixel(people):
    folder, expected = people
    everything = load(folder, 16)
    for memory_mb in (0, 3 * 16 * 16 * 3 / 2**20):  # nothing, and three pictures
        faces = load(folder, 16, memory_mb=memory_mb)
        assert faces.images.kept_bytes <= memory_mb * 2**20
        np.testing.assert_array_equal(faces.images[:], everything.images[:])
        np.testing.assert_array_equal(faces.images[[6, 0, 6, -1]], everything.images[[6, 0, 6, -1]])
        assert faces.images.kept_bytes <= memory_mb * 2**20


def test_file_that_vanished_or_changed_after_loading_is_named(people):
    folder, _ = people
    faces = load(folder, 16, memory_mb=0)
    (folder / "a" / "x.png").unlink()
    with pytest.raises(FileNotFoundError, match="x.png was there when the folder was loaded"):
        faces.images[faces.names.index("a/x.png")]
    put(folder / "a" / "y.png", encoded(smooth(20, 20)))
    with pytest.raises(ValueError, match="y.png has changed since the folder was loaded"):
        faces.images[1:3]


def test_count_takes_the_first_by_path(people):
    folder, expected = people
    assert load(folder, 16, count=3).names == sorted(expected)[:3]
    assert load(folder, 16, count=99).names == sorted(expected)


def test_bad_files_are_skipped_and_named(people):
    folder, expected = people
    jpeg = encoded(smooth(64, 64), ".jpg")
    put(folder / "a" / "cut.jpg", jpeg[: len(jpeg) // 2])
    put(folder / "a" / "empty.png", b"")
    put(folder / "a" / "text.jpg", b"not a picture")
    put(folder / "list.txt", b"1 2 3")
    put(folder / ".hidden.txt", b"")
    put(folder / "Thumbs.db", b"x")
    put(folder / "b" / "desktop.ini", b"x")
    os.symlink(folder / "nowhere.png", folder / "b" / "broken.png")
    faces = load(folder, 16)
    assert faces.names == sorted(expected)
    assert dict(faces.skipped).keys() == {"a/cut.jpg", "a/empty.png", "a/text.jpg", "list.txt", "b/broken.png"}
    reasons = dict(faces.skipped)
    assert "cut short" in reasons["a/cut.jpg"]
    assert "empty" in reasons["a/empty.png"]
    assert "not a picture" in reasons["a/text.jpg"]
    assert reasons["list.txt"] == "not a picture (.txt)"
    assert "5 files skipped" in repr(faces)
    assert all(f"  {name}: {reason}" in faces.summary() for name, reason in faces.skipped)


def test_summary_names_ten_skipped_files_and_counts_the_rest(people):
    folder, _ = people
    for number in range(13):
        put(folder / f"z{number:02d}.txt", b"x")
    summary = load(folder, 16).summary()
    assert "13 files skipped" in summary and "z09.txt" in summary and "z10.txt" not in summary
    assert "and 3 files more" in summary


def test_strict_names_the_first_bad_file_and_why(people):
    folder, _ = people
    put(folder / "a" / "zero.png", b"")
    put(folder / "b" / "zero.png", b"")
    with pytest.raises(ValueError, match=r"a.zero\.png: empty file.*strict"):
        load(folder, 16, strict=True)


def test_folder_without_pictures_says_what_was_seen(tmp_path):
    with pytest.raises(ValueError, match="holds no files"):
        load(tmp_path, 16)
    put(tmp_path / "list.txt", b"x")
    with pytest.raises(ValueError, match=r"files seen: 1, .* list\.txt"):
        load(tmp_path, 16)


def test_links_in_a_circle_end(people):
    folder, expected = people
    os.symlink(folder, folder / "a" / "up", target_is_directory=True)
    os.symlink(folder / "b", folder / "c" / "again", target_is_directory=True)
    assert len(load(folder, 16)) == len(expected)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes as files exist on POSIX systems only")
def test_pipe_does_not_block(people):
    folder, expected = people
    os.mkfifo(folder / "pipe.png")
    faces = load(folder, 16)
    assert len(faces) == len(expected) and faces.skipped == [("pipe.png", "a pipe or a device, not a regular file")]


def test_name_that_is_no_unicode_can_be_shown_and_saved(people):
    folder, _ = people
    if sys.platform != "linux":
        pytest.skip("only Linux has file names of arbitrary bytes")
    with open(os.fsencode(folder) + b"/caf\xe9.png", "wb") as file:
        file.write(encoded(smooth(8, 8)))
    with open(os.fsencode(folder) + b"/caf\xe9.txt", "wb") as file:
        file.write(b"x")
    faces = load(folder, 16)
    faces.summary().encode("utf-8")
    assert len(faces.fingerprint()) >= 16
    assert load(faces.save(folder / "x.h5"), 16).names == faces.names


@pytest.mark.parametrize("extension", [".jpg", ".png", ".bmp", ".webp", ".tif", ".ppm"])
def test_every_format_gives_rgb_and_its_cut_file_is_found(tmp_path, extension):
    image = smooth(64, 64)
    data = encoded(image, extension)
    put(tmp_path / f"whole{extension.upper()}", data)
    put(tmp_path / f"cut{extension}", data[: int(len(data) * 0.7)])
    faces = load(tmp_path, 64)
    assert difference(faces.images[0], image) < 5
    assert [name for name, _ in faces.skipped] == [f"cut{extension}"]


def test_grey_16_bit_alpha_and_palette_become_rgb(tmp_path):
    image = smooth(32, 32)
    grey = image[..., 0]
    put(tmp_path / "1 grey.pgm", encoded(grey, ".pgm"))
    put(tmp_path / "2 deep.png", encoded(image.astype(np.uint16) * 257))
    put(tmp_path / "3 deep grey.png", encoded(grey.astype(np.uint16) * 257))
    half = np.dstack([image[..., ::-1], np.full((32, 32), 128, np.uint8)])
    put(tmp_path / "4 half transparent.png", encoded(half))
    clear = np.dstack([np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32), np.uint8)])
    put(tmp_path / "5 transparent.png", encoded(clear))
    images = load(tmp_path, 32).images[:]
    np.testing.assert_array_equal(images[0], np.dstack([grey] * 3))
    np.testing.assert_array_equal(images[1], image)
    np.testing.assert_array_equal(images[2], np.dstack([grey] * 3))
    assert difference(images[3], image * (128 / 255) + 255 * (127 / 255)) <= 1
    assert (images[4] == 255).all()


def test_cmyk_palette_gif_and_orientation(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    image = smooth(40, 40)
    picture = pillow.fromarray(image)
    picture.convert("CMYK").save(tmp_path / "1 cmyk.jpg", quality=95)
    picture.quantize(256).save(tmp_path / "2 palette.png")
    picture.quantize(256).save(tmp_path / "3.gif", save_all=True, append_images=[pillow.new("P", (40, 40))])
    turned = pillow.Exif()
    turned[0x0112] = 6  # to be turned by 90° clockwise
    picture.save(tmp_path / "4 turned.jpg", exif=turned, quality=95)
    images = load(tmp_path, 40).images[:]
    assert difference(images[0], image) < 4
    assert difference(images[1], image) < 12
    if len(images) == 4:  # OpenCV reads GIF from 4.11 on
        assert difference(images[2], image) < 12
    assert difference(images[-1], np.rot90(image, -1)) < 4


def test_cut_jpeg_is_found_in_spite_of_a_thumbnail_or_trailing_bytes():
    pillow = pytest.importorskip("PIL.Image")
    whole = encoded(smooth(64, 64), ".jpg")
    thumbnail = b"\xff\xe1" + (len(whole) + 2).to_bytes(2, "big") + whole
    with_thumbnail = whole[:2] + thumbnail + whole[2:]
    assert not is_cut_short(with_thumbnail)
    assert is_cut_short(with_thumbnail[: len(with_thumbnail) - 50])
    assert not is_cut_short(whole + b"camera's own data" * 100)
    import io

    for options in ({"progressive": True}, {"optimize": True}, {"quality": 100}):
        file = io.BytesIO()
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        pillow.fromarray(noise).save(file, "JPEG", **options)
        assert not is_cut_short(file.getvalue())
        assert all(is_cut_short(file.getvalue()[:end]) for end in range(2, len(file.getvalue()) - 1, 97))


@pytest.mark.parametrize(("height", "width"), [(218, 178), (109, 89)])
def test_celeba_square_is_the_89_rows_from_row_20(height, width):
    scale = height // 109
    frame = smooth(height, width)
    square = frame[20 * scale : 109 * scale]
    assert square.shape[:2] == (width, width)
    np.testing.assert_array_equal(to_square(frame, width, "auto"), square)
    np.testing.assert_array_equal(to_square(frame, width, "celeba"), square)
    middle = (height - width) // 2
    np.testing.assert_array_equal(to_square(frame, width, "center"), frame[middle : middle + width])


def test_other_frames_get_the_middle_or_are_squeezed():
    frame = smooth(50, 91)
    np.testing.assert_array_equal(to_square(frame, 50), frame[:, 20:70])
    squeezed = to_square(frame, 50, "none")
    assert difference(squeezed[:, :2], frame[:, :2]) < 8 and difference(squeezed[:, -2:], frame[:, -2:]) < 8
    assert to_square(smooth(3, 1), 64, "none").shape == (64, 64, 3)
    assert to_square(smooth(1, 300), 64, "none").shape == (64, 64, 3)


def test_shrinking_averages_and_enlarging_keeps_a_flat_colour():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    assert (to_square(stripes, 16) == 100).all()
    assert (to_square(np.full((4, 4, 3), 77, np.uint8), 37) == 77).all()


def test_wrong_crops_say_what_to_use(people):
    folder, _ = people
    with pytest.raises(ValueError, match=r"x\.png: crop=\"celeba\" needs an aligned CelebA frame.*not 16×16"):
        load(folder, 16, crop="celeba")
    with pytest.raises(ValueError, match="'auto', 'center', 'celeba', 'none'"):
        load(folder, 16, crop="middle")


@pytest.mark.parametrize(
    ("name", "count", "people", "skipped"),
    [
        ("celeba_178x218", 32, None, 3),
        ("orl_faces", 400, 40, 0),
        ("afdb_chinese", 671, 49, 0),
    ],
)
def test_real_photographs(name, count, people, skipped):
    if not (PHOTOGRAPHS / name).is_dir():
        pytest.skip(f"the photographs of {name} are not beside the repository")
    faces = load(PHOTOGRAPHS / name, 32, progress=False)
    assert len(faces) == count and len(faces.skipped) == skipped
    assert (faces.identity_names and len(faces.identity_names)) == people
    assert 60 < faces.images[:].mean() < 180 and faces.images[:].std() > 30


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)


def test_the_first_bytes_tell_a_picture_where_the_ending_does_not(tmp_path):
    image = smooth(16, 16)
    for name, extension in {"a.jfif": ".jpg", "b.jpe": ".jpg", "c": ".png", "d.0001": ".webp", "e.x": ".bmp"}.items():
        put(tmp_path / name, encoded(image, extension))
    for name, data in {
        "BMW.txt": b"BMW, a list of cars, and more of them",
        "P1.txt": b"P1 x",
        "film.mp4": b"\0\0\0\x18ftypmp42" + bytes(40),
        "IMG_1.HEIC": HEIC,
        "named.jpg": HEIC,
        "raw.dng": b"II*\0" + bytes(40),
    }.items():
        put(tmp_path / name, data)
    faces = load(tmp_path, 16, progress=False)
    assert faces.names == ["a.jfif", "b.jpe", "c", "d.0001", "e.x"]
    reasons = dict(faces.skipped)
    assert reasons["BMW.txt"] == reasons["P1.txt"] == "not a picture (.txt)"
    assert reasons["film.mp4"] == "not a picture (.mp4)" and "raw file" in reasons["raw.dng"]
    for name in ("IMG_1.HEIC", "named.jpg"):
        assert "a HEIC photograph" in reasons[name] and "export it as JPEG" in reasons[name]


@pytest.mark.parametrize("head", [b"\0\0\0\x1cftypavif", b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif"])
def test_avif_is_no_heic(head):
    assert is_picture("x", head + bytes(20))
