pub mod feature;
