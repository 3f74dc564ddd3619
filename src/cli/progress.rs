//! Progress on stderr: one line per step, and on a terminal a bar below it while a long one is under way; nothing when
//! quiet. No colours are used, so that there are none to switch off.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::messages::{fill, text};
use crate::layers::feature::Lang;
use pace::{Left, Pace};

mod pace;

/// A run that is done sooner shows no bar.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time between two looks at the bar.
const TICK: Duration = Duration::from_millis(200);
/// Steps that a plan can have; a longer one is not numbered.
const MOST: usize = 12;

/// How a run reports how far it is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    lang: Lang,
    quiet: bool,
    bars: bool,
    began: Instant,
    /// Keys of the steps in order, as far as they are known.
    plan: [Option<&'static str>; MOST],
    /// Steps of the plan that were done in an earlier part of the run.
    before: usize,
}

/// A bar over work of known size.
pub struct Bar(Option<Live>);

struct Live {
    pace: Arc<Mutex<Pace>>,
    began: Instant,
    done: Arc<AtomicBool>,
    drawing: Option<JoinHandle<()>>,
}

impl Progress {
    /// Progress in a language; silent if `quiet`. Bars on a terminal that can draw them.
    #[must_use]
    pub fn new(lang: Lang, quiet: bool) -> Self {
        let draws = std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let bars = !quiet && draws && std::io::stderr().is_terminal();
        Self { lang, quiet, bars, began: Instant::now(), plan: [None; MOST], before: 0 }
    }

    /// The same without bars, where a program reads the answer.
    #[must_use]
    pub const fn without_bars(self) -> Self {
        Self { bars: false, ..self }
    }

    /// The same for a run of these steps, by their keys. Steps that are not among them are told without a number.
    #[must_use]
    pub fn planned(self, steps: impl IntoIterator<Item = &'static str>) -> Self {
        let mut plan = [None; MOST];
        for (i, step) in steps.into_iter().enumerate() {
            let Some(slot) = plan.get_mut(i) else { return Self { plan: [None; MOST], ..self } };
            *slot = Some(step);
        }
        Self { plan, ..self }
    }

    /// The same when the first `steps` of the plan are done: a step that comes twice is the next one then.
    #[must_use]
    pub const fn after(self, steps: usize) -> Self {
        Self { before: steps, ..self }
    }

    /// A step begins.
    pub fn step(&self, key: &str) {
        if !self.quiet {
            // A closed stderr must not end the run.
            let _ = writeln!(std::io::stderr(), "· {}", self.told(key));
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
        self.step(key);
        if !self.bars {
            return Bar(None);
        }
        let pace = Arc::new(Mutex::new(Pace::new(total)));
        let done = Arc::new(AtomicBool::new(false));
        let drawing = Drawing {
            pace: Arc::clone(&pace),
            done: Arc::clone(&done),
            lang: self.lang,
            run: self.began,
            began: Instant::now(),
            ahead: self.ahead(key),
            parts: format!("progress.parts.{key}"),
        };
        let began = drawing.began;
        // Without a thread to draw it there is no bar, and the run goes on.
        let drawing =
            std::thread::Builder::new().name("progress".to_owned()).spawn(move || drawing.draw()).ok();
        Bar(Some(Live { pace, began, done, drawing }))
    }

    /// Position of a step in the plan, from 0.
    fn place(&self, key: &str) -> Option<usize> {
        self.plan.iter().skip(self.before).position(|step| *step == Some(key)).map(|at| at + self.before)
    }

    /// What a step is, with its number where it is part of the plan.
    fn told(&self, key: &str) -> String {
        let what = text(self.lang, &format!("progress.{key}"));
        let Some(place) = self.place(key) else { return what };
        let steps = self.plan.iter().flatten().count();
        let params = [("step", (place + 1).to_string()), ("steps", steps.to_string()), ("what", what)];
        fill(self.lang, "progress.numbered", &params)
    }

    /// What the plan still holds after a step; empty where that is nothing.
    fn ahead(&self, key: &str) -> String {
        let next = self.place(key).map_or(MOST, |place| place + 1);
        let short = |step: &&'static str| {
            let key = format!("progress.short.{step}");
            Some(text(self.lang, &key)).filter(|found| *found != key).unwrap_or_else(|| (*step).to_owned())
        };
        let steps: Vec<String> = self.plan.iter().skip(next).flatten().map(short).collect();
        if steps.is_empty() {
            return String::new();
        }
        fill(self.lang, "progress.then", &[("steps", steps.join(", "))])
    }
}

/// What the thread that draws a bar knows.
struct Drawing {
    pace: Arc<Mutex<Pace>>,
    done: Arc<AtomicBool>,
    lang: Lang,
    /// When the run began, and the step.
    run: Instant,
    began: Instant,
    ahead: String,
    /// Key of what the parts are.
    parts: String,
}

