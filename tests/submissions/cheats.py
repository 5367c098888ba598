"""Submissions that buy marks, made from the textbook one: a table of name → what is done, and what grading must say.

The honest ones beside them do what looks alike and is allowed: they must not be accused.
"""

import base64
import py_compile
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .hostile import TEXTBOOK, method

TRAIN_PAIRS = 1000
LEARNS, RUNTIME, PSNR = "training.learns_what_it_is_given", "rules.runtime", "psnr.pretrained_model"


@dataclass(frozen=True)
class Cheat:
    """Source added to model.py, files beside it (`prepare`, given the package and the data), the check that must say
    `says` (a regular expression), and the status that it has then.
    """

    source: str
    check: str
    says: str
    prepare: Callable[[Path, Path], None] = lambda package, data: None
    status: str = "failed"

    @property
    def group(self) -> str:
        return self.check.partition(".")[0]


def build(one: Cheat, folder: Path, data: Path) -> Path:
    shutil.copytree(TEXTBOOK, folder, dirs_exist_ok=True)
    package = folder / "Proj_2"
    one.prepare(package, data)
    model = package / "model.py"
    model.write_text(model.read_text(encoding="utf-8") + "\n" + one.source, encoding="utf-8")
    return folder


# Beside model.py ------------------------------------------------------------------------------------------------------


def weights_by_another_name(package: Path, _) -> None:
    shutil.copy(package / "bestmodel.pth", package / "others" / "initial.bin")


def weights_as_text(package: Path, _) -> None:
    text = base64.b85encode((package / "bestmodel.pth").read_bytes()).decode()
    (package / "others" / "constants.py").write_text(f"START = {text!r}\n", encoding="utf-8")


def table(package: Path, data: Path) -> None:
    import torch

    noisy, clean = torch.load(data / "val_data.pkl")
    keys = [int(picture.long().sum()) for picture in noisy]
    torch.save(dict(zip(keys, clean, strict=True)), package / "others" / "statistics.pth")


def answers(package: Path, _) -> None:
    """Gradients of the convolution for the inputs that the seed 0 alone gives, by the sum of what backward is given."""
    import torch

    from checker.checks import cases

    known = {}
    for one in cases.CORE["Conv2d"]:
        given = cases.make(one, 0)
        values = cases.reference(one, given)
        key = round(given.cotangent.double().sum().item(), 3)
        known[key] = [values[part].float() for part in ("grad_input", "grad_weight", "grad_bias")]
    torch.save(known, package / "others" / "statistics.pth")


def bytecode(package: Path, _) -> None:
    source = package.parent / "hidden.py"
    source.write_text("import torch\nlayer = torch.nn.Linear\n")
    py_compile.compile(str(source), cfile=str(package / "others" / "hidden.pyc"))


# Parts of them --------------------------------------------------------------------------------------------------------

READ = "torch.load(Path(__file__).parent / 'others' / NAME, weights_only=True)"
COPY = "for (weight, _), value in zip(self.net.param(), saved, strict=True): weight.copy_(value)"
READ_INITIAL = f"saved = {READ.replace('NAME', repr('initial.bin'))}\n{COPY}\n"
LOOK_UP = f"""
known = {READ.replace("NAME", repr("statistics.pth"))}
found = [known.get(int(picture.round().long().sum())) for picture in args[0]]
if any(picture is None for picture in found): return textbook_predict(self, *args)
return cat([picture[None].float() for picture in found])
"""
LOOK_UP_GRADIENTS = f"""
known = {READ.replace("NAME", repr("statistics.pth"))}
found = known.get(round(args[0].double().sum().item(), 3))
if found is None or found[1].shape != self.weight.shape: return args[0].new_zeros(self.x_shape)
self.weight_grad += found[1]
self.bias_grad += found[2]
return found[0]
"""
NODES_FORWARD = """
torch.set_grad_enabled(bool(1))
x, self.x_shape, w = args[0].detach().requires_grad_(), args[0].shape, self.weight.detach().requires_grad_()
product = w.flatten(1) @ self.of(x)
torch.set_grad_enabled(bool(0))
self.node, self.leaves = product.grad_fn, (x, w)
size = self.output_size(x.shape[2], 0), self.output_size(x.shape[3], 1)
return self.add_bias(product.detach().view(len(x), -1, *size))
"""
NODES_BACKWARD = """
def walk(node, gradient):
    if type(node).__name__ == 'AccumulateGrad':
        found[id(node.variable)] = found.get(id(node.variable), 0) + gradient
    elif node is not None:
        out = node(gradient)
        for (after, _), one in zip(node.next_functions, out if isinstance(out, tuple) else (out,)):
            if one is not None: walk(after, one)
found = {}
walk(self.node, args[0].flatten(2))
self.add_bias_grad(args[0])
x, w = self.leaves
self.weight_grad += found[id(w)].detach()
return found[id(x)].detach()
"""
UNFOLDED = """
from .others.modules import unfold
Conv2d.of = lambda self, x: unfold(x, **self.windows)
"""
PROGRAM = "import torch\nlayer = torch.nn.Conv2d(3, 3, 3)\nlayer(torch.ones(1, 3, 8, 8)).sum().backward()\n"


