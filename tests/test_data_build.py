"""Photographs become pair files: the same for the same seed, train and validation apart, errors in one sentence."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from test_data_windows import textured

import data.__main__
import data.build
from data.build import HERE, LOT, Photo, build, split
from data.load import DataError, load_pair
from data.noise import clean
from data.parallel import parallel_map
from data.windows import course_window, read_photo

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """A folder of 12 photographs of different sizes, its name with a space."""
    folder = tmp_path_factory.mktemp("some photos")
    for n in range(12):
        textured(280 + 10 * n, 380 - 8 * n, seed=100 * n).save(folder / f"photo{n:02}.jpg", quality=90)
    return folder


def run(folder: Path, out: Path, **options) -> tuple[dict, list[str]]:
    said = []
    options = {"train_pairs": 150, "val_pairs": 5, "workers": 1} | options
    return build([folder], out=out, say=said.append, **options), said


def content(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_the_files_have_the_course_s_format(photos, tmp_path):
    record, _ = run(photos, tmp_path)
    train, val = load_pair(tmp_path / "train_data.pkl"), load_pair(tmp_path / "val_data.pkl")
    assert [tuple(t.shape) for t in (*train, *val)] == [(150, 3, 32, 32)] * 2 + [(5, 3, 32, 32)] * 2
    assert all(t.dtype == torch.uint8 for t in (*train, *val))
    assert not torch.equal(*train)
    assert json.loads((tmp_path / "built.json").read_text()) == record
    assert sorted(os.listdir(tmp_path)) == ["built.json", "train_data.pkl", "val_data.pkl"]


def test_the_command_on_all_cores_makes_the_bytes_of_one_worker_and_ends_with_a_table(photos, tmp_path):
    process = command(
        "--photos", photos, "--train-pairs", 150, "--val-pairs", 5, "--seed", 7, "--out", tmp_path / "my out"
    )
    run(photos, tmp_path / "one", seed=7)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert content(tmp_path / "my out") == content(tmp_path / "one")
    assert re.search(r"train_data\.pkl\s+150\s+9\s+\d\d\.\d\d\nval_data\.pkl\s+5\s+3\s+\d\d\.\d\d\n", out)
    assert "150/150" in err  # the progress bar


def test_another_seed_makes_another_split_and_other_pairs(photos, tmp_path):
    one, other = (run(photos, tmp_path / str(seed), seed=seed)[0] for seed in (0, 1))
    assert one["val_data.pkl"]["photos"] != other["val_data.pkl"]["photos"]
    assert one["train_data.pkl"]["sha256"] != other["train_data.pkl"]["sha256"]


def test_the_folder_s_place_does_not_matter(photos, tmp_path):
    shutil.copytree(photos, tmp_path / "elsewhere" / "deep")
    run(photos, tmp_path / "a")
    run(tmp_path / "elsewhere", tmp_path / "b")
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_validation_begins_with_the_course_s_cuts_of_photographs_training_never_sees(photos, tmp_path):
    record, said = run(photos, tmp_path, val_pairs=8)
    train, val = record["train_data.pkl"]["photos"], record["val_data.pkl"]["photos"]
    assert len(val) == 3  # a quarter of 12
    assert sorted(train + val) == sorted(os.listdir(photos))
    noisy, target = load_pair(tmp_path / "val_data.pkl")
    cuts = clean(torch.stack([course_window(read_photo(photos / name)) for name in val]))
    assert torch.equal(target[:3], cuts)
    assert not torch.equal(target[3:6], cuts)
    assert (noisy != target).float().mean() > 0.5
    assert any("8 validation pairs of 3 photographs" in line for line in said)


def test_training_pairs_show_every_training_photograph_about_equally_often(tmp_path):
    for n in range(8):  # flat photographs, told apart by their grey
        textured(64, 64).point(lambda _, n=n: 20 * n).save(tmp_path / f"{n}.png")
    record, _ = run(tmp_path, tmp_path / "out", train_pairs=601)
    first, second = load_pair(tmp_path / "out" / "train_data.pkl")
    assert torch.equal(first, second)  # flat photographs have no noise
    trained = [20 * int(name[0]) for name in record["train_data.pkl"]["photos"]]
    shown, counts = first[:, 0, 0, 0].unique(return_counts=True)
    assert shown.tolist() == trained
    assert counts.max() - counts.min() <= 1
    assert len(first[:50, 0, 0, 0].unique()) == len(trained)  # a batch mixes them,
    assert not torch.equal(first[:6], first[6:12])  # and in no fixed order


def test_no_two_training_pairs_are_alike(photos, tmp_path):
    run(photos, tmp_path, train_pairs=9 * 2 * LOT)  # two lots of each photograph
    first, second = load_pair(tmp_path / "train_data.pkl")
    assert len(torch.cat([first, second]).flatten(1).unique(dim=0)) == 2 * 9 * 2 * LOT


def test_fewer_pairs_than_photographs(photos, tmp_path):
    run(photos, tmp_path, train_pairs=5, val_pairs=1)
    assert len(load_pair(tmp_path / "train_data.pkl")[0]) == 5
    assert len(load_pair(tmp_path / "val_data.pkl")[0]) == 1


def test_a_list_names_the_validation_photographs(photos, tmp_path):
    (tmp_path / "list.txt").write_text("photo03.jpg\n\nphoto07.jpg\nelsewhere.jpg\n")
    record, said = run(photos, tmp_path / "out", val_list=tmp_path / "list.txt", val_pairs=2)
    assert record["val_data.pkl"]["photos"] == ["photo03.jpg", "photo07.jpg"]
    assert len(record["train_data.pkl"]["photos"]) == 10
    assert any("1 of its 3 photographs were not found, elsewhere.jpg for one" in line for line in said)


@pytest.mark.parametrize(
    ("names", "error"),
    [
        ("nowhere.jpg\nneither.jpg", "2 of its 2 photographs were not found: of 12, 0 would be for validation"),
        ("", "of 12, 0 would be for validation"),
        ("\n".join(f"photo{n:02}.jpg" for n in range(12)), "12 would be for validation and 0 for training"),
        (None, "can't be read as a list of file names"),
    ],
)
def test_a_list_that_leaves_a_side_empty_is_refused(photos, tmp_path, names, error):
    if names is not None:
        (tmp_path / "list.txt").write_text(names)
    with pytest.raises(DataError, match=re.escape(error)):
        run(photos, tmp_path / "out", val_list=tmp_path / "list.txt")


def test_the_same_file_under_two_names_is_one_photograph(photos, tmp_path):
    shutil.copytree(photos, tmp_path / "in")
    shutil.copy(photos / "photo05.jpg", tmp_path / "in" / "a copy.jpg")
    (tmp_path / "list.txt").write_text("photo05.jpg")
    record, said = run(tmp_path / "in", tmp_path / "out", val_list=tmp_path / "list.txt")
    assert record["val_data.pkl"]["photos"] == ["a copy.jpg"]
    assert not {"photo05.jpg", "a copy.jpg"} & set(record["train_data.pkl"]["photos"])
    assert any(re.search(r"skipped .*photo05\.jpg: the same file as .*a copy\.jpg", line) for line in said)


def test_an_unreadable_photograph_is_named_and_skipped(photos, tmp_path):
    shutil.copytree(photos, tmp_path / "in")
    whole = (photos / "photo01.jpg").read_bytes()
    (tmp_path / "in" / "broken.jpg").write_bytes(whole[: len(whole) // 2])
    _, said = run(tmp_path / "in", tmp_path / "out")
    assert [line for line in said if "skipped" in line and "broken.jpg: not a readable photograph" in line]
    run(photos, tmp_path / "without")
    assert content(tmp_path / "out") == content(tmp_path / "without")


@pytest.mark.parametrize(("count", "held_out"), [(2, 1), (7, 1), (8, 2), (24, 6), (105, 20), (200, 20), (1100, 110)])
def test_a_tenth_is_held_out_or_up_to_20_of_few(count, held_out):
    photos = [Photo(Path(f"{n}.jpg"), {f"{n}.jpg"}, str(n)) for n in range(count)]
    train, val = split(photos, seed=4)
    assert len(val) == held_out
    assert sorted(p.digest for p in train + val) == sorted(p.digest for p in photos)
    assert split(photos, seed=4)[1] == val


def test_one_photograph_is_too_few():
    with pytest.raises(DataError, match="at least 2 different photographs"):
        split([Photo(Path("a"), {"a"}, "a")])


def test_files_that_build_did_not_make_are_kept(photos, tmp_path):
    run(photos, tmp_path)
    run(photos, tmp_path, seed=1)  # its own may be made anew
    before = content(tmp_path)
    (tmp_path / "val_data.pkl").write_bytes(b"the course's")
    with pytest.raises(DataError, match=r"val_data\.pkl was not made by this command, so it is kept"):
        run(photos, tmp_path)
    assert content(tmp_path) == before | {"val_data.pkl": b"the course's"}


def test_a_failure_on_the_way_leaves_the_old_files(photos, tmp_path, monkeypatch):
    run(photos, tmp_path)
    before = content(tmp_path)

    def interrupted(lot):
        raise KeyboardInterrupt

    monkeypatch.setattr(data.build, "_val_lot", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(photos, tmp_path, seed=1)
    assert content(tmp_path) == before


@pytest.mark.parametrize("options", [{"train_pairs": 0}, {"val_pairs": -1}])
def test_numbers_of_pairs_below_1_are_refused(photos, tmp_path, options):
    with pytest.raises(DataError, match="expected at least one pair each, not"):
        run(photos, tmp_path, **options)


def test_an_output_that_is_a_file_is_refused(photos, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(DataError, match="out: can't be made a folder"):
        run(photos, tmp_path / "out")


def test_the_default_photographs_are_licensed_and_small():
    files = sorted(path.name for path in (HERE / "photos").iterdir() if path.name != "LICENSES.md")
    rows = [
        [cell.strip() for cell in line.strip("| \n").split(" |")]
        for line in (HERE / "photos" / "LICENSES.md").read_text(encoding="utf-8").splitlines()
        if re.match(r"\| \S+\.jpg \|", line)
    ]
    assert [row[0] for row in rows] == files
    assert len(files) >= 24
    assert sum((HERE / "photos" / name).stat().st_size for name in files) <= 8e6
    for row in rows:
        assert all(row[:5])
        assert re.fullmatch(r"public domain|CC0-1\.0|CC-BY-[234]\.0", row[3])
        assert re.search(r"\((Debian|PyPI)\), \S+", row[4])


def test_the_default_photographs_have_noise_like_the_course_s(tmp_path):
    record = build(train_pairs=600, val_pairs=20, out=tmp_path, workers=1, say=lambda line: None)
    assert len(record["val_data.pkl"]["photos"]) == 20
    assert record["train_data.pkl"]["noise_psnr"] == pytest.approx(20.72, abs=1.2)  # measured 21.4


def command(*arguments: object, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "data", "build", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_the_command_s_errors_are_one_line_and_exit_1(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["data", "build", "--photos", str(tmp_path / "none"), "--out", str(tmp_path)])
    assert data.__main__.main() == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"error: .*none: no such folder.*\n", err)


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
def test_ctrl_c_comes_between_the_pool_s_results_and_never_within_its_work():
    before, seen = signal.signal(signal.SIGINT, signal.default_int_handler), []

    def items():
        os.kill(os.getpid(), signal.SIGINT)  # while the pool takes them
        seen.append("taken")
        yield 1

    try:
        with pytest.raises(KeyboardInterrupt), parallel_map(2) as each:
            seen.extend(each(abs, items()))
        assert seen == ["taken"]
        with pytest.raises(KeyboardInterrupt), parallel_map(2):
            seen.append(os.kill(os.getpid(), signal.SIGINT))
        assert seen == ["taken", None]  # it came only after that
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
def test_ctrl_c_ends_the_command_and_its_workers_and_leaves_no_files(photos, tmp_path):
    process = command("--photos", photos, "--train-pairs", 1_000_000, "--out", tmp_path, start_new_session=True)
    while "training" not in (line := process.stderr.readline(50)):
        assert line, "the command ended by itself"
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it too
    _, err = process.communicate(timeout=30)  # returns once the workers, who share stderr, have ended too
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    assert os.listdir(tmp_path) == []
