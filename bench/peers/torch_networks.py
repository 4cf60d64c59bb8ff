"""torchvision's networks by PyTorch: forward passes, photographs to features, Grad-CAM.

Weights are random (seed 0): only the time and the agreement matter.

    torch_networks.py weights NETWORK FILE.safetensors             writes the random weights, also as .pth
    torch_networks.py forward ROUNDS OUT.npy NETWORK WEIGHTS IMAGES LAYER      one batch of all pictures
    torch_networks.py folder NETWORK WEIGHTS IMAGES LAYER OUT/                 files to pooled features
    torch_networks.py gradcam ROUNDS OUT.npy NETWORK WEIGHTS IMAGES LAYERS     a map a layer, pytorch-grad-cam
    torch_networks.py sensitivity ROUNDS OUT.npy NETWORK WEIGHTS IMAGES LAYERS BOXES   filters × classes, pytorch-grad-cam
    torch_networks.py weights-file ROUNDS OUT.npy FILE                         a file of weights into memory
"""

import os
import pathlib
import sys

import clock
import numpy as np
import PIL
import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file, save_file

# Where PyTorch computes; on a card with all 32 bits, as we do.
DEVICE = os.environ.get("TORCH_DEVICE", "cpu")
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def weights(name, path):
    torch.manual_seed(0)
    network = torchvision.models.get_model(name, weights=None)
    # Statistics of a trained network are not zero and one.
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.8, 1.2)
    save_file(network.state_dict(), path)
    torch.save(network.state_dict(), pathlib.Path(path).with_suffix(".pth"))


def network_of(name, path):
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    network = torchvision.models.get_model(name, weights=None).eval()
    network.load_state_dict(load_file(path))
    return network.to(DEVICE)


def files_in(images):
    return sorted(path for path in pathlib.Path(images).iterdir() if path.suffix in (".png", ".jpg"))


def normalised(image):
    return (torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255 - torch.tensor(MEAN)[:, None, None]) / (
        torch.tensor(STD)[:, None, None]
    )


def forward(name, path, images, layer):
    """Pictures have the network's size and are in memory; the batch is all of them."""
    network = network_of(name, path)
    batch = torch.stack([normalised(Image.open(file).convert("RGB")) for file in files_in(images)])
    kept = {}
    # An in-place activation comes next in some networks: the layer's own output is what is asked for.
    network.get_submodule(layer).register_forward_hook(
        lambda _module, _inputs, output: kept.update(layer=output.clone())
    )

    def work():
        with torch.inference_mode():
            network(batch.to(DEVICE))
        return kept["layer"].flatten(1).cpu().double().mean(1).numpy()

    return work


class Photographs(torch.utils.data.Dataset):
    def __init__(self, files):
        self.files = files
        self.transform = torchvision.transforms.Compose(
            [
                torchvision.transforms.Resize(256),
                torchvision.transforms.CenterCrop(224),
                torchvision.transforms.ToTensor(),
                torchvision.transforms.Normalize(MEAN, STD),
            ]
        )

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        return self.transform(Image.open(self.files[index]).convert("RGB"))


def folder(name, path, images, layer, out):
    network = network_of(name, path)
    kept = []
    network.get_submodule(layer).register_forward_hook(
        lambda _module, _inputs, output: kept.append(output.mean((2, 3)))
    )
    photographs = torch.utils.data.DataLoader(
        Photographs(files_in(images)), batch_size=32, num_workers=torch.get_num_threads()
    )
    with torch.inference_mode():
        for batch in photographs:
            network(batch.to(DEVICE))
    os.makedirs(out)
    np.save(pathlib.Path(out) / f"{layer}.npy", torch.cat(kept).cpu().numpy())


def explained(name, path, images):
    """A network whose activations can be kept, and pictures of its size."""
    network = network_of(name, path)
    for module in network.modules():
        # A ReLU in place would overwrite them.
        if isinstance(module, torch.nn.ReLU):
            module.inplace = False
    return network, torch.stack([normalised(Image.open(file).convert("RGB")) for file in files_in(images)])


