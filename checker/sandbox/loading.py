"""Child side: let weights be loaded that were saved on another machine, or for an older torch.

A file saved on a GPU asks for that GPU again; and since version 2.6 torch.load refuses what is more than tensors
unless it is told otherwise. A submission that says neither was right on the machine that it was written on, so
both are seen to here, where nothing of it can do harm, and noted.
"""

import functools

import torch
from recorder import note

ON_A_GPU = "loading: weights that were saved on a GPU are mapped to the processor: torch.load(…, map_location=device)"
OBJECTS = "loading: the file holds more than tensors: torch.load(…, weights_only=False)"


def install() -> None:
    """Put a torch.load in place that fills in what a call leaves out."""
    original = torch.load

    def to_what_is_there(storage, location: str):
        if location.startswith("cuda") and not torch.cuda.is_available():
            note(ON_A_GPU)
        return storage if not torch.cuda.is_available() else None

    @functools.wraps(original)
    def load(file, map_location=None, *args, **kwargs):
        location = to_what_is_there if map_location is None else map_location
        try:
            return original(file, location, *args, **kwargs)
        except Exception as error:
            if "weights_only" in kwargs or "weights_only" not in str(error).lower():
                raise
            if hasattr(file, "seek"):
                file.seek(0)
            note(OBJECTS)
            return original(file, location, *args, **kwargs, weights_only=False)

    torch.load = torch.serialization.load = load
