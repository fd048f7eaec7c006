"""Reduced decoding: only where nothing is seen of it, and with every crop, orientation and kind of file."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from data_prep.engine import decode as decoding
from data_prep.engine.decode import Framing, decode, jpeg_size, reduction
from keras_faces.data.pictures import PictureError, to_square
from keras_faces.data.pictures import decode as decode_file

PHOTOGRAPHS = Path(__file__).resolve().parents[3].parent / "shared" / "data"


def smooth(height, width, seed=0):
    blobs = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return cv2.resize(blobs, (width, height), interpolation=cv2.INTER_LINEAR)


def encoded(image, extension=".jpg", *parameters):
    return cv2.imencode(extension, image, list(parameters))[1].tobytes()


def finished(data, framing):
    return to_square(decode(data, framing), framing.size, "none")


def psnr(a, b):
    mean = ((a.astype(float) - b) ** 2).mean()
    return 99.0 if mean == 0 else 10 * np.log10(255**2 / mean)


@pytest.mark.parametrize(
    ("height", "width", "size", "crop", "expected"),
    [
        (250, 250, 125, "auto", 2),
        (250, 250, 126, "auto", 1),  # not two-fold
        (250, 250, 100, "auto", 1),  # 125 to 100 would blur
        (250, 250, 64, "auto", 2),
        (250, 250, 32, "auto", 2),  # 250 is no multiple of 4
        (256, 256, 32, "auto", 8),
        (218, 178, 89, "auto", 2),  # CelebA's square from row 40
        (218, 178, 64, "auto", 1),
        (252, 250, 125, "center", 1),  # the square begins in row 1
        (254, 250, 125, "center", 2),
        (3001, 4001, 64, "center", 4),  # off by less than a sixteenth pixel of the result
        (20_000, 20_000, 125, "auto", 8),
        (250, 500, 125, "none", 2),
        (1, 1, 64, "auto", 1),
    ],
)
def test_factor(height, width, size, crop, expected):
    assert reduction(height, width, Framing(size, crop)) == expected
    assert reduction(height, width, Framing(size, crop, reduced=False)) == 1


def test_kept_size_and_odd_boxes_are_decoded_whole():
    assert reduction(250, 250, Framing(None)) == 1
    assert reduction(250, 250, Framing(50, box=(10, 20, 100, 100))) == 2
    assert reduction(250, 250, Framing(50, box=(11, 20, 100, 100))) == 1
    assert reduction(178, 218, Framing(89, box=(0, 40, 178, 178))) == 2  # fits one way up only


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    crop=st.sampled_from(["auto", "center", "none"]),
    size=st.integers(1, 140),
)
def test_crop_is_that_of_to_square_and_reduced_looks_the_same(height, width, crop, size):
    image = smooth(height, width, seed=size)
    framing = Framing(size, crop)
    png = encoded(image, ".png")
    np.testing.assert_array_equal(finished(png, framing), to_square(image, size, crop))
    jpeg = encoded(image, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 95)
    whole = finished(jpeg, Framing(size, crop, reduced=False))
    np.testing.assert_array_equal(whole, to_square(cv2.imdecode(np.frombuffer(jpeg, np.uint8), 1), size, crop))
    assert psnr(finished(jpeg, framing), whole) > 36


@pytest.mark.parametrize(("height", "width"), [(218, 178), (109, 89)])
def test_celeba_square(height, width):
    image = smooth(height, width)
    framing = Framing(width // 2, "celeba")
    expected = to_square(image, width // 2, "celeba")
    assert np.abs(finished(encoded(image), framing).astype(int) - expected).max() < 12
    with pytest.raises(PictureError, match=r"90×90 pixels .* no aligned CelebA frame"):
        decode(encoded(smooth(90, 90)), framing)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("framing", [Framing(40, "center"), Framing(40, box=(0, 80, 160, 160)), Framing(20, "none")])
def test_exif_rotation_at_reduced_scale(orientation, framing):
    image = smooth(320, 160)
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    picture = Image.fromarray(image[..., ::-1])
    if orientation >= 5:
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    picture.save(file, "JPEG", exif=exif, quality=95)
    data = file.getvalue()
    assert reduction(*jpeg_size(data), framing) > 1
    whole = finished(data, Framing(framing.size, framing.crop, framing.box, reduced=False))
    assert psnr(finished(data, framing), whole) > 38


def test_kinds_of_files_are_as_in_keras_faces(tmp_path):
    image = smooth(96, 96)
    picture = Image.fromarray(image[..., ::-1])
    half = np.dstack([image, np.full((96, 96), 128, np.uint8)])
    kinds = {
        "grey.jpg": encoded(image[..., 0]),
        "16 bit.png": encoded(image.astype(np.uint16) * 257, ".png"),
        "alpha.png": encoded(half, ".png"),
        "progressive.jpg": encoded(image, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        "picture.webp": encoded(image, ".webp"),
        "picture.tif": encoded(image, ".tif"),
    }
    for name, mode, options in [
        ("cmyk.jpg", "CMYK", {}),
        ("animated.gif", "P", {"save_all": True, "append_images": [Image.new("P", (96, 96))]}),
    ]:
        file = io.BytesIO()
        picture.convert(mode).save(file, {"cmyk.jpg": "JPEG", "animated.gif": "GIF"}[name], **options)
        kinds[name] = file.getvalue()
    for name, data in kinds.items():
        (tmp_path / name).write_bytes(data)
        expected = decode_file(tmp_path / name)[..., ::-1]
        np.testing.assert_array_equal(decode(data, Framing(None)), expected, err_msg=name)
        assert psnr(finished(data, Framing(24)), to_square(expected, 24)) > 38, name


def test_broken_files_say_why():
    jpeg, png = encoded(smooth(64, 64)), encoded(smooth(64, 64), ".png")
    for data, reason in [
        (b"", "empty file"),
        (jpeg[:500], "cut short"),
        (png[:-4], "cut short"),
        (b"just a text", "not a picture"),
        (b"\xff\xd8\xff\xd9", "not a picture"),
        (jpeg[:20] + b"\xff\xd9", "not a picture"),
    ]:
        with pytest.raises(PictureError, match=reason):
            decode(data, Framing(16))


def test_box_must_lie_inside():
    data = encoded(smooth(50, 40), ".png")
    assert decode(data, Framing(8, box=(10, 20, 30, 30))).shape == (30, 30, 3)
    with pytest.raises(PictureError, match=r"40×50 pixels .* too small for the box 11,20,30,30"):
        decode(data, Framing(8, box=(11, 20, 30, 30)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 0},
        {"size": 10**6},
        {"size": 8, "crop": "middle"},
        {"size": 8, "box": (0, 0, 0, 5)},
        {"size": 8, "box": (-1, 0, 5, 5)},
        {"size": 8, "box": (0, 0, 5)},
        {"size": 8, "box": (0, 0, 5, 5), "crop": "center"},
    ],
)
def test_wrong_settings(wrong):
    with pytest.raises(ValueError):
        Framing(**wrong)


def test_size_in_the_header_with_fill_bytes_thumbnail_or_none():
    whole = encoded(smooth(64, 48))
    thumbnail = b"\xff\xff\xe1" + (len(whole) + 2).to_bytes(2, "big") + whole
    assert jpeg_size(whole) == (64, 48)
    assert jpeg_size(whole[:2] + thumbnail + encoded(smooth(30, 20))[2:]) == (30, 20)
    assert jpeg_size(encoded(smooth(64, 48), ".png")) is None
    assert jpeg_size(b"\xff\xd8" + b"\xff\xda\x00\x08" + bytes(20)) is None
    assert all(jpeg_size(whole[:end]) in (None, (64, 48)) for end in range(200))


def test_one_large_picture_at_a_time(monkeypatch):
    monkeypatch.setattr(decoding, "_LARGE", 1000)
    taken = []

    class Lock:
        def __enter__(self):
            taken.append(1)

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(decoding, "_large", Lock())
    for extension, size, expected in [(".jpg", 64, 1), (".jpg", 16, 0), (".png", 64, 1), (".bmp", 64, 1)]:
        taken.clear()
        decode(encoded(smooth(64, 64), extension), Framing(size))
        assert len(taken) == expected, (extension, size)


@pytest.mark.parametrize(("size", "mean", "lowest"), [(125, 49, 40), (64, 45, 38), (32, 50, 42)])
def test_psnr_on_photographs(size, mean, lowest):
    files = sorted((PHOTOGRAPHS / "lfw-deepfunneled").glob("*/*.jpg"))[::40]
    if not files:
        pytest.skip("the photographs of LFW are not beside the repository")
    found = []
    for file in files:
        data = file.read_bytes()
        found.append(psnr(finished(data, Framing(size)), finished(data, Framing(size, reduced=False))))
    assert np.mean(found) > mean and min(found) > lowest
