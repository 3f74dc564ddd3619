//! `check`: what was read, and how it joins.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use super::engine::Loaded;
use super::messages::{fill, text};
use crate::error::{Fault, Rule};
use crate::layers::feature::Lang;
use crate::model::domain::Municipality;
use crate::model::incidence::CountDatum;
use crate::network::builder::Access;
use crate::network::graph::{Component, LinkKind};
use crate::network::report::distance_text;
use crate::sources::raw::{Period, Provenance};
use crate::units::Metres;

/// Figures of a study that can be run.
pub struct Report {
    sources: Vec<Provenance>,
    joins: Vec<Join>,
    junctions: usize,
    links: usize,
    km: f64,
    parts: Vec<Part>,
    /// Turn bans applied and all.
    bans: (usize, usize),
    /// Seats, gates, exits.
    snapped: [Snapped; 4],
    counts: [usize; 3],
    total: Option<u32>,
    unlocated: Option<u32>,
    period: (f64, String),
}

/// How the records of a source and the municipalities of the study find each other.
#[derive(Debug, Clone, Serialize)]
struct Join {
    source: &'static str,
    /// Municipalities that found a record.
    joined: usize,
    /// Codes of those that did not.
    without_record: Vec<String>,
    /// Codes of records that no municipality of the study has.
    without_municipality: Vec<String>,
}

/// A part of the network that no trip from the largest one can reach.
#[derive(Debug, Clone, Serialize)]
struct Part {
    junctions: usize,
    length_km: f64,
    /// Longitude and latitude of one of its junctions.
    at: [f64; 2],
}

/// Points of one kind with their distance to the road that they were joined to.
#[derive(Debug, Clone, Serialize)]
struct Snapped {
    joined: usize,
    all: usize,
    median_m: Option<f64>,
    largest_m: Option<f64>,
    /// By distance, the farthest first.
    points: Vec<Snap>,
}

#[derive(Debug, Clone, Serialize)]
struct Snap {
    id: String,
    name: String,
    distance_m: f64,
}

impl Snapped {
    fn new<'a>(
        list: impl ExactSizeIterator<Item = Option<Metres>>,
        names: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let all = list.len();
        let mut points: Vec<Snap> = list
            .zip(names)
            .filter_map(|(distance, (id, name))| {
                let distance_m = (distance?.0 * 10.0).round() / 10.0;
                Some(Snap { id: id.to_owned(), name: name.to_owned(), distance_m })
            })
            .collect();
        points.sort_by(|a, b| b.distance_m.total_cmp(&a.distance_m).then(a.id.cmp(&b.id)));
        Self {
            joined: points.len(),
            all,
            median_m: points.get(points.len() / 2).map(|p| p.distance_m),
            largest_m: points.first().map(|p| p.distance_m),
            points,
        }
    }
}

/// Distances at which points were joined.
fn far(list: &[Option<Access>]) -> impl ExactSizeIterator<Item = Option<Metres>> {
    list.iter().map(|access| Some(access.as_ref()?.distance))
}

/// Codes that a line of text lists; the rest is only counted.
const LISTED: usize = 8;

impl Report {
    /// Takes the figures of `loaded`.
    #[must_use]
    pub fn new(loaded: &Loaded) -> Self {
        let (built, domain) = (&loaded.built, &loaded.domain);
        let count = |f: fn(&CountDatum) -> bool| domain.municipalities.iter().filter(|m| f(&m.datum)).count();
        let network = &built.network;
        let part = |c: &Component| {
            let at = network.junction(c.first).at;
            Part { junctions: c.junctions, length_km: c.length.km(), at: [at.x, at.y] }
        };
        let incidence = &loaded.study.incidence;
        Self {
            sources: domain.provenance.clone(),
            joins: joins(loaded),
            junctions: network.junction_count(),
            links: network.link_count(),
            km: network.links().filter(|(_, l)| l.kind == LinkKind::Road).map(|(_, l)| l.length.km()).sum(),
            parts: network.components().iter().map(part).collect(),
            bans: (built.bans_applied, domain.bans.len()),
            snapped: [
                Snapped::new(far(&built.seats), domain.municipalities.iter().map(|m| (&*m.cvegeo, &*m.name))),
                Snapped::new(far(&built.gates), domain.crossings.iter().map(|c| (&*c.id, &*c.name))),
                Snapped::new(far(&built.exits), domain.exits.iter().map(|e| (&*e.id, &*e.name))),
                Snapped::new(
                    built.posts.iter().map(|post| Some(post.as_ref()?.distance)),
                    domain.posts.iter().map(|p| (&*p.id, &*p.name)),
                ),
            ],
            counts: [
                count(|d| matches!(d, CountDatum::Exact(_))),
                count(|d| matches!(d, CountDatum::Interval { .. } | CountDatum::AtLeast { .. })),
                count(|d| matches!(d, CountDatum::Unknown { .. })),
            ],
            total: incidence.total,
            unlocated: domain.counted.unlocated,
            period: (incidence.years(), incidence.period.clone()),
        }
    }

