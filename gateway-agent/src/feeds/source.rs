//! Where feeds come from, and what is read in them.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use gateway_policy::import::{self, Entry, ImportError};
use tokio::task::spawn_blocking;

use super::country;
use super::fetch::{Fetch, Fetched, Validators, trusting};
use crate::config::{Feed, FeedForm, FeedList, FeedSource};
use crate::datapath::Datapath;
use crate::store::ListName;

/// What a source has.
pub(super) enum Content {
    /// What it had before.
    Unchanged,
    /// All of it.
    Whole {
        bytes: Vec<u8>,
        /// What to show the server the next time.
        validators: Validators,
    },
}

/// What is in a feed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) entries: Vec<Entry>,
    /// Bad lines that were passed over.
    pub(super) bad_lines: usize,
    /// The first of them, in words.
    pub(super) remarks: Vec<String>,
}

/// The list that a feed is for.
pub(super) const fn list_of(feed: &Feed) -> ListName {
    match feed.list {
        FeedList::Deny => ListName::Deny,
        FeedList::Allow => ListName::Allow,
    }
}

/// Where a feed comes from, in words and without secrets.
pub(super) fn words(feed: &Feed) -> String {
    match &feed.source {
        FeedSource::Url { url, .. } => url.to_string(),
        FeedSource::File { file, .. } => file.path().display().to_string(),
        FeedSource::Country { database, code, .. } => {
            format!("{code} in {}", database.path().display())
        }
    }
}

/// Reads a feed; a URL that says it has nothing new costs no more than to ask.
pub(super) async fn content(feed: &Feed, known: Validators) -> Result<Content, String> {
    let (path, most) = match &feed.source {
        FeedSource::Url {
            url,
            ca,
            timeout,
            form,
        } => {
            let tls = match url.is_secure() {
                true => {
                    let ca = ca.as_ref().map(|ca| ca.path().to_owned());
                    Some(
                        blocking(move || trusting(ca.as_deref()).map_err(|e| e.to_string()))
                            .await??,
                    )
                }
                false => None,
            };
            let fetch = Fetch {
                url: url.uri().clone(),
                tls,
                timeout: timeout.as_duration(),
                max_size: form.max_size.as_usize(),
                known,
            };
            return match fetch.run().await.map_err(|e| e.to_string())? {
                Fetched::Unchanged => Ok(Content::Unchanged),
                Fetched::New { body, validators } => Ok(Content::Whole {
                    bytes: body,
                    validators,
                }),
            };
        }
        FeedSource::File { file, form } => (file.path(), form.max_size.as_usize()),
        FeedSource::Country { database, .. } => (database.path(), country::MAX_DATABASE),
    };
    let path = path.to_owned();
    let bytes = blocking(move || file(&path, most)).await??;
    Ok(Content::Whole {
        bytes,
        validators: Validators::default(),
    })
}

/// Reads a feed that is a file, and says how many entries it has; 0 for one at a URL, which is not
/// asked.
///
/// # Errors
/// Why it could not be taken, in words.
pub fn look_into(feed: &Feed) -> Result<usize, String> {
    let (path, most) = match &feed.source {
        FeedSource::Url { .. } => return Ok(0),
        FeedSource::File { file, form } => (file.path(), form.max_size.as_usize()),
        FeedSource::Country { database, .. } => (database.path(), country::MAX_DATABASE),
    };
    let bytes = file(path, most)?;
    parsed(feed, &bytes).map(|parsed| parsed.entries.len())
}

/// What is in the bytes of a feed, by prefix, each prefix once.
pub(super) fn parsed(feed: &Feed, bytes: &[u8]) -> Result<Parsed, String> {
    let capacity = usize::try_from(Datapath::capacity(list_of(feed).list())).unwrap_or(usize::MAX);
    let parsed = match &feed.source {
        FeedSource::Url { form, .. } | FeedSource::File { form, .. } => {
            read(form, bytes, capacity)?
        }
        FeedSource::Country { code, .. } => Parsed {
            entries: country::networks(bytes, *code)?,
            ..Parsed::default()
        },
    };
    let most = usize::try_from(feed.max_entries).unwrap_or(usize::MAX);
    if parsed.entries.len() > most {
        return Err(format!(
            "it has {} entries; `max_entries` allows {most}",
            parsed.entries.len()
        ));
    }
    Ok(parsed)
}

fn read(form: &FeedForm, bytes: &[u8], capacity: usize) -> Result<Parsed, String> {
    let options = import::Options {
        format: form.format,
        column: form.column.clone(),
        capacity,
        bad_lines: usize::try_from(form.bad_lines).unwrap_or(usize::MAX),
    };
    match import::read(bytes, &options) {
        Ok(read) => Ok(Parsed {
            entries: read.entries,
            bad_lines: read.bad_lines,
            remarks: read.faults.iter().map(ToString::to_string).collect(),
        }),
        // Nobody is on it: that may be so, and if it was otherwise before, it is held back.
        Err(ImportError::Empty) => Ok(Parsed::default()),
        Err(error) => Err(error.to_string().replace('\n', "; ")),
    }
}

/// A file, up to so many bytes.
fn file(path: &Path, most: usize) -> Result<Vec<u8>, String> {
    let unreadable = |e: std::io::Error| format!("{} cannot be read: {e}", path.display());
    // One that is no plain file might never end, or never begin.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(format!("{} is no plain file", path.display()));
    }
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() > most {
        return Err(format!("{} has more than {most} bytes", path.display()));
    }
    Ok(bytes)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    spawn_blocking(work)
        .await
        .map_err(|_| "reading it came to no end".to_owned())
}
