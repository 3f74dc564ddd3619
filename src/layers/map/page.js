"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  let lang = data.lang;
  let chosen = null;

  // --- Words and numbers ---

  const text = (key) => data.texts[lang][key] ?? key;
  const fill = (key, values) => text(key).replace(/\{(\w+)\}/g, (_, name) => values[name]);
  /** A code of the data in words; what is no code stays as it is. */
  const word = (code) => data.values[lang][code] ?? String(code);
  const number = (x, digits) => x === null ? "–" :
    x.toLocaleString(lang === "es" ? "es-MX" : "en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const percent = (x) => `${number(100 * x, Math.abs(x) < 0.0995 && x !== 0 ? 2 : 1)} %`;
  /** A probability: draws are some hundreds, so that decimals would say nothing. */
  const probability = (x) => `${number(100 * x, 0)} %`;
  const plain = (x) => {
    if (x === null) return "–";
    const size = Math.abs(x);
    return number(x, Number.isInteger(x) ? 0 : size >= 100 ? 0 : size >= 10 ? 1 : 2);
  };
  /** A difference of shares in percentage points, with its sign. */
  const points = (x) => {
    const told = percent(Math.abs(x)).replace(" %", " pp");
    return `${/[1-9]/.test(told) ? (x > 0 ? "+" : "−") : ""}${told}`;
  };
  const bare = (field, x) => {
    if (data.points.includes(field.name)) return points(x);
    if (data.probabilities.includes(field.name)) return probability(x);
    return data.shares.includes(field.name) ? percent(x) : plain(x);
  };
  const withUnit = (field, told) => (field.unit[lang] === "" ? told : `${told} ${field.unit[lang]}`);

  const element = (name, parts = {}, ...children) => {
    const out = document.createElement(name);
    for (const [key, value] of Object.entries(parts)) {
      if (key === "on") Object.entries(value).forEach(([event, run]) => out.addEventListener(event, run));
      else if (key in out && key !== "list") out[key] = value;
      else out.setAttribute(key, value);
    }
    out.append(...children.filter((child) => child !== null && child !== undefined));
    return out;
  };
  const shape = (name, parts, ...children) => {
    const out = document.createElementNS(SVG, name);
    Object.entries(parts).forEach(([key, value]) => out.setAttribute(key, value));
    out.append(...children);
    return out;
  };

  // --- Legends: the same rules as the styles of the project ---

  const valueOf = (layer, feature, name) => {
    const at = layer.at.get(name);
    return at === undefined ? null : feature.values[at];
  };
  const holds = (test, get) => {
    const [kind, field, value] = test;
    const x = typeof field === "string" ? get(field) : null;
    const known = x !== null && x !== undefined;
    switch (kind) {
      case "any": return true;
      case "true": return x === true;
      case "not": return !(known ? x : value);
      case "null": return !known;
      case "known": return known;
      case ">=": return known && x >= value;
      case ">": return known && x > value;
      case "<": return known && x < value;
      case "<=": return known && x <= value;
      case "nothing": return !known || x === 0;
      case "something": return known && x > 0;
      case "text": return x === value;
      case "wider": case "narrower": {
        const [high, low, of] = [field, value, test[3]].map(get);
        if ([high, low, of].some((v) => v === null || v === undefined)) return false;
        return (high - low > test[4] * of) === (kind === "wider");
      }
      case "all": return test.slice(1).every((part) => holds(part, get));
      default: return false;
    }
  };
  const stepped = (steps, get, otherwise) => {
    if (!steps) return otherwise;
    const x = get(steps.field);
    let i = 0;
    while (i < steps.limits.length && x !== null && x !== undefined && x >= steps.limits[i]) i += 1;
    return steps.sizes[Math.min(i, steps.sizes.length - 1)];
  };
  const rulesOf = (layer, feature) => {
    const get = (name) => valueOf(layer, feature, name);
    const found = layer.rules.filter((rule) => rule.test[0] !== "else" && holds(rule.test, get));
    return found.length > 0 ? found : layer.rules.filter((rule) => rule.test[0] === "else");
  };

  const patterns = new Map();
  const hatching = (symbol) => {
    const key = `${symbol.color}${symbol.hatching}`;
    if (!patterns.has(key)) {
      const tile = element("canvas", { width: 8, height: 8 });
      const pen = tile.getContext("2d");
      pen.fillStyle = symbol.color;
      pen.fillRect(0, 0, 8, 8);
      pen.strokeStyle = symbol.hatching;
      pen.lineWidth = 1.2;
      for (const offset of [-8, 0, 8]) {
        pen.beginPath();
        pen.moveTo(offset, 8);
        pen.lineTo(offset + 8, 0);
        pen.stroke();
      }
      patterns.set(key, pen.createPattern(tile, "repeat"));
    }
    return patterns.get(key);
  };

  // --- Map ---

  /** Corners of a marker that is no circle, around its middle, for a radius of one. */
  const FORMS = {
    diamond: [[0, -1], [1, 0], [0, 1], [-1, 0]],
    square: [[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]],
    triangle: [[0, -1], [0.95, 0.8], [-0.95, 0.8]],
    pentagon: [0, 1, 2, 3, 4].map((i) => [Math.sin((i * 2 * Math.PI) / 5), -Math.cos((i * 2 * Math.PI) / 5)]),
    cross2: [[-1, -0.7], [-0.7, -1], [0, -0.3], [0.7, -1], [1, -0.7], [0.3, 0], [1, 0.7], [0.7, 1], [0, 0.3], [-0.7, 1], [-1, 0.7], [-0.3, 0]],
  };
  L.Canvas.include({
    _updateForm(layer) {
      if (!this._drawing || layer._empty()) return;
      const { x, y } = layer._point;
      const pen = this._ctx;
      pen.beginPath();
      FORMS[layer.options.form].forEach(([dx, dy], i) =>
        pen[i === 0 ? "moveTo" : "lineTo"](x + dx * layer._radius, y + dy * layer._radius));
      pen.closePath();
      this._fillStroke(pen, layer);
    },
  });
  const Form = L.CircleMarker.extend({
    _updatePath() { this._renderer[FORMS[this.options.form] ? "_updateForm" : "_updateCircle"](this); },
  });

  const map = L.map("map", {
    renderer: L.canvas({ tolerance: 6, padding: 0.3 }), zoomControl: false, attributionControl: false,
    zoomSnap: 0.5, fadeAnimation: false,
    zoomAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
  });
  const zoom = L.control.zoom({ position: "topleft" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  if (data.draft) $("map").append(element("div", { className: "draft", ariaHidden: "true", textContent: data.draft }));

  const flip = (list) => (typeof list[0] === "number" ? [list[1], list[0]] : list.map(flip));
  const drawn = (layer, feature) => {
    const rules = rulesOf(layer, feature);
    if (!feature.shape || rules.length === 0) return null;
    const get = (name) => valueOf(layer, feature, name);
    const places = flip(feature.shape);
    const parts = rules.map((rule, i) => {
      const { symbol } = rule;
      const size = stepped(symbol.steps, get, symbol.size);
      const opacity = stepped(symbol.opacity, get, 100) / 100;
      const options = { interactive: i === 0, opacity, fillOpacity: opacity, color: symbol.color };
      if (symbol.kind === "line") {
        return L.polyline(places, { ...options, weight: size, dashArray: symbol.dash, lineCap: "round" });
      }
      if (symbol.kind === "fill") {
        const fillColor = symbol.hatching ? hatching(symbol) : symbol.color;
        return L.polygon(places, { ...options, color: "#6e6e6e", weight: 0.7, fillColor, fillOpacity: 1 });
      }
      return new Form(places, {
        ...options, form: symbol.form, radius: size / 2, color: "#232323", weight: 0.8, fillColor: symbol.color,
      });
    });
    parts[0].on("click", (event) => { L.DomEvent.stop(event); choose(layer, feature, false); });
    parts[0].bindTooltip(() => escaped(feature.name), { sticky: true });
    if (layer.name === "corridors") {
      const rank = String(get("rank"));
      const at = parts[0].getLatLngs().flat();
      parts.push(L.tooltip({ permanent: true, direction: "center", className: "rank", interactive: false })
        .setLatLng(at[Math.floor(at.length / 2)]).setContent(escaped(rank)));
    }
    feature.path = parts[0];
    return L.layerGroup(parts);
  };
  const escaped = (words) => element("span", { textContent: words });

  const restack = () => {
    // One canvas holds all: what was put on it last lies on top, and is the first to be met by a click.
    data.layers.forEach((layer) => { if (layer.group) map.removeLayer(layer.group); });
    data.layers.filter((layer) => layer.shown).forEach((layer) => {
      layer.group ??= L.layerGroup(layer.features.map((feature) => drawn(layer, feature)).filter(Boolean));
      map.addLayer(layer.group);
    });
    if (halo) { halo.remove(); halo.addTo(map); }
  };

  // --- Details ---

  let halo = null;
  const choose = (layer, feature, near) => {
    chosen = { layer, feature };
    if (!layer.shown) { layer.shown = true; restack(); layers(); }
    if (halo) halo.remove();
    halo = null;
    if (feature.path) {
      const line = feature.path.getLatLngs?.();
      halo = line
        ? L.polyline(layer.kind === "fill" ? line.flat() : line, { color: "#0b57d0", weight: 3, dashArray: "2 6", interactive: false })
        : L.circleMarker(feature.path.getLatLng(), { radius: 14, color: "#0b57d0", weight: 3, fill: false, interactive: false });
      halo.addTo(map);
      const bounds = line ? feature.path.getBounds() : L.latLngBounds([feature.path.getLatLng()]);
      // What was picked from a list is brought near; what was clicked on is in sight already.
      if (near || !map.getBounds().intersects(bounds)) map.fitBounds(bounds, { maxZoom: 10.5, padding: [40, 40] });
    }
    detail();
    ranked();
    if (near) {
      $("detail").focus({ preventScroll: true });
      $("detail").scrollIntoView({ block: "start" });
    }
  };

  const interval = (field, mean, low, high) => withUnit(field, `${bare(field, mean)} (${bare(field, low)} – ${bare(field, high)})`);

  const bars = (layer, reasons) => {
    const most = Math.max(...reasons.map(([, value]) => Math.abs(value)), 1e-12);
    return element("ul", { className: "bars" }, ...reasons.map(([factor, value, own]) => element("li", {},
      `${data.reasons[lang][factor] ?? own ?? factor}: ${layer.scored ? number(value, 2) : percent(value)}`,
      shape("svg", { viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" },
        shape("rect", { x: 0, y: 0, width: 100, height: 4, fill: "#e6e6ea" }),
        shape("rect", { x: 0, y: 0, width: (100 * Math.abs(value)) / most, height: 4, fill: value < 0 ? "#8a6d00" : "#5b1a5e" })))));
  };

  const structured = (layer, field, value) => {
    if (Array.isArray(value)) {
      if (value.every((item) => typeof item !== "object")) return value.map(word).join(", ");
      return element("ul", {}, ...value.map((item) => element("li", {}, structured(layer, field, item))));
    }
    if (value === null || typeof value !== "object") return typeof value === "number" ? plain(value) : word(value);
    if ("class" in value) {
      if (value.class === "no_data") return word(value.class) + (value.why ? ` (${word(value.why)})` : "");
      const spread = typeof value.mean === "number" ? `: ${percent(value.mean)} (${percent(value.p05)} – ${percent(value.p95)})` : "";
      return word(value.class) + spread + (value.note ? `; ${word(value.note)}` : "");
    }
    return element("ul", {}, ...Object.entries(value).map(([key, part]) =>
      element("li", {}, `${word(key)}: `, structured(layer, field, part))));
  };

  /** What the numbers of a corridor mean, in a sentence. */
  const sentence = (layer, get) => {
    if (layer.name === "roads_change") {
      const told = fill("say_change", { before: percent(get("mean_base")), after: percent(get("mean")), change: points(get("change")), low: points(get("change_p05")), high: points(get("change_p95")), rises: probability(get("pr_rises")), falls: probability(get("pr_falls")) });
      return element("p", { className: "say" }, told);
    }
    if (layer.name !== "corridors" && layer.name !== "roads") return null;
    const [lift, low, high] = ["lift", "lift_p05", "lift_p95"].map(get);
    const parts = [];
    if (get("mean") !== null) {
      parts.push(fill(layer.name === "corridors" ? "say_flow_along" : "say_flow", { mean: percent(get("mean")), low: percent(get("p05")), high: percent(get("p95")) }));
    }
    if (lift !== null) {
      const key = low > 1 ? "say_more" : high < 1 ? "say_less" : "say_alike";
      parts.push(fill(key, { lift: plain(lift), low: plain(low), high: plain(high) }));
    }
    if (get("schematic") === true) parts.push(text("say_schematic"));
    return parts.length > 0 ? element("p", { className: "say" }, parts.join(" ")) : null;
  };

  const detail = () => {
    const box = $("detail");
    box.replaceChildren();
    box.setAttribute("aria-label", chosen ? chosen.feature.name : text("panel"));
    if (!chosen) return;
    const { layer, feature } = chosen;
    const get = (name) => valueOf(layer, feature, name);
    const list = element("dl");
    const add = (label, value) => list.append(element("dt", {}, label), element("dd", {}, value));
    const skip = new Set(["id", "run_id", "name", "region", "reasons", "section_id", "corridor_id", "cvegeo", "origins_destinations", "if_closed"]);
    for (const field of layer.fields) {
      const value = get(field.name);
      if (field.name === "pr_rank10" && get("n_candidates") <= 10) continue;
      if (skip.has(field.name) || value === null || value === "" || (Array.isArray(value) && value.length === 0)) continue;
      const base = field.name.replace(/_mean$/, "");
      const [low, high] = field.name === "mean" ? ["p05", "p95"] : [`${base}_p05`, `${base}_p95`];
      if (typeof value === "number" && layer.at.has(low) && get(low) !== null && get(high) !== null) {
        skip.add(low).add(high);
        add(field[lang].replace(/,? (media|mean)$/i, ""), interval(field, value, get(low), get(high)));
      } else if (typeof value === "number") add(field[lang], withUnit(field, bare(field, value)));
      else if (field.name === "parallel_to") add(field[lang], layer.features.find((f) => valueOf(layer, f, "id") === value)?.name ?? value);
      else if (typeof value === "boolean") add(field[lang], text(value ? "yes" : "no"));
      else if (typeof value === "object") add(field[lang], structured(layer, field, value));
      else add(field[lang], layer.coded.includes(field.name) ? value.split(", ").map(word).join(", ") : value);
    }
    const reasons = get("reasons");
    const pairs = get("origins_destinations");
    // Numbers of two places and a part; the last one stands for all others.
    const pair = (p) => element("li", {}, `${percent(p.at(-1))}  ${p.length === 3 ? `${data.places[p[0]]} → ${data.places[p[1]]}` : text("other_pairs")}`);
    const closed = get("if_closed");
    const takes = (p) => element("li", {}, p.unserved === undefined ? `${probability(p.value)}  ${p.name || text("no_reference")}` : `${probability(p.unserved)}  ${text("if_closed_unserved")}`);
    box.append(...[
      element("h2", {}, feature.name),
      element("p", { className: "kind" }, layer.title[lang]),
      sentence(layer, get),
      reasons && reasons.length > 0 ? element("h3", {}, text("reasons")) : null,
      reasons && reasons.length > 0 ? bars(layer, reasons) : null,
      pairs && pairs.length > 0 ? element("h3", {}, text("origins_destinations")) : null,
      pairs && pairs.length > 0 ? element("ul", { className: "bars" }, ...pairs.map(pair)) : null,
      closed ? element("h3", {}, text("if_closed")) : null,
      closed ? element("ul", { className: "bars" }, ...closed.map(takes)) : null,
      element("h3", {}, text("values")), list,
      element("p", { className: "hint" }, text("no_proof")),
    ].filter(Boolean));
  };

  // --- Lists ---

  const pick = (layer, feature, extra) => element("li", {}, element("button", {
    type: "button", className: "pick",
    "aria-current": chosen?.feature === feature ? "true" : "false",
    on: { click: () => choose(layer, feature, true) },
  }, element("b", {}, feature.name), element("span", {}, extra)));

  // Outwards: an interval is not to be told narrower than it is.
  const bound = (x, whole) => (x === null ? "–" : number(whole(x), 0));
  const standing = (n, pr) => {
    const first = Math.max(1, Math.floor(n / 10));
    return fill(first === 1 ? "top_one" : "top_some", { first, n, p: pr === null ? "–" : probability(pr) });
  };
  const ranked = () => {
    const layer = data.layers.find((l) => l.name === "corridors");
    const items = (layer?.features ?? []).map((feature) => {
      const get = (name) => valueOf(layer, feature, name);
      const extra = fill("ranked_item", {
        rank: get("rank"), best: bound(get("rank_p05"), Math.floor), worst: bound(get("rank_p95"), Math.ceil), mean: percent(get("mean")), low: percent(get("p05")), high: percent(get("p95")), top: standing(get("n_candidates"), get("pr_top")),
      });
      return pick(layer, feature, extra);
    });
    $("corridors").replaceChildren(...(items.length > 0 ? items : [element("li", {}, text("no_corridors"))]));
  };

  const folded = (words) => words.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const CODES = ["id", "cvegeo", "clee", "ref", "scian"];
  const SHOWN = 50;
  const search = () => {
    const wanted = folded($("query").value.trim());
    const hits = wanted.length < 2 ? [] : data.layers.flatMap((layer) =>
      layer.features.filter((f) => folded(f.name).includes(wanted) || CODES.some((code) => valueOf(layer, f, code) === $("query").value.trim()))
        .map((feature) => ({ layer, feature })));
    hits.sort((a, b) => folded(a.feature.name).indexOf(wanted) - folded(b.feature.name).indexOf(wanted));
    $("hits").replaceChildren(...hits.slice(0, SHOWN).map(({ layer, feature }) => pick(layer, feature, layer.title[lang])));
    $("found").textContent = wanted.length < 2 ? "" : fill(hits.length === 1 ? "found_one" : "found_many", { n: hits.length, shown: Math.min(SHOWN, hits.length) });
  };

  const swatch = (symbol, size) => {
    const middle = 11;
    const opacity = symbol.opacity ? 1 : undefined;
    const box = (...children) => shape("svg", { viewBox: "0 0 44 22", "aria-hidden": "true" }, ...children);
    if (symbol.kind === "line") {
      return box(shape("line", {
        x1: 2, x2: 42, y1: middle, y2: middle, stroke: symbol.color === "rgba(255,255,255,1)" ? "#9a9aa2" : symbol.color,
        "stroke-width": Math.max(size, 1), "stroke-dasharray": symbol.dash ?? "none", "stroke-opacity": opacity ?? 1,
      }));
    }
    if (symbol.kind === "fill") {
      const lines = symbol.hatching
        ? [6, 14, 22, 30, 38].map((x) => shape("line", { x1: x - 6, x2: x + 6, y1: 18, y2: 4, stroke: symbol.hatching }))
        : [];
      return box(shape("rect", { x: 4, y: 4, width: 36, height: 14, fill: symbol.color, stroke: "#6e6e6e" }), ...lines);
    }
    const r = Math.min(size / 2, 10);
    const form = FORMS[symbol.form];
    return box(form
      ? shape("polygon", { points: form.map(([x, y]) => `${22 + x * r},${middle + y * r}`).join(" "), fill: symbol.color, stroke: "#232323" })
      : shape("circle", { cx: 22, cy: middle, r, fill: symbol.color, stroke: "#232323" }));
  };

  const layers = () => {
    const open = new Set([...$("layers").querySelectorAll("details")].filter((d) => d.open).map((d) => d.dataset.layer));
    const first = $("layers").childElementCount === 0;
    $("layers").replaceChildren(...[...data.layers].reverse().filter((layer) => layer.features.length > 0).map((layer) => {
      const box = element("input", { type: "checkbox", checked: layer.shown, on: { change: () => { layer.shown = box.checked; restack(); } } });
      const rows = layer.rules.filter((rule) => rule.label[lang]).map((rule) =>
        element("li", {}, swatch(rule.symbol, stepped(rule.symbol.steps, () => null, rule.symbol.size)), rule.label[lang]));
      const legend = element("details", { open: first ? layer.name === "corridors" : open.has(layer.name) },
        element("summary", {}, text("legend")), element("ul", { className: "legend" }, ...rows));
      legend.dataset.layer = layer.name;
      const left = layer.left_out > 0 ? element("p", { className: "hint" }, fill("left_out", { n: number(layer.left_out, 0), kept: number(layer.features.length, 0) })) : null;
      return element("fieldset", {}, element("label", {}, box, `${layer.title[lang]} (${number(layer.features.length, 0)})`), left, legend);
    }));
  };

  const about = () => {
    $("limits").replaceChildren(...data.limits[lang].map((line) => element("li", {}, line)));
    const facts = data.facts.map(([key, value]) => [text(key), value]);
    $("facts").replaceChildren(...facts.flatMap(([label, value]) => [element("dt", {}, label), element("dd", {}, value)]));
  };

  // --- Language ---

  const speak = () => {
    document.documentElement.lang = lang;
    document.title = data.title[lang];
    $("title").textContent = data.title[lang];
    document.querySelectorAll("[data-text]").forEach((e) => { e.textContent = text(e.dataset.text); });
    document.querySelectorAll("[data-lang]").forEach((e) => e.setAttribute("aria-pressed", String(e.dataset.lang === lang)));
    $("languages").setAttribute("aria-label", text("language"));
    $("map").setAttribute("aria-label", text("map"));
    $("panel").setAttribute("aria-label", text("panel"));
    $("notices").replaceChildren(...data.notices[lang].flatMap((line, i) => [i > 0 ? " · " : "", i === 0 ? element("strong", {}, line) : line]));
    for (const [selector, key] of [[".leaflet-control-zoom-in", "zoom_in"], [".leaflet-control-zoom-out", "zoom_out"]]) {
      const button = zoom.getContainer().querySelector(selector);
      button.title = text(key);
      button.setAttribute("aria-label", text(key));
    }
    ranked(); layers(); about(); detail(); search();
  };
  document.querySelectorAll("[data-lang]").forEach((button) => button.addEventListener("click", () => { lang = button.dataset.lang; speak(); }));
  $("query").addEventListener("input", search);

  for (const layer of data.layers) {
    layer.at = new Map(layer.fields.map((field, i) => [field.name, i]));
    layer.features = layer.features.map(([geometry, ...values]) => ({ shape: geometry, values, name: values[layer.at.get("name")] }));
  }
  const [west, south, east, north] = data.bbox;
  const home = L.latLngBounds([south, west], [north, east]);
  map.fitBounds(home, { padding: [10, 10] });
  $("whole").addEventListener("click", () => map.fitBounds(home, { padding: [10, 10] }));
  map.on("click", () => { chosen = null; if (halo) { halo.remove(); halo = null; } detail(); ranked(); });
  addEventListener("beforeprint", () => map.invalidateSize());
  restack();
  speak();
})();
