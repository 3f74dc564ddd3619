//! What the tags of a way say of a road, and those of a node of a barrier.
//!
//! The rules are those of <https://wiki.openstreetmap.org/wiki/Map_features>; the choices among them, and the
//! tables of classes and speeds, stand in `docs/formats/osm.md`.

use super::reasons::Reason;
use super::values::{self, Access};

/// Class and speeds of a value of `highway`: km/h on a paved and on an unpaved road.
struct Kind {
    highway: &'static str,
    class: &'static str,
    paved: f64,
    unpaved: f64,
}

const fn kind(highway: &'static str, class: &'static str, paved: f64, unpaved: f64) -> Kind {
    Kind { highway, class, paved, unpaved }
}

/// The values of `highway` that are roads for motor vehicles.
const KINDS: [Kind; 17] = [
    kind("motorway", "federal", 100.0, 60.0),
    kind("motorway_link", "federal", 60.0, 40.0),
    kind("trunk", "federal", 85.0, 50.0),
    kind("trunk_link", "federal", 50.0, 35.0),
    kind("primary", "federal", 70.0, 45.0),
    kind("primary_link", "federal", 40.0, 30.0),
    kind("secondary", "state", 60.0, 40.0),
    kind("secondary_link", "state", 35.0, 25.0),
    kind("tertiary", "state", 50.0, 35.0),
    kind("tertiary_link", "state", 30.0, 20.0),
    kind("unclassified", "local", 40.0, 25.0),
    kind("residential", "local", 30.0, 20.0),
    kind("living_street", "local", 15.0, 10.0),
    kind("service", "local", 20.0, 15.0),
    kind("road", "local", 40.0, 25.0),
    kind("track", "local", 30.0, 15.0),
    kind("escape", "local", 15.0, 10.0),
];

/// km/h of a ferry that does not say how long it takes.
const FERRY_SPEED: f64 = 15.0;

/// km/h on an unpaved track, from `grade1` to `grade5`.
const TRACK_SPEEDS: [f64; 5] = [30.0, 25.0, 20.0, 15.0, 10.0];

/// In which directions a road may be driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Both,
    Forward,
    Backward,
}

impl Direction {
    /// The word of the field `oneway`.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Forward => "forward",
            Self::Backward => "backward",
        }
    }
}

/// How fast a road is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Speed {
    /// In km/h.
    Kmh(f64),
    /// By the minutes that the whole way takes.
    Minutes(f64),
}

/// What is handed on of the tags of a road.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Road {
    /// Whether it only leads from other roads to places: `track` and `service`.
    pub(super) is_access: bool,
    pub(super) class: &'static str,
    pub(super) surface: &'static str,
    pub(super) direction: Direction,
    pub(super) speed: Speed,
    pub(super) toll: bool,
    pub(super) level: i8,
    pub(super) reference: Option<Box<str>>,
}

/// What the tags of a way make of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// A road, or a ferry.
    Road(Road),
    /// A record of a road that is left out.
    Dropped(Reason),
    /// Something else, such as a building.
    Other,
}

