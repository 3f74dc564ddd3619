//! Progress on stderr: bars on a terminal, one line per step elsewhere, nothing when quiet.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::messages::text;
use crate::layers::feature::Lang;

/// How a run reports how far it is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    lang: Lang,
    quiet: bool,
    terminal: bool,
}

/// A bar over work of known size.
pub struct Bar(ProgressBar);

impl Progress {
    /// Progress in a language; silent if `quiet`.
    #[must_use]
    pub fn new(lang: Lang, quiet: bool) -> Self {
        Self { lang, quiet, terminal: std::io::stderr().is_terminal() }
    }

    /// A step begins.
    pub fn step(&self, key: &str) {
        if !self.quiet {
            // A closed stderr must not end the run.
            let _ = writeln!(std::io::stderr(), "· {}", text(self.lang, &format!("progress.{key}")));
        }
    }

    /// Something that the user should know and that is no part of a result.
    pub fn say(&self, told: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "  {told}");
        }
    }

    /// A step of `total` parts begins.
    #[must_use]
    pub fn bar(&self, key: &str, total: u64) -> Bar {
        if self.quiet || !self.terminal {
            self.step(key);
            return Bar(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("· {msg} {wide_bar} {pos}/{len} {eta}") {
            bar.set_style(style);
        }
        bar.set_message(text(self.lang, &format!("progress.{key}")));
        Bar(bar)
    }
}

impl Bar {
    /// One part is done.
    pub fn inc(&self) {
        self.0.inc(1);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
