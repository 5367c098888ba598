"""What a check is worth, by the settings: its points, what it is about, who may see it."""

from .results import REQUIRED, VISIBLE


def points_for(check: str, settings: dict, default: float = 1) -> float:
    """What a check (group.name) is worth at most; `default` where the settings name no points."""
    group, _, name = check.partition(".")
    return settings["points"].get(group, {}).get(name, default)


def kind_of(check: str, settings: dict) -> str:
    """What the configuration says that a check, or its group, is about."""
    for kind, names in settings["kinds"].items():
        if check in names or check.partition(".")[0] in names:
            return kind
    return REQUIRED


def visibility_of(check: str, settings: dict) -> str:
    return settings["visibility"].get(check, VISIBLE)


def earned(points: float, share: float) -> float:
    """Points for the share that is right: all of them, or to a tenth."""
    return points if share == 1 else round(points * share, 1)
