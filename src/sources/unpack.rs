//! A source within a zip archive: which member is meant, and a private copy of it.

use std::fs::File;
use std::path::Path;

use tempfile::TempDir;

use super::archive::{Archive, Member};
use super::environment::one_line;
use super::guard::{COMPANIONS, Format, LOGS};
use super::spec::{GeometryNeed, Preset, SourceSpec};
use crate::error::{Error, Fault, Rule};

/// Names of members that a message lists.
const LISTED: usize = 20;

/// A member on disk, for as long as this lives.
#[derive(Debug)]
pub(super) struct Unpacked {
    /// Readable by this user only; removed when dropped.
    pub(super) folder: TempDir,
    /// Name of the file in the folder.
    pub(super) file: String,
    /// Name of the member in the archive.
    pub(super) member: String,
    /// The member as messages show it: `archive.zip/folder/file.csv`.
    pub(super) shown: String,
}

/// Unpacks the member that `spec` means, with its companions and nothing else.
pub(super) fn unpack(
    path: &Path,
    shown: &str,
    spec: &SourceSpec,
    need: GeometryNeed,
    max_bytes: u64,
) -> Result<Unpacked, Error> {
    let mut archive = Archive::open(path, shown)?;
    let member = choose(&archive, shown, spec, need)?;
    let Some(format) = Format::of(Path::new(&member.name)) else {
        return Err(unreadable(shown, &member));
    };
    let folder = private_folder()?;
    let stem = plain_stem(&member.name);
    let mut left = max_bytes;
    let mut file = String::new();
    let mut wanted: Vec<(Member, String)> = parts(&archive, &member, format, shown)?
        .into_iter()
        .map(|(part, ending)| (part, format!("{stem}{ending}")))
        .collect();
    wanted.extend(beside(&archive, &member, spec));
    for (part, name) in wanted {
        let target = folder.path().join(&name);
        let mut out = File::create_new(&target).map_err(|source| Error::io(&target, source))?;
        left = left.saturating_sub(archive.inflate(&part, left, &mut out)?);
        if file.is_empty() {
            file = name;
        }
    }
    Ok(Unpacked { folder, file, shown: format!("{shown}/{}", member.name), member: member.name })
}

