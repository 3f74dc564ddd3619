//! What a block must be before `osmpbf` sees it.
//!
//! The library takes blocks as their writers mean them. It adds differences up without regard to overflow,
//! stops at the shortest of arrays that belong together, ends the tags of an object at the first string that is
//! not there, panics at a kind of member that it does not know, and keeps a message of two bytes in some two
//! hundred. Blocks that pass this file do none of it.

use super::wire::{Broken, Field, Message, packed, zigzag};

/// Bytes of a block at most, as the format says.
pub(super) const MAX_BLOCK: u64 = 32 * 1024 * 1024 - 1;

/// Messages of a block at most: groups, objects, their metadata. Writers put 8,000 objects into one.
const MAX_MESSAGES: u64 = 1 << 20;

/// Strings of a block at most.
const MAX_STRINGS: usize = 1 << 20;

/// Numbers in the arrays of a block at most.
const MAX_NUMBERS: u64 = 1 << 23;

/// Ids at most, by amount. Those of OpenStreetMap are below 2^34; keys beyond are our own.
pub(super) const MAX_ID: u64 = 1 << 62;

/// What is in a block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Holds {
    pub(super) nodes: bool,
    /// Ways or relations.
    pub(super) others: bool,
    /// Whether `barrier` is among its strings.
    pub(super) barriers: bool,
}

/// Checks a `PrimitiveBlock`.
pub(super) fn block(bytes: &[u8]) -> Result<Holds, Broken> {
    let mut check = Check { strings: 0, scale: 100, offsets: [0, 0], messages: 0, numbers: 0 };
    let mut holds = Holds::default();
    let mut seen_strings = false;
    for field in Message(bytes) {
        match field? {
            (1, Field::Bytes(_)) if seen_strings => return Err("stringtable: twice"),
            (1, Field::Bytes(table)) => {
                seen_strings = true;
                check.strings(table, &mut holds)?;
            }
            (17, Field::Varint(value)) => check.scale = i64::from(int32(value)?),
            (19, Field::Varint(value)) => check.offsets[0] = value.cast_signed(),
            (20, Field::Varint(value)) => check.offsets[1] = value.cast_signed(),
            (18, Field::Varint(value)) => drop(int32(value)?),
            (1 | 2 | 17..=20, Field::Varint(_) | Field::Fixed) | (17..=20, Field::Bytes(_)) => {
                return Err("wire type");
            }
            _ => {}
        }
    }
    if check.scale < 1 {
        return Err("granularity");
    }
    for field in Message(bytes) {
        if let (2, Field::Bytes(group)) = field? {
            check.message()?;
            check.group(group, &mut holds)?;
        }
    }
    Ok(holds)
}

struct Check {
    /// Number of strings.
    strings: usize,
    /// Billionths of a degree.
    scale: i64,
    /// Latitude and longitude, billionths of a degree.
    offsets: [i64; 2],
    messages: u64,
    numbers: u64,
}

/// A sum of differences.
#[derive(Default)]
struct Sum {
    value: i64,
    count: u64,
}

impl Sum {
    fn add(&mut self, difference: u64) -> Result<i64, Broken> {
        self.value = self.value.checked_add(zigzag(difference)).ok_or("overflow")?;
        self.count += 1;
        Ok(self.value)
    }

    fn add_id(&mut self, difference: u64) -> Result<(), Broken> {
        self.add(difference).and_then(id)
    }

    /// The library adds these as 32 bits.
    fn add_narrow(&mut self, difference: u64) -> Result<(), Broken> {
        u32::try_from(difference).map_err(|_| "overflow")?;
        self.add(difference).and_then(|sum| i32::try_from(sum).map(drop).map_err(|_| "overflow"))
    }
}

fn id(id: i64) -> Result<(), Broken> {
    if id.unsigned_abs() < MAX_ID { Ok(()) } else { Err("id") }
}

/// A number of 32 bits; one below zero is written as if it had 64.
fn int32(value: u64) -> Result<i32, Broken> {
    i32::try_from(value.cast_signed()).map_err(|_| "overflow")
}

