"""A dataclass in a JSON file: every field is checked, and the message says which one and what it must be."""

import json
from dataclasses import dataclass, field

import pytest

from keras_faces.records import as_record, read_json


@dataclass
class Settings:
    name: str
    count: int | None = None
    rate: float = 0.1
    labels: list[str] = field(default_factory=list)
    options: dict[str, int] = field(default_factory=dict)


def test_it_comes_back(tmp_path):
    found = {"name": "ä", "count": 3, "rate": 2, "labels": ["a"], "options": {"width": 4}}
    (tmp_path / "s.json").write_text(json.dumps(found), encoding="utf-8")
    assert as_record(Settings, read_json(tmp_path / "s.json"), tmp_path / "s.json") == Settings(
        "ä", 3, 2, ["a"], {"width": 4}
    )
    assert as_record(Settings, {"name": "b", "count": None}, tmp_path) == Settings("b")


@pytest.mark.parametrize(
    "change, message",
    [
        ({"name": None}, "name is None, and must be text"),
        ({"count": "3"}, "count is '3', and must be a whole number or null"),
        ({"count": True}, "count is True"),
        ({"count": 3.5}, "count is 3.5"),
        ({"rate": float("nan")}, "rate is nan, and must be a number"),
        ({"labels": [1]}, r"labels is \[1\], and must be a list, each text"),
        ({"options": []}, r"options is \[\], and must be a table of names and values"),
        ({"options": {"width": "x"}}, "options is"),
        ({"colour": 1}, "'colour' is not known to this version"),
    ],
)
def test_a_value_of_another_type_is_named(tmp_path, change, message):
    with pytest.raises(ValueError, match=rf"s\.json: {message}"):
        as_record(Settings, {"name": "a", **change}, tmp_path / "s.json")


def test_what_is_missing_and_what_cannot_be_meant_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"s\.json: name is missing, which is text"):
        as_record(Settings, {}, tmp_path / "s.json")

    def check(record):
        raise ValueError("the name is too short.")

    with pytest.raises(ValueError, match=r"s\.json: the name is too short"):
        as_record(Settings, {"name": "a"}, tmp_path / "s.json", check)


@pytest.mark.parametrize(
    "content, message", [("{", "is damaged"), ("[" * 20_000, "is damaged"), ("[1]", "must hold names")]
)
def test_what_is_no_table_of_names(tmp_path, content, message):
    (tmp_path / "s.json").write_text(content)
    with pytest.raises(ValueError, match=rf"s\.json {message}"):
        read_json(tmp_path / "s.json")
