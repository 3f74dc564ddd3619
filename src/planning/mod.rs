//! Stage 6: flows and rates to posts and worksite visits.
//!
//! [`intercept`] chooses sites that meet the most distinct trips, [`posts`] makes them posts, [`worksites`]
//! ranks workplaces, [`competence`] says whose inspection it is.

pub mod competence;
pub mod intercept;
pub mod posts;
#[cfg(test)]
mod tests;
pub mod worksites;
