"""Torch's gradients of a network beside what a step of training did to its weights, from the output to the input.

Where a weight went along its gradient, all that lies between it and the output is right; where the first did not,
something there is wrong, and is told where a known mistake explains it, or where it is seen which gradient was still
computed. What might as well be another way to train is not judged.
"""

import functools
from collections.abc import Iterator
from dataclasses import replace

from torch import Tensor

from ..registry import Failed
from . import cases, diagnosis, factors, moved, network
from .cases import Given, Outcome
from .compare import mismatch
from .hypotheses import hypotheses
from .moved import proportion
from .told import LOSS, STEP, Passed, Verdicts, check_of, of_scales, same

TOLERANCE = 2e-3  # of gradients through several layers in float32, of their largest value
SCALED = "The values are {} what they should be: is a factor missing, or one too many?"


class Walk:
    def __init__(self, seen: network.Seen, layers: list[network.Layer], found: network.Network):
        self.seen, self.layers, self.said = seen, layers, Verdicts()
        self.loss = 2 * (found.output - found.target) / found.output.numel()
        self.first = found.gain * self.loss  # the gradient of what the last layer gives
        sizes = (one.double() for one in seen.whole if one.numel() == self.loss.numel())
        scales = (proportion(one.reshape(self.loss.shape), self.loss, 1e-4) for one in sizes)
        self.scales = sorted((s for s in scales if s), key=lambda s: abs(s - 1)) or [1.0]
        self.value = (found.output - found.target).square().mean()
        self.moved = {
            id(layer): {f"grad_{name}": moved.moved(seen, kept, self.scales) for name, kept in layer.kept.items()}
            for layer in layers
        }
        self.straight = True  # whether the gradient that has arrived is torch's
        self.confirmed: set[str] = set()  # names of the parameters whose gradients are torch's
        self.even = True  # whether all that is right went at that rate
        self.plain = False  # whether the step is the rate times the gradients, of all weights
        self.rate: float | None = None  # by which gradients are multiplied in a step

    def verdicts(self) -> Verdicts:
        said = self.said
        for layer in self.layers:
            said.right.add(check_of(layer.case.module, "forward"))
        if self.seen.has(self.value):
            said.right.add("optimiser.mse_forward")
        said.right.add("modules.sequential_forward")
        self.rate = self.common_rate()
        if self.walk():
            said.right.add("modules.sequential_backward")
        self.of_loss()
        self.of_step()
        said.right -= said.wrong.keys()
        return said

    def walk(self) -> bool:
        """From the output to the input, as far as it is known which gradient arrives; whether that is all the way."""
        gradient, unconfirmed = self.first, []
        for layer in reversed(self.layers):
            passed = self.passed(layer, gradient)
            if self.moved[id(layer)]:
                right = [part for part in self.moved[id(layer)] if self.is_right(passed, part)]
                if not right:
                    other = self.blame(unconfirmed, passed)
                    if other is None:
                        return False
                    self.straight &= other is passed
                    passed = other
                else:
                    self.confirm(unconfirmed)
                for part in self.moved[id(layer)]:
                    self.tell(passed, part)
                unconfirmed = []
            unconfirmed.append(passed)
            gradient = passed.expected["grad_input"]
        for passed in unconfirmed[:-1]:  # nothing is trained before these
            if self.computed(passed.expected["grad_input"]):
                self.confirm([passed])
        return True

    @functools.cached_property
    def straight_passes(self) -> list[Passed]:
        """All layers from the last to the first, with the gradients that torch hands on."""
        found, gradient = [], self.first
        for layer in reversed(self.layers):
            found.append(self.passed(layer, gradient))
            gradient = found[-1].expected["grad_input"]
        return found

    def passed(self, layer: network.Layer, gradient: Tensor) -> Passed:
        given = Given(layer.x, gradient, *(kept and kept.value for kept in (layer.weight, layer.bias)))
        return Passed(layer, given, cases.reference(layer.case, given))

    def rates_of(self, passed: Passed) -> list[float | None]:
        """How many times its gradient each weight of a layer moved by; None where that is not known."""
        return [one and one.factor(passed.expected[part]) for part, one in self.moved[id(passed.layer)].items()]

    def common_rate(self) -> float | None:
        """The rate of most weights, of those that the right gradient is seen to reach; None if no two have one."""
        rates = []
        for passed in self.straight_passes:
            if rates and not self.computed(passed.given.cotangent):
                break
            rates += [one.factor(passed.expected[part]) for part, one in self.moved[id(passed.layer)].items() if one]
        known = [rate for rate in rates if rate]
        votes = [sum(same(rate, other) for other in known) for rate in known]
        most = [rate for rate, count in zip(known, votes, strict=True) if count == max(votes) > 1]
        return max(most, key=lambda rate: rate > 0, default=None)

    def is_right(self, passed: Passed, part: str) -> bool:
        one, reference = self.moved[id(passed.layer)][part], passed.expected[part]
        if one is None:
            return False
        if not one.change.any() and self.rate is not None:
            return one.used(reference) and one.too_small(reference, self.rate)
        if (factor := one.factor(reference)) is None or self.rate is None:
            self.even &= not one.used(reference)
            return one.used(reference)
        if same(factor, self.rate):
            return True
        if not one.used(reference):
            return False
        self.even = False  # a clipping, or another rate for another layer
        return not self.named(passed, part, factor) or self.common_factor(passed) is not None

    def named(self, passed: Passed, part: str, factor: float) -> bool:
        """Whether a factor is one of those that are forgotten or too much, rather than another way to train."""
        outcome = self.outcome(passed, part, passed.expected[part])
        return any(same(factor / self.rate, value) for _, value in factors.constants(outcome))

    def tell(self, passed: Passed, part: str) -> None:
        """Right or wrong of a weight's gradient, where the gradient that arrived is known to be right."""
        one, name = self.moved[id(passed.layer)][part], check_of(passed.layer.case.module, part)
        if self.is_right(passed, part):
            self.said.right.add(name)
            kept = passed.layer.weight if part == "grad_weight" else passed.layer.bias
            self.confirmed |= {kept.parameter.name} if self.straight else set()
        elif one is not None and self.rate is not None and (got := self.used_by(passed, part)) is not None:
            self.accuse(passed, part, got)

    def used_by(self, passed: Passed, part: str) -> Tensor | None:
        one, reference = self.moved[id(passed.layer)][part], passed.expected[part]
        return None if one.too_small(reference, self.rate) else one.gradient(reference, self.rate)

    def accuse(self, passed: Passed, part: str, got: Tensor) -> bool:
        """Failed, with a diagnosis; without one only if it is no multiple of the gradient, nor one with a decay."""
        outcome = self.outcome(passed, part, got)
        hint = diagnosis.explain([outcome], part, TOLERANCE)
        factor = proportion(got, passed.expected[part], 10 * TOLERANCE)
        if factor is not None and not self.named(passed, part, factor * (self.rate or 1.0)):
            return False
        if not hint and proportion(got - passed.expected[part], passed.given.weight, 0.01) is not None:
            return False
        found = mismatch(outcome.got[part], outcome.expected[part], TOLERANCE)
        message = f"{passed.layer.case}, in a step of train(): {found.message if found else 'it is another one'}"
        self.said.wrong.setdefault(check_of(passed.layer.case.module, part), Failed(message, hint))
        return True

    def outcome(self, passed: Passed, part: str, got: Tensor) -> Outcome:
        """The same with gradients of order 1."""
        size = float(passed.expected[part].abs().max()) or 1.0
        given = replace(passed.given, cotangent=passed.given.cotangent / size)
        return Outcome(
            passed.layer.case, given, {p: v / size for p, v in passed.expected.items()}, {part: got / size}
        )

    # What is wrong between two weights ------------------------------------------------------------------

    def blame(self, between: list[Passed], reached: Passed) -> Passed | None:
        """Tell what is wrong where no gradient of a layer is right: one of those `between` it and the last that was
        right, or the layer itself. Returns it with the gradient that did arrive; None if that is not known.
        """
        culprit = next((i for i, one in enumerate(between) if not self.computed(one.expected["grad_input"])), None)
        if culprit is None:
            self.confirm(between)
            return reached
        self.confirm(between[:culprit])
        for i in (culprit, *range(culprit - 1, -1, -1), *range(culprit + 1, len(between))):
            for hint, values in self.explanations(between[i]):
                arrived = self.through(between[i + 1 :], values, reached)
                if self.fits(arrived):
                    self.accuse_handed_on(between[i], values, hint)
                    return arrived
        if (factor := self.common_factor(reached)) is not None:
            i, name = self.scaled_by(between[: culprit + 1], factor)
            values = factor * between[i].expected["grad_input"]
            self.accuse_handed_on(between[i], values, SCALED.format(name))
            return self.through(between[i + 1 :], values, reached)
        if self.rate is not None and self.computed(between[culprit].given.cotangent):
            self.accuse_handed_on(between[culprit], None, "")
        return None

    def scaled_by(self, between: list[Passed], factor: float) -> tuple[int, str]:
        """Which of these layers made the values so many times what they should be, and the factor's name: a doubling
        that has such a factor of its own, else the last layer with weights, which is most likely to.
        """
        of_kinds = (Outcome(one.layer.case, one.given, one.expected) for one in between)
        names = [[name for name, value in factors.constants(one) if same(factor, value)] for one in of_kinds]
        order = range(len(between) - 1, -1, -1)
        doubling = (i for i in order if any("the factor squared" in name for name in names[i]))
        weighted = (i for i in order if between[i].layer.weight)
        i = next(doubling, next(weighted, len(between) - 1))
        return i, min(names[i], key=lambda name: "the factor squared" not in name, default=f"{factor:.4g} times")

    def accuse_handed_on(self, passed: Passed, values: Tensor | None, hint: str) -> None:
        message = "the gradient that it hands on to the layer before it is not torch's"
        if values is not None:
            outcome = self.outcome(passed, "grad_input", values)
            found = mismatch(outcome.got["grad_input"], outcome.expected["grad_input"], TOLERANCE)
            message = found.message if found else message
        check = check_of(passed.layer.case.module, "grad_input")
        self.said.wrong.setdefault(check, Failed(f"{passed.layer.case}, in a step of train(): {message}", hint))

    def explanations(self, passed: Passed) -> Iterator[tuple[str, Tensor]]:
        """(hint, gradient of the input) of the mistakes that a layer may have."""
        outcome = Outcome(passed.layer.case, passed.given, passed.expected)
        expected = passed.expected["grad_input"]
        for sentence, values in hypotheses(outcome, "grad_input"):
            if values.shape == expected.shape:
                yield sentence, values

    def through(self, between: list[Passed], gradient: Tensor, reached: Passed) -> Passed:
        for one in between:
            gradient = self.passed(one.layer, gradient).expected["grad_input"]
        return self.passed(reached.layer, gradient)

    def common_factor(self, passed: Passed) -> float | None:
        """How many times the gradients of a layer are too large, if all of them are."""
        rates = self.rates_of(passed)
        if self.rate is None or len(rates) < 2 or None in rates or not same(rates[0], rates[1]):
            return None
        return rates[0] / self.rate

    def fits(self, passed: Passed) -> bool:
        """Whether both gradients of a layer are those; where no rate is known yet, at one rate, which it is then."""
        rates = self.rates_of(passed)
        known = [rate for rate in rates if rate is not None]
        if not known or len(known) < len(rates) or not all(same(rate, known[0]) for rate in known):
            return False
        if self.rate is None and len(known) > 1:
            self.rate = known[0]
        return self.rate is not None and same(known[0], self.rate)

    def computed(self, gradient: Tensor) -> bool:
        return any(self.seen.has(scale * gradient) for scale in self.scales)

    def confirm(self, between: list[Passed]) -> None:
        for one in between:
            self.said.right.add(check_of(one.layer.case.module, "grad_input"))

    # The loss and the step ------------------------------------------------------------------------------

    def of_loss(self) -> None:
        """Whether the gradient of the loss is the mean square's, by the scale of what was computed from it."""
        last = next((one for one in self.straight_passes if self.moved[id(one.layer)]), None)
        parts = self.moved[id(last.layer)].items() if last else ()
        computed = [(value, last.expected[part]) for part, one in parts if one for value in one.computed]
        factors_of = [proportion(value, expected, moved.PRECISION) or 0.0 for value, expected in computed]
        verdict = of_scales(self.scales, factors_of, self.loss.shape)
        if isinstance(verdict, Failed):
            self.said.wrong[LOSS] = verdict
        elif verdict:
            self.said.right.add(LOSS)

    def gradients(self) -> dict[str, Tensor]:
        """torch's gradients of the parameters, by their names."""
        return {
            kept.parameter.name: passed.expected[f"grad_{name}"]
            for passed in self.straight_passes
            for name, kept in passed.layer.kept.items()
        }

    def of_step(self) -> None:
        """Whether all weights went along their gradients, at one rate."""
        every = [one for layer in self.layers for one in self.moved[id(layer)].values() if one]
        if (
            self.rate is None
            or not self.even
            or any(one.along is None for one in every)
            or not all(one.change.any() for one in every)
        ):
            return
        up = self.rate < 0 and LOSS not in self.said.wrong
        if up:
            self.said.wrong[STEP] = Failed(
                "a step of train() goes up the gradient",
                "The step goes up the gradient: is it weight -= lr * gradient?",
            )
        else:
            self.said.right.add(STEP)
            self.plain = True
