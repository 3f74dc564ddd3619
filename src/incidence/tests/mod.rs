//! Tests of the stage: published values, an enumeration oracle, the Programme's figures, bad input.

mod edges;
mod oracle;
mod posterior;
mod programme;
mod values;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{CountCell, CountModel, CountOptions, HyperPrior, RateModel, Unlocated};
use crate::model::incidence::CountDatum;

fn rng(stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(20_220_901);
    rng.set_stream(stream);
    rng
}

fn cell(exposure: f64, datum: CountDatum) -> CountCell {
    CountCell { exposure, datum }
}

fn interval(min: u32, max: u32) -> CountDatum {
    CountDatum::Interval { min, max }
}

const OPEN: CountDatum = CountDatum::Unknown { max: None };

fn options(rates: RateModel, pi: f64) -> CountOptions {
    CountOptions { unlocated: Unlocated::Fixed(pi), rates, ..CountOptions::default() }
}

fn prepare(cells: &[CountCell], total: Option<u32>, rates: RateModel, pi: f64) -> CountModel {
    CountModel::prepare(cells, total, &options(rates, pi)).unwrap()
}

fn assert_close(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    for (g, e) in got.iter().zip(expected) {
        assert!((g - e).abs() <= tolerance * e.abs().max(1.0), "{got:?} is not {expected:?}");
    }
}
