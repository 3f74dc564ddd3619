//! Crossings, roads and corridors.

use super::fields;
use crate::layers::feature::{LayerDef, LayerGeometry, Tier};

/// Border crossings with their share of the flow.
pub const CROSSINGS: LayerDef = LayerDef {
    name: "crossings",
    geometry: LayerGeometry::Point,
    tier: Tier::Public,
    title_es: "Cruces fronterizos",
    title_en: "Border crossings",
    fields: fields![Public;
        status: Text "" Public, "Condición", "Status",
            "Condición legal del cruce según su fuente.", "Legal status of the crossing in its source.";
        mode: Text "" Public, "Modo", "Mode",
            "Modo de paso: carretera, río, a pie u otro.", "Mode of passage: road, river, on foot or other.";
        precision_km: Real "km" Public, "Precisión del punto", "Precision of the point",
            "Radio dentro del cual está el punto verdadero.", "Radius within which the true point lies.";
        joined: Boolean "" Public, "Unido a la red", "Joined to the network",
            "Si el cruce quedó unido a la red vial.", "Whether the crossing is joined to the road network.";
        closed: Boolean "" Public, "Cerrado", "Closed",
            "Si el estudio lo da por cerrado.", "Whether the study takes it as closed.";
        mean: Real "" Public, "Parte del flujo, media", "Flow share, mean",
            "Parte del flujo modelado que pasa por el cruce, media de los sorteos.",
            "Share of the modelled flow through the crossing, mean over draws.";
        p05: Real "" Public, "Parte del flujo, percentil 5", "Flow share, 5th percentile",
            "Percentil 5 de la parte del flujo.", "5th percentile of the flow share.";
        p95: Real "" Public, "Parte del flujo, percentil 95", "Flow share, 95th percentile",
            "Percentil 95 de la parte del flujo.", "95th percentile of the flow share.";
        pr_top: Real "" Public, "Probabilidad de estar arriba", "Probability of the top",
            "Proporción de sorteos en que está en el 10 % superior de los candidatos.",
            "Share of draws in which it stands in the top 10 % of the candidates.";
        n_candidates: Integer "" Public, "Candidatos", "Candidates",
            "Número de candidatos con valor distinto de cero.", "Number of candidates with a value above zero.";
        reasons: Json "" Public, "Razones", "Reasons",
            "Contribuciones que suman el valor.", "Contributions that add up to the value.";
    ],
};

