//! What is known of every sign-in: the facts that the catalog has to state.

use crate::support::authorization_server::Want;
use serde_json::json;

/// One sign-in. In the texts, `<name>` stands for any value, the same wherever it stands.
pub(super) struct Way {
    /// The provider.
    pub(super) provider: &'static str,
    /// The `--method`.
    pub(super) method: &'static str,
    /// The variables that are set.
    pub(super) environment: &'static [(&'static str, &'static str)],
    /// What the server is like.
    pub(super) want: fn(&mut Want),
    /// The requests: host and path, then the query or body.
    pub(super) requests: &'static [(&'static str, &'static str)],
    /// The profile id.
    pub(super) profile: &'static str,
    /// The stored entry.
    pub(super) entry: &'static str,
    /// How many seconds from now the stored expiry is, for a token that lives an hour.
    pub(super) expires_in: Option<i64>,
    /// The refresh request, where there is one.
    pub(super) refresh: Option<(&'static str, &'static str)>,
    /// The revocation request, where there is one.
    pub(super) revocation: Option<(&'static str, &'static str)>,
}

/// Every sign-in of the catalog.
pub(super) const WAYS: [Way; 8] = [
    Way {
        provider: "openai-codex",
        method: "oauth",
        environment: &[],
        want: |_| {},
        requests: &[
            (
                "/auth.openai.com/oauth/authorize",
                "response_type=code&client_id=app_EMoamEEZ73f0CkXaXp7hrann&state=<state>\
                 &code_challenge=<challenge>&code_challenge_method=S256\
                 &redirect_uri=http%3A%2F%2Flocalhost%3A<port>%2Fauth%2Fcallback\
                 &scope=openid+profile+email+offline_access&id_token_add_organizations=true\
                 &codex_cli_simplified_flow=true&originator=openclaw",
            ),
            (
                "/auth.openai.com/oauth/token",
                "grant_type=authorization_code&code=<code>&code_verifier=<verifier>\
                 &client_id=app_EMoamEEZ73f0CkXaXp7hrann\
                 &redirect_uri=http%3A%2F%2Flocalhost%3A<port>%2Fauth%2Fcallback",
            ),
        ],
        profile: "openai-codex:ada@example.test",
        entry: CODEX_ENTRY,
        expires_in: Some(3600),
        refresh: CODEX_REFRESH,
        revocation: CODEX_REVOCATION,
    },
    Way {
        provider: "openai-codex",
        method: "device-code",
        environment: &[],
        want: |want| {
            want.device.interval = json!("1");
            want.device.response = json!({"usercode": "FAKE-0001", "user_code": null});
        },
        requests: &[
            (
                "/auth.openai.com/api/accounts/deviceauth/usercode",
                r#"{"client_id":"app_EMoamEEZ73f0CkXaXp7hrann"}"#,
            ),
            (
                "/auth.openai.com/api/accounts/deviceauth/token",
                r#"{"device_auth_id":"<device>","user_code":"FAKE-0001"}"#,
            ),
            (
                "/auth.openai.com/oauth/token",
                "grant_type=authorization_code&code=<code>&code_verifier=<verifier>\
                 &client_id=app_EMoamEEZ73f0CkXaXp7hrann\
                 &redirect_uri=https%3A%2F%2Fauth.openai.com%2Fdeviceauth%2Fcallback",
            ),
        ],
        profile: "openai-codex:ada@example.test",
        entry: CODEX_ENTRY,
        expires_in: Some(3600),
        refresh: CODEX_REFRESH,
        revocation: CODEX_REVOCATION,
    },
    Way {
        provider: "chutes",
        method: "oauth",
        environment: &[("CHUTES_CLIENT_ID", "fake-client")],
        want: chutes,
        requests: &[
            (
                "/api.chutes.ai/idp/authorize",
                "response_type=code&client_id=fake-client&state=<state>\
                 &code_challenge=<challenge>&code_challenge_method=S256\
                 &redirect_uri=http%3A%2F%2F127.0.0.1%3A<port>%2Foauth-callback\
                 &scope=openid+profile+chutes%3Ainvoke",
            ),
            (
                "/api.chutes.ai/idp/token",
                "grant_type=authorization_code&code=<code>&code_verifier=<verifier>\
                 &client_id=fake-client\
                 &redirect_uri=http%3A%2F%2F127.0.0.1%3A<port>%2Foauth-callback",
            ),
            ("/api.chutes.ai/idp/userinfo", ""),
        ],
        profile: "chutes:ada",
        entry: r#"{"type":"oauth","provider":"chutes","access":"<access>","refresh":"<refresh>","expires":<expires>,"email":"ada","accountId":"fake-user-ada","clientId":"fake-client"}"#,
        expires_in: Some(3300),
        refresh: Some((
            "/api.chutes.ai/idp/token",
            "grant_type=refresh_token&refresh_token=<refresh>&client_id=fake-client",
        )),
        revocation: None,
    },
    Way {
        provider: "chutes",
        method: "chutes",
        environment: &[
            ("CHUTES_CLIENT_ID", "fake-client"),
            ("CHUTES_CLIENT_SECRET", "fake-client-secret"),
            ("CHUTES_OAUTH_SCOPES", "openid chutes:read"),
        ],
        want: |want| {
            chutes(want);
            want.client_secret = Some("fake-client-secret".into());
        },
        requests: &[
            (
                "/api.chutes.ai/idp/authorize",
                "response_type=code&client_id=fake-client&state=<state>\
                 &code_challenge=<challenge>&code_challenge_method=S256\
                 &redirect_uri=http%3A%2F%2F127.0.0.1%3A<port>%2Foauth-callback\
                 &scope=openid+chutes%3Aread",
            ),
            (
                "/api.chutes.ai/idp/token",
                "grant_type=authorization_code&code=<code>&code_verifier=<verifier>\
                 &client_id=fake-client&client_secret=fake-client-secret\
                 &redirect_uri=http%3A%2F%2F127.0.0.1%3A<port>%2Foauth-callback",
            ),
            ("/api.chutes.ai/idp/userinfo", ""),
        ],
        profile: "chutes:ada",
        entry: r#"{"type":"oauth","provider":"chutes","access":"<access>","refresh":"<refresh>","expires":<expires>,"email":"ada","accountId":"fake-user-ada","clientId":"fake-client"}"#,
        expires_in: Some(3300),
        refresh: Some((
            "/api.chutes.ai/idp/token",
            "grant_type=refresh_token&refresh_token=<refresh>&client_id=fake-client\
             &client_secret=fake-client-secret",
        )),
        revocation: None,
    },
    Way {
        provider: "minimax-portal",
        method: "oauth",
        environment: &[],
        want: minimax,
        requests: &[
            (
                "/api.minimax.io/oauth/code",
                "client_id=78257093-7e40-4613-99e0-527b14b39113&response_type=code\
                 &scope=group_id+profile+model.completion&code_challenge=<challenge>\
                 &code_challenge_method=S256&state=<state>",
            ),
            ("/api.minimax.io/oauth/token", MINIMAX_POLL),
        ],
        profile: "minimax-portal:default",
        entry: r#"{"type":"oauth","provider":"minimax-portal","access":"<access>","refresh":"<refresh>","expires":<expires>,"resourceUrl":"https://api.example.test/v1"}"#,
        expires_in: Some(3600),
        refresh: Some(("/api.minimax.io/oauth/token", MINIMAX_REFRESH)),
        revocation: None,
    },
    Way {
        provider: "minimax-portal",
        method: "oauth-cn",
        environment: &[],
        want: minimax,
        requests: &[
            (
                "/api.minimaxi.com/oauth/code",
                "client_id=78257093-7e40-4613-99e0-527b14b39113&response_type=code\
                 &scope=group_id+profile+model.completion&code_challenge=<challenge>\
                 &code_challenge_method=S256&state=<state>",
            ),
            ("/api.minimaxi.com/oauth/token", MINIMAX_POLL),
        ],
        profile: "minimax-portal:default",
        entry: r#"{"type":"oauth","provider":"minimax-portal","access":"<access>","refresh":"<refresh>","expires":<expires>,"resourceUrl":"https://api.example.test/v1","loginMethod":"oauth-cn"}"#,
        expires_in: Some(3600),
        refresh: Some(("/api.minimaxi.com/oauth/token", MINIMAX_REFRESH)),
        revocation: None,
    },
    Way {
        provider: "github-copilot",
        method: "device",
        environment: &[],
        want: |want| {
            want.client_id = "Iv1.b507a08c87ecfe98".into();
            want.opaque_access_tokens = true;
            want.include_refresh_token = false;
            want.include_expires_in = false;
            want.include_id_token = false;
            want.device.errors_are_ok = true;
            want.device.first_polls = vec!["authorization_pending"];
            want.device.response = json!({"verification_uri_complete": null});
        },
        requests: &[
            ("/github.com/login/device/code", "client_id=Iv1.b507a08c87ecfe98&scope=read%3Auser"),
            ("/github.com/login/oauth/access_token", GITHUB_POLL),
            ("/github.com/login/oauth/access_token", GITHUB_POLL),
        ],
        profile: "github-copilot:github",
        entry: r#"{"type":"token","provider":"github-copilot","token":"<access>"}"#,
        expires_in: None,
        refresh: None,
        revocation: None,
    },
    Way {
        provider: "google-gemini-cli",
        method: "oauth",
        environment: &[
            ("GEMINI_CLI_OAUTH_CLIENT_ID", "fake-client"),
            ("GEMINI_CLI_OAUTH_CLIENT_SECRET", "fake-client-secret"),
        ],
        want: |want| {
            want.client_id = "fake-client".into();
            want.client_secret = Some("fake-client-secret".into());
            want.opaque_access_tokens = true;
            want.include_id_token = false;
            want.include_refresh_token_on_refresh = false;
        },
        requests: &[
            (
                "/accounts.google.com/o/oauth2/v2/auth",
                "response_type=code&client_id=fake-client&state=<state>\
                 &code_challenge=<challenge>&code_challenge_method=S256\
                 &redirect_uri=http%3A%2F%2Flocalhost%3A<port>%2Foauth2callback\
                 &scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform\
                 +https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fuserinfo.email\
                 +https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fuserinfo.profile\
                 &access_type=offline&prompt=consent",
            ),
            (
                "/oauth2.googleapis.com/token",
                "grant_type=authorization_code&code=<code>&code_verifier=<verifier>\
                 &client_id=fake-client&client_secret=fake-client-secret\
                 &redirect_uri=http%3A%2F%2Flocalhost%3A<port>%2Foauth2callback",
            ),
            ("/www.googleapis.com/oauth2/v1/userinfo", "alt=json"),
            // The project of the account: this server has none of the services.
            ("/cloudcode-pa.googleapis.com/v1internal:loadCodeAssist", LOAD_CODE_ASSIST),
            (
                "/daily-cloudcode-pa.sandbox.googleapis.com/v1internal:loadCodeAssist",
                LOAD_CODE_ASSIST,
            ),
            (
                "/autopush-cloudcode-pa.sandbox.googleapis.com/v1internal:loadCodeAssist",
                LOAD_CODE_ASSIST,
            ),
        ],
        profile: "google-gemini-cli:ada@example.test",
        entry: r#"{"type":"oauth","provider":"google-gemini-cli","access":"<access>","refresh":"<refresh>","expires":<expires>,"email":"ada@example.test","clientId":"fake-client"}"#,
        expires_in: Some(3300),
        refresh: Some((
            "/oauth2.googleapis.com/token",
            "grant_type=refresh_token&refresh_token=<refresh>&client_id=fake-client\
             &client_secret=fake-client-secret",
        )),
        revocation: Some((
            "/oauth2.googleapis.com/revoke",
            "token=<refresh>&token_type_hint=refresh_token&client_id=fake-client\
             &client_secret=fake-client-secret",
        )),
    },
];