impl Drawing {
    fn draw(self) {
        while self.run.elapsed() < PATIENCE {
            if self.done.load(Ordering::Relaxed) {
                return;
            }
            std::thread::park_timeout(TICK.min(PATIENCE.saturating_sub(self.run.elapsed())));
        }
        let (_, total) = self.parts();
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        // Short, so that it fits 80 columns; what does not is cut off.
        if let Ok(style) = ProgressStyle::with_template("  {bar:10} {wide_msg}") {
            bar.set_style(style);
        }
        while !self.done.load(Ordering::Relaxed) {
            bar.set_message(self.message(self.began.elapsed()));
            bar.set_position(self.parts().0);
            std::thread::park_timeout(TICK);
        }
        bar.finish_and_clear();
    }

    fn parts(&self) -> (u64, u64) {
        let pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        (pace.done(), pace.total())
    }

    fn message(&self, now: Duration) -> String {
        let left = self.pace.lock().unwrap_or_else(PoisonError::into_inner).left(now);
        let (done, total) = self.parts();
        let params = [("done", done.to_string()), ("total", total.to_string())];
        let parts = [
            fill(
                self.lang,
                "progress.done",
                &[params[0].clone(), params[1].clone(), ("parts", fill(self.lang, &self.parts, &params))],
            ),
            left.map(|left| told(Left::new(left), self.lang)).unwrap_or_default(),
            self.ahead.clone(),
        ];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
    }
}

/// The time that is left of a step.
fn told(left: Left, lang: Lang) -> String {
    let between = |low: u64, high: u64, unit: &str| {
        let params = [("low", low.to_string()), ("high", high.to_string()), ("unit", unit.to_owned())];
        fill(lang, if low == high { "progress.about" } else { "progress.between" }, &params)
    };
    match left {
        Left::Moment => text(lang, "progress.moment"),
        Left::Seconds(low, high) => between(low, high, "s"),
        Left::Minutes(low, high) => between(low, high, "min"),
        Left::Hours(low, high) => between(low, high, "h"),
    }
}

impl Bar {
    /// One part is done.
    pub fn inc(&self) {
        if let Some(live) = &self.0 {
            live.pace.lock().unwrap_or_else(PoisonError::into_inner).part(live.began.elapsed());
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        let Some(live) = &mut self.0 else { return };
        live.done.store(true, Ordering::Relaxed);
        if let Some(drawing) = live.drawing.take() {
            drawing.thread().unpark();
            // The line must be gone before anything else is written; a thread that failed has drawn its last.
            let _ = drawing.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(lang: Lang) -> Progress {
        Progress::new(lang, false).planned(["load", "draws", "write", "draws", "write"])
    }

    #[test]
    fn steps_are_numbered_and_those_ahead_are_named() {
        let es = progress(Lang::Es);
        assert_eq!(es.told("load"), "Paso 1 de 5: Lee y valida las fuentes");
        assert_eq!(es.told("draws"), "Paso 2 de 5: Sortea y asigna rutas");
        assert_eq!(es.told("hierarchy"), "Prepara la red para buscar rutas", "not part of the plan");
        assert_eq!(es.ahead("write"), "luego: sorteos, escritura");
        let second = es.after(3);
        assert_eq!(second.told("draws"), "Paso 4 de 5: Sortea y asigna rutas");
        assert_eq!(second.told("load"), "Lee y valida las fuentes");
        assert_eq!(second.ahead("write"), "");
        assert_eq!(progress(Lang::En).told("write"), "Step 3 of 5: Writes and checks the result");
        for unnumbered in [Progress::new(Lang::Es, false), progress(Lang::Es).planned(["load"; MOST + 1])] {
            assert_eq!(unnumbered.told("load"), "Lee y valida las fuentes");
        }
    }

    #[test]
    fn what_is_left_is_told_in_the_language() {
        for (left, es, en) in [
            (Left::Moment, "quedan menos de 2 s del paso", "less than 2 s left in this step"),
            (Left::Seconds(12, 18), "quedan 12–18 s del paso", "12–18 s left in this step"),
            (Left::Minutes(2, 2), "quedan unos 2 min del paso", "about 2 min left in this step"),
        ] {
            assert_eq!(told(left, Lang::Es), es);
            assert_eq!(told(left, Lang::En), en);
        }
    }

    #[test]
    fn a_bar_tells_parts_then_time_then_steps() {
        let mut pace = Pace::new(100);
        (1..=20).for_each(|i| pace.part(Duration::from_millis(500 * i)));
        let drawing = Drawing {
            pace: Arc::new(Mutex::new(pace)),
            done: Arc::default(),
            lang: Lang::Es,
            run: Instant::now(),
            began: Instant::now(),
            ahead: progress(Lang::Es).after(3).ahead("draws"),
            parts: "progress.parts.draws".to_owned(),
        };
        let told = drawing.message(Duration::from_secs(10));
        assert_eq!(told, "20 de 100 sorteos; quedan 35–45 s del paso; luego: escritura");
        // Too early for a time.
        assert_eq!(drawing.message(Duration::from_secs(1)), "20 de 100 sorteos; luego: escritura");
    }

    #[test]
    fn where_no_bar_is_drawn_parts_are_counted_by_nobody() {
        let bar = Progress::new(Lang::Es, true).bar("draws", 3);
        bar.inc();
        assert!(bar.0.is_none());
    }
}
