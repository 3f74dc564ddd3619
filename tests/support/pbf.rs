//! Writes small OpenStreetMap files, right ones and wrong ones, without any library that reads them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// A number as protocol buffers have it.
pub(crate) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// A field with a number.
pub(crate) fn number(field: u64, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    varint(field << 3, &mut out);
    varint(value, &mut out);
    out
}

/// A field with bytes.
pub(crate) fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varint(field << 3 | 2, &mut out);
    varint(value.len() as u64, &mut out);
    out.extend(value);
    out
}

/// A packed field.
pub(crate) fn packed(field: u64, values: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let mut inner = Vec::new();
    values.into_iter().for_each(|value| varint(value, &mut inner));
    bytes(field, &inner)
}

/// A packed field of differences.
pub(crate) fn deltas(field: u64, values: impl IntoIterator<Item = i64>) -> Vec<u8> {
    let mut before = 0_i64;
    packed(
        field,
        values.into_iter().map(|value| {
            let difference = value.wrapping_sub(before);
            before = value;
            zigzag(difference)
        }),
    )
}

/// Bytes as zlib compresses them.
pub(crate) fn deflated(block: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(block).unwrap();
    encoder.finish().unwrap()
}

/// A blob with its header, compressed.
pub(crate) fn blob(kind: &str, block: &[u8]) -> Vec<u8> {
    framed(kind, &[number(2, block.len() as u64), bytes(3, &deflated(block))].concat())
}

/// A blob with its header, not compressed.
pub(crate) fn raw_blob(kind: &str, block: &[u8]) -> Vec<u8> {
    framed(kind, &bytes(1, block))
}

/// A header before the bytes of a blob.
pub(crate) fn framed(kind: &str, blob: &[u8]) -> Vec<u8> {
    let header = [bytes(1, kind.as_bytes()), number(3, blob.len() as u64)].concat();
    [&(header.len() as u32).to_be_bytes()[..], &header, blob].concat()
}

/// The first blob of a file that asks for some features.
pub(crate) fn header(features: &[&str]) -> Vec<u8> {
    let block: Vec<u8> = features.iter().flat_map(|feature| bytes(4, feature.as_bytes())).collect();
    blob("OSMHeader", &block)
}

type Tags = &'static [(&'static str, &'static str)];

