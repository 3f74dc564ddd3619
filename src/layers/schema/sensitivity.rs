//! What the scores of corridors hang on.

use super::fields;
use crate::layers::feature::{LayerDef, LayerGeometry, Tier};

/// Indices of Sobol' of the leading corridors' scores.
pub const SENSITIVITY: LayerDef = LayerDef {
    name: "sensitivity",
    geometry: LayerGeometry::None,
    tier: Tier::Restricted,
    title_es: "Sensibilidad de los corredores",
    title_en: "Sensitivity of corridors",
    fields: fields![Restricted;
        corridor: Text "" Restricted, "Corredor", "Corridor",
            "Identificador del corredor cuyo puntaje se descompone.", "Id of the corridor whose score is taken apart.";
        parameter: Text "" Restricted, "Parámetro", "Parameter",
            "Grupo de parámetros inciertos que se sortean juntos.", "Group of uncertain parameters that are drawn together.";
        first: Real "" Restricted, "Índice de primer orden", "First index",
            "Parte de la varianza del puntaje que desaparecería, en promedio, si se conociera el grupo. Estimación sin recortar: el azar puede llevarla fuera de 0 a 1. Vacío = el puntaje no varía.",
            "Share of the variance of the score that would go, on average, if the group were known. Not clipped: chance can take an estimate out of 0 to 1. Empty = the score does not vary.";
        first_p05: Real "" Restricted, "Primer orden, percentil 5", "First index, 5th percentile",
            "Percentil 5 del índice sobre remuestras de las muestras base.", "5th percentile of the index over resamples of the base samples.";
        first_p95: Real "" Restricted, "Primer orden, percentil 95", "First index, 95th percentile",
            "Percentil 95 del índice sobre remuestras.", "95th percentile of the index over resamples.";
        total: Real "" Restricted, "Índice total", "Total index",
            "Parte de la varianza que quedaría si se conociera todo menos el grupo, con lo que hace junto con otros. Exactamente 0 = no influye.",
            "Share of the variance that would stay if all but the group were known, with what it does together with others. Exactly 0 = no influence.";
        total_p05: Real "" Restricted, "Índice total, percentil 5", "Total index, 5th percentile",
            "Percentil 5 del índice total sobre remuestras.", "5th percentile of the total index over resamples.";
        total_p95: Real "" Restricted, "Índice total, percentil 95", "Total index, 95th percentile",
            "Percentil 95 del índice total sobre remuestras.", "95th percentile of the total index over resamples.";
        score_sd: Real "" Restricted, "Desviación del puntaje", "Deviation of the score",
            "Desviación estándar del puntaje del corredor sobre las muestras.", "Standard deviation of the corridor's score over the samples.";
        n: Integer "" Restricted, "Muestras base", "Base samples",
            "Número de muestras base de la estimación.", "Number of base samples of the estimate.";
    ],
};
