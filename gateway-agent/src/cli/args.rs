//! What may be typed.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use gateway_policy::grammar::{Period, Prefix};
use gateway_policy::import::{Column, Format, FormatError};

use super::trace::TraceArgs;
use crate::control::api::OrderName;
use crate::http::RequestId;
use crate::store::Origin;

/// Filters packets and requests for one host, and tells each filter what the other learns.
#[derive(Debug, Parser)]
#[command(
    name = "gateway",
    version,
    propagate_version = true,
    disable_help_subcommand = true
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// What every verb takes.
#[derive(Clone, Debug, Args)]
pub(super) struct Global {
    /// The configuration file; the paths below come from it
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        env = "GATEWAY_CONFIG",
        default_value = "/etc/gateway/gateway.yaml"
    )]
    pub(super) config: PathBuf,
    /// The folder of the pinned maps, instead of the configuration's
    #[arg(long, global = true, value_name = "DIR", env = "GATEWAY_PINS")]
    pub(super) pins: Option<PathBuf>,
    /// The agent's socket, instead of the configuration's
    #[arg(long, global = true, value_name = "FILE", env = "GATEWAY_SOCKET")]
    pub(super) socket: Option<PathBuf>,
    /// The database, instead of the configuration's
    #[arg(long, global = true, value_name = "FILE", env = "GATEWAY_STORE")]
    pub(super) store: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Run the agent until it is told to stop; the packet filter stays when it ends
    Run,
    /// Check the configuration and every file that it names
    Check(Shape),
    /// Show how things stand: agent, interfaces, lists, limits, upstreams
    Status(Shape),
    /// Show what the packet filter counted, straight from the kernel
    Stats(StatsArgs),
    /// Change or show the deny list
    #[command(subcommand)]
    Deny(DenyVerb),
    /// Change or show the safelist
    #[command(subcommand)]
    Allow(AllowVerb),
    /// Show or lift what the agent banned by itself
    #[command(subcommand)]
    Bans(BansVerb),
    /// Show, read or accept the lists that others keep
    #[command(subcommand)]
    Feeds(FeedsVerb),
    /// Say what becomes of packets from an address, or what the WAF found in a request, and why
    Explain(ExplainArgs),
    /// Ask why the rules of the WAF did what they did, and try others
    #[command(subcommand)]
    Waf(WafVerb),
    /// Show whether attack mode is on, or order it on or off
    Attack(AttackArgs),
    /// Keep what is on trial: the configuration, and imports
    Confirm(Shape),
    /// Say what would become of the packets of a capture, or of one that is described
    Trace(TraceArgs),
    /// Make the agent read its configuration anew
    Reload(ReloadArgs),
    /// Take the packet filter off its interfaces and remove its maps
    Detach(DetachArgs),
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Shape {
    /// Answer in JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReloadArgs {
    /// Take it back after this time unless `gateway confirm` is said
    #[arg(long, value_name = "PERIOD", value_parser = trial)]
    pub(super) confirm: Option<Period>,
    #[command(flatten)]
    pub(super) shape: Shape,
}

#[derive(Debug, Args)]
pub(super) struct StatsArgs {
    /// Show it again and again, with what came in between
    #[arg(
        long, value_name = "EVERY", num_args = 0..=1, require_equals = true,
        default_missing_value = "1s", value_parser = pause
    )]
    pub(super) watch: Option<Period>,
    /// Show the ten rules and blocks in force that have dropped most, too
    #[arg(long)]
    pub(super) top: bool,
    #[command(flatten)]
    pub(super) shape: Shape,
}

#[derive(Debug, Subcommand)]
pub(super) enum DenyVerb {
    /// Drop packets from these addresses
    Add(DenyAdd),
    /// Drop packets from every address in a file
    Import(DenyImport),
    /// Drop them no longer
    Del(DelArgs),
    /// Show who is denied
    List(ListArgs),
}

#[derive(Debug, Subcommand)]
pub(super) enum AllowVerb {
    /// Let packets from these addresses in, whatever they send; bans on them end
    Add(AddArgs),
    /// Let packets from every address in a file in
    Import(ImportArgs),
    /// Treat them like everybody else again
    Del(DelArgs),
    /// Show who is safe
    List(ListArgs),
}

