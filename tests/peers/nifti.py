"""Opens with nibabel what the library wrote.

    CONSILIENCE_NIFTI_OUT=FOLDER cargo test -p consilience-io images_for_nibabel
    python tests/peers/nifti.py FOLDER

FOLDER then holds ramp.nii, ramp.nii.gz (a formula over x, y, z and t), skewed.nii, long.nii.gz (NIfTI-2)
and masked.nii.gz. Needs the packages of fixtures/generate/requirements-nifti.txt.
"""

import sys
from pathlib import Path

import nibabel as nib
import numpy as np

folder = Path(sys.argv[1])
n_checks = 0


def check(what, holds):
    global n_checks
    assert holds, what
    n_checks += 1


def same(what, found, expected, tolerance=0.0):
    found, expected = np.asarray(found), np.asarray(expected)
    check(f"{what}: shape {found.shape}, expected {expected.shape}", found.shape == expected.shape)
    error = np.max(np.abs(found - expected), initial=0)
    check(f"{what}: differs by {error:.3g}, allowed {tolerance}", error <= tolerance)


OBLIQUE = np.array(
    [[1.2, -2.4, 0, 10], [1.6, 1.8, 0, -20.5], [0, 0, -4, 30.25], [0, 0, 0, 1]], dtype=float
)
SKEWED = OBLIQUE.copy()
SKEWED[0, 1] += 0.5

x, y, z, t = np.indices((3, 4, 5, 2))
ramp = (x + 10 * y + 100 * z).astype(np.float32) + np.float32(0.5) * t.astype(np.float32)

for name, affine, has_qform in [
    ("ramp.nii", OBLIQUE, True),
    ("ramp.nii.gz", OBLIQUE, True),
    ("skewed.nii", SKEWED, False),
]:
    image = nib.load(folder / name)
    check(f"{name}: class", type(image) is nib.Nifti1Image)
    same(f"{name}: values", image.get_fdata(), ramp)
    same(f"{name}: affine", image.affine, affine, 1e-6)
    sform, s_code = image.get_sform(coded=True)
    qform, q_code = image.get_qform(coded=True)
    check(f"{name}: codes", (s_code, q_code) == (4, 4 if has_qform else 0))
    if has_qform:
        same(f"{name}: qform", qform, affine, 1e-5)
    header = image.header
    check(f"{name}: type", header.get_data_dtype() == np.float32)
    check(f"{name}: units", header.get_xyzt_units() == ("mm", "sec"))
    sizes = np.sqrt((affine[:3, :3] ** 2).sum(0))
    same(f"{name}: zooms", header.get_zooms(), [*sizes, 2.5], 1e-6)
    check(f"{name}: text", header["descrip"].item().decode() == "Prüfung")
    check(f"{name}: extensions", len(header.extensions) == 0)
    # Without its checks mending anything: nibabel finds nothing to report.
    check(f"{name}: checks", "".join(type(header).diagnose_binaryblock(header.binaryblock)) == "")

image = nib.load(folder / "long.nii.gz")
check("long: class", type(image) is nib.Nifti2Image)
same("long: values", image.get_fdata()[:, 0, 0], np.arange(40_000))
same("long: affine", image.affine, SKEWED, 1e-15)

image = nib.load(folder / "masked.nii.gz")
inside = (x + 2 * y + 3 * z)[..., 0] % 3 == 0
n_inside = int(inside.sum())
data = image.get_fdata()
same("masked: values", data[inside].T, np.arange(2 * n_inside).reshape(2, n_inside))
check("masked: outside", np.isnan(data[~inside]).all())

print(f"{n_checks} checks: nibabel {nib.__version__} reads what was written")
