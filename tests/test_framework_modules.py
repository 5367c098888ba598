"""Every module, forward and backward, against torch.nn in float64 with a random cotangent."""

import oracle
import pytest
import torch

from Proj_2.others import winograd

PRECISIONS = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
# Enough to meet every code path that a geometry can choose, for the tests that vary something else.
SOME = [
    *oracle.POINTWISE,
    *oracle.FILTERED,
    *oracle.POOLING,
    *oracle.NETWORKS,
    *oracle.SKIPS,
    next(iter(oracle.NESTED)),
    "Conv2d(1, 3, 2, 2, 1)",
    "Conv2d(3, 5, 3, stride=2, padding=1)",
    "Conv2d(3, 5, 2, stride=2)",
    "Conv2d(3, 5, (2, 3), stride=(2, 3))",
    "Conv2d(2, 3, kernel_size=(1, 4), stride=(2, 1), padding=(2, 0), bias=False)",
    "Conv2d(2, 3, (2, 3), stride=2, padding=(1, 2), dilation=(3, 1))",
    "TransposeConv2d(4, 3, 2, stride=2)",
    "TransposeConv2d(3, 2, 6, stride=2, padding=2)",
    "TransposeConv2d(3, 2, (3, 2), stride=(2, 1), padding=(1, 0), output_padding=(1, 0))",
    "TransposeConv2d(2, 3, 3, 1, 1, 0, 1, False, 2)",
]


@pytest.mark.parametrize("grad_mode", [False, True], ids=["autograd off", "autograd on"])
@PRECISIONS
@pytest.mark.parametrize("spec", oracle.MODULES)
def test_module(fw, spec, dtype, grad_mode):
    torch.set_grad_enabled(grad_mode)
    oracle.check_module(fw, spec, dtype)


@pytest.mark.parametrize("layout", oracle.LAYOUTS)
@pytest.mark.parametrize("spec", SOME)
def test_layout_of_the_input(fw, spec, layout):
    oracle.check_module(fw, spec, layout=layout)


def test_layouts_are_what_they_say():
    x = torch.randn(3, 2, 5, 4)
    for name, lay_out in oracle.LAYOUTS.items():
        y = lay_out(x)
        assert y.shape == x.shape
        assert y.is_contiguous() == (name in ("contiguous", "requires grad"))
        assert torch.equal(y, x) == (name != "expanded")


@pytest.mark.parametrize("spec", oracle.MODULES)
def test_fresh_memory_is_not_trusted(fw, spec):
    with oracle.poisoned():
        oracle.check_module(fw, spec)


@pytest.mark.parametrize("name", ["ReLU", "LeakyReLU", "Sigmoid"])
@pytest.mark.parametrize("shape", [(), (4,), (3, 5), (2, 3, 4), (1, 2, 3, 4, 5), (5, 3, 300, 257)], ids=str)
def test_pointwise_takes_any_shape(fw, name, shape):
    module, x, grad_y = getattr(fw, name)(), torch.randn(shape), torch.randn(shape)
    reference = x.double().requires_grad_()
    expected = getattr(torch.nn, name)()(reference)
    oracle.close("forward", module.forward(x), expected)
    oracle.close("grad_x", module.backward(grad_y), torch.autograd.grad(expected, reference, grad_y.double())[0])


@PRECISIONS
def test_sigmoid_saturates_without_overflow(fw, dtype):
    oracle.check_saturation(fw, dtype)


@PRECISIONS
@pytest.mark.parametrize("shape", [(3, 2, 5, 4), (4, 3), (5,)], ids=str)
def test_mse(fw, shape, dtype):
    oracle.check_loss(fw, shape, dtype)


@pytest.mark.parametrize("spec", [spec for spec in SOME if "Conv" in spec])
@pytest.mark.parametrize("optimiser", ["SGD", "Adam"])
def test_weights_written_by_the_caller_count_at_once(fw, spec, optimiser):
    torch.set_grad_enabled(False)
    oracle.check_weights(fw, spec, optimiser)


@pytest.mark.parametrize("spec", [spec for spec in SOME if "Conv" in spec])
def test_weights_written_by_the_caller_with_autograd_on(fw, spec):
    oracle.check_weights(fw, spec)


