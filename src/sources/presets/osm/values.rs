//! Values of tags as they are written.

/// Who may drive, from the general to the particular; the most particular counts.
const MODES: [&str; 4] = ["access", "vehicle", "motor_vehicle", "motorcar"];

/// Whether motor vehicles may pass, by mode.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Access([Option<bool>; 4]);

impl Access {
    /// Takes a tag, if it is one of access.
    pub(super) fn take(&mut self, key: &str, value: &str) {
        if let Some((_, slot)) = MODES.iter().zip(&mut self.0).find(|(mode, _)| **mode == key) {
            *slot = permits(value);
        }
    }

    /// Whether the tags let motor vehicles in; nothing where they do not say.
    pub(super) fn allows(self) -> Option<bool> {
        self.0.into_iter().rev().flatten().next()
    }
}

/// What a value of access says. Of a list one that lets in is enough; an unknown value says nothing.
fn permits(value: &str) -> Option<bool> {
    let mut seen = None;
    for part in value.split(';') {
        match part.trim() {
            "yes" | "permissive" | "designated" | "destination" | "customers" | "delivery" | "official"
            | "public" => return Some(true),
            "no"
            | "private"
            | "agricultural"
            | "forestry"
            | "agricultural|forestry"
            | "military"
            | "emergency"
            | "permit"
            | "residents"
            | "employees"
            | "psv"
            | "bus"
            | "taxi"
            | "use_sidepath"
            | "dismount"
            | "foot"
            | "bicycle" => seen = Some(false),
            _ => {}
        }
    }
    seen
}

/// Whether a value of `highway` is of a road that is not there yet, or no more.
pub(super) fn is_unbuilt(highway: &str) -> bool {
    matches!(
        highway,
        "proposed"
            | "planned"
            | "construction"
            | "abandoned"
            | "disused"
            | "razed"
            | "demolished"
            | "dismantled"
    )
}

/// Whether a value of `barrier` stops motor vehicles. Gates, toll booths, cattle grids and what is not known
/// let them pass.
pub(super) fn is_blocking(barrier: &str) -> bool {
    matches!(
        barrier,
        "bollard"
            | "block"
            | "jersey_barrier"
            | "log"
            | "debris"
            | "boulder"
            | "rock"
            | "chain"
            | "rope"
            | "bar"
            | "planter"
            | "tank_trap"
            | "spikes"
            | "wall"
            | "retaining_wall"
            | "city_wall"
            | "fence"
            | "hedge"
            | "ditch"
            | "guard_rail"
            | "cycle_barrier"
            | "motorcycle_barrier"
            | "bicycle_barrier"
            | "kissing_gate"
            | "wicket_gate"
            | "stile"
            | "turnstile"
            | "full-height_turnstile"
            | "horse_stile"
            | "horse_jump"
            | "barrier_board"
            | "delineators"
    )
}

/// `paved`, `unpaved`, or `partly_paved` for a list of both.
pub(super) fn surface(value: &str) -> Option<&'static str> {
    let (mut paved, mut unpaved) = (false, false);
    for part in value.split(';') {
        // `concrete:plates` and `paving_stones:30` are kinds of the first.
        match part.trim().split(':').next().unwrap_or_default() {
            "paved" | "asphalt" | "concrete" | "paving_stones" | "sett" | "cobblestone"
            | "unhewn_cobblestone" | "brick" | "bricks" | "metal" | "metal_grid" | "wood" | "chipseal"
            | "tiles" | "rubber" | "grass_paver" | "cement" | "tarmac" | "asphalt_concrete" => paved = true,
            "unpaved" | "compacted" | "fine_gravel" | "gravel" | "pebblestone" | "dirt" | "earth"
            | "ground" | "soil" | "grass" | "mud" | "sand" | "rock" | "rocks" | "stone" | "clay"
            | "shells" | "salt" | "snow" | "ice" | "woodchips" => unpaved = true,
            _ => {}
        }
    }
    match (paved, unpaved) {
        (true, true) => Some("partly_paved"),
        (true, false) => Some("paved"),
        (false, true) => Some("unpaved"),
        (false, false) => None,
    }
}

/// The number of `grade1` to `grade5`.
pub(super) fn grade(value: &str) -> Option<usize> {
    value.strip_prefix("grade")?.parse().ok().filter(|grade| (1..=5).contains(grade))
}

/// Of a list of limits the first: they may be by lane or by time of day.
pub(super) fn speed(value: &str) -> Option<f64> {
    let first = value.split([';', '|', ',']).next()?.trim();
    if first == "walk" {
        return Some(5.0);
    }
    let digits = first.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(first.len());
    let (number, unit) = first.split_at_checked(digits)?;
    let factor = match unit.trim() {
        "" | "km/h" | "kmh" | "kph" | "KM/H" | "Km/h" => 1.0,
        "mph" | "MPH" => 1.609_344,
        "knots" | "knot" | "kn" => 1.852,
        // `none`, `signals`, `variable`, and zones such as `MX:urban`: the speed of the class.
        _ => return None,
    };
    let speed = number.parse::<f64>().ok()? * factor;
    (1.0..=200.0).contains(&speed).then_some(speed)
}

/// Minutes of `hh:mm`, `hh:mm:ss`, a number of minutes, or ISO 8601 without days, such as `PT1H30M`.
pub(super) fn minutes(value: &str) -> Option<f64> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
    let minutes = if let Some(mut rest) = value.strip_prefix("PT") {
        let mut sum = 0.0;
        for (unit, factor) in [('H', 60.0), ('M', 1.0), ('S', 1.0 / 60.0)] {
            if let Some((count, after)) = rest.split_once(unit) {
                sum += number(count)? * factor;
                rest = after;
            }
        }
        rest.is_empty().then_some(sum)
    } else {
        let parts: Vec<&str> = value.split(':').collect();
        match parts[..] {
            [minutes] => number(minutes),
            [hours, minutes] => Some(number(hours)?.mul_add(60.0, number(minutes)?)),
            [hours, minutes, seconds] => {
                Some(number(hours)?.mul_add(60.0, number(minutes)?) + number(seconds)? / 60.0)
            }
            _ => None,
        }
    };
    minutes.filter(|minutes| *minutes > 0.0 && *minutes <= 14_400.0)
}
