//! What routes take, and what responses must not tell.

use std::fs;

use gateway_lab::curl::Response;
use serde_json::{Value, json};

use super::world::World;

const API: &str = r##"
openapi: 3.1.0
info: { title: Orders, version: "1" }
paths:
  /orders:
    get:
      parameters: [{ name: limit, in: query, schema: { type: integer, maximum: 100 } }]
    post:
      requestBody:
        required: true
        content:
          application/json: { schema: { $ref: "#/components/schemas/Order" } }
          application/x-www-form-urlencoded: { schema: { $ref: "#/components/schemas/Order" } }
          multipart/form-data:
            schema:
              type: object
              required: [qty, proof]
              properties:
                qty: { type: integer, maximum: 9 }
                proof: { type: string, format: binary, maxLength: 8 }
components:
  schemas:
    Order:
      type: object
      required: [qty]
      properties: { qty: { type: integer, maximum: 9 } }
"##;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const PARTS: &str = "multipart/form-data; boundary=B";

/// A form with a number and a file.
fn upload(qty: &str, proof: &str) -> String {
    format!(
        "--B\r\nContent-Disposition: form-data; name=\"qty\"\r\n\r\n{qty}\r\n\
         --B\r\nContent-Disposition: form-data; name=\"proof\"; filename=\"a.txt\"\r\n\
         Content-Type: text/plain\r\n\r\n{proof}\r\n--B--\r\n"
    )
}

fn validating(mode: &str) -> Value {
    json!({
        "routes": [{
            "require": "none", "upstream": "app",
            "validate": {
                "openapi": {"file": "api.yaml", "unknown_parameters": "refuse"},
                "unknown_fields": "refuse", "mode": mode,
            },
        }],
    })
}

/// The access log's line for an answer.
fn line(world: &World, response: &Response) -> Value {
    let id = response.header("x-request-id").unwrap();
    world.agent.access_log_of(id).unwrap()
}

#[test]
fn requests_are_held_against_an_openapi_document() {
    let mut world = World::prepared("validation", &validating("enforce"));
    let api = world.agent.home().join("api.yaml");
    fs::write(&api, API).unwrap();
    world.agent.start().unwrap();

    let good = world.https("/orders").body(JSON, r#"{"qty": 3}"#);
    let orders = world.https("/orders");
    for good in [
        good.clone(),
        good.http1(),
        world.https("/orders?limit=5"),
        orders.clone().body(FORM, "qty=3"),
        orders.clone().body(PARTS, &upload("3", "12345678")),
    ] {
        let response = world.client(&good);
        assert_eq!(response.status, 200, "{}", response.text());
    }
    let sent = world.origin.requests();
    let bad = world
        .https("/orders")
        .body(JSON, r#"{"qty": 4711, "admin": true}"#);
    for bad in [bad.clone(), bad.clone().http1()] {
        let response = world.client(&bad);
        assert_eq!(response.status, 422, "{}", response.text());
        let problem = response.json().unwrap();
        assert_eq!(
            problem["errors"],
            json!([
                {"in": "body", "pointer": "#/admin", "detail": "is a field that is not known"},
                {"in": "body", "pointer": "#/qty", "detail": "must be at most 9"},
            ]),
            "{problem}"
        );
        assert!(!response.text().contains("4711"));
        let line = line(&world, &response);
        assert_eq!(line["refusal"], "schema-violated", "{line}");
        assert_eq!(line["errors"], problem["errors"], "{line}");
    }
    for (media, body, pointer, detail) in [
        (FORM, "qty=11".to_owned(), "#/qty", "must be at most 9"),
        (
            FORM,
            "qty=1&admin=1".to_owned(),
            "#/admin",
            "is a field that is not known",
        ),
        (
            FORM,
            "qty=1&qty=9".to_owned(),
            "#/qty",
            "is given several times",
        ),
        (PARTS, upload("x", ""), "#/qty", "must be an integer"),
        (
            PARTS,
            upload("1", "123456789"),
            "#/proof",
            "must have at most 8 characters",
        ),
    ] {
        let response = world.client(&orders.clone().body(media, &body));
        assert_eq!(response.status, 422, "{}", response.text());
        let told = json!([{"in": "body", "pointer": pointer, "detail": detail}]);
        assert_eq!(response.json().unwrap()["errors"], told);
    }
    for (request, status, code) in [
        (orders.clone().body(FORM, "qty=%zz"), 400, "form-refused"),
        (world.https("/orders?limit=101"), 400, "parameters-violated"),
        (world.https("/orders?debug=1"), 400, "parameters-violated"),
        (
            world
                .https("/orders")
                .body(JSON, r#"{"qty": 1, "qty": 99}"#),
            400,
            "json-refused",
        ),
        (
            world.https("/orders").body("text/plain", "qty=1"),
            415,
            "type-refused",
        ),
        (
            world.https("/orders").method("DELETE"),
            405,
            "operation-method",
        ),
        (world.https("/admin"), 404, "operation-unknown"),
    ] {
        let response = world.client(&request);
        let told = (response.status, response.json().unwrap()["code"].clone());
        assert_eq!(told, (status, json!(code)), "{}", response.text());
    }
    assert_eq!(world.origin.requests(), sent, "a refused request went on");

    // A document that cannot be used changes nothing, and is named.
    fs::write(&api, API.replace("type: integer", "type: int")).unwrap();
    let checked = world.agent.gateway(["check"]).unwrap();
    assert_eq!(checked.code, 1, "{checked:?}");
    let told = checked.out + &checked.err;
    assert!(
        told.contains("api.yaml#/") && told.contains("/type: "),
        "{told}"
    );
    assert!(world.agent.json(["reload"]).is_err());
    assert_eq!(world.client(&bad).status, 422);

    fs::write(&api, API).unwrap();
    world
        .agent
        .configure(&world.config(&validating("shadow")))
        .unwrap();
    world.agent.json(["reload"]).unwrap();
    let response = world.client(&bad);
    assert_eq!(response.status, 200, "{}", response.text());
    let line = line(&world, &response);
    assert_eq!(line["shadow"], "schema-violated", "{line}");
    assert_eq!(line["errors"][0]["pointer"], "#/admin", "{line}");
}

#[test]
fn responses_tell_no_secrets() {
    let over = json!({
        "waf": {"mode": "off"},
        "leaks": {"cards": "mask", "keys": "block"},
        "response_headers": {"content_security_policy": "default-src 'none'"},
    });
    let world = World::running("leaks", &over);
    // The origin answers with what it was sent.
    let card = world.https("/").header("X-Say", "4111 1111 1111 1111");
    for card in [card.clone(), card.http1()] {
        let response = world.client(&card);
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(
            response.json().unwrap()["headers"]["x-say"],
            json!(["**** **** **** 1111"])
        );
        assert_eq!(line(&world, &response)["leaks"], json!({"card": 1}));
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "SAMEORIGIN"),
            ("content-security-policy", "default-src 'none'"),
        ] {
            assert_eq!(response.header(name), Some(value), "{name}");
        }
    }
    let key = world.https("/").header("X-Say", "AKIAIOSFODNN7EXAMPLE");
    let response = world.client(&key);
    assert_eq!(response.status, 502, "{}", response.text());
    assert_eq!(response.json().unwrap()["code"], "response-leak");
    assert!(!response.text().contains("AKIA"));
    assert_eq!(line(&world, &response)["refusal"], "response-leak");
}