@pytest.mark.parametrize(
    "spec",
    [
        "Conv2d(20, 200, 3)",
        "Conv2d(10, 300, (5, 2), stride=2)",
        "TransposeConv2d(10, 200, 3)",
        "Upsampling(5, 300, (2, 5), 2)",
    ],
)
def test_initial_weights(fw, spec):
    oracle.check_initial_weights(fw, spec)


@pytest.mark.parametrize("name", ["Conv2d", "TransposeConv2d", "NearestUpsampling", "MaxPool2d", "SGD", "Adam"])
def test_signature(fw, name):
    oracle.check_signature(fw, name)


@pytest.mark.parametrize("name", ["Conv2d", "TransposeConv2d"])
def test_groups_are_refused_in_words(fw, name):
    with pytest.raises(NotImplementedError, match=r"groups.*2"):
        getattr(fw, name)(4, 4, 3, groups=2)
    getattr(fw, name)(4, 4, 3, groups=1)


def test_upsampling_is_the_transposed_convolution(fw):
    assert issubclass(fw.Upsampling, fw.TransposeConv2d)


@pytest.mark.parametrize("spec", [*oracle.SKIPS, *oracle.FILTERED, *oracle.POOLING, "LeakyReLU(negative_slope=0.1)"])
def test_bfloat16(fw, spec):
    oracle.check_bfloat16(fw, spec)


def test_the_first_of_equal_values_gets_the_gradient_of_the_maximum(fw):
    x = torch.tensor([1.0, 2.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0]).view(1, 2, 2, 2)
    module = fw.MaxPool2d(2)
    assert module.forward(x).flatten().tolist() == [2, 0]
    assert module.backward(torch.ones(1, 2, 1, 1)).flatten().tolist() == [0, 1, 0, 0, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("spec", "size", "message"),
    [
        ("SkipConnection(MaxPool2d(2), NearestUpsampling(2))", (3, 4, 5), r"SkipConnection.*\(2, 3, 4, 4\)"),
        ("Residual(Conv2d(3, 3, 3))", (3, 4, 5), r"Residual.*\(2, 3, 2, 3\)"),
        ("unet((4, 4), (1, 1), 2)", (3, 6, 8), "divided by the strides"),
        ("MaxPool2d(3)", (3, 2, 5), "2×5 pixels, smaller than its kernel"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_in_words(fw, spec, size, message):
    with pytest.raises(ValueError, match=message):
        eval(spec, dict(vars(fw))).forward(torch.randn(2, *size))


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("LeakyReLU", (-0.1,), "negative_slope.*-0.1"),
        ("LeakyReLU", (1.5,), "negative_slope.*1.5"),
        ("MaxPool2d", (2, 2, 2), "padding.*2"),
        ("MaxPool2d", (0,), "kernel_size.*0"),
    ],
)
def test_arguments_out_of_range_are_refused_in_words(fw, name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(fw, name)(*arguments)


@pytest.mark.parametrize("option", ["return_indices", "ceil_mode"])
def test_options_of_pooling_are_refused_in_words(fw, option):
    with pytest.raises(NotImplementedError, match=option):
        fw.MaxPool2d(2, **{option: True})


@pytest.mark.parametrize("size", [(3, 33, 70), (1, 150, 41)], ids=str)
def test_filtering_in_blocks(fw, monkeypatch, size):
    """Pictures and rows of tiles that are worked on apart give what they give together."""
    n, h, w = size
    monkeypatch.setattr(winograd, "AT_ONCE", 2**13)
    convolution, twin = oracle.build(fw, "Conv2d(16, 20, 3, padding=1)", torch.float64)
    blocks = [part for *part, _ in winograd._blocks((n, h, w, 20), 20)]
    assert len(blocks) > 2
    x = torch.randn(n, 16, h, w, dtype=torch.float64, requires_grad=True)
    y = twin(x)
    oracle.close("forward", convolution.forward(x), y)
    grad_y = torch.randn_like(y)
    expected, *added = torch.autograd.grad(y, [x, *twin.parameters()], grad_y)
    oracle.close("grad_x", convolution.backward(grad_y), expected)
    for got, wanted in zip(oracle.gradients(convolution), added, strict=True):
        oracle.close("gradient", got, wanted)
