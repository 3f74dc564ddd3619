//! What may be written on the command line. Texts stand in `locales/` and are put in by [`command`], so
//! that help is in the language that was asked for.

use std::path::PathBuf;

use clap::builder::Styles;
use clap::{Args, Command, CommandFactory, Parser, Subcommand, ValueEnum};

use super::messages::text;
use super::spatial::{WEIGHT_FORMS, WeightsArg};
use crate::disclosure::Tier;
use crate::layers::feature::Lang;

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "corredor", version, disable_help_subcommand = true)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Cmd,
    /// Options of every command.
    #[command(flatten)]
    pub shared: Shared,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Cmd {
    #[expect(missing_docs, reason = "texts stand in locales/")]
    Demo {
        #[arg(long, value_name = "DIR", default_value = "demo-out")]
        out: PathBuf,
        #[arg(long)]
        flatgeobuf: bool,
        #[command(flatten)]
        routing: RoutingArgs,
    },
    #[expect(missing_docs, reason = "texts stand in locales/")]
    Init {
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
    #[expect(missing_docs, reason = "texts stand in locales/")]
    Check {
        #[arg(value_name = "STUDY")]
        study: PathBuf,
    },
    #[expect(missing_docs, reason = "texts stand in locales/")]
    Inspect {
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[arg(long, value_name = "LAYER")]
        layer: Option<String>,
        #[arg(long, value_name = "MEMBER")]
        member: Option<String>,
    },
    /// Boxed: it has many more arguments than the others.
    Spatial(Box<SpatialArgs>),
    #[expect(missing_docs, reason = "texts stand in locales/")]
    Run {
        #[arg(value_name = "STUDY")]
        study: PathBuf,
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        #[arg(long, value_name = "STEP", value_delimiter = ',')]
        steps: Vec<Step>,
        #[arg(long, value_name = "NAME")]
        scenario: Option<String>,
        #[command(flatten)]
        outputs: OutputArgs,
        #[command(flatten)]
        routing: RoutingArgs,
    },
    #[expect(missing_docs, reason = "texts stand in locales/")]
    Verify {
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
    #[expect(missing_docs, reason = "texts stand in locales/")]
    Explain {
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        #[arg(value_name = "ID")]
        feature: String,
    },
    #[expect(missing_docs, reason = "texts stand in locales/")]
    Doctor,
    #[expect(missing_docs, reason = "texts stand in locales/")]
    Schema,
    #[expect(missing_docs, reason = "texts stand in locales/")]
    Completions {
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    #[expect(missing_docs, reason = "texts stand in locales/")]
    Man,
}

/// What is written beside the result folder's usual files. Nothing of it changes them, nor the id of the run.
#[derive(Debug, Clone, Default, Args)]
pub struct OutputArgs {
    /// The layers as `FlatGeobuf` too.
    #[arg(long)]
    pub flatgeobuf: bool,
    /// The database to write to as well.
    #[arg(long, value_name = "DSN")]
    pub postgis: Option<String>,
}

/// How paths are found. Nothing of it changes a result.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct RoutingArgs {
    /// What finds them.
    #[arg(long, value_name = "ROUTER", default_value = "cch")]
    pub router: RouterArg,
    /// Neither reads nor writes the cache.
    #[arg(long)]
    pub no_cache: bool,
}

/// What finds cheapest paths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum RouterArg {
    /// The customizable contraction hierarchy.
    #[default]
    Cch,
    /// The reference search.
    Dijkstra,
}

/// Arguments of `spatial`. Texts stand in `locales/`.
#[derive(Debug, Clone, Args)]
pub struct SpatialArgs {
    /// File with areas or points.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Field whose values are looked at; events where there is a population.
    #[arg(long, value_name = "FIELD")]
    pub value: String,
    /// Field with the population at risk.
    #[arg(long, value_name = "FIELD")]
    pub population: Option<String>,
    /// Field that identifies an area.
    #[arg(long, value_name = "FIELD")]
    pub id: Option<String>,
    /// Layer or sheet.
    #[arg(long, value_name = "LAYER")]
    pub layer: Option<String>,
    /// File within a zip archive.
    #[arg(long, value_name = "MEMBER")]
    pub member: Option<String>,
    /// Column of the longitude or x of a table.
    #[arg(long, value_name = "FIELD")]
    pub lon: Option<String>,
    /// Column of the latitude or y of a table.
    #[arg(long, value_name = "FIELD")]
    pub lat: Option<String>,
    /// CRS, where the file has none.
    #[arg(long, value_name = "CRS", conflicts_with = "planar")]
    pub crs: Option<String>,
    /// Coordinates of a plane, taken as they are.
    #[arg(long)]
    pub planar: bool,
    /// How neighbours are found.
    #[arg(long, value_name = "WEIGHTS", default_value = "queen")]
    pub weights: WeightsArg,
    /// Distance at which borders still touch, in the unit of the coordinates.
    #[arg(long, value_name = "DISTANCE", default_value_t = 0.0)]
    pub tolerance: f64,
    /// Weights of Moran's and Geary's statistics.
    #[arg(long, value_name = "TRANSFORM", default_value = "row")]
    pub transform: TransformArg,
    /// Permutations; 0 for normal p values, [`usual_permutations`](crate::incidence::spatial::usual_permutations) unless
    /// given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=99_999))]
    pub permutations: Option<u32>,
    /// Level of the false discovery rate.
    #[arg(long, value_name = "LEVEL", default_value_t = 0.05)]
    pub level: f64,
}

/// Weights of the rows on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TransformArg {
    /// Every weight is 1.
    Binary,
    /// The weights of a row add up to 1.
    Row,
}

