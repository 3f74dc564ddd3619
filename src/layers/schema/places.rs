//! Municipalities, and what did not find its place.

use super::fields;
use crate::layers::feature::{LayerDef, LayerGeometry, Tier};

/// Municipalities with their counts, rates and roles.
pub const MUNICIPALITIES: LayerDef = LayerDef {
    name: "municipalities",
    geometry: LayerGeometry::MultiPolygon,
    tier: Tier::Public,
    title_es: "Municipios",
    title_en: "Municipalities",
    fields: fields![Public;
        cvegeo: Text "" Public, "Clave del municipio", "Municipality code",
            "Clave INEGI de cinco cifras (CVEGEO).", "Five-digit INEGI code (CVEGEO).";
        population: Integer "personas" Public, "Población", "Population",
            "Población total que entra en las tasas.", "Total population used for the rates.";
        marginalization: Real "" Public, "Índice de marginación 2020", "Marginalisation index 2020",
            "Índice de marginación CONAPO 2020; mayor = menos marginación.",
            "CONAPO marginalisation index 2020; higher = less marginalised.";
        datum: Text "" Public, "Tipo de dato", "Kind of datum",
            "Qué se sabe del número de casos: exact (exacto), interval (intervalo), unknown (sin datos).",
            "What is known of the number of cases: exact, interval, unknown.";
        count_min: Integer "casos" Public, "Casos, mínimo", "Cases, minimum",
            "Cota inferior de los casos localizados en el municipio.",
            "Lower bound of the cases located in the municipality.";
        count_max: Integer "casos" Public, "Casos, máximo", "Cases, maximum",
            "Cota superior de los casos localizados; vacío = sin cota.",
            "Upper bound of the located cases; empty = unbounded.";
        known_by: Text "" Public, "Origen del conocimiento", "How it is known",
            "Cómo se conoció: reported (denuncia) o found (hallazgo en operativo); vacío = no consta.",
            "How it came to be known: reported or found by search; empty = not stated.";
        search_effort: Real "" Restricted, "Esfuerzo de búsqueda", "Search effort",
            "Cuánto se buscó en el municipio, en la unidad de la fuente; vacío = no consta.",
            "How much was looked for cases in the municipality, in the unit of the source; empty = not stated.";
        by_modality: Json "" Restricted, "Casos por modalidad", "Cases by modality",
            "Por modalidad: cotas de los casos y tasa por 100 000 hab. y año con percentiles 5 y 95. Los casos sin modalidad \
             ensanchan las cotas de todas y no están en ninguna. Cada tasa sale de un modelo propio de la modalidad: no suman \
             rate_mean. Vacío = no se distinguen.",
            "By modality: bounds of the cases, and the rate per 100 000 and year with its 5th and 95th percentiles. Cases \
             without a modality widen the bounds of all and are in none. Each rate has a posterior of its own, from a model \
             of that modality: they do not add up to rate_mean. Empty = not told apart.";
        by_period: Json "" Restricted, "Casos por periodo", "Cases by period",
            "Por año, con sus meses reunidos, o por periodo donde un registro abarca más de un año: cotas de los casos y tasa por \
             100 000 hab. y año con percentiles 5 y 95. Cada tasa sale de un modelo propio del periodo: su promedio no es \
             rate_mean. Vacío = un solo periodo.",
            "By year, its months taken together, or by period where a record covers more than a year: bounds of the cases, and \
             the rate per 100 000 and year with its 5th and 95th percentiles. Each rate has a posterior of its own, from a model \
             of that period: their average is not rate_mean. Empty = one period.";
        rate_100k_year: Real "por 100 000 hab. y año" Public, "Tasa anual", "Yearly rate",
            "Tasa bruta de los casos localizados; solo donde el dato es exacto.",
            "Crude rate of located cases; only where the datum is exact.";
        rate_mean: Real "por 100 000 hab. y año" Public, "Tasa estimada", "Estimated rate",
            "Media de la tasa sorteada, que cuenta también los casos sin municipio; vacío donde no hay dato.",
            "Mean of the drawn rate, which also counts cases without a municipality; empty where there is no datum.";
        rate_p05: Real "por 100 000 hab. y año" Public, "Tasa, percentil 5", "Rate, 5th percentile",
            "Percentil 5 de la tasa.", "5th percentile of the rate.";
        rate_p95: Real "por 100 000 hab. y año" Public, "Tasa, percentil 95", "Rate, 95th percentile",
            "Percentil 95 de la tasa.", "95th percentile of the rate.";
        pr_above: Real "" Public, "Probabilidad de superar la tasa estatal", "Probability of a rate above the state's",
            "Proporción de sorteos en que la tasa del municipio supera la del estado en el mismo sorteo; vacío donde no hay dato.",
            "Share of draws in which the municipality's rate is above that of the state in the same draw; empty where there is no datum.";
        scenario_rate_mean: Real "por 100 000 hab. y año" Restricted, "Escenario de subdetección: tasa media", "Under-detection scenario: mean rate",
            "Tasa de todos los casos si la probabilidad de detección fuera la supuesta en el estudio; no es una estimación.",
            "Rate of all cases if the probability of detection were that supposed in the study; not an estimate.";
        scenario_rate_p05: Real "por 100 000 hab. y año" Restricted, "Escenario de subdetección: percentil 5", "Under-detection scenario: 5th percentile",
            "Percentil 5 de la tasa del escenario.", "5th percentile of the scenario's rate.";
        scenario_rate_p95: Real "por 100 000 hab. y año" Restricted, "Escenario de subdetección: percentil 95", "Under-detection scenario: 95th percentile",
            "Percentil 95 de la tasa del escenario.", "95th percentile of the scenario's rate.";
        scenario_pr_above: Real "" Restricted, "Escenario: probabilidad de superar la tasa estatal", "Scenario: probability above the state's rate",
            "Proporción de sorteos en que la tasa del escenario supera la del estado en el mismo escenario; comparada con pr_above \
             dice cuánto depende de que se detecte igual en todas partes.",
            "Share of draws in which the scenario's rate is above the state's in the same scenario; beside pr_above it tells how \
             much hangs on detection being the same everywhere.";
        period_years: Real "años" Public, "Periodo", "Period",
            "Duración del periodo de los casos.", "Length of the period of the cases.";
        count_mean: Real "casos" Restricted, "Casos sorteados, media", "Drawn cases, mean",
            "Media de los casos en los sorteos del modelo.", "Mean of the cases over the draws of the model.";
        count_p05: Real "casos" Restricted, "Casos sorteados, percentil 5", "Drawn cases, 5th percentile",
            "Percentil 5 de los casos sorteados.", "5th percentile of the drawn cases.";
        count_p95: Real "casos" Restricted, "Casos sorteados, percentil 95", "Drawn cases, 95th percentile",
            "Percentil 95 de los casos sorteados.", "95th percentile of the drawn cases.";
        pr_hot: Real "" Public, "Probabilidad de concentración", "Hot-spot probability",
            "Proporción de sorteos con q de Benjamini–Hochberg ≤ 0.05; no es en sí una tasa de falsos hallazgos. Vacío: sin datos.",
            "Share of draws with Benjamini–Hochberg q ≤ 0.05; not itself a false discovery rate. Empty: no data.";
        hot_class: Text "" Public, "Clase de concentración", "Hot-spot class",
            "q01, q05 o q10: el nivel más estricto (0.01, 0.05, 0.10) que la q de Benjamini–Hochberg cumple en al menos la mitad de \
             los sorteos. uncertain (incierta): ninguno, pero la q es de a lo más 0.10 en al menos la décima parte de los sorteos. \
             none (ninguna): menos que eso, que no dice que ahí no haya nada. no_data (sin datos): no se puso a prueba.",
            "q01, q05 or q10: the strictest level (0.01, 0.05, 0.10) that the Benjamini–Hochberg q meets in at least half of the \
             draws. uncertain: none does, but q is at most 0.10 in at least a tenth of the draws. none: less than that, which does \
             not say that nothing is there. no_data: not tested.";
        roles: Json "" Public, "Papeles: tránsito, recepción, explotación", "Roles: transit, reception, exploitation",
            "Parte de la demanda localizada que pasa sin comenzar ni terminar en el municipio (transit, tránsito), que llega de fuera \
             (reception, recepción), y parte de los casos localizados en él (exploitation, explotación), con mean, p05 y p95 de los \
             sorteos. class compara el intervalo con la parte pareja (even): high (alta), medium (media), low (baja), no_data (sin datos \
             suficientes; why dice por qué). exploitation.cases son números de casos por modalidad, no partes; unknown = no consta. En el \
             resultado público, solo las clases.",
            "Share of the located demand that passes without beginning or ending in the municipality (transit), that arrives from \
             outside (reception), and share of the located cases that are there (exploitation), with mean, p05 and p95 over draws. class \
             compares the interval with the even share (even): high, medium, low, no_data (not enough data; why says which). \
             exploitation.cases are numbers of cases by modality, not shares; unknown = not stated. In the public result classes alone.";
        recruitment: Json "" Restricted, "Papel de reclutamiento", "Recruitment role",
            "Parte de la demanda localizada que comienza en el municipio, dondequiera que termine; cantidad del modelo, pues ningún dato \
             habla del reclutamiento. Con mean, p05, p95, even, class y why, como en roles.",
            "Share of the located demand that begins in the municipality, wherever it ends; a quantity of the model, since no datum \
             speaks of recruitment. With mean, p05, p95, even, class and why, as in roles.";
        polygon_of: Text "" Public, "Comparte polígono con", "Shares the polygon of",
            "Clave del municipio cuyo polígono comparte; vacío = tiene el suyo.",
            "Code of the municipality whose polygon it shares; empty = it has its own.";
        demand_share: Real "" Restricted, "Parte de la demanda", "Share of demand",
            "Parte de la demanda localizada que llega al municipio.",
            "Share of the located demand that ends in the municipality.";
        censored_share: Real "" Public, "Parte con dato incierto", "Censored share",
            "Parte del valor que procede de datos por intervalo o desconocidos.",
            "Share of the value that comes from interval or unknown counts.";
        reasons: Json "" Public, "Razones", "Reasons",
            "Contribuciones que suman la parte de la demanda; vacío en el resultado público.",
            "Contributions that add up to the share of demand; empty in the public result.";
    ],
};

