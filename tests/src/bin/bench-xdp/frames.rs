//! The frames that the programs are run on.

use std::net::Ipv4Addr;

/// A TCP SYN of the least Ethernet length from `source` to port 443 of a documentation address.
pub(crate) fn syn4(source: Ipv4Addr) -> Vec<u8> {
    let mut frame = vec![0; 12];
    frame.extend([0x08, 0x00]);
    frame.extend([0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0]);
    frame.extend(source.octets());
    frame.extend([192, 0, 2, 255]);
    frame.extend(SYN);
    frame.resize(60, 0);
    frame
}

/// The same over IPv6, from `2001:db8::HOST`.
pub(crate) fn syn6(host: u8) -> Vec<u8> {
    let mut frame = vec![0; 12];
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 20, 6, 64]);
    for last in [host, 0xff] {
        frame.extend([
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last,
        ]);
    }
    frame.extend(SYN);
    frame
}

const SYN: [u8; 20] = [
    0xc0, 0, 0x01, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0,
];
