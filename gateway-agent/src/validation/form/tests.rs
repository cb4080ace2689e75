//! Forms against schemas.

use gateway_policy::access::NormalPath;
use gateway_policy::bans::Mode;
use http::{HeaderMap, Method, header};

use super::*;
use crate::validation::{Asked, Contract, Described, Left, Terms, Unknown};

const FORM: &str = "application/x-www-form-urlencoded";
const PARTS: &str = "multipart/form-data; boundary=B";

fn load(name: &str, text: &str, change: impl FnOnce(&mut Terms)) -> Result<Contract, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    let described = match name {
        "api.yaml" => Described::OpenApi {
            file,
            base: None,
            undocumented: Unknown::Refuse,
        },
        _ => Described::Schema(file),
    };
    let types = [FORM, "multipart/form-data", "application/json"];
    let mut terms = Terms {
        types: match described {
            Described::OpenApi { .. } => Vec::new(),
            Described::Schema(_) => types.iter().map(|name| name.parse().unwrap()).collect(),
        },
        described: Some(described),
        unknown_fields: Unknown::Allow,
        unknown_parameters: Unknown::Allow,
        mode: Mode::Enforce,
    };
    change(&mut terms);
    let away = format!("{}/", folder.path().display());
    Contract::load(&terms).map_err(|fault| fault.to_string().replace(&away, ""))
}

fn post(contract: &Contract, media: &str, body: &[u8]) -> Result<(), Violation> {
    let mut fields = HeaderMap::new();
    fields.insert(header::CONTENT_TYPE, media.parse().unwrap());
    let left = contract.head(&Asked {
        method: &Method::POST,
        path: &NormalPath::parse("/order").unwrap(),
        query: "",
        fields: &fields,
        has_body: !body.is_empty(),
    })?;
    match left {
        Left::Nothing => Ok(()),
        Left::Body(rule) => rule.body(&fields, body),
    }
}

/// What is wrong, each as the place and the rule.
fn wrong(contract: &Contract, media: &str, body: &[u8]) -> Vec<String> {
    match post(contract, media, body) {
        Ok(()) => Vec::new(),
        Err(Violation::Body(breaches)) => breaches
            .iter()
            .map(|b| format!("{} {}", b.pointer.as_deref().unwrap(), b.detail))
            .collect(),
        Err(other) => panic!("{other:?}: {}", String::from_utf8_lossy(body)),
    }
}

const ORDER: &str = r##"
$defs:
  size: { enum: [1, 2, 3] }
type: object
required: [qty]
properties:
  qty: { type: integer, minimum: 1, maximum: 9 }
  price: { type: number }
  gift: { type: boolean }
  note: { type: string, maxLength: 5 }
  size: { $ref: "#/$defs/size" }
  tags: { type: array, items: { type: integer }, maxItems: 2 }
  code: { anyOf: [{ type: integer, maximum: 9 }, { type: string, pattern: "^[0-9]{3}$" }] }
  when: { type: [string, "null"], format: date }
  address: { type: object, required: [zip], properties: { zip: { type: string } } }
  lines: { type: array, items: { type: object, required: [id] } }
"##;

