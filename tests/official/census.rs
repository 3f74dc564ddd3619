//! INEGI, ITER 2020, and CONAPO, índice de marginación 2020.

use super::{Dice, Place, Sheet, entity_name, places};

/// The 286 columns of ITER 2020.
pub(crate) fn iter_columns() -> Vec<String> {
    let mut out =
        words("ENTIDAD NOM_ENT MUN NOM_MUN LOC NOM_LOC LONGITUD LATITUD ALTITUD POBTOT POBFEM POBMAS");
    // By sex: all, women, men.
    let three = |out: &mut Vec<String>, names: &str| {
        for name in names.split_whitespace() {
            out.extend([name.to_owned(), format!("{name}_F"), format!("{name}_M")]);
        }
    };
    three(
        &mut out,
        "P_0A2 P_3YMAS P_5YMAS P_12YMAS P_15YMAS P_18YMAS P_3A5 P_6A11 P_8A14 P_12A14 P_15A17 P_18A24",
    );
    out.push("P_15A49_F".to_owned());
    three(&mut out, "P_60YMAS");
    out.extend(words("REL_H_M POB0_14 POB15_64 POB65_MAS"));
    for from in (0..85).step_by(5) {
        three(&mut out, &format!("P_{from}A{}", from + 4));
    }
    three(&mut out, "P_85YMAS");
    out.extend(words("PROM_HNV"));
    three(&mut out, "PNACENT PNACOE PRES2015 PRESOE15 P3YM_HLI P3HLINHE P3HLI_HE");
    out.extend(words("P5_HLI P5_HLI_NHE P5_HLI_HE PHOG_IND"));
    three(&mut out, "POB_AFRO");
    out.extend(words(
        "PCON_DISC PCDISC_MOT PCDISC_VIS PCDISC_LENG PCDISC_AUD PCDISC_MOT2 PCDISC_MEN PCON_LIMI PCLIM_CSB PCLIM_VIS \
         PCLIM_HACO PCLIM_OAUD PCLIM_MOT2 PCLIM_RE_CO PCLIM_PMEN PSIND_LIM",
    ));
    three(&mut out, "P3A5_NOA P6A11_NOA");
    out.extend(words("P12A14NOA P12A14NOAF P12A14NOAM"));
    three(&mut out, "P15A17A P18A24A P8A14AN P15YM_AN P15YM_SE");
    out.extend(words(
        "P15PRI_IN P15PRI_INF P15PRI_INM P15PRI_CO P15PRI_COF P15PRI_COM P15SEC_IN P15SEC_INF P15SEC_INM P15SEC_CO \
         P15SEC_COF P15SEC_COM",
    ));
    three(&mut out, "P18YM_PB GRAPROES PEA PE_INAC POCUPADA PDESOCUP");
    out.extend(words(
        "PSINDER PDER_SS PDER_IMSS PDER_ISTE PDER_ISTEE PAFIL_PDOM PDER_SEGP PDER_IMSSB PAFIL_IPRIV PAFIL_OTRAI \
         P12YM_SOLT P12YM_CASA P12YM_SEPA PCATOLICA PRO_CRIEVA POTRAS_REL PSIN_RELIG TOTHOG HOGJEF_F HOGJEF_M POBHOG \
         PHOGJEF_F PHOGJEF_M VIVTOT TVIVHAB TVIVPAR VIVPAR_HAB VIVPARH_CV TVIVPARHAB VIVPAR_DES VIVPAR_UT OCUPVIVPAR \
         PROM_OCUP PRO_OCUP_C VPH_PISODT VPH_PISOTI VPH_1DOR VPH_2YMASD VPH_1CUART VPH_2CUART VPH_3YMASC VPH_C_ELEC \
         VPH_S_ELEC VPH_AGUADV VPH_AEASP VPH_AGUAFV VPH_TINACO VPH_CISTER VPH_EXCSA VPH_LETR VPH_DRENAJ VPH_NODREN \
         VPH_C_SERV VPH_NDEAED VPH_DSADMA VPH_NDACMM VPH_SNBIEN VPH_REFRI VPH_LAVAD VPH_HMICRO VPH_AUTOM VPH_MOTO \
         VPH_BICI VPH_RADIO VPH_TV VPH_PC VPH_TELEF VPH_CEL VPH_INTER VPH_STVP VPH_SPMVPI VPH_CVJ VPH_SINRTV \
         VPH_SINLTC VPH_SINCINT VPH_SINTIC TAMLOC",
    ));
    out
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Degrees, minutes and seconds as the census writes them.
fn sexagesimal(degrees: f64, side: char) -> String {
    let seconds = degrees.abs() * 3_600.0;
    let (whole, minutes) = ((seconds / 3_600.0).floor(), (seconds / 60.0).floor() % 60.0);
    format!("{whole:.0}°{minutes:02.0}'{:06.3}\" {side}", (seconds % 60.0).min(59.999))
}

/// ITER: totals of the country, of each entity and municipality, localities, and those of one and two dwellings.
pub(crate) fn iter(entities: &[u32]) -> Sheet {
    let mut sheet = Sheet::new(&iter_columns());
    let mut dice = Dice::new(11);
    let width = sheet.header.len();
    let small = [("9998", "Localidades de una vivienda"), ("9999", "Localidades de dos viviendas")];
    let mut push = |codes: [&str; 6], at: Option<[f64; 2]>, population: u32| {
        let mut row: Vec<String> = codes.map(str::to_owned).into();
        match at {
            Some([lon, lat]) => {
                row.extend([sexagesimal(lon, 'W'), sexagesimal(lat, 'N'), "0177".to_owned()]);
            }
            None => row.extend([const { String::new() }; 3]),
        }
        row.push(population.to_string());
        // Of small localities the rest is withheld.
        let withheld = at.is_some() && population < 12;
        while row.len() < width {
            row.push(if withheld { "*".to_owned() } else { dice.below(population.max(1)).to_string() });
        }
        sheet.rows.push(row);
    };
    let all: Vec<(u32, Vec<Place>)> = entities.iter().map(|entity| (*entity, places(*entity))).collect();
    let sum = |places: &[Place]| places.iter().map(|place| place.population).sum::<u32>();
    let country = "Total nacional";
    push(["00", country, "000", country, "0000", country], None, all.iter().map(|(_, p)| sum(p)).sum());
    for (locality, name) in small {
        push(["00", country, "000", country, locality, name], None, 250_354);
    }
    for (entity, places) in &all {
        let (code, name) = (format!("{entity:02}"), entity_name(*entity));
        let total = "Total de la entidad";
        push([&code, name, "000", total, "0000", total], None, sum(places));
        for (locality, label) in small {
            push([&code, name, "000", total, locality, label], None, 17_000);
        }
        for place in places {
            let number = format!("{:03}", place.number);
            push([&code, name, &number, &place.name, "0000", "Total del Municipio"], None, place.population);
            for (locality, people) in [(1, place.population / 2), (2, 180), (7, 9), (15, 3)] {
                let locality = format!("{locality:04}");
                let label =
                    if locality == "0001" { place.name.as_str() } else { "El Porvenir,\nEjido \"Ñandú\"" };
                push([&code, name, &number, &place.name, &locality, label], Some(place.at), people);
            }
            for (locality, label) in small {
                push([&code, name, &number, &place.name, locality, label], None, 40);
            }
        }
    }
    sheet
}

/// Records of [`iter`] for each municipality, beside its total.
pub(crate) const LOCALITIES: u64 = 6;

/// IMM 2020: one record for each municipality.
pub(crate) fn imm(entities: &[u32]) -> Sheet {
    let mut sheet = Sheet::new(&[
        "CVE_ENT", "NOM_ENT", "CVE_MUN", "NOM_MUN", "POB_TOT", "ANALF", "SBASC", "OVSDE", "OVSEE", "OVSAE",
        "OVPT", "VHAC", "PL.5000", "PO2SM", "IM_2020", "GM_2020", "IMN_2020",
    ]);
    let mut dice = Dice::new(12);
    for place in entities.iter().flat_map(|entity| places(*entity)) {
        let mut row = vec![
            format!("{:02}", place.entity),
            entity_name(place.entity).to_owned(),
            place.cvegeo(),
            place.name.clone(),
            place.population.to_string(),
        ];
        row.extend((0..9).map(|_| format!("{:.2}", 60.0 * dice.share())));
        row.extend([
            format!("{:.4}", place.index),
            place.grade.to_owned(),
            format!("{:.4}", place.index / 65.0),
        ]);
        sheet.rows.push(row);
    }
    sheet
}