/// Points, parts and records that were not used as they came, as geometry.
pub const DIAGNOSTICS: LayerDef = LayerDef {
    name: "diagnostics",
    geometry: LayerGeometry::Point,
    tier: Tier::Restricted,
    title_es: "Diagnóstico de los datos",
    title_en: "Data diagnostics",
    fields: fields![Restricted;
        kind: Text "" Restricted, "Clase", "Kind",
            "unsnapped (lejos de la red), disconnected (parte aislada), shared_polygon (polígono compartido), \
             dropped (registro descartado).",
            "unsnapped (far from the network), disconnected (isolated part), shared_polygon, dropped (record left out).";
        source: Text "" Restricted, "Fuente", "Source",
            "Fuente del estudio de la que procede.", "Source of the study it comes from.";
        record: Text "" Restricted, "Registro", "Record",
            "Fila o identificador del registro en su fuente.", "Row or identifier of the record in its source.";
        rule: Text "" Restricted, "Regla", "Rule",
            "Código de la regla que lo señala.", "Code of the rule that reports it.";
        distance_m: Real "m" Restricted, "Distancia", "Distance",
            "Distancia a la red o al lugar esperado.", "Distance to the network or to the expected place.";
        length_km: Real "km" Restricted, "Longitud", "Length",
            "Longitud de la parte afectada.", "Length of the part concerned.";
        detail: Text "" Restricted, "Detalle", "Detail",
            "Explicación breve, sin datos personales.", "Short explanation, without personal data.";
    ],
};
