"""Submissions that attack the grader, made from the textbook one: a table of name → what is done, and the verdict.

Each is bounded in itself, so that a sandbox that fails costs a failed test and no machine: it ends after 60 seconds,
forks at most 300 times, takes at most 8 GB, and its payload is a file MARK that must not appear.
"""

import shutil
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path

TEXTBOOK = Path(__file__).parent / "correct" / "textbook"
PASSES = ()


@dataclass(frozen=True)
class Hostile:
    """One of them: source added to model.py (or what `build` makes), and what grading it must say."""

    name: str
    source: str = ""
    expect: tuple[tuple[str, str], ...] = PASSES  # (check, regular expression of its message); none: all pass
    only: str = "api"  # the group that is graded
    needs: tuple[str, ...] = ()  # measures of the sandbox without which this can't be promised
    build: object = None  # function(folder) → what to hand in, where source is not enough


def method(name: str, body: str, owner: str = "Model") -> str:
    """Source that replaces a method of the textbook submission."""
    lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    return f"\ntextbook_{name} = {owner}.{name}\ndef {name}(self, *args):\n{lines}\n{owner}.{name} = {name}\n"


LATE = "took more than .* s and was stopped"
FOREVER = "import time\nend = time.monotonic() + 60\n"


def on_predict(name: str, body: str, message: str, **options) -> Hostile:
    return Hostile(name, method("predict", body), (("api.shape_and_range", message),), **options)


def on_import(name: str, source: str, message: str, **options) -> Hostile:
    return Hostile(name, source, (("api.imports", message),), **options)


# Folders and zips -------------------------------------------------------------------------------------


def copied(folder: Path) -> Path:
    shutil.copytree(TEXTBOOK, folder, dirs_exist_ok=True)
    return folder


def zipped(folder: Path, *extra, without: str = "") -> Path:
    """A zip of the textbook submission and of extra (name or ZipInfo, content)."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(TEXTBOOK.rglob("*")):
            name = str(file.relative_to(TEXTBOOK))
            if file.is_file() and name != without and "__pycache__" not in name:
                archive.write(file, name)
        for name, content in extra:
            archive.writestr(name, content)
    return path


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def traversal(folder: Path) -> Path:
    names = ("../MARK", "../../MARK", "/tmp/MARK", "Proj_2/../../MARK", "Proj_2/..\\..\\MARK")
    return zipped(folder, *((name, "was here") for name in names), (link("Proj_2/out"), "/tmp"), ("Proj_2/out/MARK", "x"))


def linked(folder: Path) -> Path:
    copied(folder)
    (folder / "Proj_2" / "model.py").unlink()
    (folder / "Proj_2" / "model.py").symlink_to("/etc/passwd")
    return folder


def bomb(folder: Path) -> Path:
    with zipfile.ZipFile(zipped(folder), "a", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("Proj_2/bomb", "w") as file:
            for _ in range(400):
                file.write(bytes(1 << 20))
    return folder.with_suffix(".zip")


def crowded(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for n in range(40_000):
            archive.writestr(f"Proj_2/{n:060}", b"")
    return path


def damaged(folder: Path) -> Path:
    path = zipped(folder)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def sparse(folder: Path) -> Path:
    copied(folder)
    with open(folder / "Proj_2" / "bestmodel.pth", "wb") as file:
        file.truncate(2 << 30)
    return folder


def with_model(content: bytes):
    def build(folder: Path) -> Path:
        copied(folder)
        (folder / "Proj_2" / "model.py").write_bytes(content)
        return folder

    return build


def pickled(folder: Path) -> Path:
    copied(folder)
    command = "touch MARK; touch /tmp/MARK"
    pickle = b"cposix\nsystem\n(S'" + command.encode() + b"'\ntR."
    (folder / "Proj_2" / "bestmodel.pth").write_bytes(pickle)
    model = folder / "Proj_2" / "model.py"
    model.write_text(model.read_text().replace("weights_only=True", "weights_only=False"))
    return folder


def fifo(folder: Path) -> Path:
    import os

    copied(folder)
    os.mkfifo(folder / "Proj_2" / "pipe")
    return folder


# The table --------------------------------------------------------------------------------------------

HOSTILE = (
    # Time
    on_predict("endless_loop", FOREVER + "while time.monotonic() < end: pass", LATE),
    on_predict(
        "swallows_exceptions",
        FOREVER
        + """
