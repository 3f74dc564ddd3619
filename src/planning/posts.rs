//! Existing and proposed posts with the flow they meet.
//!
//! `flow_met` is the share of located cases' trips that pass the link of the post; `flow_detected` is what is met
//! times the share of the day on which the post is staffed times the probability of detection, which has a prior.
//! Migration control never counts as coverage: it has no `flow_detected`. Flows come from all draws and
//! perturbations; only what trips have in common (`gain`, `cumulative`) comes from the kept trees.

use geo::{BoundingRect, Contains, Euclidean, InterpolateLine, MultiPolygon, Rect};

use super::intercept::{SiteKind, Trips, greedy};
use crate::corridors::demand::UNIT;
use crate::corridors::draws::Flows;
use crate::ids::LinkId;
use crate::model::domain::Domain;
use crate::model::study::Study;
use crate::network::graph::{Link, Network};
use crate::stats::spread;

/// A post.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedPost {
    /// Rank among the proposed ones, from 1; `None` for an existing post.
    pub rank: Option<u32>,
    /// Index of the existing post.
    pub existing: Option<usize>,
    /// Link on which it stands; `None` for an existing post that is on no road.
    pub link: Option<LinkId>,
    /// Whether it counts as coverage.
    pub counts_as_coverage: bool,
    /// Mean, 5 % and 95 % quantile of the share of trips that pass.
    pub flow_met: [f64; 3],
    /// Mean share of trips that are detected; `None` where it does not count.
    pub flow_detected: Option<f64>,
    /// Of the trips that pass, the part that no post before it meets; `None` where it does not count.
    pub distinct: Option<f64>,
    /// Mean share of trips that no post before it meets; `None` where it does not count.
    pub gain: Option<f64>,
    /// Mean share of trips that this post or one before it meets.
    pub cumulative: Option<f64>,
}

/// The polygons of the municipalities of a study, each with its bounds.
struct StudyArea<'a>(Vec<(Rect<f64>, &'a MultiPolygon<f64>)>);

impl<'a> StudyArea<'a> {
    fn new(domain: &'a Domain) -> Self {
        let polygons = domain.municipalities.iter().filter_map(|m| m.polygon.as_ref());
        Self(polygons.filter_map(|p| Some((p.bounding_rect()?, p))).collect())
    }

    /// Whether the middle of a link lies in a municipality of the study: who plans for a state has no say over the
    /// roads of the next one. Without any polygon every link counts.
    fn holds(&self, link: &Link) -> bool {
        let middle = Euclidean.point_at_ratio_from_start(&link.line, 0.5);
        let holds = |at| self.0.iter().any(|(bounds, polygon)| bounds.contains(&at) && polygon.contains(&at));
        self.0.is_empty() || middle.is_some_and(holds)
    }
}

/// Existing posts in their order, then proposed ones by rank.
#[must_use]
pub fn plan(
    study: &Study,
    domain: &Domain,
    network: &Network,
    flows: &Flows,
    placed: &[Option<LinkId>],
    closed: &[bool],
) -> Vec<PlannedPost> {
    let trips = Trips::new(&flows.trees, SiteKind::Link, network.link_count());
    let draws = trips.draws().max(1) as f64;
    let share = |units: i64| units as f64 / UNIT;
    let through = trips.unmet(&vec![false; network.link_count()]);
    // Units of demand that the trees let pass a link, of which a gain is a part.
    let part = |gain: f64, link: LinkId| match through[link.index()] {
        0 => 1.0,
        units => (gain * draws / share(units)).clamp(0.0, 1.0),
    };
    let staffed_of = |post: Option<usize>| {
        post.and_then(|p| domain.posts[p].staffed_share).unwrap_or(study.planning.staffed_share)
    };
    let describe = |link: Option<LinkId>, existing: Option<usize>| {
        let share = |draw, link: LinkId| flows.share(flows.loads.at(draw, link.index()).main);
        let met: Vec<f64> = (0..flows.draws()).map(|draw| link.map_or(0.0, |l| share(draw, l))).collect();
        let detected =
            met.iter().zip(&flows.params).map(|(m, p)| m * staffed_of(existing) * p.detection).sum::<f64>()
                / flows.draws().max(1) as f64;
        (spread(met), detected)
    };

    let mut taken = vec![false; network.link_count()];
    let mut covered = 0.0;
    let mut out = Vec::new();
    for (i, post) in domain.posts.iter().enumerate() {
        let link = placed[i];
        let counts = post.counts_as_coverage() && link.is_some();
        let (flow_met, flow_detected) = describe(link, Some(i));
        let (mut gain, mut cumulative, mut distinct) = (None, None, None);
        if let (true, Some(link)) = (counts, link) {
            taken[link.index()] = true;
            let now = share(trips.met(&taken).iter().sum()) / draws;
            gain = Some(now - covered);
            distinct = Some(part(now - covered, link));
            cumulative = Some(now);
            covered = now;
        }
        out.push(PlannedPost {
            rank: None,
            existing: Some(i),
            link,
            counts_as_coverage: counts,
            flow_met,
            flow_detected: counts.then_some(flow_detected),
            distinct,
            gain,
            cumulative,
        });
    }
    let area = StudyArea::new(domain);
    let candidates: Vec<bool> = network
        .links()
        .map(|(id, link)| link.is_home_road() && !closed[id.index()] && area.holds(link))
        .collect();
    let chosen = greedy(&trips, &candidates, taken, study.planning.posts as usize);
    for (i, choice) in chosen.into_iter().enumerate() {
        let link = u32::try_from(choice.site).ok().map(LinkId);
        let (flow_met, flow_detected) = describe(link, None);
        let gain = share(choice.gain) / draws;
        covered += gain;
        out.push(PlannedPost {
            rank: u32::try_from(i + 1).ok(),
            existing: None,
            link,
            counts_as_coverage: true,
            flow_met,
            flow_detected: Some(flow_detected),
            distinct: link.map(|l| part(gain, l)),
            gain: Some(gain),
            cumulative: Some(covered),
        });
    }
    out
}
