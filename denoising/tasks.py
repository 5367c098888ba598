"""What to denoise, and where each result goes."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from data.pictures import SUFFIXES
from training.options import UsageError


@dataclass
class Task:
    """A picture to denoise, and what became of it."""

    source: Path
    name: Path  # where it belongs below an output folder, without suffix
    out: Path | None = None  # None in a montage
    clean: Path | None = None
    size: str = ""
    noise: float | None = None  # the estimate of its σ
    noisy_psnr: float | None = None
    denoised_psnr: float | None = None
    outcome: str = ""

    def inputs(self) -> list[Path]:
        """The files to be read."""
        return [path for path in (self.source, self.clean) if path]


def tasks_of(arguments) -> list[Task]:
    """The tasks that a call names. Raises UsageError if it names none, or one result for two."""
    tasks = []
    for given in arguments.input:
        if given.is_dir():
            tasks += _folder_tasks(given, arguments.out)
        elif given.exists():
            tasks.append(Task(given, Path(given.stem), given.with_name(f"{given.stem}_denoised.png")))
        else:
            raise UsageError(f"{given}: no such file or folder")
    if arguments.clean:
        for task in tasks:
            task.clean = _clean_of(task, arguments.clean, len(tasks))
    if arguments.montage:
        for task in tasks:
            task.out = None
        return tasks
    if arguments.out:
        _place(tasks, arguments.out, any(given.is_dir() for given in arguments.input))
    _tell_apart(tasks)
    for task in tasks:
        spare_inputs(task.out, tasks)
    return tasks


def montage_out(arguments, tasks: list[Task]) -> Path:
    """The file of the montage."""
    out, first = arguments.out, arguments.input[0]
    if out is None and len(arguments.input) == 1 and first.name not in ("", ".."):
        out = first.with_name(f"{first.name if first.is_dir() else first.stem}_montage.png")
    elif out is None:
        out = Path("montage.png")
    if out.is_dir() or out.suffix.lower() != ".png":
        raise UsageError(f"{out}: a montage is one PNG file; call it {out}.png or the like")
    spare_inputs(out, tasks)
    return out


def page_out(out: Path, tasks: list[Task]) -> Path:
    """The file of the page."""
    if out.is_dir() or out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{out}: the page is one HTML file; call it {out}.html or the like")
    if any(task.out and out in (task.out, *task.out.parents) for task in tasks):
        raise UsageError(f"{out} is to be the page, and --out a folder of the same name; choose another for either")
    spare_inputs(out, tasks)
    return out


def spare_inputs(out: Path, tasks: list[Task]) -> None:
    """Raise UsageError if `out` is one of the files to be read, by whatever name."""
    if out.exists() and any(out.samefile(path) for task in tasks for path in task.inputs() if path.exists()):
        raise UsageError(f"{out} is one of the pictures given, and would be overwritten; choose another --out")


def _folder_tasks(folder, out):
    """A task for each picture in a folder and below it; hidden ones and earlier results are left out."""
    tasks = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        result = out is not None and out.resolve() != folder.resolve() and out.resolve() in path.resolve().parents
        if path.suffix.lower() in SUFFIXES and path.is_file() and not hidden and not result:
            default = folder.resolve() if folder.name in ("", "..") else folder
            default = default.with_name(f"{default.name}_denoised") / name.with_suffix(".png")
            tasks.append(Task(path, name.with_suffix(""), default))
    if not tasks:
        raise UsageError(f"{folder}: no picture in it; expected files ending in {', '.join(sorted(SUFFIXES))}")
    return tasks


def _place(tasks, out, several):
    """Have the results go where `--out` says: to that file if it is one picture, and to that folder else."""
    suffix = out.suffix.lower()
    if out.is_dir() or suffix not in SUFFIXES:
        for task in tasks:
            task.out = out / task.name.with_name(f"{task.name.name}.png")
    elif suffix != ".png":
        raise UsageError(f"{out}: results are PNG files; call it {out.with_suffix('.png')}")
    elif several or len(tasks) > 1:
        raise UsageError(f"{out}: several results need a folder, not one file")
    else:
        tasks[0].out = out


def _tell_apart(tasks):
    """Name a result that would share its file with another after its whole source: a.jpg.png, a.webp.png."""
    shared = Counter(task.out for task in tasks)
    for task in tasks:
        if shared[task.out] > 1:
            task.out = task.out.with_name(f"{task.source.name}.png")
    out, count = Counter(task.out for task in tasks).most_common(1)[0]
    if count > 1:
        raise UsageError(f"{out}: {count} of the results would be written there; denoise those pictures one by one")


def _clean_of(task, given, count):
    """The clean picture of a task: the file `given`, or the file of the same name in the folder `given`."""
    if given.is_dir():
        same = [given / task.name.parent / task.source.name]
        same += sorted(path for path in same[0].parent.glob("*") if path.stem == task.source.stem)
        return next((path for path in same if path.is_file()), same[0])
    if not given.exists():
        raise UsageError(f"{given}: no such file or folder")
    if count > 1:
        raise UsageError(
            f"{given} is one clean picture for {count} noisy ones; --clean expects a folder of the same names"
        )
    return given
