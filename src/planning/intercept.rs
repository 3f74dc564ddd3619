//! Flow interception (Hodgson 1990; Berman, Larson & Fouska 1992): sites that meet the most trips, each
//! trip counted once.
//!
//! The mean number of trips met is a submodular function of the set of sites, so that the greedy choice
//! reaches at least `1 − 1/e` of the best (Nemhauser, Wolsey & Fisher 1978). Quantiles are not submodular:
//! they are reported, not optimised.

use rayon::prelude::*;

use crate::corridors::flow::Tree;

/// What a site is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteKind {
    /// A link; trips that pass along it are met.
    Link,
    /// A junction; trips that pass through it, begin or end there are met.
    Junction,
}

/// Paths of all trips, by draw and origin.
pub struct Trips<'a> {
    trees: &'a [Vec<Tree>],
    kind: SiteKind,
    sites: usize,
}

impl<'a> Trips<'a> {
    /// Looks at `trees` by links or junctions, of which the network has `sites`.
    #[must_use]
    pub const fn new(trees: &'a [Vec<Tree>], kind: SiteKind, sites: usize) -> Self {
        Self { trees, kind, sites }
    }

    /// Number of draws.
    #[must_use]
    pub const fn draws(&self) -> usize {
        self.trees.len()
    }

    /// By site: units of demand that pass it and that no site of `taken` meets, summed over draws.
    #[must_use]
    pub fn unmet(&self, taken: &[bool]) -> Vec<i64> {
        self.trees
            .par_iter()
            .fold(
                || (vec![0_i64; self.sites], Scratch::default()),
                |(mut sums, mut scratch), draw| {
                    for tree in draw {
                        self.pass(tree, taken, &mut scratch);
                        scratch.add(self, tree, &mut sums);
                    }
                    (sums, scratch)
                },
            )
            .map(|(sums, _)| sums)
            .reduce(
                || vec![0; self.sites],
                |mut a, b| {
                    a.iter_mut().zip(b).for_each(|(x, y)| *x += y);
                    a
                },
            )
    }

    /// By draw: units of demand that at least one site of `taken` meets.
    #[must_use]
    pub fn met(&self, taken: &[bool]) -> Vec<i64> {
        self.trees
            .par_iter()
            .map_init(Scratch::default, |scratch, draw| {
                draw.iter()
                    .map(|tree| {
                        self.pass(tree, taken, scratch);
                        tree.leaves
                            .iter()
                            .filter(|l| scratch.met[l.node as usize])
                            .map(|l| l.demand)
                            .sum::<i64>()
                    })
                    .sum()
            })
            .collect()
    }

    const fn site(&self, node: &crate::corridors::flow::TreeNode) -> Option<usize> {
        match self.kind {
            SiteKind::Link if node.link == u32::MAX => None,
            SiteKind::Link => Some(node.link as usize),
            SiteKind::Junction => Some(node.junction as usize),
        }
    }

    /// Marks the nodes whose way from the origin is met.
    fn pass(&self, tree: &Tree, taken: &[bool], scratch: &mut Scratch) {
        scratch.met.clear();
        for (i, node) in tree.nodes.iter().enumerate() {
            let before = if node.parent as usize == i { false } else { scratch.met[node.parent as usize] };
            scratch.met.push(before || self.site(node).is_some_and(|s| taken[s]));
        }
    }
}

/// Buffers for one tree.
#[derive(Default)]
struct Scratch {
    met: Vec<bool>,
    unmet: Vec<i64>,
}

impl Scratch {
    fn add(&mut self, trips: &Trips<'_>, tree: &Tree, sums: &mut [i64]) {
        self.unmet.clear();
        self.unmet.resize(tree.nodes.len(), 0);
        for leaf in tree.leaves.iter().filter(|l| !self.met[l.node as usize]) {
            self.unmet[leaf.node as usize] += leaf.demand;
        }
        for (i, node) in tree.nodes.iter().enumerate().rev() {
            let units = self.unmet[i];
            if units == 0 {
                continue;
            }
            // A trip that passes twice has been counted where it passed first.
            let again = tree.return_at(i).is_some_and(|r| match trips.kind {
                SiteKind::Link => r.link,
                SiteKind::Junction => r.junction,
            });
            if let Some(site) = trips.site(node).filter(|_| !again) {
                sums[site] += units;
            }
            if node.parent as usize != i {
                self.unmet[node.parent as usize] += units;
            }
        }
    }
}

/// A chosen site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// The site.
    pub site: usize,
    /// Units of demand that it meets and none before it did, summed over draws.
    pub gain: i64,
}

/// Up to `count` sites of `candidates` in the order of their gain, beside those already `taken`.
#[must_use]
pub fn greedy(trips: &Trips<'_>, candidates: &[bool], mut taken: Vec<bool>, count: usize) -> Vec<Choice> {
    let mut out = Vec::new();
    while out.len() < count {
        let unmet = trips.unmet(&taken);
        let best = (0..unmet.len())
            .filter(|&s| candidates[s] && !taken[s] && unmet[s] > 0)
            .max_by_key(|&s| (unmet[s], std::cmp::Reverse(s)));
        let Some(site) = best else { break };
        taken[site] = true;
        out.push(Choice { site, gain: unmet[site] });
    }
    out
}
