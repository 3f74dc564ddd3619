//! XML as a stream of elements, before a library gives it a meaning: well formed to the end, without a document
//! type (and so without entities that grow or that fetch), and of bounded depth and length.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::environment::one_line;
use super::sink::Sink;
use crate::error::{Fault, Rule, Why};

/// Bytes of one tag or text at most.
const MAX_EVENT: u64 = 16 << 20;

/// Elements within each other at most.
const MAX_DEPTH: usize = 128;

/// What is wrong with a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A cause with a text of its own.
    Why(Why),
    /// A name or a number that says it.
    Detail(String),
    /// The content is there for who has the password.
    Encrypted,
}

impl Flaw {
    /// What the library says is English, and no more than one of two things to who made the file.
    fn of(error: &quick_xml::Error) -> Self {
        match error {
            quick_xml::Error::Encoding(_) => Self::Why(Why::XmlNotUtf8),
            quick_xml::Error::Io(io) if io.kind() == io::ErrorKind::InvalidData => Self::Why(Why::XmlNotUtf8),
            quick_xml::Error::Io(io) => Self::Detail(one_line(&io.to_string())),
            _ => Self::Why(Why::XmlMalformed),
        }
    }

    /// As a fault of the file or of a part of it.
    pub(super) fn fault(self, part: &str, sink: &Sink<'_>) -> Fault {
        let fault = sink.fault(Rule::OpenFailed);
        match self {
            Self::Why(why) => fault.why(why),
            Self::Detail(detail) if part.is_empty() => fault.with("detail", detail),
            Self::Detail(detail) => fault.with("detail", one_line(&format!("{part}: {detail}"))),
            Self::Encrypted => sink.fault(Rule::Encrypted),
        }
    }
}

impl From<Why> for Flaw {
    fn from(why: Why) -> Self {
        Self::Why(why)
    }
}

impl From<String> for Flaw {
    fn from(detail: String) -> Self {
        Self::Detail(detail)
    }
}

/// What looks at the elements of a document as they come; each method says what is wrong, if anything.
pub(super) trait Visitor {
    fn start(&mut self, _element: &BytesStart<'_>) -> Result<(), Flaw> {
        Ok(())
    }
    fn end(&mut self, _name: &str) -> Result<(), Flaw> {
        Ok(())
    }
    fn text(&mut self, _text: &str) -> Result<(), Flaw> {
        Ok(())
    }
}

/// Reads a document to its end; `Err` has what is wrong with it.
pub(super) fn visit(reader: impl BufRead, visitor: &mut dyn Visitor) -> Result<(), Flaw> {
    let spent = Rc::new(Cell::new(0));
    let mut xml = Reader::from_reader(Bounded { inner: reader, spent: Rc::clone(&spent) });
    let config = xml.config_mut();
    config.expand_empty_elements = true;
    config.check_comments = false;
    let mut buffer = Vec::new();
    let (mut depth, mut elements) = (0_usize, 0_u64);
    loop {
        buffer.clear();
        spent.set(0);
        match xml.read_event_into(&mut buffer).map_err(|e| Flaw::of(&e))? {
            Event::Start(element) => {
                depth += 1;
                elements += 1;
                if depth > MAX_DEPTH {
                    return Err(format!("XML: depth > {MAX_DEPTH}").into());
                }
                visitor.start(&element)?;
            }
            Event::End(element) => {
                depth = depth.saturating_sub(1);
                visitor.end(element.name().as_ref())?;
            }
            Event::Text(text) => visitor.text(&text.xml10_content())?,
            Event::CData(text) => visitor.text(&text.xml10_content())?,
            Event::DocType(_) => return Err("XML: DOCTYPE".to_owned().into()),
            Event::GeneralRef(entity) => visitor.text(resolved(&entity.xml10_content())?.as_str())?,
            Event::Eof if depth > 0 => return Err(Why::XmlMalformed.into()),
            Event::Eof if elements == 0 => return Err(Why::XmlMalformed.into()),
            Event::Eof => return Ok(()),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

/// One of the five entities that XML itself has, or a character by its number.
fn resolved(entity: &str) -> Result<String, Flaw> {
    let number = entity.strip_prefix('#').and_then(|digits| match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    });
    let found = match entity {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => number.and_then(char::from_u32).filter(|c| *c != '\0'),
    };
    found.map(String::from).ok_or_else(|| one_line(&format!("XML: &{entity};")).into())
}

/// The value of an attribute, unescaped.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, Flaw> {
    let Some(found) = element.try_get_attribute(name).map_err(|_| Why::XmlMalformed)? else {
        return Ok(None);
    };
    let value = quick_xml::escape::unescape(&found.value).map_err(|_| Why::XmlMalformed)?;
    Ok(Some(value.into_owned()))
}

/// A reader that ends a tag or text that goes on and on.
struct Bounded<R> {
    inner: R,
    /// Bytes since the last event.
    spent: Rc<Cell<u64>>,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(out)?;
        self.consume(n);
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.spent.get() > MAX_EVENT {
            return Err(io::Error::other(format!("event_bytes > {MAX_EVENT}")));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.spent.set(self.spent.get().saturating_add(n as u64));
        self.inner.consume(n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Anything;

    impl Visitor for Anything {}

    #[derive(Default)]
    struct Texts(String);

    impl Visitor for Texts {
        fn text(&mut self, text: &str) -> Result<(), Flaw> {
            self.0.push_str(text);
            Ok(())
        }
    }

    #[test]
    fn well_formed_documents_pass() {
        let mut texts = Texts::default();
        let text = "<?xml version='1.0'?><a x='&lt;'><!-- c --><b/>Uni&#243;n &amp; <![CDATA[<x>]]></a>\n";
        assert_eq!(visit(text.as_bytes(), &mut texts), Ok(()));
        assert_eq!(texts.0.trim(), "Unión & <x>");
    }

    #[test]
    fn what_is_not_whole_or_wants_more_than_it_says_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(200), "</a>".repeat(200));
        let long = format!("<a>{}</a>", " ".repeat(20 << 20));
        for text in [
            "",
            "texto",
            "<a>",
            "<a><b></a></b>",
            "<a></a></a>",
            "<a",
            "<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/a.dtd'><a/>",
            "<!DOCTYPE a [<!ENTITY b 'xxxxxxxx'>]><a>&b;</a>",
            "<a>&b;</a>",
            "<a>&#x110000;</a>",
            deep.as_str(),
            long.as_str(),
        ] {
            let head: String = text.chars().take(60).collect();
            assert!(visit(io::BufReader::new(text.as_bytes()), &mut Anything).is_err(), "{head}");
        }
        assert_eq!(visit(&b"<a>\xe9</a>"[..], &mut Anything), Err(Why::XmlNotUtf8.into()));
        assert_eq!(visit(&b"<a><b></a>"[..], &mut Anything), Err(Why::XmlMalformed.into()));
    }
}