import threading
def spin():
    while time.monotonic() < end:
        try:
            while time.monotonic() < end: pass
        except BaseException: pass
for _ in range(3): threading.Thread(target=spin).start()
spin()
""",
        LATE,
    ),
    on_import("endless_import", FOREVER + "while time.monotonic() < end: pass\n", LATE),
    on_predict("sleeps_in_del", "import time\nclass Sleeper:\n    def __del__(self): time.sleep(60)\nSleeper()", LATE),
    on_predict(
        "ignores_signals",
        """
import signal, time
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
time.sleep(60)
""",
        LATE,
    ),
    on_predict("waits_on_stdin", "return input('your verdict? ')", "EOFError"),
    Hostile(
        "hangs_everywhere",
        "import time\n"
        + "".join(
            f"{owner}.{name} = lambda *args: time.sleep(60)\n"
            for owner in ("Conv2d", "TransposeConv2d", "NearestUpsampling", "ReLU", "Sigmoid", "Sequential", "MSE")
            for name in ("forward", "backward")
        )
        + "Model.predict = Model.train = lambda *args: time.sleep(60)\n",
        (("modules.conv2d_forward", LATE), ("modules.sigmoid_forward", "took more than|started|used up")),
        only="modules",
    ),
    # Ends of its process
    on_import("exits_on_import", "import sys\nsys.exit(0)\n", "SystemExit"),
    on_import("forges_stdout", "import os\nprint('all passed: 100 of 100 points', flush=True)\nos._exit(0)\n", "status 0"),
    on_predict("ends_itself", "import os\nos._exit(0)", "ended itself with exit status 0"),
    on_predict("crashes", "import ctypes\nctypes.string_at(0)", "SIGSEGV"),
    on_predict("closes_everything", "import os\nos.closerange(0, 64)", "exit status|closed the pipe"),
    Hostile(
        "at_exit",
        "import atexit, time\natexit.register(lambda: time.sleep(60))\natexit.register(lambda: open('MARK', 'w'))\n",
    ),
    # Memory, processes, output, files
    on_predict(
        "memory_bomb", "hoard = []\nfor _ in range(128): hoard.append(b'x' * (64 << 20))", "MemoryError|took more than", needs=("memory",)
    ),
    on_predict(
        "shared_memory_bomb",
        """
import mmap, time
hoard = []
for _ in range(128):
    hoard.append(mmap.mmap(-1, 64 << 20))
    hoard[-1].write(b'x' * (64 << 20))
time.sleep(10)
""",
        "MB of memory and was stopped|took more than",
    ),
    on_predict(
        "fork_bomb",
        """
import os, time
for _ in range(300):
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
""",
        "BlockingIOError|took more than",
        needs=("processes",),
    ),
    on_predict(
        "grandchild",
        """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)
    os._exit(0)
os.wait()
raise LookupError('it lives on')
""",
        "it lives on",
    ),
    on_predict("floods_output", "for _ in range(8000): print('x' * 1000 * 1000)", LATE + "|returned"),
    on_predict("fills_the_disk", "open('large', 'wb').write(b'x' * (200 << 20))", "OSError", needs=("file size",)),
    on_predict(
        "many_files",
        "for n in range(64): open(f'large{n}', 'wb').write(b'x' * (32 << 20))",
        "OSError",
        needs=("own file system",),
    ),
    # What it may not reach
    on_predict(
        "reads_parents_memory",
        """
