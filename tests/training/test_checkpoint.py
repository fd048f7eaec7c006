"""A checkpoint brings back every bit, and what is wrong with one is said before anything is changed."""

import h5py
import numpy as np
import pytest

from keras_faces.training import checkpoint


@pytest.fixture
def model(trained):
    return trained("slides-v2")


@pytest.fixture(scope="module")
def untouched(narrow):
    """One for checkpoints that are not loaded."""
    return narrow("slides-v2", seed=99)


def test_every_variable_comes_back_bit_for_bit(model, narrow, values, tmp_path):
    checkpoint.save(tmp_path / "c.h5", model, epoch=3, iteration=40)
    fresh = narrow("slides-v2", seed=99)
    assert checkpoint.load(tmp_path / "c.h5", fresh) == (3, 40)
    for group in ("variables", "optimizer"):
        old, new = (getattr(each, group) for each in (model, fresh))
        old, new = (getattr(variables, "variables", variables) for variables in (old, new))
        for first, second in zip(values(old), values(new), strict=True):
            assert first.dtype == second.dtype
            np.testing.assert_array_equal(first, second)


def test_random_states_and_both_step_counts_are_in_it(model, tmp_path):
    checkpoint.save(tmp_path / "c.h5", model, 1, 2)
    with h5py.File(tmp_path / "c.h5") as file:
        paths = [dataset.attrs["path"] for group in file.values() for dataset in group.values()]
    assert sum("seed_generator_state" in path for path in paths) == 1 + 4  # the noise and D's four Dropouts
    assert sum(path.endswith("iteration") for path in paths) == 2


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_file_cut_short_is_named_and_nothing_changes(model, untouched, values, tmp_path, share):
    whole = tmp_path / "c.h5"
    checkpoint.save(whole, model, 1, 2)
    cut = tmp_path / "cut.h5"
    cut.write_bytes(whole.read_bytes()[: int(share * whole.stat().st_size)])
    before = values(untouched.variables)
    with pytest.raises(checkpoint.CheckpointError, match="cut.h5"):
        checkpoint.load(cut, untouched)
    for old, new in zip(before, values(untouched.variables), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_text_file_is_no_checkpoint(model, tmp_path):
    (tmp_path / "c.h5").write_text("hello")
    with pytest.raises(checkpoint.CheckpointError, match="damaged"):
        checkpoint.load(tmp_path / "c.h5", model)


def test_another_hdf5_file_is_no_checkpoint(model, tmp_path):
    h5py.File(tmp_path / "c.h5", "w").close()
    with pytest.raises(checkpoint.CheckpointError, match="no checkpoint"):
        checkpoint.load(tmp_path / "c.h5", model)


def test_flipped_bits_are_noticed(model, untouched, values, tmp_path):
    checkpoint.save(tmp_path / "c.h5", model, 1, 2)
    with h5py.File(tmp_path / "c.h5", "r+") as file:
        name, dataset = next((name, one) for name, one in file["model"].items() if one.size > 8)
        where = dataset.id.get_offset()
    content = bytearray((tmp_path / "c.h5").read_bytes())
    content[where + 2] ^= 1
    (tmp_path / "c.h5").write_bytes(content)
    before = values(untouched.variables)
    with pytest.raises(checkpoint.CheckpointError, match=rf"c.h5 is cut short or damaged \(model/{name}.* checksum"):
        checkpoint.load(tmp_path / "c.h5", untouched)
    for old, new in zip(before, values(untouched.variables), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_checkpoint_of_before_there_were_checksums_is_read(model, narrow, values, tmp_path):
    checkpoint.save(tmp_path / "c.h5", model, 1, 2)
    with h5py.File(tmp_path / "c.h5", "r+") as file:
        del file.attrs["log"]
        for group in file.values():
            for dataset in group.values():
                del dataset.attrs["crc32"]
    fresh = narrow("slides-v2", seed=99)
    assert checkpoint.load(tmp_path / "c.h5", fresh) == (1, 2) and checkpoint.load_log(tmp_path / "c.h5") == []
    for old, new in zip(values(model.variables), values(fresh.variables), strict=True):
        np.testing.assert_array_equal(old, new)


def not_finite(file, name):
    del file[name].attrs["crc32"]
    file[name][...] = np.nan


def external(file, name):
    shape, _ = file[name].shape, file.pop(name)
    file.create_dataset(name, shape, "float32", external=[(file.filename + ".raw", 0, 10**6)])


def linked(file, name):
    del file[name]
    file[name] = h5py.ExternalLink("other.h5", "/x")


def soft_loop(file, name):
    del file[name]
    file[name] = h5py.SoftLink("/" + name)


def group(file, name):
    del file[name]
    file.create_group(name)


def texts(file, name):
    shape, _ = file[name].shape, file.pop(name)
    file.create_dataset(name, data=np.full(shape, b"x", "S1"))


def no_place(file, name):
    file.attrs["epoch"] = "three"


def odd_format(file, name):
    file.attrs["format"] = np.arange(3)


def no_groups(file, name):
    del file["optimizer"]
    file["optimizer"] = 3


@pytest.mark.parametrize(
    "spoil", [not_finite, external, linked, soft_loop, group, texts, no_place, odd_format, no_groups]
)
def test_what_no_training_writes_is_refused(model, untouched, tmp_path, spoil):
    checkpoint.save(tmp_path / "c.h5", model, 1, 2)
    with h5py.File(tmp_path / "c.h5", "r+") as file:
        spoil(file, next(f"model/{name}" for name, one in file["model"].items() if one.dtype == "float32"))
    with pytest.raises(checkpoint.CheckpointError, match="c.h5"):
        checkpoint.load(tmp_path / "c.h5", untouched)


def test_the_values_since_the_last_row_of_the_log_come_back(model, tmp_path):
    checkpoint.save(tmp_path / "c.h5", model, 1, 2, [[0.1, 0.2], [0.3, 0.4]])
    assert checkpoint.load_log(tmp_path / "c.h5") == [[0.1, 0.2], [0.3, 0.4]]


def test_a_missing_file(model, tmp_path):
    with pytest.raises(FileNotFoundError, match="c.h5"):
        checkpoint.load(tmp_path / "c.h5", model)


def test_another_system_and_another_size_are_refused(model, narrow, tmp_path):
    checkpoint.save(tmp_path / "c.h5", model, 1, 2)
    with pytest.raises(checkpoint.CheckpointError, match="slides_v2, not of slides_v1"):
        checkpoint.load(tmp_path / "c.h5", narrow("slides-v1"))
    with pytest.raises(checkpoint.CheckpointError, match="image size"):
        checkpoint.load(tmp_path / "c.h5", narrow("slides-v2", image_size=24))


def test_weights_that_are_not_finite_never_replace_a_checkpoint(narrow, tmp_path):
    model = narrow("slides-v2")
    checkpoint.save(tmp_path / "c.h5", model, 1, 2)
    whole = (tmp_path / "c.h5").read_bytes()
    model.generator.trainable_variables[0].assign(np.full(model.generator.trainable_variables[0].shape, np.nan))
    with pytest.raises(checkpoint.CheckpointError, match="not finite"):
        checkpoint.save(tmp_path / "c.h5", model, 2, 2)
    assert (tmp_path / "c.h5").read_bytes() == whole and len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_leaves_the_last_whole_checkpoint(model, tmp_path):
    """The operating system refuses to let the file grow, which is what a full disk does."""
    resource = pytest.importorskip("resource")
    checkpoint.save(tmp_path / "c.h5", model, 1, 2)
    whole = (tmp_path / "c.h5").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) // 2, hard))
    try:
        with pytest.raises(checkpoint.CheckpointError, match="could not be written.*last whole checkpoint stays"):
            checkpoint.save(tmp_path / "c.h5", model, 2, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "c.h5").read_bytes() == whole and len(list(tmp_path.iterdir())) == 1
