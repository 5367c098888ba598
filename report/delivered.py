"""The two networks whose weights the repository holds."""

from pathlib import Path

import torch

from Proj_2.model import WEIGHTS, Model
from Proj_2.others.networks import paper

PAPER_WEIGHTS = Path(__file__).parent / "weights" / "paper.pth"
UNETS = Path(__file__).parents[1] / "weights"  # folder of those of the U-Nets, which photographs want
DELIVERED = {"shipped": WEIGHTS, "paper": PAPER_WEIGHTS}  # their files


def delivered():
    """(the paper's network, the shipped one), trained."""
    small, shipped = paper(), Model()
    small.load_state_dict(torch.load(PAPER_WEIGHTS, weights_only=True))
    shipped.load_pretrained_model()
    return small, shipped.network
