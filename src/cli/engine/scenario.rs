//! A scenario in force: a study's roads, posts and travellers as it would have them, beside what they were.

use std::collections::BTreeMap;

use super::Loaded;
use crate::error::{Error, Result};
use crate::ids::LinkId;
use crate::model::study::{Profiles, Study};
use crate::network::scenario::Changes;

/// A scenario in force.
#[derive(Debug, Clone)]
pub struct InForce {
    /// Its name.
    pub name: String,
    /// What it is.
    pub title: String,
    /// By link: whether the study closes it without the scenario.
    pub(super) closed_before: Vec<bool>,
    /// Posts that stand without the scenario: the first ones.
    pub(super) posts_before: usize,
    /// By link: factor on its time.
    pub(super) delay: Vec<f64>,
    /// Behaviour, where it differs.
    pub(super) profiles: Option<Profiles>,
    /// What the scenario does to links, in words of a code.
    pub(super) altered: BTreeMap<LinkId, Vec<&'static str>>,
}

/// Which of the scenarios of a study has that name.
///
/// # Errors
/// [`Error::Usage`] where none has.
pub fn place(study: &Study, name: &str) -> Result<usize> {
    study.scenarios.iter().position(|scenario| scenario.name == name).ok_or_else(|| {
        let known: Vec<&str> = study.scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
        let key = if known.is_empty() { "error.no_scenarios" } else { "error.scenario_unknown" };
        Error::Usage { key, params: vec![("name", name.to_owned()), ("known", known.join(", "))] }
    })
}

impl Loaded {
    /// The study under one of its scenarios.
    ///
    /// # Errors
    /// [`Error::Usage`] where no scenario has that name.
    pub fn under(mut self, name: &str) -> Result<Self> {
        let at = place(&self.study, name)?;
        let scenario = &self.study.scenarios[at];
        let Changes { closed, delay, posts } = self.changes.swap_remove(at);
        let mut altered: BTreeMap<LinkId, Vec<&'static str>> = BTreeMap::new();
        for (link, _) in self.built.network.links() {
            let at = link.index();
            let codes = [
                ("closed", closed[at] && !self.closed[at]),
                ("slower", delay[at] > 1.0),
                ("faster", delay[at] < 1.0),
                ("new_post", posts.iter().any(|(_, standing)| standing.link == link)),
            ];
            let codes: Vec<&str> =
                codes.into_iter().filter(|(_, holds)| *holds).map(|(code, _)| code).collect();
            if !codes.is_empty() {
                altered.insert(link, codes);
            }
        }
        let base = &self.study.parameters.profiles;
        let profiles = (!scenario.profiles.is_none()).then(|| scenario.profiles.on(base));
        let closed_before = self.closed.clone();
        self.closed.iter_mut().zip(closed).for_each(|(is, too)| *is |= too);
        let posts_before = self.domain.posts.len();
        for (post, standing) in posts {
            self.domain.posts.push(post);
            self.built.posts.push(Some(standing));
        }
        self.scenario = Some(InForce {
            name: scenario.name.clone(),
            title: scenario.title.clone(),
            closed_before,
            posts_before,
            delay,
            profiles,
            altered,
        });
        Ok(self)
    }
}