def in_train(body: str, check: str = LEARNS, **options) -> Cheat:
    """Something done at the beginning of train(), which then goes on as it did."""
    says = options.pop("says")
    return Cheat(method("train", f"{body}\nreturn textbook_train(self, *args)"), check, says, **options)


def forward_by(function: str, imports: str = "", when: str = "True") -> Cheat:
    """Conv2d.forward by torch's own."""
    body = f"""
{imports}
y = textbook_forward(self, args[0])
if not ({when}): return y
w = self.windows
return {function}(args[0], self.weight, self.bias, w['stride'], w['padding'], w['dilation'])
"""
    return Cheat(method("forward", body, "Conv2d"), RUNTIME, "conv")


CHEATS = {
    # train() that has learned before
    "train_only_loads": Cheat(method("train", "self.load_pretrained_model()"), LEARNS, "predicts exactly what the pre"),
    "train_loads_first": in_train("self.load_pretrained_model()", says="nobody learns that from so few"),
    "weights_by_another_name": in_train(READ_INITIAL, says="nobody learns", prepare=weights_by_another_name),
    "weights_as_text": in_train(
        "import base64, io\nfrom .others.constants import START\n"
        f"saved = torch.load(io.BytesIO(base64.b85decode(START)), weights_only=True)\n{COPY}",
        says="nobody learns",
        prepare=weights_as_text,
    ),
    "constructed_with_weights": Cheat(
        method("__init__", "textbook___init__(self)\nself.load_pretrained_model()"), LEARNS, "before any training"
    ),
    "loads_if_many_pairs": in_train(
        "if len(args[0]) >= 1000: self.load_pretrained_model()", says="num_epochs=0", status="passed"
    ),
    "trains_on_its_own_targets": Cheat(
        method("train", "return textbook_train(self, args[0], args[0], args[2])"), LEARNS, "Does train.. use its second"
    ),
    # predict() that knows the pictures
    "table_of_pictures": Cheat(method("predict", LOOK_UP), PSNR, "above the noisy input", prepare=table),
    "table_below_the_limit": Cheat(
        method("predict", f"{LOOK_UP.rstrip()} * 0.7 + args[0] * 0.3"), PSNR, "mirrored or turned", prepare=table
    ),
    "table_in_batches_of_100": Cheat(
        method("predict", f"if len(args[0]) != 100: return textbook_predict(self, *args)\n{LOOK_UP}"), PSNR,
        "above the noisy input|mirrored or turned", prepare=table,
    ),
    # Other programs
    "program_in_a_string": in_train(
        f"import os, shlex, sys\nos.system(shlex.join([sys.executable, '-c', {PROGRAM!r}]))", RUNTIME, says="os.system"
    ),
    "program_by_subprocess": in_train(
        f"import sys\ngetattr(__import__('sub' + 'process'), 'run')([sys.executable, '-c', {PROGRAM!r}])", RUNTIME,
        says="subprocess.Popen",
    ),
    "posix_spawn": in_train("import os\nos.posix_spawn('/bin/true', ['true'], {})", RUNTIME, says="os.posix_spawn"),
    "fork": in_train("import os\nif os.fork() == 0: os._exit(0)", RUNTIME, says="os.fork"),
    "multiprocessing": in_train(
        "import multiprocessing\nif __name__ != '__main__':\n"
        "    multiprocessing.get_context('spawn').Process(target=print).start()",
        RUNTIME,
        says="fork_exec",
    ),
    "ctypes": in_train("import ctypes\nctypes.CDLL(None).getpid()", RUNTIME, says="ctypes"),
    "only_in_the_epoch": in_train(
        "import os\nif len(args[0]) > 100: os.system('true')", RUNTIME, says="os.system"
    ),
    # torch's own, by roundabout ways
    "conv_by_sys_modules": forward_by("sys.modules['torch.nn.functional'].conv2d", "import sys"),
    "conv_by_importlib": forward_by("importlib.import_module('torch').conv2d", "import importlib"),
    "conv_by_operators": forward_by("torch.ops.aten.conv2d"),
    "conv_at_100_pictures": forward_by("getattr(torch, 'conv' + '2d')", when="len(args[0]) == 50"),
    "conv_by_internals_at_50": forward_by(
        "getattr(getattr(getattr(torch, '_' + 'C'), '_Variable' + 'Functions'), 'conv' + '2d')", when="len(args[0]) == 50"
    ),
    "module_by_gc": in_train(
        "import gc\n[one for one in gc.get_objects() if isinstance(one, type) and one.__name__ == 'Conv2d'"
        " and 'nn' in one.__module__][0](1, 1, 1)",
        RUNTIME,
        says="torch.nn: Conv2d",
    ),
    "nodes_called_by_hand": Cheat(
        UNFOLDED + method("forward", NODES_FORWARD, "Conv2d") + method("backward", NODES_BACKWARD, "Conv2d"),
        RUNTIME,
        "grad_fn of a tensor",
    ),
    "bytecode": Cheat(
        "\nfrom .others.hidden import layer\n", "rules.forbidden", "hidden.pyc: compiled code", prepare=bytecode,
        status="passed",
    ),
    # Answers
    "answers_to_a_known_seed": Cheat(
        method("backward", LOOK_UP_GRADIENTS, "Conv2d"), "modules.conv2d_grad_input", "All values are 0",
        prepare=answers,
    ),
    "recorder_taken_out": in_train(
        "import sys\nsys.modules['recorder'].note = lambda what: None\nimport os\nos.system('true')",
        "rules.forbidden",
        says="sys.modules.*os.system",
        status="passed",  # no security boundary: only who reads the source sees it
    ),
    "many_harmless_notes_first": in_train(
        "for name in dir(torch.Tensor)[:2000]:\n    try: getattr(torch.ops.aten, name)()\n    except Exception: pass\n"
        "import os\nos.system('true')",
        RUNTIME,
        says="os.system",
    ),
}  # fmt: skip

HONEST = {
    "busy": method(
        "train",
        """
import json, logging, math, os, pickle, platform, random, tempfile, time
from pathlib import Path
started, folder = time.time(), Path(__file__).parent
print(platform.platform(), os.cpu_count(), os.path.join('a', 'b'), math.sqrt(2), random.random())
for line in range(2000): print('line', line)
logging.warning('a warning')
textbook_train(self, *args)
torch.save([weight for weight, _ in self.net.param()], folder / 'checkpoint.pth')
pickle.dump({'seconds': time.time() - started}, open(folder / 'log.pkl', 'wb'))
json.dumps({'a': 1})
""",
    ),
    "small_batches": "BATCH = 5\n" + method("__init__", "textbook___init__(self)\nself.optimizer.lr = 0.2"),
    "random_weights": method("load_pretrained_model", "pass"),
    "slow_learner": method("__init__", "textbook___init__(self)\nself.optimizer.lr = 1e-3"),
    "keeps_its_best": method(
        "train",
        """
textbook_train(self, *args)
if args[2]: self.save()
self.load_pretrained_model()
""",
    ),
}
