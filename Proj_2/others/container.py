"""Modules one after the other."""

from .module import Module


class Sequential(Module):
    """Apply `modules` in order. Keys of the state, indexing and `append` are those of `torch.nn.Sequential`."""

    def __init__(self, *modules):
        self.modules = []
        for module in modules:
            self.append(module)

    @property
    def in_place(self):
        """As its first and its last module are; and empty, it returns its argument."""
        return not self.modules or self.modules[0].in_place or self.modules[-1].in_place

    def append(self, module):
        """Add `module` at the end; returns the network."""
        if not isinstance(module, Module):
            raise TypeError(f"Sequential takes modules, not {type(module).__name__}")
        self.modules.append(module)
        return self

    appendLayer = append  # the source paper's name

    def __getitem__(self, index):
        return Sequential(*self.modules[index]) if isinstance(index, slice) else self.modules[index]

    def __len__(self):
        return len(self.modules)

    def __iter__(self):
        return iter(self.modules)

    def forward(self, x, scratch=False):
        y = x if scratch or self.modules else x.clone()
        for module, inner in self._chain(self.modules, scratch):
            y = module.forward(y, scratch=inner)
        return y

    def backward(self, grad_y, scratch=False):
        grad = grad_y if scratch or self.modules else grad_y.clone()
        for module, inner in self._chain(self.modules[::-1], scratch):
            grad = module.backward(grad, scratch=inner)
        return grad

    def accumulate(self, grad_y):
        for module in self.modules[:0:-1]:
            grad_y = module.backward(grad_y, scratch=True)
        if self.modules:
            self.modules[0].accumulate(grad_y)

    @staticmethod
    def _chain(modules, scratch):
        """Each module with whether it may use its argument and its kept memory.

        Unless the network itself may, the first must leave the caller's tensor alone and the last must return
        memory of the caller's own. And none may work in place on what the one before it has saved.
        """
        last = len(modules) - 1
        for i, module in enumerate(modules):
            saved = i > 0 and module.in_place and modules[i - 1].in_place
            yield module, not saved and (scratch or (i < last and (i > 0 or not module.in_place)))

    def leaves(self):
        return [leaf for module in self.modules for leaf in module.leaves()]

    def named_param(self):
        return {
            f"{i}.{name}": pair
            for i, module in enumerate(self.modules)
            for name, pair in module.named_param().items()
        }
