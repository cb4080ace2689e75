//! Configurations for the gateway under test.

use serde_json::{Value, json};

use super::ADMIN_PORT;
use crate::certificate::Certificate;
use crate::host::Host;
use crate::lab::Lab;
use crate::net::WAN;

/// A gateway named `name` on [`WAN`] in front of an origin on the upstream's port 9000: TLS on
/// port 443, plain HTTP on port 80, everything open. To be changed with [`merge`].
pub fn base(lab: &Lab, name: &str, certificate: &Certificate) -> Value {
    let home = lab.state().join(name);
    let pins = lab.pins().join(name);
    let target = format!("http://{}:9000", Host::Upstream.ip4());
    json!({
        "interfaces": [{"name": WAN, "mode": "auto"}],
        "listeners": [
            {"bind": "[::]:443", "tls": {"certificates": [
                {"cert": certificate.cert, "key": certificate.key},
            ]}},
            {"bind": "[::]:80", "plaintext": true},
        ],
        "admin": {"bind": format!("127.0.0.1:{ADMIN_PORT}")},
        "routes": [{"require": "none", "upstream": "app"}],
        "upstreams": {"app": {"targets": [target]}},
        "log": {"access": home.join("access.log")},
        "paths": {
            "pins": pins,
            "store": home.join("gateway.db"),
            "socket": home.join("gateway.sock"),
        },
    })
}

/// Lays `over` over `config`: maps are merged, everything else is replaced, null takes a key
/// away (RFC 7396).
#[must_use]
pub fn merge(mut config: Value, over: &Value) -> Value {
    lay(&mut config, over);
    config
}

fn lay(config: &mut Value, over: &Value) {
    let Value::Object(changes) = over else {
        *config = over.clone();
        return;
    };
    if !config.is_object() {
        *config = json!({});
    }
    let Value::Object(config) = config else {
        return;
    };
    for (key, change) in changes {
        if change.is_null() {
            config.remove(key);
        } else {
            lay(config.entry(key.as_str()).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_laid_over() {
        let config = json!({"a": {"b": 1, "c": [1, 2]}, "d": 4});
        let over = json!({"a": {"c": [3], "e": {"f": null, "g": 5}}, "d": null});
        assert_eq!(
            merge(config, &over),
            json!({"a": {"b": 1, "c": [3], "e": {"g": 5}}})
        );
    }
}
