"""Training: mini-batches of noisy pairs, Adam or Muon, and a learning rate that rises and falls."""

from functools import partial
from math import cos, pi
from random import Random
from time import perf_counter

from torch import arange

from .buffers import Buffers
from .loss import L0, MSE
from .muon import Muon
from .optim import Adam, Average, clip_grad_norm
from .patches import channel_first, channel_last, copy_channel_last

AT_ONCE = 128  # pairs that go through the network together: more would only leave the processor's cache


def one_cycle(progress, peak, warmup=0.15):
    """The learning rate when the part `progress` (0–1) of the training is done: a linear rise from a tenth of
    `peak`, then half a cosine down to zero (L. Smith and N. Topin, arXiv 1708.07120).
    """
    if progress < warmup:
        return peak * (0.1 + 0.9 * progress / warmup)
    return peak * 0.5 * (1 + cos(pi * (progress - warmup) / (1 - warmup)))


def trapezoid(progress, peak, warmup, decay):
    """The same for a training that may be extended or branched: a linear rise from a tenth of `peak` in the first
    part `warmup`, then `peak`, and a linear fall to zero in the last part `decay`, which may be 0 (A. Hägele et al.,
    arXiv 2405.18392).
    """
    rise = 0.1 + 0.9 * progress / warmup if progress < warmup else 1
    fall = (1 - progress) / decay if progress > 1 - decay else 1
    return peak * min(rise, fall)


class Alone:
    """What a training asks of the processes that share its batches with it; here there is but one."""

    def part(self, size):
        """Which pairs of a batch of `size` this process takes, a slice."""
        return slice(0, size)

    def completing(self):
        """From now on, what a module adds to its gradients completes them, in this step and process."""

    def total(self, loss):
        """The loss, added up over the processes, as all gradients are then."""
        return loss


