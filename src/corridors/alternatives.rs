//! The alternative routes of a pair, as the draws take them: for a map that shows more than one line.
//!
//! Each kept draw has one path of a pair. Paths that share much of their length are one alternative for who looks at
//! a map, so the most frequent path stands for those that overlap it: paths are taken by falling frequency if they
//! share at most `overlap` with every one taken before. What is left over joins the alternative with which it shares
//! most. The share of an alternative is then the probability, under the model, that a trip of the pair goes that way
//! or nearly so.
//!
//! That is a choice of routes from simulated ones (Prato 2009, Route choice modeling: past, present and future
//! research directions, J. Choice Modelling 2:65, section on simulation methods), and needs no penalties that would
//! have to be tuned.

use std::collections::BTreeMap;

use super::flow::Tree;
use crate::ids::LinkId;
use crate::units::Metres;

/// What alternatives are to be like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Largest number of them.
    pub count: usize,
    /// Largest part of the shorter of two that both share, from 0 to below 1.
    pub overlap: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { count: 3, overlap: 0.6 }
    }
}

/// A route and those that go nearly the same way.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// Its links, from the origin.
    pub links: Vec<LinkId>,
    /// Its length, each link once.
    pub length: Metres,
    /// Share of the draws with a way whose path is this one or joins it.
    pub share: f64,
}

/// The alternatives of origin `origin` and destination `destination`, by falling share; none where no draw has a trip.
/// `trees` are by draw and origin, `length` is that of a link.
#[must_use]
pub fn alternatives(
    trees: &[Vec<Tree>],
    origin: usize,
    destination: usize,
    length: impl Fn(LinkId) -> Metres,
    limits: Limits,
) -> Vec<Alternative> {
    let mut frequency: BTreeMap<Vec<u32>, u32> = BTreeMap::new();
    for path in trees.iter().filter_map(|draw| path(draw.get(origin)?, destination)) {
        *frequency.entry(path).or_default() += 1;
    }
    let all: u32 = frequency.values().sum();
    let mut paths: Vec<Path> = frequency.into_iter().map(|(links, n)| Path::new(links, n, &length)).collect();
    // By frequency; then the shorter, then the lower links, so that the order of draws decides nothing.
    paths.sort_by(|a, b| b.count.cmp(&a.count).then(a.metres.total_cmp(&b.metres)));
    let mut taken: Vec<usize> = Vec::new();
    for at in 0..paths.len() {
        if taken.len() == limits.count {
            break;
        }
        if taken.iter().all(|other| paths[at].shared(&paths[*other]) <= limits.overlap) {
            taken.push(at);
        }
    }
    let mut counts = vec![0; taken.len()];
    for path in &paths {
        let with = taken.iter().map(|other| path.shared(&paths[*other])).enumerate();
        // Of those with which it shares alike, the first.
        let best = with.fold((0, f64::NEG_INFINITY), |best, one| if one.1 > best.1 { one } else { best });
        if let Some(count) = counts.get_mut(best.0).filter(|_| best.1 > limits.overlap) {
            *count += path.count;
        }
    }
    let mut out: Vec<Alternative> = taken
        .into_iter()
        .zip(counts)
        .map(|(at, count)| Alternative {
            links: paths[at].links.iter().map(|link| LinkId(*link)).collect(),
            length: Metres(paths[at].metres),
            share: f64::from(count) / f64::from(all),
        })
        .collect();
    out.sort_by(|a, b| b.share.total_cmp(&a.share));
    out
}

/// Links of the path to a destination, from the origin; `None` where the tree has no trip to it.
fn path(tree: &Tree, destination: usize) -> Option<Vec<u32>> {
    let leaf = tree.leaves.iter().find(|leaf| leaf.destination as usize == destination)?;
    let (mut links, mut at) = (Vec::new(), leaf.node as usize);
    while tree.nodes[at].link != u32::MAX {
        links.push(tree.nodes[at].link);
        at = tree.nodes[at].parent as usize;
    }
    links.reverse();
    Some(links)
}

/// A path with what is needed to compare it.
struct Path {
    links: Vec<u32>,
    /// Lengths of its links in metres, by link.
    by_link: BTreeMap<u32, f64>,
    metres: f64,
    count: u32,
}

impl Path {
    fn new(links: Vec<u32>, count: u32, length: impl Fn(LinkId) -> Metres) -> Self {
        let by_link: BTreeMap<u32, f64> = links.iter().map(|link| (*link, length(LinkId(*link)).0)).collect();
        Self { metres: by_link.values().sum(), by_link, links, count }
    }

