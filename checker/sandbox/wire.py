"""What passes between the grader and the submission's process: frames of a JSON header and raw bytes.

    magic (4 bytes) | header length (u32) | payload length (u64) | header (JSON) | payload (the arrays)

The header says dtype and shape of every array in the payload. Nothing is ever unpickled, lengths are
checked against caps before anything is allocated, and everything in the header is validated: the other
end is not trusted. Standard library only, so that the child can speak before torch is imported and before
it is locked in.
"""

import json
import math
import os
import select
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

MAGIC = b"N2N1"
PREFIX = struct.Struct("<4sIQ")
HEADER_CAP = 1 << 20  # bytes; also bounds the number of arrays
MAX_DIMENSIONS = 16
CHUNK = 1 << 20
STEP = 0.2  # seconds after which a wait looks at the clock again, which may not be the wall's
ITEM_SIZES = {
    "bool": 1,
    "uint8": 1,
    "int8": 1,
    "int16": 2,
    "int32": 4,
    "int64": 8,
    "float16": 2,
    "bfloat16": 2,
    "float32": 4,
    "float64": 8,
}


class WireError(Exception):
    """The bytes received are no valid frame: one sentence says why."""


class Closed(WireError):
    """The other end closed its pipe in the middle of, or instead of, a frame."""


class Late(WireError):
    """No complete frame before the deadline."""


@dataclass(frozen=True)
class Stretch:
    """Bytes of a file, to be sent without having them in memory."""

    path: str
    offset: int
    size: int

    def pieces(self):
        with open(self.path, "rb", buffering=0) as file:
            for start in range(0, self.size, CHUNK):
                piece = os.pread(file.fileno(), min(CHUNK, self.size - start), self.offset + start)
                if not piece:
                    raise OSError(0, f"{self.path} is shorter than it was")
                yield piece


