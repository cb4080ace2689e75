//! SYNs above the threshold: which are answered, and what the answer says, byte by byte.

use std::cell::Cell;

use aya::{
    Ebpf, EbpfLoader,
    programs::{TestRun, TestRunOptions, Xdp},
};
use gateway_agent::datapath::{DatapathError, XDP_OBJECT, makes_syn_cookies};
use gateway_common::{
    Frame,
    Verdict::{self, DeniedExact, Pass, RateLimited, Safelisted, SynCookie, WouldLimit},
    abi::maps,
    lists::{MODE_ENFORCE, MODE_SHADOW},
    settings::Limit,
    syncookie::{Answerable, Endpoint, WINDOW, answer},
    time::Nanos,
};
use gateway_tests::{
    kernel::{Kernel, Pinned},
    oracle::Memory,
    packet::{Ipv4, Ipv6, Packet, Tag, Transport, flags, protocol},
    setup::{Setup, allow, deny, zone},
};

const XDP_PASS: u32 = 2;
const XDP_TX: u32 = 3;

const FROM: [u8; 4] = [198, 51, 100, 7];
const HERE: [u8; 4] = [192, 0, 2, 1];
const FROM6: [u16; 8] = [0x2001, 0xdb8, 1, 0, 0, 0, 0, 7];
const HERE6: [u16; 8] = [0x2001, 0xdb8, 2, 0, 0, 0, 0, 1];

/// A threshold of so many at once, and the next in an hour: no run lasts as long.
fn at_once(count: u64) -> Limit {
    let hour = Nanos::from_secs(3_600);
    Limit::new(1, hour, Nanos(hour.0 * (count - 1)), MODE_ENFORCE)
}

fn v6(segments: [u16; 8]) -> [u8; 16] {
    std::net::Ipv6Addr::from(segments).octets()
}

/// A host that listens on port 443 of two addresses, and answers all but the first SYN to each.
fn setup() -> Setup {
    let listening = [
        (Endpoint::v4(HERE, 443), 1460),
        (Endpoint::v4([192, 0, 2, 2], 443), 1460),
        (Endpoint::v6(v6(HERE6), 443), 1440),
    ];
    Setup::default().cookies(at_once(1), &listening)
}

fn syn4(to: [u8; 4]) -> Packet {
    Ipv4::new(FROM, to, Transport::syn()).into()
}

fn syn6() -> Packet {
    Ipv6::new(FROM6, HERE6, Transport::syn()).into()
}

