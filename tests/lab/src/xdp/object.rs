//! The smallest ELF object that holds an XDP program: two instructions, no maps.

/// Bytes of the ELF header, and by chance of each section header as well.
const HEADER: usize = 64;

/// Builds a relocatable object whose section `xdp` returns `verdict` for every packet.
pub(super) fn constant_verdict(verdict: i32) -> Vec<u8> {
    // r0 = verdict; exit (RFC 9669).
    let mut program = vec![0xb7, 0, 0, 0];
    program.extend(verdict.to_le_bytes());
    program.extend([0x95, 0, 0, 0, 0, 0, 0, 0]);
    // Offsets into the names: 1 xdp, 5 license, 13 .symtab, 21 .strtab, 29 main.
    let names = b"\0xdp\0license\0.symtab\0.strtab\0main\0".to_vec();
    // The null symbol, then `main`: a global function of section 1.
    let mut symbols = vec![0; 24];
    symbols.extend(29_u32.to_le_bytes());
    symbols.extend([0x12, 0, 1, 0]);
    symbols.extend(0_u64.to_le_bytes());
    symbols.extend((program.len() as u64).to_le_bytes());

    // What stands between the ELF header and the table of section headers.
    let mut body = Vec::new();
    let mut headers = vec![vec![0; HEADER]];
    let sections = [
        Section {
            name: 1,
            kind: 1,
            flags: 6,
            link: 0,
            info: 0,
            entry: 0,
            bytes: program,
        },
        Section {
            name: 5,
            kind: 1,
            flags: 3,
            link: 0,
            info: 0,
            entry: 0,
            bytes: b"GPL\0".into(),
        },
        Section {
            name: 13,
            kind: 2,
            flags: 0,
            link: 4,
            info: 1,
            entry: 24,
            bytes: symbols,
        },
        Section {
            name: 21,
            kind: 3,
            flags: 0,
            link: 0,
            info: 0,
            entry: 0,
            bytes: names,
        },
    ];
    for section in sections {
        body.resize(body.len().next_multiple_of(8), 0);
        headers.push(section.header((HEADER + body.len()) as u64));
        body.extend(section.bytes);
    }
    body.resize(body.len().next_multiple_of(8), 0);
    let mut file = elf_header((HEADER + body.len()) as u64, headers.len() as u16);
    file.extend(body);
    file.extend(headers.into_iter().flatten());
    file
}

struct Section {
    name: u32,
    kind: u32,
    flags: u64,
    link: u32,
    info: u32,
    entry: u64,
    bytes: Vec<u8>,
}

impl Section {
    fn header(&self, at: u64) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(self.name.to_le_bytes());
        out.extend(self.kind.to_le_bytes());
        out.extend(self.flags.to_le_bytes());
        out.extend([0; 8]);
        out.extend(at.to_le_bytes());
        out.extend((self.bytes.len() as u64).to_le_bytes());
        out.extend(self.link.to_le_bytes());
        out.extend(self.info.to_le_bytes());
        out.extend(8_u64.to_le_bytes());
        out.extend(self.entry.to_le_bytes());
        out
    }
}

/// A 64-bit little-endian relocatable file for machine 247, BPF.
fn elf_header(table: u64, sections: u16) -> Vec<u8> {
    let mut out = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0];
    out.extend([0; 8]);
    for half in [1_u16, 247] {
        out.extend(half.to_le_bytes());
    }
    out.extend(1_u32.to_le_bytes());
    for long in [0, 0, table] {
        out.extend(long.to_le_bytes());
    }
    out.extend(0_u32.to_le_bytes());
    for half in [64, 0, 0, 64, sections, sections - 1] {
        out.extend(half.to_le_bytes());
    }
    out
}