/// Links of the road network with flow.
pub const ROADS: LayerDef = LayerDef {
    name: "roads",
    geometry: LayerGeometry::MultiLineString,
    tier: Tier::Restricted,
    title_es: "Tramos de la red",
    title_en: "Road links",
    fields: fields![Restricted;
        ref: Text "" Restricted, "Carretera", "Road",
            "Clave de la carretera, como MEX-190.", "Reference of the road, such as MEX-190.";
        road_class: Text "" Restricted, "Tipo de vía", "Road class",
            "Tipo de vía según su fuente.", "Class of the road in its source.";
        surface: Text "" Restricted, "Superficie", "Surface",
            "Recubrimiento de la vía.", "Surface of the road.";
        toll: Boolean "" Restricted, "De cuota", "Toll",
            "Si se paga cuota.", "Whether a toll is paid.";
        length_km: Real "km" Restricted, "Longitud", "Length",
            "Longitud del tramo.", "Length of the link.";
        time_min: Real "min" Restricted, "Tiempo", "Time",
            "Tiempo de recorrido sin perturbar.", "Unperturbed travel time.";
        speed_kmh: Real "km/h" Restricted, "Velocidad", "Speed",
            "Velocidad supuesta.", "Assumed speed.";
        closed: Boolean "" Restricted, "Cerrado", "Closed",
            "Si el estudio lo da por cerrado.", "Whether the study takes it as closed.";
        schematic: Boolean "" Restricted, "Trazo esquemático", "Schematic line",
            "Si la línea es un esquema y no el trazo de la vía.",
            "Whether the line is a sketch and not the course of the road.";
        from_name: Text "" Restricted, "Desde", "From",
            "Nombre del extremo inicial.", "Name of the first end.";
        to_name: Text "" Restricted, "Hasta", "To",
            "Nombre del extremo final.", "Name of the last end.";
        section_id: Text "" Restricted, "Sección", "Section",
            "Sección de carretera a la que pertenece.", "Section of road it belongs to.";
        corridor_id: Text "" Restricted, "Corredor", "Corridor",
            "Corredor al que pertenece; vacío = ninguno.", "Corridor it belongs to; empty = none.";
        mean: Real "" Restricted, "Parte del flujo, media", "Flow share, mean",
            "Parte del flujo modelado que usa el tramo, media de los sorteos.",
            "Share of the modelled flow that uses the link, mean over draws.";
        p05: Real "" Restricted, "Parte del flujo, percentil 5", "Flow share, 5th percentile",
            "Percentil 5 de la parte del flujo.", "5th percentile of the flow share.";
        p95: Real "" Restricted, "Parte del flujo, percentil 95", "Flow share, 95th percentile",
            "Percentil 95 de la parte del flujo.", "95th percentile of the flow share.";
        within_sd: Real "" Restricted, "Variación entre rutas", "Route variation",
            "Desviación estándar media dentro de los sorteos: cuánto difieren los viajeros, no lo que se ignora.",
            "Mean standard deviation within draws: how travellers differ, not what is unknown.";
        pr_top: Real "" Restricted, "Probabilidad de estar arriba", "Probability of the top",
            "Proporción de sorteos en que está en el 10 % superior de los candidatos.",
            "Share of draws in which it stands in the top 10 % of the candidates.";
        n_candidates: Integer "" Restricted, "Candidatos", "Candidates",
            "Número de candidatos con valor distinto de cero.", "Number of candidates with a value above zero.";
        lift: Real "" Restricted, "Razón frente a la población", "Lift over population",
            "Parte del flujo dividida entre la que habría si el destino dependiera solo de la población.",
            "Flow share divided by the share if destinations depended on population alone.";
        lift_p05: Real "" Restricted, "Razón, percentil 5", "Lift, 5th percentile",
            "Percentil 5 de la razón.", "5th percentile of the lift.";
        lift_p95: Real "" Restricted, "Razón, percentil 95", "Lift, 95th percentile",
            "Percentil 95 de la razón.", "95th percentile of the lift.";
        censored_share: Real "" Restricted, "Parte con dato incierto", "Censored share",
            "Parte del valor que procede de destinos con dato por intervalo o desconocido.",
            "Share of the value that comes from destinations with interval or unknown counts.";
        origins_destinations: Json "" Restricted, "Orígenes y destinos", "Origins and destinations",
            "Los cinco pares de origen y destino con mayor parte del flujo del tramo en las rutas que se conservan, y al final la de todos los demás, con su número; las partes suman 1.",
            "The five pairs of origin and destination with the largest parts of the link's flow on the paths that are kept, and last that of all others, with their number; the parts add up to 1.";
        reasons: Json "" Restricted, "Razones", "Reasons",
            "Contribuciones que suman el valor.", "Contributions that add up to the value.";
    ],
};

