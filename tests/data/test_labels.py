"""Labels: what each description means, who is left out, and what a mistake is told."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_faces.data import Faces, load
from keras_faces.data.labels import Labels, OneHot, read_labels

NAMES = ["a.png", "b.png", "c.png", "d.png", "e.png", "f.png"]
TABLE = pd.DataFrame(
    {
        "Smiling": [1, 1, -1, -1, 1, -1],
        "Male": [1, -1, 1, -1, -1, 1],
        "Young": [1, 1, 1, -1, -1, -1],
        "Bald": [-1] * 6,
    }
)
WHO = np.array([2, 0, 0, 1, 2, 2])
PEOPLE = ["Ada", "Bo", "Cy"]


def read(spec, names=NAMES, table=TABLE, identities=WHO, people=PEOPLE):
    return read_labels(spec, names, table, identities, people)


def test_one_attribute_is_two_classes():
    chosen, labels = read("Smiling")
    assert labels.kind == "classes" and labels.names == ("not Smiling", "Smiling")
    assert chosen.tolist() == list(range(6)) and labels.class_ids.tolist() == [1, 1, 0, 0, 1, 0]
    assert labels.vectors.dtype == np.float32 and labels.counts() == {"not Smiling": 3, "Smiling": 3}


def test_several_are_a_vector_with_the_tables_own_spelling():
    chosen, labels = read(" smiling,  MALE ")
    assert labels.kind == "attributes" and labels.names == ("Smiling", "Male") and len(chosen) == 6
    np.testing.assert_array_equal(labels.vectors, (TABLE[["Smiling", "Male"]] > 0).to_numpy("float32"))
    with pytest.raises(ValueError, match="not one class each"):
        _ = labels.class_ids


def test_classes_by_expressions_leave_the_others_out():
    chosen, labels = read("man = Male & Young; woman = !Male & Young")
    assert chosen.tolist() == [0, 1, 2] and labels.names == ("man", "woman")
    assert labels.class_ids.tolist() == [0, 1, 0]


def test_people_and_the_least_number_of_their_pictures():
    chosen, labels = read("identity")
    assert labels.names == ("Ada", "Bo", "Cy") and labels.class_ids.tolist() == [2, 0, 0, 1, 2, 2]
    chosen, labels = read("identity:2")
    assert chosen.tolist() == [0, 1, 2, 4, 5] and labels.names == ("Ada", "Cy")
    assert labels.class_ids.tolist() == [1, 0, 0, 1, 1]
    assert read("identity", people=None)[1].names == ("0", "1", "2")
    unknown = np.array([-1, 0, 0, 1, -1, 1])  # two pictures of nobody known
    assert read("identity", identities=unknown)[0].tolist() == [1, 2, 3, 5]


def test_a_column_of_a_table(tmp_path):
    path = tmp_path / "hair.csv"
    path.write_text("name,hair,age\nb.png,dark,3\na.png,fair,10\nd.png,dark,\nzz.png,red,4\n")
    chosen, labels = read(f"{path}:hair")
    assert chosen.tolist() == [0, 1, 3] and labels.names == ("dark", "fair")  # red belongs to no picture here
    assert labels.class_ids.tolist() == [1, 0, 0]
    chosen, labels = read(f"{path}:age")
    assert chosen.tolist() == [0, 1] and labels.names == ("3", "10")  # numbers, in the order of numbers


def test_names_that_look_like_numbers_are_found(tmp_path):
    (tmp_path / "t.csv").write_text("name,kind\n000001,x\n000000,y\n")
    chosen, labels = read(f"{tmp_path / 't.csv'}:kind", names=["000000", "000001"])
    assert chosen.tolist() == [0, 1] and labels.class_ids.tolist() == [1, 0]


@pytest.mark.parametrize(
    "spec, message",
    [
        ("Smilng", "did you mean Smiling"),
        ("Smiling, Mail", "did you mean Male"),
        ("Smiling, smiling", "named twice"),
        ("Bald", "no face has 'Bald'"),
        ("Smiling, Bald", "no face has 'Bald'"),
        ("!Bald", "every face has '!Bald'"),
        ("", "name attributes"),
        (" , ", "name attributes"),
        ("man = Male; bald = Bald", "no face belongs to the class 'bald'"),
        ("man = Male; young = Young", "2 faces belong to two classes, such as a.png to 'man' and 'young'"),
        ("man = Male", "one class alone"),
        ("man = Male; man = !Male", "two classes 'man'"),
        ("man = ; woman = !Male", "must be NAME = EXPRESSION"),
        ("man = Male; Young", "must be NAME = EXPRESSION"),
        ("man = (Male; woman = !Male", "cannot be read"),
        ("identity:4", "the most pictures of one person are 3"),
        ("identity:3", "fewer than two people have 3"),
        ("identity:many", "the least number of pictures"),
        ("identity:0", "the least number of pictures"),
    ],
)
def test_mistakes_name_what_is_wrong(spec, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        read(spec)


def test_mistakes_about_tables_name_the_file(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("name,hair,same\na.png,dark,x\nb.png,fair,x\n")
    for spec, message in [("hare", "did you mean hair"), ("same", "only one class, 'x'")]:
        with pytest.raises(ValueError, match=message):
            read(f"{path}:{spec}")
    with pytest.raises(FileNotFoundError, match="nowhere.csv"):
        read(f"{tmp_path / 'nowhere.csv'}:hair")
    with pytest.raises(ValueError, match="no picture .'x', .... has a value"):
        read(f"{path}:hair", names=["x"] * 6)
    path.write_text("name,hair\na.png,dark\na.png,fair\n")
    with pytest.raises(ValueError, match="more than one row for 'a.png'"):
        read(f"{path}:hair")


def test_faces_that_know_nothing_say_what_is_missing():
    with pytest.raises(ValueError, match="no attributes"):
        read("Smiling", table=None)
    with pytest.raises(ValueError, match="who is on these pictures"):
        read("identity", identities=None)


columns = st.sampled_from(["Smiling", "Male", "Young"])


@settings(max_examples=40, deadline=None)
@given(st.lists(columns, min_size=1, max_size=3, unique=True), st.integers(0, 2**16))
def test_any_attributes_of_any_table_come_back_as_they_are(words, seed):
    values = np.random.default_rng(seed).choice([-1, 1], (20, 3))
    values[0], values[1] = 1, -1  # each tells something apart
    table = pd.DataFrame(values, columns=["Smiling", "Male", "Young"])
    chosen, labels = read_labels(", ".join(words), [str(n) for n in range(20)], table, None, None)
    has = (table[words] > 0).to_numpy()
    assert chosen.tolist() == list(range(20))
    if len(words) == 1:
        assert labels.class_ids.tolist() == has[:, 0].astype(int).tolist()
    else:
        np.testing.assert_array_equal(labels.vectors > 0, has)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=8, max_size=40), st.data())
def test_hidden_keeps_so_many_and_as_evenly_as_it_can(numbers, data):
    numbers = [0, 1, 2, 3, *numbers]
    labels = Labels("classes", tuple("abcd"), np.eye(4, dtype="float32")[numbers])
    keep = data.draw(st.integers(4, len(numbers)))
    some = labels.hidden(keep, seed=data.draw(st.integers(0, 99)))
    shown = some.class_ids >= 0
    assert shown.sum() == keep and (some.class_ids[shown] == labels.class_ids[shown]).all()
    kept, there = np.bincount(some.class_ids[shown], minlength=4), np.bincount(numbers, minlength=4)
    for number in range(4):  # no class has fewer than another one, unless it has no more
        assert kept[number] == there[number] or kept[number] >= kept.max() - 1


def test_hidden_is_decided_by_the_seed_and_checks_the_number():
    labels = Labels("classes", ("a", "b"), np.eye(2, dtype="float32")[np.arange(40) % 2])
    assert (labels.hidden(10, seed=1).class_ids == labels.hidden(10, seed=1).class_ids).all()
    assert (labels.hidden(10, seed=1).class_ids != labels.hidden(10, seed=2).class_ids).any()
    for wrong in (1, 41):
        with pytest.raises(ValueError, match=f"{wrong} labels to keep: from 2, one a class, to 40"):
            labels.hidden(wrong)
    assert labels.hidden(40).fingerprint() == labels.fingerprint() != labels.hidden(39).fingerprint()


# ------------------------------------------------------------------------------------------ of faces


@pytest.fixture(scope="module")
def faces():
    return load("drawn", 16, count=60, seed=1)


def test_labelled_faces_keep_their_pictures_and_say_their_labels(faces):
    labelled = faces.labelled("Smiling, Male")
    assert faces.labels is None and labelled.images is faces.images and len(labelled.labels) == 60
    assert "labels, 2 attributes: Smiling (" in labelled.summary()
    assert labelled.fingerprint() != faces.fingerprint() != faces.labelled("Male").fingerprint()
    some = faces.labelled("a = Smiling & Male; b = !Smiling & Male")
    assert len(some) == len(some.labels) == (faces.attributes["Male"] > 0).sum()
    chosen = np.flatnonzero(faces.attributes["Male"] > 0)
    np.testing.assert_array_equal(some.images[:], faces.images[chosen])
    assert (some.labels.class_ids == (faces.attributes["Smiling"].to_numpy()[chosen] < 0)).all()


def test_select_takes_all_that_is_known_along(faces):
    smiling = faces.labelled("Male").select("Smiling & !Male")
    numbers = np.flatnonzero((faces.attributes["Smiling"] > 0) & (faces.attributes["Male"] < 0))
    assert smiling.names == [faces.names[number] for number in numbers]
    assert (smiling.identities == faces.identities[numbers]).all()
    assert (smiling.attributes["Smiling"] > 0).all() and smiling.labels.counts()["Male"] == 0
    np.testing.assert_array_equal(smiling.images[:], faces.images[numbers])
    again = faces.select("Smiling").select("!Male")
    np.testing.assert_array_equal(again.images[3:0:-1], smiling.images[3:0:-1])
    assert again.fingerprint() == faces.select("Smiling & !Male").fingerprint() != faces.fingerprint()


def test_select_that_finds_nothing_or_cannot(faces):
    with pytest.raises(ValueError, match="none of the 60 faces"):
        faces.select("Smiling & !Smiling")
    with pytest.raises(ValueError, match="has no attributes"):
        Faces(np.zeros((2, 4, 4, 3), np.uint8)).select("Smiling")


def test_chosen_pictures_are_an_array_of_their_own(faces):
    few = faces.take([7, 3, 3])
    assert few.images.shape == (3, 16, 16, 3) and len(few) == 3 and few.images.dtype == np.uint8
    np.testing.assert_array_equal(few.images[0], faces.images[7])
    np.testing.assert_array_equal(few.images[-1], faces.images[3])
    np.testing.assert_array_equal(np.asarray(few.images), faces.images[[7, 3, 3]])
    np.testing.assert_array_equal(few.images[np.array([False, True, True])], faces.images[[3, 3]])
    with pytest.raises(IndexError, match="picture 3 does not exist"):
        few.images[[3]]
    with pytest.raises(IndexError, match="60 does not exist"):
        faces.take([60])


def test_labels_of_another_length_are_refused(faces):
    labels = faces.labelled("Male").labels
    with pytest.raises(ValueError, match="labels has 60 entries for 2 images"):
        Faces(np.zeros((2, 4, 4, 3), np.uint8), labels=labels)
    with pytest.raises(ValueError, match="60 rows of labels for 2 pictures"):
        from keras_faces.data import Batches

        Batches(np.zeros((2, 4, 4, 3), np.uint8), 1, labels=labels.vectors)


def test_each_picture_of_a_batch_has_its_own_label(faces):
    batches = faces.labelled("Smiling, Male").batches(16, seed=3)
    wanted = (faces.attributes[["Smiling", "Male"]] > 0).to_numpy("float32")
    for epoch in range(2):
        batches.epoch = epoch
        for index in range(len(batches)):
            images, rows = batches[index]
            numbers = batches.order(epoch)[index * 16 : (index + 1) * 16]
            np.testing.assert_array_equal(images, faces.images[numbers])
            np.testing.assert_array_equal(rows, wanted[numbers])


def test_rows_of_classes_are_made_when_asked_for_and_are_the_same():
    ids = np.array([2, -1, 0, 1, 1, 2])
    dense = np.concatenate([np.eye(3, dtype="float32"), np.zeros((1, 3), "float32")])[ids]
    lazy = OneHot(ids, 3)
    assert lazy.shape == dense.shape and lazy[:].dtype == np.float32
    for key in (3, slice(1, 4), np.array([5, 0, 1]), np.arange(6) % 2 == 0):
        np.testing.assert_array_equal(lazy[key], dense[key])
    for axis in (0, 1):
        np.testing.assert_array_equal(lazy.any(axis), dense.any(axis))
    ours, theirs = Labels("classes", tuple("abc"), lazy), Labels("classes", tuple("abc"), dense)
    assert ours.fingerprint() == theirs.fingerprint() == "9c2d0d988bbabd66"  # a run of before goes on with it
    assert ours.counts() == theirs.counts() and ours.partial and theirs.partial
    np.testing.assert_array_equal(ours.vectors, theirs.vectors)
    np.testing.assert_array_equal(ours.class_ids, theirs.class_ids)
    np.testing.assert_array_equal(ours.take([4, 1]).vectors, theirs.take([4, 1]).vectors)
    np.testing.assert_array_equal(ours.hidden(3, seed=1).vectors, theirs.hidden(3, seed=1).vectors)


def test_many_people_need_no_row_each():
    count = 50_000  # as an array of rows: 10 GB
    faces = Faces(np.zeros((count, 1, 1, 3), np.uint8), identities=np.arange(count))
    labelled = faces.labelled("identity")
    assert labelled.labels.rows.class_ids.nbytes == 8 * count
    ((_, rows), *_) = [labelled.batches(4, seed=0)[0]]
    assert rows.shape == (4, count) and (rows.sum(1) == 1).all()
