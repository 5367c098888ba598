"""Child side: lock this process in before anything of the submission is loaded, and say what was achieved.

Linux only, through libc itself, so that no tool has to be installed. Each measure is tried on its own and each is
optional: on a machine that refuses one, the report says so. In order:

- another user (nobody), where the grader runs as root and that user can read torch;
- namespaces for users, mounts, processes, network and IPC: no network, and processes that die with their first one;
- a root file system of its own: the system and Python read-only, the working copy writable, nothing else at all;
- no capability, no new privileges, no core dump, and limits on memory, processor time, file size and processes.
"""

import contextlib
import ctypes
import os
import resource
import shutil
import signal
import sys
import sysconfig
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS = (
    0x20000,
    0x10000000,
    0x20000000,
    0x40000000,
    0x8000000,
    0x4000000,
)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = (
    1,
    4,
    24,
    36,
    38,
)
NOBODY = 65534
SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/opt", "/nix", "/etc")
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")

libc = ctypes.CDLL(None, use_errno=True)


class CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def call(name: str, *arguments) -> None:
    """A libc function; OSError with its name if it returns −1."""
    plain = [a.encode() if isinstance(a, str) else a for a in arguments]
    if getattr(libc, name)(*plain) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def enter(folder: str, limits: dict) -> dict[str, str]:
    """Lock this process in; returns, in the innermost process, measure → "enforced" or why it is not.

    `folder` is the working copy. The process that called stays behind as a keeper: it waits for the innermost one
    and ends everything that this one leaves behind.
    """
    report: dict[str, str] = {}

    @contextlib.contextmanager
    def measure(name):
        try:
            yield
            report[name] = "enforced"
        except OSError as error:
            report[name] = f"not available ({error.strerror})"
        except (ValueError, AttributeError) as error:  # a limit or a function that this system does not know
            report[name] = f"not available ({error})"

    python = python_folders()
    with measure("another user"):
        become_nobody(folder, python)
    with measure("namespaces"):
        new_namespaces()
    isolated = report["namespaces"] == "enforced"
    become_keeper()
    # from here on: another process, the first one in its namespace
    if isolated:
        become_keeper()  # the first one is deaf to most signals: let the submission be the second
        with measure("own file system"):
            own_root(folder, python, limits["disk_mb"])
    else:
        report["own file system"] = "not available (needs namespaces)"
    report["no network"] = report["namespaces"]
    os.chdir(folder)
    with measure("no privileges"):
        drop_privileges()
    for name, limit, value in (
        ("memory", resource.RLIMIT_DATA, limits["memory_mb"] << 20),
        ("processor time", resource.RLIMIT_CPU, int(limits["total_seconds"] * os.cpu_count())),
        ("file size", resource.RLIMIT_FSIZE, limits["file_mb"] << 20),
        ("open files", resource.RLIMIT_NOFILE, limits["open_files"]),
        ("core dumps", resource.RLIMIT_CORE, 0),
        ("processes", resource.RLIMIT_NPROC, limits["processes"]),
    ):
        with measure(name):
            resource.setrlimit(limit, (value, value))
    if os.geteuid() == 0 and not isolated:
        report["processes"] = "not available (the kernel ignores it for root)"
    return report


def python_folders() -> list[str]:
    """The folders that Python and its packages are read from, outermost only."""
    paths = [sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.realpath(sys.executable)]
    paths += [*sysconfig.get_paths().values(), *(p for p in sys.path if p)]
    folders = {str(p if p.is_dir() else p.parent) for p in map(Path, paths) if p.exists()}
    folders |= {os.path.realpath(f) for f in folders}
    return sorted(f for f in folders if not any(str(p) in folders for p in Path(f).parents))


def become_nobody(folder: str, python: list[str]) -> None:
    """Give up root for good, unless the other user could not read Python."""
    if os.geteuid() != 0:
        raise OSError(0, "the grader is not root, and can only be itself")
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        for path in python:
            os.listdir(path)
    except OSError:
        os.seteuid(0)
        os.setegid(0)
        raise OSError(0, "nobody can't read the folders of this Python") from None
    os.seteuid(0)
    for path, _, files in os.walk(folder):
        for name in (".", *files):
            os.chown(os.path.join(path, name), NOBODY, NOBODY, follow_symlinks=False)
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    call("prctl", PR_SET_DUMPABLE, 1, 0, 0, 0)  # else /proc/self belongs to root, and uid_map can't be written


