"""How a real submission is made to run: which of its classes is which, how they are built, how gradients are had.

Lives in the submission's process (the worker loads it), knows no reference value and judges nothing: it finds the
manner in which the submission's own author would use a module, and offers every module under one interface.
"""
