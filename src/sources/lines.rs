//! A text as the CSV reader wants it: line feeds only, one at the end, and no record without an end.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Bytes of one record at most. A quote that is never closed would pull the rest of the file into memory.
const MAX_RECORD: u64 = 64 << 20;

/// Bytes handed out since the last record; the reader of records sets it back to zero.
pub(super) type Budget = Rc<Cell<u64>>;

/// Turns CR LF and CR into LF, so that lines can be counted, and ends the last line.
pub(super) struct Lines<R> {
    inner: R,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    /// The last byte was CR: a line feed that follows belongs to it.
    after_cr: bool,
    last: Option<u8>,
    ended: bool,
    budget: Budget,
}

impl<R: Read> Lines<R> {
    /// Reads from `inner`, past a byte order mark.
    pub(super) fn new(inner: R, budget: Budget) -> Self {
        Self {
            inner,
            buffer: vec![0; 1 << 16],
            at: 0,
            filled: 0,
            after_cr: false,
            last: None,
            ended: false,
            budget,
        }
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.budget.get() > MAX_RECORD {
            return Err(io::Error::other(format!("record_bytes > {MAX_RECORD}")));
        }
        let mut n = 0;
        while n < out.len() {
            if self.at >= self.filled {
                if n > 0 || self.ended {
                    break;
                }
                self.filled = self.inner.read(&mut self.buffer)?;
                self.at = 0;
                if self.filled == 0 {
                    self.ended = true;
                    if self.last.is_some_and(|last| last != b'\n')
                        && let Some(slot) = out.first_mut()
                    {
                        *slot = b'\n';
                        n = 1;
                    }
                    break;
                }
            }
            let mut rest = self.buffer.get(self.at..self.filled).unwrap_or_default();
            if std::mem::take(&mut self.after_cr) && rest.first() == Some(&b'\n') {
                self.at += 1;
                rest = rest.get(1..).unwrap_or_default();
            }
            let room = rest.len().min(out.len() - n);
            rest = rest.get(..room).unwrap_or_default();
            // What lies before the next CR is copied in one piece.
            let plain = rest.iter().position(|byte| *byte == b'\r').unwrap_or(room);
            if let (Some(from), Some(to)) = (rest.get(..plain), out.get_mut(n..n + plain)) {
                to.copy_from_slice(from);
                self.last = from.last().copied().or(self.last);
            }
            (self.at, n) = (self.at + plain, n + plain);
            if plain < room
                && let Some(slot) = out.get_mut(n)
            {
                *slot = b'\n';
                self.last = Some(b'\n');
                self.after_cr = true;
                (self.at, n) = (self.at + 1, n + 1);
            }
        }
        self.budget.set(self.budget.get() + n as u64);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(text: &str) -> String {
        let mut out = String::new();
        Lines::new(text.as_bytes(), Budget::default()).read_to_string(&mut out).unwrap();
        out
    }

    #[test]
    fn line_ends_become_line_feeds() {
        assert_eq!(through("a\r\nb\r\rc\nd"), "a\nb\n\nc\nd\n");
        assert_eq!(through(""), "");
        assert_eq!(through("a\r\n"), "a\n");
    }

    /// Hands out one byte at a time.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let n = out.len().min(1);
            self.0.read(&mut out[..n])
        }
    }

    #[test]
    fn pieces_of_any_size_give_the_same_text() {
        let text = "a\r\n\r\nbc\r\r\n\nd\r";
        let expected = through(text);
        assert_eq!(expected, "a\n\nbc\n\n\nd\n");
        for size in 1..5 {
            let mut lines = Lines::new(Drops(text.as_bytes()), Budget::default());
            let mut whole = Lines::new(text.as_bytes(), Budget::default());
            for reader in [&mut lines as &mut dyn Read, &mut whole] {
                let mut out = Vec::new();
                let mut piece = vec![0; size];
                loop {
                    match reader.read(&mut piece).unwrap() {
                        0 => break,
                        n => out.extend_from_slice(&piece[..n]),
                    }
                }
                assert_eq!(String::from_utf8(out).unwrap(), expected, "{size}");
            }
        }
    }

    #[test]
    fn a_record_without_an_end_is_stopped() {
        let endless = io::repeat(b'a');
        let error = io::copy(&mut Lines::new(endless, Budget::default()), &mut io::sink()).unwrap_err();
        assert!(error.to_string().contains("record_bytes"));
    }
}