impl TransformArg {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Row => "row",
        }
    }
}

/// A step of a run whose layers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Step {
    /// Municipalities.
    Incidence,
    /// Roads, corridors and crossings.
    Corridors,
    /// Posts.
    #[value(alias = "checkpoints")]
    Patrols,
    /// Workplaces.
    Worksites,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Shared {
    /// Seed instead of the study's.
    #[arg(long, global = true, value_name = "N")]
    pub seed: Option<u64>,
    /// Draws instead of the study's.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(10..=100_000))]
    pub draws: Option<u32>,
    /// Threads.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Language.
    #[arg(long, global = true, value_name = "LANG", default_value = "es")]
    pub lang: LangArg,
    /// Audience.
    #[arg(long, global = true, value_name = "AUDIENCE", default_value = "restricted")]
    pub audience: AudienceArg,
    /// Replace an earlier result.
    #[arg(long, global = true)]
    pub force: bool,
    /// Only errors.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Output for machines.
    #[arg(long, global = true)]
    pub json: bool,
}

/// [`Tier`] on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AudienceArg {
    /// Planners and inspectors.
    Restricted,
    /// Everyone.
    Public,
}

impl From<AudienceArg> for Tier {
    fn from(value: AudienceArg) -> Self {
        match value {
            AudienceArg::Restricted => Self::Restricted,
            AudienceArg::Public => Self::Public,
        }
    }
}

/// [`Lang`] on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LangArg {
    /// Spanish.
    Es,
    /// English.
    En,
}

impl From<LangArg> for Lang {
    fn from(value: LangArg) -> Self {
        match value {
            LangArg::Es => Self::Es,
            LangArg::En => Self::En,
        }
    }
}

/// The language that the words of a command line ask for, before they are parsed: help and usage errors
/// need it too.
#[must_use]
pub fn language_of(words: &[std::ffi::OsString]) -> Lang {
    let words: Vec<&str> = words.iter().filter_map(|w| w.to_str()).collect();
    let asked = words
        .windows(2)
        .filter(|pair| pair[0] == "--lang")
        .map(|pair| pair[1])
        .chain(words.iter().filter_map(|w| w.strip_prefix("--lang=")))
        .last();
    if asked == Some("en") { Lang::En } else { Lang::Es }
}

/// The clap command with its texts in `lang`.
#[must_use]
pub fn command(lang: Lang) -> Command {
    let mut command = Cli::command().about(text(lang, "cli.about")).styles(Styles::plain());
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let shared: Vec<clap::Arg> = command.get_arguments().filter(|a| a.is_global_set()).cloned().collect();
    for name in names {
        command = command.mut_subcommand(&name, |sub| {
            let about = text(lang, &format!("cli.cmd.{name}"));
            // Their place in a command's own list keeps clap from adding them as they are.
            let own = shared.iter().map(|arg| arg.clone().hide(!takes(&name, arg.get_id().as_str())));
            localised(sub.about(about).args(own), lang)
        });
    }
    let command = command.subcommand_value_name(text(lang, "cli.value.COMMAND"));
    localised(command, lang)
        .subcommand_help_heading(text(lang, "cli.commands"))
        .disable_version_flag(true)
        .arg(
            clap::Arg::new("version")
                .short('V')
                .long("version")
                .action(clap::ArgAction::Version)
                .help(text(lang, "cli.version"))
                .help_heading(text(lang, "cli.options")),
        )
}

/// Whether an option of [`Shared`] means something to a command.
fn takes(command: &str, option: &str) -> bool {
    match option {
        "seed" => ["demo", "check", "run", "spatial"].contains(&command),
        "draws" => ["demo", "check", "run"].contains(&command),
        "audience" => command == "run",
        "force" => ["demo", "init", "run"].contains(&command),
        _ => true,
    }
}

/// What to say of an option that was given to a command to which it means nothing.
#[must_use]
pub fn unused(matches: &clap::ArgMatches, lang: Lang) -> Option<String> {
    let (command, given) = matches.subcommand()?;
    let is_unused = |id: &&str| {
        !takes(command, id) && given.value_source(id) == Some(clap::parser::ValueSource::CommandLine)
    };
    let option = ["seed", "draws", "audience", "force"].into_iter().find(is_unused)?;
    let params = [("command", command.to_owned()), ("arg", format!("--{option}"))];
    let said = super::messages::fill(lang, "cli.error.not_here", &params);
    Some(format!("{said}\n{}", text(lang, "cli.error.more")))
}

