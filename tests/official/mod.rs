//! Files as the offices publish them, made up from a seed: same columns, codes, encodings and oddities, and what they
//! must add up to. Figures, workplaces, and the municipalities of other states than Chiapas are invented.

#![allow(dead_code, reason = "each test file uses a part of this")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail by panicking")]

pub(crate) mod census;
pub(crate) mod crimes;
pub(crate) mod maps;
pub(crate) mod register;
pub(crate) mod roads;
pub(crate) mod state;

use std::collections::BTreeMap;

/// Random numbers that are the same everywhere (`SplitMix64`).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `n` − 1.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        u32::try_from(self.next() % u64::from(n)).unwrap()
    }

    pub(crate) fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[usize::try_from(self.next() % list.len() as u64).unwrap()]
    }

    /// A number from 0 to 1.
    pub(crate) fn share(&mut self) -> f64 {
        f64::from(self.below(1 << 20)) / f64::from(1 << 20)
    }
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// With CR LF, as most offices publish.
    Windows1252,
    Latin1,
    Utf8,
    /// With a byte order mark and CR LF, as spreadsheets write it.
    Utf8Bom,
}

impl Form {
    pub(crate) const ALL: [Self; 4] = [Self::Windows1252, Self::Latin1, Self::Utf8, Self::Utf8Bom];

    const fn line_end(self) -> &'static str {
        match self {
            Self::Windows1252 | Self::Utf8Bom => "\r\n",
            Self::Latin1 | Self::Utf8 => "\n",
        }
    }

    fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Windows1252 => {
                let (bytes, _, lost) = encoding_rs::WINDOWS_1252.encode(text);
                assert!(!lost, "what windows-1252 does not have");
                bytes.into_owned()
            }
            Self::Latin1 => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect(),
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf8Bom => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        }
    }
}

/// A table as it is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sheet {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Sheet {
    pub(crate) fn new<S: AsRef<str>>(header: &[S]) -> Self {
        Self { header: header.iter().map(|name| name.as_ref().to_owned()).collect(), rows: Vec::new() }
    }

    /// The index of a column by its exact name.
    #[track_caller]
    pub(crate) fn column(&self, name: &str) -> usize {
        self.header.iter().position(|h| h == name).unwrap_or_else(|| panic!("no column {name}"))
    }

    /// A value.
    #[track_caller]
    pub(crate) fn get(&self, row: usize, column: &str) -> &str {
        &self.rows[row][self.column(column)]
    }

    #[track_caller]
    pub(crate) fn set(&mut self, row: usize, column: &str, value: &str) {
        let at = self.column(column);
        value.clone_into(&mut self.rows[row][at]);
    }

    /// The rows, by index, in which every column has its value.
    pub(crate) fn find(&self, wanted: &[(&str, &str)]) -> Vec<usize> {
        let wanted: Vec<(usize, &str)> =
            wanted.iter().map(|(name, value)| (self.column(name), *value)).collect();
        (0..self.rows.len()).filter(|r| wanted.iter().all(|(c, value)| self.rows[*r][*c] == *value)).collect()
    }

    #[must_use]
    pub(crate) fn without(mut self, column: &str) -> Self {
        let at = self.column(column);
        self.header.remove(at);
        self.rows.iter_mut().for_each(|row| drop(row.remove(at)));
        self
    }

    #[must_use]
    pub(crate) fn with(mut self, column: &str, value: &str) -> Self {
        self.header.push(column.to_owned());
        self.rows.iter_mut().for_each(|row| row.push(value.to_owned()));
        self
    }

    #[must_use]
    pub(crate) fn renamed(mut self, from: &str, to: &str) -> Self {
        let at = self.column(from);
        to.clone_into(&mut self.header[at]);
        self
    }

    /// The line on which each row begins.
    pub(crate) fn lines(&self) -> Vec<u64> {
        let breaks = |row: &[String]| row.iter().map(|v| v.matches('\n').count() as u64).sum::<u64>();
        let mut line = 2 + breaks(&self.header);
        let mut lines = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            lines.push(line);
            line += 1 + breaks(row);
        }
        lines
    }

    pub(crate) fn bytes(&self, form: Form, delimiter: char) -> Vec<u8> {
        let mut text = String::new();
        for row in std::iter::once(&self.header).chain(&self.rows) {
            push_record(row, delimiter, form.line_end(), &mut text);
        }
        form.encode(&text)
    }

    pub(crate) fn utf8(&self) -> Vec<u8> {
        self.bytes(Form::Utf8, ',')
    }
}

