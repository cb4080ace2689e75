//! Asking the loaded program what it would do, without a packet on any wire.

use std::net::IpAddr;

use aya::{
    Ebpf,
    programs::{TestRun, TestRunOptions, Xdp},
};
use aya_obj::programs::XdpAttachType;
use gateway_common::{
    Verdict,
    abi::{PROBE_MARK, probe_verdict},
    rule::without_blocks,
};

use super::{Datapath, error::DatapathError, object};

/// What is being done when a test run fails.
const RUNNING: &str = "running the data plane on a test packet";

/// The longest frame that the program can be asked about, in bytes: the longest IPv6 packet
/// without a jumbogram option, behind two VLAN tags. The kernel spreads what does not fit a page over several buffers, as
/// drivers do.
pub const LONGEST_FRAME: usize = 22 + 40 + 65_535;

/// What the loaded program says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The verdict.
    pub verdict: Verdict,
    /// The rule that decided; 0 when no single one did.
    pub rule: u32,
}

/// The loaded program, to be asked about many frames: the one on the first guarded interface,
/// or one loaded for the purpose when none is guarded.
pub struct Program(Loaded);

/// A program that is asked about one frame after another, over the same buffers.
pub struct Questions {
    program: Program,
    buffers: Buffers,
}

enum Loaded {
    /// On an interface.
    Attached(Box<Xdp>),
    /// Nowhere; it goes with this handle.
    Apart(Ebpf),
}

impl Datapath {
    /// Asks what would become of a TCP SYN from `source`. Nothing is sent, counted or charged.
    ///
    /// # Errors
    ///
    /// When no program can be loaded or run.
    pub fn probe(&self, source: IpAddr) -> Result<Probe, DatapathError> {
        self.probe_frame(&syn_from(source))
    }

    /// Asks what would become of a whole Ethernet frame.
    ///
    /// # Errors
    ///
    /// When no program can be loaded or run, or the frame is shorter than an Ethernet header,
    /// which the kernel runs no program on.
    pub fn probe_frame(&self, frame: &[u8]) -> Result<Probe, DatapathError> {
        self.program()?.probe(frame)
    }

    /// A handle on the loaded program.
    ///
    /// # Errors
    ///
    /// When no program can be opened or loaded.
    pub fn program(&self) -> Result<Program, DatapathError> {
        Ok(Program(match self.pins.interfaces().first() {
            Some(pin) => {
                let path = self.pins.interface(pin).join("program");
                let xdp = Xdp::from_pin(&path, XdpAttachType::Interface)
                    .map_err(DatapathError::kernel(format!("opening {}", path.display())))?;
                Loaded::Attached(Box::new(xdp))
            }
            None => Loaded::Apart(object::load(&self.pins, 0)?),
        }))
    }
}

impl Program {
    /// Asks what would become of a whole Ethernet frame. Nothing is counted or charged.
    ///
    /// # Errors
    ///
    /// When the kernel runs no program on it, for it is shorter than an Ethernet header, or it
    /// is longer than [`LONGEST_FRAME`].
    pub fn probe(&self, frame: &[u8]) -> Result<Probe, DatapathError> {
        ask(self.xdp()?, whole(frame)?, &mut Buffers::default())
    }

    /// Gets ready to be asked about many frames.
    #[must_use]
    pub fn questions(self) -> Questions {
        Questions {
            program: self,
            buffers: Buffers::default(),
        }
    }

    /// Runs the program on a frame as if it had come over a wire, `repeat` times: it counts,
    /// and it charges the source. Returns what the program returned the last time, an `XDP_`
    /// constant.
    ///
    /// # Errors
    ///
    /// As [`Program::probe`].
    pub fn run(&self, frame: &[u8], repeat: u32) -> Result<u32, DatapathError> {
        self.xdp()?
            .test_run(TestRunOptions {
                data_in: Some(whole(frame)?),
                repeat,
                ..TestRunOptions::default()
            })
            .map(|result| result.return_value)
            .map_err(DatapathError::kernel(RUNNING))
    }