def gradcam(name, path, images, layers):
    """A call of pytorch-grad-cam for each layer; the target is each picture's best class.

    It gives maps stretched to the picture and to 0…1; the numbers are the means of the maps before that.
    """
    from pytorch_grad_cam import GradCAM

    network, batch = explained(name, path, images)

    def work():
        means = []
        for layer in layers.split(","):
            with GradCAM(model=network, target_layers=[network.get_submodule(layer)]) as cam:
                cam(input_tensor=batch, targets=None)
                kept = cam.activations_and_grads
                alpha = kept.gradients[0].mean((2, 3), keepdim=True)
                maps = (alpha * kept.activations[0]).sum(1).relu()
                means.append(maps.double().mean().item())
        return means

    return work


def covered(boxes, side, height, width):
    """The share of each box, of which the edges are in pixels, that lies in each cell of a map."""

    def along(low, high, n):
        edges = torch.arange(n) * (side / n)
        return (torch.minimum(high[:, None], edges + side / n) - torch.maximum(low[:, None], edges)).clamp(min=0)

    left, top, right, bottom = boxes.T
    cells = along(top, bottom, height)[:, :, None] * along(left, right, width)[:, None, :]
    return cells / cells.sum((1, 2), keepdim=True)


def sensitivity(name, path, images, layers, boxes):
    """A call of pytorch-grad-cam for each picture and layer, whose activations and gradients give the maps of filters.

    ReLU(α A), each scaled to 0…1; its mean in each box; the largest of a class, averaged over the pictures that show it.
    All filters of a layer are done at once. NaN for a filter whose α is less than 10⁻³ of the mean size of its gradient in a picture: its sign,
    and with it whether there is a map at all, is that of rounding errors.
    """
    from pytorch_grad_cam import GradCAM

    network, batch = explained(name, path, images)
    table = torch.from_numpy(np.load(boxes))
    side, n_classes = batch.shape[-1], int(table[:, 1].max()) + 1

    def of_picture(cam, picture):
        cam(input_tensor=batch[picture : picture + 1], targets=None)
        kept = cam.activations_and_grads
        gradient = kept.gradients[0]
        alpha = gradient.mean((2, 3), keepdim=True)
        maps = (alpha * kept.activations[0])[0].relu().detach().double()
        size = gradient.abs().mean((2, 3))[0]
        is_rounding = (size > 0) & (alpha[0, :, 0, 0].abs() < 1e-3 * size)
        low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
        maps = torch.where(high > low, (maps - low) / (high - low), 0.0)
        own = table[table[:, 0] == picture]
        values = maps.flatten(1) @ covered(own[:, 2:], side, *maps.shape[1:]).flatten(1).T
        found = torch.full((len(maps), n_classes), torch.nan, dtype=torch.float64)
        for number in range(n_classes):
            is_class = own[:, 1] == number
            if is_class.any():
                found[:, number] = values[:, is_class].amax(1)
        # A class that the picture does not show is left out of the mean; infinity is not.
        found[is_rounding] = torch.inf
        return found

    def work():
        found = []
        for layer in layers.split(","):
            with GradCAM(model=network, target_layers=[network.get_submodule(layer)]) as cam:
                found.append(torch.stack([of_picture(cam, i) for i in range(len(batch))]).nanmean(0))
        found = torch.cat(found).flatten()
        return torch.where(found.isinf(), torch.nan, found).numpy()

    return work


def weights_file(path):
    """Reads a file of weights; the numbers are the means of its tensors in the order of their names."""

    def work():
        if path.endswith(".pth"):
            tensors = torch.load(path, weights_only=True)
        else:
            tensors = load_file(path)
        return [float(tensors[key].double().mean()) for key in sorted(tensors)[:3]]

    return work


if __name__ == "__main__":
    scripts = {"weights": weights, "folder": folder}
    if sys.argv[1] in scripts:
        scripts[sys.argv[1]](*sys.argv[2:])
    else:
        versions = {
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
            "pillow": PIL.__version__,
        }
        tasks = {"forward": forward, "gradcam": gradcam, "sensitivity": sensitivity, "weights-file": weights_file}
        clock.main(tasks, versions)
