//! The stack machine.

use std::collections::HashMap;

use super::class::Class;
use super::{Item, Pickle, Storage, Tensor, Value};
use crate::{IoError, Limits, Result};

const FORMAT: &str = "PyTorch file";

/// Most opcodes of one pickle; a checkpoint with optimizer state has thousands.
const MAX_OPCODES: usize = 1 << 24;
/// Most values that wait on the stack.
const MAX_STACK: usize = 1 << 20;
/// Longest text in bytes.
const MAX_TEXT: usize = 1 << 20;
/// Most axes of a tensor, as in PyTorch.
const MAX_RANK: usize = 64;

/// Runs the pickle that `bytes` begin with.
///
/// # Errors
///
/// [`IoError::PythonObject`] for a name that is not allowed, [`IoError::OverLimit`],
/// [`IoError::Truncated`], [`IoError::Malformed`], [`IoError::Unsupported`] for an opcode that no
/// weights need.
pub(in crate::weights) fn load(bytes: &[u8], limits: &Limits) -> Result<Pickle> {
    let mut machine = Machine {
        bytes,
        position: 0,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        items: Vec::new(),
        n_left: limits.max_values,
        max_values: limits.max_values,
    };
    for _ in 0..MAX_OPCODES {
        if let Some(root) = machine.step()? {
            return Ok(Pickle {
                items: machine.items,
                root,
                n_bytes: machine.position,
            });
        }
    }
    Err(fixed_limit("opcodes of the pickle", MAX_OPCODES))
}

struct Machine<'a> {
    bytes: &'a [u8],
    position: usize,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    items: Vec<Item>,
    /// Values that may still be made.
    n_left: usize,
    max_values: usize,
}

