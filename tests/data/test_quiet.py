"""OpenCV's decoders keep quiet, and nothing that others say is lost."""

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from keras_faces.data import load
from keras_faces.data.pictures import decode_bytes
from keras_faces.data.quiet import quiet_opencv, said_about

JPEG = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8))[1].tobytes()
STRAY = JPEG[: (at := JPEG.index(b"\xff\xda"))] + b"\1\2\3" + JPEG[at:]  # bytes before a marker


def test_decoders_say_nothing_and_others_are_heard(capfd):
    os.write(2, b"before\n")
    with quiet_opencv() as said, quiet_opencv():  # inside of another one, as when a batch is read
        assert said() == 0 and decode_bytes(STRAY).shape == (32, 32, 3) and said() > 0
        os.write(2, b"another library\n")
    decode_bytes(JPEG)
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nanother library\nafter\n"


def test_what_is_said_belongs_to_the_picture(capfd):
    with quiet_opencv():
        decode_bytes(STRAY)
        assert said_about(lambda: decode_bytes(JPEG)) == ""
        assert "3 extraneous bytes" in said_about(lambda: decode_bytes(STRAY))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("memory_mb", [0, 64])
def test_a_folder_is_read_in_silence_also_when_pictures_are_read_again(tmp_path, capfd, memory_mb):
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(STRAY)
    faces = load(tmp_path, 16, memory_mb=memory_mb, progress=False)
    assert faces.images[:].shape == (3, 16, 16, 3) and capfd.readouterr().err == ""


def test_python_messages_are_shown_at_once_and_afterwards(tmp_path):
    program = """
import os, sys
from keras_faces.data.quiet import quiet_opencv
with quiet_opencv():
    print("one", file=sys.stderr)
    held = sys.stderr
    os.write(2, b"three\\n")
    print("two", file=held)
print("four", file=held)
print("five", file=sys.stderr, flush=True)
assert sys.stderr is sys.__stderr__
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.split() == ["one", "two", "three", "four", "five"]
