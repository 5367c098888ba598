"""What a network makes of noisy photographs: PSNR and SSIM of every picture in a folder and their means, of the noisy
picture and of the denoised one.

python -m benchmarks.restoration FOLDER --noise gaussian:25 --weights FILE [--network NAME] [--name NAME]

As the field measures (T. Huang et al., Neighbor2Neighbor, arXiv 2101.02824): RGB values 0–255, the noisy picture as
the noise makes it, not clipped; the denoised one clipped to 0–255 but not rounded; the mean is that of the pictures'
own figures. A picture's place in the folder's order seeds its noise, so that all networks see the same. SSIM is
scikit-image's with the settings of its authors (Z. Wang et al., IEEE TIP 13 (4), 2004), the mean over the colours.

With --ensemble a picture is the mean of what the network makes of its eight orientations (R. Timofte et al., CVPR
2016). The field's tables are without it.
"""

import argparse
import sys
from pathlib import Path
from statistics import fmean

import numpy
import torch
from skimage.metrics import structural_similarity
from torch import Generator
from tqdm import tqdm

from data.build import file_digest
from data.load import DataError
from data.noise import noise
from data.psnr import psnr
from data.windows import find_photos, read_photo
from Proj_2.others.networks import NETWORKS
from Proj_2.others.precision import has_fast_bfloat16
from Proj_2.others.prediction import predict
from Proj_2.others.reach import reduction
from training.options import UsageError
from training.record import read_state

from .timing import write

WINDOW = 11  # pixels a side, of the SSIM
MEASURES = ("noisy_psnr", "noisy_ssim", "psnr", "ssim")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="clean photographs, the name of the data set")
    parser.add_argument("--noise", required=True, metavar="NAME[:VALUES]", help="what is laid over them")
    parser.add_argument("--weights", required=True, type=Path, metavar="FILE", help="a plain state dict")
    parser.add_argument("--network", choices=NETWORKS, default="unet", help="whose weights they are (%(default)s)")
    parser.add_argument(
        "--ensemble", action="store_true", help="average over the eight orientations: eight times as long"
    )
    parser.add_argument("--name", help="of the file in benchmarks/results (restoration_FOLDER_NOISE_WEIGHTS)")
    arguments = parser.parse_args(argv)
    try:
        kept, paths = noise(arguments.noise), find_photos([arguments.folder])
        network = NETWORKS[arguments.network]().to("cuda" if torch.cuda.is_available() else "cpu")
        read_state(arguments.weights, network)
        digest = file_digest(arguments.weights)
        with torch.no_grad():
            pictures = _measure_all(network, kept, paths, arguments.ensemble)
    except (DataError, UsageError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130
    mean = means(pictures)
    _table([*pictures, {"picture": f"mean of {len(pictures)}", **mean}])
    weights = arguments.weights
    write(
        arguments.name or default_name(arguments.folder, arguments.noise, weights, arguments.ensemble),
        {
            "folder": arguments.folder.resolve().name,
            "noise": arguments.noise,
            "network": arguments.network,
            "weights": f"{weights.resolve().parent.name}/{weights.name}",
            "sha256": digest,
            "arithmetic": "bfloat16 products" if _mixed(network) else "float32",
            "ensemble": arguments.ensemble,
            "mean": mean,
            "pictures": pictures,
        },
    )
    return 0


def default_name(folder, noise, weights, ensemble=False):
    """Of the file in benchmarks/results, from the paths of the pictures and of the weights."""
    end = "_ensemble" if ensemble else ""
    return f"restoration_{folder.resolve().name}_{noise.replace(':', '')}_{weights.stem}{end}"


def means(pictures):
    """The means of all figures over the pictures."""
    return {name: fmean(picture[name] for picture in pictures) for name in MEASURES}


def _measure_all(network, kept, paths, ensemble):
    pictures = []
    with tqdm(paths, unit="picture", leave=False) as bar:
        for seed, path in enumerate(bar):
            pictures.append(measure(network, kept, path, seed, ensemble))
            mean = means(pictures)
            bar.set_postfix_str(f"mean {mean['noisy_psnr']:.2f} → {mean['psnr']:.2f} dB")
    return pictures


def measure(network, kept, path, seed, ensemble=False):
    """The figures of the photograph in `path` with the noise `kept` on it, drawn with `seed`, as a dictionary.

    Raises DataError if the picture is too small for the network or for the SSIM.
    """
    device = network.param()[0][0].device
    photo = torch.from_numpy(numpy.array(read_photo(path))).permute(2, 0, 1)[None]
    height, width = (length // kept.block * kept.block for length in photo.shape[2:])
    photo = photo[:, :, :height, :width]
    clean, noisy = kept.clean(photo), kept.corrupt(photo, Generator().manual_seed(seed))
    height, width = clean.shape[2:]
    least = max(WINDOW, reduction(network))
    if min(height, width) < least:
        raise DataError(
            f"{path} makes a clean picture of {width}×{height}; expected at least {least} pixels a side, for the "
            f"{'SSIM' if least == WINDOW else 'network'} sees no fewer: take it out of the folder"
        )
    restore = _ensemble if ensemble else predict
    denoised = restore(network, noisy.to(device), _mixed(network)).clamp_(0, 255).cpu()
    figures = (measure(picture, clean) for picture in (noisy, denoised) for measure in (_psnr, _ssim))
    return {"picture": path.name, "seed": seed, **dict(zip(MEASURES, figures, strict=True))}


def _mixed(network):
    return has_fast_bfloat16() and network.param()[0][0].device.type == "cpu"


def _ensemble(network, noisy, mixed):
    """The mean of what the network makes of the eight orientations of the pictures, each turned back."""
    total = torch.zeros_like(noisy)
    for turns in range(4):
        turned = noisy.rot90(turns, (2, 3))
        restored = predict(network, turned, mixed) + predict(network, turned.flip(3), mixed).flip(3)
        total += restored.rot90(-turns, (2, 3))
    return total.div_(8)


def _psnr(picture, clean):
    return psnr(picture, clean).item()


def _ssim(picture, clean):
    a, b = (x[0].double().numpy() for x in (picture, clean))
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return float(structural_similarity(a, b, channel_axis=0, data_range=255, **settings))


def _table(rows):
    width = max(len(row["picture"]) for row in rows)
    print(f"{'':{width}}{'noisy, dB':>11}{'SSIM':>8}{'denoised, dB':>14}{'SSIM':>8}")
    for row in rows:
        noisy, noisy_ssim, denoised, ssim = (row[name] for name in MEASURES)
        print(f"{row['picture']:{width}}{noisy:11.2f}{noisy_ssim:8.4f}{denoised:14.2f}{ssim:8.4f}")


if __name__ == "__main__":
    sys.exit(main())
