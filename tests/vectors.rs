//! The loops of the routing kernel are compiled to vector instructions, and to plain ones for processors without them.
//!
//! What is read is the machine code of this very test, which calls the kernel. Each instruction is traced back by the
//! debug information to the function of the kernel that it was inlined from, so that a loop that lost its
//! vectors (a closure, a call that is not inlined, a dispatch that is gone) is named.

#![cfg(all(target_arch = "x86_64", target_os = "linux", not(debug_assertions)))]
#![expect(clippy::unwrap_used, reason = "what a test cannot read fails it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianSlice, Error, LittleEndian, SectionId};
use corredor::ids::JunctionId;
use corredor::network::cch::{Batch, Demand, Hierarchy, LANES, Metric, Selection, Wanted, Workspace};
use corredor::network::search::Arcs;
use geo::Coord;
use iced_x86::{Decoder, DecoderOptions, EncodingKind, Mnemonic};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SymbolKind};

/// A loop of the kernel.
struct Loop {
    /// Its file in `src/network/cch`, and how the name of its function begins.
    function: [&'static str; 2],
    /// What one of the functions that it is inlined into has in its name.
    within: &'static str,
    /// Vector instructions that it must have.
    needs: [Mnemonic; 2],
}

/// The folder of the kernel.
const KERNEL: &str = "network/cch/";

const LOOPS: [Loop; 5] = [
    Loop { function: ["customize.rs", "relax<8"], within: "", needs: [Mnemonic::Vpaddd, Mnemonic::Vpminud] },
    Loop {
        function: ["query.rs", "with_simd<8"],
        within: "Rise<8",
        needs: [Mnemonic::Vpaddd, Mnemonic::Vpminud],
    },
    Loop {
        function: ["query.rs", "with_simd<8"],
        within: "Fall<8",
        needs: [Mnemonic::Vpaddd, Mnemonic::Vpminud],
    },
    Loop { function: ["push.rs", "tight<4"], within: "", needs: [Mnemonic::Vpaddd, Mnemonic::Vpminud] },
    Loop {
        function: ["flow.rs", "exact_lanes<8"],
        within: "OverLower<8",
        needs: [Mnemonic::Vpaddd, Mnemonic::Vpcmpeqd],
    },
];

/// What a loop was compiled to.
#[derive(Default)]
struct Code {
    /// Instructions on whole vectors of eight lanes, in functions made for the vector unit.
    wide: BTreeSet<Mnemonic>,
    /// Functions made for any processor, and whether they keep to its instructions.
    plain: BTreeMap<String, bool>,
}

/// Calls everything whose machine code is looked at.
fn call() {
    let row = [(0, 1, 0), (1, 2, 1), (2, 3, 2), (0, 3, 3)];
    let arcs = Arcs::of_list(4, row.into_iter().flat_map(|(a, b, l)| [(a, b, l), (b, a, l)]).collect());
    let at: Vec<Coord<f64>> = [0.0, 1.0, 2.0, 3.0].into_iter().map(|x| Coord { x, y: x * x % 2.0 }).collect();
    let hierarchy = Hierarchy::new(&arcs, &at);
    let weights = hierarchy.arranged(&[[1; LANES], [2; LANES], [3; LANES], [7; LANES]]);
    let mut metric = Metric::<LANES>::new(&hierarchy);
    metric.customize(&hierarchy, &weights);
    let selection = Selection::new(&hierarchy, &[JunctionId(0)], &[JunctionId(3)]);
    let batch = Batch { hierarchy: &hierarchy, metric: &metric, weights: &weights };
    assert_eq!(selection.distances(batch), [[6; LANES]]);
    let mut space = Workspace::<1, LANES>::new(&hierarchy);
    let flows = space.assign(batch, &selection, Demand::Shared(&[[5]]), Wanted::Flows, |_| ()).flows;
    assert_eq!(flows.link, [0, 1, 2]);
}

/// The code of each of [`LOOPS`] in this program.
fn code() -> [Code; LOOPS.len()] {
    let bytes = fs::read(std::env::current_exe().unwrap()).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let section = |id: SectionId| {
        let data = file.section_by_name(id.name()).map_or(&[][..], |section| section.data().unwrap());
        Ok::<_, Error>(EndianSlice::new(data, LittleEndian))
    };
    let lines = Context::from_dwarf(Dwarf::load(section).unwrap()).unwrap();
    let text = file.section_by_name(".text").unwrap();
    let (start, text) = (text.address(), text.data().unwrap());
    let mut out: [Code; LOOPS.len()] = Default::default();
    for symbol in file.symbols().filter(|s| s.kind() == SymbolKind::Text && s.size() > 0) {
        let (from, to) = (symbol.address(), symbol.address() + symbol.size());
        let mut places = lines.find_location_range(from, to).unwrap();
        if !places.any(|place| place.2.file.is_some_and(|file| file.contains(KERNEL))) {
            continue;
        }
        // Names are mangled.
        let name = symbol.name().unwrap();
        let for_vectors = ["pulp", "V3", "vectorize"].iter().all(|word| name.contains(word));
        let from = usize::try_from(symbol.address() - start).unwrap();
        let own = &text[from..from + usize::try_from(symbol.size()).unwrap()];
        for instruction in Decoder::with_ip(64, own, symbol.address(), DecoderOptions::NONE) {
            let mut frames = lines.find_frames(instruction.ip()).skip_all_loads().unwrap();
            let mut holders = Vec::new();
            while let Some(frame) = frames.next().unwrap() {
                let name = frame.function.map(|f| f.demangle().unwrap().into_owned()).unwrap_or_default();
                let file = frame.location.and_then(|l| l.file).unwrap_or_default();
                holders.push((name, file));
            }
            let inside = |i: &usize| {
                let Loop { function: [file, start], within, .. } = LOOPS[*i];
                let own = |(name, path): &(String, &str)| {
                    name.starts_with(start) && path.contains(KERNEL) && path.ends_with(file)
                };
                holders.iter().any(own) && holders.iter().any(|(name, _)| name.contains(within))
            };
            for i in (0..LOOPS.len()).filter(inside) {
                if for_vectors {
                    if instruction.op0_register().is_ymm() {
                        out[i].wide.insert(instruction.mnemonic());
                    }
                } else {
                    let plain = instruction.encoding() == EncodingKind::Legacy;
                    *out[i].plain.entry(name.to_owned()).or_insert(true) &= plain;
                }
            }
        }
    }
    out
}

#[test]
fn hot_loops_are_vector_code_with_a_plain_twin() {
    call();
    for (Loop { function, within, needs }, code) in LOOPS.iter().zip(code()) {
        let name = format!("{} {within}", function.join(" "));
        let missing: Vec<&Mnemonic> = needs.iter().filter(|m| !code.wide.contains(m)).collect();
        assert!(missing.is_empty(), "{name}: no {missing:?} on whole vectors; there are {:?}", code.wide);
        assert!(!code.plain.is_empty(), "{name}: nothing for a processor without vectors of eight lanes");
        assert!(code.plain.values().all(|plain| *plain), "{name}: {:?}", code.plain);
    }
}
