"""Lists that grow with every call that asks for them: what one call adds. The author asks once, the driver often."""


def copied(value):
    """The lists in `value` as they are now; what else lies in them is shared."""
    if type(value) in (list, tuple):
        return type(value)(map(copied, value))
    return {key: copied(item) for key, item in value.items()} if type(value) is dict else value


def added(first, second):
    """What the second call adds to a list that grows with each call, whole or in one of its parts; one that does not
    grow, as it is.
    """
    if type(second) is not type(first) or type(second) not in (list, tuple, dict):
        return second
    if isinstance(second, dict):
        parts = {key: added(first[key], item) if key in first else item for key, item in second.items()}
        return parts if any(parts[key] is not item for key, item in second.items()) else second
    if len(second) > len(first) > 0:
        return second[len(first) :]
    parts = [added(a, b) for a, b in zip(first, second, strict=False)]
    grown = len(first) == len(second) and any(a is not b for a, b in zip(parts, second, strict=True))
    return type(second)(parts) if grown else second
