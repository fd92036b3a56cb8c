//! State directories with obviously fake credentials of realistic size.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use tempfile::TempDir;

/// 2100-01-01, in milliseconds since the epoch.
const FAR_FUTURE: u64 = 4_102_444_800_000;
/// 2001-09-09, in milliseconds since the epoch.
const LONG_AGO: u64 = 1_000_000_000_000;

/// What a state directory holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How many profiles the store of agent `main` has.
    pub profiles: u32,
    /// Whether there is an `openclaw.json`.
    pub configuration: bool,
    /// Whether there is an `auth-state.json` with usage statistics of every profile.
    pub statistics: bool,
}

impl Plan {
    /// Whether there is nothing but profiles.
    pub(crate) const fn is_plain(self) -> bool {
        !self.configuration && !self.statistics
    }
}

/// Lays out a fresh state directory. The documents are streamed: this process must stay
/// small, because its children inherit its peak memory.
pub(crate) fn lay_out(plan: Plan) -> Result<TempDir> {
    lay_out_in(&std::env::temp_dir(), plan)
}

/// As [`lay_out`], in a fresh directory below `parent`.
pub(crate) fn lay_out_in(parent: &Path, plan: Plan) -> Result<TempDir> {
    let root = fresh_directory_in(parent)?;
    let agent_dir = root.path().join("agents/main/agent");
    create_private_directory(&agent_dir)?;
    let profiles = (0..plan.profiles).map(|index| (profile_id(index), profile(index)));
    write_object(&agent_dir.join("auth-profiles.json"), "profiles", profiles)?;
    if plan.statistics {
        let statistics = (0..plan.profiles).map(|index| {
            let used = LONG_AGO + u64::from(index);
            (profile_id(index), json!({ "lastUsed": used, "errorCount": 0 }))
        });
        write_object(&agent_dir.join("auth-state.json"), "usageStats", statistics)?;
    }
    if plan.configuration {
        write(&root.path().join("openclaw.json"), CONFIGURATION)?;
    }
    Ok(root)
}

/// Lays out a state directory with one expired profile that the token server at `address`
/// refreshes, as an earlier refresh left it: with the directories that one makes (so does
/// OpenClaw's), and on the disk.
pub(crate) fn lay_out_expired(address: SocketAddr) -> Result<TempDir> {
    lay_out_expired_in(&std::env::temp_dir(), address)
}

/// As [`lay_out_expired`], in a fresh directory below `parent`.
pub(crate) fn lay_out_expired_in(parent: &Path, address: SocketAddr) -> Result<TempDir> {
    let plan = Plan { profiles: 0, configuration: false, statistics: false };
    let root = lay_out_in(parent, plan)?;
    let mut expired = profile(0);
    expired["expires"] = json!(LONG_AGO);
    let store = root.path().join("agents/main/agent/auth-profiles.json");
    std::fs::remove_file(&store)?;
    write_object(&store, "profiles", [(profile_id(0), expired)])?;
    write_provider(root.path(), &json!({ "tokenEndpoint": format!("http://{address}/token") }))?;
    for made in ["locks/oauth-refresh", "agents/main/agent/backups"] {
        create_private_directory(&root.path().join(made))?;
    }
    bring_to_disk(root.path())?;
    Ok(root)
}

/// What has stood for an hour is not waiting to be written.
fn bring_to_disk(directory: &Path) -> Result<()> {
    Ok(rustix::fs::syncfs(File::open(directory)?)?)
}

/// Lays out a fresh state directory for a login at the token server at `address`, whose
/// redirect comes to `port`.
pub(crate) fn lay_out_login(address: SocketAddr, port: u16) -> Result<TempDir> {
    let root = fresh_directory()?;
    let provider = json!({
        "authorizationEndpoint": format!("http://{address}/authorize"),
        "tokenEndpoint": format!("http://{address}/token"),
        "redirect": { "host": "localhost", "ports": [port], "path": "/auth/callback" },
    });
    write_provider(root.path(), &provider)?;
    Ok(root)
}

fn write_provider(root: &Path, provider: &Value) -> Result<()> {
    let providers = root.join("providers");
    create_private_directory(&providers)?;
    write(&providers.join("openai-codex.json"), &provider.to_string())
}

/// Lays out the same grant for the floor program, as an earlier refresh left it.
pub(crate) fn lay_out_expired_for_floor() -> Result<TempDir> {
    let root = fresh_directory()?;
    let grant = json!({
        "access_token": access_token(0),
        "refresh_token": refresh_token(0),
        "expires": LONG_AGO / 1_000,
    });
    write(&root.path().join("grant.json"), &grant.to_string())?;
    write(&root.path().join("lock"), "")?;
    bring_to_disk(root.path())?;
    Ok(root)
}

pub(crate) fn fresh_directory() -> Result<TempDir> {
    fresh_directory_in(&std::env::temp_dir())
}

pub(crate) fn fresh_directory_in(parent: &Path) -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix("openclaw-auth-bench-")
        .tempdir_in(parent)
        .context("could not create a temporary directory")
}

pub(crate) fn create_private_directory(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    Ok(())
}

/// A new file that nobody else can read: the program insists on that.
fn create_private(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.with_context(|| format!("could not create {}", path.display()))
}

pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    create_private(path)?.write_all(text.as_bytes())?;
    Ok(())
}

/// Writes `{"version": 1, <member>: {…}}`, two spaces a level.
fn write_object(
    path: &Path,
    member: &str,
    entries: impl IntoIterator<Item = (String, Value)>,
) -> Result<()> {
    let mut file = BufWriter::new(create_private(path)?);
    write!(file, "{{\n  \"version\": 1,\n  \"{member}\": {{")?;
    for (index, (id, entry)) in entries.into_iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let entry = format!("{entry:#}").replace('\n', "\n    ");
        write!(file, "{comma}\n    \"{id}\": {entry}")?;
    }
    file.write_all(b"\n  }\n}\n")?;
    file.flush()?;
    Ok(())
}

pub(crate) fn profile_id(index: u32) -> String {
    format!("openai-codex:{}", email(index))
}

fn email(index: u32) -> String {
    format!("user{index:05}@example.test")
}

pub(crate) fn profile(index: u32) -> Value {
    json!({
        "type": "oauth",
        "provider": "openai-codex",
        "access": access_token(index),
        "refresh": refresh_token(index),
        "expires": FAR_FUTURE,
        "email": email(index),
        "accountId": format!("fake-account-{index:05}"),
    })
}

/// A refresh token of 90 bytes.
pub(crate) fn refresh_token(index: u32) -> String {
    format!("fake-refresh-{index:05}-{}", "r".repeat(71))
}

/// A JWT of about 1.9 KB, signed by nobody.
pub(crate) fn access_token(index: u32) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "fake-key" });
    let claims = json!({
        "iss": "https://as.example.test",
        "sub": format!("fake-user-{index:05}"),
        "exp": FAR_FUTURE / 1_000,
        "iat": LONG_AGO / 1_000,
        "https://api.openai.com/auth": { "chatgpt_account_id": format!("fake-account-{index:05}") },
        "https://api.openai.com/profile": { "email": email(index) },
        "filling": "x".repeat(810),
    });
    format!("{}.{}.fake-signature-{}", encode(&header), encode(&claims), "s".repeat(327))
}

/// About 2 KB in the layout that the gateway writes.
const CONFIGURATION: &str = include_str!("openclaw.json");
