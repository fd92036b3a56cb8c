//! Secrets in files, and which files are not trusted.

use super::{fails, mode, reference, rig, token};
use crate::support::rig::Rig;
use serde_json::{Value, json};
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

fn private(rig: &Rig, name: &str, text: &str) -> String {
    rig.write(name, text);
    mode(rig, name, 0o600);
    rig.path(name).to_str().unwrap().to_owned()
}

#[test]
fn a_file_answers_by_json_pointer_or_as_a_whole() {
    let file = json!({"f": {"source": "file", "path": "~/secrets.json"}});
    for (id, expected) in [("/a/b~1c", "fake-key"), ("/list/1", "fake-second")] {
        let rig = rig(&reference("file", "f", id), &file);
        let path = rig.home().join("secrets.json");
        std::fs::write(&path, r#"{"a": {"b/c": "fake-key"}, "list": ["x", "fake-second"]}"#)
            .unwrap();
        set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(token(&rig, &[]).success(), expected);
    }
    let rig = Rig::new();
    let path = private(&rig, "one", "fake-key\r\n");
    rig.edit_profile(
        &json!({"type": "api_key", "provider": "p", "keyRef": reference("file", "f", "value")}),
    );
    let whole = json!({"f": {"source": "file", "path": path, "mode": "singleValue"}});
    rig.write("openclaw.json", &json!({"secrets": {"providers": whole}}).to_string());
    assert_eq!(token(&rig, &[]).success(), "fake-key");
}

/// A rig whose key is at `id` of a private file with this text; the provider has `more`.
fn file_rig(id: &str, text: &str, more: &Value) -> Rig {
    let rig = rig(&reference("file", "f", id), &json!({}));
    let path = private(&rig, "secrets.json", text);
    let mut provider = json!({"source": "file", "path": path});
    provider.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rig.write("openclaw.json", &json!({"secrets": {"providers": {"f": provider}}}).to_string());
    rig
}

#[test]
fn what_a_file_does_not_have_is_an_error() {
    let text = r#"{"a": "fake-key", "n": 5, "e": " "}"#;
    for (id, more, part) in [
        ("/none", json!({}), "nothing at `/none`"),
        ("a", json!({}), "not a JSON pointer"),
        ("/n", json!({}), "not a text"),
        ("/e", json!({}), "not a text"),
        ("/a", json!({"mode": "singleValue"}), "its id is `value`"),
        ("/a", json!({"maxBytes": 9}), "longer than 9 bytes"),
        ("/a", json!({"path": "secrets.json"}), "not an absolute path"),
        ("/a", json!({"path": "/nonexistent/f"}), "cannot be opened"),
    ] {
        fails(token(&file_rig(id, text, &more), &[]), 1, &[part, "file:f:"]);
    }
    for text in ["fake-no-json", "[]", "{\"a\": \"fake-open", ""] {
        fails(token(&file_rig("/a", text, &json!({})), &[]), 1, &["secrets.json", "JSON"]);
    }
}

#[test]
fn a_file_that_others_reach_is_refused() {
    for bits in [0o640, 0o604, 0o660, 0o602] {
        let rig = file_rig("/a", r#"{"a": "fake-key"}"#, &json!({}));
        mode(&rig, "secrets.json", bits);
        fails(token(&rig, &[]), 6, &["open to other users", "chmod 600"]);
    }
    let rig = file_rig("/a", r#"{"a": "fake-key"}"#, &json!({"allowInsecurePath": true}));
    mode(&rig, "secrets.json", 0o644);
    assert_eq!(token(&rig, &[]).success(), "fake-key");
}

#[test]
fn a_link_a_directory_and_a_pipe_are_no_secret_files() {
    for insecure in [false, true] {
        let more = json!({"allowInsecurePath": insecure});
        let rig = file_rig("/a", r#"{"a": "fake-key"}"#, &more);
        let path = rig.path("secrets.json");
        std::fs::rename(&path, rig.path("moved")).unwrap();
        symlink(rig.path("moved"), &path).unwrap();
        fails(token(&rig, &[]), 6, &["symbolic link", "moved"]);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        fails(token(&rig, &[]), 6, &["not a regular file"]);
        std::fs::remove_dir(&path).unwrap();
        let private = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, private).unwrap();
        fails(token(&rig, &[]), 6, &["not a regular file"]);
    }
}