class Training:
    """A training run: `num_epochs` epochs over `num_pairs` noisy pairs each, a step for every mini-batch.

    Each batch sees its pictures in one of their eight orientations, and either of a pair's two pictures is the
    input and the other the target: both are noisy versions of one clean picture, so the squared error has the
    clean picture as its minimiser all the same (J. Lehtinen et al., Noise2Noise, arXiv 1803.04189).

    `loss` is the module that takes the place of the squared error, `schedule` the function (progress, peak) ->
    learning rate. `clip`, if any, bounds the norm of each step's gradients; `average`, if any, is the decay of an
    average of the weights, which the attribute of that name keeps. `beta2` is Adam's memory of the gradients' size;
    with `muon`, the weights between hidden channels take Muon's steps instead.
    `team` stands for the other processes, if any, that do the same on other parts of every batch; the weights then
    stay equal in all.
    `exchange`: whether the second picture of a pair may be the input; not where it is less noisy than the first.
    `seconds`, if any, is the most that an epoch may take: where a processor is too slow for all pairs, the schedule
    follows the clock, and the attribute `skipped` counts the steps that were left out.

    With `mixed`, the network computes in bfloat16, while the parameters, the sums of their gradients, the
    optimiser and the loss stay in the parameters' own type (P. Micikevicius et al., arXiv 1710.03740).
    """

    def __init__(
        self,
        network,
        num_epochs,
        num_pairs,
        peak_lr=3e-3,
        batch_size=100,
        seed=0,
        mixed=False,
        loss=None,
        schedule=one_cycle,
        clip=None,
        average=None,
        beta2=0.999,
        muon=False,
        team=None,
        seconds=None,
        exchange=True,
    ):
        self.network, self.loss, self.team = network, loss or MSE(), team or Alone()
        self.mixed, self.schedule, self.clip = mixed, schedule, clip
        self.average = average and Average(network.state_dict(), average)
        self.like = network.param()[0][0].new_empty(0)  # of the type and on the device of the parameters
        self.compute_like = self.like.bfloat16() if mixed else self.like  # and of what the network computes in
        optimizer = partial(Muon, mixed=mixed) if muon else Adam
        self.optimizer = optimizer(network.param(), betas=(0.9, beta2))
        self.peak_lr, self.batch_size, self.seed = peak_lr, batch_size, seed
        self.steps_per_epoch = -(-num_pairs // batch_size)
        self.steps = num_epochs * self.steps_per_epoch
        self.seconds, self.skipped, self.exchange = seconds, 0, exchange
        self.buffers = Buffers()

    def epoch(self, noisy_in, noisy_out):
        """Train on every pair once, two tensors N×3×H×W with values 0–255; yields the loss, on values 0–1, of
        every step.
        """
        start, skipped = perf_counter(), self.skipped
        random = Random(self.seed * 1_000_003 + self.optimizer.steps)  # the same for a run that was resumed here
        order = list(range(len(noisy_in)))
        random.shuffle(order)
        order = arange(len(order), device=noisy_in.device).new_tensor(order)
        for number, batch in enumerate(order.split(self.batch_size)):
            if self.seconds and number:
                due = int((perf_counter() - start) / self.seconds * self.steps_per_epoch)
                self.skipped = skipped + min(max(0, due - number), self.steps_per_epoch - number)
                if due >= self.steps_per_epoch:
                    return
            part = batch[self.team.part(len(batch))]
            yield self.step(*_orient(noisy_in[part], noisy_out[part], random, self.exchange), of=len(batch))

    def step(self, x, target, known=None, of=None):
        """One update of the parameters from a batch of pairs; returns the loss before it. `known`, N×1×H×W, is 1
        where the target's pixel is known and 0 where it is lost; there it has no part in the loss. `of`: the pairs
        of the whole batch, if the team has the others.
        """
        progress = (self.optimizer.steps + self.skipped) / self.steps
        self.optimizer.lr = self.schedule(progress, self.peak_lr)
        if isinstance(self.loss, L0):
            self.loss.gamma = 2 * (1 - progress)
        self.optimizer.zero_grad()
        loss, parts = self.like.new_zeros(()), max(1, -(-len(x) // AT_ONCE))
        knowns = [None] * parts if known is None else known.chunk(parts)
        for number, part in enumerate(zip(x.chunk(parts), target.chunk(parts), knowns, strict=True), 1):
            if number == parts:
                self.team.completing()
            if len(part[0]):  # a batch of fewer pairs than processes leaves some without
                loss = loss + self._accumulate(*part, of or len(x))
        loss = self.team.total(loss)
        if self.clip:
            clip_grad_norm(self.optimizer.params, self.clip)
        self.optimizer.step()
        if self.average:
            self.average.update(self.optimizer.steps)
        return loss

    def _accumulate(self, x, target, known, batch_size):
        """Add to the gradients what a part of a batch contributes to them; returns what it does to the loss."""
        share = len(x) / batch_size
        prediction = self.network.forward(self._scaled("x", x, self.compute_like), scratch=True)
        prediction = self._as("prediction", prediction, self.like)
        target = self._scaled("target", target, self.like)
        if known is not None:
            target.lerp_(prediction, 1 - known.to(target))  # no difference there: no loss, and no gradient
        loss = self.loss.forward(prediction, target)
        gradient = self.loss.backward(scratch=True)
        if share < 1:
            gradient.mul_(share)
        self.network.accumulate(self._as("gradient", gradient, self.compute_like))
        return loss * share

    def _scaled(self, name, x, like):
        """The pictures `x` with values 0–1, in the memory order of the modules, and as `like` in type and device."""
        n, c, h, w = x.shape
        return channel_first(copy_channel_last(x, self.buffers.take(name, (n, h, w, c), like)).div_(255))

    def _as(self, name, x, like):
        """`x`, an intermediate result, with the type of `like`."""
        if x.dtype == like.dtype:
            return x
        x = channel_last(x)
        return channel_first(self.buffers.take(name, tuple(x.shape), like).copy_(x))


class BatchTraining(Training):
    """Training on batches that are made as they are needed."""

    def epoch(self, batches):
        """Take a step for each of the batches, tuples of the arguments of `step`; yields its loss."""
        for batch in batches:
            yield self.step(*batch)


def _orient(x, target, random, exchange):
    """The pair in one of eight orientations, with `exchange` the roles exchanged or not."""
    if exchange and random.random() < 0.5:
        x, target = target, x
    for axis in (2, 3):
        if random.random() < 0.5:
            x, target = x.flip(axis), target.flip(axis)
    if random.random() < 0.5:
        x, target = x.transpose(2, 3), target.transpose(2, 3)
    return x, target
