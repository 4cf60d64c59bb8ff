//! Pickles of tensors, read without executing anything.
//!
//! A pickle is a program for a stack machine that may call any Python function by name. This machine
//! knows a fixed list of names ([`class`]), builds plain values for them, and refuses a file with
//! any other. Values lie in a list and refer to one another by position, so that sharing costs
//! nothing and cycles do no harm.
//!
//! # References
//!
//! The opcodes of protocols 2 to 5 as documented in Python's `pickletools`.

mod class;
mod machine;

pub(super) use machine::load;

use super::number::Number;

/// A value, or where it lies in [`Pickle::items`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    None,
    Bool,
    Int(i64),
    Float,
    Item(usize),
}

/// A value that is made of others.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Text(String),
    /// An integer of more than 64 bits, little-endian.
    Long(Vec<u8>),
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// A module of a TorchScript program, with the dict of its attributes.
    Module(Value),
    Class(class::Class),
    Storage(Storage),
    Tensor(Tensor),
    /// Something that is no weight; nothing is known about it.
    Opaque,
}

/// Numbers that lie outside of the pickle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Storage {
    pub number: Number,
    /// Position of the text that names it.
    pub key: usize,
    pub n_values: u64,
    /// The part of the numbers that it shows, as (first, number), where it is not all.
    pub view: Option<(u64, u64)>,
}

/// A view of a storage.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    /// Position of its storage.
    pub storage: usize,
    /// First value.
    pub offset: u64,
    pub shape: Vec<usize>,
    /// Step along each axis in values.
    pub strides: Vec<usize>,
}

/// What a pickle makes.
#[derive(Debug)]
pub(super) struct Pickle {
    pub items: Vec<Item>,
    pub root: Value,
    /// Bytes that it takes.
    pub n_bytes: usize,
}

impl Pickle {
    pub fn item(&self, value: Value) -> Option<&Item> {
        match value {
            Value::Item(idx) => self.items.get(idx),
            _ => None,
        }
    }

    pub fn text(&self, value: Value) -> Option<&str> {
        match self.item(value)? {
            Item::Text(text) => Some(text),
            _ => None,
        }
    }
}
