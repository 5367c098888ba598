"""Frames and values: what is sent arrives, and nothing malformed is believed."""

import contextlib
import json
import os
import time

import pytest
import torch

from checker.sandbox import values, wire


@pytest.fixture
def pipe():
    read, write = os.pipe()
    yield read, write
    for end in (read, write):
        with contextlib.suppress(OSError):  # closed by the test
            os.close(end)


def frame(header: dict | bytes, payload: bytes = b"", magic: bytes = wire.MAGIC, size: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return wire.PREFIX.pack(magic, len(text), len(payload) if size is None else size) + text + payload


@pytest.mark.parametrize("dtype", wire.ITEM_SIZES)
def test_tensors_arrive_as_they_were(pipe, dtype):
    sent = (torch.arange(24) % 2).to(getattr(torch, dtype)).view(2, 3, 4).transpose(0, 2)
    wire.send(pipe[1], {"hello": 1}, [wire.from_tensor(sent)])
    message, arrays = wire.receive(pipe[0], 1000)
    got = wire.to_tensor(arrays[0])
    assert message == {"hello": 1}
    assert got.dtype == sent.dtype
    assert torch.equal(got, sent)


def test_values_arrive_as_they_were():
    value = {"a": [1, 2.5, None, True, "text", (torch.ones(2), float("inf"))], "b": torch.empty(0, 3)}
    packer = values.Packer(cap=1000)
    tree = json.loads(json.dumps(packer.pack(value), allow_nan=False))
    got = values.unpack(tree, packer.arrays, None)
    assert got["a"][:5] == value["a"][:5]
    assert got["a"][5][1] == float("inf")
    assert torch.equal(got["a"][5][0], torch.ones(2))
    assert got["b"].shape == (0, 3)


def described(dtype="float32", shape=(2,)):
    return {"message": {}, "arrays": [{"dtype": dtype, "shape": list(shape)}]}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (frame({"message": {}, "arrays": []}, magic=b"PASS"), "not a frame"),
        (frame(b"all passed"), "no JSON"),
        (frame(b"[" * 100_000), "no JSON"),
        (frame({"arrays": []}), "without a message"),
        (frame({"message": {}, "arrays": []}, size=1 << 40), "at most"),
        (frame(described(), b"1234"), "longer than the payload"),
        (frame(described(), b"123456789"), "belong to no array"),
        (frame(described(dtype="object"), b"12345678"), "unknown dtype"),
        (frame(described(dtype=["float32"]), b"12345678"), "unknown dtype"),
        (frame(described(shape=(-1,)), b"12345678"), "impossible shape"),
        (frame(described(shape=(1 << 60, 1 << 60)), b"12345678"), "impossible shape"),
        (frame(described(shape=(True,)), b"12345678"), "impossible shape"),
        (frame(described(shape=[1] * 65), b"1234"), "impossible shape"),
    ],
)
def test_malformed_frames_are_refused(pipe, data, reason):
    os.write(pipe[1], data[:60_000])
    os.close(pipe[1])
    with pytest.raises(wire.WireError, match=reason if len(data) < 60_000 else "closed"):
        wire.receive(pipe[0], 1000)


def test_a_deadline_is_kept(pipe):
    started = time.monotonic()
    os.write(pipe[1], wire.MAGIC)
    with pytest.raises(wire.Late):
        wire.receive(pipe[0], 1000, wire.within(0.1))
    assert time.monotonic() - started < 1


def test_a_deadline_may_follow_another_clock(pipe):
    """While the other end can't run, its time does not pass."""
    started = time.monotonic()
    with pytest.raises(wire.Late):
        wire.receive(pipe[0], 1000, wire.within(0.1, lambda: (time.monotonic() - started) / 5))
    assert 0.5 <= time.monotonic() - started < 2


def test_a_tensor_is_sent_from_the_file_that_it_is_mapped_from(pipe, tmp_path):
    tensor = torch.arange(256, dtype=torch.uint8).repeat(40_000)
    torch.save([tensor[:100].clone(), tensor], tmp_path / "file")
    array = wire.from_tensor(torch.load(tmp_path / "file", mmap=True)[1])
    assert isinstance(array.data, wire.Stretch)
    assert b"".join(array.data.pieces()) == bytes(tensor.numpy())
    assert not isinstance(wire.from_tensor(tensor).data, wire.Stretch)  # in memory


@pytest.mark.parametrize(
    "tree", [{}, [1], {"tensor": 0}, {"tensor": True}, {"ref": "x"}, {"float": "1"}, {"exec": "x"}]
)
def test_malformed_values_are_refused(tree):
    with pytest.raises(wire.WireError):
        values.unpack(tree, [], lambda number: number)


def test_an_answer_over_the_cap_is_named_not_sent():
    with pytest.raises(values.Unsendable, match=r"shape \(1000, 1000\)"):
        values.Packer(cap=1000).pack(torch.empty(1).expand(1000, 1000))
