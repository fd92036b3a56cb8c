//! The rows of the catalog, and provider files that send them to the server of a test.

use super::authorization_server::AuthorizationServer;
use serde_json::{Value, json};

/// The rows, as they are in the source.
pub(crate) fn rows() -> Vec<Value> {
    serde_json::from_str(include_str!("../../../src/provider/catalog.json")).unwrap()
}

/// The row of a provider.
pub(crate) fn row(provider: &str) -> Value {
    let rows = rows();
    rows.into_iter().find(|row| row["id"] == provider).unwrap_or_else(|| panic!("no {provider}"))
}

/// The methods of a row.
pub(crate) fn methods(row: &Value) -> impl Iterator<Item = &Value> {
    row["methods"].as_array().into_iter().flatten()
}

/// Whether the method is a sign-in at an authorization server.
pub(crate) fn is_login(method: &Value) -> bool {
    ["oauth", "device_code"].map(Value::from).contains(&method["kind"])
}

/// A provider file that keeps everything of the row but sends its requests to the server:
/// `https://host/path` becomes `/host/path` there.
pub(crate) fn redirected(row: &Value, server: &AuthorizationServer, ports: &[u16]) -> Value {
    let mut file = row.clone();
    redirect(&mut file, server.url());
    if file["redirect"].is_object() {
        file["redirect"]["ports"] = json!(ports);
    }
    file
}

fn redirect(value: &mut Value, url: &str) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name.to_lowercase().ends_with("endpoint") => {
                        *text = elsewhere(text, url);
                    }
                    Value::Array(list) if name == "endpoints" => {
                        for text in list {
                            *text = elsewhere(text.as_str().unwrap(), url).into();
                        }
                    }
                    member => redirect(member, url),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|member| redirect(member, url)),
        _ => {}
    }
}

fn elsewhere(text: &str, url: &str) -> String {
    let there = text.strip_prefix("https://").unwrap_or_else(|| panic!("{text} is not https"));
    format!("{url}/{there}")
}
