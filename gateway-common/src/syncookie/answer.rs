//! The SYN-ACK, laid over the SYN.

use super::opening::{IPV4, IPV6, Opening};
use crate::{
    Frame, Tables,
    packet::{ACK, SYN, TCP},
};

/// The window that is offered until the stack offers its own: twenty segments of an Ethernet, no
/// more than the stack takes by its defaults.
pub const WINDOW: u16 = 20 * 1460;

/// A TCP header with one option, the maximum segment size.
const SEGMENT: usize = 24;

/// The shortest frame of an Ethernet, without its checksum.
const SHORTEST: usize = 60;

/// What the IP header says of how far the answer may go (RFC 1700: the recommended default).
const HOP_LIMIT: u8 = 64;

const MAXIMUM_SEGMENT_SIZE: u8 = 2;

/// A frame that can be changed, and the stack's secret.
pub trait Answerable: Frame {
    /// The stack's cookie for the SYN with these headers; `None` when it makes none. Of the TCP
    /// header it has the ports, the sequence number and the maximum segment size.
    fn make4(&self, ip: &[u8; IPV4], tcp: &[u8; SEGMENT]) -> Option<u32>;

    /// The same for IPv6.
    fn make6(&self, ip: &[u8; IPV6], tcp: &[u8; SEGMENT]) -> Option<u32>;

    /// Makes the frame `length` bytes long; new bytes are zero. Says whether it could: if not,
    /// nothing has changed.
    fn resize(&mut self, length: usize) -> bool;

    /// Writes `bytes` at `offset`; says whether they lie within the frame.
    fn write<const N: usize>(&mut self, offset: usize, bytes: [u8; N]) -> bool;
}

/// Turns a SYN into the SYN-ACK that answers it with its [`cookie`]; says whether it did. If not,
/// the frame is still the SYN.
///
/// The answer carries a maximum segment size and no other option. Window scale and selective
/// acknowledgement would have to travel in a timestamp, which the stack shifts by a secret of its
/// own. VLAN tags stay as they are, and congestion notification is not agreed to.
///
/// The kernel's shell takes the steps one by one, for one stack does not hold them all.
#[inline(always)]
pub fn answer<F: Answerable, T: Tables>(frame: &mut F, tables: &T) -> bool {
    match cookie(frame) {
        Some(cookie) => answer4(frame, tables, cookie) || answer6(frame, tables, cookie),
        None => false,
    }
}

/// [`answer`] to a SYN over IPv4, and to no other.
#[inline(always)]
pub fn answer4<F: Answerable, T: Tables>(frame: &mut F, tables: &T, cookie: u32) -> bool {
    lay4(frame, tables, cookie).is_some()
}

/// [`answer`] to a SYN over IPv6, and to no other.
#[inline(always)]
pub fn answer6<F: Answerable, T: Tables>(frame: &mut F, tables: &T, cookie: u32) -> bool {
    lay6(frame, tables, cookie).is_some()
}

/// `None` when nothing was changed.
#[inline(always)]
fn lay4<F: Answerable, T: Tables>(frame: &mut F, tables: &T, cookie: u32) -> Option<()> {
    let opening = Opening::of(frame).filter(|opening| !opening.is_ipv6)?;
    let mss = announced(tables, &opening)?;
    let start = opening.start;
    let stations = frame.read::<12>(0)?;
    let ip = frame.read::<IPV4>(start)?;
    let syn = Syn::of(frame, &opening)?;
    let [.., s0, s1, s2, s3, d0, d1, d2, d3] = ip;
    let length = (IPV4 + SEGMENT) as u16;
    let [l0, l1] = length.to_be_bytes();
    // No fragments, so no identification is needed (RFC 6864, 4.1).
    let mut ip = [
        0x45, 0, l0, l1, 0, 0, 0x40, 0, HOP_LIMIT, TCP, 0, 0, d0, d1, d2, d3, s0, s1, s2, s3,
    ];
    let [c0, c1] = checksum(sum(&ip));
    let [.., sum0, sum1, _, _, _, _, _, _, _, _] = &mut ip;
    (*sum0, *sum1) = (c0, c1);
    let addresses = sum(&[s0, s1, s2, s3, d0, d1, d2, d3]);
    let segment = syn.answer(cookie, mss, addresses);
    turn(frame, stations, start + length as usize)?;
    written(frame.write(start, ip) && frame.write(start + IPV4, segment))
}

/// `None` when nothing was changed.
#[inline(always)]
fn lay6<F: Answerable, T: Tables>(frame: &mut F, tables: &T, cookie: u32) -> Option<()> {
    let opening = Opening::of(frame).filter(|opening| opening.is_ipv6)?;
    let mss = announced(tables, &opening)?;
    let start = opening.start;
    let stations = frame.read::<12>(0)?;
    let syn = Syn::of(frame, &opening)?;
    let source = frame.read::<16>(start + 8)?;
    let destination = frame.read::<16>(start + 24)?;
    let segment = syn.answer(cookie, mss, sum(&source) + sum(&destination));
    turn(frame, stations, start + IPV6 + SEGMENT)?;
    let fixed = [0x60, 0, 0, 0, 0, SEGMENT as u8, TCP, HOP_LIMIT];
    written(
        frame.write(start, fixed)
            && frame.write(start + 8, destination)
            && frame.write(start + 24, source)
            && frame.write(start + IPV6, segment),
    )
}