/// The tags that count, by key.
#[derive(Debug, Default)]
struct Tags<'a> {
    highway: Option<&'a str>,
    route: Option<&'a str>,
    area: Option<&'a str>,
    service: Option<&'a str>,
    junction: Option<&'a str>,
    access: Access,
    oneway: [Option<&'a str>; 3],
    maxspeed: Option<&'a str>,
    maxspeed_by_direction: [Option<&'a str>; 2],
    surface: Option<&'a str>,
    tracktype: Option<&'a str>,
    toll: [Option<&'a str>; 3],
    layer: Option<&'a str>,
    duration: Option<&'a str>,
    reference: Option<&'a str>,
}

impl<'a> Tags<'a> {
    fn of(tags: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut out = Self::default();
        for (key, value) in tags {
            let value = value.trim();
            let [motorcar, motor_vehicle, any] = &mut out.oneway;
            let [toll_car, toll_motor, toll] = &mut out.toll;
            let [forward, backward] = &mut out.maxspeed_by_direction;
            let slot = match key {
                "highway" => &mut out.highway,
                "route" => &mut out.route,
                "area" => &mut out.area,
                "service" => &mut out.service,
                "junction" => &mut out.junction,
                "oneway:motorcar" => motorcar,
                "oneway:motor_vehicle" => motor_vehicle,
                "oneway" => any,
                "maxspeed" => &mut out.maxspeed,
                "maxspeed:forward" => forward,
                "maxspeed:backward" => backward,
                "surface" => &mut out.surface,
                "tracktype" => &mut out.tracktype,
                "toll:motorcar" => toll_car,
                "toll:motor_vehicle" => toll_motor,
                "toll" => toll,
                "layer" => &mut out.layer,
                "duration" => &mut out.duration,
                "ref" => &mut out.reference,
                _ => {
                    out.access.take(key, value);
                    continue;
                }
            };
            *slot = Some(value);
        }
        out
    }

    /// The most specific of three values.
    fn first(values: [Option<&'a str>; 3]) -> Option<&'a str> {
        values.into_iter().flatten().next()
    }

    fn direction(&self, motorway: bool) -> Direction {
        let stated = Self::first(self.oneway).and_then(|value| match value {
            "yes" | "true" | "1" => Some(Direction::Forward),
            "-1" | "reverse" => Some(Direction::Backward),
            // Open both ways, though not at the same time.
            "no" | "false" | "0" | "reversible" | "alternating" => Some(Direction::Both),
            _ => None,
        });
        let round = matches!(self.junction, Some("roundabout" | "circular"));
        stated.unwrap_or(if round || motorway { Direction::Forward } else { Direction::Both })
    }

    fn has_toll(&self) -> bool {
        Self::first(self.toll).is_some_and(|value| !matches!(value, "no" | "false" | "0"))
    }

    /// km/h as signed for one direction at least; the lower where they differ.
    fn limit(&self, direction: Direction) -> Option<f64> {
        let [forward, backward] = self.maxspeed_by_direction.map(|value| value.and_then(values::speed));
        self.maxspeed.and_then(values::speed).or(match (direction, forward, backward) {
            (Direction::Both, Some(a), Some(b)) => Some(a.min(b)),
            (Direction::Forward, a, _) => a,
            (Direction::Backward, _, b) => b,
            (Direction::Both, a, b) => a.or(b),
        })
    }

    fn level(&self) -> i8 {
        let first = self.layer.and_then(|value| value.split(';').next());
        first.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
    }

    fn road(&self, kind: &Kind) -> Road {
        let grade = self.tracktype.and_then(values::grade);
        let track = kind.highway == "track";
        let surface = self
            .surface
            .and_then(values::surface)
            .unwrap_or(if grade.map_or(track, |grade| grade > 1) { "unpaved" } else { "paved" });
        let direction = self.direction(kind.highway == "motorway");
        let limit = self.limit(direction);
        let by_grade = grade.and_then(|grade| TRACK_SPEEDS.get(grade.checked_sub(1)?).copied());
        let slow = if track { by_grade.unwrap_or(kind.unpaved) } else { kind.unpaved };
        let speed = match surface {
            "paved" => limit.unwrap_or(kind.paved),
            "partly_paved" => limit.unwrap_or(kind.paved).min(f64::midpoint(kind.paved, slow)),
            // What is signed is seldom driven on gravel.
            _ => limit.unwrap_or(slow).min(slow),
        };
        let toll = self.has_toll();
        Road {
            is_access: matches!(kind.highway, "track" | "service"),
            class: if toll && kind.class == "federal" { "toll" } else { kind.class },
            surface,
            direction,
            speed: Speed::Kmh(speed),
            toll,
            level: self.level(),
            reference: self.reference.filter(|text| !text.is_empty()).map(Into::into),
        }
    }

    fn ferry(&self) -> Road {
        Road {
            is_access: false,
            class: "ferry",
            surface: "paved",
            direction: self.direction(false),
            speed: self.duration.and_then(values::minutes).map_or(Speed::Kmh(FERRY_SPEED), Speed::Minutes),
            toll: self.has_toll(),
            level: self.level(),
            reference: self.reference.filter(|text| !text.is_empty()).map(Into::into),
        }
    }
}

/// The speed of a ferry of `metres` that takes `minutes`, in km/h, or the usual one where that cannot be.
pub(super) fn ferry_speed(metres: f64, minutes: f64) -> f64 {
    let speed = metres / 1000.0 / (minutes / 60.0);
    if (1.0..=100.0).contains(&speed) { speed } else { FERRY_SPEED }
}

/// Reads the tags of a way.
pub(super) fn way<'a>(tags: impl Iterator<Item = (&'a str, &'a str)>) -> Verdict {
    let tags = Tags::of(tags);
    let ferry = tags.route == Some("ferry");
    let highway = match tags.highway {
        None if ferry => "",
        None => return Verdict::Other,
        Some(highway) => highway,
    };
    let kind = KINDS.iter().find(|kind| kind.highway == highway);
    if !ferry && kind.is_none() {
        return Verdict::Dropped(if values::is_unbuilt(highway) {
            Reason::Unbuilt
        } else {
            Reason::OtherHighway
        });
    }
    if tags.area == Some("yes") {
        return Verdict::Dropped(Reason::Area);
    }
    if tags.access.allows() == Some(false) || tags.service == Some("emergency_access") {
        return Verdict::Dropped(Reason::Access);
    }
    Verdict::Road(match kind {
        Some(kind) if !ferry => tags.road(kind),
        _ => tags.ferry(),
    })
}

/// Whether the tags of a node are those of a barrier that no motor vehicle passes.
pub(super) fn is_blocked<'a>(tags: impl Iterator<Item = (&'a str, &'a str)>) -> bool {
    let (mut access, mut barrier, mut rising) = (Access::default(), None, false);
    for (key, value) in tags {
        match key {
            "barrier" => barrier = Some(value.trim()),
            "bollard" => rising |= value.trim() == "rising",
            _ => access.take(key, value),
        }
    }
    barrier.is_some_and(|barrier| match access.allows() {
        Some(allowed) => !allowed,
        None => !rising && values::is_blocking(barrier),
    })
}
