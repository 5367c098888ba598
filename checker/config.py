"""The configuration: the defaults of config.toml, with a file of one's own laid over them."""

import tomllib
from pathlib import Path

DEFAULTS = Path(__file__).with_name("config.toml")


class ConfigError(ValueError):
    """What is wrong with a configuration file, in one sentence."""


def load(path: Path | None = None) -> dict:
    """The defaults, with the values of the file at `path` in place of theirs. Raises ConfigError."""
    config = tomllib.loads(DEFAULTS.read_text(encoding="utf-8"))
    if path is not None:
        try:
            overlay(config, tomllib.loads(Path(path).read_text(encoding="utf-8")), Path(path).name)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: {error}") from error
    return config


def overlay(config: dict, own: dict, where: str) -> None:
    for key, value in own.items():
        if key not in config and not where.endswith("visibility"):
            raise ConfigError(f"{where}.{key} is not known; expected one of {', '.join(config)}")
        default = config.get(key, "")
        numbers = isinstance(value, int | float) and isinstance(default, int | float)
        if not (numbers or type(value) is type(default)):
            raise ConfigError(f"{where}.{key} should be like {default!r}, not {value!r}")
        if isinstance(value, dict):
            overlay(default, value, f"{where}.{key}")
        else:
            config[key] = value
