//! Builds the eBPF objects and hands their paths to the crate.
//!
//! The eBPF crate is built by a cargo of its own, for its target wants a core library built
//! from source and link-time tools that the host build does not.

use std::{
    env,
    error::Error,
    path::{Path, PathBuf},
    process::Command,
};

const TARGET: &str = "bpfel-unknown-none";
const OBJECTS: [(&str, &str); 3] = [
    ("gateway-xdp", "GATEWAY_XDP_OBJECT"),
    ("bench-xdp", "GATEWAY_BENCH_OBJECT"),
    ("bench-flood", "GATEWAY_FLOOD_OBJECT"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let workspace = Path::new(&env::var("CARGO_MANIFEST_DIR")?)
        .parent()
        .ok_or("the agent's crate lies in no workspace")?
        .to_owned();
    for source in [
        "gateway-ebpf",
        "gateway-common/src",
        "gateway-common/Cargo.toml",
        "Cargo.lock",
    ] {
        println!(
            "cargo:rerun-if-changed={}",
            workspace.join(source).display()
        );
    }

    let target_dir = PathBuf::from(env::var("OUT_DIR")?).join("ebpf");
    build(&workspace, &target_dir)?;
    for (object, variable) in OBJECTS {
        let path = target_dir.join(TARGET).join("release").join(object);
        println!("cargo:rustc-env={variable}={}", path.display());
    }
    Ok(())
}

fn build(workspace: &Path, target_dir: &Path) -> Result<(), Box<dyn Error>> {
    let tools = workspace.join("target/tools/bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(std::iter::once(tools.clone()).chain(env::split_paths(&path)))?;
    if !env::split_paths(&path).any(|dir| dir.join("bpf-linker").is_file()) {
        return Err("bpf-linker is missing: run `cargo xtask setup` first".into());
    }
    let arch = env::var("CARGO_CFG_TARGET_ARCH")?;
    let flags = [
        format!("--cfg=bpf_target_arch=\"{arch}\""),
        "-Cdebuginfo=2".to_owned(),
        "-Clink-arg=--btf".to_owned(),
        "-Ctarget-cpu=v3".to_owned(),
        // Header fields stand wherever the headers before them end. Without this the compiler
        // reads each of them byte by byte; the hosts this is built for have unaligned loads, and
        // the verifier knows which they are.
        "-Ctarget-feature=+allows-misaligned-mem-access".to_owned(),
    ];
    let output = Command::new(env::var_os("CARGO").ok_or("CARGO is not set")?)
        .current_dir(workspace)
        .args([
            "build",
            "--locked",
            "--package",
            "gateway-ebpf",
            "--bins",
            "--release",
        ])
        .args(["--target", TARGET, "-Z", "build-std=core", "--target-dir"])
        .arg(target_dir)
        .env("PATH", path)
        // A stable compiler builds this target only with its unstable features on.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        // Set by clippy and its like for the host build.
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CLIPPY_ARGS")
        .output()?;
    if !output.status.success() {
        return Err(format!(
            "building the eBPF program failed:\n{}",
            String::from_utf8_lossy(&output.stderr)
        )
        .into());
    }
    Ok(())
}