/// Appends one record; what holds a delimiter, a quote or a line break is quoted.
pub(crate) fn push_record(row: &[String], delimiter: char, line_end: &str, text: &mut String) {
    for (i, value) in row.iter().enumerate() {
        if i > 0 {
            text.push(delimiter);
        }
        if value.contains([delimiter, '"', '\n']) {
            text.push('"');
            text.push_str(&value.replace('"', "\"\"").replace('\n', line_end));
            text.push('"');
        } else {
            text.push_str(value);
        }
    }
    text.push_str(line_end);
}

/// A municipality.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) entity: u32,
    /// Within the entity.
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) population: u32,
    pub(crate) index: f64,
    pub(crate) grade: &'static str,
    /// Longitude and latitude of its seat.
    pub(crate) at: [f64; 2],
}

impl Place {
    /// Entity and number in one, as SESNSP writes it.
    pub(crate) const fn code(&self) -> u32 {
        self.entity * 1_000 + self.number
    }

    /// The five digits.
    pub(crate) fn cvegeo(&self) -> String {
        format!("{:05}", self.code())
    }
}

pub(crate) const CHIAPAS: u32 = 7;

/// Entities that are made up, with where they lie and how many municipalities they get.
const OTHERS: [(u32, [f64; 2], u32); 3] =
    [(20, [-97.5, 16.5], 24), (27, [-93.6, 17.6], 17), (30, [-96.6, 19.0], 20)];

/// Degrees between two municipalities that are made up.
pub(crate) const STEP: f64 = 0.1;
/// Municipalities side by side.
pub(crate) const ROW: u32 = 6;

pub(crate) fn entity_name(entity: u32) -> &'static str {
    match entity {
        7 => "Chiapas",
        20 => "Oaxaca",
        27 => "Tabasco",
        _ => "Veracruz de Ignacio de la Llave",
    }
}

/// The municipalities of an entity: the 124 of Chiapas, or made-up ones on a grid.
pub(crate) fn places(entity: u32) -> Vec<Place> {
    if entity == CHIAPAS {
        return chiapas();
    }
    let (_, [west, south], count) = *OTHERS.iter().find(|(code, ..)| *code == entity).unwrap();
    let mut dice = Dice::new(u64::from(entity));
    (1..=count)
        .map(|number| {
            let (column, row) = ((number - 1) % ROW, (number - 1) / ROW);
            let index = 36.0 + 25.0 * dice.share();
            Place {
                entity,
                number,
                name: format!("San José Ñuu {entity}-{number}"),
                population: 1_000 + dice.below(90_000),
                index,
                grade: grade_of(index),
                at: [west + STEP * (f64::from(column) + 0.5), south + STEP * (f64::from(row) + 0.5)],
            }
        })
        .collect()
}

/// The municipalities of several entities.
pub(crate) fn all_places(entities: &[u32]) -> Vec<Place> {
    entities.iter().flat_map(|entity| places(*entity)).collect()
}

const GRADES: [(f64, &str); 5] =
    [(48.7, "Muy alto"), (52.3, "Alto"), (55.1, "Medio"), (57.9, "Bajo"), (f64::INFINITY, "Muy bajo")];

fn grade_of(index: f64) -> &'static str {
    GRADES.iter().find(|(top, _)| index < *top).unwrap().1
}

fn chiapas() -> Vec<Place> {
    let records = |text: &'static str| {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        reader.deserialize::<BTreeMap<String, String>>().map(Result::unwrap).collect::<Vec<_>>()
    };
    let seats: BTreeMap<String, [f64; 2]> = records(include_str!("../../geodata/chiapas/study/towns.csv"))
        .into_iter()
        .filter(|town| town["seat"] == "true")
        .map(|town| (town["cvegeo"].clone(), ["lon", "lat"].map(|name| town[name].parse().unwrap())))
        .collect();
    records(include_str!("../../geodata/chiapas/study/municipios.csv"))
        .into_iter()
        .map(|record| Place {
            entity: CHIAPAS,
            number: record["cvegeo"][2..].parse().unwrap(),
            name: record["nombre"].clone(),
            population: record["poblacion_2020"].parse().unwrap(),
            index: record["indice_marginacion_2020"].parse().unwrap(),
            grade: GRADES.iter().find(|(_, name)| *name == record["grado_marginacion_2020"]).unwrap().1,
            at: seats.get(&record["cvegeo"]).copied().unwrap_or([-92.6, 16.7]),
        })
        .collect()
}
