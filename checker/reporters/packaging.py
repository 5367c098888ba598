"""Put the grader into the form that a platform takes: Gradescope's autograder zip, GitHub Classroom's workflow."""

import io
import zipfile
from pathlib import Path

from .. import config, files

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = Path(__file__).with_name("templates")
PACKAGES = "torch", "numpy", "pillow", "tqdm"  # of requirements.txt: what grading needs


def gradescope(data: Path | None = None, own_config: Path | None = None) -> bytes:
    """The zip to upload; unpacked by the platform into /autograder/source.

    It holds the pictures of the folder `data`, of the training pairs as many as --quick uses; without `data` the
    photographs that setup.sh makes pictures of. The same input gives the same bytes. Raises OSError, or ValueError
    for data or a configuration that can't be used.
    """
    settings = config.load(own_config)
    entries = {name: (TEMPLATES / name).read_bytes() for name in ("setup.sh", "run_autograder")}
    entries["requirements.txt"] = requirements().encode()
    entries["own.toml"] = own_config.read_bytes() if own_config else b"# no change of checker/config.toml\n"
    sources = [ROOT / "test.py", *ROOT.glob("data/*.py"), *ROOT.glob("checker/**/*")]
    sources += [] if data else ROOT.glob("data/photos/*")
    for path in sources:
        if path.is_file() and "__pycache__" not in path.parts:
            entries[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    if data:
        entries |= pictures(data, settings["training"]["quick_pairs"])
    return zipped(entries)


def requirements() -> str:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return "".join(f"{line}\n" for line in lines if line.partition("==")[0] in PACKAGES)


def pictures(data: Path, training_pairs: int) -> dict[str, bytes]:
    """The validation file, and the first pairs of the training file if there is one. Raises DataError."""
    import torch

    from data.load import load_pair

    def saved(pair) -> bytes:
        file = io.BytesIO()
        torch.save(pair, file)
        return file.getvalue()

    found = {"data/val_data.pkl": saved(load_pair(data / "val_data.pkl"))}
    if (data / "train_data.pkl").is_file():
        pair = load_pair(data / "train_data.pkl")
        found["data/train_data.pkl"] = saved(tuple(tensor[:training_pairs].clone() for tensor in pair))
    return found


def zipped(entries: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(entries):
            entry = zipfile.ZipInfo(name)  # of 1980, so that the same content gives the same bytes
            executable = name in ("setup.sh", "run_autograder")
            entry.external_attr = (0o100755 if executable else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, entries[name])
    return file.getvalue()


def write_gradescope(out: Path, data: Path | None, own_config: Path | None) -> None:
    files.check_writable(out)
    files.write(out, gradescope(data, own_config))


def write_github(out: Path) -> None:
    files.check_writable(out)
    files.write(out, (TEMPLATES / "classroom.yml").read_bytes())
