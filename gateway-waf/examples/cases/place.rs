//! The places of a request in which a payload stands.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::encode;

/// A request as the engine takes it.
#[derive(Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: Vec<u8>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// Puts a payload into the place that a case names: a name, or a map of one name to its settings.
/// `None` where no client could send it.
///
/// # Errors
/// When there is no such place, or the settings are not there.
pub(crate) fn put(place: &Value, payload: &str) -> Result<Option<Request>> {
    let (name, settings) = match place {
        Value::String(name) => (name.as_str(), &Value::Null),
        Value::Object(map) => {
            let (name, settings) = map.iter().next().context("a place has no name")?;
            (name.as_str(), settings)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            bail!("a place is a name or a map")
        }
    };
    let request = match name.to_ascii_lowercase().as_str() {
        "urlpath" => get(&format!("/{payload}")),
        "urlparam" => get(&format!("/?5f3c1a={payload}")),
        "header" => get("/").header("X-5f3c1a", payload),
        "useragent" => {
            let mut request = get("/");
            request.headers.retain(|(name, _)| name != "User-Agent");
            request.header("User-Agent", payload)
        }
        "htmlform" => post(FORM, &format!("5f3c1a={payload}")),
        "htmlmultipartform" => post(
            "multipart/form-data; boundary=5f3c1aboundary",
            &format!(
                "--5f3c1aboundary\r\nContent-Disposition: form-data; name=\"5f3c1a\"\r\n\r\n\
                 {payload}\r\n--5f3c1aboundary--\r\n"
            ),
        ),
        "jsonrequest" => post(
            "application/json",
            &format!(r#"{{"test":true, "5f3c1a": "{}"}}"#, encode::js(payload)),
        ),
        "jsonbody" => post("application/json", payload),
        "requestbody" => body("POST", payload),
        "noncrudrequestbody" => body("FOO", payload),
        "xmlbody" => post("text/xml", payload),
        "soapbody" => post("text/xml", &soap(payload)),
        "graphql" => graphql(settings, payload)?,
        "rawrequest" => raw(settings, payload)?,
        _ => bail!("there is no place {name}"),
    };
    let sendable = request.is_sendable();
    Ok(sendable.then_some(request))
}

const FORM: &str = "application/x-www-form-urlencoded";

fn get(target: &str) -> Request {
    Request {
        method: "GET".to_owned(),
        target: target.as_bytes().to_vec(),
        ..Request::default()
    }
    .header("Host", "shop.example")
    .header(
        "User-Agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    )
    .header("Accept", "*/*")
    .header("Accept-Encoding", "gzip")
}

fn body(method: &str, text: &str) -> Request {
    let mut request = get("/").header("Content-Length", &text.len().to_string());
    request.method = method.to_owned();
    request.body = text.as_bytes().to_vec();
    request
}

fn post(media: &str, text: &str) -> Request {
    body("POST", text).header("Content-Type", media)
}

fn soap(payload: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">\n\
         <soapenv:Header/><soapenv:Body><find><ab5f3c1a>{}</ab5f3c1a></find></soapenv:Body>\n\
         </soapenv:Envelope>",
        encode::xml(payload)
    )
}

fn graphql(settings: &Value, payload: &str) -> Result<Request> {
    match text(settings, "method")? {
        "GET" => Ok(get(&format!("/?query={}", encode::apply("url", payload)?))),
        "POST" => Ok(body("POST", payload)),
        other => bail!("GraphQL is asked by GET or POST, not {other}"),
    }
}

fn raw(settings: &Value, payload: &str) -> Result<Request> {
    let fill = |text: &str| text.replace("{{payload}}", payload);
    let content = settings.get("body").and_then(Value::as_str);
    let mut request = body(
        text(settings, "method")?,
        &fill(content.unwrap_or_default()),
    );
    let path = settings.get("path").and_then(Value::as_str).unwrap_or("/");
    request.target = fill(path).into_bytes();
    let headers = settings.get("headers").and_then(Value::as_object);
    for (name, value) in headers.into_iter().flatten() {
        request.headers.retain(|(held, _)| held != name);
        request = request.header(name, &fill(value.as_str().unwrap_or_default()));
    }
    Ok(request)
}

fn text<'a>(settings: &'a Value, name: &str) -> Result<&'a str> {
    let value = settings.get(name).and_then(Value::as_str);
    value.with_context(|| format!("the place has no {name}"))
}

impl Request {
    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    /// Whether target and header fields have no byte in them that ends them.
    fn is_sendable(&self) -> bool {
        let ends = |b: &u8| *b == b' ' || b.is_ascii_control();
        let breaks = |b: &u8| b.is_ascii_control() && *b != b'\t';
        !self.target.iter().any(ends) && !self.headers.iter().any(|(_, v)| v.iter().any(breaks))
    }
}
