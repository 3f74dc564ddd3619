//! `corredor inspect`: what a file holds, what is never shown of it, and what a study would say of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot be set up has failed")]
#![allow(dead_code, reason = "each test program uses a part of what they share")]

mod support;
#[path = "support/workbooks.rs"]
mod workbooks;

use serde_json::{Value, json};
use support::{Answer, Study, corredor};

fn inspect(study: &Study, name: &str, code: i32) -> Value {
    Answer::of(corredor().arg("inspect").arg(study.path(name)).arg("--json")).exits(code).json()
}

/// What the study's own file is proposed as.
fn proposed(study: &Study, name: &str) -> Value {
    inspect(study, name, 0)["proposals"][0].clone()
}

#[test]
fn the_files_of_a_study_are_proposed_as_what_they_are() {
    let study = Study::new();
    for (name, source) in [
        ("municipalities.geojson", "municipalities"),
        ("municipios.csv", "population"),
        ("incidencia.csv", "counts"),
        ("roads.geojson", "roads"),
        ("crossings.csv", "crossings"),
        ("towns.csv", "towns"),
        ("posts.csv", "posts"),
        ("worksites.csv", "worksites"),
    ] {
        let proposal = proposed(&study, name);
        assert_eq!(proposal["source"], source, "{name}: {proposal}");
        assert_eq!(proposal["missing"], json!([]), "{name}: {proposal}");
    }
    let fields = proposed(&study, "municipios.csv")["fields"].clone();
    assert_eq!(
        fields,
        json!([
            ["name", "nombre"],
            ["population", "poblacion_2020"],
            ["marginalization", "indice_marginacion_2020"]
        ])
    );
}

#[test]
fn a_proposal_can_be_put_into_the_study_file() {
    let study = Study::new();
    let lines = proposed(&study, "municipios.csv")["toml"].as_str().unwrap().to_owned();
    let text = study.text("study.toml");
    let (before, rest) = text.split_once("[sources.population]").unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    study.write("study.toml", format!("{before}{lines}\n\n{after}"));
    study.check(&[]).exits(0);
}

/// Puts the lines of a proposal in the place of a source of the study.
fn adopt(study: &Study, proposal: &Value) {
    let source = proposal["source"].as_str().unwrap();
    let text = study.text("study.toml");
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with(&format!("{source} = {{"))).collect();
    study.write("study.toml", format!("{}\n\n{}\n", kept.join("\n"), proposal["toml"].as_str().unwrap()));
}

/// The rows of a table of the study as those of a sheet.
fn sheet(study: &Study, name: &str) -> String {
    let mut all = Vec::new();
    study.table(name, |header, rows| {
        all.push(header.clone());
        all.extend(rows.iter().cloned());
    });
    let all: Vec<Vec<&str>> = all.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    workbooks::cells(&all.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

#[test]
fn each_sheet_of_a_workbook_is_shown_and_proposed_with_its_name() {
    let note = workbooks::cells(&[&["nota"], &["x"]]);
    let sheets = [("Notas", note), ("Puestos", sheet(&Study::new(), "posts.csv"))];
    let book = workbooks::packed(&workbooks::xlsx_parts(&sheets, ">"));
    for args in [
        vec!["libro.xlsx"],
        vec!["libro.xlsx", "--layer", "Puestos"],
        vec!["LIBRO.ZIP", "--layer", "Puestos"],
    ] {
        let study = Study::new();
        study.write("libro.xlsx", &book);
        study.write("LIBRO.ZIP", workbooks::zipped(&[("a/LIBRO.XLSX", &book)]));
        let answer =
            Answer::of(corredor().arg("inspect").arg(study.path(args[0])).args(&args[1..]).arg("--json"));
        let found = answer.exits(0).json();
        let layers = found["file"]["layers"].as_array().unwrap();
        assert_eq!(layers.len(), if args.len() == 1 { 2 } else { 1 }, "{found}");
        let proposals = found["proposals"].as_array().unwrap();
        let posts = proposals.iter().find(|proposal| proposal["source"] == "posts").unwrap();
        assert_eq!(posts["layer"], "Puestos", "{args:?}");
        adopt(&study, posts);
        study.check(&[]).exits(0);
    }
}

#[test]
fn what_is_proposed_is_accepted() {
    for (file, source) in [
        ("posts.csv", "posts"),
        ("towns.csv", "towns"),
        ("crossings.csv", "crossings"),
        ("roads.geojson", "roads"),
    ] {
        let study = Study::new();
        let proposal = proposed(&study, file);
        assert_eq!(proposal["source"], source);
        adopt(&study, &proposal);
        study.check(&[]).exits(0);
    }
}

#[test]
fn a_code_within_the_entity_is_not_taken_for_that_of_a_municipality() {
    let study = Study::new();
    study.write("short.csv", "cve_ent,cve_mun,municipio,anio,casos\n7,89,Tapachula,2023,4\n");
    let proposal = proposed(&study, "short.csv");
    assert_eq!((&proposal["source"], &proposal["missing"]), (&json!("counts"), &json!(["cvegeo"])));
    let answer = Answer::of(corredor().arg("inspect").arg(study.path("short.csv"))).exits(0);
    assert!(answer.stdout.contains("una columna"), "{}", answer.stdout);
    study.write("long.csv", "cve_mun,anio,casos\n7089,2023,4\n07001,2023,1\n");
    assert_eq!(proposed(&study, "long.csv")["missing"], json!([]));
}

#[test]
fn values_that_say_who_somebody_is_are_not_shown_under_any_name() {
    let study = Study::new();
    study.write(
        "p.geojson",
        r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":1,"clave":"PELJ800101HCSRPN09",
        "otro":"tel. 961 123 4567","dato":"juana@ejemplo.mx","datos":{"curp":"SECRETO"},"lista":["SECRETO"]},
        "geometry":{"type":"Point","coordinates":[-92.2,14.9]}}]}"#,
    );
    for args in [vec![], vec!["--json"]] {
        let answer = Answer::of(corredor().arg("inspect").arg(study.path("p.geojson")).args(args)).exits(0);
        for secret in ["PELJ", "4567", "juana", "SECRETO"] {
            assert!(!answer.stdout.contains(secret), "{secret}: {}", answer.stdout);
        }
        assert!(answer.stdout.contains("{…}") && answer.stdout.contains("[…]"), "{}", answer.stdout);
    }
}

