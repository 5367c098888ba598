"""The configuration: the defaults of config.toml, with a file of one's own laid over them."""

import difflib
import tomllib
from collections.abc import Collection
from pathlib import Path

DEFAULTS = Path(__file__).with_name("config.toml")
VISIBILITIES = "visible", "hidden", "after_due_date", "after_published"


class ConfigError(ValueError):
    """What is wrong with a configuration file, in one sentence."""


def load(path: Path | None = None) -> dict:
    """The defaults, with the values of the file at `path` in place of theirs. Raises ConfigError."""
    config = tomllib.loads(DEFAULTS.read_text(encoding="utf-8"))
    if path is not None:
        try:
            overlay(config, tomllib.loads(Path(path).read_text(encoding="utf-8")))
            check_names(config)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    return config


def overlay(config: dict, own: dict, where: str = "") -> None:
    for key, value in own.items():
        name = f"{where}{key}"
        if where == "visibility.":
            config[key] = value  # whatever it is: check_names says what is wrong with it
            continue
        if key not in config:
            raise ConfigError(unknown(name, key, config))
        default = config[key]
        numbers = isinstance(value, int | float) and isinstance(default, int | float)
        if not (numbers or type(value) is type(default)):
            raise ConfigError(f"{name} should be like {default!r}, not {value!r}")
        if isinstance(value, dict):
            overlay(default, value, f"{name}.")
        else:
            config[key] = value


def check_names(config: dict) -> None:
    """ConfigError if [kinds] or [visibility] name a check that there is none of: every check has points."""
    groups = config["points"]
    checks = [f"{group}.{name}" for group, names in groups.items() for name in names]
    theirs = f"a check of theirs, such as {checks[0]}"
    for kind, names in config["kinds"].items():
        for name in map(str, names):
            if name not in checks and name not in groups:
                raise ConfigError(unknown(f"kinds.{kind}: {name!r}", name, checks, [*groups, theirs]))
    for name, value in config["visibility"].items():
        if isinstance(value, dict):  # TOML takes the dot of a name without quotes for a table
            raise ConfigError(f"visibility: write the name in quotes, such as '{name}.{next(iter(value), '')}'")
        if name not in checks:
            raise ConfigError(unknown(f"visibility: {name!r}", name, checks, [f"a check, such as {checks[0]}"]))
        if value not in VISIBILITIES:
            raise ConfigError(f"visibility: {name} should be one of {', '.join(VISIBILITIES)}, not {value!r}")


def unknown(what: str, name: str, known: Collection[str], expected: Collection[str] = ()) -> str:
    """What is said of a name that is not known: the one that was probably meant, or what there is."""
    close = [one for one in known if one.endswith(f".{name}")] or difflib.get_close_matches(name, known, 1)
    if close:
        return f"{what} is not known; did you mean {close[0]}?"
    return f"{what} is not known; expected one of {', '.join(expected or known)}"