fn localised(command: Command, lang: Lang) -> Command {
    let name = command.get_name().to_owned();
    let template = format!(
        "{{about-with-newline}}\n{} {{usage}}\n\n{{all-args}}{{after-help}}",
        text(lang, "cli.usage")
    );
    let command = command.mut_args(|arg| {
        let names: Vec<String> =
            arg.get_value_names().unwrap_or_default().iter().map(|name| placeholder(name, lang)).collect();
        if names.is_empty() { arg } else { arg.value_names(names) }
    });
    let usage = usage(&command, lang);
    command
        .disable_help_flag(true)
        .help_template(template)
        .override_usage(usage)
        .mut_args(|arg| {
            let own = format!("cli.arg_of.{name}.{}", arg.get_id());
            let help = match text(lang, &own) {
                help if help != own => help,
                _ => text(lang, &format!("cli.arg.{}", arg.get_id())),
            };
            let heading = if arg.is_positional() { "cli.arguments" } else { "cli.options" };
            arg.help(help)
                .help_heading(text(lang, heading))
                .hide_possible_values(true)
                .hide_default_value(true)
        })
        .arg(
            clap::Arg::new("help")
                .short('h')
                .long("help")
                .action(clap::ArgAction::Help)
                .help(text(lang, "cli.help"))
                .help_heading(text(lang, "cli.options")),
        )
}

/// What stands for a value in help, such as `DIR`, by its name in the code; that name where there is no text for it.
fn placeholder(name: &str, lang: Lang) -> String {
    let key = format!("cli.value.{name}");
    Some(text(lang, &key)).filter(|found| *found != key).unwrap_or_else(|| name.to_owned())
}

/// The line of usage, of which clap writes one word in English.
fn usage(command: &Command, lang: Lang) -> String {
    let shown = command.clone().render_usage().to_string();
    let line = shown.split_once(": ").map_or(shown.as_str(), |(_, line)| line).trim();
    let line = line.replace("[OPTIONS]", &format!("[{}]", text(lang, "cli.value.OPTIONS")));
    if command.get_name() == "corredor" { line } else { format!("corredor {line}") }
}

/// The manual page, in which some headings are clap's own.
///
/// # Errors
/// What writing to memory reports.
pub fn manual(lang: Lang) -> std::io::Result<String> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command(lang)).render(&mut page)?;
    let mut page = String::from_utf8_lossy(&page).into_owned();
    for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "VERSION"] {
        let own = text(lang, &format!("cli.man.{heading}"));
        page = page.replace(&format!("\n.SH {heading}\n"), &format!("\n.SH {own}\n"));
    }
    Ok(page)
}

/// Both ends of the range that a number is not in; clap tells them only in its own sentence.
fn range_of(error: &clap::Error) -> Option<[String; 2]> {
    let cause = std::error::Error::source(error)?.to_string();
    let (low, high) = cause.split_once(" is not in ")?.1.split_once("..=")?;
    Some([low.to_owned(), high.to_owned()])
}

/// The forms that a value may have, where they are few: the words of an enumeration, or what [`WeightsArg`] says.
fn forms_of(error: &clap::Error) -> Option<String> {
    match error.get(clap::error::ContextKind::ValidValue) {
        Some(clap::error::ContextValue::Strings(words)) if !words.is_empty() => Some(words.join(", ")),
        _ => std::error::Error::source(error).map(ToString::to_string).filter(|cause| cause == WEIGHT_FORMS),
    }
}

/// A usage error of clap in the user's language: what is wrong, the usage, where to look.
#[must_use]
pub fn usage_error(error: &clap::Error, lang: Lang) -> String {
    use clap::error::{ContextKind, ErrorKind};
    let context = |kind: ContextKind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let fill = |key: &str, pairs: &[(&str, String)]| super::messages::fill(lang, key, pairs);
    let arg = context(ContextKind::InvalidArg);
    let what = match error.kind() {
        ErrorKind::UnknownArgument => fill("cli.error.unknown_argument", &[("arg", arg)]),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let value = ("value", context(ContextKind::InvalidValue));
            if let Some([low, high]) = range_of(error) {
                fill("cli.error.out_of_range", &[("arg", arg), value, ("low", low), ("high", high)])
            } else {
                let said = fill("cli.error.invalid_value", &[("arg", arg), value]);
                match forms_of(error) {
                    Some(forms) => format!("{said}; {}", fill("cli.error.use_one", &[("forms", forms)])),
                    None => said,
                }
            }
        }
        ErrorKind::MissingRequiredArgument => fill("cli.error.missing", &[("arg", arg)]),
        ErrorKind::InvalidSubcommand => {
            fill("cli.error.unknown_command", &[("arg", context(ContextKind::InvalidSubcommand))])
        }
        // Such as an option that is given twice.
        _ if !arg.is_empty() => format!("{}: {arg}", text(lang, "cli.error.other")),
        _ => text(lang, "cli.error.other"),
    };
    format!("{what}\n{}", text(lang, "cli.error.more"))
}
