"""The checks, in the order of grading: importing this package registers them."""

from . import structure, rules, api, modules, optimiser, autograd, psnr, training, runtime  # noqa: F401, I001