    /// Instructions that the verifier walked through; `None` on kernels before 5.16.
    ///
    /// # Errors
    ///
    /// When the kernel tells nothing of the program.
    pub fn verified_instructions(&self) -> Result<Option<u32>, DatapathError> {
        let info = self
            .xdp()?
            .info()
            .map_err(DatapathError::kernel("reading about the program"))?;
        Ok(info.verified_instruction_count())
    }

    fn xdp(&self) -> Result<&Xdp, DatapathError> {
        match &self.0 {
            Loaded::Attached(xdp) => Ok(xdp),
            Loaded::Apart(ebpf) => object::loaded_program(ebpf),
        }
    }
}

impl Questions {
    /// As [`Program::probe`].
    ///
    /// # Errors
    ///
    /// As [`Program::probe`].
    pub fn ask(&mut self, frame: &[u8]) -> Result<Probe, DatapathError> {
        ask(self.program.xdp()?, whole(frame)?, &mut self.buffers)
    }
}

/// What goes to the kernel and what comes back, kept from one question to the next.
#[derive(Default)]
struct Buffers {
    input: Vec<u8>,
    output: Vec<u8>,
}

/// The frame, if the kernel will run the program on it.
fn whole(frame: &[u8]) -> Result<&[u8], DatapathError> {
    if frame.len() > LONGEST_FRAME {
        return Err(DatapathError::Kernel {
            what: RUNNING.into(),
            source: anyhow::anyhow!(
                "it has {} bytes, and the longest that can be asked about has {LONGEST_FRAME}",
                frame.len()
            ),
        });
    }
    Ok(frame)
}

/// Runs the program once on `frame`, marked as a probe.
fn ask(xdp: &Xdp, frame: &[u8], buffers: &mut Buffers) -> Result<Probe, DatapathError> {
    let Buffers { input, output } = buffers;
    input.clear();
    input.extend(PROBE_MARK);
    input.extend(frame);
    let room = input.len() + 256;
    if output.len() < room {
        output.resize(room, 0);
    }
    let context = context(input.len());
    let result = xdp
        .test_run(TestRunOptions {
            data_in: Some(input),
            data_out: Some(output),
            ctx_in: Some(&context),
            repeat: 1,
            ..TestRunOptions::default()
        })
        .map_err(DatapathError::kernel(RUNNING))?;
    // The kernel hands the metadata back in front of the frame.
    let answered = output
        .get(PROBE_MARK.len()..)
        .and_then(|frame| frame.first_chunk());
    let answer = probe_verdict(result.return_value).zip(answered);
    let (verdict, rule) = answer.ok_or_else(|| DatapathError::Kernel {
        what: RUNNING.into(),
        source: anyhow::anyhow!("it returned {:#x}, which is no answer", result.return_value),
    })?;
    Ok(Probe {
        verdict,
        rule: without_blocks(u32::from_ne_bytes(*rule)),
    })
}

/// A `struct xdp_md` that says where the data starts: behind the probe's mark.
fn context(input: usize) -> [u8; 24] {
    let end = u32::try_from(input).unwrap_or(u32::MAX);
    let start = u32::try_from(PROBE_MARK.len()).unwrap_or(u32::MAX);
    let mut context = [0; 24];
    for (field, value) in context.chunks_exact_mut(4).zip([start, end, 0, 0, 0, 0]) {
        field.copy_from_slice(&value.to_ne_bytes());
    }
    context
}

/// A TCP SYN to port 443 of a documentation address (RFC 5737, RFC 3849).
fn syn_from(source: IpAddr) -> Vec<u8> {
    let mut frame = vec![0; 12];
    match source.to_canonical() {
        IpAddr::V4(source) => {
            frame.extend([0x08, 0x00]);
            frame.extend([0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0]);
            frame.extend(source.octets());
            frame.extend([192, 0, 2, 255]);
        }
        IpAddr::V6(source) => {
            frame.extend([0x86, 0xdd]);
            frame.extend([0x60, 0, 0, 0, 0, 20, 6, 64]);
            frame.extend(source.octets());
            frame.extend([
                0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff,
            ]);
        }
    }
    frame.extend([
        0xc0, 0, 0x01, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0,
    ]);
    frame
}