/// A TCP header of these flags to port 443, with options, and what follows it.
fn segment(flags: u8, options: &[u8], data: &[u8]) -> Transport {
    assert_eq!(options.len() % 4, 0);
    let words = 5 + options.len() as u8 / 4;
    let mut bytes = vec![0xc0, 1, 1, 0xbb, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    bytes.extend([words << 4, flags, 0xfa, 0xf0, 0, 0, 0, 0]);
    bytes.extend(options);
    bytes.extend(data);
    Transport::Other {
        protocol: protocol::TCP,
        bytes,
    }
}

/// What Linux sends: MSS, selective acknowledgement, timestamps, window scale.
const OPTIONS: [u8; 20] = [
    2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7,
];

/// Sends the frames one after the other, on the host and through the loaded program, which is
/// asked before each: asking charges nobody.
fn check(setup: &Setup, frames: &[(&str, Vec<u8>, Verdict)]) -> Result<(), DatapathError> {
    if !makes_syn_cookies() {
        println!("skipped: this kernel makes no SYN cookies for XDP");
        return Ok(());
    }
    let memory = Memory::with(setup, 7);
    let kernel = Kernel::with(setup)?;
    for (name, frame, expected) in frames {
        let host = memory.decide(frame).verdict;
        assert_eq!(host, *expected, "{name} on the host");
        for _ in 0..2 {
            let asked = kernel.probe(frame)?.verdict;
            assert_eq!(asked, *expected, "{name} when asked about");
        }
        let (action, moved) = kernel.run(frame, 1)?;
        let [moved] = &moved[..] else {
            panic!("{name} moved {moved:?}");
        };
        let counted = (moved.verdict, moved.packets, moved.bytes);
        assert_eq!(counted, (*expected, 1, frame.len() as u64), "{name}");
        assert_eq!(action == XDP_TX, *expected == SynCookie, "{name}: {action}");
    }
    Ok(())
}

#[test]
fn each_endpoint_has_an_account_of_its_own() -> Result<(), DatapathError> {
    let other = || syn4([192, 0, 2, 2]).bytes();
    check(
        &setup(),
        &[
            ("the first", syn4(HERE).bytes(), Pass),
            ("the second", syn4(HERE).bytes(), SynCookie),
            ("the first to another address", other(), Pass),
            ("the second to another address", other(), SynCookie),
            ("the first over IPv6", syn6().bytes(), Pass),
            ("the second over IPv6", syn6().bytes(), SynCookie),
            ("no SYN", segment_to_here(flags::ACK), Pass),
        ],
    )
}

fn segment_to_here(flags: u8) -> Vec<u8> {
    Packet::from(Ipv4::new(FROM, HERE, Transport::tcp(flags))).bytes()
}

#[test]
fn only_what_would_be_let_in_is_answered() -> Result<(), DatapathError> {
    let rate = Limit::new(1, Nanos::from_secs(3_600), Nanos::ZERO, MODE_ENFORCE);
    let from = |source: [u8; 4]| Packet::from(Ipv4::new(source, HERE, Transport::syn())).bytes();
    let (denied, safe, trusted) = ([203, 0, 113, 1], [203, 0, 113, 2], [203, 0, 113, 3]);
    let mut setup = setup().limits(&[rate]);
    setup.items = vec![
        deny("203.0.113.1", 1),
        allow("203.0.113.2", 2),
        zone("203.0.113.3", 1),
    ];
    check(
        &setup,
        &[
            ("the first", from(FROM), Pass),
            ("over its rate", from(FROM), RateLimited),
            ("another source", from([198, 51, 100, 8]), SynCookie),
            (
                "that one over its rate",
                from([198, 51, 100, 8]),
                RateLimited,
            ),
            ("a denied source", from(denied), DeniedExact),
            ("the safelist", from(safe), Safelisted),
            ("a trusted network", from(trusted), SynCookie),
        ],
    )
}

#[test]
fn in_shadow_mode_the_second_is_counted_and_passes() -> Result<(), DatapathError> {
    let mut setup = setup();
    setup.cookies.mode = MODE_SHADOW.into();
    check(
        &setup,
        &[
            ("the first", syn4(HERE).bytes(), Pass),
            ("the second", syn4(HERE).bytes(), WouldLimit),
        ],
    )
}

#[test]
fn what_cannot_be_answered_is_the_stacks() -> Result<(), DatapathError> {
    let to_port = |port| {
        let segment = Transport::Tcp {
            source: 1024,
            destination: port,
            header_words: 5,
            flags: flags::SYN,
        };
        Packet::from(Ipv4::new(FROM, HERE, segment)).bytes()
    };
    let mut frames = vec![
        ("the first", syn4(HERE).bytes(), Pass),
        ("the first over IPv6", syn6().bytes(), Pass),
        ("another port", to_port(80), Pass),
        ("another address", syn4([192, 0, 2, 3]).bytes(), Pass),
    ];
    let mut to_all = syn4(HERE).bytes();
    to_all[..6].fill(0xff);
    frames.push(("a broadcast", to_all, Pass));
    let mut from_group = syn4(HERE).bytes();
    from_group[6] |= 1;
    frames.push(("a group as the sender", from_group, Pass));
    let options = Ipv4::new(FROM, HERE, Transport::syn()).options(&[1, 1, 1, 0]);
    frames.push(("IPv4 options", Packet::from(options).bytes(), Pass));
    let fragment = Ipv4::new(FROM, HERE, Transport::syn()).fragment(0, true);
    frames.push(("a first fragment", Packet::from(fragment).bytes(), Pass));
    let cut = Ipv4::new(
        FROM,
        HERE,
        Transport::Tcp {
            source: 1,
            destination: 443,
            header_words: 8,
            flags: flags::SYN,
        },
    );
    frames.push(("options behind the end", Packet::from(cut).bytes(), Pass));
    // A mapped destination is no address of this host, whatever it maps to.
    let mapped = [0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201];
    let mapped = Ipv6::new(FROM6, mapped, Transport::syn());
    frames.push(("a mapped destination", Packet::from(mapped).bytes(), Pass));
    frames.push(("the second", syn4(HERE).bytes(), SynCookie));
    check(&setup(), &frames)
}

/// The program over pins of a test, with or without the helpers.
struct Program(Ebpf);

impl Program {
    fn load(pins: &Pinned, cookies: u32) -> Self {
        let mut loader = EbpfLoader::new();
        for name in maps::ALL {
            loader.map_pin_path(name, pins.map(name));
        }
        loader.override_global("SYN_COOKIES", &cookies, true);
        let mut ebpf = loader.load(XDP_OBJECT).unwrap();
        let program: &mut Xdp = ebpf.program_mut("gateway").unwrap().try_into().unwrap();
        program.load().unwrap();
        Self(ebpf)
    }

    /// Runs it on a frame; returns the action and the frame that it leaves.
    fn run(&self, frame: &[u8]) -> (u32, Vec<u8>) {
        let program: &Xdp = self.0.program("gateway").unwrap().try_into().unwrap();
        let mut out = vec![0; frame.len() + 256];
        let result = program
            .test_run(TestRunOptions {
                data_in: Some(frame),
                data_out: Some(&mut out),
                repeat: 1,
                ..TestRunOptions::default()
            })
            .unwrap();
        out.truncate(result.data_size_out as usize);
        (result.return_value, out)
    }
}

/// As a kernel before 6.0 has it: the program loads, and the stack gets every SYN.
#[test]
fn without_the_helpers_nothing_is_answered() -> Result<(), DatapathError> {
    let kernel = Kernel::with(&setup())?;
    let program = Program::load(kernel.pins(), 0);
    for _ in 0..3 {
        let frame = syn4(HERE).bytes();
        assert_eq!(program.run(&frame), (XDP_PASS, frame));
    }
    let (_, moved) = kernel.run(&segment_to_here(flags::ACK), 1)?;
    let counted: Vec<_> = moved.iter().map(|one| (one.verdict, one.packets)).collect();
    assert_eq!(counted, [(Pass, 4)]);
    Ok(())
}

/// A frame on the host, whose cookie is known.
struct Known {
    frame: Vec<u8>,
    cookie: u32,
    /// The maximum segment size that went into the cookie.
    mss: Cell<u16>,
}

impl Frame for Known {
    fn read<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.frame[..].read(offset)
    }

    fn len(&self) -> usize {
        self.frame.len()
    }
}

