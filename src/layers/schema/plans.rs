//! Posts and workplaces: what planners and inspectors act on. Restricted as a whole.

use super::fields;
use crate::layers::feature::{LayerDef, LayerGeometry, Tier};

/// Proposed and existing posts.
pub const CHECKPOINTS: LayerDef = LayerDef {
    name: "checkpoints",
    geometry: LayerGeometry::Point,
    tier: Tier::Restricted,
    title_es: "Puntos de atención y verificación",
    title_en: "Posts",
    fields: fields![Restricted;
        rank: Integer "" Restricted, "Orden", "Rank",
            "Orden en que el plan lo elige; 1 = primero.", "Order in which the plan chooses it; 1 = first.";
        kind: Text "" Restricted, "Clase", "Kind",
            "proposed (propuesto) o existing (existente).", "proposed or existing.";
        ref: Text "" Restricted, "Carretera", "Road",
            "Clave de la carretera en que está.", "Reference of the road it stands on.";
        operator: Text "" Restricted, "Operador", "Operator",
            "Autoridad que lo opera.", "Authority that runs it.";
        purpose: Text "" Restricted, "Propósito", "Purpose",
            "Propósito declarado del punto.", "Stated purpose of the post.";
        counts_as_coverage: Boolean "" Restricted, "Cuenta como cobertura", "Counts as coverage",
            "Si cuenta como cobertura; el control migratorio nunca cuenta.",
            "Whether it counts as coverage; migration control never does.";
        flow_met: Real "" Restricted, "Flujo encontrado", "Flow met",
            "Parte del flujo que pasa por el tramo del punto, media; si precision_km supera la mitad del tramo, \
             el punto verdadero puede estar en otro y el valor no es suyo.",
            "Share of the flow on the link of the post, mean; where precision_km is more than half of the link, \
             the true post may stand on another and the value is not its own.";
        flow_met_p05: Real "" Restricted, "Flujo encontrado, percentil 5", "Flow met, 5th percentile",
            "Percentil 5 del flujo encontrado.", "5th percentile of the flow met.";
        flow_met_p95: Real "" Restricted, "Flujo encontrado, percentil 95", "Flow met, 95th percentile",
            "Percentil 95 del flujo encontrado.", "95th percentile of the flow met.";
        flow_detected: Real "" Restricted, "Flujo detectado", "Flow detected",
            "Flujo encontrado por tiempo con personal y probabilidad de detección; vacío si no cuenta como cobertura.",
            "Flow met times staffed share and probability of detection; empty where it does not count as coverage.";
        gain: Real "" Restricted, "Ganancia", "Gain",
            "Flujo distinto que este punto agrega a los anteriores.",
            "Distinct flow that this post adds to the earlier ones.";
        cumulative: Real "" Restricted, "Acumulado", "Cumulative",
            "Flujo distinto encontrado por este punto y los anteriores.",
            "Distinct flow met by this post and the earlier ones.";
        displaced_to_unserved: Real "" Restricted, "Desplazado a zonas sin servicios", "Displaced to unserved areas",
            "Flujo que se desplazaría a vías menores lejos de servicios; vacío en esta versión.",
            "Flow that would move to minor roads away from services; empty in this version.";
        cvegeo: Text "" Restricted, "Clave del municipio", "Municipality code",
            "Clave INEGI de cinco cifras (CVEGEO).", "Five-digit INEGI code (CVEGEO).";
        precision_km: Real "km" Restricted, "Precisión del punto", "Precision of the point",
            "Radio dentro del cual está el punto verdadero.", "Radius within which the true point lies.";
        notes: Text "" Restricted, "Notas", "Notes",
            "Notas del estudio.", "Notes of the study.";
        reasons: Json "" Restricted, "Razones", "Reasons",
            "Contribuciones que suman el flujo encontrado.", "Contributions that add up to the flow met.";
    ],
};

/// Workplaces in the order in which to visit them.
pub const WORKSITES: LayerDef = LayerDef {
    name: "worksites",
    geometry: LayerGeometry::Point,
    tier: Tier::Restricted,
    title_es: "Centros de trabajo",
    title_en: "Workplaces",
    fields: fields![Restricted;
        rank: Integer "" Restricted, "Orden", "Rank",
            "Lugar por puntaje; 1 = mayor.", "Place by score; 1 = highest.";
        clee: Text "" Restricted, "CLEE", "CLEE code",
            "Clave estadística empresarial del DENUE.", "Statistical business code of the DENUE.";
        cvegeo: Text "" Restricted, "Clave del municipio", "Municipality code",
            "Clave INEGI de cinco cifras (CVEGEO).", "Five-digit INEGI code (CVEGEO).";
        municipality: Text "" Restricted, "Municipio", "Municipality",
            "Nombre del municipio.", "Name of the municipality.";
        scian: Text "" Restricted, "Código SCIAN", "SCIAN code",
            "Código de actividad SCIAN.", "SCIAN code of the activity.";
        sector: Text "" Restricted, "Sector", "Sector",
            "Sector de actividad.", "Sector of activity.";
        size: Text "" Restricted, "Tamaño", "Size",
            "Estrato de personal ocupado.", "Stratum of staff.";
        score: Real "" Restricted, "Puntaje", "Score",
            "Puntaje de prioridad en escala logarítmica, media de los sorteos; orienta la visita y no prueba nada.",
            "Priority score on the log scale, mean over draws; it guides a visit and proves nothing.";
        score_p05: Real "" Restricted, "Puntaje, percentil 5", "Score, 5th percentile",
            "Percentil 5 del puntaje.", "5th percentile of the score.";
        score_p95: Real "" Restricted, "Puntaje, percentil 95", "Score, 95th percentile",
            "Percentil 95 del puntaje.", "95th percentile of the score.";
        pr_top: Real "" Restricted, "Probabilidad de estar arriba", "Probability of the top",
            "Proporción de sorteos en que está en el 10 % superior de los candidatos.",
            "Share of draws in which it stands in the top 10 % of the candidates.";
        n_candidates: Integer "" Restricted, "Candidatos", "Candidates",
            "Número de candidatos con valor distinto de cero.", "Number of candidates with a value above zero.";
        exposure: Real "" Restricted, "Exposición a corredores", "Corridor exposure",
            "Flujo de los corredores cercanos, solo por demanda de otros municipios.",
            "Flow of nearby corridors, from other municipalities' demand only.";
        competence: Text "" Restricted, "Competencia", "Competence",
            "federal (federal), state (estatal) o unknown (por determinar).", "federal, state or unknown.";
        visit_kind: Text "" Restricted, "Tipo de visita", "Kind of visit",
            "ordinary (ordinaria) o extraordinary (extraordinaria).", "ordinary or extraordinary.";
        last_visit: Text "" Restricted, "Última visita", "Last visit",
            "Fecha de la última visita, AAAA-MM-DD; vacío = no consta.",
            "Date of the last visit, YYYY-MM-DD; empty = not stated.";
        complaints: Integer "" Restricted, "Quejas abiertas", "Open complaints",
            "Número de quejas abiertas.", "Number of open complaints.";
        synthetic: Boolean "" Restricted, "Dato sintético", "Synthetic",
            "Si el centro de trabajo es inventado para la demostración.",
            "Whether the workplace is made up for the demonstration.";
        reasons: Json "" Restricted, "Razones", "Reasons",
            "Contribuciones que suman el puntaje.", "Contributions that add up to the score.";
    ],
};
