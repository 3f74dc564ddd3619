//! Contiguity files of `GeoDa` (GAL): a header with the number of areas, then for each area its id with the number of its
//! neighbours, and a line of their ids.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Limits, guard, text};
use crate::error::{Error, Fault, Faults, Rule, shape};

/// Bytes of a file at most.
const MAX_BYTES: u64 = 256 << 20;

/// Who borders whom, as a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gal {
    /// Ids in the order of the file.
    pub ids: Vec<String>,
    /// By area in the same order: its neighbours' positions.
    pub neighbours: Vec<Vec<usize>>,
}

/// Reads a GAL file. The header is `n`, or `0 n layer field` as `GeoDa` writes it. Numbers of line ends and blanks do not
/// matter, except that an area without neighbours may have an empty line or none.
///
/// What is wrong goes to `faults` with its line (`S044`), and gives `None`.
///
/// # Errors
/// [`Error::Io`] if the file is there but cannot be read.
pub fn read_gal(path: &Path, faults: &mut Faults) -> Result<Option<Gal>, Error> {
    let shown = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let whole = path.to_string_lossy();
    if guard::is_virtual(&whole) {
        faults.push(Fault::new(Rule::PathRefused, super::environment::one_line(&whole)));
        return Ok(None);
    }
    let base = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let limits = Limits { allow_absolute: true, ..Limits::default() };
    let read = guard::admit_text(base, &shown, "gal", &limits)
        .and_then(|admitted| text::read_text(&admitted, MAX_BYTES))
        .and_then(|text| parse(&text).map_err(|broken| broken.fault(&shown).into()));
    match read {
        Ok(gal) => Ok(Some(gal)),
        Err(Error::Faults(found)) => {
            // Under the name that was given, not the canonical one.
            faults.extend(Faults(found.0.into_iter().map(|f| named(f, &shown)).collect()));
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

fn named(mut fault: Fault, shown: &str) -> Fault {
    shown.clone_into(&mut fault.place.file);
    fault
}

/// What is wrong, at which line; with the text that was seen there.
#[derive(Debug, PartialEq, Eq)]
struct Broken {
    line: usize,
    what: &'static str,
    seen: Option<String>,
}

impl Broken {
    fn fault(self, file: &str) -> Fault {
        let fault = Fault::new(Rule::GalBroken, file).row(self.line as u64).with("detail", self.what);
        match self.seen {
            Some(seen) => fault.seen(shape(&seen)),
            None => fault,
        }
    }
}

fn parse(text: &str) -> Result<Gal, Broken> {
    let broken = |line: usize, what: &'static str, seen: &str| Broken {
        line,
        what,
        seen: (!seen.is_empty()).then(|| seen.to_owned()),
    };
    let mut lines = (1..).zip(text.lines());
    let (at, header) =
        lines.by_ref().find(|(_, line)| !line.trim().is_empty()).ok_or_else(|| broken(1, "no header", ""))?;
    let words: Vec<&str> = header.split_whitespace().collect();
    let stated = match words.as_slice() {
        [n] | [_, n, ..] => n.parse::<usize>().map_err(|_| broken(at, "no header", n))?,
        [] => return Err(broken(at, "no header", "")),
    };
    let last = text.lines().count().max(1);
    let mut words = lines.flat_map(|(at, line)| line.split_whitespace().map(move |word| (at, word)));
    let mut ids: Vec<String> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut named: Vec<Vec<(usize, &str)>> = Vec::new();
    while let Some((at, id)) = words.next() {
        if ids.len() == stated {
            return Err(broken(at, "more areas than the header says", id));
        }
        if places.insert(id, ids.len()).is_some() {
            return Err(broken(at, "an id twice", id));
        }
        ids.push(id.to_owned());
        let (at, count) = words.next().ok_or_else(|| broken(last, "truncated", ""))?;
        let count: usize = count.parse().map_err(|_| broken(at, "number of neighbours", count))?;
        if count >= stated {
            return Err(broken(at, "number of neighbours", &count.to_string()));
        }
        let of: Vec<(usize, &str)> = words.by_ref().take(count).collect();
        if of.len() < count {
            return Err(broken(last, "truncated", ""));
        }
        named.push(of);
    }
    if ids.len() < stated || ids.is_empty() {
        return Err(broken(last, "truncated", ""));
    }
    let mut neighbours = Vec::with_capacity(ids.len());
    // The last area that named each one.
    let mut named_by = vec![usize::MAX; ids.len()];
    for (own, of) in named.into_iter().enumerate() {
        let mut row = Vec::with_capacity(of.len());
        for (at, id) in of {
            match places.get(id) {
                None => return Err(broken(at, "a neighbour that is no area", id)),
                Some(other) if *other == own => return Err(broken(at, "an area beside itself", id)),
                Some(other) if named_by[*other] == own => return Err(broken(at, "a neighbour twice", id)),
                Some(other) => {
                    named_by[*other] = own;
                    row.push(*other);
                }
            }
        }
        neighbours.push(row);
    }
    Ok(Gal { ids, neighbours })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_headers_and_islands_are_read() {
        let plain = "3\n1 1\n2\n2 1\n1\n3 0\n\n";
        let geoda = "0 3 areas POLY_ID\r\n1 1\r\n2\r\n2 1\r\n1\r\n3 0\r\n";
        let expected = Gal {
            ids: ["1", "2", "3"].map(str::to_owned).to_vec(),
            neighbours: vec![vec![1], vec![0], vec![]],
        };
        assert_eq!(parse(plain), Ok(expected.clone()));
        assert_eq!(parse(geoda), Ok(expected));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line, what) in [
            ("", 1, "no header"),
            ("areas\n", 1, "no header"),
            ("2\na 1\nb\nb x\n", 4, "number of neighbours"),
            ("2\na 2\na b\n", 2, "number of neighbours"),
            ("2\na 1\nb\n", 3, "truncated"),
            ("2\na 1\nb\nb 1\n", 4, "truncated"),
            ("2\na 1\nc\nb 1\na\n", 3, "a neighbour that is no area"),
            ("2\na 1\na\nb 1\na\n", 3, "an area beside itself"),
            ("3\na 2\nb b\nb 0\nc 0\n", 3, "a neighbour twice"),
            ("2\na 0\na 0\n", 3, "an id twice"),
            ("1\na 0\nb 0\n", 3, "more areas than the header says"),
        ] {
            let found = parse(text).unwrap_err();
            assert_eq!((found.line, found.what), (line, what), "{text:?}");
        }
    }
}
