"""The rules by name: what of torch and of Python the assignment allows, what it forbids, what nobody can decide."""

HANDOUT = {
    "torch.empty", "torch.cat", "torch.arange", "torch.nn.functional.fold", "torch.nn.functional.unfold",
    "torch.set_grad_enabled", "torch.no_grad", "torch.device", "torch.cuda.is_available", "torch.load", "torch.save",
    "torch.Tensor", "torch.manual_seed",
    "torch", "torch.nn", "torch.nn.functional", "torch.cuda",  # on the way to the names above
}  # fmt: skip
CONSTANT_NAMES = (
    "float16", "float32", "float64", "float", "half", "double", "uint8", "int8", "int16", "int32", "int64",
    "int", "long", "short", "bool", "bfloat16", "dtype", "pi", "inf", "nan", "strided", "contiguous_format",
    "channels_last", "Size", "FloatTensor",
)  # fmt: skip
OPERATIONS = (
    "conv1d", "conv2d", "conv3d", "convolution", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "conv_tbc", "_convolution", "max_pool2d", "batch_norm", "layer_norm", "group_norm", "native_batch_norm",
    "mkldnn_convolution", "cudnn_convolution",
)  # fmt: skip
CONSTANTS = {f"torch.{name}" for name in CONSTANT_NAMES}
BANNED = {  # these and all below them
    "torch.nn": "torch.nn other than functional.fold and unfold",
    "torch.autograd": "autograd",
    "torch.enable_grad": "autograd",
    "torch.func": "autograd (torch.func)",
    "torch._functorch": "autograd (torch.func)",
    "torch.optim": "torch's optimisers",
    "torch._C": "torch's internals",
    "torch.ops": "torch's operators",
    "torch._VF": "torch's internals",
    "torch.jit": "torch's compiler",
    "torch.compile": "torch's compiler",
    "torch.hub": "downloaded code",
} | {f"torch.{name}": "a network's operation from torch" for name in OPERATIONS}
DYNAMIC = {"eval", "exec", "compile", "__import__", "globals", "vars"}
DYNAMIC_MODULES = {
    "importlib",
    "ctypes",
    "subprocess",
    "socket",
    "multiprocessing",
    "inspect",
    "gc",
    "marshal",
    "runpy",
    "pty",
    "_posixsubprocess",
}
STARTS = ("system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "execv", "execve", "execvp", "spawnv")
DYNAMIC_NAMES = {"sys.modules", "sys._getframe", "sys.addaudithook"} | {f"os.{name}" for name in STARTS}
