//! Contiguity files of `GeoDa` (GAL): a header with the number of areas, then for each area its id with the number of its
//! neighbours, and a line of their ids.

use std::collections::BTreeMap;
use std::path::Path;

use super::by_hand::by_hand;
use super::personal::shown;
use super::spec::SourceSpec;
use super::{guard, text};
use crate::error::{Error, Fault, Faults, Rule, shape};

/// Bytes of a file at most.
const MAX_BYTES: u64 = 256 << 20;

/// Who borders whom, as a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gal {
    /// The file as it was named.
    pub file: String,
    /// The field of the layer that the ids are of, where the header names one.
    pub field: Option<String>,
    /// Ids in the order of the file.
    pub ids: Vec<String>,
    /// By area: the line of its id.
    pub lines: Vec<u64>,
    /// By area in the same order: its neighbours' positions.
    pub neighbours: Vec<Vec<usize>>,
}

/// Reads a GAL file. The header is `n`, or `0 n layer field` as `GeoDa` writes it. Numbers of line ends and blanks do not
/// matter, except that an area without neighbours may have an empty line or none.
///
/// What is wrong goes to `faults` with its line and the id that is at fault (`S044`), and gives `None`.
///
/// # Errors
/// [`Error::Io`] if the file is there but cannot be read.
pub fn read_gal(path: &Path, faults: &mut Faults) -> Result<Option<Gal>, Error> {
    by_hand(path, SourceSpec::default(), faults, |job, _| {
        let shown = &job.spec.path;
        let read = guard::admit_text(job.base, shown, "gal", job.limits)
            .and_then(|admitted| text::read_text(&admitted, MAX_BYTES))
            .and_then(|text| parse(&text).map_err(|broken| broken.fault(shown).into()));
        match read {
            Ok(gal) => Ok(Gal { file: shown.clone(), ..gal }),
            // Under the name that was given, not the canonical one.
            Err(Error::Faults(found)) => {
                Err(Faults(found.0.into_iter().map(|f| named(f, shown)).collect()).into())
            }
            Err(other) => Err(other),
        }
    })
}

fn named(mut fault: Fault, shown: &str) -> Fault {
    shown.clone_into(&mut fault.place.file);
    fault
}

/// What is wrong, at which line; with the id that was seen there, or the shape of another text.
#[derive(Debug, PartialEq, Eq)]
struct Broken {
    line: u64,
    what: &'static str,
    seen: Option<String>,
}

impl Broken {
    fn fault(self, file: &str) -> Fault {
        let fault = Fault::new(Rule::GalBroken, file).row(self.line).with("detail", self.what);
        match self.seen {
            Some(seen) => fault.seen(seen),
            None => fault,
        }
    }
}

fn parse(text: &str) -> Result<Gal, Broken> {
    let broken = |line: u64, what: &'static str, seen: &str| Broken {
        line,
        what,
        seen: (!seen.is_empty()).then(|| shape(seen)),
    };
    let of_id = |line: u64, what: &'static str, id: &str| Broken { line, what, seen: Some(shown(id)) };
    let mut lines = (1..).zip(text.lines());
    let (at, header) =
        lines.by_ref().find(|(_, line)| !line.trim().is_empty()).ok_or_else(|| broken(1, "no header", ""))?;
    let words: Vec<&str> = header.split_whitespace().collect();
    // Two words are the line of an area.
    let (n, field) = match words.as_slice() {
        [n] | [_, n, _] => (n, None),
        [_, n, _, .., field] => (n, Some((*field).to_owned())),
        _ => return Err(broken(at, "no header", header.trim())),
    };
    let stated: usize = n.parse().map_err(|_| broken(at, "no header", n))?;
    let last = text.lines().count().max(1) as u64;
    let mut words = lines.flat_map(|(at, line)| line.split_whitespace().map(move |word| (at, word)));
    let (mut ids, mut of_lines): (Vec<String>, Vec<u64>) = (Vec::new(), Vec::new());
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut named: Vec<Vec<(u64, &str)>> = Vec::new();
    while let Some((at, id)) = words.next() {
        if ids.len() == stated {
            return Err(of_id(at, "more areas than the header says", id));
        }
        if places.insert(id, ids.len()).is_some() {
            return Err(of_id(at, "an id twice", id));
        }
        ids.push(id.to_owned());
        of_lines.push(at);
        let (at, count) = words.next().ok_or_else(|| broken(last, "truncated", ""))?;
        let count: usize = count.parse().map_err(|_| broken(at, "number of neighbours", count))?;
        if count >= stated {
            return Err(broken(at, "number of neighbours", &count.to_string()));
        }
        let of: Vec<(u64, &str)> = words.by_ref().take(count).collect();
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
                None => return Err(of_id(at, "a neighbour that is no area", id)),
                Some(other) if *other == own => return Err(of_id(at, "an area beside itself", id)),
                Some(other) if named_by[*other] == own => return Err(of_id(at, "a neighbour twice", id)),
                Some(other) => {
                    named_by[*other] = own;
                    row.push(*other);
                }
            }
        }
        neighbours.push(row);
    }
    Ok(Gal { file: String::new(), field, ids, lines: of_lines, neighbours })
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
            lines: vec![2, 4, 6],
            neighbours: vec![vec![1], vec![0], vec![]],
            ..Gal::default()
        };
        assert_eq!(parse(plain), Ok(expected.clone()));
        assert_eq!(parse(geoda), Ok(Gal { field: Some("POLY_ID".to_owned()), ..expected }));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line, what) in [
            ("", 1, "no header"),
            ("areas\n", 1, "no header"),
            ("1 1\n2\n2 1\n1\n", 1, "no header"),
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

    #[test]
    fn an_id_is_named_and_other_texts_are_not() {
        let seen = |text: &str| parse(text).unwrap_err().seen;
        assert_eq!(seen("2\na7 1\nc99\nb 1\na7\n").as_deref(), Some("c99"));
        assert_eq!(seen("2\na7 1\n9611234567\nb 1\na7\n").as_deref(), Some("9999999999"));
        assert_eq!(seen("2\na7 juana\n").as_deref(), Some("aaaaa"));
    }
}
