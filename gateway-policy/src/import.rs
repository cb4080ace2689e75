//! Lists of prefixes in the forms in which others keep them, read into one.
//!
//! Nothing here trusts the file: its size, its lines and its entries are bounded, every reader
//! passes over it once, and a file is taken whole or not at all. What is wrong is told by line.

mod collect;
mod csv_rows;
mod element;
mod fault;
mod format;
mod ipset;
mod json;
mod nft;
mod nft_json;
mod nft_text;
mod plain;
#[cfg(test)]
mod tests;

pub use collect::{Entry, Imported};
pub use fault::{ImportError, LineFault, MAX_TOLD};
pub use format::{Column, Format, FormatError};

use collect::Collector;

/// Bytes of the longest file.
pub const MAX_FILE: usize = 256 << 20;
/// Bytes of the longest line, in the formats that have lines.
pub const MAX_LINE: usize = 64 << 10;

/// How to read a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The format; told from the content when absent.
    pub format: Option<Format>,
    /// Where in a CSV record or a JSON object the prefix stands; looked for when absent.
    pub column: Option<Column>,
    /// Entries per address family that the list holds.
    pub capacity: usize,
    /// Bad lines that are passed over; with one more nothing is taken.
    pub bad_lines: usize,
}

/// Reads a whole file.
///
/// # Errors
/// When it is too large, in no known form, or more of its lines are bad than may be; nothing of
/// it is kept then.
pub fn read(file: &[u8], options: &Options) -> Result<Imported, ImportError> {
    if file.len() > MAX_FILE {
        return Err(ImportError::TooLarge);
    }
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let format = options.format.unwrap_or_else(|| Format::of(file));
    let mut found = Collector::new(options.capacity, options.bad_lines);
    match format {
        Format::Plain => plain::read(file, &mut found)?,
        Format::Csv => csv_rows::read(file, options.column.as_ref(), &mut found)?,
        Format::Json => json::read(file, options.column.as_ref(), &mut found)?,
        Format::Ipset => ipset::read(file, &mut found)?,
        Format::Nft => nft::read(file, &mut found)?,
    }
    found.finish(format)
}

/// The lines of a file with their numbers, from 1; one that is too long is an error.
fn lines(file: &[u8]) -> impl Iterator<Item = Result<(u32, &[u8]), ImportError>> {
    (1..)
        .zip(file.split(|byte| *byte == b'\n'))
        .map(|(number, line)| {
            if line.len() > MAX_LINE {
                return Err(ImportError::LongLine { line: number });
            }
            Ok((number, line.trim_ascii()))
        })
}
