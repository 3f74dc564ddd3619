//! Results on their way out: layers as GeoJSON, GeoPackage with styles and tables, in one sealed folder.
//!
//! [`write::write_result`] is the single door: it drops what the audience may not see, gives every number
//! its final form, writes all formats from that one view, and seals the folder with its manifest.
//! [`atomic::ResultFolder`] makes the folder appear whole or not at all; [`verify::verify`] reads it back.

mod antimeridian;
pub mod assemble;
pub mod atomic;
pub mod descriptor;
pub mod feature;
pub mod flatgeobuf;
pub mod geojson;
pub mod gpkg;
pub mod manifest;
pub mod map;
mod normal;
pub mod notice;
mod page;
pub mod plot;
pub mod postgis;
pub mod qgis;
pub mod report;
mod rows;
pub mod schema;
pub mod style;
pub mod tables;
pub mod telling;
pub mod verify;
pub mod view;
pub mod words;
pub mod write;

#[cfg(test)]
mod samples;