/// A folder that only this user may enter.
fn private_folder() -> Result<TempDir, Error> {
    use std::os::unix::fs::PermissionsExt as _;
    tempfile::Builder::new()
        .prefix("corredor-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir()
        .map_err(|source| Error::io("tmp", source))
}

/// The member and what belongs to it, each with its ending on disk; the member first.
fn parts(
    archive: &Archive,
    member: &Member,
    format: Format,
    shown: &str,
) -> Result<Vec<(Member, String)>, Error> {
    let (stem, ending) = split(&member.name);
    let mut parts = vec![(member.clone(), format!(".{}", ending.to_ascii_lowercase()))];
    let endings: Vec<String> = match format {
        Format::Shapefile => COMPANIONS.iter().map(|ending| format!(".{ending}")).collect(),
        Format::Dbf => vec![".cpg".to_owned()],
        Format::GeoPackage => LOGS.iter().map(|suffix| format!(".{ending}{suffix}")).collect(),
        _ => Vec::new(),
    };
    for ending in endings {
        let belongs = |other: &&Member| {
            other.name.strip_prefix(stem).is_some_and(|rest| rest.eq_ignore_ascii_case(&ending))
        };
        let mut found = archive.members.iter().filter(belongs);
        let first = found.next();
        if found.next().is_some() {
            let detail = format!("two members of one name: {}", one_line(&format!("{stem}{ending}")));
            return Err(Fault::new(Rule::ArchiveUnsafe, shown).with("detail", detail).into());
        }
        parts.extend(first.map(|part| (part.clone(), ending.to_ascii_lowercase())));
    }
    Ok(parts)
}

/// The other files of a set that a preset reads, with their names on disk.
fn beside(archive: &Archive, member: &Member, spec: &SourceSpec) -> Vec<(Member, String)> {
    let names = spec.preset.map_or(&[][..], super::presets::beside);
    let (folder, file) = member.name.rsplit_once('/').unwrap_or(("", &member.name));
    if !split(file).1.eq_ignore_ascii_case("shp") {
        return Vec::new();
    }
    let mut found: Vec<(Member, String)> = Vec::new();
    for other in &archive.members {
        let (place, file) = other.name.rsplit_once('/').unwrap_or(("", &other.name));
        let (stem, ending) = split(file);
        let ending = ending.to_ascii_lowercase();
        if place == folder
            && let Some(name) = names.iter().find(|name| stem.eq_ignore_ascii_case(name))
            && (ending == "shp" || COMPANIONS.contains(&ending.as_str()))
        {
            let name = format!("{name}.{ending}");
            if found.iter().all(|(_, taken)| *taken != name) {
                found.push((other.clone(), name));
            }
        }
    }
    found
}

fn choose(archive: &Archive, shown: &str, spec: &SourceSpec, need: GeometryNeed) -> Result<Member, Error> {
    let all = &archive.members;
    if let Some(wanted) = &spec.member {
        let exact = archive.exactly(wanted).into_iter().collect::<Vec<_>>();
        let called: Vec<Member> = all.iter().filter(|m| m.is_called(wanted)).cloned().collect();
        let nearly = || all.iter().filter(|m| m.is_nearly_called(wanted)).cloned().collect();
        let mut found = match (exact.is_empty(), called.is_empty()) {
            (false, _) => exact,
            (true, false) => called,
            (true, true) => nearly(),
        };
        return match (found.len(), found.pop()) {
            (1, Some(member)) => Ok(member),
            _ => Err(which(shown, all.iter()).field(one_line(wanted)).into()),
        };
    }
    let fits = |member: &&Member| {
        let format = Format::of(Path::new(&member.name));
        let holds = matches!(need, GeometryNeed::None | GeometryNeed::Point);
        // The table of a shapefile is read with its shapes.
        let (stem, ending) = split(&member.name);
        let shapes = |other: &Member| {
            let (other, ending) = split(&other.name);
            other == stem && ending.eq_ignore_ascii_case("shp")
        };
        let of_shapes = ending.eq_ignore_ascii_case("dbf") && all.iter().any(shapes);
        let hidden = member.name.split('/').any(|part| part.starts_with('.') || part == "__MACOSX");
        !hidden && !of_shapes && format.is_some_and(|format| holds || !format.is_table())
    };
    let mut left: Vec<&Member> = all.iter().filter(fits).collect();
    if left.is_empty() {
        return Err(match all.iter().find(|member| is_archive(&member.name)) {
            Some(nested) => unreadable(shown, nested),
            None => which(shown, all.iter()).into(),
        });
    }
    // Archives of INEGI hold a dictionary and metadata beside the data; others a text about the file.
    narrow(&mut left, |member| in_data_folder(&member.name));
    narrow(&mut left, |member| !split(&member.name).1.eq_ignore_ascii_case("txt"));
    if spec.preset == Some(Preset::InegiRnc) {
        narrow(&mut left, |member| stem_of(&member.name).eq_ignore_ascii_case("red_vial"));
    }
    if let Some(layer) = &spec.layer {
        narrow(&mut left, |member| stem_of(&member.name).eq_ignore_ascii_case(layer));
    }
    match left.as_slice() {
        [one] => Ok((*one).clone()),
        _ => Err(which(shown, left.into_iter()).into()),
    }
}

/// Keeps those for which `better` holds, if there are any.
fn narrow(left: &mut Vec<&Member>, better: impl Fn(&Member) -> bool) {
    if left.iter().any(|member| better(member)) {
        left.retain(|member| better(member));
    }
}

/// Whether a member stands in the folder where INEGI keeps the data.
fn in_data_folder(name: &str) -> bool {
    let mut folders: Vec<&str> = name.split('/').collect();
    folders.pop();
    folders.iter().any(|folder| super::names::squeeze(folder).contains("conjuntodedatos"))
}

fn is_archive(name: &str) -> bool {
    ["zip", "7z", "rar", "gz", "tar", "tgz"].iter().any(|ending| split(name).1.eq_ignore_ascii_case(ending))
}

/// The fault for a member that is not read: an archive within, or another format.
fn unreadable(shown: &str, member: &Member) -> Error {
    let place = format!("{shown}/{}", member.name);
    if is_archive(&member.name) {
        return Fault::new(Rule::ArchiveNested, place).into();
    }
    Fault::new(Rule::FormatUnknown, place).with("allowed", super::guard::ENDINGS).into()
}

/// The fault that lists the members among which the study has to choose.
fn which<'a>(shown: &str, members: impl Iterator<Item = &'a Member>) -> Fault {
    let mut names: Vec<&str> = members.map(|member| member.name.as_str()).collect();
    names.sort_unstable();
    let more = names.len().saturating_sub(LISTED);
    names.truncate(LISTED);
    let mut allowed = names.join(", ");
    if more > 0 {
        allowed = format!("{allowed}, … (+{more})");
    }
    Fault::new(Rule::ArchiveMember, shown).with("allowed", allowed)
}

/// The name without its ending, and the ending.
fn split(name: &str) -> (&str, &str) {
    let file = name.rfind('/').map_or(0, |at| at + 1);
    match name.rfind('.') {
        Some(at) if at > file => (name.get(..at).unwrap_or(name), name.get(at + 1..).unwrap_or_default()),
        _ => (name, ""),
    }
}

/// The last part of the name without its ending.
fn stem_of(name: &str) -> &str {
    let stem = split(name).0;
    stem.rsplit('/').next().unwrap_or(stem)
}

/// The last part of the name as a file name that no system reads anything into.
fn plain_stem(name: &str) -> String {
    let stem = stem_of(name);
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '_' | '-' | ' ') { c } else { '_' };
    let stem: String = stem.chars().take(60).map(plain).collect();
    if stem.trim().is_empty() { "member".to_owned() } else { stem }
}
