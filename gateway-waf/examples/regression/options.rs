//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use gateway_waf::{Decoder, Decoders};

pub(crate) const USAGE: &str = "\
usage: regression --rules DIR --tests DIR [options]
  --rules DIR      the rule set: crs-setup.conf, else crs-setup.conf.example, and rules/*.conf
  --setup FILE     another crs-setup.conf
  --tests DIR      a file or a folder of tests in FTW's YAML
  --excused FILE   tests that may fail: a name, a tab and the reason on each line
  --only TEXT      the tests whose name holds this
  --prefilter on|off|both
                   both: run twice, and fail where the rules that matched differ
  --decode NAMES   look inside values: of base64, url, json and jwt, parted by commas
  --ids FILE       write each test's name and the rules that were logged
  --requests DIR   write each request as its client sends it
  --agent ADDRESS  send the requests to a gateway there, and say where its answer is not that of
                   the engine in this process; it detects only, and writes its log to --log
  --log FILE       its waf.log
  --origin ADDRESS where to answer what the gateway sends on
  --files DIR      write the rule files that it is to load, name them, and stop
  --verbose        print the log of tests that fail, and the excused ones";

/// Whether tests run with the prefilter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prefilter {
    On,
    Off,
    Both,
}

pub(crate) struct Options {
    pub(crate) rules: PathBuf,
    pub(crate) setup: Option<PathBuf>,
    pub(crate) tests: PathBuf,
    pub(crate) excused: Option<PathBuf>,
    pub(crate) only: Option<String>,
    pub(crate) prefilter: Prefilter,
    pub(crate) ids: Option<PathBuf>,
    pub(crate) requests: Option<PathBuf>,
    pub(crate) decode: Decoders,
    pub(crate) agent: Option<SocketAddr>,
    pub(crate) log: Option<PathBuf>,
    pub(crate) origin: Option<SocketAddr>,
    pub(crate) files: Option<PathBuf>,
    pub(crate) verbose: bool,
}

impl Options {
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut rules = None;
        let mut tests = None;
        let mut options = Self {
            rules: PathBuf::new(),
            setup: None,
            tests: PathBuf::new(),
            excused: None,
            only: None,
            prefilter: Prefilter::On,
            ids: None,
            requests: None,
            decode: Decoders::default(),
            agent: None,
            log: None,
            origin: None,
            files: None,
            verbose: false,
        };
        while let Some(word) = words.next() {
            if word == "--verbose" {
                options.verbose = true;
                continue;
            }
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--rules" => rules = Some(value()?.into()),
                "--setup" => options.setup = Some(value()?.into()),
                "--tests" => tests = Some(value()?.into()),
                "--excused" => options.excused = Some(value()?.into()),
                "--only" => options.only = Some(value()?),
                "--ids" => options.ids = Some(value()?.into()),
                "--requests" => options.requests = Some(value()?.into()),
                "--decode" => options.decode = decoders(&value()?)?,
                "--agent" => options.agent = Some(address(&value()?)?),
                "--log" => options.log = Some(value()?.into()),
                "--origin" => options.origin = Some(address(&value()?)?),
                "--files" => options.files = Some(value()?.into()),
                "--prefilter" => {
                    options.prefilter = match value()?.as_str() {
                        "on" => Prefilter::On,
                        "off" => Prefilter::Off,
                        "both" => Prefilter::Both,
                        other => {
                            return Err(format!(
                                "--prefilter takes on, off or both, found {other}"
                            ));
                        }
                    }
                }
                _ => return Err(format!("unknown option {word}")),
            }
        }
        options.rules = rules.ok_or("--rules is missing")?;
        options.tests = tests.ok_or("--tests is missing")?;
        Ok(options)
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("{text} is no address with a port"))
}

fn decoders(names: &str) -> Result<Decoders, String> {
    let known = |name| Decoder::ALL.into_iter().find(|d| d.name() == name);
    names
        .split(',')
        .map(|name| known(name).ok_or_else(|| format!("there is no decoder {name}")))
        .collect()
}