    /// For machines.
    #[must_use]
    pub fn as_json(&self) -> Value {
        let [seats, gates, exits, posts] = &self.snapped;
        let largest = self.snapped.iter().filter_map(|s| s.largest_m).fold(0.0, f64::max) / 1000.0;
        json!({
            "sources": self.sources,
            "joins": self.joins,
            "network": {
                "junctions": self.junctions,
                "links": self.links,
                "length_km": self.km,
                "components": self.parts.len(),
                "disconnected": self.parts.get(1..).unwrap_or_default(),
                "turn_bans": { "applied": self.bans.0, "all": self.bans.1 },
            },
            "joined": { "seats": seats, "crossings": gates, "exits": exits, "posts": posts, "largest_distance_km": largest },
            "counts": {
                "exact": self.counts[0],
                "interval": self.counts[1],
                "unknown": self.counts[2],
                "total": self.total,
                "unlocated": self.unlocated,
                "period_years": self.period.0,
                "period": self.period.1,
            },
        })
    }

    /// For people: a table of sources, then joins, network and counts.
    #[must_use]
    pub fn lines(&self, lang: Lang) -> Vec<String> {
        let heads = ["source", "file", "records", "kept", "crs", "encoding", "extent"]
            .map(|k| text(lang, &format!("check.{k}")));
        let mut rows = vec![heads.to_vec()];
        rows.extend(self.sources.iter().map(|s| {
            let extent = s.extent.map_or_else(String::new, |e| e.map(|v| format!("{v:.2}")).join(" "));
            vec![
                s.source.clone(),
                s.file.clone(),
                s.records.to_string(),
                s.kept.to_string(),
                s.crs.clone().unwrap_or_default(),
                s.encoding.clone().unwrap_or_default(),
                extent,
            ]
        }));
        let mut out = table(&rows);
        out.extend(self.sources.iter().filter_map(|s| left_out(s, lang)));
        out.extend(self.joins.iter().map(|join| join.line(lang)));
        let number = |n: usize| n.to_string();
        out.push(fill(
            lang,
            "check.network",
            &[
                ("junctions", number(self.junctions)),
                ("links", number(self.links)),
                ("km", format!("{:.0}", self.km)),
                ("parts", number(self.parts.len())),
            ],
        ));
        if self.bans.1 > 0 {
            let figures = [("applied", number(self.bans.0)), ("all", number(self.bans.1))];
            out.push(fill(lang, "check.bans", &figures));
        }
        for (snapped, key) in
            self.snapped.iter().zip(["seats", "gates", "exits", "posts"]).filter(|(s, _)| s.all > 0)
        {
            let metres = |m: Option<f64>| m.map_or_else(|| "–".to_owned(), distance_text);
            let far: Vec<String> = snapped
                .points
                .iter()
                .take(3)
                .filter(|p| p.distance_m > 0.0)
                .map(|p| format!("{} {}", p.name, distance_text(p.distance_m)))
                .collect();
            out.push(fill(
                lang,
                "check.snapped",
                &[
                    ("what", text(lang, &format!("check.{key}"))),
                    ("joined", number(snapped.joined)),
                    ("all", number(snapped.all)),
                    ("median", metres(snapped.median_m)),
                    ("far", if far.is_empty() { metres(snapped.largest_m) } else { far.join(", ") }),
                ],
            ));
        }
        out.push(fill(
            lang,
            "check.counts",
            &[
                ("exact", number(self.counts[0])),
                ("interval", number(self.counts[1])),
                ("unknown", number(self.counts[2])),
                ("total", self.total.map_or_else(|| "–".to_owned(), |t| t.to_string())),
                ("unlocated", self.unlocated.map_or_else(|| "–".to_owned(), |t| t.to_string())),
                ("years", format!("{:.2}", self.period.0)),
            ],
        ));
        out.push(text(lang, "done.checked"));
        out
    }
}

