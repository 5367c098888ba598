"""The plain functions that a submission defines, in its modules and in its classes."""

import contextlib
import inspect
import types

from .methods import of_class


def squashed(name: str) -> str:
    return name.lower().replace("_", "")


def of_submission(classes) -> dict[str, types.FunctionType]:
    """The functions that a submission defines, those of model.py first, then those that stand in classes without an
    object of their own.
    """
    found = {}
    for holder in (*classes.modules, *classes.own):
        for name, value in list(vars(holder).items()):
            function = value.__func__ if isinstance(value, staticmethod) else value
            is_free = isinstance(value, staticmethod) or not isinstance(holder, type)
            if is_free and inspect.isfunction(function) and classes.is_own(function):
                found.setdefault(name, function)
    return found


def of_model(classes) -> dict[str, types.MethodType]:
    """The methods of a Model."""
    with contextlib.suppress(Exception):
        model = classes.exported["Model"]()
        return {name: method for name in of_class(type(model)) if inspect.ismethod(method := getattr(model, name))}
    return {}
