//! Flows of all draws on all links, kept small: of each draw only the links that carry something.
//!
//! A flow is a whole number of units of `2^shift` units of demand. With the shift that [`FlowTable::new`] takes, a
//! flow is rounded to the nearest `2⁻³⁰` of all located cases, and no flow is rounded to nothing; sums over links and
//! draws stay sums of integers. An entry takes 12 bytes: a draw whose trips pass 50,000 links takes 0.6 MB.

use std::ops::Range;

use super::demand::UNIT;

/// Main and null flow of a draw, by the links that carry any, ascending; as a [`FlowTable`] keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DrawFlows {
    link: Vec<u32>,
    flow: Vec<[u32; 2]>,
}

/// Flow of a link in one draw, in units of demand summed over perturbations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkFlow {
    /// For the drawn counts.
    pub main: i64,
    /// Where attraction follows population alone.
    pub null: i64,
}

/// Flows by draw and link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlowTable {
    links: usize,
    shift: u32,
    draws: Vec<DrawFlows>,
}

impl FlowTable {
    /// For sums over `perturbations` on a network of `links` links.
    #[must_use]
    pub fn new(links: usize, perturbations: u32) -> Self {
        // A way that returns loads a link twice: twice the demand of all perturbations fits in 32 bits.
        let bits = UNIT.log2() + 1.0 + f64::from(perturbations.max(1)).log2().ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some tens")]
        let shift = (bits - 31.0).max(0.0) as u32;
        Self { links, shift, draws: Vec::new() }
    }

    /// With flows as they are, which fit in 32 bits: for tests.
    #[cfg(test)]
    pub(crate) fn exact(links: usize, draws: &[Vec<[i64; 2]>]) -> Self {
        let mut out = Self { links, shift: 0, draws: Vec::new() };
        for draw in draws {
            let flows = draw.iter().map(|[main, null]| LinkFlow { main: *main, null: *null });
            out.push(out.packed((0..).zip(flows)));
        }
        out
    }

    /// Adds a draw.
    pub fn push(&mut self, flows: DrawFlows) {
        self.draws.push(flows);
    }

    /// The flows of a draw as the table keeps them; links ascend.
    #[must_use]
    pub fn packed(&self, flows: impl Iterator<Item = (u32, LinkFlow)>) -> DrawFlows {
        let mut draw = DrawFlows::default();
        for (link, flow) in flows.filter(|(_, flow)| *flow != LinkFlow::default()) {
            draw.link.push(link);
            draw.flow.push([flow.main, flow.null].map(|units| self.rounded(units)));
        }
        draw.link.shrink_to_fit();
        draw.flow.shrink_to_fit();
        draw
    }

    fn rounded(&self, units: i64) -> u32 {
        let half = (1_i64 << self.shift) >> 1;
        let kept = u32::try_from((units + half) >> self.shift).unwrap_or(u32::MAX);
        kept.max(u32::from(units > 0))
    }

    /// `units` as the table keeps them.
    #[must_use]
    pub fn keeps(&self, units: i64) -> i64 {
        i64::from(self.rounded(units)) << self.shift
    }

    /// Number of draws.
    #[must_use]
    pub const fn draws(&self) -> usize {
        self.draws.len()
    }

    /// Number of links.
    #[must_use]
    pub const fn links(&self) -> usize {
        self.links
    }

    /// Flow of a link in a draw.
    #[must_use]
    pub fn at(&self, draw: usize, link: usize) -> LinkFlow {
        let wanted = u32::try_from(link).unwrap_or(u32::MAX);
        let Some(flows) = self.draws.get(draw) else { return LinkFlow::default() };
        flows.link.binary_search(&wanted).map_or_else(|_| LinkFlow::default(), |at| self.entry(flows, at))
    }

    /// Those of `links` that carry something in a draw, ascending.
    pub fn within(&self, draw: usize, links: Range<usize>) -> impl Iterator<Item = (usize, LinkFlow)> + '_ {
        let place = |flows: &DrawFlows, link: usize| flows.link.partition_point(|l| (*l as usize) < link);
        self.draws.get(draw).into_iter().flat_map(move |flows| {
            let range = place(flows, links.start)..place(flows, links.end);
            range.map(move |at| (flows.link[at] as usize, self.entry(flows, at)))
        })
    }

    /// All links that carry something in a draw, ascending.
    pub fn of(&self, draw: usize) -> impl Iterator<Item = (usize, LinkFlow)> + '_ {
        self.within(draw, 0..self.links)
    }

    fn entry(&self, flows: &DrawFlows, at: usize) -> LinkFlow {
        let [main, null] = flows.flow[at].map(|kept| i64::from(kept) << self.shift);
        LinkFlow { main, null }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_are_kept_to_a_thousand_millionth_of_all_cases() {
        let all = 8_i64 << 40;
        assert!((all as f64 - 8.0 * UNIT).abs() < 1.0);
        let flows = [1, 12_345, all / 3, all, 2 * all];
        let mut table = FlowTable::new(9, 8);
        let all_flows =
            (2..).zip(flows).map(|(link, main)| (link, LinkFlow { main, null: all - main.min(all) }));
        table.push(table.packed(all_flows));
        table.push(DrawFlows::default());
        for (link, main) in (2..).zip(flows) {
            let kept = table.at(0, link).main;
            assert!(
                kept > 0 && kept.abs_diff(main) as f64 <= all as f64 * 2.0_f64.powi(-30),
                "{main}: {kept}"
            );
            assert_eq!(kept, table.keeps(main));
        }
        assert_eq!(
            [table.at(0, 0), table.at(0, 8), table.at(1, 2), table.at(7, 2)],
            [LinkFlow::default(); 4]
        );
        assert_eq!(table.of(0).map(|(link, _)| link).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
        assert_eq!(table.within(0, 3..5).count(), 2);
        assert_eq!((table.draws(), table.links(), table.of(1).count()), (2, 9, 0));
    }
}
