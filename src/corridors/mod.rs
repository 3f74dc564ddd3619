//! Stage 5: demand and route choice, draw by draw, to flows on links and named corridors.
//!
//! [`params`] draws one vector of parameters, [`demand`] spreads the drawn counts over origins, [`choice`] perturbs
//! the cost of links, [`routing`] finds cheapest paths, [`flow`] loads them with trips, [`draws`] runs it all in
//! parallel and [`table`] keeps what links carry, [`score`] summarises over draws, [`extract`] and [`naming`] make
//! corridors, [`object`] says what is said of each: its [`rank`] over draws, what it is [`parallel`] to; [`usage`] finds
//! the trips that use it, [`border`] what of it lies near the border, and [`agreement`] how sure the set of corridors is.
//! [`alternatives`] tells the routes of a pair apart. [`passage`] finds the trips that pass through a
//! municipality, [`roles`] says what part each municipality has in the flows. [`sensitivity`] tells which parameters decide
//! a corridor's score, by the indices of [`sobol`]; [`cross_check`] leads the same demand over the roads by two other models of
//! route choice, [`dial`] and [`recursive_logit`].

pub mod agreement;
pub mod alternatives;
pub mod border;
pub mod bundles;
pub mod change;
pub mod choice;
pub mod cross_check;
pub mod demand;
pub mod dial;
pub mod draws;
pub mod extract;
pub mod flow;
pub mod logit;
pub mod naming;
pub mod object;
pub mod parallel;
pub mod params;
pub mod passage;
pub mod rank;
pub mod recursive_logit;
pub mod roles;
pub mod routing;
pub mod score;
pub mod sensitivity;
pub mod sobol;
mod sweep;
pub mod table;
pub mod takeover;
#[cfg(test)]
pub(crate) mod tests;
pub mod usage;
