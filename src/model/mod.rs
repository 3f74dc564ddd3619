pub mod incidence;
