"""The sum of the gradients over all processes, sent while the backward pass is still under way."""

import torch.distributed as dist

from Proj_2.others.training import Alone

from .team import or_lost

BUCKET = 2**20  # bytes that a message has at least: of smaller ones the delays would count, of larger ones fewer are
# on their way before the backward pass ends


class Buckets(Alone):
    """What `Training` asks of the processes that share its batches.

    The gradients of the network lie side by side in a few buckets, tensors in the order in which the backward pass
    completes them, so that nothing is copied. A bucket is sent as soon as the last module with a part in it has
    announced its gradients. All processes send the buckets in one order, which is what `all_reduce` needs. The last
    bucket, complete only when the backward pass is over, takes the loss along.
    """

    def __init__(self, network, team, smallest=BUCKET):
        self.part = team.part
        modules = [module for module in network.leaves()[::-1] if module.param()]
        self.buckets, self.bucket_of, group = [], {}, []
        for module in modules:
            module.on_gradients = self._announced
            self.bucket_of[module] = len(self.buckets)
            group += module.param()
            if sum(gradient.nbytes for _, gradient in group) >= smallest and module is not modules[-1]:
                self.buckets.append(_side_by_side(group))
                group = []
        self.buckets.append(_side_by_side(group, more=1))
        self.loss = self.buckets[-1][-1]
        self._begin()

    def _begin(self):
        self.waiting, self.sent = None, []  # modules that have yet to announce their gradients; what is on its way

    def completing(self):
        self.waiting = set(self.bucket_of)

    def _announced(self, module):
        if self.waiting is None:  # parts of the batch are still to come
            return
        self.waiting.discard(module)
        least = min((self.bucket_of[other] for other in self.waiting), default=len(self.buckets))
        self._send(min(least, len(self.buckets) - 1))

    def _send(self, count):
        """Send the buckets up to number `count` that have not been sent."""
        with or_lost():
            for bucket in self.buckets[len(self.sent) : count]:
                self.sent.append(dist.all_reduce(bucket, async_op=True))

    def total(self, loss):
        self.loss.copy_(loss)
        self._send(len(self.buckets))  # more than the last one if this process had no pairs
        with or_lost():
            for message in self.sent:
                message.wait()
        self._begin()
        return self.loss.clone()


def _side_by_side(params, more=0):
    """Move the gradients of `params`, pairs of a parameter and its gradient, into one tensor with room for `more`
    numbers at its end; returns the tensor.
    """
    sizes = [gradient.numel() for _, gradient in params]
    bucket = params[0][1].new_zeros(sum(sizes) + more)
    for (_, gradient), memory in zip(params, bucket[: sum(sizes)].split(sizes), strict=True):
        gradient.data = memory.as_strided(gradient.shape, gradient.stride())
    return bucket
