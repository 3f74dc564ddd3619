//! The wire format of protocol buffers, as far as PBF has need of it.
//!
//! <https://protobuf.dev/programming-guides/encoding/>

/// What is wrong with some bytes, in a word or two for the text of a fault.
pub(super) type Broken = &'static str;

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field<'a> {
    /// A whole number; how it is signed depends on the field.
    Varint(u64),
    /// A string, a message, or packed numbers.
    Bytes(&'a [u8]),
    /// A number of four or eight bytes, which no field of PBF has.
    Fixed,
}

/// The fields of a message in the order of its bytes, by number. After an error there are no more.
#[derive(Debug, Clone)]
pub(super) struct Message<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Message<'a> {
    type Item = Result<(u64, Field<'a>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = field(&mut self.0);
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

fn field<'a>(bytes: &mut &'a [u8]) -> Result<(u64, Field<'a>), Broken> {
    let tag = varint(bytes)?;
    let value = match tag & 7 {
        0 => Field::Varint(varint(bytes)?),
        1 => take(bytes, 8).map(|_| Field::Fixed)?,
        2 => {
            let length = varint(bytes)?;
            Field::Bytes(take(bytes, length)?)
        }
        5 => take(bytes, 4).map(|_| Field::Fixed)?,
        _ => return Err("wire type"),
    };
    Ok((tag >> 3, value))
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Result<&'a [u8], Broken> {
    let (part, rest) =
        usize::try_from(length).ok().and_then(|n| bytes.split_at_checked(n)).ok_or("truncated")?;
    *bytes = rest;
    Ok(part)
}

/// A number of one to ten bytes, seven bits in each, the lowest first.
pub(super) fn varint(bytes: &mut &[u8]) -> Result<u64, Broken> {
    let mut value = 0_u64;
    for shift in (0..70).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or("truncated")?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return Err("varint");
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("varint")
}

/// Calls `each` with every number of a packed field.
pub(super) fn packed(
    mut bytes: &[u8],
    mut each: impl FnMut(u64) -> Result<(), Broken>,
) -> Result<(), Broken> {
    while !bytes.is_empty() {
        each(varint(&mut bytes)?)?;
    }
    Ok(())
}

/// A number that is written with its sign in the lowest bit.
pub(super) const fn zigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Appends a number as [`varint`] reads it.
pub(super) fn push_varint(mut value: u64, out: &mut Vec<u8>) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_as_they_were_written() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX >> 1, u64::MAX] {
            let mut bytes = Vec::new();
            push_varint(value, &mut bytes);
            assert_eq!(varint(&mut bytes.as_slice()), Ok(value));
        }
        assert_eq!([0, 1, 2, 3, u64::MAX].map(zigzag), [0, -1, 1, -2, i64::MIN]);
    }

    #[test]
    fn what_is_no_message_is_said_once() {
        let all = |bytes: &'static [u8]| Message(bytes).collect::<Vec<_>>();
        assert_eq!(all(&[]), []);
        assert_eq!(all(&[0x08, 0x05]), [Ok((1, Field::Varint(5)))]);
        assert_eq!(all(&[0x08]), [Err("truncated")]);
        assert_eq!(all(&[0x0a, 0x05, 0x01]), [Err("truncated")]);
        assert_eq!(all(&[0x0d, 1, 2, 3, 4, 0x0b]), [Ok((1, Field::Fixed)), Err("wire type")]);
        assert_eq!(
            all(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
            [Err("truncated")]
        );
        assert_eq!(varint(&mut [0xff; 11].as_slice()), Err("varint"));
        assert_eq!(
            varint(&mut [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02].as_slice()),
            Err("varint")
        );
    }
}
