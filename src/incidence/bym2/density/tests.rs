use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{Posterior, Priors};
use crate::incidence::bym2::likelihood::Likelihood;
use crate::incidence::bym2::normal;
use crate::incidence::bym2::nuts::Density;
use crate::incidence::bym2::options::Law;
use crate::incidence::checks::Cell;
use crate::incidence::icar::IcarField;

#[test]
fn the_gradient_is_that_of_finite_differences() {
    let cells = [(2.0, 3, Some(3)), (5.0, 0, Some(4)), (1.0, 1, None), (3.0, 0, None), (0.0, 0, None)]
        .map(|(exposure, min, max)| Cell { exposure, min, max });
    let field = IcarField::new(&[vec![1], vec![0, 2], vec![1], vec![4], vec![3]]).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    for total in [None, Some(11)] {
        for pi in [Ok(Law::Beta { a: 1.0, b: 9.0 }), Err(0.0), Err(0.3)] {
            let priors = Priors {
                b0: Law::Normal { mean: 0.2, sd: 2.0 },
                b0_mean: 0.2,
                sigma: Law::HalfNormal { scale: 1.0 },
                phi: (0.5, 0.7),
                pi,
            };
            let exposure = cells.iter().map(|c| c.exposure).collect();
            let likelihood = Likelihood::new(&cells, total);
            let mut posterior = Posterior::new(priors, field.clone(), likelihood, exposure);
            let mut at = vec![0.0; posterior.dimension()];
            let mut gradient = at.clone();
            let mut other = at.clone();
            for _ in 0..20 {
                normal::fill(&mut at, &mut rng);
                for x in &mut at {
                    *x *= 0.5;
                }
                assert!(posterior.evaluate(&at, &mut gradient).is_finite());
                for i in 0..at.len() {
                    let mut shifted = at.clone();
                    let mut value = |h: f64| {
                        shifted[i] = at[i] + h;
                        posterior.evaluate(&shifted, &mut other)
                    };
                    let numeric = (value(1e-5) - value(-1e-5)) / 2e-5;
                    let miss = (gradient[i] - numeric).abs();
                    assert!(
                        miss < 1e-6 * numeric.abs().max(1.0),
                        "{total:?} {pi:?} {i}: {numeric} {gradient:?}"
                    );
                }
            }
        }
    }
}
