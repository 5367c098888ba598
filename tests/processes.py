"""Processes that meet as those of torchrun do, but start in no time: copies of one that has imported torch."""

import multiprocessing
import os
import socket
import sys
from pathlib import Path

import torch

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["torch", "train"])


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return listener.getsockname()[1]


def together(folder: Path, call, *arguments_of_each: tuple, port: int | None = None) -> list[tuple[int, str]]:
    """Run `call(*arguments)` in as many processes as there are tuples of arguments; returns the exit status of each,
    which is what `call` returns, and what it said.
    """
    port, size = port or free_port(), len(arguments_of_each)
    said = [folder / f"process {rank} of {size} said.txt" for rank in range(size)]
    processes = [
        context.Process(target=_run, args=(rank, size, port, said[rank], call, arguments))
        for rank, arguments in enumerate(arguments_of_each)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        process.kill()
        process.join()
    return [(process.exitcode, path.read_text()) for process, path in zip(processes, said, strict=True)]


def _run(rank, size, port, said, call, arguments):
    with open(said, "w") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    meeting = {"RANK": rank, "WORLD_SIZE": size, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": size}
    os.environ |= {name: str(value) for name, value in meeting.items()}
    os.environ |= {"MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    sys.exit(call(*arguments))
