"""A pair file is read whole or refused in one clear sentence, and nothing in it is ever executed."""

import os
import pickle
from pathlib import Path

import pytest
import torch

from data.load import DataError, load_pair, save_pair


def pictures(n: int = 4, dtype: torch.dtype = torch.uint8) -> torch.Tensor:
    return torch.arange(n * 3 * 8 * 8).remainder(256).view(n, 3, 8, 8).to(dtype)


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        load_pair(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
def test_what_was_saved_is_loaded(tmp_path, dtype):
    save_pair(tmp_path / "pair.pkl", pictures(dtype=dtype), 255 - pictures(dtype=dtype))
    first, second = load_pair(tmp_path / "pair.pkl")
    assert first.dtype == dtype
    assert torch.equal(first, pictures(dtype=dtype))
    assert torch.equal(second, 255 - pictures(dtype=dtype))


@pytest.mark.parametrize("zipped", [True, False])
def test_lists_and_both_formats_of_torch_are_read(tmp_path, zipped):
    torch.save([pictures(), pictures()], tmp_path / "pair.pkl", _use_new_zipfile_serialization=zipped)
    assert torch.equal(load_pair(tmp_path / "pair.pkl")[1], pictures())


def test_strided_tensors_come_back_contiguous(tmp_path):
    channels_last = pictures().contiguous(memory_format=torch.channels_last)
    torch.save((channels_last, channels_last), tmp_path / "pair.pkl")
    first, _ = load_pair(tmp_path / "pair.pkl")
    assert first.is_contiguous()
    assert torch.equal(first, pictures())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (pictures(), "expected a pair of tensors, not uint8 4×3×8×8"),
        ((pictures(),), r"expected a pair of tensors, not a tuple of 1 (Tensor)"),
        ((pictures(), pictures(), pictures()), "a tuple of 3 (Tensor, Tensor, Tensor)"),
        ((pictures(), 7), "a tuple of 2 (Tensor, int)"),
        ({"noisy": pictures()}, "not a dict"),
        (
            (pictures(), pictures().long()),
            "the second tensor must be uint8 (or floating point, 0–255), not torch.int64",
        ),
        (
            (pictures() > 3, pictures() > 3),
            "the first tensor must be uint8 (or floating point, 0–255), not torch.bool",
        ),
        ((pictures()[:, :2], pictures()[:, :2]), "must be N×3×H×W, not uint8 4×2×8×8"),
        ((pictures()[0], pictures()[0]), "must be N×3×H×W, not uint8 3×8×8"),
        ((torch.tensor(1.0), torch.tensor(1.0)), "must be N×3×H×W, not float32 scalar"),
        ((pictures(4), pictures(3)), "must agree in shape and dtype, not uint8 4×3×8×8 and uint8 3×3×8×8"),
        ((pictures(), pictures().float()), "must agree in shape and dtype"),
        ((pictures(0), pictures(0)), "the first tensor is empty: uint8 0×3×8×8"),
        (
            (pictures().float() - 1, pictures().float()),
            "the first tensor must hold values in 0–255, not from -1 to 254",
        ),
        (
            (pictures().float(), pictures().float() + 1),
            "the second tensor must hold values in 0–255, not from 1 to 256",
        ),
        ((pictures().float() / 0, pictures().float()), "must hold values in 0–255, not from nan to nan"),
        ((pictures() / 255, pictures() / 255), "multiply it by 255"),
        ((pictures().float().to_sparse(), pictures().float()), "must be dense"),
        ((torch.empty(4, 3, 8, 8, device="meta"), pictures().float()), "must be dense and hold its values"),
    ],
)
def test_what_is_no_pair_of_pictures_is_refused(tmp_path, content, said):
    torch.save(content, tmp_path / "pair.pkl")
    assert said in refusal(tmp_path / "pair.pkl")


def test_a_missing_file_is_refused_with_the_way_out(tmp_path):
    assert "no such file" in refusal(tmp_path / "val_data.pkl")
    assert "python -m data build" in refusal(tmp_path / "val_data.pkl")


def test_a_folder_is_refused(tmp_path):
    assert "can't be read" in refusal(tmp_path)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path, kept, zipped):
    path = tmp_path / "pair.pkl"
    torch.save((pictures(), pictures()), path, _use_new_zipfile_serialization=zipped)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    assert "truncated or not written by torch.save" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 1000, b"\xff\xd8\xff\xe0JFIF"])
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "pair.pkl").write_bytes(content)
    assert "truncated or not written by torch.save" in refusal(tmp_path / "pair.pkl")


class Malicious:
    def __init__(self, trace: Path):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("save", [torch.save, lambda thing, path: path.write_bytes(pickle.dumps(thing))])
def test_code_in_a_pickle_is_not_executed(tmp_path, save):
    save((pictures(), Malicious(tmp_path / "trace")), tmp_path / "pair.pkl")
    assert "can't be read" in refusal(tmp_path / "pair.pkl")
    assert not (tmp_path / "trace").exists()


def test_a_refused_pickle_is_told_from_a_damaged_one(tmp_path):
    torch.save((pictures(), os.mkdir), tmp_path / "pair.pkl")
    assert "it asks for more than tensors, and was refused without executing anything" in refusal(
        tmp_path / "pair.pkl"
    )


def test_the_same_pair_gives_the_same_bytes_under_any_name(tmp_path):
    save_pair(tmp_path / "a.pkl", pictures(), pictures())
    save_pair(tmp_path / "another.pkl", pictures(), pictures())
    assert (tmp_path / "a.pkl").read_bytes() == (tmp_path / "another.pkl").read_bytes()


def test_a_view_is_saved_without_the_rest_of_its_storage(tmp_path):
    save_pair(tmp_path / "pair.pkl", pictures(1000)[:2], pictures(2))
    assert (tmp_path / "pair.pkl").stat().st_size < 10_000


def test_a_failing_save_keeps_the_old_file_and_leaves_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "pair.pkl"
    save_pair(path, pictures(), pictures())

    def full_disk(thing, file):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(DataError, match=r"can't be written.*No space left"):
        save_pair(path, pictures(8), pictures(8))
    assert len(load_pair(path)[0]) == 4
    assert os.listdir(tmp_path) == ["pair.pkl"]


def test_a_save_replaces_the_file_instead_of_writing_into_it(tmp_path):
    save_pair(tmp_path / "pair.pkl", pictures(), pictures())
    os.link(tmp_path / "pair.pkl", tmp_path / "as a reader has it open")
    save_pair(tmp_path / "pair.pkl", pictures(8), pictures(8))
    assert len(load_pair(tmp_path / "as a reader has it open")[0]) == 4
    assert len(load_pair(tmp_path / "pair.pkl")[0]) == 8


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(DataError, match="can't be written"):
        save_pair(tmp_path / "none" / "pair.pkl", pictures(), pictures())