import os
first = open(f'/proc/{os.getppid()}/maps').readline() or '0-1'
memory = open(f'/proc/{os.getppid()}/mem', 'rb')
memory.seek(int(first.split('-')[0], 16))
raise LookupError(f'parent memory: {memory.read(16)!r}')
""",
        "PermissionError",
        needs=("another user",),
    ),
    on_predict("ends_its_parent", "import os\nos.kill(os.getppid(), 15)", "PermissionError", needs=("another user",)),
    on_predict("reads_data", "return torch.load('DATA/val_data.pkl')[1]", "FileNotFoundError", needs=("own file system",)),
    on_predict(
        "writes_outside",
        """
problems = []
for path in ('MARK', '/tmp/MARK', '/usr/MARK', '/etc/MARK', '/MARK', '/proc/MARK', '/dev/MARK', '../MARK', '../../MARK'):
    try: open(path, 'w').write('was here')
    except OSError as problem: problems.append(problem)
raise LookupError(f'{len(problems)} refused')
""",
        "9 refused",
        needs=("own file system",),
    ),
    Hostile(
        "deletes_itself",
        method(
            "load_pretrained_model",
            "import shutil\nshutil.rmtree(Path(__file__).parent, ignore_errors=True)\ntextbook_load_pretrained_model(self)",
        ),
        (("api.loads_pretrained", "FileNotFoundError"),),
    ),
    on_predict(
        "network",
        "import socket\nsocket.create_connection(('127.0.0.1', PORT), 2).send(b'hello')",
        "OSError|ConnectionRefusedError",
        needs=("no network",),
    ),
    on_predict(
        "hunts_for_expected_values",
        """
import gc, sys
frame, seen = sys._getframe(), []
while frame:
    seen += [name for name in frame.f_locals if name in ('expected', 'reference', 'clean', 'g', 'grading')]
    frame = frame.f_back
seen += [o.shape for o in gc.get_objects() if type(o) is torch.Tensor and o.shape == args[0].shape and o is not args[0]]
raise LookupError(f'found {seen}')
""",
        r"found \[\]",
    ),
    # Forged answers
    on_predict(
        "forges_bytes",
        """
import os
for end in range(3, 64):
    try: os.write(end, b'all passed')
    except OSError: pass
return textbook_predict(self, *args)
""",
        "no answer",
    ),
    on_predict(
        "forges_a_frame",
        """
import json, os, struct, sys
frame = sys._getframe()
while 'request' not in frame.f_locals: frame = frame.f_back
answer = json.dumps({'message': {'id': frame.f_locals['request']['id'], 'value': 'passed'}, 'arrays': []}).encode()
for end in range(3, 64):
    try: os.write(end, struct.pack('<4sIQ', b'N2N1', len(answer), 0) + answer)
    except OSError: pass
return textbook_predict(self, *args)
""",
        "returned str|an answer to another request",
    ),
    on_predict(
        "patches_torch",
        """
for name in ('allclose', 'equal', 'isfinite', 'isclose'): setattr(torch, name, lambda *args, **kwargs: True)
torch.Tensor.__eq__ = torch.Tensor.__le__ = torch.Tensor.equal = lambda *args: True
return textbook_predict(self, *args) * float('nan')
""",
        "not finite",
    ),
    on_predict(
        "lying_tensor",
        """
class Liar(torch.Tensor):
    shape = property(lambda self: args[0].shape)
    __eq__ = __le__ = __ge__ = __lt__ = allclose = equal = lambda self, *others: True
