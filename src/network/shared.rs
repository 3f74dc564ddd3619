//! Text that many links share.
//!
//! A million links have a few thousand road references between them. One copy of each, counted, takes 16 bytes
//! a link and no allocation.

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A text that costs nothing to copy. It compares and prints as its text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SharedText(Arc<str>);

impl SharedText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for SharedText {
    fn default() -> Self {
        Self::from("")
    }
}

impl Deref for SharedText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<[u8]> for SharedText {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::borrow::Borrow<str> for SharedText {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SharedText {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for SharedText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl PartialEq<str> for SharedText {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for SharedText {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl PartialEq<String> for SharedText {
    fn eq(&self, other: &String) -> bool {
        &*self.0 == other.as_str()
    }
}

impl fmt::Display for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// One copy of each of many texts. It is only asked for single texts, never walked through: the order of a hash
/// map reaches nothing.
#[derive(Debug, Default)]
pub struct Texts<'a>(HashMap<&'a str, SharedText>);

impl<'a> Texts<'a> {
    /// One copy of each of `texts`.
    #[must_use]
    pub fn new(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut out = HashMap::new();
        let mut last = None;
        for text in texts {
            if last != Some(text) {
                out.entry(text).or_insert_with(|| SharedText::from(text));
            }
            last = Some(text);
        }
        Self(out)
    }

    /// The shared copy of `text`, or a new one if it was not among them.
    #[must_use]
    pub fn get(&self, text: &str) -> SharedText {
        self.0.get(text).cloned().unwrap_or_else(|| SharedText::from(text))
    }
}