def new_namespaces() -> None:
    user, group = os.geteuid(), os.getegid()
    call("unshare", CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"1000 {user} 1")
    Path("/proc/self/gid_map").write_text(f"1000 {group} 1")


def become_keeper() -> None:
    """Fork; the caller waits for the new process and cleans up after it, and only the new one returns."""
    call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # a killed grader leaves nothing behind either
    keeper = os.getpid()
    inner = os.fork()
    if inner == 0:
        call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() not in (keeper, 0):  # 0: the keeper is outside this process namespace
            os._exit(1)
        return
    os.closerange(3, 64)  # the pipes are the inner one's alone: their end is its end
    status = wait_for(inner)
    for pid in children_of(keeper):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)  # as a shell reports a signal


def wait_for(inner: int) -> int:
    while True:
        pid, status = os.wait()
        if pid == inner:
            return status


def children_of(parent: int) -> list[int]:
    children = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, IndexError):
                stat = Path("/proc", entry, "stat").read_text()
                if int(stat.rpartition(")")[2].split()[1]) == parent:
                    children.append(int(entry))
    return children


def own_root(folder: str, python: list[str], disk_mb: int) -> None:
    """Make a root of the system, Python and the working copy; the rest of the machine is gone from sight."""
    root = Path(folder).with_name("root")
    call("mount", "none", "/", None, MS_REC | MS_PRIVATE, None)
    call("mount", "tmpfs", str(root), "tmpfs", MS_NOSUID | MS_NODEV, b"mode=755,size=1m")
    for path in dict.fromkeys([*SYSTEM, *python]):
        show(path, root)
    for device in DEVICES:
        bind(device, root / device[1:], file=True)
    for name in ("proc", "tmp", "old"):
        (root / name).mkdir(exist_ok=True)
    call("mount", "proc", str(root / "proc"), "proc", MS_NOSUID | MS_NODEV, None)
    copy = root / folder.lstrip("/")
    copy.mkdir(parents=True, exist_ok=True)
    call("mount", "tmpfs", str(copy), "tmpfs", MS_NOSUID | MS_NODEV, f"mode=700,size={disk_mb}m")
    shutil.copytree(folder, copy, dirs_exist_ok=True, symlinks=True)
    os.chdir(root)
    if libc.pivot_root(b".", b"old") == -1:
        raise OSError(0, f"pivot_root: {os.strerror(ctypes.get_errno())}")
    os.chdir("/")
    call("umount2", "/old", MNT_DETACH)
    os.rmdir("/old")
    call("mount", "none", "/", None, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, None)


def show(path: str, root: Path) -> None:
    """Bind `path` read-only into `root`; a link of the system (/lib → usr/lib) stays a link."""
    if os.path.islink(path):
        link = root / path.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(os.readlink(path))
    elif os.path.isdir(path) and not (root / path.lstrip("/")).exists():
        bind(path, root / path.lstrip("/"))


def bind(source: str, target: Path, file: bool = False) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch() if file else target.mkdir(exist_ok=True)
    call("mount", source, str(target), None, MS_BIND | MS_REC, None)
    if not file:
        kept = os.statvfs(target).f_flag & (os.ST_NODEV | os.ST_NOEXEC | os.ST_NOATIME | os.ST_RELATIME)
        flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID
        flags |= MS_NODEV if kept & os.ST_NODEV else 0
        flags |= 8 if kept & os.ST_NOEXEC else 0
        call("mount", "none", str(target), None, flags, None)


def drop_privileges() -> None:
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == -1:
            break  # past the last one that this kernel knows, or not allowed to: capset below still holds
    header = CapabilityHeader(0x20080522, 0)  # version 3: two blocks of three words
    call("capset", ctypes.byref(header), (ctypes.c_uint32 * 6)())
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
