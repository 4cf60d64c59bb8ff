"""Networks against PyTorch, and whole commands of ours with limits on time and memory."""

import shutil
import subprocess
import sys

import numpy as np
from PIL import Image

from checks import determined, relative, same_layers, within
from measure import DATA, KERNEL, PEERS, PROGRAM, ROOT, Bar, Case, Side, first_line

WEIGHTS = DATA / "squeezenet1_1" / "squeezenet1_1.safetensors"
PICTURES = DATA / "kriegeskorte92" / "stimuli"


def lacks(setup, what, package=None, data=False):
    """Says so on standard error where a package or the data folder is missing."""
    has_package = not package or first_line(setup.torch_python, "-c", f"import {package}; print('yes')") == "yes"
    if not has_package:
        print(f"SKIPPED: {what} ({setup.torch_python} has no {package})", file=sys.stderr)
    elif data and not DATA.is_dir():
        print(f"SKIPPED: {what} (no data folder)", file=sys.stderr)
    else:
        return False
    return True


def extract(setup):
    if lacks(setup, "extraction against PyTorch", "torch", data=True):
        return
    pictures = PICTURES
    if setup.quick:
        pictures = setup.folder / "pictures"
        pictures.mkdir()
        for path in sorted(PICTURES.glob("*.png"))[:3]:
            shutil.copy(path, pictures)
    n = len(list(pictures.glob("*.png")))
    ours, theirs = setup.outputs
    torch = [setup.torch_python, PEERS / "torch_extract.py"]
    for executor in setup.executors:
        for batch in [1] if setup.quick else [1, 8]:
            yield Case(
                f"extract/squeezenet1_1/{n}/{executor}", f"PyTorch hooks, batch {batch}",
                Side([KERNEL, "extract", 2, ours, WEIGHTS, pictures, executor, setup.threads]),
                Side([*torch, "extract", 2, theirs, WEIGHTS, pictures, batch]),
                False, within(1e-4), (ours, theirs),
            )
        ours_files, theirs_files = setup.folder / "ours-layers", setup.folder / "theirs-layers"
        command = ["extract", "--model", "squeezenet1_1", "--weights", WEIGHTS, "--images", pictures]
        yield Case(
            f"extract/squeezenet1_1/{n}/{executor}", "PyTorch hooks, batch 1",
            Side([PROGRAM, *command, "--executor", executor, "--out", ours_files, "--threads", setup.threads]),
            Side([*torch, "save", WEIGHTS, pictures, 1, theirs_files]),
            True, same_layers, (ours_files, theirs_files),
        )


# A layer in the middle, by torchvision's name.
NETWORKS = {
    "alexnet": "features.8",
    "vgg16": "features.17",
    "resnet50": "layer3.0.conv2",
    "vit_b_16": "encoder.layers.encoder_layer_5",
}


def forward(setup):
    """A batch of 16 pictures in memory to a layer in the middle."""
    if lacks(setup, "networks", "torchvision"):
        return
    torch = [setup.torch_python, PEERS / "torch_networks.py"]
    pictures = setup.folder / "batch"
    drawn_pictures(pictures, 2 if setup.quick else 16)
    ours, theirs = setup.outputs
    for name, layer in NETWORKS.items():
        weights = setup.folder / f"{name}.safetensors"
        for executor in setup.executors:
            yield Case(
                f"forward/{name}/b16/{executor}", "PyTorch, hook",
                Side([KERNEL, "forward", 1 if setup.quick else 5, ours, name, weights, pictures, layer, executor, setup.threads]),
                Side([*torch, "forward", 1 if setup.quick else 5, theirs, name, weights, pictures, layer]),
                False, relative(1e-4), (ours, theirs), prepare=[*torch, "weights", name, weights],
            )


CONVOLUTIONS = [f"features.{idx}" for idx in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)]