#[derive(Debug, Args)]
pub(super) struct DenyAdd {
    #[command(flatten)]
    pub(super) add: AddArgs,
    /// Only count what would be dropped
    #[arg(long)]
    pub(super) shadow: bool,
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// Addresses or prefixes, such as 192.0.2.7 or 2001:db8::/32
    #[arg(required = true, value_name = "PREFIX")]
    pub(super) prefixes: Vec<Prefix>,
    /// For how long, such as 1h or 7d; for good when left out
    #[arg(long, value_name = "PERIOD", value_parser = ttl)]
    pub(super) ttl: Option<Period>,
    /// Why, for those who will ask
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) reason: String,
    /// Go ahead although it may lock somebody out
    #[arg(long)]
    pub(super) force: bool,
    #[command(flatten)]
    pub(super) shape: Shape,
}

#[derive(Debug, Args)]
pub(super) struct DenyImport {
    #[command(flatten)]
    pub(super) import: ImportArgs,
    /// Only count what would be dropped
    #[arg(long)]
    pub(super) shadow: bool,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// A file, or - for the standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// What it is: auto, plain, csv, json, ipset or nft
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = format)]
    pub(super) format: FormatArg,
    /// The column or field that holds the prefix, by name or by number from 1
    #[arg(long, value_name = "COLUMN", value_parser = |text: &str| Ok::<_, String>(Column::from(text)))]
    pub(super) column: Option<Column>,
    /// For how long, for entries that do not say so themselves; for good when left out
    #[arg(long, value_name = "PERIOD", value_parser = ttl)]
    pub(super) ttl: Option<Period>,
    /// Why, for those who will ask
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) reason: String,
    /// What these entries are called together; the file's name when left out
    #[arg(long, value_name = "TAG")]
    pub(super) tag: Option<String>,
    /// As --tag, and what has the tag and is not in the file goes
    #[arg(long, value_name = "TAG", conflicts_with = "tag")]
    pub(super) replace: Option<String>,
    /// Only tell what would change
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Take it back after this time unless `gateway confirm` is said
    #[arg(long, value_name = "PERIOD", value_parser = trial)]
    pub(super) confirm: Option<Period>,
    /// Go ahead although it may lock somebody out
    #[arg(long)]
    pub(super) force: bool,
    #[command(flatten)]
    pub(super) shape: Shape,
}

/// A format, or none: the content tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct FormatArg(pub(super) Option<Format>);

#[derive(Debug, Args)]
pub(super) struct DelArgs {
    /// Prefixes as they stand on the list
    #[arg(required = true, value_name = "PREFIX")]
    pub(super) prefixes: Vec<Prefix>,
    #[command(flatten)]
    pub(super) shape: Shape,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only entries of this origin: operator, feed, ban or config
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub(super) origin: Option<Origin>,
    #[command(flatten)]
    pub(super) shape: Shape,
}

#[derive(Debug, Subcommand)]
pub(super) enum BansVerb {
    /// Show who is banned, for what, and for how long
    List(Shape),
    /// End the bans of an address, or of every address in a prefix, and forget what they were for
    Lift(LiftArgs),
}

#[derive(Debug, Args)]
pub(super) struct LiftArgs {
    /// An address or prefix
    #[arg(value_name = "PREFIX")]
    pub(super) prefix: Prefix,
    #[command(flatten)]
    pub(super) shape: Shape,
}

#[derive(Debug, Subcommand)]
pub(super) enum FeedsVerb {
    /// Show every feed: its entries, when it was last read, what is wrong with it
    List(Shape),
    /// Read a feed now, and wait for what comes of it
    Refresh(FeedArgs),
    /// Take what a feed offers although it has lost most of its entries
    Accept(FeedArgs),
}

#[derive(Debug, Args)]
pub(super) struct FeedArgs {
    /// The feed's name in the configuration, or country:KP
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    #[command(flatten)]
    pub(super) shape: Shape,
}

#[derive(Debug, Args)]
pub(super) struct AttackArgs {
    /// The order; without one, how things stand is shown
    #[arg(value_name = "ORDER", value_enum)]
    pub(super) order: Option<OrderName>,
    #[command(flatten)]
    pub(super) shape: Shape,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// An address, or the id of a request (`X-Request-Id`)
    #[arg(value_name = "IP|REQUEST-ID", value_parser = subject)]
    pub(super) subject: Subject,
    #[command(flatten)]
    pub(super) shape: Shape,
}

/// What is to be explained.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject {
    Address(IpAddr),
    Request(RequestId),
}