/// The stack's cookie for the SYN in `frame`; `None` when that cannot be answered, or the stack
/// makes none.
#[inline(always)]
pub fn cookie<F: Answerable + ?Sized>(frame: &F) -> Option<u32> {
    let opening = Opening::of(frame)?;
    let tcp = Syn::of(frame, &opening)?.canonical(opening.mss(frame));
    if opening.is_ipv6 {
        frame.make6(&frame.read::<IPV6>(opening.start)?, &tcp)
    } else {
        frame.make4(&frame.read::<IPV4>(opening.start)?, &tcp)
    }
}

/// The maximum segment size to announce; `None` where nothing listens.
#[inline(always)]
fn announced<T: Tables>(tables: &T, opening: &Opening) -> Option<u16> {
    match tables.listening(&opening.to) {
        0 => None,
        mss => Some(mss),
    }
}

/// Gives the frame the answer's length and swaps its stations. `None` when nothing was changed.
#[inline(always)]
fn turn<F: Answerable>(frame: &mut F, stations: [u8; 12], end: usize) -> Option<()> {
    let length = if end < SHORTEST { SHORTEST } else { end };
    if !frame.resize(length) {
        return None;
    }
    let [t0, t1, t2, t3, t4, t5, f0, f1, f2, f3, f4, f5] = stations;
    let swapped = [f0, f1, f2, f3, f4, f5, t0, t1, t2, t3, t4, t5];
    // What is left of the SYN behind the answer.
    let blank = end >= SHORTEST || frame.write(SHORTEST - 2, [0; 2]);
    written(frame.write(0, swapped) && blank)
}

/// The frame has its length by now, and every write lies within it: there is no way back, nor is
/// one needed. The comparisons are for the verifier.
#[inline(always)]
const fn written(_: bool) -> Option<()> {
    Some(())
}

/// What of a SYN goes into its answer.
struct Syn {
    /// Source and destination port.
    ports: [u8; 4],
    sequence: [u8; 4],
}

impl Syn {
    #[inline(always)]
    fn of<F: Frame + ?Sized>(frame: &F, opening: &Opening) -> Option<Self> {
        Some(Self {
            ports: frame.read::<4>(opening.segment)?,
            sequence: frame.read::<4>(opening.segment + 4)?,
        })
    }

    /// A header of a known length that has all of the SYN that goes into a cookie, besides the
    /// addresses.
    #[inline(always)]
    fn canonical(&self, mss: u16) -> [u8; SEGMENT] {
        let [a, b, c, d] = self.ports;
        let [s0, s1, s2, s3] = self.sequence;
        let [m0, m1] = mss.to_be_bytes();
        let kind = MAXIMUM_SEGMENT_SIZE;
        [
            a, b, c, d, s0, s1, s2, s3, 0, 0, 0, 0, 0x60, SYN, 0, 0, 0, 0, 0, 0, kind, 4, m0, m1,
        ]
    }

    /// The segment that answers it. `addresses` is the sum over both addresses.
    #[inline(always)]
    fn answer(&self, cookie: u32, mss: u16, addresses: u32) -> [u8; SEGMENT] {
        let [a, b, c, d] = self.ports;
        let [s0, s1, s2, s3] = cookie.to_be_bytes();
        let next = u32::from_be_bytes(self.sequence).wrapping_add(1);
        let [a0, a1, a2, a3] = next.to_be_bytes();
        let [w0, w1] = WINDOW.to_be_bytes();
        let [m0, m1] = mss.to_be_bytes();
        let flags = SYN | ACK;
        let kind = MAXIMUM_SEGMENT_SIZE;
        let mut segment = [
            c, d, a, b, s0, s1, s2, s3, a0, a1, a2, a3, 0x60, flags, w0, w1, 0, 0, 0, 0, kind, 4,
            m0, m1,
        ];
        // The pseudo-header has the protocol and the length besides the addresses.
        let pseudo = addresses + TCP as u32 + SEGMENT as u32;
        let [c0, c1] = checksum(pseudo + sum(&segment));
        let [.., sum0, sum1, _, _, _, _, _, _] = &mut segment;
        (*sum0, *sum1) = (c0, c1);
        segment
    }
}

/// Sum of the 16-bit words of `bytes`, of which there is an even number (RFC 1071).
#[inline(always)]
fn sum<const N: usize>(bytes: &[u8; N]) -> u32 {
    let (words, _) = bytes.as_chunks::<2>();
    let mut sum = 0;
    for word in words {
        sum += u16::from_be_bytes(*word) as u32;
    }
    sum
}

/// The Internet checksum of what has this sum.
#[inline(always)]
const fn checksum(sum: u32) -> [u8; 2] {
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    (!(folded as u16)).to_be_bytes()
}