def gradcam(setup):
    """Grad-CAM of every convolution of VGG16, which we do in one pass."""
    if lacks(setup, "Grad-CAM", "torchvision"):
        return
    torch = [setup.torch_python, PEERS / "torch_networks.py"]
    pictures = setup.folder / "explained"
    drawn_pictures(pictures, 1 if setup.quick else 4)
    ours, theirs = setup.outputs
    name, layers = ("squeezenet1_1", ["features.0"]) if setup.quick else ("vgg16", CONVOLUTIONS)
    weights = setup.folder / f"{name}.safetensors"
    inputs = [name, weights, pictures, ",".join(layers)]
    rounds = 1 if setup.quick else 3
    yield Case(
        f"gradcam/{name}/{len(layers)} layers", "pytorch-grad-cam, a call a layer",
        Side([KERNEL, "gradcam", rounds, ours, *inputs]),
        Side([*torch, "gradcam", rounds, theirs, *inputs]),
        False, relative(1e-3), (ours, theirs), slow=True, prepare=[*torch, "weights", name, weights],
    )


def boxes(path, n_pictures, each):
    """So many boxes in each picture of 224 × 224: picture, class, left, upper, right and lower edge. Each has all five classes."""
    rng = np.random.default_rng(601)
    rows = []
    for picture in range(n_pictures):
        for i in range(each):
            size = rng.uniform(16, 112, 2)
            corner = rng.uniform(0, 224 - size)
            rows.append([picture, i % 5, *corner, *(corner + size)])
    np.save(path, np.array(rows))
    return path


def sensitivity(setup):
    """Sensitivity of every filter of VGG16 to classes of objects, 10 boxes a picture."""
    if lacks(setup, "sensitivity of filters", "pytorch_grad_cam"):
        return
    torch = [setup.torch_python, PEERS / "torch_networks.py"]
    pictures, n = setup.folder / "shown", 1 if setup.quick else 20
    drawn_pictures(pictures, n)
    ours, theirs = setup.outputs
    name, layers = ("squeezenet1_1", ["features.0"]) if setup.quick else ("vgg16", CONVOLUTIONS)
    weights = setup.folder / f"{name}.safetensors"
    inputs = [name, weights, pictures, ",".join(layers), boxes(setup.folder / "boxes.npy", n, 10)]
    yield Case(
        f"sensitivity/{name}/{len(layers)} layers/{n} pictures", "pytorch-grad-cam, a call a picture and layer",
        Side([KERNEL, "sensitivity", 1, ours, *inputs]),
        Side([*torch, "sensitivity", 1, theirs, *inputs]),
        False, determined(relative(1e-3), 0.7), (ours, theirs), slow=True, at_least=10, prepare=[*torch, "weights", name, weights],
    )


# A layer with another sixth, half and nearly all of the work after it, and the one that heads read.
LESIONED = {"vgg16": (["features.28", "features.17", "features.7"], "features.30")}


def lesions(setup):
    """Lesions of an inner layer against as many bare passes through what follows it: both sides are ours."""
    if lacks(setup, "lesions", "torchvision"):
        return
    torch = [setup.torch_python, PEERS / "torch_networks.py"]
    pictures = setup.folder / "rated"
    drawn_pictures(pictures, 2 if setup.quick else 8)
    ours, theirs = setup.outputs
    name, (layers, end) = ("squeezenet1_1", (["features.6"], "features.12")) if setup.quick else ("vgg16", LESIONED["vgg16"])
    weights = setup.folder / f"{name}.safetensors"
    n, rounds = (4, 1) if setup.quick else (10, 3)
    for layer in layers:
        inputs = [name, weights, pictures, layer, end, n]
        yield Case(
            f"lesions/{name}/{layer}/{n}", "as many bare passes through what follows",
            Side([KERNEL, "lesions", rounds, ours, *inputs]),
            Side([KERNEL, "suffix", rounds, theirs, *inputs]),
            False, relative(1e-4), (ours, theirs), slow=True, at_least=1, prepare=[*torch, "weights", name, weights],
        )


def weights_files(setup):
    """Files of weights into memory."""
    if lacks(setup, "files of weights", "torchvision"):
        return
    torch = [setup.torch_python, PEERS / "torch_networks.py"]
    ours, theirs = setup.outputs
    name = "squeezenet1_1" if setup.quick else "resnet50"
    weights = setup.folder / f"{name}.safetensors"
    for file, reader in [(weights, "safetensors"), (weights.with_suffix(".pth"), "torch.load")]:
        yield Case(
            f"weights/{file.name}", reader,
            Side([KERNEL, "weights-file", 3, ours, file]),
            Side([*torch, "weights-file", 3, theirs, file]),
            False, within(1e-7), (ours, theirs), prepare=[*torch, "weights", name, weights],
        )


