//! The Python names that a weights file may use.

use crate::weights::number::Number;

/// What calling an allowed name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::weights) enum Class {
    /// A dictionary in order.
    OrderedDict,
    /// (storage, offset, shape, strides, …) → tensor.
    Tensor,
    /// (value, …) → that value.
    First,
    /// Kind of a storage.
    Storage(Number),
    /// A module of a TorchScript program: its attributes and nothing else.
    Module,
    /// Something that is no weight, whatever it is called with.
    Opaque,
}

/// Storage classes, and what they hold.
const STORAGES: [(&str, Number); 11] = [
    ("BoolStorage", Number::Bool),
    ("ByteStorage", Number::U8),
    ("UntypedStorage", Number::U8),
    ("CharStorage", Number::I8),
    ("ShortStorage", Number::I16),
    ("IntStorage", Number::I32),
    ("LongStorage", Number::I64),
    ("HalfStorage", Number::F16),
    ("BFloat16Storage", Number::Bf16),
    ("FloatStorage", Number::F32),
    ("DoubleStorage", Number::F64),
];

/// Numbers without weights: what `torch.dtype` constants are called.
const DTYPES: [&str; 27] = [
    "bfloat16",
    "bits16",
    "bits1x8",
    "bits2x4",
    "bits4x2",
    "bits8",
    "bool",
    "complex32",
    "complex64",
    "complex128",
    "float16",
    "float32",
    "float64",
    "float8_e4m3fn",
    "float8_e5m2",
    "int8",
    "int16",
    "int32",
    "int64",
    "qint8",
    "qint32",
    "quint8",
    "quint2x4",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
];

impl Class {
    /// What the name stands for; `None` when it is not allowed.
    pub fn named(module: &str, name: &str) -> Option<Self> {
        match (module, name) {
            ("collections", "OrderedDict") => Some(Self::OrderedDict),
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Some(Self::Tensor),
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state")
            | ("torch", "Size")
            | (
                "torch.jit._pickle",
                "build_boollist" | "build_doublelist" | "build_intlist" | "build_tensorlist"
                | "restore_type_tag",
            ) => Some(Self::First),
            ("torch" | "torch.cuda" | "torch.storage", storage) if storage.ends_with("Storage") => {
                STORAGES
                    .iter()
                    .find(|(name, _)| *name == storage)
                    .map(|(_, number)| Self::Storage(*number))
            }
            ("torch", "device" | "Generator")
            | ("argparse", "Namespace")
            | ("_codecs", "encode")
            | ("collections", "Counter" | "defaultdict")
            | (
                "builtins" | "__builtin__",
                "set" | "frozenset" | "dict" | "list" | "complex" | "bytearray",
            )
            | ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar" | "_reconstruct")
            | ("numpy", "dtype" | "ndarray")
            | ("numpy.dtypes", _)
            | ("pathlib", "Path" | "PosixPath" | "WindowsPath" | "PurePosixPath") => {
                Some(Self::Opaque)
            }
            ("torch", dtype) if DTYPES.contains(&dtype) => Some(Self::Opaque),
            (module, _) if module == "__torch__" || module.starts_with("__torch__.") => {
                Some(Self::Module)
            }
            _ => None,
        }
    }
}
