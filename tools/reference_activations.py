"""Records the activations of a PyTorch model, for `consilience models verify --reference FILE`.

    python tools/reference_activations.py --model resnet50 --weights IMAGENET1K_V2 \\
        --image cat.png --out resnet50.npz
    consilience models verify resnet50.IMAGENET1K_V2 --image cat.png --reference resnet50.npz

`--model` is a torchvision name; for any other model import `record` and `write`:

    from reference_activations import record, write
    write("mine.npz", record(model, images))   # images: a tensor (1, 3, height, width)

Names are those of `consilience models show`: a module's path, and for a module that is called several
times in one pass `path`, `path_1`, `path_2` in order of the calls. Each output is copied at once,
before whatever acts on it in place. Needs torch and numpy; torchvision and Pillow for the command.
"""

import argparse

import numpy as np
import torch


def record(model, images):
    """Outputs of every module that gives one tensor, by name, without the axis of images."""
    outputs, calls, handles = {}, {}, []

    def hook(path):
        def keep(_module, _inputs, output):
            if not torch.is_tensor(output) or output.shape[:1] != images.shape[:1]:
                return
            n_before = calls.get(path, 0)
            calls[path] = n_before + 1
            name = path if n_before == 0 else f"{path}_{n_before}"
            outputs[name] = output[0].detach().clone().to("cpu", torch.float32)

        return keep

    for path, module in model.named_modules():
        if path:
            handles.append(module.register_forward_hook(hook(path)))
    was_training = model.training
    try:
        model.eval()
        with torch.inference_mode():
            model(images)
    finally:
        model.train(was_training)
        for handle in handles:
            handle.remove()
    return outputs


def write(path, outputs):
    """Writes what `record` gave: `.npz`, or `.safetensors` where that package is installed."""
    arrays = {name: value.contiguous().numpy() for name, value in outputs.items()}
    if str(path).endswith(".safetensors"):
        from safetensors.numpy import save_file

        save_file(arrays, path)
    else:
        np.savez(path, **arrays)


def main():
    parser = argparse.ArgumentParser(description="Records the activations of a torchvision model.")
    parser.add_argument("--model", required=True, help="name in torchvision.models")
    parser.add_argument("--weights", required=True, help="weights entry (IMAGENET1K_V1) or a file")
    parser.add_argument("--image", required=True)
    parser.add_argument("--out", required=True, help=".npz or .safetensors")
    args = parser.parse_args()

    from PIL import Image
    from torchvision.models import get_model, get_model_weights

    entries = get_model_weights(args.model)
    if args.weights in entries.__members__:
        weights = entries[args.weights]
        model = get_model(args.model, weights=weights)
    else:
        weights = entries.DEFAULT if len(entries) == 1 else entries.IMAGENET1K_V1
        model = get_model(args.model, weights=None)
        state = torch.load(args.weights, map_location="cpu", weights_only=True)
        model.load_state_dict(state)
    with Image.open(args.image) as image:
        images = weights.transforms()(image.convert("RGB")).unsqueeze(0)
    outputs = record(model, images)
    write(args.out, outputs)
    print(f"{len(outputs)} layers in {args.out}")


if __name__ == "__main__":
    main()
