"""Networks judged as a whole: found again from a step of train(), and right or wrong as torch's gradients say."""

import pytest
import torch
from checker_support import settings

from checker.checks import network
from checker.checks.walk import Walk
from checker.checks.watched import in_order
from checker.sandbox.session import Session
from tests.submissions import styles
from tests.submissions.wrong import patched

PICTURES = 3
LAYERS, MODEL = "others/layers.py", "model.py"
GRADIENTS = {
    *(f"modules.{name}_grad_{part}" for name in ("conv2d", "transposed") for part in ("input", "weight", "bias")),
    *("modules.relu_backward", "modules.sigmoid_backward"),
}
LEARNS = "self.filters -= rate * self.changes[0]\n        self.offset -= rate * self.changes[1]"
SAVES = "state.x = state.x.sigmoid()\n        state.memory.append(state.x)"
SAVES_AND_SCALES = "y = state.x.sigmoid()\n        state.memory.append(y)\n        state.x = y * 255"
ADAM = """for w, g in zip((self.filters, self.offset), self.changes):
            w -= 0.002 * g / (g.pow(2).sqrt() + 1e-8)"""
CLIPS = LEARNS.replace("self.changes[0]", "self.changes[0].clamp(-1e-4, 1e-4)")
DECAYS = LEARNS.replace("self.changes[0]", "(self.changes[0] + 1e-6 * self.filters)")
GRADIENT = "state.grad = (state.x - state.target) * (2 / state.x.numel())"


def walk(folder, *edits) -> Walk | None:
    """The way back through the network of shared_state with edits (file, text, text in its place)."""
    copy = patched(styles.FOLDER / "shared_state", edits, folder / "copy", "edited")
    folder.chmod(0o755)
    generator = torch.Generator().manual_seed(1)
    pair = [(torch.rand(PICTURES, 3, 32, 32, generator=generator) * 255).to(torch.uint8) for _ in range(2)]
    with Session(copy, "Proj_2", settings()["limits"]) as session:
        session.load()
        seen = in_order(session.whole(*pair, 1))
    found = network.find(seen, *pair)
    if found is None:
        return None
    made = Walk(seen, list(found.layers), found)
    made.verdicts()
    return made


GIVEN = "State(x[batch], target[batch])"
RIGHT = {  # other ways to train, in which all gradients are right
    "as it is": (),
    "Adam": ((LAYERS, LEARNS, ADAM),),
    "clipped": ((LAYERS, LEARNS, CLIPS),),
    "a decay": ((LAYERS, LEARNS, DECAYS),),
    "values up to 255": (
        (LAYERS, SAVES, SAVES_AND_SCALES),
        (LAYERS, "* y * (1 - y)", "* 255 * y * (1 - y)"),
        (MODEL, "train_target.float() / 255", "train_target.float()"),
        (MODEL, "[:, :, :h, :w] * 255", "[:, :, :h, :w]"),
        (MODEL, "rate=1.0", "rate=1e-5"),
    ),
    "a rate for each layer": (
        (LAYERS, "layer.learn(self.rate)", "layer.learn(self.rate / (1 + self.network.layers.index(layer)))"),
    ),
    "a rate too small to move anything": ((MODEL, "rate=1.0", "rate=1e-7"),),
    "mirrored": ((MODEL, GIVEN, "State(x[batch].flip(3), target[batch].flip(3))"),),
    "turned": ((MODEL, GIVEN, "State(*(p[batch].flip(2).transpose(2, 3) for p in (x, target)))"),),
}  # fmt: skip


@pytest.mark.parametrize("way", RIGHT)
def test_right_gradients_are_right_whatever_is_made_of_them(way, tmp_path):
    said = walk(tmp_path, *RIGHT[way]).said
    assert not said.wrong, {check: failure.message for check, failure in said.wrong.items()}
    assert said.right >= GRADIENTS


UNKNOWN = {  # what might be another way to train
    "the mean of the sizes": GRADIENT.replace(" * (2 /", ".sign() * (1 /"),
    "the inside alone": f"{GRADIENT}\n        state.grad[:, :, :4] = 0",
}


@pytest.mark.parametrize("loss", UNKNOWN)
def test_what_no_mistake_explains_is_no_mistake(loss, tmp_path):
    said = walk(tmp_path, (LAYERS, GRADIENT, UNKNOWN[loss])).said
    assert not said.wrong
    assert "modules.conv2d_forward" in said.right
    assert not said.right & (GRADIENTS - {"modules.transposed_grad_input"})


def test_a_network_that_computes_something_else_is_not_found(tmp_path):
    assert walk(tmp_path, (LAYERS, "state.x = state.x.clamp(min=0)", "state.x = state.x.clamp(min=0).sqrt()")) is None


@pytest.mark.parametrize("answer", [None, {}, {"parameters": [[1, 2]], "prints": torch.ones(3), "whole": ["x"]}])
def test_an_answer_of_another_form_is_no_network(answer):
    pair = [torch.zeros(PICTURES, 3, 32, 32, dtype=torch.uint8)] * 2
    seen = in_order(answer)
    assert not seen.parameters
    assert not seen.whole
    assert network.find(seen, *pair) is None


def test_values_that_are_not_finite_are_left_out():
    broken = torch.tensor([1.0, float("nan")])
    seen = in_order(
        {"parameters": [["w", broken, broken]], "prints": torch.ones(2, 5), "whole": [broken, torch.ones(2)]}
    )
    assert (len(seen.parameters), len(seen.whole), len(seen.prints)) == (0, 1, 2)
