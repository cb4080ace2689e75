//! Reading the files that a configuration names.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use crate::config::{
    CertificateFiles, Config, Feed, FeedSource, FilePath, Finding, Issuer, KeySource, LogTo,
    TlsSettings,
};
use crate::feeds;
use crate::identity::Verifier;
use crate::tls::{self, ServerTls, Standing, TlsFault};
use crate::validation::Contract;

/// Where findings go.
pub(super) struct Found<'a> {
    pub(super) faults: &'a mut Vec<Finding>,
    pub(super) warnings: &'a mut Vec<Finding>,
}

impl Found<'_> {
    fn fault(&mut self, file: &FilePath, message: String) {
        self.faults.push(Finding {
            location: file.location().clone(),
            message,
        });
    }

    fn warning(&mut self, file: &FilePath, message: String) {
        self.warnings.push(Finding {
            location: file.location().clone(),
            message,
        });
    }
}

/// Reads them all but the rules. Gives the moment at which the first certificate expires.
pub(super) fn read(config: &Config, now: SystemTime, mut found: Found<'_>) -> Option<SystemTime> {
    let settings = config.listeners.iter().filter_map(|l| l.tls.as_ref());
    let expiry = settings
        .flat_map(|settings| certificates(settings, now, &mut found))
        .min();
    for issuer in &config.identity.issuers {
        keys(issuer, &mut found);
    }
    for feed in &config.feeds {
        feed_files(feed, &mut found);
    }
    for route in config.access.routes() {
        if let Some(validation) = &route.target.validation
            && let Some(file) = &validation.file
            && let Err(fault) = Contract::load(&validation.terms)
        {
            found.fault(file, fault.to_string());
        }
    }
    for log in [&config.log.access, &config.waf.log] {
        if let LogTo::File(file) = log {
            log_folder(file, &mut found);
        }
    }
    expiry
}

/// The moments at which the certificates of a listener expire.
fn certificates(settings: &TlsSettings, now: SystemTime, found: &mut Found<'_>) -> Vec<SystemTime> {
    let mut expiries = Vec::new();
    for files in &settings.certificates {
        // Each by itself, so that a fault is told where the file is named.
        let alone = TlsSettings {
            certificates: vec![files.clone()],
            min_version: settings.min_version,
        };
        match ServerTls::load(&alone) {
            Ok(tls) => {
                for info in tls.certificates {
                    expiries.push(info.not_after);
                    let standing = info.standing(now);
                    if standing != Standing::Valid {
                        let path = files.cert.path().display();
                        let message = format!("the certificate in {path} {standing}");
                        found.warning(&files.cert, message);
                    }
                }
                warn_if_public(&files.key, found);
            }
            Err(faults) => {
                for fault in faults.0 {
                    found.fault(named(files, &fault), fault.to_string());
                }
            }
        }
    }
    expiries
}

/// Which of the two files a fault is about.
fn named<'a>(files: &'a CertificateFiles, fault: &TlsFault) -> &'a FilePath {
    if fault.path() == Some(files.key.path()) {
        &files.key
    } else {
        &files.cert
    }
}

fn keys(issuer: &Issuer, found: &mut Found<'_>) {
    match Verifier::new([issuer.settings()]) {
        Ok(_) => {
            if let KeySource::Secret(file) = &issuer.keys {
                warn_if_public(file, found);
            }
        }
        Err(fault) => found.fault(issuer.keys.file(), fault.to_string()),
    }
}

/// Reading and writing by everybody but the owner and the group.
const OTHERS: u32 = 0o006;

fn warn_if_public(file: &FilePath, found: &mut Found<'_>) {
    let mode = std::fs::metadata(file.path()).map(|m| m.mode());
    if mode.is_ok_and(|mode| mode & OTHERS != 0) {
        let path = file.path().display();
        let message = format!("{path} holds a secret, and everybody on this host has access to it");
        found.warning(file, message);
    }
}

/// Files that a feed cannot do without are faults; a feed that is not there yet may come.
fn feed_files(feed: &Feed, found: &mut Found<'_>) {
    match &feed.source {
        FeedSource::Url { ca: Some(ca), .. } => {
            if let Err(fault) = tls::authorities(ca.path()) {
                found.fault(ca, fault.to_string());
            }
        }
        FeedSource::Url { ca: None, .. } => {}
        FeedSource::File { file, .. } => {
            if let Err(error) = feeds::look_into(feed) {
                let message = format!("the feed {} cannot be taken: {error}", feed.name);
                found.warning(file, message);
            }
        }
        FeedSource::Country { database, .. } => {
            if let Err(error) = feeds::look_into(feed) {
                let path = database.path().display();
                let message = match error.contains(&path.to_string()) {
                    true => error,
                    false => format!("{path}: {error}"),
                };
                found.fault(database, message);
            }
        }
    }
}

fn log_folder(file: &FilePath, found: &mut Found<'_>) {
    let folder = file.path().parent().filter(|p| !p.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if !folder.is_dir() {
        found.fault(
            file,
            format!(
                "{} is no folder, expected one for the log",
                folder.display()
            ),
        );
    }
}
