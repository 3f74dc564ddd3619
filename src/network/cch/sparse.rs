//! Flows on few of many things, by lane and part: the ways of a hierarchy, the nodes of a union.

use super::flow::lane_mask;
use super::number;

/// Flows of one thing, by lane, in parts.
pub(super) type Parts<const P: usize, const W: usize> = [[i64; P]; W];

/// The flows of those things that have any. Where they stand is kept elsewhere, by thing: one more than the place, or
/// zero.
#[derive(Debug, Clone, Default)]
pub(super) struct Few<const P: usize, const W: usize> {
    pub(super) key: Vec<u32>,
    pub(super) flow: Vec<Parts<P, W>>,
}

impl<const P: usize, const W: usize> Few<P, W> {
    /// The flows of a thing, `beside` of them beside each other, as in all of these things.
    #[inline]
    pub(super) fn slots(&mut self, place: &mut u32, key: u32, beside: usize) -> &mut [Parts<P, W>] {
        if *place == 0 {
            self.key.push(key);
            self.flow.resize(self.flow.len() + beside, [[0; P]; W]);
            *place = number(self.key.len());
        }
        let first = (*place as usize - 1) * beside;
        &mut self.flow[first..first + beside]
    }
}

/// Flows of things with room for where each stands.
#[derive(Debug, Clone)]
pub(super) struct Sparse<const P: usize, const W: usize> {
    /// Fresh zeros take no memory until they are touched.
    pub(super) place: Vec<u32>,
    pub(super) few: Few<P, W>,
    /// Flows of a thing that stand beside each other.
    beside: usize,
}

impl<const P: usize, const W: usize> Sparse<P, W> {
    pub(super) fn new(things: usize) -> Self {
        Self { place: vec![0; things], few: Few { key: Vec::new(), flow: Vec::new() }, beside: 1 }
    }

    /// Takes room for that many things, each with `beside` flows. There are none yet.
    pub(super) fn make_room(&mut self, things: usize, beside: usize) {
        let more = things.max(self.place.len());
        self.place.resize(more, 0);
        self.beside = beside;
    }

    #[inline]
    pub(super) fn slots(&mut self, key: u32) -> &mut [Parts<P, W>] {
        self.few.slots(&mut self.place[key as usize], key, self.beside)
    }

    #[inline]
    pub(super) fn slot(&mut self, key: u32) -> &mut Parts<P, W> {
        &mut self.slots(key)[0]
    }

    #[inline]
    pub(super) fn beside(&self, key: u32) -> Option<&[Parts<P, W>]> {
        let first = (self.place[key as usize] as usize).checked_sub(1)? * self.beside;
        self.few.flow.get(first..first + self.beside)
    }

    #[inline]
    pub(super) fn get(&self, key: u32) -> Option<&Parts<P, W>> {
        self.beside(key)?.first()
    }

    /// Forgets everything; the room stays.
    pub(super) fn clear(&mut self) {
        self.few.key.iter().for_each(|key| self.place[*key as usize] = 0);
        self.few.key.clear();
        self.few.flow.clear();
    }

    /// Adds the flows of another, which has none after it.
    pub(super) fn take(&mut self, other: &mut Self) {
        for (key, flow) in other.few.key.iter().zip(&other.few.flow) {
            self.slot(*key).iter_mut().zip(flow).for_each(|(sum, flow)| add(sum, flow));
        }
        other.clear();
    }
}

#[inline]
pub(super) fn add<const P: usize>(sum: &mut [i64; P], flow: &[i64; P]) {
    for (sum, flow) in sum.iter_mut().zip(flow) {
        // Sums are promised to fit; a check for each would cost more than the sum.
        *sum = sum.wrapping_add(*flow);
    }
}

/// Adds what is carried in `lanes`.
#[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
#[inline(always)]
pub(super) fn add_lanes<const P: usize, const W: usize>(
    sum: &mut Parts<P, W>,
    flow: &Parts<P, W>,
    lanes: u8,
) {
    for lane in 0..W {
        // Without branches: lanes differ at random.
        let mask = -i64::from(lanes >> lane & 1);
        for p in 0..P {
            sum[lane][p] = sum[lane][p].wrapping_add(flow[lane][p] & mask);
        }
    }
}

/// The lanes that carry anything, as bits.
#[inline]
pub(super) fn carried<const P: usize, const W: usize>(flow: &Parts<P, W>) -> u8 {
    lane_mask::<W>(|lane| flow[lane] != [0; P])
}