#[derive(Debug, Subcommand)]
pub(super) enum WafVerb {
    /// Say which rules matched in a request, on what, and what every transformation made of it
    Explain(WafExplainArgs),
    /// Run kept requests, or those of a log, against other rules and tell what would change
    Replay(ReplayArgs),
    /// Propose exclusions for what looks like false alarms, as rules for `waf.conf_d`
    Suggest(SuggestArgs),
}

#[derive(Debug, Args)]
pub(super) struct WafExplainArgs {
    /// The id of a request, as in `X-Request-Id` and the logs
    #[arg(value_name = "REQUEST-ID", value_parser = request_id)]
    pub(super) request: RequestId,
    #[command(flatten)]
    pub(super) shape: Shape,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true)
    .args(["rules", "add", "paranoia"]))]
pub(super) struct ReplayArgs {
    /// Rule files in place of those of `waf.rules` and `waf.conf_d`: a file, a folder or a pattern
    #[arg(long, value_name = "PATH")]
    pub(super) rules: Vec<PathBuf>,
    /// Rule files besides, as if they stood in `waf.conf_d`
    #[arg(long, value_name = "PATH")]
    pub(super) add: Vec<PathBuf>,
    /// Another paranoia level of the Core Rule Set
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=4))]
    pub(super) paranoia: Option<u8>,
    /// Only kept requests of this time
    #[arg(long, value_name = "PERIOD", value_parser = ttl)]
    pub(super) since: Option<Period>,
    /// Requests of an HTTP archive, as browsers save them, instead of kept ones
    #[arg(long, value_name = "FILE", conflicts_with_all = ["since", "access_log"])]
    pub(super) har: Option<PathBuf>,
    /// Requests of an access log, the gateway's own or in the common or combined format, instead
    #[arg(long, value_name = "FILE", conflicts_with = "since")]
    pub(super) access_log: Option<PathBuf>,
    #[command(flatten)]
    pub(super) shape: Shape,
}

#[derive(Debug, Args)]
pub(super) struct SuggestArgs {
    /// Only requests of this time
    #[arg(long, value_name = "PERIOD", value_parser = ttl)]
    pub(super) since: Option<Period>,
    /// In how many requests a rule must have matched a field
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) min_requests: u64,
    /// Of how many holders of tokens, or networks, these must come
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(2..))]
    pub(super) min_clients: u64,
    /// Also count clients without a token, by their networks
    #[arg(long)]
    pub(super) anonymous: bool,
    #[command(flatten)]
    pub(super) shape: Shape,
}

#[derive(Debug, Args)]
pub(super) struct DetachArgs {
    /// Do not ask
    #[arg(long)]
    pub(super) yes: bool,
}

/// The shortest pause of `--watch`.
const MIN_PAUSE: Period = Period::from_millis(100);

fn pause(text: &str) -> Result<Period, String> {
    let pause: Period = text.parse().map_err(|e| format!("{e}"))?;
    if pause < MIN_PAUSE {
        return Err(format!(
            "{pause} is too short; the shortest pause is {MIN_PAUSE}"
        ));
    }
    Ok(pause)
}

fn ttl(text: &str) -> Result<Period, String> {
    let ttl: Period = text.parse().map_err(|e| format!("{e}"))?;
    if ttl.is_zero() {
        return Err("an entry cannot last 0s; leave --ttl out for one that stays".to_owned());
    }
    Ok(ttl)
}

fn trial(text: &str) -> Result<Period, String> {
    let trial: Period = text.parse().map_err(|e| format!("{e}"))?;
    match trial.is_zero() {
        true => Err("a trial cannot last 0s".to_owned()),
        false => Ok(trial),
    }
}

fn request_id(text: &str) -> Result<RequestId, String> {
    RequestId::parse(text.as_bytes())
        .ok_or_else(|| "a request id has 32 hexadecimal digits".to_owned())
}

fn subject(text: &str) -> Result<Subject, String> {
    match text.parse() {
        Ok(address) => Ok(Subject::Address(address)),
        Err(_) => request_id(text)
            .map(Subject::Request)
            .map_err(|error| format!("it is no IP address, and {error}")),
    }
}

fn format(name: &str) -> Result<FormatArg, FormatError> {
    match name {
        "auto" => Ok(FormatArg(None)),
        name => name.parse().map(|format| FormatArg(Some(format))),
    }
}

fn origin(name: &str) -> Result<Origin, String> {
    let found = Origin::ALL.iter().find(|origin| origin.name() == name);
    found
        .copied()
        .ok_or_else(|| "it is operator, feed, ban or config".to_owned())
}