impl Answerable for Known {
    fn make4(&self, ip: &[u8; 20], tcp: &[u8; 24]) -> Option<u32> {
        assert_eq!(ip[12..20], [FROM, HERE].concat());
        assert_eq!(tcp[12], 0x60);
        self.mss.set(u16::from_be_bytes([tcp[22], tcp[23]]));
        Some(self.cookie)
    }

    fn make6(&self, ip: &[u8; 40], tcp: &[u8; 24]) -> Option<u32> {
        assert_eq!(ip[8..40], [v6(FROM6), v6(HERE6)].concat());
        self.mss.set(u16::from_be_bytes([tcp[22], tcp[23]]));
        Some(self.cookie)
    }

    fn resize(&mut self, length: usize) -> bool {
        self.frame.resize(length, 0);
        true
    }

    fn write<const N: usize>(&mut self, offset: usize, bytes: [u8; N]) -> bool {
        self.frame[offset..offset + N].copy_from_slice(&bytes);
        true
    }
}

/// The Internet checksum, as a receiver sums it up: 0 when it is right (RFC 1071).
fn checksum(pieces: &[&[u8]]) -> u16 {
    let words = pieces.concat();
    assert_eq!(words.len() % 2, 0);
    let mut sum: u32 = words
        .chunks(2)
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[test]
fn the_answer_is_the_same_on_the_host_and_right() -> Result<(), DatapathError> {
    if !makes_syn_cookies() {
        println!("skipped: this kernel makes no SYN cookies for XDP");
        return Ok(());
    }
    let bench = Bench::new()?;
    let tags = [Tag::SERVICE, Tag::CUSTOMER];
    let mut padded_out = OPTIONS.to_vec();
    padded_out.splice(0..4, [1, 1, 1, 1]);
    let late = [1, 1, 1, 2, 4, 0x05, 0x1e, 0];
    let broken = [2, 3, 5, 0xb4, 2, 0, 5, 0xb4];
    for (name, options, data, mss) in [
        ("no options", &[][..], &[][..], 0),
        ("Linux's options", &OPTIONS, &[], 1460),
        ("no maximum segment size", &padded_out, &[], 0),
        ("a late and small one", &late, &[], 1310),
        ("broken options", &broken, &[], 0),
        ("data", &OPTIONS, &[0x5a; 999], 1460),
    ] {
        for tags in [&tags[..0], &tags[1..], &tags[..]] {
            let segment = || segment(flags::SYN, options, data);
            let v4 = Packet::from(Ipv4::new(FROM, HERE, segment())).tagged(tags);
            let v6 = Packet::from(Ipv6::new(FROM6, HERE6, segment())).tagged(tags);
            for (family, packet) in [("IPv4", v4), ("IPv6", v6)] {
                let name = format!("{name}, {family}, {} tags", tags.len());
                let frame = packet.bytes();
                let padded = packet.padded(60).bytes();
                let answer = bench.answered(&name, &frame, mss);
                right(&name, &frame, &answer, 14 + 4 * tags.len());
                assert_eq!(bench.answered(&name, &padded, mss), answer, "{name}");
            }
        }
    }
    Ok(())
}

/// The program and the host, past the threshold of both addresses.
struct Bench {
    program: Program,
    memory: Memory,
    _kernel: Kernel,
}

impl Bench {
    fn new() -> Result<Self, DatapathError> {
        let kernel = Kernel::with(&setup())?;
        let program = Program::load(kernel.pins(), 1);
        for first in [syn4(HERE).bytes(), syn6().bytes()] {
            assert_eq!(program.run(&first), (XDP_PASS, first));
        }
        Ok(Self {
            program,
            memory: Memory::with(&setup(), 7),
            _kernel: kernel,
        })
    }

    /// The program's answer, which is the host's as well.
    fn answered(&self, name: &str, frame: &[u8], mss: u16) -> Vec<u8> {
        let (action, answered) = self.program.run(frame);
        assert_eq!(action, XDP_TX, "{name}");
        let segment = segment_of(&answered);
        let cookie = u32::from_be_bytes(answered[segment + 4..][..4].try_into().unwrap());
        let mut known = Known {
            frame: frame.to_vec(),
            cookie,
            mss: Cell::default(),
        };
        assert!(answer(&mut known, &self.memory), "{name}");
        assert_eq!(known.frame, answered, "{name}");
        assert_eq!(known.mss.get(), mss, "{name}");
        answered
    }
}

/// Where TCP begins in an answer.
fn segment_of(frame: &[u8]) -> usize {
    let mut at = 12;
    while matches!(frame[at..at + 2], [0x81, 0] | [0x88, 0xa8]) {
        at += 4;
    }
    at + if frame[at] == 0x86 { 42 } else { 22 }
}

/// Checks an answer against the SYN by what the RFCs say.
fn right(name: &str, syn: &[u8], answer: &[u8], start: usize) {
    assert_eq!(answer[..6], syn[6..12], "{name}");
    assert_eq!(answer[6..12], syn[..6], "{name}");
    assert_eq!(answer[12..start], syn[12..start], "{name}");
    let is_ipv4 = answer[start] >> 4 == 4;
    let (segment, sizes) = if is_ipv4 {
        let ip = &answer[start..start + 20];
        assert_eq!(checksum(&[ip]), 0, "{name}");
        assert_eq!(ip[..10], [0x45, 0, 0, 44, 0, 0, 0x40, 0, 64, 6], "{name}");
        assert_eq!(ip[12..20], [HERE, FROM].concat(), "{name}");
        (start + 20, [44, 1460])
    } else {
        let ip = &answer[start..start + 40];
        assert_eq!(ip[..8], [0x60, 0, 0, 0, 0, 24, 6, 64], "{name}");
        assert_eq!(ip[8..40], [v6(HERE6), v6(FROM6)].concat(), "{name}");
        (start + 40, [64, 1440])
    };
    let end = start + sizes[0];
    assert_eq!(answer.len(), end.max(60), "{name}");
    assert!(answer[end..].iter().all(|byte| *byte == 0), "{name}");
    let addresses = if is_ipv4 {
        &answer[start + 12..segment]
    } else {
        &answer[start + 8..segment]
    };
    let tcp = &answer[segment..end];
    assert_eq!(checksum(&[addresses, &[0, 6, 0, 24], tcp]), 0, "{name}");
    // From port 443, acknowledging the SYN that had the last number there is.
    assert_eq!(tcp[..4], [1, 0xbb, 0xc0, 1], "{name}");
    assert_eq!(tcp[8..12], [0, 0, 0, 0], "{name}");
    assert_eq!(tcp[12..14], [0x60, flags::SYN | flags::ACK], "{name}");
    assert_eq!(tcp[14..16], WINDOW.to_be_bytes(), "{name}");
    assert_eq!(tcp[18..22], [0, 0, 2, 4], "{name}");
    assert_eq!(tcp[22..], (sizes[1] as u16).to_be_bytes(), "{name}");
}