#[test]
fn values_are_read_as_the_types_that_the_schema_names() {
    let order = load("s.yaml", ORDER, |_| {}).unwrap();
    for (body, expected) in [
        ("qty=3", vec![]),
        ("qty=3&price=1.5&gift=true&note=a+b%C3%A9&size=2", vec![]),
        ("qty=3&tags=1&tags=2", vec![]),
        ("qty=3&tags=1", vec![]),
        ("qty=3&when=null", vec![]),
        ("qty=3&when=2026-01-31", vec![]),
        ("qty=3&address=%7B%22zip%22%3A%221%22%7D", vec![]),
        (
            "qty=3&lines=%7B%22id%22%3A1%7D&lines=%7B%22id%22%3A2%7D",
            vec![],
        ),
        ("qty=3&other=x", vec![]),
        // Both readings of a number are tried.
        ("qty=3&code=7", vec![]),
        ("qty=3&code=123", vec![]),
        (
            "qty=3&code=12",
            vec!["#/code fits none of the allowed forms"],
        ),
        ("note=x", vec!["# needs the field qty"]),
        ("qty=10", vec!["#/qty must be at most 9"]),
        ("qty=3.5", vec!["#/qty must be an integer"]),
        ("qty=three", vec!["#/qty must be an integer"]),
        ("qty=+3", vec!["#/qty must be an integer"]),
        ("qty=", vec!["#/qty must be an integer"]),
        ("qty=3&gift=yes", vec!["#/gift must be true or false"]),
        (
            "qty=3&size=4",
            vec!["#/size must be one of the allowed values"],
        ),
        (
            "qty=3&note=toolong",
            vec!["#/note must have at most 5 characters"],
        ),
        ("qty=3&tags=1&tags=x", vec!["#/tags/1 must be an integer"]),
        (
            "qty=3&tags=1&tags=2&tags=3",
            vec!["#/tags must have at most 2 items"],
        ),
        ("qty=3&when=soon", vec!["#/when must be a valid date"]),
        ("qty=3&qty=4", vec!["#/qty is given several times"]),
        // Of this one the schema says nothing.
        ("qty=3&x=1&x=2", vec![]),
        (
            "qty=3&address=zip",
            vec!["#/address must be JSON that is read in one way"],
        ),
        (
            "qty=3&address=%7B%7D",
            vec!["#/address needs the field zip"],
        ),
        (
            "qty=3&address=%7B%22zip%22:%221%22,%22zip%22:%222%22%7D",
            vec!["#/address must be JSON that is read in one way"],
        ),
        (
            "qty=0&note=toolong&gift=1",
            vec![
                "#/gift must be true or false",
                "#/note must have at most 5 characters",
                "#/qty must be at least 1",
            ],
        ),
    ] {
        let mut found = wrong(&order, FORM, body.as_bytes());
        found.sort();
        assert_eq!(found, expected, "{body}");
    }
    assert_eq!(post(&order, "application/json", br#"{"qty": 3}"#), Ok(()));
    assert_eq!(
        wrong(&order, "application/json", br#"{"qty": "3"}"#),
        ["#/qty must be an integer"],
        "in JSON a text is no number"
    );
    assert_eq!(post(&order, FORM, b""), Err(Violation::BodyMissing));
}

#[test]
fn what_is_no_form_is_refused() {
    let order = load("s.yaml", ORDER, |_| {}).unwrap();
    let refused = |media: &str, body: &[u8]| match post(&order, media, body) {
        Err(Violation::Form(fault)) => fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(FORM, b"qty=%zz"), FormFault::Encoding);
    assert_eq!(refused(FORM, b"qty=%ff"), FormFault::Encoding);
    assert_eq!(refused(FORM, b"qty=\xff"), FormFault::Encoding);
    assert_eq!(refused(FORM, &b"a&".repeat(10_001)), FormFault::TooMany);
    assert!(matches!(refused(PARTS, b"qty=3"), FormFault::Multipart(_)));
    let part = |head: &str, content: &str| {
        format!("--B\r\nContent-Disposition: form-data; name={head}\r\n\r\n{content}\r\n--B--\r\n")
    };
    for (head, content) in [
        ("\"qty\"\r\nContent-Transfer-Encoding: base64", "Mw=="),
        ("\"qty\"\r\nContent-Type: text/plain; charset=utf-16", "3"),
        ("\"_charset_\"", "utf-7"),
    ] {
        let body = part(head, content);
        assert_eq!(
            refused(PARTS, body.as_bytes()),
            FormFault::PartEncoding,
            "{head}"
        );
    }
    let charset = "application/x-www-form-urlencoded; charset=utf-16";
    assert_eq!(post(&order, charset, b"qty=3"), Err(Violation::Charset));
}

#[test]
fn fields_that_no_schema_names_are_refused_where_that_is_said() {
    let closed = load("s.yaml", ORDER, |terms| {
        terms.unknown_fields = Unknown::Refuse
    })
    .unwrap();
    assert_eq!(wrong(&closed, FORM, b"qty=3&note=a"), [""; 0]);
    assert_eq!(
        wrong(&closed, FORM, b"qty=3&admin=1"),
        ["#/admin is a field that is not known"]
    );
    assert_eq!(
        wrong(&closed, FORM, b"qty=3&tags%5B%5D=1"),
        ["#/tags%5B%5D is a field that is not known"]
    );
    let typed = "type: object\nadditionalProperties: { type: integer }\n";
    let typed = load("s.yaml", typed, |_| {}).unwrap();
    assert_eq!(wrong(&typed, FORM, b"a=1&b=2"), [""; 0]);
    assert_eq!(wrong(&typed, FORM, b"a=1&b=x"), ["#/b must be an integer"]);
}

const UPLOAD: &str = r##"
openapi: 3.1.0
paths:
  /order:
    post:
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded:
            schema: { $ref: "#/components/schemas/Find" }
            encoding: { ids: { explode: false }, filter: { contentType: application/json } }
          multipart/form-data:
            schema:
              type: object
              required: [title, picture]
              properties:
                title: { type: string, maxLength: 10 }
                stars: { type: integer, maximum: 5 }
                picture: { type: string, contentMediaType: image/png, maxLength: 4 }
                extra: {}
                meta: { type: object, required: [a] }
                more: { type: array, items: { type: string, format: binary }, maxItems: 2 }
            encoding: { picture: { contentType: "image/png, image/jpeg" } }
components:
  schemas:
    Find:
      type: object
      properties:
        ids: { type: array, items: { type: integer }, maxItems: 3 }
        filter: { required: [a] }
"##;

/// A form of these parts: what stands behind `name=`, and the content.
fn parts(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (head, content) in parts {
        let head = format!("--B\r\nContent-Disposition: form-data; name={head}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--B--\r\n");
    body
}

#[test]
fn the_forms_of_an_operation_are_judged_by_its_document() {
    let api = load("api.yaml", UPLOAD, |_| {}).unwrap();
    for (body, expected) in [
        ("ids=1,2,3", vec![]),
        ("ids=", vec![]),
        ("ids=1,x", vec!["#/ids/1 must be an integer"]),
        ("ids=1,2,3,4", vec!["#/ids must have at most 3 items"]),
        ("ids=1&ids=2", vec!["#/ids is given several times"]),
        (
            "ids=1%2C2",
            vec!["#/ids must be a list with commas that are not encoded"],
        ),
        ("filter=%7B%22a%22:1%7D", vec![]),
        ("filter=%7B%7D", vec!["#/filter needs the field a"]),
    ] {
        assert_eq!(wrong(&api, FORM, body.as_bytes()), expected, "{body}");
    }
    let png = "\"picture\"; filename=\"a.png\"\r\nContent-Type: image/png";
    let title: (&str, &[u8]) = ("\"title\"", b"Sunset");
    let picture: (&str, &[u8]) = (png, b"\x89PN\xff");
    for (sent, expected) in [
        (vec![title, picture], vec![]),
        (vec![title, picture, ("\"stars\"", b"5")], vec![]),
        (
            vec![
                title,
                picture,
                ("\"extra\"", b"x"),
                ("\"meta\"", b"{\"a\": 1}"),
            ],
            vec![],
        ),
        (
            vec![
                title,
                picture,
                (
                    "\"meta\"; filename=\"blob\"\r\nContent-Type: application/json",
                    b"{}",
                ),
            ],
            vec!["#/meta needs the field a"],
        ),
        (vec![title], vec!["# needs the field picture"]),
        (
            vec![title, picture, ("\"stars\"", b"6")],
            vec!["#/stars must be at most 5"],
        ),
        (
            vec![title, (png, b"12345")],
            vec!["#/picture must have at most 4 characters"],
        ),
        (
            vec![title, ("\"picture\"\r\nContent-Type: image/png", b"1")],
            vec!["#/picture must be a file"],
        ),
        (
            vec![("\"title\"; filename=\"t\"", b"x"), picture],
            vec!["#/title must be no file"],
        ),
        (
            vec![
                title,
                (
                    "\"picture\"; filename=\"a.svg\"\r\nContent-Type: image/svg+xml",
                    b"1",
                ),
            ],
            vec!["#/picture must be of the type image/png or image/jpeg"],
        ),
        (
            vec![title, ("\"picture\"; filename=\"a.png\"", b"1")],
            vec!["#/picture must be of the type image/png or image/jpeg"],
        ),
        (
            vec![("\"title\"", b"\xff"), picture],
            vec!["#/title must be UTF-8"],
        ),
        (
            vec![
                title,
                picture,
                ("\"more\"; filename=\"1\"", b"\0"),
                ("\"more\"; filename=\"2\"", b""),
            ],
            vec![],
        ),
        (
            vec![title, picture, picture],
            vec!["#/picture is given several times"],
        ),
    ] {
        let body = parts(&sent);
        assert_eq!(
            wrong(&api, PARTS, &body),
            expected,
            "{}",
            String::from_utf8_lossy(&body)
        );
    }
}

#[test]
fn what_is_not_supported_in_a_form_is_a_fault() {
    let fault = |schema: &str, encoding: &str| {
        let text = format!(
            "openapi: 3.1.0\npaths: {{ /order: {{ post: {{ requestBody: {{ content: {{ \
             {FORM}: {{ schema: {schema}, encoding: {encoding} }} }} }} }} }} }}\n"
        );
        load("api.yaml", &text, |_| {}).unwrap_err()
    };
    let place =
        "api.yaml#/paths/~1order/post/requestBody/content/application~1x-www-form-urlencoded";
    for (schema, encoding, expected) in [
        (
            "{ patternProperties: { a: {} } }",
            "{}",
            "/schema/patternProperties: `patternProperties`",
        ),
        (
            "{ properties: { a: { type: [string, object] } } }",
            "{}",
            "/schema/properties/a: a field of a form is a list, an object or a value",
        ),
        (
            "{ properties: { a: { type: array } } }",
            "{ a: { style: deepObject } }",
            "/encoding/a/style: this is not supported here",
        ),
        (
            "{ properties: { a: {} } }",
            "{ a: { headers: {} } }",
            "/encoding/a/headers: this is not",
        ),
        (
            "{ properties: { a: {} } }",
            "{ b: {} }",
            "/encoding/b: the schema names no such field",
        ),
    ] {
        let said = fault(schema, encoding);
        assert!(said.starts_with(&format!("{place}{expected}")), "{said}");
    }
}

fn order() -> &'static Contract {
    static ORDERS: std::sync::OnceLock<Contract> = std::sync::OnceLock::new();
    ORDERS.get_or_init(|| load("s.yaml", ORDER, |_| {}).unwrap())
}

proptest::proptest! {
    /// Whatever comes gets an answer.
    #[test]
    fn any_bytes_are_judged(text in "[-a-z0-9=&%+,\r\n:;\" ]{0,60}", bytes: Vec<u8>) {
        let framed = format!("--B\r\nContent-Disposition: form-data; {text}\r\n--B--\r\n");
        for body in [text.as_bytes(), framed.as_bytes(), &bytes] {
            for media in [FORM, PARTS] {
                let _ = post(order(), media, body);
            }
        }
    }

    /// A text is judged in a form as it is in JSON.
    #[test]
    fn a_text_is_the_same_in_a_form_and_in_json(note: String) {
        let encoded: String = note.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let form = format!("qty=1&note={encoded}");
        let json = serde_json::json!({"qty": 1, "note": note}).to_string();
        proptest::prop_assert_eq!(
            wrong(order(), FORM, form.as_bytes()),
            wrong(order(), "application/json", json.as_bytes())
        );
    }
}
