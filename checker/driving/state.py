"""What a submission keeps outside its objects, such as a tape that all modules share: as it was, to go back to.

The driver tries much that a submission's author never would, a forward pass without a backward for instance, and what
that leaves on a shared tape would be walked by the next backward.
"""

import contextlib

from .leaves import PLAIN

CONTAINERS = list, dict, set


class State:
    """The contents of lists, dictionaries and sets, and the values, in the submission's Python modules, in its
    classes (`own` says which are), and in objects of these that a module holds.
    """

    def __init__(self, modules: list, own):
        self.containers, self.values = [], []
        self.added = None  # what came in between here and end()
        for holder in holders(modules, own):
            for name, value in list(vars(holder).items()):
                if name.startswith("__"):
                    continue
                if isinstance(value, CONTAINERS):
                    self.containers.append((holder, name, value, value.copy()))
                elif isinstance(value, PLAIN) and not isinstance(value, type):
                    self.values.append((holder, name, value))

    def end(self) -> None:
        """What comes in after this stays when what came in before it is taken out."""
        self.added = [[id(item) for item in since(*container)] for container in self.containers]

    def put_back(self) -> None:
        for i, (holder, name, then, before) in enumerate(self.containers):
            kept = () if self.added is None else self.added[i]
            later = [item for item in since(holder, name, then, before) if self.added and id(item) not in kept]
            refill(then, [*items(before), *later])
            if vars(holder).get(name) is not then:
                setattr(holder, name, then)
        for holder, name, value in self.values:
            if vars(holder).get(name) is not value:
                setattr(holder, name, value)


class Contents:
    """The attributes of one object, and what lies in the lists, dictionaries and sets among them."""

    def __init__(self, holder):
        self.holder, self.values = holder, dict(getattr(holder, "__dict__", {}))
        self.containers = [(one, one.copy()) for one in self.values.values() if isinstance(one, CONTAINERS)]

    def put_back(self) -> None:
        if self.values:
            refill(vars(self.holder), self.values)
        for now, before in self.containers:
            refill(now, items(before))


def holders(modules: list, own) -> list:
    found = {id(module): module for module in modules}
    for module in modules:
        for value in list(vars(module).values()):
            kind = value if isinstance(value, type) else type(value)
            if own(kind) and hasattr(value, "__dict__"):
                found[id(value)] = value
    return list(found.values())


def since(holder, name: str, then, before) -> list:
    """What a container holds besides what it held `before`: all of it, where another one is in its place now."""
    now = vars(holder).get(name)
    if now is not then and type(now) is type(then):
        return items(now)
    return items(then)[len(before) :]


def items(container) -> list:
    return list(container.items() if isinstance(container, dict) else container)


def refill(container, contents: list) -> None:
    container.clear()
    container.extend(contents) if isinstance(container, list) else container.update(contents)


def without_a_trace(classes, search):
    """What `search(classes)` finds; what it did to the submission's objects, such as a tape, is undone."""
    before = State(classes.modules, classes.is_own)
    try:
        return search(classes)
    finally:
        before.put_back()


@contextlib.contextmanager
def as_imported(classes):
    """For a while all is as it was when the submission was imported: nothing is left of what was tried on its
    modules, such as a tape with entries that no backward of the author's would have left there.
    """
    now = State(classes.modules, classes.is_own)
    classes.fresh.put_back()
    try:
        yield
    finally:
        now.put_back()
