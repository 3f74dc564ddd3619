//! The words of the Red Nacional de Caminos and what they mean here.

use crate::sources::names::{normalised, squeeze, squeezed};

/// Speeds in km/h where `VELOCIDAD` is `N/A`, by type of road and cover: planning speeds of light vehicles, on the
/// careful side of what is posted. One row for types that are driven alike.
struct Speeds {
    concrete: u8,
    asphalt: u8,
    gravel: u8,
    earth: u8,
    /// Cover unknown or another one, such as paving stones.
    other: u8,
}

const HIGHWAY: Speeds = Speeds { concrete: 80, asphalt: 70, gravel: 35, earth: 25, other: 50 };
const RING: Speeds = Speeds { concrete: 60, asphalt: 60, gravel: 30, earth: 20, other: 50 };
const AVENUE: Speeds = Speeds { concrete: 45, asphalt: 45, gravel: 25, earth: 20, other: 40 };
const RAMP: Speeds = Speeds { concrete: 40, asphalt: 40, gravel: 25, earth: 20, other: 35 };
const STREET: Speeds = Speeds { concrete: 25, asphalt: 25, gravel: 20, earth: 15, other: 20 };
const TRACK: Speeds = Speeds { concrete: 40, asphalt: 40, gravel: 25, earth: 20, other: 20 };

/// `TIPO_VIAL`: `None` for what vehicles do not use.
const TYPES: [(&str, Option<&Speeds>); 29] = [
    ("Periférico", Some(&RING)),
    ("Calle", Some(&STREET)),
    ("Avenida", Some(&AVENUE)),
    ("Circuito", Some(&RING)),
    ("Viaducto", Some(&RING)),
    ("Calzada", Some(&AVENUE)),
    ("Eje vial", Some(&AVENUE)),
    ("Enlace", Some(&RAMP)),
    ("Retorno U", Some(&RAMP)),
    ("Boulevard", Some(&AVENUE)),
    ("Carretera", Some(&HIGHWAY)),
    ("Privada", Some(&STREET)),
    ("Retorno", Some(&RAMP)),
    ("Prolongación", Some(&STREET)),
    ("Corredor", Some(&RING)),
    ("Callejón", Some(&STREET)),
    ("Glorieta", Some(&RAMP)),
    ("Camino", Some(&TRACK)),
    ("Cerrada", Some(&STREET)),
    ("Otro", Some(&STREET)),
    ("Andador", None),
    ("Vereda", None),
    ("Diagonal", Some(&AVENUE)),
    ("Rampa de frenado", None),
    ("Peatonal", None),
    ("Continuación", Some(&STREET)),
    ("Ampliación", Some(&STREET)),
    ("Circunvalación", Some(&RING)),
    ("Pasaje", Some(&STREET)),
];

/// What a word of the file comes to.
pub(super) type Term<T> = Result<T, String>;

/// Whether a text says that nothing is known.
pub(super) fn is_blank(text: &str) -> bool {
    ["", "na", "nd", "noaplica", "nodisponible", "sindato"].iter().any(|word| squeezed(text).eq(word.chars()))
}

fn listed<T: Copy>(text: &str, list: &[(&str, T)]) -> Term<T> {
    let wanted = squeeze(text);
    list.iter()
        .find(|(name, _)| squeeze(name) == wanted)
        .map(|(_, value)| *value)
        .ok_or_else(|| list.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "))
}

/// What was made of the texts of a column that has few: a country repeats them by the million.
pub(super) struct Seen<T>(Vec<(String, T)>);

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone> Seen<T> {
    /// Texts that are remembered; where there are more, looking them up is no gain.
    const MOST: usize = 64;

    /// What `make` makes of a text, from memory where it was seen before.
    pub(super) fn get(&mut self, text: &str, make: impl FnOnce(&str) -> T) -> T {
        if let Some((_, made)) = self.0.iter().find(|(seen, _)| seen == text) {
            return made.clone();
        }
        let made = make(text);
        if self.0.len() < Self::MOST {
            self.0.push((text.to_owned(), made.clone()));
        }
        made
    }
}

/// What a road is covered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cover {
    Concrete,
    Asphalt,
    Gravel,
    Earth,
    Other,
}

impl Cover {
    /// `RECUBRI`; words that are not known are another cover.
    pub(super) fn of(text: &str) -> Self {
        match normalised(text).as_str() {
            "concreto" => Self::Concrete,
            "asfalto" => Self::Asphalt,
            "grava" => Self::Gravel,
            "tierra" => Self::Earth,
            _ => Self::Other,
        }
    }
}

/// Number of a type in the list of types; faults name the list.
pub(super) fn kind(text: &str) -> Term<usize> {
    let numbered: Vec<(&str, usize)> = TYPES.iter().enumerate().map(|(i, (name, _))| (*name, i)).collect();
    listed(text, &numbered)
}

