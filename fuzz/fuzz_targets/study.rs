//! The bytes are the study file. One that is right is loaded with the sources of the small study.

#![no_main]

use std::fs;

use corredor::cli::config;
use corredor::error::Error;
use corredor::layers::feature::Lang;
use corredor_fuzz::{begin, bench, told_result, text_of};
use libfuzzer_sys::fuzz_target;

const CHIAPAS: &str = include_str!("../../geodata/chiapas/study/study.toml");

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    vec![("small", text_of("study.toml").into()), ("chiapas", CHIAPAS.into())]
}

fuzz_target!(init: begin(&seeds()), |data: &[u8]| {
    let path = bench().folder().join("other.toml");
    fs::write(&path, data).expect("the folder can be written");
    match config::read(&path) {
        Ok(file) => bench().load_on_own_sources(file.study),
        Err(error) => {
            if let Error::Faults(faults) = &error {
                for lang in [Lang::Es, Lang::En] {
                    let _ = config::excerpts(&path, faults, lang);
                }
            }
            told_result::<()>(Err(error));
        }
    }
});
