use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A JWT with these claims whose signature is `fake-signature`.
pub(crate) fn with_fake_signature(claims: &Value) -> String {
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "fake-key" });
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}.fake-signature", encode(&header), encode(claims))
}
