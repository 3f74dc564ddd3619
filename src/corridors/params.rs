//! One draw of every uncertain parameter.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma};
use sha2::{Digest, Sha256};

use crate::incidence::{CountDraw, CountModel};
use crate::model::domain::RoadClass;
use crate::model::study::{Profiles, Study};

/// The parameters of one draw.
#[derive(Debug, Clone)]
pub struct DrawParams {
    /// Number of the draw.
    pub draw: u32,
    /// Counts and rates by municipality.
    pub counts: CountDraw,
    /// Share of demand from border origins.
    pub border_share: f64,
    /// Share of demand that leaves through the exits.
    pub exit_share: f64,
    /// Decay of demand, per minute.
    pub gamma: f64,
    /// Weight of marginación in recruitment.
    pub kappa: f64,
    /// Variance of perceived cost per minute, minutes.
    pub route_variance: f64,
    /// Factor on speed by class, in the order of [`RoadClass::ALL`].
    pub speed_factor: [f64; RoadClass::ALL.len()],
    /// Time lost at a crossing, minutes.
    pub crossing_min: f64,
    /// Shares of the behaviour profiles: fast, avoids posts, minor roads; they add to 1.
    pub profiles: [f64; 3],
    /// Weight of each crossing as an origin; they add to 1, or all are 0.
    pub crossings: Vec<f64>,
    /// Probability that a staffed post detects a trip that passes.
    pub detection: f64,
    /// Offset in [0, 1) of the systematic sample that gives each perturbation its profile.
    pub profile_offset: f64,
}

/// What the random numbers of a draw's parameters are for.
const DRAW: &str = "draw";

/// The random stream of a draw for a purpose: one `ChaCha` stream per draw under the study's seed and the purpose.
#[must_use]
pub fn stream(purpose: &str, seed: u64, draw: u32) -> ChaCha8Rng {
    let mut key = Sha256::new();
    key.update(b"corredor ");
    key.update(purpose);
    key.update(seed.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key.finalize().into());
    rng.set_stream(u64::from(draw));
    rng
}

/// Draws the parameters of draw number `draw`. `crossing_weights` are the study's, by crossing; a crossing
/// that takes no part has weight 0.
#[must_use]
pub fn draw(study: &Study, counts: &CountModel, crossing_weights: &[f64], draw: u32) -> DrawParams {
    draw_from(study, counts, crossing_weights, draw, &mut stream(DRAW, study.seed, draw))
}

/// The same from a stream of its own. Every parameter takes a stretch of it that no other takes, so that they are
/// independent of each other; what hangs together is in one field: counts, speeds, profiles, crossings.
pub(super) fn draw_from(
    study: &Study,
    counts: &CountModel,
    crossing_weights: &[f64],
    draw: u32,
    rng: &mut ChaCha8Rng,
) -> DrawParams {
    let p = &study.parameters;
    let border_share = p.border_share.draw(rng).clamp(0.0, 1.0);
    let exit_share = p.exit_share.draw(rng).clamp(0.0, 1.0);
    let gamma = p.gamma.draw(rng).max(0.0);
    let kappa = p.kappa.draw(rng);
    let route_variance = p.route_variance_min.draw(rng).max(0.0);
    let speed_factor = RoadClass::ALL.map(|_| p.speed_factor.draw(rng).clamp(0.05, 20.0));
    let crossing_min = p.crossing_min.draw(rng).clamp(0.0, 1_440.0);
    let detection = study.planning.detection.draw(rng).clamp(0.0, 1.0);
    let profile_offset = rand::RngExt::random::<f64>(rng);
    let profiles = shares(&p.profiles, rng);
    let mean = crossing_weights.iter().sum::<f64>()
        / crossing_weights.iter().filter(|w| **w > 0.0).count().max(1) as f64;
    let concentration = if mean > 0.0 { p.crossing_concentration / mean } else { 0.0 };
    let crossings = dirichlet(crossing_weights, concentration, rng);
    let counts = counts.draw(rng);
    DrawParams {
        draw,
        counts,
        border_share,
        exit_share,
        gamma,
        kappa,
        route_variance,
        speed_factor,
        crossing_min,
        profiles,
        crossings,
        detection,
        profile_offset,
    }
}

/// Shares of the behaviour profiles, in the order of [`DrawParams::profiles`].
fn shares(profiles: &Profiles, rng: &mut ChaCha8Rng) -> [f64; 3] {
    let drawn = dirichlet(&weights(profiles), 1.0, rng);
    [drawn[0], drawn[1], drawn[2]]
}

const fn weights(profiles: &Profiles) -> [f64; 3] {
    [profiles.fast, profiles.avoids_posts, profiles.minor_roads]
}

/// Drawn shares of the behaviour profiles under the weights `from`, as they are under the weights `to`: each is multiplied
/// by how its weight changes, so that equal weights leave them as they are and what is not known of them stays. A profile
/// that had no weight has the share that its new one gives it.
#[must_use]
pub fn tilted(drawn: [f64; 3], from: &Profiles, to: &Profiles) -> [f64; 3] {
    let [from, to] = [from, to].map(|profiles| {
        let weights = weights(profiles);
        let sum: f64 = weights.iter().sum();
        weights.map(|weight| weight / sum)
    });
    if from == to {
        return drawn;
    }
    let raw: [f64; 3] =
        std::array::from_fn(|i| if from[i] > 0.0 { drawn[i] * to[i] / from[i] } else { to[i] });
    let sum: f64 = raw.iter().sum();
    if sum > 0.0 { raw.map(|share| share / sum) } else { to }
}

/// A Dirichlet vector with parameters `scale · weights`; weights of 0 stay 0.
fn dirichlet(weights: &[f64], scale: f64, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let raw: Vec<f64> = weights
        .iter()
        .map(|&w| if w > 0.0 { Gamma::new(w * scale, 1.0).map_or(w, |g| g.sample(rng)) } else { 0.0 })
        .collect();
    let sum: f64 = raw.iter().sum();
    if sum > 0.0 {
        raw.iter().map(|v| v / sum).collect()
    } else {
        // Very small parameters can underflow all at once: their mean is the honest answer.
        let total: f64 = weights.iter().sum();
        weights.iter().map(|w| if total > 0.0 { w / total } else { 0.0 }).collect()
    }
}
