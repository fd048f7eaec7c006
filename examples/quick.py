"""Run lessons with a few images, to see that they work: ``python examples/quick.py 01 05``, or all of them.

Each lesson's constants are replaced by small ones; what it writes goes to ``runs/quick``.
"""

import ast
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
SMALL = {"IMAGES": 96, "EPOCHS": 1, "BATCH_SIZE": 16}
OF_LESSON = {
    "02": {"IMAGE_SIZE": 32},
    "03": {"IMAGES": 200},
    "06": {"IMAGE_SIZE": 32},
    "07": {"IMAGE_SIZE": 32},
    "13": {"OPTIONS": {"fade_iterations": 1, "steady_iterations": 1}},
    "15": {"IMAGES": 100},
    "18": {"ITERATIONS": 8, "HELD_OUT": 60, "KEEP": (4, 8)},
    "20": {"IMAGES": 400, "OPTIONS": {"first_iterations": 2, "text_iterations": 2, "average": 0.99}},
    "21": {"ITERATIONS": 200, "EVERY": 100},
    "22": {"OPTIONS": {"width": 8, "classifier_first": 2}},
    "23": {"OPTIONS": "width=8,classifier_first=1"},
    "24": {"RECOGNISER": {"width": 4, "epochs": 1}, "OPTIONS": {"latent_dim": 8, "width": 4, "convolutions": 1}},
    "31": {"SECONDS": 4},
}


def small(lesson: Path) -> str:
    """The lesson's text with small constants."""
    number = lesson.name[:2]
    values = {**SMALL, **OF_LESSON.get(number, {}), "OUT": f"runs/quick/lesson-{number}"}
    lines = lesson.read_text(encoding="utf-8").splitlines()
    for node in ast.parse("\n".join(lines)).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) in values:
            name = node.targets[0].id
            first, last = node.lineno - 1, node.end_lineno
            lines[first:last] = [f"{name} = {values[name]!r}"] + [""] * (
                last - first - 1
            )  # the lines keep their numbers
    return "\n".join(lines)


def main(numbers: list[str]) -> int:
    lessons = [path for path in sorted(HERE.glob("[0-9]*.py")) if not numbers or path.name[:2] in numbers]
    failed = []
    for lesson in lessons:
        began = time.monotonic()
        if subprocess.run([sys.executable, "-c", small(lesson)], cwd=HERE.parent).returncode:
            failed.append(lesson.name)
        print(f"\n{lesson.name}: {'failed' if lesson.name in failed else 'ran'}, {time.monotonic() - began:.0f} s\n")
    print(f"{len(lessons) - len(failed)} of {len(lessons)} lessons ran. {' '.join(failed)}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