/// Speed in km/h of a type on a cover; `None` if vehicles do not use the type.
pub(super) fn speed(kind: usize, cover: Cover) -> Option<u8> {
    let speeds = TYPES.get(kind)?.1?;
    Some(match cover {
        Cover::Concrete => speeds.concrete,
        Cover::Asphalt => speeds.asphalt,
        Cover::Gravel => speeds.gravel,
        Cover::Earth => speeds.earth,
        Cover::Other => speeds.other,
    })
}

/// `COND_PAV`; `None` where it says nothing.
pub(super) fn paving(text: &str) -> Option<Term<&'static str>> {
    let words = [("Con pavimento", "paved"), ("Sin pavimento", "unpaved"), ("N/A", "")];
    (!is_blank(text)).then(|| listed(text, &words))
}

/// What [`paving`] says, or else `RECUBRI`: a road of which neither is known counts as paved, unless it is a `Camino`.
pub(super) fn surface(paving: Option<Term<&'static str>>, cover: Cover, kind: usize) -> Term<&'static str> {
    if let Some(stated) = paving {
        return stated;
    }
    let is_track = TYPES.get(kind).is_some_and(|(name, _)| *name == "Camino");
    Ok(match cover {
        Cover::Concrete | Cover::Asphalt => "paved",
        Cover::Gravel | Cover::Earth => "unpaved",
        Cover::Other => {
            if is_track {
                "unpaved"
            } else {
                "paved"
            }
        }
    })
}

/// `ESTATUS`: whether the road is in use.
pub(super) fn in_use(text: &str) -> Term<bool> {
    if is_blank(text) { Ok(true) } else { listed(text, &[("Habilitado", true), ("Deshabilitado", false)]) }
}

/// `CONDICION`: whether the road is open.
pub(super) fn open(text: &str) -> Term<bool> {
    if is_blank(text) {
        return Ok(true);
    }
    listed(
        text,
        &[("En operación", true), ("En construcción - abierto", true), ("En construcción - cerrado", false)],
    )
}

/// `CIRCULA`, seen from `UNION_INI` to `UNION_FIN`. The words for traffic against that direction are not in the
/// published domain; files that had them were seen, and the meaning is plain.
pub(super) fn direction(text: &str) -> Term<&'static str> {
    if is_blank(text) {
        return Ok("both");
    }
    listed(
        text,
        &[
            ("Un sentido", "forward"),
            ("Dos sentidos", "both"),
            ("Cerrada en ambos sentidos", "closed"),
            ("Un sentido contrario", "backward"),
            ("Sentido contrario", "backward"),
            ("N/A", "both"),
        ],
    )
}

/// Class by an office; `None` where none is named.
pub(super) fn office(text: &str) -> Option<&'static str> {
    let class = match normalised(text).as_str() {
        "federal" | "capufe" => "federal",
        "estatal" => "state",
        _ => "local",
    };
    (!is_blank(text)).then_some(class)
}

/// Class from the [`office`] of `ADMINISTRA`, or else of `JURISDI`, and whether a toll is paid.
pub(super) fn class(
    administration: Option<&'static str>,
    jurisdiction: Option<&'static str>,
    toll: bool,
) -> &'static str {
    if toll { "toll" } else { administration.or(jurisdiction).unwrap_or("local") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_speeds_or_is_not_for_vehicles() {
        let closed = ["Andador", "Vereda", "Peatonal", "Rampa de frenado"];
        for (i, (name, _)) in TYPES.iter().enumerate() {
            assert_eq!(kind(&name.to_uppercase()), Ok(i), "{name}");
            for cover in [Cover::Concrete, Cover::Asphalt, Cover::Gravel, Cover::Earth, Cover::Other] {
                assert_eq!(speed(i, cover).is_none(), closed.contains(name), "{name}");
            }
        }
        assert!(kind("Autopista").unwrap_err().contains("Carretera"));
    }

    #[test]
    fn words_are_read_as_documented() {
        assert_eq!(direction("Un sentido"), Ok("forward"));
        assert_eq!(direction("CERRADA EN AMBOS SENTIDOS"), Ok("closed"));
        assert_eq!(direction("N/A"), Ok("both"));
        assert!(direction("Tres sentidos").is_err());
        assert_eq!(open("En construcción – cerrado"), Ok(false));
        assert_eq!(surface(paving("N/A"), Cover::Earth, 10), Ok("unpaved"));
        assert_eq!(surface(paving("Con pavimento"), Cover::Earth, 10), Ok("paved"));
        assert_eq!(class(office("N/A"), office("Federal"), false), "federal");
        assert_eq!(class(office("N/A"), office(""), false), "local");
        assert_eq!(class(office("Estatal"), office("Federal"), true), "toll");
    }

    #[test]
    fn texts_beyond_those_that_are_remembered_are_read_all_the_same() {
        let mut seen = Seen::default();
        for n in (0..200_u32).chain(0..200) {
            assert_eq!(seen.get(&n.to_string(), str::len), n.to_string().len());
        }
        assert_eq!(seen.0.len(), 64);
    }
}