def jpeg_files(folder, count):
    """JPEG files of a camera's shape, cut at random from the photographs of the data folder."""
    folder.mkdir()
    sources = sorted(path for path in (DATA / "net2brain78").rglob("*.jpg"))
    sources += sorted(path for path in (DATA / "sample_photos").rglob("*.jpg"))
    rng = np.random.default_rng(1000)
    for i in range(count):
        with Image.open(sources[i % len(sources)]) as source:
            source = source.convert("RGB")
            share = rng.uniform(0.6, 1.0)
            width, height = (int(share * extent) for extent in source.size)
            left, upper = (int(rng.integers(0, a - b + 1)) for a, b in zip(source.size, (width, height)))
            cut = source.crop((left, upper, left + width, upper + height))
            cut.resize((500, 375), Image.Resampling.LANCZOS).save(folder / f"{i:05}.jpg", quality=90)


def photographs(setup):
    """From files to pooled features on the disk: a whole command against a DataLoader with a hook."""
    if lacks(setup, "photographs", "torchvision", data=True):
        return
    torch = [setup.torch_python, PEERS / "torch_networks.py"]
    pictures = setup.folder / "photographs"
    n = 4 if setup.quick else 1000
    jpeg_files(pictures, n)
    for name, layer in [("squeezenet1_1", "features.12")] if setup.quick else [("alexnet", "features.12"), ("resnet50", "layer4")]:
        weights = setup.folder / f"{name}.safetensors"
        for executor in setup.executors:
            ours, theirs = setup.folder / "ours-features", setup.folder / "theirs-features"
            command = ["extract", "--model", name, "--weights", weights, "--images", pictures, "--layers", layer]
            yield Case(
                f"photographs/{name}/{n}/{executor}", "torchvision DataLoader, hook",
                Side([PROGRAM, *command, "--pool", "mean", "--executor", executor, "--out", ours, "--threads", setup.threads]),
                Side([*torch, "folder", name, weights, pictures, layer, theirs]),
                True, same_layers, (ours, theirs), slow=True, prepare=[*torch, "weights", name, weights],
            )


def large_layer(setup):
    """Memory while 10,000 pictures pass through a layer of 193,600 units, which makes a file of 7.2 GiB."""
    if lacks(setup, "a large layer", "torchvision", data=True):
        return
    folder = setup.folder
    pictures = folder / "many-photographs"
    jpeg_files(pictures, 500)
    names = "\n".join(str(path) for path in sorted(pictures.glob("*.jpg")))
    (folder / "list.txt").write_text("\n".join([names] * 20) + "\n")
    weights = folder / "alexnet.safetensors"
    subprocess.run([setup.torch_python, PEERS / "torch_networks.py", "weights", "alexnet", weights], check=True)
    for executor in setup.executors:
        command = ["extract", "--model", "alexnet", "--weights", weights, "--images", folder / "list.txt"]
        out = folder / "results"
        yield Bar(
            f"large-layer ({executor})",
            Side([PROGRAM, *command, "--layers", "features.0", "--executor", executor, "--out", out, "--threads", setup.threads]),
            600, 1500,
        )


def drawn_pictures(folder, count):
    """Smooth noise of the networks' size."""
    folder.mkdir()
    rng = np.random.default_rng(16)
    for i in range(count):
        coarse = rng.integers(0, 256, (14, 14, 3), np.uint8)
        Image.fromarray(coarse).resize((224, 224), Image.Resampling.BICUBIC).save(folder / f"{i:02}.png")


def demo(setup):
    out = setup.folder / "results"
    yield Bar("demo", Side([PROGRAM, "demo", "--out", out, "--threads", setup.threads]), 30, 1500)


def study(setup):
    """All layers of the study of 92 pictures."""
    if setup.quick or lacks(setup, "the study of 92 pictures", data=True):
        return
    file, out = ROOT / "examples" / "kriegeskorte92" / "study.toml", setup.folder / "results"
    for executor in setup.executors:
        command = [PROGRAM, "run", file, "--executor", executor, "--out", out, "--threads", setup.threads]
        yield Bar(f"run kriegeskorte92 ({executor}, cold cache)", Side(command), 60, 1500)
