//! The order of a report.

use super::Source;
use super::document::{Badge, FrameWords, Report};
use super::records::cut;
use super::{annex, planner};
use crate::layers::feature::Tier;
use crate::layers::words::{fill, text};

/// Builds the report of one audience.
#[must_use]
pub fn build(source: &Source<'_>) -> Report {
    let lang = source.lang;
    let word = |key: &str| text(lang, &format!("report.{key}"));
    let restricted = source.audience == Tier::Restricted;
    let subject = source.subject;
    let mut facts: Vec<String> = [&subject.region, &subject.period]
        .into_iter()
        .filter(|s| !s.trim().is_empty())
        .map(|s| cut(s, 60))
        .collect();
    facts.extend(source.manifest.draws.map(|n| fill(lang, "report.facts_draws", &[("n", n.to_string())])));
    let params = [("run", source.manifest.run_id.as_str()), ("version", source.manifest.version.as_str())];
    facts.push(fill(lang, "report.facts", &params));
    let mut title = match subject.title.trim() {
        "" => text(lang, "page.title"),
        title => cut(title, 140),
    };
    if let Some(scenario) = &subject.scenario {
        let params = [("name", cut(&scenario.name, 40))];
        title = format!("{} · {title}", fill(lang, "page.scenario", &params));
    }
    Report {
        lang: lang.code(),
        kicker: word("kicker"),
        title,
        facts,
        audience: Badge { text: word(if restricted { "restricted" } else { "public" }), restricted },
        draft: source.draft.then(|| word("draft")),
        planner: planner::pages(source),
        annex_title: word("annex"),
        annex: annex::sections(source),
        words: FrameWords {
            contents: word("contents"),
            planner: word("planner"),
            page: word("page"),
            skip: word("skip"),
        },
    }
}
