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
        while let Some(slot) = out.get_mut(n) {
            if self.at >= self.filled {
                if n > 0 || self.ended {
                    break;
                }
                self.filled = self.inner.read(&mut self.buffer)?;
                self.at = 0;
                if self.filled == 0 {
                    self.ended = true;
                    if self.last.is_some_and(|last| last != b'\n') {
                        *slot = b'\n';
                        n += 1;
                    }
                    break;
                }
            }
            let Some(byte) = self.buffer.get(self.at).copied() else { break };
            self.at += 1;
            if byte == b'\n' && std::mem::take(&mut self.after_cr) {
                continue;
            }
            self.after_cr = byte == b'\r';
            let byte = if byte == b'\r' { b'\n' } else { byte };
            *slot = byte;
            self.last = Some(byte);
            n += 1;
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

    #[test]
    fn a_record_without_an_end_is_stopped() {
        let endless = io::repeat(b'a');
        let error = io::copy(&mut Lines::new(endless, Budget::default()), &mut io::sink()).unwrap_err();
        assert!(error.to_string().contains("record_bytes"));
    }
}
