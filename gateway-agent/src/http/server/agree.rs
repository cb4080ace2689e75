//! The lenient reading of a head held against the strict one, for fuzzing.

use bytes::Bytes;

use super::strict::{guess, is_hopeless, judge};
use crate::http::head::RawHead;

/// As many fields as servers usually take.
const MAX_FIELDS: usize = 100;

/// Reads a head in both ways. Rules must not see another request than the upstream does, and the
/// beginning of a good head must not be given up.
///
/// # Errors
/// Where the readings part.
#[doc(hidden)]
pub fn readings_agree(head: &[u8]) -> Result<(), String> {
    let judged = judge(head, MAX_FIELDS);
    let lenient = RawHead::new(Bytes::copy_from_slice(head), judged.as_ref().err().cloned());
    // What is made of a refused head must come to an end, whatever it is.
    let _parts = lenient.parts();
    let _rest = guess(&lenient);
    if judged.is_err() {
        return Ok(());
    }
    for end in [1, head.len() / 2, head.len().saturating_sub(1)] {
        if is_hopeless(head.get(..end).unwrap_or_default(), MAX_FIELDS) {
            return Err(format!("given up after {end} bytes"));
        }
    }
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut strict = httparse::Request::new(&mut fields);
    if let Err(error) = strict.parse(head) {
        return Err(format!("accepted in spite of: {error}"));
    }
    let line = lenient.line();
    let protocol = line.protocol.last().copied();
    let same_line = Some(line.method) == strict.method.map(str::as_bytes)
        && Some(line.target) == strict.path.map(str::as_bytes)
        && protocol == strict.version.map(|version| version + b'0');
    if !same_line {
        return Err(format!("lines differ: {line:?}, {strict:?}"));
    }
    let mut seen = lenient.fields();
    for field in &*strict.headers {
        match seen.next() {
            Some(seen) if seen.name == field.name.as_bytes() && *seen.value == *field.value => {}
            other => return Err(format!("fields differ: {other:?}, {field:?}")),
        }
    }
    match seen.next() {
        None => Ok(()),
        Some(more) => Err(format!("one more field: {more:?}")),
    }
}
