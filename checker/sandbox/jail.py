"""Child side: lock this process in before anything of the submission is loaded, and say what was achieved.

Linux only, through libc itself, so that no tool has to be installed. Each measure is tried on its own and each is
optional: on a machine that refuses one, the report says so. In order:

- namespaces for users, mounts, processes, network and IPC: no network, and processes that die with their first one;
- a root file system of its own: the system and Python read-only, the working copy writable, nothing else at all;
- another user (nobody), where the grader runs as root: the kernel exempts root from the limit on processes;
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
INSIDE = 1000  # what nobody, or the grader's user, is called in the namespace
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


def enter(folder: str, limits: dict, status: int) -> dict[str, str]:
    """Lock this process in; returns, in the innermost process, measure → "enforced" or why it is not.

    `folder` is the working copy. The process that called stays behind as a keeper: it waits for the innermost one,
    ends everything that this one leaves behind, and writes its exit status to the descriptor `status`.
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

    python, was_root = python_folders(), os.geteuid() == 0
    with measure("namespaces"):
        new_namespaces()
    isolated = report["namespaces"] == "enforced"
    become_keeper(status)
    # from here on: another process, the first one in its namespace
    if isolated:
        become_keeper()  # the first one is deaf to most signals: let the submission be the second
        with measure("own file system"):
            own_root(folder, python, limits["disk_mb"])
    else:
        report["own file system"] = "not available (needs namespaces)"
    report["no network"] = report["namespaces"]
    os.chdir(folder)
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
    with measure("another user"):
        become_nobody(folder, python, INSIDE if isolated else NOBODY)
    if was_root and report["another user"] != "enforced":
        report["processes"] = "not available (the kernel ignores it for root)"
    with measure("no privileges"):
        drop_privileges()
    return report


def python_folders() -> list[str]:
    """The folders that Python and its packages are read from, outermost only."""
    paths = [sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.realpath(sys.executable)]
    paths += [*sysconfig.get_paths().values(), *(p for p in sys.path if p)]
    folders = {str(p if p.is_dir() else p.parent) for p in map(Path, paths) if p.exists()}
    folders |= {os.path.realpath(f) for f in folders}
    return sorted(f for f in folders if not any(str(p) in folders for p in Path(f).parents))


def new_namespaces() -> None:
    """Leave the machine's namespaces. Root also gets a second user to become, for which a process outside vouches."""
    user, group, me = os.geteuid(), os.getegid(), os.getpid()
    read, write = os.pipe()
    helper = os.fork() if user == 0 else None
    if helper == 0:
        os.close(write)
        os._exit(map_users(me) if os.read(read, 1) else 1)
    try:
        os.close(read)
        call("unshare", CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)
        if helper:
            os.write(write, b".")
    finally:
        os.close(write)
        mapped = helper and os.waitstatus_to_exitcode(os.waitpid(helper, 0)[1]) == 0
    if not mapped:
        inside = INSIDE if user else 0
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{inside} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{inside} {group} 1")


def map_users(pid: int) -> int:
    """Root stays root, for setting up, and nobody is there too; returns an exit status."""
    try:
        for kind in ("uid_map", "gid_map"):
            Path(f"/proc/{pid}/{kind}").write_text(f"0 0 1\n{INSIDE} {NOBODY} 1\n")
    except OSError:
        return 1
    return 0


def become_nobody(folder: str, python: list[str], nobody: int) -> None:
    """Give up root for good, unless the other user could not read Python."""
    if os.geteuid() != 0:
        raise OSError(0, "the grader is not root, and can only be itself")
    os.setgroups([])
    os.setegid(nobody)
    os.seteuid(nobody)
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
            os.chown(os.path.join(path, name), nobody, nobody, follow_symlinks=False)
    os.setresgid(nobody, nobody, nobody)
    os.setresuid(nobody, nobody, nobody)
    call("prctl", PR_SET_DUMPABLE, 1, 0, 0, 0)  # else /proc/self belongs to root
    call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # forgotten when the user changes


def become_keeper(status: int | None = None) -> None:
    """Fork; the caller waits for the new process and cleans up after it, and only the new one returns."""
    adopt_orphans()
    call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # a killed grader leaves nothing behind either
    keeper = os.getpid()
    inner = os.fork()
    if inner == 0:
        call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() not in (keeper, 0):  # 0: the keeper is outside this process namespace
            os._exit(1)
        return
    for descriptor in range(64):  # the pipes are the inner one's alone: their end is its end
        if descriptor != status:
            with contextlib.suppress(OSError):
                os.close(descriptor)
    ending = os.waitstatus_to_exitcode(wait_for(inner))
    code = ending if ending >= 0 else 128 - ending  # as a shell reports a signal
    for pid in children_of(keeper):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if status is not None:
        os.write(status, f"{code}\n".encode())
    os._exit(code)


def adopt_orphans() -> None:
    """Be the parent of every process below whose own parent ends."""
    call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


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