#[test]
fn official_layouts_are_known_by_their_fields() {
    let study = Study::new();
    let months = "Enero,Febrero,Marzo,Abril,Mayo,Junio,Julio,Agosto,Septiembre,Octubre,Noviembre,Diciembre";
    study.write(
        "idm.csv",
        format!(
            "Año,Clave_Ent,Cve. Municipio,Tipo de delito,{months}\n2020,7,7089,x,0,0,0,0,0,0,0,0,0,0,0,0\n"
        ),
    );
    study.write("iter.csv", "ENTIDAD,MUN,LOC,NOM_MUN,POBTOT\n7,89,0,Tapachula,353706\n");
    study.write("imm.csv", "CVE_MUN,NOM_MUN,POB_TOT,IM_2020\n07089,Tapachula,353706,55.1\n");
    study.write(
        "denue.csv",
        "id,nom_estab,codigo_act,per_ocu,cve_ent,cve_mun,latitud,longitud\n1,FONDA JUANA,722511,0 a 5 personas,7,89,14.9,-92.26\n",
    );
    for (name, preset) in [
        ("idm.csv", "sesnsp-municipal"),
        ("iter.csv", "inegi-iter"),
        ("imm.csv", "conapo-imm"),
        ("denue.csv", "denue"),
    ] {
        assert_eq!(proposed(&study, name)["preset"], preset, "{name}");
    }
}

#[test]
fn values_of_columns_of_persons_are_never_shown() {
    let study = Study::new();
    study.write(
        "p.csv",
        "id,nombre_victima,CURP,telefono,nacionalidad,nom_estab,lat,lon\n1,JUANA SECRETO,SECA800101,961SECRETO,SECRETA,FONDA SECRETO,14.9,-92.26\n",
    );
    for args in [vec![], vec!["--json"]] {
        let answer = Answer::of(corredor().arg("inspect").arg(study.path("p.csv")).args(args)).exits(0);
        for text in [&answer.stdout, &answer.stderr] {
            assert!(!text.contains("SECR") && !text.contains("SECA"), "{text}");
        }
        assert!(answer.stdout.contains("nombre_victima"));
    }
}

#[test]
fn what_cannot_be_opened_is_a_fault() {
    let study = Study::new();
    study.write("empty.csv", "");
    study.write("a.doc", "x");
    for name in ["empty.csv", "a.doc", "none.gpkg"] {
        Answer::of(corredor().arg("inspect").arg(study.path(name))).exits(1);
    }
}
