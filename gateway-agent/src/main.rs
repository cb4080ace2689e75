//! The `gateway` command.

use std::io::{BufWriter, stderr, stdout};
use std::process::ExitCode;

use gateway_agent::cli::{self, ThisHost};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let mut out = BufWriter::with_capacity(1 << 16, stdout().lock());
    cli::main(std::env::args_os(), &ThisHost, &mut out, &mut stderr()).into()
}