    /// Length on both, as a part of the shorter; 1 for a path and itself.
    fn shared(&self, other: &Self) -> f64 {
        if self.links == other.links {
            return 1.0;
        }
        let both: f64 =
            self.by_link.iter().filter(|(link, _)| other.by_link.contains_key(link)).map(|(_, m)| m).sum();
        both / self.metres.min(other.metres).max(f64::MIN_POSITIVE)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::corridors::flow::{Leaf, TreeNode};

    /// A tree of one path.
    fn tree(links: &[u32]) -> Tree {
        let node = |(i, link): (u32, &u32)| TreeNode { parent: i, link: *link, junction: i + 1 };
        let root = TreeNode { parent: 0, link: u32::MAX, junction: 0 };
        Tree {
            nodes: std::iter::once(root).chain((0..).zip(links).map(node)).collect(),
            leaves: vec![Leaf { node: u32::try_from(links.len()).unwrap(), destination: 4, demand: 1 }],
            returns: Vec::new(),
        }
    }

    fn of(paths: &[&[u32]], limits: Limits) -> Vec<(Vec<u32>, f64)> {
        let trees: Vec<Vec<Tree>> = paths.iter().map(|links| vec![tree(links)]).collect();
        // Links of 100 km from number 90 on, others of 10 km.
        let length = |link: LinkId| Metres(if link.0 >= 90 { 100_000.0 } else { 10_000.0 });
        alternatives(&trees, 0, 4, length, limits)
            .into_iter()
            .map(|a| (a.links.into_iter().map(|l| l.0).collect(), a.share))
            .collect()
    }

    #[test]
    fn near_copies_join_the_more_frequent_route() {
        let coast: &[u32] = &[90, 1, 91];
        let street: &[u32] = &[90, 2, 91];
        let highland: &[u32] = &[92, 3, 93];
        let paths = [coast, street, highland, coast, coast, highland, street, coast, highland, coast];
        let found = of(&paths, Limits::default());
        assert_eq!(found, [(coast.to_vec(), 0.7), (highland.to_vec(), 0.3)]);
        // All that is not alike in everything is an alternative of its own.
        let found = of(&paths, Limits { count: 3, overlap: 0.99 });
        assert_eq!(found.iter().map(|f| f.1).collect::<Vec<_>>(), [0.5, 0.3, 0.2]);
        // What finds no place is no part of any share.
        let found = of(&paths, Limits { count: 1, overlap: 0.99 });
        assert_eq!(found, [(coast.to_vec(), 0.5)]);
        assert!(of(&paths, Limits { count: 0, overlap: 0.5 }).is_empty());
        assert!(of(&[], Limits::default()).is_empty());
    }

    proptest! {
        #[test]
        fn alternatives_keep_their_limits(
            paths in prop::collection::vec(prop::sample::subsequence((0..8_u32).collect::<Vec<_>>(), 1..8), 1..20),
            count in 1..5_usize,
            overlap in 0.0..1.0_f64,
            turn in 0..20_usize,
        ) {
            let limits = Limits { count, overlap };
            let list: Vec<&[u32]> = paths.iter().map(Vec::as_slice).collect();
            let found = of(&list, limits);
            prop_assert!(!found.is_empty() && found.len() <= count);
            for (i, (a, share)) in found.iter().enumerate() {
                // At least the draws with this very path.
                let same = paths.iter().filter(|p| *p == a).count() as f64 / paths.len() as f64;
                prop_assert!(same > 0.0 && *share >= same - 1e-12);
                for (b, less) in &found[i + 1..] {
                    prop_assert!(share >= less);
                    let both = a.iter().filter(|link| b.contains(link)).count() as f64;
                    prop_assert!(both / a.len().min(b.len()) as f64 <= overlap + 1e-12);
                }
            }
            let sum: f64 = found.iter().map(|f| f.1).sum();
            prop_assert!(sum <= 1.0 + 1e-12);
            // With room for all, every draw is told.
            let all: f64 = of(&list, Limits { count: 20, overlap }).iter().map(|f| f.1).sum();
            prop_assert!((all - 1.0).abs() < 1e-12);
            let mut other = list.clone();
            other.rotate_left(turn % list.len());
            prop_assert_eq!(of(&other, limits), found);
        }
    }
}
