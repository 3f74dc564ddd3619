//! What changes on links between two runs over the same draws, such as with and without a closure.
//!
//! Draws are compared one by one: the parameters, the demand and the perturbations of a draw are the same in both runs,
//! so that their difference holds what the change does and not what is unknown in both.

use rayon::prelude::*;

use super::draws::{CONTRIBUTIONS, Flows};
use crate::stats::spread;

/// Links that are compared side by side.
const TOGETHER: usize = 512;

/// What changes on a link.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Change {
    /// Mean share before.
    pub before: f64,
    /// Mean share after.
    pub after: f64,
    /// Of the difference: mean, 5 % and 95 % quantile over draws.
    pub change: [f64; 3],
    /// Share of draws in which it carries more.
    pub rises: f64,
    /// Share of draws in which it carries less.
    pub falls: f64,
    /// Difference of the mean share by contribution; they add up to the mean difference.
    pub contributions: [f64; CONTRIBUTIONS],
}

/// By link, what changes from `before` to `after`, which have the same links, draws and perturbations; `None` for a link
/// that carries nothing in either.
#[must_use]
pub fn changes(before: &Flows, after: &Flows) -> Vec<Option<Change>> {
    let (links, draws) = (before.loads.links(), before.draws().min(after.draws()));
    let blocks = (0..links).into_par_iter().step_by(TOGETHER).map(|first| {
        let block = first..(first + TOGETHER).min(links);
        let mut columns: Vec<Vec<i64>> = block.clone().map(|_| Vec::new()).collect();
        for draw in 0..draws {
            for (sign, flows) in [(-1, before), (1, after)] {
                for (link, flow) in flows.loads.within(draw, block.clone()) {
                    let column = &mut columns[link - first];
                    column.resize(draws, 0);
                    column[draw] += sign * flow.main;
                }
            }
        }
        block.zip(columns).map(|(link, column)| change(before, after, link, &column)).collect::<Vec<_>>()
    });
    blocks.flatten_iter().collect()
}

/// What changes on a link, from its differences by draw.
fn change(before: &Flows, after: &Flows, link: usize, column: &[i64]) -> Option<Change> {
    if column.is_empty() {
        return None;
    }
    let [old, new] = [before, after].map(|flows| flows.contribution(link));
    let share = |holds: fn(i64) -> bool| {
        column.iter().filter(|units| holds(**units)).count() as f64 / column.len() as f64
    };
    let contributions: [f64; CONTRIBUTIONS] = std::array::from_fn(|i| new[i] - old[i]);
    let [_, p05, p95] = spread(column.iter().map(|units| after.share(*units)).collect());
    Some(Change {
        before: old.iter().sum(),
        after: new.iter().sum(),
        // Of whole units, where the table of flows holds rounded ones.
        change: [contributions.iter().sum(), p05, p95],
        rises: share(|units| units > 0),
        falls: share(|units| units < 0),
        contributions,
    })
}