const LOAD_CODE_ASSIST: &str = r#"{"metadata":{"ideType":"IDE_UNSPECIFIED","platform":"PLATFORM_UNSPECIFIED","pluginType":"GEMINI"}}"#;

const CODEX_ENTRY: &str = r#"{"type":"oauth","provider":"openai-codex","access":"<access>","refresh":"<refresh>","expires":<expires>,"email":"ada@example.test","accountId":"fake-account-ada","idToken":"<id>"}"#;

const CODEX_REFRESH: Option<(&str, &str)> = Some((
    "/auth.openai.com/oauth/token",
    "grant_type=refresh_token&refresh_token=<refresh>&client_id=app_EMoamEEZ73f0CkXaXp7hrann",
));

const CODEX_REVOCATION: Option<(&str, &str)> = Some((
    "/auth.openai.com/oauth/revoke",
    "token=<refresh>&token_type_hint=refresh_token&client_id=app_EMoamEEZ73f0CkXaXp7hrann",
));

const MINIMAX_POLL: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Auser_code\
     &client_id=78257093-7e40-4613-99e0-527b14b39113&user_code=FAKE-0001\
     &code_verifier=<verifier>";

const MINIMAX_REFRESH: &str = "grant_type=refresh_token&refresh_token=<refresh>\
     &client_id=78257093-7e40-4613-99e0-527b14b39113";

const GITHUB_POLL: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code\
     &device_code=<device>&client_id=Iv1.b507a08c87ecfe98";

/// No refresh token comes with a refresh, and no token says whose it is.
fn chutes(want: &mut Want) {
    want.client_id = "fake-client".into();
    want.opaque_access_tokens = true;
    want.include_id_token = false;
    want.include_refresh_token_on_refresh = false;
    want.userinfo = json!({"sub": "fake-user-ada", "username": "ada"});
}

fn minimax(want: &mut Want) {
    want.client_id = "78257093-7e40-4613-99e0-527b14b39113".into();
    want.opaque_access_tokens = true;
    want.include_id_token = false;
    want.include_expires_in = false;
    want.include_expired_in = true;
    want.device.interval = json!(2000);
    want.token_members =
        json!({"status": "success", "resource_url": "https://api.example.test/v1"});
}
