//! The first byte says as what source and by which preset, the second some options, the rest is the file.

#![no_main]

use corredor::error::Faults;
use corredor::sources::{GeometryNeed, Preset, SourceSpec};
use corredor_fuzz::{begin, bench, need, text_of, told};
use libfuzzer_sys::fuzz_target;

const KINDS: [(&str, Option<Preset>); 12] = [
    ("population", None),
    ("counts", None),
    ("towns", None),
    ("crossings", None),
    ("exits", None),
    ("posts", None),
    ("worksites", None),
    ("counts", Some(Preset::SesnspMunicipal)),
    ("population", Some(Preset::InegiIter)),
    ("worksites", Some(Preset::Denue)),
    ("population", Some(Preset::ConapoImm)),
    ("marginalization", None),
];

const CRIMES: &str = "Año,Clave_Ent,Entidad,Cve. Municipio,Municipio,Bien jurídico afectado,Tipo de delito,\
    Subtipo de delito,Modalidad,Enero,Febrero,Marzo,Abril,Mayo,Junio,Julio,Agosto,Septiembre,Octubre,Noviembre,Diciembre\n\
    2020,7,Chiapas,7001,Oeste,La familia,Trata de personas,Trata de personas,Trata de personas,1,0,0,2,0,0,0,0,0,0,0,0\n\
    2021,7,Chiapas,7002,Este,La familia,Trata de personas,Trata de personas,Trata de personas,0,1,0,0,,,,,,,,\n";
const CENSUS: &str = "ENTIDAD,NOM_ENT,MUN,NOM_MUN,LOC,NOM_LOC,LONGITUD,LATITUD,ALTITUD,POBTOT,POBFEM,VPH_TELEF\n\
    07,Chiapas,000,Total,0000,Total,,,,39181,20000,*\n07,Chiapas,001,Oeste,0000,Total,,,,17994,9000,12\n\
    07,Chiapas,002,Este,0000,Total,,,,21187,11000,*\n07,Chiapas,002,Este,0001,Este,\"92°00'00.000\"\" W\",,0010,100,*,*\n";
const REGISTER: &str = "id,clee,nom_estab,raz_social,codigo_act,nombre_act,per_ocu,cve_ent,entidad,cve_mun,municipio,\
    telefono,correoelec,latitud,longitud\n1,07001722412000001,BAR,,722412,Bares,0 a 5 personas,07,Chiapas,001,Oeste,,,15.01,-92.1\n";
const INDEX: &str = "CVE_MUN,CVE_ENT,NOM_ENT,NOM_MUN,POB_TOT,IM_2020,GM_2020\n\
    07001,07,Chiapas,Oeste,17994,53.3,Medio\n07002,07,Chiapas,Este,21187,51.1,Alto\n";

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let of = |kind: u8, options: u8, text: &str| [&[kind, options], text.as_bytes()].concat();
    vec![
        ("population", of(0, 0, text_of("population.csv"))),
        ("counts", of(1, 0, text_of("counts.csv"))),
        ("towns", of(2, 0, text_of("towns.csv"))),
        ("crossings", of(3, 0, text_of("crossings.csv"))),
        ("exits", of(4, 0, text_of("exits.csv"))),
        ("posts", of(5, 0, text_of("posts.csv"))),
        ("worksites", of(6, 0, text_of("worksites.csv"))),
        ("sesnsp", of(7, 0, CRIMES)),
        ("sesnsp-months", of(7, 32, CRIMES)),
        ("iter", of(8, 0, CENSUS)),
        ("denue", of(9, 0, REGISTER)),
        ("denue-sectors", of(9, 16, REGISTER)),
        ("imm", of(10, 0, INDEX)),
        ("marginalization", of(11, 0, "cvegeo,marginalization\n07001,1.5\n07002,-0.5\n")),
        ("metres", of(4, 4, "id;name;x;y\ne1;Norte;3570000;290000\n")),
    ]
}

fuzz_target!(init: begin(&seeds()), |data: &[u8]| {
    let [kind, options, file @ ..] = data else { return };
    let (source, preset) = KINDS[*kind as usize % KINDS.len()];
    let on = |bit: u8| options & bit != 0;
    let text = |on: bool, text: &str| on.then(|| text.to_owned());
    let mut spec = SourceSpec {
        path: if on(1) { "a.tsv".to_owned() } else { "a.csv".to_owned() },
        preset,
        encoding: text(on(2), if on(64) { "utf-16le" } else { "windows-1252" }),
        crs: text(on(4), "EPSG:6372"),
        bbox: on(8).then_some([-92.2, 14.9, -92.0, 15.1]),
        entities: if on(16) { vec!["07".to_owned()] } else { Vec::new() },
        from: text(preset == Some(Preset::SesnspMunicipal) && on(32), "2020-02"),
        to: text(preset == Some(Preset::SesnspMunicipal) && on(64), "2021"),
        ..SourceSpec::default()
    };
    if source == "worksites" && on(16) {
        spec.scian = vec!["7224".to_owned(), "721111".to_owned()];
    }
    if on(128) {
        spec.fields = [("id", "name"), ("name", "id"), ("cvegeo", "\u{fc}"), ("count", "Enero")]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .into();
    }
    let mut other = Faults::default();
    // The other way round as well: points of what is a table only, and the reverse.
    let need = need(source);
    let turned = if need == GeometryNeed::Point { GeometryNeed::None } else { GeometryNeed::Point };
    let _ = bench().read(file, source, &spec, turned, &mut other);
    told(&other);
    let mut faults = Faults::default();
    let table = bench().read(file, source, &spec, need, &mut faults);
    let usable = !faults.has_errors();
    if let Some(table) = table
        && bench().model(source, table, &spec, &mut faults)
        && usable
    {
        bench().load_with(source, &spec);
    }
    told(&faults);
});
