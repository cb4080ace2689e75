//! An attacker tries tokens that nobody issued.

use anyhow::{Result, ensure};
use gateway_lab::{Host, token};
use serde_json::Value;

use crate::demo::figures::Told;
use crate::demo::stage::Stage;

pub(super) fn play(stage: &mut Stage) -> Result<Told> {
    let good = stage.token("mallory", 600)?;
    let tokens = [
        (
            "bad_signature",
            token::with_broken_signature(&good),
            "token-bad-signature",
        ),
        ("expired", stage.token("mallory", -3600)?, "token-expired"),
        (
            "alg_none",
            token::unsigned(&stage.claims("mallory", 600)),
            "token-algorithm-not-allowed",
        ),
    ];
    let mut told = Told::new("");
    let mut codes = Vec::new();
    for (name, token, wanted) in &tokens {
        let request = stage
            .request(Host::Attacker.ip4().into(), "/api/items")
            .bearer(token);
        let response = request.run(stage.host(Host::Attacker))?;
        let status = response.status;
        ensure!(
            status == 401,
            "{name}: status {status} instead of 401: {}",
            response.text()
        );
        let challenge = response.header("www-authenticate").unwrap_or_default();
        ensure!(
            challenge.starts_with("Bearer "),
            "{name}: the challenge is {challenge:?}"
        );
        let body = response.json()?;
        let code = body.get("code").and_then(Value::as_str).unwrap_or_default();
        ensure!(
            code == *wanted,
            "{name}: the reason is {code:?}, not {wanted:?}"
        );
        codes.push(code.to_owned());
        told = told.with(name, status);
    }
    told.line = format!(
        "the attacker tries {} tokens and gets 401s: {}",
        tokens.len(),
        codes.join(", ")
    );
    Ok(told)
}