@dataclass(frozen=True)
class Array:
    """Raw bytes of a contiguous array, with what they mean."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes | bytearray | memoryview | Stretch

    @property
    def nbytes(self) -> int:
        return ITEM_SIZES[self.dtype] * math.prod(self.shape)


def within(seconds: float, passed: Callable[[], float] | None = None) -> Callable[[], float]:
    """A deadline: a function of the seconds left, at least. `passed` tells how many have passed, never more than on
    the wall; it is asked only once the wall's are used up, since it may take longer than most answers do.
    """
    began = time.monotonic()

    def left() -> float:
        by_the_wall = seconds - (time.monotonic() - began)
        return by_the_wall if by_the_wall > 0 or passed is None else seconds - passed()

    return left


def send(fd: int, message: dict, arrays: list[Array] = (), left: Callable[[], float] | None = None) -> None:
    """Write one frame to `fd`; a non-blocking `fd` needs a deadline, `left` (see `within`)."""
    described = [{"dtype": a.dtype, "shape": list(a.shape)} for a in arrays]
    header = json.dumps({"message": message, "arrays": described}, allow_nan=False).encode()
    if len(header) > HEADER_CAP:
        raise WireError(f"a message of {len(header)} bytes; at most {HEADER_CAP} fit")
    size = sum(a.nbytes for a in arrays)
    _write(fd, memoryview(PREFIX.pack(MAGIC, len(header), size) + header), left)
    for array in arrays:
        for piece in array.data.pieces() if isinstance(array.data, Stretch) else (array.data,):
            _write(fd, memoryview(piece).cast("B"), left)


def receive(fd: int, cap: int, left: Callable[[], float] | None = None, watch: dict | None = None):
    """Read one frame of at most `cap` payload bytes from `fd`; returns its message and its list of arrays.

    `watch` maps other descriptors to a function called when they can be read, so that a talkative process
    cannot fill its output pipe and stand still. Raises WireError (Closed, Late) if no valid frame comes.
    """
    magic, header_size, size = PREFIX.unpack(_read(fd, PREFIX.size, left, watch))
    if magic != MAGIC:
        raise WireError(f"not a frame: it starts with {magic!r}")
    if header_size > HEADER_CAP or size > cap:
        raise WireError(f"an answer of {header_size} + {size} bytes; at most {HEADER_CAP} + {cap} are accepted")
    header = _parse(bytes(_read(fd, header_size, left, watch)))
    payload = memoryview(_read(fd, size, left, watch))
    return header["message"], _split(header["arrays"], payload)


def _parse(text: bytes) -> dict:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError(f"a header that is no JSON: {error}") from None
    if (
        not isinstance(header, dict)
        or not isinstance(header.get("message"), dict)
        or not isinstance(header.get("arrays"), list)
    ):
        raise WireError("a header without a message and a list of arrays")
    return header


def _split(described: list, payload: memoryview) -> list[Array]:
    arrays, start = [], 0
    for entry in described:
        dtype, shape = (entry.get("dtype"), entry.get("shape")) if isinstance(entry, dict) else (None, None)
        if not isinstance(dtype, str) or dtype not in ITEM_SIZES:
            raise WireError(f"an array of unknown dtype {dtype!r:.40}")
        if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
            raise WireError(f"an array of impossible shape {shape!r:.40}")
        if not all(type(n) is int and 0 <= n < 1 << 48 for n in shape):
            raise WireError(f"an array of impossible shape {shape!r:.80}")
        size = ITEM_SIZES[dtype] * math.prod(shape)
        if start + size > len(payload):
            raise WireError("arrays longer than the payload")
        arrays.append(Array(dtype, tuple(shape), payload[start : start + size]))
        start += size
    if start != len(payload):
        raise WireError(f"{len(payload) - start} bytes that belong to no array")
    return arrays


def wait(fd: int, left: Callable[[], float] | None, watch: dict | None = None, event: int = select.POLLIN) -> None:
    """Return when `fd` is ready for `event`; serve the watched descriptors meanwhile."""
    watch = dict(watch or {})
    poll = select.poll()
    for one, its_event in ((fd, event), *((other, select.POLLIN) for other in watch)):
        poll.register(one, its_event)
    while True:
        seconds = None if left is None else left()
        if seconds is not None and seconds <= 0:
            raise Late("no answer in time")
        ready = dict(poll.poll(None if seconds is None else min(max(seconds, 0.01), STEP) * 1000))
        for other in ready.keys() & watch.keys():
            if not watch[other]():  # it is closed: stop listening
                del watch[other]
                poll.unregister(other)
        if fd in ready:
            return


def _read(fd: int, size: int, left: Callable[[], float] | None, watch: dict | None) -> bytearray:
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        wait(fd, left, watch)
        count = os.readv(fd, [view[done : done + CHUNK]])
        if count == 0:
            raise Closed("the pipe was closed before the answer was complete")
        done += count
    return data


def _write(fd: int, view: memoryview, left: Callable[[], float] | None) -> None:
    while view:
        wait(fd, left, event=select.POLLOUT)
        try:
            view = view[os.write(fd, view[:CHUNK]) :]
        except BlockingIOError:
            continue
        except BrokenPipeError:
            raise Closed("the pipe was closed before the request was read") from None


def from_tensor(tensor) -> Array:
    """The bytes of a dense tensor. Raises TypeError for a layout or dtype that has none here."""
    import torch

    dtype = str(tensor.dtype).removeprefix("torch.")
    if dtype not in ITEM_SIZES or tensor.layout != torch.strided or tensor.is_meta:
        raise TypeError(f"a {tensor.layout} tensor of dtype {dtype} on {tensor.device} can't be sent")
    shape = tuple(tensor.shape)
    if tensor.is_contiguous() and (stretch := _stretch(tensor)):
        return Array(dtype, shape, stretch)
    flat = tensor.detach().cpu().contiguous().view(-1)
    return Array(dtype, shape, memoryview(flat.view(torch.uint8).numpy()) if flat.numel() else b"")


def _stretch(tensor) -> Stretch | None:
    """Where a large tensor that is mapped from a file (torch.load with mmap) lies in it; None if it is not."""
    size, start = tensor.numel() * tensor.element_size(), tensor.data_ptr()
    if size < 8 * CHUNK:
        return None
    with open("/proc/self/maps", encoding="utf-8") as maps:
        for line in maps:
            addresses, _, offset, _, inode, *path = line.split(maxsplit=5)
            first, last = (int(address, 16) for address in addresses.split("-"))
            if first <= start and start + size <= last and path:
                name = path[0].rstrip("\n")
                same = os.path.isfile(name) and os.stat(name).st_ino == int(inode)  # not replaced meanwhile
                return Stretch(name, int(offset, 16) + start - first, size) if same else None
    return None


def to_tensor(array: Array):
    """The tensor of an array; shares its memory where the bytes can be written to."""
    import torch

    dtype = getattr(torch, array.dtype)
    if not array.nbytes:
        return torch.empty(array.shape, dtype=dtype)
    return torch.frombuffer(array.data, dtype=dtype).view(array.shape)
