//! The plainest network of a table: enough to say whether it hangs together, and to find routes on it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use geo::{Geodesic, Length as _};

use super::*;

/// A row as a link.
pub(crate) struct Link {
    pub(crate) id: String,
    pub(crate) ends: [i64; 2],
    pub(crate) metres: f64,
    pub(crate) seconds: f64,
    /// Whether it may be driven along the line, and against it.
    pub(crate) open: [bool; 2],
}

/// A link, the end where it was entered, and how far each ban that began is met.
type State = (usize, usize, Vec<(usize, usize, usize)>);

pub(crate) struct Network {
    pub(crate) links: Vec<Link>,
    /// By junction: links with the end at which they leave it.
    out: BTreeMap<i64, Vec<(usize, usize)>>,
    /// By first link: further links, and the junction after the first.
    bans: BTreeMap<usize, Vec<(Vec<usize>, i64)>>,
}

impl Network {
    /// Of a table and those of its bans that are to hold.
    pub(crate) fn new(table: &RawTable, holds: impl Fn(&corredor::sources::RawBan) -> bool) -> Self {
        let links: Vec<Link> = table
            .rows
            .iter()
            .map(|row| {
                let Some(geo::Geometry::LineString(line)) = &row.geometry else { panic!("{row:?}") };
                let metres = Geodesic.length(line);
                let word = get(row, "oneway");
                Link {
                    id: get(row, "id"),
                    ends: [key(row, "from_node"), key(row, "to_node")],
                    metres,
                    seconds: metres / (get(row, "speed_kmh").parse::<f64>().unwrap() / 3.6),
                    open: [word != "backward", word != "forward"],
                }
            })
            .collect();
        let mut out: BTreeMap<i64, Vec<(usize, usize)>> = BTreeMap::new();
        for (i, link) in links.iter().enumerate() {
            for end in [0, 1] {
                if link.open[end] {
                    out.entry(link.ends[end]).or_default().push((i, end));
                }
            }
        }
        let number: BTreeMap<&str, usize> =
            links.iter().enumerate().map(|(i, link)| (link.id.as_str(), i)).collect();
        let mut bans: BTreeMap<usize, Vec<(Vec<usize>, i64)>> = BTreeMap::new();
        for ban in table.bans.iter().filter(|ban| holds(ban)) {
            let roads: Vec<usize> = ban.roads.iter().map(|id| number[id.as_str()]).collect();
            bans.entry(roads[0]).or_default().push((roads[1..].to_vec(), ban.via.unwrap()));
        }
        Self { links, out, bans }
    }

    /// Length of the largest part, and of all.
    pub(crate) fn parts(&self) -> (f64, f64) {
        fn root(parent: &mut BTreeMap<i64, i64>, mut node: i64) -> i64 {
            while let Some(&up) = parent.get(&node).filter(|up| **up != node) {
                node = up;
            }
            parent.entry(node).or_insert(node);
            node
        }
        let mut parent = BTreeMap::new();
        for link in &self.links {
            let [a, b] = link.ends.map(|key| root(&mut parent, key));
            parent.insert(a.max(b), a.min(b));
        }
        let mut metres: BTreeMap<i64, f64> = BTreeMap::new();
        for link in &self.links {
            *metres.entry(root(&mut parent, link.ends[0])).or_default() += link.metres;
        }
        (metres.values().copied().fold(0.0, f64::max), metres.values().sum())
    }

    /// Seconds of the fastest route, by searching over links rather than junctions, so that bans can hold.
    pub(crate) fn seconds(&self, from: i64, to: i64) -> Option<f64> {
        if from == to {
            return Some(0.0);
        }
        let bits = |seconds: f64| Reverse(seconds.to_bits());
        let mut best: BTreeMap<State, f64> = BTreeMap::new();
        let mut queue: BinaryHeap<(Reverse<u64>, State)> = BinaryHeap::new();
        for &(link, end) in self.out.get(&from).into_iter().flatten() {
            queue.push((bits(self.links[link].seconds), (link, end, Vec::new())));
        }
        while let Some((Reverse(cost), state)) = queue.pop() {
            let cost = f64::from_bits(cost);
            if best.get(&state).is_some_and(|known| *known <= cost) {
                continue;
            }
            let (link, entered, progress) = &state;
            let at = self.links[*link].ends[1 - entered];
            if at == to {
                return Some(cost);
            }
            'next: for &(next, end) in self.out.get(&at).into_iter().flatten() {
                let mut after = Vec::new();
                let begun = self.bans.get(link).into_iter().flatten().enumerate();
                let begun = begun.filter(|(_, ban)| ban.1 == at).map(|(i, _)| (*link, i, 0));
                for (first, i, met) in progress.iter().copied().chain(begun) {
                    let rest = &self.bans[&first][i].0;
                    if rest[met] != next {
                        continue;
                    }
                    if met + 1 == rest.len() {
                        continue 'next;
                    }
                    after.push((first, i, met + 1));
                }
                queue.push((bits(cost + self.links[next].seconds), (next, end, after)));
            }
            best.insert(state, cost);
        }
        None
    }
}

#[test]
fn bans_lead_round() {
    // A square with a diagonal: 1–2–3 along two sides, and 1–4–3 along the others, which is longer.
    let osm = pbf::Osm::new()
        .node(1, -92.0, 15.0, &[])
        .node(2, -92.0, 15.1, &[])
        .node(3, -91.9, 15.1, &[])
        .node(4, -91.8, 15.0, &[])
        .way(1, &[1, 2], PRIMARY)
        .way(2, &[2, 3], PRIMARY)
        .way(3, &[1, 4], PRIMARY)
        .way(4, &[4, 3], PRIMARY)
        .relation(
            1,
            &[("from", 'w', 1), ("via", 'n', 2), ("to", 'w', 2)],
            &[("type", "restriction"), ("restriction", "no_right_turn")],
        );
    let table = clean(&osm);
    let (free, bound) = (Network::new(&table, |_| false), Network::new(&table, |_| true));
    let side = |n: usize| free.links[n].seconds;
    assert_eq!(free.seconds(1, 3), Some(side(0) + side(1)));
    assert_eq!(bound.seconds(1, 3), Some(side(2) + side(3)));
    // The other way round nothing is banned.
    assert_eq!(bound.seconds(3, 1), Some(side(1) + side(0)));
    let (largest, all) = free.parts();
    assert_eq!(largest, all);
}