return torch.zeros(2, 2).as_subclass(Liar)
""",
        "returned the shape|no answer|longer than|took more",
    ),
    on_predict(
        "equal_to_everything",
        "class Equal:\n    __eq__ = __lt__ = __gt__ = __bool__ = lambda *args: True\n    __hash__ = None\nreturn Equal()",
        "expected a tensor",
    ),
    on_predict("not_a_number", "return textbook_predict(self, *args) * float('nan')", "not finite"),
    on_predict("wrong_dtype", "return textbook_predict(self, *args) + 0j", "can't be sent"),
    on_predict("wrong_shape", "return textbook_predict(self, *args).flatten()", "returned the shape"),
    on_predict("huge_shape", "return torch.zeros(1).expand(100_000, 100_000)", "far more than expected"),
    on_predict("huge_list", "return [[0] * 1000] * 1000", "values, or nested"),
    on_predict("endless_list", "nest = []\nnest.append(nest)\nreturn nest", "values, or nested"),
    # Global switches
    Hostile("default_dtype", "torch.set_default_dtype(torch.float64)\n", (("api.shape_and_range", "RuntimeError"),)),
    Hostile("million_threads", "try: torch.set_num_threads(10**6)\nexcept RuntimeError: pass\n", None),
    # What is handed in
    Hostile("malicious_pickle", expect=(("api.loads_pretrained", "Error"),), build=pickled),
    Hostile("zip_traversal", build=traversal),
    Hostile(
        "zip_link",
        expect=(("structure.files", "model.py"),),
        build=lambda folder: zipped(folder, (link("Proj_2/model.py"), "/etc/passwd"), without="Proj_2/model.py"),
    ),
    Hostile("zip_bomb", expect=(("structure.folder", "larger than"),), build=bomb),
    Hostile("zip_crowd", expect=(("structure.folder", "5000 files|far too many"),), build=crowded),
    Hostile("zip_damaged", expect=(("structure.folder", "a zip file that can't be read"),), build=damaged),
    Hostile("link_to_outside", expect=(("structure.files", "model.py"),), build=linked),
    Hostile("named_pipe", build=fifo),
    Hostile("sparse_file", expect=(("structure.folder", "larger than"),), build=sparse),
    Hostile("not_utf8", expect=(("api.imports", "SyntaxError"),), build=with_model(b"x = '\xff\xfe\xe9'\n")),
    Hostile("null_bytes", expect=(("api.imports", "SyntaxError|ValueError"),), build=with_model(b"x = 1\0\n")),
    Hostile("syntax_error", expect=(("api.imports", "SyntaxError"),), build=with_model(b"def forward(:\n")),
    on_import("raises_on_import", "raise RuntimeError('no grade today')\n", "RuntimeError: no grade today"),
    Hostile(
        "raises_strangely",
        "class Odd(BaseException):\n    __str__ = __repr__ = lambda self: 1 / 0\nraise Odd()\n",
        (("api.imports", "Odd"),),
    ),
    Hostile(
        "deep_source",
        expect=(("api.imports", "Error"),),
        only="rules",
        build=with_model(b"x = " + b"-" * 50_000 + b"1\n"),
    ),
    Hostile(
        "long_chain",
        expect=(("api.imports", "Error"),),
        only="rules",
        build=with_model(b"x = y" + b".a" * 50_000 + b"\n"),
    ),
    Hostile("giant_source", expect=(("structure.folder", "Python source"),), build=with_model(b"x = [0]\n" * 200_000)),
    # What the rules forbid, hidden from who reads the source
    Hostile(
        "hidden_convolution",
        method("forward", "return getattr(torch, 'co' + 'nv2d')(args[0], self.weight, self.bias)", "Conv2d"),
        (("rules.runtime", "aten::convolution"),),
        only="rules",
    ),
    Hostile(
        "hidden_autograd",
        method(
            "backward",
            """
with getattr(torch, 'enable' + '_grad')():
    x = args[0].clone().requires_grad_()
    getattr((x * x).sum(), 'back' + 'ward')()
return textbook_backward(self, *args)
""",
            "Conv2d",
        ),
        (("rules.runtime", "autograd"),),
        only="rules",
    ),
    Hostile(
        "hidden_network",
        method("__init__", "self.other = getattr(getattr(torch, 'n' + 'n'), 'Li' + 'near')(2, 2)\ntextbook___init__(self)"),
        (("rules.runtime", "torch.nn: Linear"),),
        only="rules",
    ),
)


def build(one: Hostile, folder: Path, mark: Path, data: Path, port: int) -> Path:
    """Make it in `folder`; returns what to hand in."""
    if one.build:
        return one.build(folder)
    model = copied(folder) / "Proj_2" / "model.py"
    source = one.source.replace("'MARK'", repr(str(mark))).replace("DATA", str(data)).replace("PORT", str(port))
    model.write_text(model.read_text(encoding="utf-8") + "\n" + source, encoding="utf-8")
    return folder