impl Join {
    fn line(&self, lang: Lang) -> String {
        let list = |codes: &[String]| match codes.get(LISTED..) {
            _ if codes.is_empty() => "–".to_owned(),
            Some(rest) if !rest.is_empty() => {
                format!("{} ({}, …)", codes.len(), codes.get(..LISTED).unwrap_or_default().join(", "))
            }
            _ => codes.join(", "),
        };
        fill(
            lang,
            "check.join",
            &[
                ("source", self.source.to_owned()),
                ("joined", self.joined.to_string()),
                ("without_record", list(&self.without_record)),
                ("without_municipality", list(&self.without_municipality)),
            ],
        )
    }
}

/// The joins by code, seen from both sides.
fn joins(loaded: &Loaded) -> Vec<Join> {
    let Loaded { study, domain, warnings, .. } = loaded;
    let all = &domain.municipalities;
    let join = |source: &'static str, lacks: &dyn Fn(&Municipality) -> bool, unused: Vec<String>| {
        let without_record: Vec<String> = all.iter().filter(|m| lacks(m)).map(|m| m.cvegeo.clone()).collect();
        let joined = all.len() - without_record.len();
        Join { source, joined, without_record, without_municipality: unused }
    };
    let strange = warnings.0.iter().filter(|f| f.rule == Rule::PolygonWithoutPopulation);
    let code = |f: &Fault| f.params.iter().find(|(name, _)| *name == "cvegeo").map(|(_, code)| code.clone());
    // One that shares another's polygon has found one, as the study says.
    let no_polygon = |m: &Municipality| m.polygon.is_none() && m.polygon_of.is_none();
    let mut out = vec![join("municipalities", &no_polygon, strange.filter_map(code).collect())];
    if study.sources.marginalization.is_some() {
        let unused = warnings.0.iter().filter(|f| f.rule == Rule::JoinUnused).filter_map(|f| f.seen.clone());
        out.push(join("marginalization", &|m| m.marginalization.is_none(), unused.collect()));
    }
    if study.sources.counts.is_some() {
        // A record of a code that the study does not have is an error, and would not have come this far.
        out.push(join("counts", &|m| domain.counted.unlisted.contains(&m.cvegeo), Vec::new()));
    }
    if study.sources.towns.is_some() {
        let seats: BTreeSet<&str> =
            domain.towns.iter().filter(|t| t.seat).filter_map(|t| t.cvegeo.as_deref()).collect();
        out.push(join("towns", &|m| !seats.contains(m.cvegeo.as_str()), Vec::new()));
    }
    out
}

/// What was left out of a source by rule, and the months that it covers.
fn left_out(source: &Provenance, lang: Lang) -> Option<String> {
    let mut parts: Vec<String> = source
        .dropped
        .iter()
        .map(|(reason, count)| {
            format!("{count} {}", fill(lang, &format!("drop.{reason}"), &[("count", count.to_string())]))
        })
        .collect();
    if !parts.is_empty() {
        parts = vec![fill(lang, "check.left_out", &[("reasons", parts.join(", "))])];
    }
    if let Some(period) = &source.period {
        let Period { from, to, months, .. } = period;
        parts.push(fill(
            lang,
            "check.period",
            &[("from", from.clone()), ("to", to.clone()), ("months", months.to_string())],
        ));
    }
    (!parts.is_empty()).then(|| format!("{}, {}: {}", source.source, source.file, parts.join("; ")))
}

/// Rows with their columns aligned.
pub(super) fn table(rows: &[Vec<String>]) -> Vec<String> {
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
