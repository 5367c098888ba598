"""Where a module is right and where not: the property of cases that tells them apart, as a question."""

WINDOWS = {"stride": 1, "padding": 0, "dilation": 1}


def rest(case) -> bool:
    """Whether a stride leaves rows or columns over, where the kernel covers as many as its dilation makes it."""
    k, s, p, d = pair(case.args[2]), *(pair(case.option(name, usual)) for name, usual in WINDOWS.items())
    return any((n + 2 * p[i] - d[i] * (k[i] - 1) - 1) % s[i] for i, n in enumerate(case.shape[2:]))


def pair(value) -> tuple:
    return value if isinstance(value, tuple) else (value, value)


def is_convolution(case) -> bool:
    return len(case.args) == 3


def symmetric(case) -> bool:
    """Whether the padding is (k − 1)/2, which keeps the size at stride 1 if k is odd."""
    return all(p == (k - 1) // 2 for p, k in zip(pair(case.option("padding", 0)), pair(case.args[2]), strict=True))


PATTERNS = (  # (cases, question, whether a case is one of them)
    ("a batch of 1", "are the pictures of a batch kept apart?", lambda c: c.shape[0] == 1),
    ("square pictures", "are height and width told apart?", lambda c: c.shape[2] == c.shape[3]),
    ("stride 1", "where does the stride enter?", lambda c: is_convolution(c) and c.option("stride", 1) == 1),
    ("strides that leave no rest", "is the size rounded down?", lambda c: is_convolution(c) and not rest(c)),
    (
        "padding (k − 1)/2",
        "where does the padding enter the size?",
        lambda c: is_convolution(c) and symmetric(c),
    ),
    ("padding 0", "where does the padding enter?", lambda c: is_convolution(c) and not c.option("padding", 0)),
    (
        "stride equal to the kernel size",
        "do overlapping windows add up?",
        lambda c: is_convolution(c) and c.option("stride", 1) == c.args[2],
    ),
    (
        "dilation 1",
        "where does the dilation enter?",
        lambda c: is_convolution(c) and c.option("dilation", 1) == 1,
    ),
    ("a 1×1 kernel", "where does the kernel's size enter?", lambda c: is_convolution(c) and c.args[2] == 1),
    (
        "square kernels",
        "is a pair of sizes taken apart?",
        lambda c: is_convolution(c) and len({*pair(c.args[2])}) == 1,
    ),
    (
        "factor 2",
        "is a 2 written where the factor is meant?",
        lambda c: c.module == "NearestUpsampling" and 2 in (*c.args, c.option("scale_factor", 0)),
    ),
)


def pattern(right: list, wrong: list) -> str:
    """The property that holds for all cases that are right and for none that is wrong, or the other way round, as
    a sentence.
    """
    for name, question, holds in PATTERNS:
        if right and all(map(holds, right)) and not any(map(holds, wrong)):
            return f"It is right only for {name}: {question}"
    for name, question, holds in PATTERNS:
        if right and all(map(holds, wrong)) and not any(map(holds, right)):
            return f"It is wrong only for {name}: {question}"
    return ""