impl<'a> Machine<'a> {
    /// Does one opcode; gives the result at the last.
    fn step(&mut self) -> Result<Option<Value>> {
        let at = self.position;
        match self.take::<1>()?[0] {
            b'.' => return Ok(Some(self.pop()?)),
            // Protocol number and length of a frame.
            0x80 => drop(self.take::<1>()?),
            0x95 => drop(self.take::<8>()?),

            b'N' => self.push(Value::None)?,
            0x88 | 0x89 => self.push(Value::Bool)?,
            b'J' => {
                let value = i32::from_le_bytes(self.take()?);
                self.push(Value::Int(value.into()))?;
            }
            b'K' => {
                let [value] = self.take()?;
                self.push(Value::Int(value.into()))?;
            }
            b'M' => {
                let value = u16::from_le_bytes(self.take()?);
                self.push(Value::Int(value.into()))?;
            }
            0x8a => {
                let [length] = self.take()?;
                self.long(length.into())?;
            }
            b'G' => {
                self.take::<8>()?;
                self.push(Value::Float)?;
            }
            b'X' | b'T' => {
                let length = u32::from_le_bytes(self.take()?);
                self.text(length.into())?;
            }
            0x8c | b'U' => {
                let [length] = self.take()?;
                self.text(length.into())?;
            }
            0x8d => {
                let length = u64::from_le_bytes(self.take()?);
                self.text(length)?;
            }
            b'B' => {
                let length = u32::from_le_bytes(self.take()?);
                self.opaque_bytes(length.into())?;
            }
            b'C' => {
                let [length] = self.take()?;
                self.opaque_bytes(length.into())?;
            }
            0x8e | 0x96 => {
                let length = u64::from_le_bytes(self.take()?);
                self.opaque_bytes(length)?;
            }

            b'(' => {
                self.marks.push(self.stack.len());
                within("marks of the pickle", self.marks.len(), MAX_STACK)?;
            }
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_to_mark()?),
            b'2' => {
                let top = self.pop()?;
                self.push(top)?;
                self.push(top)?;
            }

            b')' => self.make(Item::Tuple(Vec::new()))?,
            0x85..=0x87 => {
                let n = usize::from(self.bytes[at] - 0x84);
                let values = self.pop_n(n)?;
                self.make(Item::Tuple(values))?;
            }
            b't' => {
                let values = self.pop_to_mark()?;
                self.make(Item::Tuple(values))?;
            }
            b']' => self.make(Item::List(Vec::new()))?,
            b'l' => {
                let values = self.pop_to_mark()?;
                self.make(Item::List(values))?;
            }
            b'a' => {
                let values = self.pop_n(1)?;
                self.append(&values)?;
            }
            b'e' => {
                let values = self.pop_to_mark()?;
                self.append(&values)?;
            }
            b'}' => self.make(Item::Dict(Vec::new()))?,
            b'd' => {
                let pairs = pairs(&self.pop_to_mark()?)?;
                self.make(Item::Dict(pairs))?;
            }
            b's' => {
                let values = self.pop_n(2)?;
                self.set(&values)?;
            }
            b'u' => {
                let values = self.pop_to_mark()?;
                self.set(&values)?;
            }
            // Sets hold no weights: an empty one, members, a frozen one.
            0x8f => self.make(Item::Opaque)?,
            0x90 => drop(self.pop_to_mark()?),
            0x91 => {
                self.pop_to_mark()?;
                self.make(Item::Opaque)?;
            }

            b'q' => {
                let [key] = self.take()?;
                self.remember(key.into())?;
            }
            b'r' => {
                let key = u32::from_le_bytes(self.take()?);
                self.remember(key)?;
            }
            0x94 => {
                let key = self.memo.len() as u32;
                self.remember(key)?;
            }
            b'h' => {
                let [key] = self.take()?;
                self.recall(key.into())?;
            }
            b'j' => {
                let key = u32::from_le_bytes(self.take()?);
                self.recall(key)?;
            }

            b'c' => {
                let module = self.line()?;
                let name = self.line()?;
                self.class(module, name)?;
            }
            0x93 => {
                let named = self.pop_n(2)?;
                let text = |value: Value| match self.item(value) {
                    Some(Item::Text(text)) => Ok(text.clone()),
                    _ => Err(malformed("the name of a class", "another value", "text")),
                };
                let (module, name) = (text(named[0])?, text(named[1])?);
                self.class(&module, &name)?;
            }
            b'R' | 0x81 => {
                let called = self.pop_n(2)?;
                self.call(called[0], called[1])?;
            }
            0x92 => {
                let called = self.pop_n(3)?;
                self.call(called[0], called[1])?;
            }
            b'b' => {
                let state = self.pop()?;
                self.build(state)?;
            }
            b'Q' => {
                let id = self.pop()?;
                let storage = self.storage(id)?;
                self.make(Item::Storage(storage))?;
            }
            opcode => {
                return Err(IoError::Unsupported {
                    what: format!("pickle opcode 0x{opcode:02x} at byte {at}"),
                    cure: "save the state_dict again with torch.save and its default protocol",
                });
            }
        }
        Ok(None)
    }

    fn bytes(&mut self, length: u64) -> Result<&'a [u8]> {
        let left = &self.bytes[self.position..];
        let taken = usize::try_from(length)
            .ok()
            .and_then(|length| left.get(..length))
            .ok_or(IoError::Truncated {
                what: "the pickle",
                expected: length,
                found: left.len() as u64,
            })?;
        self.position += taken.len();
        Ok(taken)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N as u64)?);
        Ok(array)
    }

    /// Text up to the end of the line.
    fn line(&mut self) -> Result<&'a str> {
        let left = &self.bytes[self.position..];
        let head = &left[..left.len().min(MAX_TEXT)];
        let length = head
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or(IoError::Truncated {
                what: "a name of the pickle",
                expected: head.len() as u64 + 1,
                found: head.len() as u64,
            })?;
        self.position += length + 1;
        std::str::from_utf8(&left[..length])
            .map_err(|error| malformed("the name of a class", error, "text in UTF-8"))
    }

    fn item(&self, value: Value) -> Option<&Item> {
        match value {
            Value::Item(idx) => self.items.get(idx),
            _ => None,
        }
    }

    fn push(&mut self, value: Value) -> Result<()> {
        self.stack.push(value);
        within(
            "values on the stack of the pickle",
            self.stack.len(),
            MAX_STACK,
        )
    }

    /// Counts values that are made, be it many by one opcode.
    fn spend(&mut self, n: usize) -> Result<()> {
        self.n_left = self.n_left.checked_sub(n).ok_or(IoError::OverLimit {
            what: "values of the pickle",
            found: (self.max_values as u64).saturating_add(1),
            limit: self.max_values as u64,
            raise: "max_values",
        })?;
        Ok(())
    }

    /// Puts a new item on the stack.
    fn make(&mut self, item: Item) -> Result<()> {
        self.spend(1)?;
        self.items.push(item);
        self.push(Value::Item(self.items.len() - 1))
    }

    /// Values below the last mark belong to somebody else.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Value> {
        Ok(self.pop_n(1)?[0])
    }

    /// The top `n` values, lowest first.
    fn pop_n(&mut self, n: usize) -> Result<Vec<Value>> {
        match self.stack.len().checked_sub(n) {
            Some(start) if start >= self.floor() => Ok(self.stack.split_off(start)),
            _ => Err(malformed("the stack of the pickle", "empty", "a value")),
        }
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>> {
        let mark = self
            .marks
            .pop()
            .ok_or_else(|| malformed("the stack of the pickle", "without a mark", "a mark"))?;
        Ok(self.stack.split_off(mark))
    }

    /// The item on top of the stack, which stays there.
    fn top(&mut self) -> Result<&mut Item> {
        match self.stack.get(self.floor()..).and_then(<[_]>::last) {
            Some(Value::Item(idx)) => Ok(&mut self.items[*idx]),
            _ => Err(malformed(
                "the stack of the pickle",
                "a plain value",
                "a container",
            )),
        }
    }

    fn long(&mut self, length: u64) -> Result<()> {
        let bytes = self.bytes(length)?;
        if bytes.len() > 8 {
            return self.make(Item::Long(bytes.to_vec()));
        }
        let negative = bytes.last().is_some_and(|last| last & 0x80 != 0);
        let mut whole = if negative { [0xff; 8] } else { [0; 8] };
        whole[..bytes.len()].copy_from_slice(bytes);
        self.push(Value::Int(i64::from_le_bytes(whole)))
    }

    fn text(&mut self, length: u64) -> Result<()> {
        within_u64("bytes of a text of the pickle", length, MAX_TEXT as u64)?;
        let bytes = self.bytes(length)?;
        // Texts of Python 2 may be anything; the names of tensors are plain.
        self.make(Item::Text(String::from_utf8_lossy(bytes).into_owned()))
    }

    fn opaque_bytes(&mut self, length: u64) -> Result<()> {
        self.bytes(length)?;
        self.make(Item::Opaque)
    }

    fn remember(&mut self, key: u32) -> Result<()> {
        let top = self
            .stack
            .get(self.floor()..)
            .and_then(<[_]>::last)
            .copied();
        let top = top.ok_or_else(|| malformed("the stack of the pickle", "empty", "a value"))?;
        self.memo.insert(key, top);
        within(
            "remembered values of the pickle",
            self.memo.len(),
            MAX_OPCODES / 4,
        )
    }

    fn recall(&mut self, key: u32) -> Result<()> {
        let value = *self.memo.get(&key).ok_or_else(|| {
            malformed("a reference of the pickle", key, "a value that came before")
        })?;
        self.push(value)
    }

    fn append(&mut self, values: &[Value]) -> Result<()> {
        match self.top()? {
            Item::List(list) => list.extend(values),
            Item::Opaque => {}
            _ => {
                return Err(malformed(
                    "a list of the pickle",
                    "something else",
                    "a list",
                ));
            }
        }
        Ok(())
    }

    fn set(&mut self, values: &[Value]) -> Result<()> {
        let added = pairs(values)?;
        match self.top()? {
            Item::Dict(dict) => dict.extend(added),
            Item::Opaque => {}
            _ => {
                return Err(malformed(
                    "a dict of the pickle",
                    "something else",
                    "a dict",
                ));
            }
        }
        Ok(())
    }

    fn class(&mut self, module: &str, name: &str) -> Result<()> {
        match Class::named(module, name) {
            Some(class) => self.make(Item::Class(class)),
            None => Err(IoError::PythonObject {
                name: format!("{module}.{name}").chars().take(200).collect(),
            }),
        }
    }

    fn call(&mut self, callee: Value, arguments: Value) -> Result<()> {
        let (Some(Item::Class(class)), Some(Item::Tuple(arguments))) =
            (self.item(callee), self.item(arguments))
        else {
            return Err(malformed(
                "a call of the pickle",
                "of something else",
                "a class with a tuple of arguments",
            ));
        };
        let first = arguments.first().copied();
        let item = match class {
            Class::OrderedDict => Item::Dict(match first {
                Some(list) => self.entries(list)?,
                None => Vec::new(),
            }),
            Class::Tensor => {
                let tensor = self.tensor(arguments)?;
                self.spend(2 * tensor.shape.len())?;
                Item::Tensor(tensor)
            }
            Class::First => match first {
                Some(first) => return self.push(first),
                None => Item::Opaque,
            },
            Class::Module => Item::Module(Value::None),
            Class::Opaque | Class::Storage(_) => Item::Opaque,
        };
        self.make(item)
    }

    /// The entries of `OrderedDict([(key, value), …])`, as Python 2 writes it.
    fn entries(&mut self, list: Value) -> Result<Vec<(Value, Value)>> {
        let n = match self.item(list) {
            Some(Item::List(entries) | Item::Tuple(entries)) => entries.len(),
            _ => 0,
        };
        self.spend(n)?;
        let Some(Item::List(entries) | Item::Tuple(entries)) = self.item(list) else {
            return Err(malformed(
                "an OrderedDict",
                "of something else",
                "a list of pairs",
            ));
        };
        entries
            .iter()
            .map(|entry| match self.item(*entry) {
                Some(Item::List(pair) | Item::Tuple(pair)) if pair.len() == 2 => {
                    Ok((pair[0], pair[1]))
                }
                _ => Err(malformed(
                    "an entry of an OrderedDict",
                    "something else",
                    "a pair",
                )),
            })
            .collect()
    }

    fn build(&mut self, state: Value) -> Result<()> {
        // Attributes of anything but a module (a state dict's `_metadata`) are no weights.
        if let Item::Module(attributes) = self.top()? {
            *attributes = state;
        }
        Ok(())
    }

    fn storage(&self, id: Value) -> Result<Storage> {
        let wrong = |found: &str| {
            malformed(
                "a persistent id",
                found,
                "('storage', class, key, device, number of values)",
            )
        };
        let Some(Item::Tuple(id)) = self.item(id) else {
            return Err(wrong("no tuple"));
        };
        match id.first().and_then(|value| self.item(*value)) {
            Some(Item::Text(kind)) if kind == "storage" => {}
            _ => return Err(wrong("of another kind")),
        }
        let key = match id.get(2) {
            Some(Value::Item(key)) if matches!(self.items[*key], Item::Text(_)) => *key,
            _ => return Err(wrong("without a key")),
        };
        let Some(Item::Class(Class::Storage(number))) = id.get(1).and_then(|v| self.item(*v))
        else {
            return Err(wrong("without a storage class"));
        };
        let view = match id.get(5).and_then(|value| self.item(*value)) {
            Some(Item::Tuple(view)) => match view[..] {
                [_, Value::Int(first), Value::Int(n)] => Some((unsigned(first)?, unsigned(n)?)),
                _ => return Err(wrong("with another view")),
            },
            _ => None,
        };
        let Some(Value::Int(n_values)) = id.get(4) else {
            return Err(wrong("without a number of values"));
        };
        Ok(Storage {
            number: *number,
            key,
            n_values: unsigned(*n_values)?,
            view,
        })
    }

    fn tensor(&self, arguments: &[Value]) -> Result<Tensor> {
        let wrong = || {
            malformed(
                "a tensor",
                "rebuilt from something else",
                "(storage, offset, shape, strides)",
            )
        };
        let [storage, Value::Int(offset), shape, strides, ..] = arguments else {
            return Err(wrong());
        };
        let storage = match storage {
            Value::Item(idx) if matches!(self.items[*idx], Item::Storage(_)) => *idx,
            _ => return Err(wrong()),
        };
        let extents = |value: Value| match self.item(value) {
            Some(Item::Tuple(extents) | Item::List(extents)) if extents.len() <= MAX_RANK => {
                extents
                    .iter()
                    .map(|extent| match extent {
                        Value::Int(extent) => usize::try_from(*extent).map_err(|_| wrong()),
                        _ => Err(wrong()),
                    })
                    .collect::<Result<Vec<usize>>>()
            }
            _ => Err(wrong()),
        };
        let (shape, strides) = (extents(*shape)?, extents(*strides)?);
        if shape.len() != strides.len() {
            return Err(wrong());
        }
        Ok(Tensor {
            storage,
            offset: unsigned(*offset)?,
            shape,
            strides,
        })
    }
}

fn pairs(values: &[Value]) -> Result<Vec<(Value, Value)>> {
    let (pairs, rest) = values.as_chunks::<2>();
    if rest.is_empty() {
        Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
    } else {
        Err(malformed(
            "a dict of the pickle",
            "a key without its value",
            "pairs",
        ))
    }
}

fn unsigned(value: i64) -> Result<u64> {
    u64::try_from(value).map_err(|_| malformed("a size", value, "one that is not negative"))
}

fn malformed(what: &'static str, found: impl std::fmt::Display, expected: &'static str) -> IoError {
    IoError::malformed(FORMAT, what, found, expected)
}

fn within(what: &'static str, found: usize, limit: usize) -> Result<()> {
    within_u64(what, found as u64, limit as u64)
}

fn within_u64(what: &'static str, found: u64, limit: u64) -> Result<()> {
    if found > limit {
        return Err(IoError::malformed(FORMAT, what, found, "a sensible number"));
    }
    Ok(())
}

fn fixed_limit(what: &'static str, limit: usize) -> IoError {
    IoError::malformed(
        FORMAT,
        what,
        format!("more than {limit}"),
        "a sensible number",
    )
}
