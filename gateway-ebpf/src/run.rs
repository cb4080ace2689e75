//! From a frame to an action.

use aya_ebpf::{bindings::xdp_action, programs::XdpContext};
use gateway_common::{
    Action, Frame, Outcome, Verdict,
    abi::{ABI_VERSION, probe_answer},
    decide,
};

use crate::{
    frame::{self, XdpFrame, settled},
    maps, record, syncookie,
    tables::KernelTables,
};

const PASSED: Outcome = Outcome {
    verdict: Verdict::Pass,
    rule: 0,
};

/// Decides on the frame, answers it where that is the verdict, counts it, and reports it when it
/// is a drop due for sampling.
#[inline(always)]
pub fn run(ctx: &XdpContext) -> u32 {
    // A question, not a packet. It is answered in full, and leaves no trace in the counters or
    // the limiter. Settled at once, for the verifier forbids keeping half of a packet pointer
    // for later.
    let probe = settled(frame::is_probe(ctx) as u64) != 0;
    let frame = XdpFrame::new(ctx);
    let Some(settings) = maps::SETTINGS.get(0) else {
        return xdp_action::XDP_PASS;
    };
    let outcome = if settings.abi == ABI_VERSION {
        decide(&frame, &KernelTables { settings, probe })
    } else {
        Outcome {
            verdict: Verdict::Unconfigured,
            rule: 0,
        }
    };
    if probe {
        // SAFETY: the context of the running program.
        let rule = unsafe { record::gateway_name(ctx.ctx, outcome.rule) } as u32;
        frame.answer(rule);
        return probe_answer(outcome.verdict);
    }
    let length = frame.len();
    // What cannot be answered after all is the stack's, which makes cookies of its own. It counts
    // as that.
    let kept = outcome.verdict.action() == Action::Answer && !syncookie::answer(ctx);
    let outcome = if kept { PASSED } else { outcome };
    record::record(ctx, outcome, length, settings);
    match outcome.verdict.action() {
        Action::Pass => xdp_action::XDP_PASS,
        Action::Drop => xdp_action::XDP_DROP,
        Action::Answer => xdp_action::XDP_TX,
    }
}