/// Corridors: named lists of sections that stand out.
pub const CORRIDORS: LayerDef = LayerDef {
    name: "corridors",
    geometry: LayerGeometry::MultiLineString,
    tier: Tier::Public,
    title_es: "Corredores",
    title_en: "Corridors",
    fields: fields![Public;
        rank: Integer "" Public, "Orden", "Rank",
            "Lugar por la parte media del flujo; 1 = mayor.", "Place by mean flow share; 1 = highest.";
        rank_p05: Real "" Public, "Orden, percentil 5", "Rank, 5th percentile",
            "Percentil 5 de su lugar entre los corredores según los sorteos; los empates comparten el lugar medio.",
            "5th percentile over draws of its rank among corridors; ties share the mean of their ranks.";
        rank_p95: Real "" Public, "Orden, percentil 95", "Rank, 95th percentile",
            "Percentil 95 de su lugar entre los corredores según los sorteos.",
            "95th percentile over draws of its rank among corridors.";
        pr_rank10: Real "" Public, "Probabilidad de los diez primeros", "Probability of the first ten",
            "Proporción de sorteos en que su lugar entre los corredores es 10 o mejor; con diez corredores o menos siempre es 1.",
            "Share of draws in which its rank among corridors is 10 or better; always 1 with ten corridors or fewer.";
        ref: Text "" Public, "Carretera", "Road",
            "Clave de la carretera, como MEX-190.", "Reference of the road, such as MEX-190.";
        from_name: Text "" Public, "Desde", "From",
            "Población o entronque inicial.", "First town or junction.";
        to_name: Text "" Public, "Hasta", "To",
            "Población o entronque final.", "Last town or junction.";
        length_km: Real "km" Public, "Longitud", "Length",
            "Longitud del corredor.", "Length of the corridor.";
        time_min: Real "min" Public, "Tiempo", "Time",
            "Tiempo de recorrido sin perturbar.", "Unperturbed travel time.";
        toll: Boolean "" Public, "De cuota", "Toll",
            "Si alguna sección es de cuota.", "Whether any section has a toll.";
        mean: Real "" Public, "Parte del flujo, media", "Flow share, mean",
            "Parte del flujo modelado, media ponderada por longitud y por sorteos.",
            "Share of the modelled flow, length-weighted mean over draws.";
        p05: Real "" Public, "Parte del flujo, percentil 5", "Flow share, 5th percentile",
            "Percentil 5 de la parte del flujo.", "5th percentile of the flow share.";
        p95: Real "" Public, "Parte del flujo, percentil 95", "Flow share, 95th percentile",
            "Percentil 95 de la parte del flujo.", "95th percentile of the flow share.";
        pr_top: Real "" Public, "Probabilidad de estar arriba", "Probability of the top",
            "Proporción de sorteos en que está en el 10 % superior de los candidatos.",
            "Share of draws in which it stands in the top 10 % of the candidates.";
        n_candidates: Integer "" Public, "Candidatos", "Candidates",
            "Número de candidatos con valor distinto de cero.", "Number of candidates with a value above zero.";
        demand_share: Real "" Public, "Parte de los viajes que lo usan, media", "Share of trips that use it, mean",
            "Parte de los viajes por la red que usan alguna sección del corredor, cada viaje una vez y entero; media de los sorteos cuyas rutas se conservan, una perturbación de cada uno.",
            "Share of the trips on the network that use any section of the corridor, each trip once and whole; mean over the draws whose paths are kept, one perturbation of each.";
        demand_share_p05: Real "" Public, "Parte de los viajes que lo usan, percentil 5", "Share of trips that use it, 5th percentile",
            "Percentil 5 de la parte de los viajes; incluye cuánto difieren los viajeros.",
            "5th percentile of the share of trips; it includes how travellers differ.";
        demand_share_p95: Real "" Public, "Parte de los viajes que lo usan, percentil 95", "Share of trips that use it, 95th percentile",
            "Percentil 95 de la parte de los viajes; incluye cuánto difieren los viajeros.",
            "95th percentile of the share of trips; it includes how travellers differ.";
        lift: Real "" Public, "Razón frente a la población", "Lift over population",
            "Parte del flujo dividida entre la que habría si el destino dependiera solo de la población.",
            "Flow share divided by the share if destinations depended on population alone.";
        lift_p05: Real "" Public, "Razón, percentil 5", "Lift, 5th percentile",
            "Percentil 5 de la razón.", "5th percentile of the lift.";
        lift_p95: Real "" Public, "Razón, percentil 95", "Lift, 95th percentile",
            "Percentil 95 de la razón.", "95th percentile of the lift.";
        censored_share: Real "" Public, "Parte con dato incierto", "Censored share",
            "Parte del valor que procede de destinos con dato por intervalo o desconocido.",
            "Share of the value that comes from destinations with interval or unknown counts.";
        municipalities: Json "" Public, "Municipios", "Municipalities",
            "Nombres de los municipios que atraviesa.", "Names of the municipalities it passes.";
        border_zone: Real "" Public, "Parte a 20 km o menos de un cruce", "Share within 20 km of a crossing",
            "Parte de su longitud a 20 km o menos de un cruce fronterizo del estudio; no entra en el valor ni en el orden.",
            "Share of its length within 20 km of a border crossing of the study; it enters neither score nor rank.";
        border_km: Real "km" Public, "Distancia al cruce fronterizo más cercano", "Distance from the nearest border crossing",
            "Distancia en línea recta de su punto más cercano a un cruce fronterizo del estudio; no entra en el valor ni en el orden.",
            "Distance in a straight line of its nearest place from a border crossing of the study; it enters neither score nor rank.";
        parallel_to: Text "" Public, "Paralelo a", "Parallel to",
            "Identificador del corredor de mayor flujo del que es alternativa paralela entre los mismos lugares; vacío = ninguno.",
            "Identifier of the corridor with more flow of which it is a parallel alternative between the same places; empty = none.";
        sections: Integer "" Public, "Secciones", "Sections",
            "Número de secciones de carretera.", "Number of road sections.";
        membership: Real "" Public, "Pertenencia mínima", "Lowest membership",
            "La menor probabilidad de pertenencia entre sus secciones.",
            "Lowest probability of membership among its sections.";
        schematic: Boolean "" Public, "Trazo esquemático", "Schematic line",
            "Si alguna parte de la línea es un esquema y no el trazo de la vía.",
            "Whether part of the line is a sketch and not the course of the road.";
        origins_destinations: Json "" Restricted, "Orígenes y destinos", "Origins and destinations",
            "Los diez pares de origen y destino con mayor parte del flujo del corredor (ponderado por longitud) en las rutas que se conservan, y al final la de todos los demás, con su número; las partes suman 1.",
            "The ten pairs of origin and destination with the largest parts of the corridor's length-weighted flow on the paths that are kept, and last that of all others, with their number; the parts add up to 1.";
        if_closed: Json "" Restricted, "Si se cierra", "If it is closed",
            "De los diez primeros corredores: los caminos donde reaparece su flujo si se cierra, cada uno con lo que gana su tramo más cargado como parte de lo que llevaba el tramo más cargado del corredor, y al final lo que no halla paso; de pocos sorteos.",
            "Of the first ten corridors: the roads on which its flow reappears if it is closed, each with what its busiest link gains as a part of what the corridor's busiest link carried, and last what finds no way; from few draws.";
        reasons: Json "" Public, "Razones", "Reasons",
            "Contribuciones que suman el valor.", "Contributions that add up to the value.";
    ],
};

