"""Which of a submission's classes plays which graded role: by its name, spelt as submissions spell it."""

import inspect
import re
import sys
import types

from .state import State

ROLES = "Conv2d", "TransposeConv2d", "NearestUpsampling", "Upsampling", "ReLU", "Sigmoid", "Sequential", "MSE", "SGD"
PATTERNS = {
    "Conv2d": r"(conv(olution)?(al)?|faltung|convoluci[oó]n)(2d?)?",
    "TransposeConv2d": r"(transposed?|trans|t|de|inverse|fractional)conv(olution)?(al)?(2d?)?"
    r"|conv(olution)?(al)?(2d?)?(transpos(ed?|[eé]e)|trans|t)(2d?)?|transponiertefaltung|entfaltung",
    "NearestUpsampling": r"(nearest(neighbou?rs?)?|nn)(2d)?upsampl(ing|e|er)(2d)?"
    r"|upsampl(ing|e|er)(2d)?(nearest(neighbou?rs?)?|nn)(2d)?|nearest(neighbou?rs?)?(2d)?",
    "Upsampling": r"upsampl(ing|e|er)(2d)?|up(scal(e|ing)|conv(olution)?)(2d)?"
    r"|(nearest)?(upsampl(ing|e|er)|upscale|resize)(and|with)?conv(olution)?(2d)?|conv(olution)?(2d)?upsampl(ing|e|er)(2d)?"
    r"|nearest(neighbou?rs?)?conv(olution)?(2d)?",
    "ReLU": r"relu|rectifiedlinear(unit)?",
    "Sigmoid": r"sigmoide?|logistic",
    "Sequential": r"seq(uential|uentiel|uenz)?|sequentialnet(work)?|(neural)?net(work)?|container|layers"
    r"|netz(werk)?|r[eé]seau",
    "MSE": r"mse|meansquared?(errors?)?|l2|quadratic|squarederror|eqm|ecm|erreurquadratique(moyenne)?"
    r"|(mittlerer)?quadratischerfehler",
    "SGD": r"sgd|(stochastic)?gradientdescent|optim|optimi[sz]er|descente(de)?gradient"
    r"|gradientenabstieg|sgdoptim(i[sz]er)?|optim(i[sz]er)?sgd",
}
ONLY_ONES = {
    "MSE": re.compile(r"loss|criterion|cost", re.IGNORECASE),
    "SGD": re.compile(r"sgd|optim|descent|adam|rms_?prop|ada_?grad|momentum|nesterov", re.IGNORECASE),
}
TRIMMED = re.compile(
    r"^(my|own|our|custom|module|layer|loss|act(ivation)?)|(layer|module|loss|criterion|activation|2)$"
)


def normalised(name: str) -> str:
    return name.lower().replace("_", "")


def fits(name: str, role: str) -> bool:
    """Whether a class of this name may be meant to play this role."""
    spelt = normalised(name)
    pattern = PATTERNS[role]
    return any(
        re.fullmatch(pattern, form) for form in (spelt, TRIMMED.sub("", spelt), TRIMMED.sub("", spelt + " ")[:-1])
    )


class Classes:
    """The classes that a submission defines, those of model.py first."""

    def __init__(self, module: types.ModuleType, folder: str):
        self.folder = folder
        self.exported = {name: value for name, value in vars(module).items() if inspect.isclass(value)}
        self.all = dict(self.exported)
        self.modules = [m for m in list(sys.modules.values()) if self.is_within(m)]
        for other in self.modules:
            for name, value in list(vars(other).items()):
                if inspect.isclass(value):
                    self.all.setdefault(name, value)
        for holder in [kind for kind in self.all.values() if self.is_own(kind)]:  # a class may be a namespace
            for name, value in list(vars(holder).items()):
                if inspect.isclass(value) and not name.startswith("__"):
                    self.all.setdefault(name, value)
        self.own = [value for value in dict.fromkeys(self.all.values()) if self.is_own(value)]
        self.fresh = State(self.modules, self.is_own)  # as it was imported

    def is_own(self, kind: type) -> bool:
        """Whether the submission defines this class, rather than importing it from elsewhere."""
        return self.is_within(sys.modules.get(kind.__module__))

    def is_within(self, module) -> bool:
        return str(getattr(module, "__file__", None) or "").startswith(self.folder)

    def of_role(self, role: str) -> tuple[str, type] | None:
        """(name, class) of what plays `role`; None if there is nothing of a fitting name."""
        if role in self.exported:
            return role, self.exported[role]
        for among in (self.exported, self.all):
            fitting = [(name, kind) for name, kind in among.items() if self.is_own(kind) and fits(name, role)]
            if exact := [pair for pair in fitting if normalised(pair[0]) == normalised(role)]:
                return exact[0]
            concrete = [pair for pair in fitting if not any(pair[1] in other.__mro__[1:] for other in self.own)]
            if fitting:
                return (concrete or fitting)[0]
        return self.only_one_for(role) if role in ONLY_ONES else None

    def only_one_for(self, role: str) -> tuple[str, type] | None:
        """The class that stands for a role by its name's kind alone, such as Loss, where no other does."""
        found = [
            (name, kind) for name, kind in self.all.items() if self.is_own(kind) and ONLY_ONES[role].search(name)
        ]
        found = [pair for pair in found if not any(pair[1] in other.__mro__[1:] for other in self.own)]
        return found[0] if len(found) == 1 else None
