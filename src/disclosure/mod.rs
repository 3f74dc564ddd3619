//! Stage 7: what each audience may see.
//!
//! [`cells`] turns counts into what may be released. The public result is not a filtered restricted one:
//! the whole engine runs again on the released bands, so that no rate, share or reason can give a count
//! back. Fields and layers of the restricted tier are left out where files are written.

pub mod cells;
#[cfg(test)]
mod tests;

/// Who may see a result, a layer or a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Open data.
    Public,
    /// Planners and inspectors.
    Restricted,
}
