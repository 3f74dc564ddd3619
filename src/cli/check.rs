//! `check`: what was read, and how it joins.

use serde_json::{Value, json};

use super::engine::Loaded;
use super::messages::{fill, text};
use crate::layers::feature::Lang;
use crate::model::incidence::CountDatum;
use crate::network::builder::Access;
use crate::network::graph::LinkKind;
use crate::sources::raw::{Period, Provenance};

/// Figures of a study that can be run.
pub struct Report {
    sources: Vec<Provenance>,
    junctions: usize,
    links: usize,
    km: f64,
    parts: usize,
    /// Turn bans applied and all.
    bans: (usize, usize),
    /// Joined and all: seats, gates, exits.
    joined: [(usize, usize); 3],
    farthest_km: f64,
    counts: [usize; 3],
    total: Option<u32>,
}

impl Report {
    /// Takes the figures of `loaded`.
    #[must_use]
    pub fn new(loaded: &Loaded) -> Self {
        let built = &loaded.built;
        let joined = |list: &[Option<Access>]| (list.iter().flatten().count(), list.len());
        let all = built.seats.iter().chain(&built.gates).chain(&built.exits).flatten();
        let count =
            |f: fn(&CountDatum) -> bool| loaded.domain.municipalities.iter().filter(|m| f(&m.datum)).count();
        Self {
            sources: loaded.domain.provenance.clone(),
            junctions: built.network.junction_count(),
            links: built.network.link_count(),
            km: built
                .network
                .links()
                .filter(|(_, l)| l.kind == LinkKind::Road)
                .map(|(_, l)| l.length.km())
                .sum(),
            parts: built.network.components().len(),
            bans: (built.bans_applied, loaded.domain.bans.len()),
            joined: [joined(&built.seats), joined(&built.gates), joined(&built.exits)],
            farthest_km: all.map(|a| a.distance.km()).fold(0.0, f64::max),
            counts: [
                count(|d| matches!(d, CountDatum::Exact(_))),
                count(|d| matches!(d, CountDatum::Interval { .. })),
                count(|d| matches!(d, CountDatum::Unknown { .. })),
            ],
            total: loaded.study.incidence.total,
        }
    }

    /// For machines.
    #[must_use]
    pub fn as_json(&self) -> Value {
        let [seats, gates, exits] = self.joined.map(|(joined, all)| json!({ "joined": joined, "all": all }));
        json!({
            "sources": self.sources,
            "network": { "junctions": self.junctions, "links": self.links, "length_km": self.km, "components": self.parts, "turn_bans": { "applied": self.bans.0, "all": self.bans.1 } },
            "joined": { "seats": seats, "crossings": gates, "exits": exits, "largest_distance_km": self.farthest_km },
            "counts": {
                "exact": self.counts[0], "interval": self.counts[1], "unknown": self.counts[2], "total": self.total,
            },
        })
    }

    /// For people: a table of sources, then network, joins and counts.
    #[must_use]
    pub fn lines(&self, lang: Lang) -> Vec<String> {
        let heads = ["source", "file", "records", "crs", "encoding", "extent"]
            .map(|k| text(lang, &format!("check.{k}")));
        let mut rows = vec![heads.to_vec()];
        rows.extend(self.sources.iter().map(|s| {
            let extent = s.extent.map_or_else(String::new, |e| e.map(|v| format!("{v:.2}")).join(" "));
            vec![
                s.source.clone(),
                s.file.clone(),
                s.records.to_string(),
                s.crs.clone().unwrap_or_default(),
                s.encoding.clone().unwrap_or_default(),
                extent,
            ]
        }));
        let mut out = table(&rows);
        out.extend(self.sources.iter().filter_map(|s| left_out(s, lang)));
        let number = |n: usize| n.to_string();
        out.push(fill(
            lang,
            "check.network",
            &[
                ("junctions", number(self.junctions)),
                ("links", number(self.links)),
                ("km", format!("{:.0}", self.km)),
                ("parts", number(self.parts)),
            ],
        ));
        if self.bans.1 > 0 {
            let figures = [("applied", number(self.bans.0)), ("all", number(self.bans.1))];
            out.push(fill(lang, "check.bans", &figures));
        }
        let [seats, gates, exits] = self.joined;
        out.push(fill(
            lang,
            "check.joined",
            &[
                ("seats", number(seats.0)),
                ("all_seats", number(seats.1)),
                ("gates", number(gates.0)),
                ("all_gates", number(gates.1)),
                ("exits", number(exits.0)),
                ("all_exits", number(exits.1)),
                ("far", format!("{:.1}", self.farthest_km)),
            ],
        ));
        out.push(fill(
            lang,
            "check.counts",
            &[
                ("exact", number(self.counts[0])),
                ("interval", number(self.counts[1])),
                ("unknown", number(self.counts[2])),
                ("total", self.total.map_or_else(|| "–".to_owned(), |t| t.to_string())),
            ],
        ));
        out.push(text(lang, "done.checked"));
        out
    }
}

/// What was left out of a source by rule, and the months that it covers.
fn left_out(source: &Provenance, lang: Lang) -> Option<String> {
    let mut parts: Vec<String> = source
        .dropped
        .iter()
        .map(|(reason, count)| format!("{count} {}", text(lang, &format!("drop.{reason}"))))
        .collect();
    if !parts.is_empty() {
        parts = vec![fill(lang, "check.left_out", &[("reasons", parts.join(", "))])];
    }
    if let Some(period) = &source.period {
        let Period { from, to, months } = period;
        parts.push(fill(
            lang,
            "check.period",
            &[("from", from.clone()), ("to", to.clone()), ("months", months.to_string())],
        ));
    }
    (!parts.is_empty()).then(|| format!("{}, {}: {}", source.source, source.file, parts.join("; ")))
}

/// Rows with their columns aligned.
fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |c: usize| rows.iter().filter_map(|r| r.get(c)).map(|v| v.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    rows.iter()
        .map(|row| {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(v, w)| format!("{v:<w$}")).collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect()
}