/// What a scenario changes on links.
pub const ROADS_CHANGE: LayerDef = LayerDef {
    name: "roads_change",
    geometry: LayerGeometry::MultiLineString,
    tier: Tier::Restricted,
    title_es: "Cambios por el escenario",
    title_en: "Changes by the scenario",
    fields: fields![Restricted;
        ref: Text "" Restricted, "Carretera", "Road",
            "Clave de la carretera, como MEX-190.", "Reference of the road, such as MEX-190.";
        from_name: Text "" Restricted, "Desde", "From",
            "Nombre del extremo inicial.", "Name of the first end.";
        to_name: Text "" Restricted, "Hasta", "To",
            "Nombre del extremo final.", "Name of the last end.";
        length_km: Real "km" Restricted, "Longitud", "Length",
            "Longitud del tramo.", "Length of the link.";
        corridor_id: Text "" Restricted, "Corredor", "Corridor",
            "Corredor del escenario al que pertenece; vacío = ninguno.", "Corridor of the scenario it belongs to; empty = none.";
        closed: Boolean "" Restricted, "Cerrado", "Closed",
            "Si está cerrado en el escenario.", "Whether it is closed in the scenario.";
        altered: Text "" Restricted, "Lo que el escenario altera", "What the scenario alters",
            "Lo que el escenario hace en el tramo: cierre, velocidad o puesto nuevo; vacío = nada.",
            "What the scenario does to the link: closure, speed or new post; empty = nothing.";
        mean_base: Real "" Restricted, "Parte del flujo sin el escenario", "Flow share without the scenario",
            "Parte del flujo modelado que usa el tramo sin el escenario, media de los sorteos.",
            "Share of the modelled flow that uses the link without the scenario, mean over draws.";
        mean: Real "" Restricted, "Parte del flujo con el escenario", "Flow share with the scenario",
            "Parte del flujo modelado que usa el tramo con el escenario, media de los sorteos.",
            "Share of the modelled flow that uses the link with the scenario, mean over draws.";
        change: Real "" Restricted, "Cambio de la parte del flujo", "Change of the flow share",
            "Diferencia de las partes del flujo con el escenario y sin él en el mismo sorteo, media.",
            "Difference of the flow shares with the scenario and without it in the same draw, mean.";
        change_p05: Real "" Restricted, "Cambio, percentil 5", "Change, 5th percentile",
            "Percentil 5 del cambio.", "5th percentile of the change.";
        change_p95: Real "" Restricted, "Cambio, percentil 95", "Change, 95th percentile",
            "Percentil 95 del cambio.", "95th percentile of the change.";
        pr_rises: Real "" Restricted, "Probabilidad de que suba", "Probability that it rises",
            "Proporción de sorteos en que el tramo lleva más con el escenario.",
            "Share of draws in which the link carries more with the scenario.";
        pr_falls: Real "" Restricted, "Probabilidad de que baje", "Probability that it falls",
            "Proporción de sorteos en que el tramo lleva menos con el escenario.",
            "Share of draws in which the link carries less with the scenario.";
        reasons: Json "" Restricted, "Razones", "Reasons",
            "Contribuciones que suman el cambio.", "Contributions that add up to the change.";
    ],
};
