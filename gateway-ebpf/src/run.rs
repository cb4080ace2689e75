//! From a frame to an action.

use aya_ebpf::{bindings::xdp_action, programs::XdpContext};
use gateway_common::{Action, Outcome, Verdict, abi::ABI_VERSION, decide};

use crate::{frame::XdpFrame, maps, record, tables::KernelTables};

/// Decides on the frame, counts it, and reports it when it is a drop due for sampling.
#[inline(always)]
pub fn run(ctx: &XdpContext) -> u32 {
    let frame = XdpFrame::new(ctx);
    let Some(settings) = maps::SETTINGS.get(0) else {
        return xdp_action::XDP_PASS;
    };
    let outcome = if settings.abi == ABI_VERSION {
        decide(&frame, &KernelTables { settings })
    } else {
        Outcome {
            verdict: Verdict::Unconfigured,
            rule: 0,
        }
    };
    record::record(&frame, outcome, settings.sample_interval);
    match outcome.verdict.action() {
        Action::Pass => xdp_action::XDP_PASS,
        Action::Drop => xdp_action::XDP_DROP,
    }
}
