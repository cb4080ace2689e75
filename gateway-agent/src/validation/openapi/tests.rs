//! Requests against documents.

use gateway_policy::access::NormalPath;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, Method};

use super::super::{Asked, Contract, Described, Left, Terms, Unknown, Violation};
use gateway_policy::bans::Mode;

const PETS: &str = r##"
openapi: 3.1.0
info: { title: Pets, version: "1" }
servers: [{ url: "https://api.example/v1" }]
paths:
  /pets:
    get:
      parameters:
        - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 100 } }
        - { name: sort, in: query, schema: { enum: [name, age] } }
        - { name: tag, in: query, schema: { type: array, items: { type: string, maxLength: 5 }, maxItems: 2 } }
        - { name: ids, in: query, explode: false, schema: { type: array, items: { type: integer } } }
        - { name: filter, in: query, content: { application/json: { schema: { type: object, required: [a] } } } }
        - { name: X-Trace, in: header, required: true, schema: { type: string, format: uuid } }
        - { name: session, in: cookie, schema: { type: string, minLength: 3 } }
    post:
      requestBody:
        required: true
        content:
          application/json: { schema: { $ref: "#/components/schemas/Pet" } }
          image/*: {}
  /pets/mine: { get: {} }
  /pets/{id}:
    parameters: [{ $ref: "#/components/parameters/id" }]
    get: {}
    delete: {}
    put: { requestBody: { content: { application/json: {} } } }
components:
  parameters:
    id: { name: id, in: path, required: true, schema: { type: integer } }
  schemas:
    Pet:
      type: object
      required: [name]
      properties: { name: { type: string }, owner: { $ref: "#/components/schemas/Owner" } }
    Owner: { type: object, properties: { name: { type: string } } }
"##;

fn load(text: &str, change: impl FnOnce(&mut Terms)) -> Result<Contract, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("api.yaml");
    std::fs::write(&file, text).unwrap();
    let mut terms = Terms {
        types: Vec::new(),
        described: Some(Described::OpenApi {
            file,
            base: None,
            undocumented: Unknown::Refuse,
        }),
        unknown_fields: Unknown::Allow,
        unknown_parameters: Unknown::Allow,
        mode: Mode::Enforce,
    };
    change(&mut terms);
    let away = format!("{}/", folder.path().display());
    Contract::load(&terms).map_err(|fault| fault.to_string().replace(&away, ""))
}

fn pets() -> Contract {
    load(PETS, |_| {}).unwrap()
}

fn strict() -> Contract {
    load(PETS, |terms| {
        terms.unknown_fields = Unknown::Refuse;
        terms.unknown_parameters = Unknown::Refuse;
    })
    .unwrap()
}

const TRACE: (&str, &str) = ("x-trace", "67e55044-10b1-426f-9247-bb680e5fe0c8");

/// Judges `METHOD target`; an empty body is none.
fn ask(
    contract: &Contract,
    line: &str,
    fields: &[(&str, &str)],
    body: &str,
) -> Result<(), Violation> {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    let left = contract.head(&Asked {
        method: &method.parse::<Method>().unwrap(),
        path: &NormalPath::parse(path).unwrap(),
        query,
        fields: &headers,
        has_body: !body.is_empty(),
    })?;
    match left {
        Left::Nothing => Ok(()),
        Left::Body(rule) => rule.body(&headers, body.as_bytes()),
    }
}

/// What is wrong with a query of `GET /v1/pets`.
fn query(contract: &Contract, query: &str) -> Vec<String> {
    match ask(contract, &format!("GET /v1/pets?{query}"), &[TRACE], "") {
        Ok(()) => Vec::new(),
        Err(Violation::Parameters(breaches)) => breaches
            .iter()
            .map(|b| format!("{} {}", b.name.as_deref().unwrap(), b.detail))
            .collect(),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn queries_are_held_against_their_schemas() {
    let pets = pets();
    for good in [
        "",
        "limit=1",
        "limit=100",
        "sort=name",
        "tag=a&tag=b",
        "ids=1,2,3",
        "ids=",
        "other=x",
        "%6cimit=5",
        "filter=%7B%22a%22%3A1%7D",
        "tag=a%20b",
    ] {
        assert_eq!(query(&pets, good), [""; 0], "{good}");
    }
    for (bad, words) in [
        ("limit=0", "limit must be at least 1"),
        ("limit=1e1000", "limit must be an integer"),
        ("limit=+5", "limit must be an integer"),
        ("limit=05", "limit must be an integer"),
        ("limit=0x10", "limit must be an integer"),
        ("limit=99999999999999999999", "limit must be an integer"),
        ("limit=", "limit must be an integer"),
        ("limit", "limit must be an integer"),
        ("limit=5&limit=500", "limit is given several times"),
        ("limit=5&%6cimit=500", "limit is given several times"),
        ("limit=%zz", "limit is not encoded right"),
        ("sort=size", "sort must be one of the allowed values"),
        ("tag=abcdef", "tag must have at most 5 characters"),
        ("tag=a&tag=b&tag=c", "tag must have at most 2 items"),
        ("ids=1,x", "ids must be an integer"),
        ("ids=1%2C2", "ids is not encoded right"),
        ("filter=%7B%7D", "filter needs the field a"),
        (
            "filter=%7B%22a%22%3A1%2C%22a%22%3A2%7D",
            "filter must be JSON that is read in one way",
        ),
        ("%ff=1", " has a name that is not encoded right"),
    ] {
        assert_eq!(query(&pets, bad), [words], "{bad}");
    }
    assert_eq!(
        query(&strict(), "othe%72=x"),
        ["other is a parameter that is not known"]
    );
}

#[test]
fn header_fields_cookies_and_path_are_held_against_theirs() {
    let pets = pets();
    let wrong = |line: &str, fields: &[(&str, &str)]| match ask(&pets, line, fields, "") {
        Err(Violation::Parameters(breaches)) => breaches[0].detail.clone().into_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(wrong("GET /v1/pets", &[]), "is required");
    assert_eq!(
        wrong("GET /v1/pets", &[("x-trace", "7")]),
        "must be a valid uuid"
    );
    assert_eq!(
        wrong("GET /v1/pets", &[TRACE, TRACE]),
        "is given several times"
    );
    let cookie = ("cookie", "a=b; session=ab");
    assert_eq!(
        wrong("GET /v1/pets", &[TRACE, cookie]),
        "must have at least 3 characters"
    );
    assert_eq!(wrong("GET /v1/pets/x", &[]), "must be an integer");
    assert_eq!(ask(&pets, "GET /v1/pets/7", &[], ""), Ok(()));
    assert_eq!(
        ask(&pets, "GET /v1/pets/mine", &[], ""),
        Ok(()),
        "it has no parameter"
    );
}

#[test]
fn what_is_not_documented_is_refused_or_passes() {
    let pets = pets();
    assert_eq!(
        ask(&pets, "GET /v1/toys", &[], ""),
        Err(Violation::PathUnknown)
    );
    assert_eq!(
        ask(&pets, "GET /pets/7", &[], ""),
        Err(Violation::PathUnknown),
        "without its base"
    );
    let allow = vec!["DELETE", "GET", "HEAD", "PUT"];
    assert_eq!(
        ask(&pets, "PATCH /v1/pets/7", &[], ""),
        Err(Violation::MethodUnknown { allow })
    );
    assert_eq!(ask(&pets, "HEAD /v1/pets/7", &[], ""), Ok(()));
    let preflight = [
        ("origin", "https://a.example"),
        ("access-control-request-method", "PUT"),
    ];
    assert_eq!(ask(&pets, "OPTIONS /v1/pets/7", &preflight, ""), Ok(()));
    assert!(ask(&pets, "OPTIONS /v1/pets/7", &[], "").is_err());
    let open = load(PETS, |terms| {
        let Some(Described::OpenApi {
            undocumented, base, ..
        }) = &mut terms.described
        else {
            panic!()
        };
        *undocumented = Unknown::Allow;
        *base = Some("/".into());
    })
    .unwrap();
    assert_eq!(ask(&open, "GET /toys", &[], ""), Ok(()));
    assert_eq!(ask(&open, "PATCH /pets/7", &[], ""), Ok(()));
    assert!(
        ask(&open, "GET /pets/x", &[], "").is_err(),
        "under the base that was given"
    );
}

#[test]
fn bodies_are_held_against_their_media_type() {
    let json = [("content-type", "application/json")];
    let post = |fields: &[(&str, &str)], body: &str| ask(&pets(), "POST /v1/pets", fields, body);
    assert_eq!(post(&json, r#"{"name": "Rex", "age": 3}"#), Ok(()));
    assert_eq!(post(&[("content-type", "image/png")], "\u{1}PNG"), Ok(()));
    assert_eq!(post(&json, ""), Err(Violation::BodyMissing));
    let accept = "application/json, image/*".to_owned();
    assert_eq!(
        post(&[], "{}"),
        Err(Violation::TypeMissing {
            accept: accept.clone()
        })
    );
    let text = [("content-type", "text/plain")];
    assert_eq!(post(&text, "{}"), Err(Violation::TypeRefused { accept }));
    assert!(matches!(post(&json, "{}"), Err(Violation::Body(_))));
    assert!(matches!(post(&json, "{"), Err(Violation::Json(_))));
    let utf16 = [("content-type", "application/json; charset=utf-16")];
    assert_eq!(post(&utf16, "{}"), Err(Violation::Charset));

    let strict = strict();
    let unknown = ask(
        &strict,
        "POST /v1/pets",
        &json,
        r#"{"name": "a", "owner": {"admin": 1}}"#,
    );
    let Err(Violation::Body(breaches)) = unknown else {
        panic!()
    };
    assert_eq!(breaches[0].pointer.as_deref(), Some("#/owner/admin"));
    assert_eq!(
        ask(&strict, "DELETE /v1/pets/7", &json, "{}"),
        Err(Violation::BodyUnexpected)
    );
    assert_eq!(ask(&pets(), "DELETE /v1/pets/7", &json, "{}"), Ok(()));
    assert!(
        matches!(
            ask(&strict, "PUT /v1/pets/7", &json, r#"{"a": 1, "a": 2}"#),
            Err(Violation::Json(_))
        ),
        "without a schema it is JSON all the same"
    );
}

#[test]
fn what_is_not_supported_is_a_fault() {
    let parameter = |text: &str| {
        format!("openapi: 3.1.0\npaths: {{ /a: {{ get: {{ parameters: [{text}] }} }} }}\n")
    };
    for (text, words) in [
        (
            "openapi: 3.2.0\npaths: {}\n".into(),
            "api.yaml#/openapi: found OpenAPI \"3.2.0\", expected 3.1 or 3.0",
        ),
        (
            "swagger: '2.0'\n".into(),
            "api.yaml#: found no `openapi: 3.1.…`",
        ),
        ("openapi: 3.1.0\n".into(), "api.yaml#: there are no `paths`"),
        (
            "openapi: 3.1.0\npaths: { a: {} }\n".into(),
            "api.yaml#/paths/a: a path begins with /",
        ),
        (
            "openapi: 3.1.0\npaths: { '/{x}': { get: {} } }\n".into(),
            "api.yaml#/paths/~1{x}/get: the path has {x}",
        ),
        (
            "openapi: 3.1.0\npaths: { /a/: {}, /a: {} }\n".into(),
            "another path is for the same requests",
        ),
        (
            "openapi: 3.1.0\npaths: { /a: { $ref: other.yaml } }\n".into(),
            "is in another file",
        ),
        (
            "openapi: 3.1.0\npaths: { /a: { $ref: '#/paths/~1a' } }\n".into(),
            "references lead in a circle",
        ),
        (
            "openapi: 3.1.0\nservers: [{ url: 'https://{h}/{b}' }]\npaths: {}\n".into(),
            "api.yaml#/servers/0/url",
        ),
        (
            parameter("{ name: a, in: body }"),
            "parameters/0: expected `in:",
        ),
        (
            parameter("{ name: 'a b', in: header, schema: {} }"),
            "the name is none of a header field",
        ),
        (
            parameter("{ name: a, in: query }"),
            "expected either `schema` or `content`",
        ),
        (
            parameter("{ name: a, in: query, style: deepObject, schema: {} }"),
            "this style is not supported",
        ),
        (
            parameter("{ name: a, in: query, schema: { type: object } }"),
            "parameters that are objects",
        ),
        (
            parameter("{ name: a, in: query, schema: { type: array, items: { type: array } } }"),
            "lists of lists",
        ),
        (
            parameter("{ name: a, in: query, schema: { type: nothing } }"),
            "/paths/~1a/get/parameters/0/schema/type",
        ),
        (
            parameter("{ name: a, in: query, schema: {} }, { name: a, in: query, schema: {} }"),
            "described twice",
        ),
    ] {
        let fault = load(&text, |_| {}).unwrap_err();
        assert!(fault.contains(words), "{text}\n{fault}");
    }
}

const OLDER: &str = r##"
openapi: 3.0.3
paths:
  /pets:
    get:
      parameters:
        - { name: limit, in: query, schema: { type: integer, minimum: 0, exclusiveMinimum: true, example: 7 } }
        - { $ref: "#/components/parameters/schema" }
      responses: { "200": { content: { application/json: { schema: { const: 1 } } } } }
    post:
      requestBody:
        content:
          application/json:
            example: { schema: 7 }
            schema: { $ref: "#/components/schemas/Pet", nullable: true, maxProperties: 0 }
          application/x-www-form-urlencoded:
            schema: { type: object, properties: { age: { type: integer, maximum: 30, exclusiveMaximum: false } } }
components:
  parameters:
    schema: { name: tag, in: query, schema: { type: string, nullable: true, maxLength: 5 } }
  schemas:
    Pet:
      type: object
      required: [id, name]
      properties:
        id: { type: integer, readOnly: true }
        name: { type: string, nullable: true }
        example: { type: array, items: { type: number, maximum: 5, exclusiveMaximum: true } }
        sort: { type: string, nullable: false, enum: [a, b] }
      discriminator: { propertyName: name }
"##;

#[test]
fn documents_of_version_3_0_are_read_as_they_mean() {
    let older = load(OLDER, |_| {}).unwrap();
    for (line, holds) in [
        ("GET /pets?limit=1", true),
        ("GET /pets?limit=0", false),
        ("GET /pets?tag=null", true),
        ("GET /pets?tag=toolong", false),
    ] {
        assert_eq!(ask(&older, line, &[], "").is_ok(), holds, "{line}");
    }
    let json = [("content-type", "application/json")];
    for (body, holds) in [
        (r#"{"name": "Rex"}"#, true),
        (r#"{"name": null}"#, true),
        (r#"{}"#, false),
        (r#"{"name": 1}"#, false),
        // What stands beside a reference means nothing.
        ("null", false),
        (r#"{"name": "a", "example": [4.9]}"#, true),
        (r#"{"name": "a", "example": [5]}"#, false),
        (r#"{"name": "a", "example": null}"#, false),
        (r#"{"name": "a", "sort": "c"}"#, false),
    ] {
        assert_eq!(
            ask(&older, "POST /pets", &json, body).is_ok(),
            holds,
            "{body}"
        );
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(ask(&older, "POST /pets", &form, "age=30"), Ok(()));
    assert!(ask(&older, "POST /pets", &form, "age=31").is_err());
    let closed = load(OLDER, |terms| terms.unknown_fields = Unknown::Refuse).unwrap();
    assert!(ask(&closed, "POST /pets", &json, r#"{"name": "a", "x": 1}"#).is_err());
}

#[test]
fn what_no_schema_of_version_3_0_has_is_a_fault() {
    for (schema, words) in [
        (
            "{ const: 1 }",
            "/schema/const: schemas of OpenAPI 3.0 have no such keyword",
        ),
        (
            "{ properties: { a: { if: {} } } }",
            "/schema/properties/a/if: schemas of OpenAPI 3.0",
        ),
        (
            "{ nullable: yes, type: string }",
            "/schema/nullable: expected `true` or `false`",
        ),
        (
            "{ minimum: 1, exclusiveMinimum: 1 }",
            "/schema/exclusiveMinimum: expected `true`",
        ),
        ("true", "/schema: expected a schema"),
        (
            "{ type: [string, integer] }",
            "/schema/type: OpenAPI 3.0 has one type",
        ),
    ] {
        let text = format!(
            "openapi: 3.0.4\npaths: {{ /a: {{ get: {{ parameters: \
             [{{ name: a, in: query, schema: {schema} }}] }} }} }}\n"
        );
        let fault = load(&text, |_| {}).unwrap_err();
        assert!(fault.contains(words), "{schema}\n{fault}");
    }
}
