//! What a scenario changes of a network.

use super::attach::place_posts;
use super::builder::{Built, Standing};
use super::closures::closed_links;
use super::graph::LinkKind;
use crate::error::{Fault, Faults, Rule};
use crate::model::domain::{Domain, Post};
use crate::model::study::Scenario;
use crate::sources::normalised;
use geo::Coord;

/// What a scenario changes of a network.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// By link: whether the scenario closes it.
    pub closed: Vec<bool>,
    /// By link: factor on its time.
    pub delay: Vec<f64>,
    /// Posts that stand too, each with where.
    pub posts: Vec<(Post, Standing)>,
}

/// What `scenario`, which stands at `path` in the study file, changes of a network; posts are joined to roads within
/// `reach` metres. What names no link or stands on none is a fault, so that a misspelt road does not pass for one that
/// stays as it is.
#[must_use]
pub fn changes(
    scenario: &Scenario,
    (study_file, path): (&str, &str),
    domain: &Domain,
    built: &Built,
    reach: f64,
    faults: &mut Faults,
) -> Changes {
    let network = &built.network;
    let closures = format!("{path}.closures");
    let closed = closed_links(&scenario.closures, (study_file, &closures), domain, built, faults);
    let mut delay = vec![1.0; network.link_count()];
    for (i, change) in scenario.speeds.iter().enumerate() {
        // Unknown names were told when the study was read.
        let Some((class, surface)) = change.of() else { continue };
        let reference = change.reference.as_deref().map(normalised);
        let mut any = false;
        for (id, link) in network.links().filter(|(_, link)| link.kind == LinkKind::Road) {
            if class.is_none_or(|class| class == link.class)
                && surface.is_none_or(|surface| surface == link.surface)
                && reference.as_deref().is_none_or(|reference| reference == normalised(&link.reference))
            {
                delay[id.index()] /= change.factor;
                any = true;
            }
        }
        if !any {
            let named = [&change.reference, &change.class, &change.surface].into_iter().flatten();
            let detail = named.map(String::as_str).collect::<Vec<_>>().join(", ");
            let at = format!("{path}.speeds[{i}]");
            faults.push(Fault::new(Rule::SpeedUnmatched, study_file).field(at).with("detail", detail));
        }
    }
    // An id that no post of the study has.
    let id = |i: usize| {
        let mut id = format!("{}:{}", scenario.name, i + 1);
        while domain.posts.iter().any(|post| post.id == id) {
            id.push('+');
        }
        id
    };
    let posts: Vec<Post> = scenario
        .posts
        .iter()
        .enumerate()
        .map(|(i, post)| Post {
            id: id(i),
            name: post.name.clone(),
            row: 0,
            reference: post.reference.clone().unwrap_or_default(),
            operator: post.operator.clone(),
            purpose: post.purpose.clone(),
            staffed_share: post.staffed_share,
            precision_km: None,
            at: Coord { x: post.point[0], y: post.point[1] },
        })
        .collect();
    let placed = place_posts(&posts, &domain.frame, network, reach);
    let posts = posts
        .into_iter()
        .zip(placed)
        .enumerate()
        .filter_map(|(i, (post, placed))| match placed {
            Ok(standing) => Some((post, standing)),
            Err(distance) => {
                let told = distance.map_or_else(|| "?".to_owned(), |d| format!("{:.1} km", d.km()));
                let at = format!("{path}.posts[{i}]");
                faults.push(Fault::new(Rule::PostUnsnapped, study_file).field(at).with("distance", told));
                None
            }
        })
        .collect();
    Changes { closed, delay, posts }
}