impl Check {
    fn message(&mut self) -> Result<(), Broken> {
        self.messages += 1;
        if self.messages > MAX_MESSAGES { Err("too many objects") } else { Ok(()) }
    }

    /// Goes through a packed field.
    fn array(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(&Self, u64) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        packed(bytes, |value| {
            self.numbers += 1;
            if self.numbers > MAX_NUMBERS {
                return Err("too many numbers");
            }
            each(self, value)
        })
    }

    fn strings(&mut self, table: &[u8], holds: &mut Holds) -> Result<(), Broken> {
        for field in Message(table) {
            let (1, Field::Bytes(text)) = field? else { continue };
            std::str::from_utf8(text).map_err(|_| "utf-8")?;
            holds.barriers |= text == b"barrier";
            self.strings += 1;
            if self.strings > MAX_STRINGS {
                return Err("too many strings");
            }
        }
        Ok(())
    }

    fn string(&self, index: u64) -> Result<(), Broken> {
        let found = usize::try_from(index).is_ok_and(|index| index < self.strings);
        if found { Ok(()) } else { Err("string index") }
    }

    /// Whether the position can be reckoned; where it lies is not asked here.
    fn degrees(&self, axis: usize, value: i64) -> Result<(), Broken> {
        let offset = self.offsets.get(axis).copied().unwrap_or_default();
        let nano = value.checked_mul(self.scale).and_then(|scaled| scaled.checked_add(offset));
        nano.map(drop).ok_or("overflow")
    }

    fn group(&mut self, group: &[u8], holds: &mut Holds) -> Result<(), Broken> {
        let mut dense = false;
        for field in Message(group) {
            match field? {
                (1, Field::Bytes(node)) => {
                    holds.nodes = true;
                    self.node(node)?;
                }
                (2, Field::Bytes(_)) if dense => return Err("dense: twice"),
                (2, Field::Bytes(nodes)) => {
                    dense = true;
                    holds.nodes = true;
                    self.dense(nodes)?;
                }
                (3, Field::Bytes(way)) => {
                    holds.others = true;
                    self.way(way)?;
                }
                (4, Field::Bytes(relation)) => {
                    holds.others = true;
                    self.relation(relation)?;
                }
                (5, Field::Bytes(_)) => self.message()?,
                (1..=5, _) => return Err("wire type"),
                _ => {}
            }
        }
        Ok(())
    }

    fn node(&mut self, node: &[u8]) -> Result<(), Broken> {
        self.message()?;
        let mut tags = Tags::default();
        for field in Message(node) {
            match field? {
                (1, Field::Varint(value)) => id(zigzag(value))?,
                (8, Field::Varint(value)) => self.degrees(0, zigzag(value))?,
                (9, Field::Varint(value)) => self.degrees(1, zigzag(value))?,
                (number @ (2 | 3), Field::Bytes(bytes)) => tags.take(self, number, bytes)?,
                (4, Field::Bytes(_)) => self.message()?,
                (1..=4 | 8 | 9, _) => return Err("wire type"),
                _ => {}
            }
        }
        tags.finish()
    }

    fn dense(&mut self, nodes: &[u8]) -> Result<(), Broken> {
        self.message()?;
        let (mut ids, mut lat, mut lon) = (Sum::default(), Sum::default(), Sum::default());
        // Where the tags stand: at a key, or at the value of one.
        let (mut ends, mut at_value, mut tagged) = (0_u64, false, false);
        let mut info = false;
        for field in Message(nodes) {
            match field? {
                (1, Field::Bytes(bytes)) => self.array(bytes, |_, value| ids.add_id(value))?,
                (8, Field::Bytes(bytes)) => {
                    self.array(bytes, |check, value| check.degrees(0, lat.add(value)?))?;
                }
                (9, Field::Bytes(bytes)) => {
                    self.array(bytes, |check, value| check.degrees(1, lon.add(value)?))?;
                }
                (10, Field::Bytes(bytes)) => self.array(bytes, |check, value| {
                    tagged = true;
                    if !at_value && value == 0 {
                        ends += 1;
                        return Ok(());
                    }
                    at_value = !at_value;
                    check.string(value)
                })?,
                (5, Field::Bytes(_)) if info => return Err("denseinfo: twice"),
                (5, Field::Bytes(bytes)) => {
                    info = true;
                    self.dense_info(bytes)?;
                }
                (1 | 5 | 8..=10, _) => return Err("wire type"),
                _ => {}
            }
        }
        if ids.count != lat.count || ids.count != lon.count {
            return Err("dense: arrays of unequal length");
        }
        if at_value || tagged && ends != ids.count {
            return Err("dense: tags");
        }
        Ok(())
    }

