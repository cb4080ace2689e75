//! Writes the archive format of an initramfs: `newc` (cpio(5), and the kernel's
//! `Documentation/driver-api/early-userspace/buffer-format.rst`).

use std::collections::BTreeSet;
use std::path::{Component, Path};

use anyhow::{Context, Result, bail};

/// File types and permissions as in `st_mode` (inode(7)).
const DIRECTORY: u32 = 0o040_755;
const FILE: u32 = 0o100_755;
const DEVICE: u32 = 0o020_600;

/// An archive under construction.
#[derive(Default)]
pub(super) struct Archive {
    bytes: Vec<u8>,
    entries: u32,
    directories: BTreeSet<String>,
}

impl Archive {
    /// Adds a directory and those above it, each once.
    ///
    /// # Errors
    ///
    /// When the path is not absolute, or no text.
    pub(super) fn directory(&mut self, path: &str) -> Result<()> {
        let mut sofar = String::new();
        for name in names(path)? {
            if !sofar.is_empty() {
                sofar.push('/');
            }
            sofar.push_str(name);
            if self.directories.insert(sofar.clone()) {
                self.entry(&sofar, DIRECTORY, (0, 0), &[])?;
            }
        }
        Ok(())
    }

    /// Adds a file that may be read and run, and the directories above it.
    ///
    /// # Errors
    ///
    /// Those of [`Archive::directory`], or when the file has 4 GiB or more.
    pub(super) fn file(&mut self, path: &str, content: &[u8]) -> Result<()> {
        let name = self.place(path)?;
        self.entry(&name, FILE, (0, 0), content)
    }

    /// Adds a character device, and the directories above it.
    ///
    /// # Errors
    ///
    /// Those of [`Archive::directory`].
    pub(super) fn device(&mut self, path: &str, major: u32, minor: u32) -> Result<()> {
        let name = self.place(path)?;
        self.entry(&name, DEVICE, (major, minor), &[])
    }

    /// Ends the archive.
    ///
    /// # Errors
    ///
    /// Never for a name as short as the last one's.
    pub(super) fn finish(mut self) -> Result<Vec<u8>> {
        self.entry("TRAILER!!!", 0, (0, 0), &[])?;
        Ok(self.bytes)
    }

    /// Makes the directories above a path and returns the path as the archive has it.
    fn place(&mut self, path: &str) -> Result<String> {
        if let Some((above, _)) = path.rsplit_once('/').filter(|(above, _)| !above.is_empty()) {
            self.directory(above)?;
        }
        Ok(names(path)?.join("/"))
    }

    fn entry(
        &mut self,
        name: &str,
        mode: u32,
        (major, minor): (u32, u32),
        content: &[u8],
    ) -> Result<()> {
        self.entries += 1;
        let size = u32::try_from(content.len()).with_context(|| format!("{name} is too large"))?;
        let name_size = u32::try_from(name.len() + 1)?;
        let inode = self.entries;
        let fields = [
            inode, mode, 0, 0, 1, 0, size, 0, 0, major, minor, name_size, 0,
        ];
        self.bytes.extend(b"070701");
        for field in fields {
            self.bytes.extend(format!("{field:08X}").bytes());
        }
        self.bytes.extend(name.bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend(content);
        self.pad();
        Ok(())
    }

    /// Headers and contents begin at multiples of four.
    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

fn names(path: &str) -> Result<Vec<&str>> {
    let mut parts = Path::new(path).components();
    if parts.next() != Some(Component::RootDir) {
        bail!("{path} is no absolute path");
    }
    let mut names = Vec::new();
    for part in parts {
        match part {
            Component::Normal(name) => names.push(name.to_str().context("a path that is no text")?),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                bail!("{path} is no plain path")
            }
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, mode, device, content.
    type Entry = (String, u32, (u32, u32), Vec<u8>);

    /// Reads an archive back.
    fn read(mut bytes: &[u8]) -> Vec<Entry> {
        let mut entries = Vec::new();
        loop {
            assert_eq!(&bytes[..6], b"070701");
            let field = |n: usize| {
                let text = std::str::from_utf8(&bytes[6 + n * 8..14 + n * 8]).unwrap();
                u32::from_str_radix(text, 16).unwrap()
            };
            let (mode, size, name_size) = (field(1), field(6) as usize, field(11) as usize);
            let device = (field(9), field(10));
            let start = (110 + name_size).next_multiple_of(4);
            assert_eq!(bytes[110 + name_size - 1], 0);
            let name = std::str::from_utf8(&bytes[110..110 + name_size - 1])
                .unwrap()
                .to_owned();
            let content = bytes[start..start + size].to_vec();
            bytes = &bytes[(start + size).next_multiple_of(4)..];
            if name == "TRAILER!!!" {
                assert!(bytes.is_empty());
                return entries;
            }
            entries.push((name, mode, device, content));
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let mut archive = Archive::default();
        archive.device("/dev/console", 5, 1).unwrap();
        archive.file("/lib/a/x.so", b"12345").unwrap();
        archive.file("/lib/a/y.so", b"").unwrap();
        archive.file("/init", b"run").unwrap();
        let wanted = [
            ("dev", DIRECTORY, (0, 0), &b""[..]),
            ("dev/console", DEVICE, (5, 1), b""),
            ("lib", DIRECTORY, (0, 0), b""),
            ("lib/a", DIRECTORY, (0, 0), b""),
            ("lib/a/x.so", FILE, (0, 0), b"12345"),
            ("lib/a/y.so", FILE, (0, 0), b""),
            ("init", FILE, (0, 0), b"run"),
        ]
        .map(|(name, mode, device, content)| (name.to_owned(), mode, device, content.to_vec()));
        assert_eq!(read(&archive.finish().unwrap()), wanted);
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        let mut archive = Archive::default();
        assert!(archive.file("relative", b"").is_err());
        assert!(archive.file("/a/../b", b"").is_err());
    }
}
