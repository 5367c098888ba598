"""Torch's gradients of a network beside what a step of training did to its weights, from the output to the input.

Where a weight went along its gradient, all that lies between it and the output is right; where the first did not,
something there is wrong, and is told where a known mistake explains it, or where it is seen which gradient was still
computed. What might as well be another way to train is not judged.
"""

from collections.abc import Iterator
from dataclasses import replace

from torch import Tensor

from ..registry import Failed
from . import cases, diagnosis, factors, moved, network
from .cases import Given, Outcome
from .compare import mismatch
from .hypotheses import hypotheses
from .moved import proportion
from .told import LOSS, STEP, Passed, Verdicts, check_of, same, scaled_loss

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
            id(layer): {
                f"grad_{name}": moved.moved(seen, kept, self.scales)
                for name, kept in (("weight", layer.weight), ("bias", layer.bias))
                if kept
            }
            for layer in layers
        }
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

    def passed(self, layer: network.Layer, gradient: Tensor) -> Passed:
        weight, bias = (kept.value if kept else None for kept in (layer.weight, layer.bias))
        given = Given(layer.x, gradient, weight, bias)
        return Passed(layer, given, cases.reference(layer.case, given))

    def common_rate(self) -> float | None:
        """The rate of most weights, of those that the right gradient is seen to reach; None if no two have one."""
        rates, gradient = [], self.first
        for layer in reversed(self.layers):
            passed = self.passed(layer, gradient)
            if rates and not self.computed(gradient):
                break
            rates += [one.factor(passed.expected[part]) for part, one in self.moved[id(layer)].items() if one]
            gradient = passed.expected["grad_input"]
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
        if (factor := self.common_factor(reached)) is not None:  # which a layer with weights is most likely to have
            i = next((i for i in range(culprit, -1, -1) if between[i].layer.weight), culprit)
            outcome = Outcome(between[i].layer.case, between[i].given, between[i].expected)
            names = (name for name, value in factors.constants(outcome) if same(factor, value))
            values = factor * between[i].expected["grad_input"]
            self.accuse_handed_on(between[i], values, SCALED.format(next(names, f"{factor:.4g} times")))
            return self.through(between[i + 1 :], values, reached)
        if self.rate is not None and self.computed(between[culprit].given.cotangent):
            self.accuse_handed_on(between[culprit], None, "")
        return None

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
        parts = self.moved[id(passed.layer)]
        rates = [one.factor(passed.expected[part]) if one else None for part, one in parts.items()]
        if self.rate is None or len(rates) < 2 or None in rates or not same(rates[0], rates[1]):
            return None
        return rates[0] / self.rate

    def fits(self, passed: Passed) -> bool:
        """Whether both gradients of a layer are those; where no rate is known yet, at one rate, which it is then."""
        rates = [
            one.factor(passed.expected[part]) if one else None for part, one in self.moved[id(passed.layer)].items()
        ]
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
        last = next((one for one in reversed(self.layers) if self.moved[id(one)]), None)
        gradient = self.first
        for layer in reversed(self.layers):
            passed = self.passed(layer, gradient)
            if layer is last:
                break
            gradient = passed.expected["grad_input"]
        parts = self.moved[id(last)].items() if last else ()
        computed = [(value, passed.expected[part]) for part, one in parts if one for value in one.computed]
        factors_of = [proportion(value, expected, moved.PRECISION) for value, expected in computed]
        found = [scale for scale in self.scales if any(same(factor or 0.0, scale) for factor in factors_of)]
        if any(same(scale, 1.0) for scale in found or self.scales):
            self.said.right.add(LOSS)
        elif found and (failure := scaled_loss(found[0], self.loss.shape)):
            self.said.wrong[LOSS] = failure

    def gradients(self) -> dict[str, Tensor]:
        """torch's gradients of the parameters, by their names."""
        found, gradient = {}, self.first
        for layer in reversed(self.layers):
            expected = self.passed(layer, gradient).expected
            for name, kept in (("weight", layer.weight), ("bias", layer.bias)):
                if kept:
                    found[kept.parameter.name] = expected[f"grad_{name}"]
            gradient = expected["grad_input"]
        return found

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
