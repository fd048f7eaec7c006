"""The package's lists agree with each other and with the code, and starting it stays light."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]

MODULES = {  # where a distribution's module has another name; all others go by their own
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "tensorflow-cpu": "tensorflow",
    "scikit-learn": "sklearn",
    "scikit-image": "skimage",
}
OWN = {"keras_faces", "data_prep", "benchmarks", "examples", "tests"}
HEAVY = ("keras", "tensorflow", "jax", "torch", "matplotlib")
LINUX = {"platform_system": "Linux", "platform_machine": "x86_64"}
MAC = {"platform_system": "Darwin", "platform_machine": "arm64"}
WINDOWS = {"platform_system": "Windows", "platform_machine": "AMD64"}


def requirements(lines: list[str]) -> set[Requirement]:
    return {Requirement(line) for line in lines}


def requirements_txt() -> list[str]:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def third_party_imports(folder: str) -> dict[str, str]:
    """Top-level modules that a folder's files import, with one place each, without Python's own and the project's."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            else:
                continue
            for name in names:
                top = name.split(".")[0]
                if top not in sys.stdlib_module_names and top not in OWN:
                    found.setdefault(top, f"{path.relative_to(ROOT)}:{node.lineno}")
    return found


def modules_of(*extras: str) -> set[str]:
    lines = PROJECT["dependencies"] + [line for extra in extras for line in EXTRAS[extra]]
    names = {Requirement(line).name for line in lines}
    return {MODULES.get(name, name.replace("-", "_")) for name in names}


def loaded_after(code: str) -> tuple[set[str], str]:
    """Run code in a new Python; return which of the heavy modules it loaded, and what it printed."""
    report = f"; import sys; print('LOADED', *(name for name in {HEAVY!r} if name in sys.modules))"
    result = subprocess.run([sys.executable, "-c", code + report], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    output, _, loaded = result.stdout.rpartition("LOADED")
    return set(loaded.split()), output


def test_requirements_txt_is_the_package_and_its_tensorflow_extra():
    assert requirements(requirements_txt()) == requirements(PROJECT["dependencies"] + EXTRAS["tensorflow"])


@pytest.mark.parametrize("extra", ["tensorflow", "gpu"])
@pytest.mark.parametrize("machine", [LINUX, MAC, WINDOWS], ids=["linux", "mac", "windows"])
def test_each_machine_gets_one_build_of_tensorflow(extra, machine):
    chosen = [r for r in requirements(EXTRAS[extra]) if r.marker is None or r.marker.evaluate(machine)]
    assert len(chosen) == 1
    wants_gpu = extra == "gpu" and machine is LINUX
    assert chosen[0].name == ("tensorflow-cpu" if machine is LINUX and not wants_gpu else "tensorflow")
    assert ("and-cuda" in chosen[0].extras) == wants_gpu


def test_the_same_package_has_the_same_range_everywhere():
    ranges: dict[str, set[str]] = {}
    for line in [*PROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines)]:
        ranges.setdefault(Requirement(line).name.removesuffix("-cpu"), set()).add(str(Requirement(line).specifier))
    assert {name: found for name, found in ranges.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("keras_faces", ("tensorflow", "jax", "torch", "tensorboard")),
        ("examples", ("tensorflow", "jax", "torch", "tensorboard")),
        ("data_prep", ("align",)),
        ("benchmarks", ("tensorflow", "jax", "torch")),
        ("tests", ("tensorflow", "jax", "torch", "tensorboard", "dev")),
    ],
)
def test_every_import_is_declared(folder, extras):
    declared = modules_of(*extras)
    missing = {name: where for name, where in third_party_imports(folder).items() if name not in declared}
    assert missing == {}, "declare these in pyproject.toml and requirements.txt"


def test_importing_the_package_loads_no_backend():
    loaded, _ = loaded_after("import keras_faces")
    assert loaded == set()


def test_help_answers_without_a_backend():
    code = (
        "import runpy, sys\n"
        "sys.argv = ['keras-faces', '--help']\n"
        "try:\n"
        "    runpy.run_module('keras_faces', run_name='__main__')\n"
        "except SystemExit as stop:\n"
        "    assert not stop.code, stop.code\n"
        "0"
    )
    loaded, output = loaded_after(code)
    assert loaded == set()
    assert "train" in output


def test_the_entry_point_exists():
    module, function = PROJECT["scripts"]["keras-faces"].split(":")
    loaded, _ = loaded_after(f"import importlib; assert callable(importlib.import_module({module!r}).{function})")
    assert loaded == set()


def test_version_is_the_packages_own():
    text = (ROOT / "keras_faces" / "__init__.py").read_text(encoding="utf-8")
    assert re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)[1] == PROJECT["version"]


@pytest.mark.skipif(sys.platform == "win32", reason="run is a bash script")
def test_run_help_makes_no_environment(tmp_path):
    env = {"PATH": "/usr/bin:/bin", "KERAS_FACES_ENV": str(tmp_path / "env")}
    result = subprocess.run([ROOT / "run", "help"], env=env, capture_output=True, text=True, timeout=30)
    assert result.returncode == 0, result.stderr
    assert "./run demo" in result.stdout and "./run test" in result.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="run is a bash script")
def test_run_says_what_to_do_without_a_python(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("bash", "dirname", "sed", "uname", "cksum", "cat", "ls", "head", "mkdir", "rm", "mv"):
        source = next(p for p in (Path("/usr/bin") / tool, Path("/bin") / tool) if p.exists())
        (tools / tool).symlink_to(source)
    python = tools / "python3"
    python.write_text("#!/bin/bash\necho 'Python 3.9.1'\nexit 1\n")
    python.chmod(0o755)
    env = {"PATH": str(tools), "KERAS_FACES_ENV": str(tmp_path / "env")}
    result = subprocess.run(["/bin/bash", ROOT / "run", "list"], env=env, capture_output=True, text=True, timeout=30)
    assert result.returncode == 1
    assert "3.11, 3.12 or 3.13" in result.stderr and "Python 3.9.1" in result.stderr
    assert not (tmp_path / "env").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="run is a bash script")
def test_run_leaves_a_folder_alone_that_is_no_environment(tmp_path):
    (tmp_path / "holiday.txt").write_text("mine")
    env = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "KERAS_FACES_ENV": str(tmp_path)}
    result = subprocess.run([ROOT / "run", "list"], env=env, capture_output=True, text=True, timeout=30)
    assert result.returncode == 1
    assert str(tmp_path) in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.txt"]


def test_a_process_that_built_nothing_loads_models_and_classifiers(tmp_path):
    """Keras finds only classes that are imported: `kf.models.load` and a classifier's folder see to that."""
    import keras_faces as kf
    from keras_faces.models.networks.classifier import classifier
    from keras_faces.runs.classifier import ClassifierConfig, ClassifierFolder

    kf.models.build("fm-cgan", 16, width=2, latent_dim=4).save(tmp_path / "model.keras")
    folder = ClassifierFolder(tmp_path / "c")
    folder.path.mkdir()
    folder.write(ClassifierConfig(image_size=16, width=2))
    classifier(16, 2, 2).save(folder.network)
    script = (
        "import sys, keras_faces as kf\nfrom keras_faces.runs.classifier import ClassifierFolder\n"
        "print(ClassifierFolder(sys.argv[2]).load().name, kf.models.load(sys.argv[1]).name)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "model.keras"), str(folder.path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stdout.split() == ["classifier", "fm_cgan"], done.stderr[-2000:]
