"""What a submission keeps outside its objects, such as a tape that all modules share: as it was, to go back to.

The driver tries much that a submission's author never would, a forward pass without a backward for instance, and what
that leaves on a shared tape would be walked by the next backward.
"""

from collections.abc import Callable

from .leaves import PLAIN

CONTAINERS = list, dict, set


def remembered(modules: list, own: Callable[[type], bool]) -> Callable[[], None]:
    """A function that puts back what there is now in the submission's Python modules, in its classes (`own` says
    which are), and in objects of these that a module holds: the contents of lists, dictionaries and sets, and values.
    """
    saved = []
    for holder in holders(modules, own):
        for name, value in list(vars(holder).items()):
            if isinstance(value, CONTAINERS) and not name.startswith("__"):
                saved.append((holder, name, value, value.copy()))
            elif isinstance(value, PLAIN) and not isinstance(value, type) and not name.startswith("__"):
                saved.append((holder, name, value, None))

    def put_back() -> None:
        for holder, name, value, contents in saved:
            if contents is not None:
                refill(value, contents)
            if vars(holder).get(name) is not value:
                setattr(holder, name, value)

    return put_back


def holders(modules: list, own: Callable[[type], bool]) -> list:
    found = {id(module): module for module in modules}
    for module in modules:
        for value in list(vars(module).values()):
            kind = value if isinstance(value, type) else type(value)
            if own(kind) and hasattr(value, "__dict__"):
                found[id(value)] = value
    return list(found.values())


def refill(container, contents) -> None:
    container.clear()
    container.extend(contents) if isinstance(container, list) else container.update(contents)
