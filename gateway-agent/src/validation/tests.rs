//! Contracts without an API description.

use gateway_policy::access::NormalPath;
use http::header;

use super::*;

fn terms(schema: Option<&str>, types: &[&str]) -> (tempfile::TempDir, Terms) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schema.yaml");
    std::fs::write(&file, schema.unwrap_or_default()).unwrap();
    let terms = Terms {
        types: types.iter().map(|text| text.parse().unwrap()).collect(),
        described: schema.map(|_| Described::Schema(file)),
        unknown_fields: Unknown::Allow,
        unknown_parameters: Unknown::Allow,
        mode: Mode::Enforce,
    };
    (folder, terms)
}

fn ask(
    contract: &Contract,
    method: &Method,
    media: Option<&str>,
    body: &str,
) -> Result<(), Violation> {
    let mut fields = HeaderMap::new();
    if let Some(media) = media {
        fields.insert(header::CONTENT_TYPE, media.parse().unwrap());
    }
    let left = contract.head(&Asked {
        method,
        path: &NormalPath::parse("/x").unwrap(),
        query: "",
        fields: &fields,
        has_body: !body.is_empty(),
    })?;
    match left {
        Left::Nothing => Ok(()),
        Left::Body(rule) => rule.body(&fields, body.as_bytes()),
    }
}

#[test]
fn types_alone_are_held() {
    let contract = Contract::load(&terms(None, &["application/json", "image/*"]).1).unwrap();
    let accept = "application/json, image/*".to_owned();
    let ask = |media, body| ask(&contract, &Method::POST, media, body);
    assert_eq!(ask(Some("application/json"), "no json"), Ok(()));
    assert_eq!(ask(Some("image/png"), "x"), Ok(()));
    assert_eq!(ask(None, ""), Ok(()), "there is nothing to have a type");
    assert_eq!(
        ask(Some("text/plain"), "x"),
        Err(Violation::TypeRefused {
            accept: accept.clone()
        })
    );
    assert_eq!(
        ask(None, "x"),
        Err(Violation::TypeMissing {
            accept: accept.clone()
        })
    );
    assert_eq!(
        ask(Some("json"), "x"),
        Err(Violation::TypeMissing { accept })
    );
}

#[test]
fn a_schema_brings_its_types() {
    let (_folder, terms) = terms(Some("type: object\nrequired: [a]\n"), &[]);
    let contract = Contract::load(&terms).unwrap();
    let json = Some("application/json");
    assert_eq!(ask(&contract, &Method::POST, json, r#"{"a": 1}"#), Ok(()));
    assert_eq!(
        ask(
            &contract,
            &Method::POST,
            Some("application/ld+json"),
            r#"{"a": 1}"#
        ),
        Ok(())
    );
    assert!(matches!(
        ask(&contract, &Method::DELETE, json, "{}"),
        Err(Violation::Body(_))
    ));
    assert_eq!(ask(&contract, &Method::GET, None, ""), Ok(()));
    assert_eq!(
        ask(&contract, &Method::PUT, json, ""),
        Err(Violation::BodyMissing)
    );
    let form = Some("application/x-www-form-urlencoded");
    assert!(matches!(
        ask(&contract, &Method::POST, form, "a=1"),
        Err(Violation::TypeRefused { .. })
    ));
}

#[test]
fn a_schema_judges_whatever_type_the_route_takes() {
    let (_folder, terms) = terms(Some("type: object\n"), &["text/plain", "application/json"]);
    let contract = Contract::load(&terms).unwrap();
    let plain = ask(&contract, &Method::POST, Some("text/plain"), "[]");
    assert!(
        matches!(plain, Err(Violation::Body(_))),
        "the type is no way around it"
    );
}

#[test]
fn old_drafts_cannot_be_closed() {
    let (_folder, mut terms) = terms(
        Some("$schema: http://json-schema.org/draft-07/schema#\n"),
        &[],
    );
    assert!(Contract::load(&terms).is_ok());
    terms.unknown_fields = Unknown::Refuse;
    let fault = Contract::load(&terms).unwrap_err();
    assert_eq!(fault.pointer.as_deref(), Some("/$schema"));
}