    /// Nothing of it is used, but the library adds it up.
    fn dense_info(&mut self, info: &[u8]) -> Result<(), Broken> {
        self.message()?;
        let mut sums: [Sum; 4] = Default::default();
        let [times, changesets, users, names] = &mut sums;
        for field in Message(info) {
            match field? {
                (1, Field::Bytes(bytes)) => self.array(bytes, |_, value| int32(value).map(drop))?,
                (2, Field::Bytes(bytes)) => self.array(bytes, |_, value| times.add(value).map(drop))?,
                (3, Field::Bytes(bytes)) => self.array(bytes, |_, value| changesets.add(value).map(drop))?,
                (4, Field::Bytes(bytes)) => self.array(bytes, |_, value| users.add_narrow(value))?,
                (5, Field::Bytes(bytes)) => self.array(bytes, |_, value| names.add_narrow(value))?,
                (6, Field::Bytes(bytes)) => self.array(bytes, |_, _| Ok(()))?,
                (1..=6, _) => return Err("wire type"),
                _ => {}
            }
        }
        Ok(())
    }

    fn way(&mut self, way: &[u8]) -> Result<(), Broken> {
        self.message()?;
        let (mut tags, mut refs) = (Tags::default(), Sum::default());
        for field in Message(way) {
            match field? {
                (1, Field::Varint(value)) => id(value.cast_signed())?,
                (number @ (2 | 3), Field::Bytes(bytes)) => tags.take(self, number, bytes)?,
                (4, Field::Bytes(_)) => self.message()?,
                (8, Field::Bytes(bytes)) => self.array(bytes, |_, value| refs.add_id(value))?,
                (9 | 10, Field::Bytes(bytes)) => self.array(bytes, |_, _| Ok(()))?,
                (1..=4 | 8..=10, _) => return Err("wire type"),
                _ => {}
            }
        }
        tags.finish()
    }

    fn relation(&mut self, relation: &[u8]) -> Result<(), Broken> {
        self.message()?;
        let (mut tags, mut members) = (Tags::default(), Sum::default());
        let (mut roles, mut kinds) = (0_u64, 0_u64);
        for field in Message(relation) {
            match field? {
                (1, Field::Varint(value)) => id(value.cast_signed())?,
                (number @ (2 | 3), Field::Bytes(bytes)) => tags.take(self, number, bytes)?,
                (4, Field::Bytes(_)) => self.message()?,
                (8, Field::Bytes(bytes)) => self.array(bytes, |check, value| {
                    roles += 1;
                    check.string(value)
                })?,
                (9, Field::Bytes(bytes)) => self.array(bytes, |_, value| members.add_id(value))?,
                (10, Field::Bytes(bytes)) => self.array(bytes, |_, value| {
                    kinds += 1;
                    if value <= 2 { Ok(()) } else { Err("member type") }
                })?,
                (1..=4 | 8..=10, _) => return Err("wire type"),
                _ => {}
            }
        }
        if roles != members.count || kinds != members.count {
            return Err("members: arrays of unequal length");
        }
        tags.finish()
    }
}

/// The tags of one object, in two arrays.
#[derive(Default)]
struct Tags {
    keys: u64,
    values: u64,
}

impl Tags {
    fn take(&mut self, check: &mut Check, number: u64, bytes: &[u8]) -> Result<(), Broken> {
        let count = if number == 2 { &mut self.keys } else { &mut self.values };
        check.array(bytes, |check, value| {
            *count += 1;
            check.string(value)
        })
    }

    const fn finish(&self) -> Result<(), Broken> {
        if self.keys == self.values { Ok(()) } else { Err("tags: arrays of unequal length") }
    }
}