/// Role, kind (`n`, `w`, `r`) and id.
type Member = (&'static str, char, i64);

/// Objects of a file, in the order in which they were added.
#[derive(Default, Clone)]
pub(crate) struct Osm {
    pub(crate) nodes: Vec<(i64, f64, f64, Tags)>,
    pub(crate) ways: Vec<(i64, Vec<i64>, Tags)>,
    pub(crate) relations: Vec<(i64, Vec<Member>, Tags)>,
    strings: Vec<&'static str>,
}

impl Osm {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A node at longitude and latitude.
    pub(crate) fn node(mut self, id: i64, lon: f64, lat: f64, tags: Tags) -> Self {
        self.nodes.push((id, lon, lat, tags));
        self
    }

    /// Nodes a hundredth of a degree apart, one after the other to the east.
    pub(crate) fn row_of_nodes(mut self, ids: impl IntoIterator<Item = i64>) -> Self {
        for id in ids {
            self.nodes.push((id, -92.0 + id as f64 / 100.0, 15.0, &[]));
        }
        self
    }

    pub(crate) fn way(mut self, id: i64, nodes: &[i64], tags: Tags) -> Self {
        self.ways.push((id, nodes.to_vec(), tags));
        self
    }

    /// A relation.
    pub(crate) fn relation(mut self, id: i64, members: &[Member], tags: Tags) -> Self {
        self.relations.push((id, members.to_vec(), tags));
        self
    }

    fn string(&mut self, text: &'static str) -> u64 {
        if self.strings.is_empty() {
            self.strings.push("");
        }
        let found = self.strings.iter().position(|other| *other == text);
        found.unwrap_or_else(|| {
            self.strings.push(text);
            self.strings.len() - 1
        }) as u64
    }

    fn tags(&mut self, tags: Tags) -> Vec<u8> {
        let (keys, values): (Vec<u64>, Vec<u64>) =
            tags.iter().map(|(key, value)| (self.string(key), self.string(value))).unzip();
        [packed(2, keys), packed(3, values)].concat()
    }

    fn dense(&mut self) -> Vec<u8> {
        let nodes = self.nodes.clone();
        let unit = |degrees: f64| (degrees * 1e7).round() as i64;
        let mut tags = Vec::new();
        for (_, _, _, list) in &nodes {
            tags.extend(list.iter().flat_map(|(key, value)| [self.string(key), self.string(value)]));
            tags.push(0);
        }
        [
            deltas(1, nodes.iter().map(|node| node.0)),
            deltas(8, nodes.iter().map(|node| unit(node.2))),
            deltas(9, nodes.iter().map(|node| unit(node.1))),
            packed(10, tags),
        ]
        .concat()
    }

    fn plain_nodes(&mut self) -> Vec<u8> {
        let unit = |degrees: f64| zigzag((degrees * 1e7).round() as i64);
        let nodes = self.nodes.clone();
        nodes
            .into_iter()
            .flat_map(|(id, lon, lat, tags)| {
                let tags = self.tags(tags);
                bytes(1, &[number(1, zigzag(id)), tags, number(8, unit(lat)), number(9, unit(lon))].concat())
            })
            .collect()
    }

    fn other_objects(&mut self) -> Vec<u8> {
        let mut ways = Vec::new();
        for (id, nodes, tags) in self.ways.clone() {
            let tags = self.tags(tags);
            ways.extend(bytes(3, &[number(1, id.cast_unsigned()), tags, deltas(8, nodes)].concat()));
        }
        let mut relations = Vec::new();
        for (id, members, tags) in self.relations.clone() {
            let tags = self.tags(tags);
            let roles: Vec<u64> = members.iter().map(|member| self.string(member.0)).collect();
            let kinds = members.iter().map(|member| "nwr".find(member.1).unwrap() as u64);
            let ids = members.iter().map(|member| member.2);
            let members = [packed(8, roles), deltas(9, ids), packed(10, kinds)].concat();
            relations.extend(bytes(4, &[number(1, id.cast_unsigned()), tags, members].concat()));
        }
        let group = |objects: Vec<u8>| if objects.is_empty() { objects } else { bytes(2, &objects) };
        [group(ways), group(relations)].concat()
    }

    /// The block of a group of objects.
    pub(crate) fn block(&mut self, groups: &[u8]) -> Vec<u8> {
        self.string("");
        let table: Vec<u8> = self.strings.iter().flat_map(|text| bytes(1, text.as_bytes())).collect();
        [bytes(1, &table), groups.to_vec()].concat()
    }

    /// The file: nodes in one block, all else in a second.
    pub(crate) fn file(&self) -> Vec<u8> {
        let mut first = Self { nodes: self.nodes.clone(), ..Self::default() };
        let dense = bytes(2, &bytes(2, &first.dense()));
        let mut second = Self { nodes: Vec::new(), ..self.clone() };
        let others = second.other_objects();
        let nodes = if self.nodes.is_empty() { Vec::new() } else { blob("OSMData", &first.block(&dense)) };
        [header(&["OsmSchema-V0.6", "DenseNodes"]), nodes, blob("OSMData", &second.block(&others))].concat()
    }

    /// The same in one uncompressed block, ways first, nodes one by one.
    pub(crate) fn plain_file(&self) -> Vec<u8> {
        [header(&["OsmSchema-V0.6"]), raw_blob("OSMData", &self.plain_block())].concat()
    }

    /// The block of [`Self::plain_file`].
    pub(crate) fn plain_block(&self) -> Vec<u8> {
        let mut all = self.clone();
        let groups = [all.other_objects(), bytes(2, &all.plain_nodes())].concat();
        all.block(&groups)
    }

    /// The same in one block, nodes dense.
    pub(crate) fn dense_block(&self) -> Vec<u8> {
        let mut all = self.clone();
        let groups = [bytes(2, &bytes(2, &all.dense())), all.other_objects()].concat();
        all.block(&groups)
    }
}
