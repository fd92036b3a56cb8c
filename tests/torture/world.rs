//! Two state directories that share their agents, the authorization server, and the program run between them.

use super::foreign::Foreign;
use super::gate::{Gate, Temper};
use super::operation::{AGENTS, COPIED, Done, Harm, Kind, ORDERED, PASTED, Plan, SLOTS, When};
use super::store::{Credentials, StoreKind};
use super::support::authorization_server::{Account, AuthorizationServer, Want};
use super::support::free_port::free_ports;
use super::support::user_agent;
use openclaw_auth::system::file::create_private_directory;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rustix::process::Signal;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use url::Url;

/// Longer than any wait that the program allows itself.
const HANGS: Duration = Duration::from_secs(170);

/// All that a run needs.
pub(crate) struct World {
    pub(crate) server: AuthorizationServer,
    pub(crate) gate: Arc<Gate>,
    /// The first one holds the agents, the second one leads there: by `agentDir` of its
    /// configuration, by a link to a directory, by a link to a document.
    pub(crate) state_dirs: [PathBuf; 2],
    /// What is stored in the first one.
    pub(crate) credentials: Credentials,
    pub(crate) home: PathBuf,
    pub(crate) foreign: Foreign,
    pub(crate) done: Mutex<Vec<Done>>,
    pub(crate) hung: Arc<Mutex<Vec<usize>>>,
    program: PathBuf,
    /// Who consents is a setting of the whole server.
    consent: Mutex<()>,
    seed: u64,
    /// Kills that came too late: the next operations are killed instead.
    owed: AtomicUsize,
    typical: Mutex<HashMap<Kind, Duration>>,
}

impl World {
    pub(crate) fn new(root: &Path, program: PathBuf, temper: Temper, kind: StoreKind) -> Self {
        // Short enough that plain `token` refreshes now and then.
        let want = Want { access_token_lifetime: 4, ..Want::default() };
        let server = AuthorizationServer::start(want);
        let home = root.join("home");
        std::fs::create_dir_all(&home).unwrap();
        let gate = Gate::open(server.url(), home.clone(), temper);
        let state_dirs = ["state", "other-state"].map(|name| root.join(name));
        let mut provider = server.provider_file(&free_ports(12));
        provider["tokenEndpoint"] = format!("http://{}/token", gate.address).into();
        provider["revocationEndpoint"] = format!("http://{}/revoke", gate.address).into();
        let credentials = Credentials { kind, state_dir: state_dirs[0].clone() };
        if kind == StoreKind::Sqlite {
            // Its databases are where the state directory is: the second one is a link.
            create_private_directory(&state_dirs[0]).unwrap();
            std::os::unix::fs::symlink(&state_dirs[0], &state_dirs[1]).unwrap();
        }
        for state_dir in &state_dirs {
            create_private_directory(&state_dir.join("providers")).unwrap();
            let file = state_dir.join("providers/openai-codex.json");
            std::fs::write(file, provider.to_string()).unwrap();
        }
        let hung = Arc::new(Mutex::new(Vec::new()));
        let (watched, noted) = (Arc::clone(&gate), Arc::clone(&hung));
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(500));
                noted.lock().unwrap().extend(watched.processes.kill_older_than(HANGS));
            }
        });
        Self {
            server,
            gate,
            state_dirs,
            credentials,
            home,
            foreign: Foreign::default(),
            done: Mutex::default(),
            hung,
            program,
            consent: Mutex::new(()),
            seed: temper.seed,
            owed: AtomicUsize::new(0),
            typical: Mutex::default(),
        }
    }

    /// Agents, keys to put in order, and a first login everywhere; none of it is killed.
    pub(crate) fn prepare(&self) {
        self.credentials.prepare();
        for agent in &AGENTS[1..] {
            self.succeed(&["agents", "add", agent, "--non-interactive", "--workspace", "/tmp"]);
            self.credentials.prepare_agent(agent);
        }
        for agent in AGENTS {
            for id in ORDERED {
                let line = ["models", "auth", "paste-api-key", "--provider", "openrouter"];
                let args = [&line[..], &["--profile-id", id, "--agent", agent]].concat();
                let done = self.execute(&args, 0, Some("sk-fake-key-0123456789"), None, None);
                assert_eq!(done.0, Some(0), "{}", done.2);
            }
        }
        let from = usize::MAX - SLOTS.len();
        let is_copy = |slot: &usize| SLOTS[*slot].1 == COPIED && SLOTS[*slot].0 != AGENTS[0];
        for slot in (0..SLOTS.len()).filter(|slot| !is_copy(slot)) {
            let (number, value) = (from + slot, String::new());
            self.run(&Plan { number, kind: Kind::Login, slot, door: 0, harm: None, value });
            let done = self.done.lock().unwrap();
            let last = done.last().unwrap();
            assert_eq!(last.code, Some(0), "{}", last.stderr);
        }
        self.copy();
        if self.credentials.kind == StoreKind::Files {
            self.lead_there();
        }
    }

    /// Lets the second state directory lead to the agents of the first one.
    fn lead_there(&self) {
        let [main, work, ops] = AGENTS.map(|agent| self.credentials.agent_dir(agent));
        let agents = self.state_dirs[1].join("agents");
        let list = serde_json::json!([
            {"id": AGENTS[0], "agentDir": main}, {"id": AGENTS[1]}, {"id": AGENTS[2]},
        ]);
        let config = serde_json::json!({"agents": {"list": list}});
        std::fs::write(self.state_dirs[1].join("openclaw.json"), config.to_string()).unwrap();
        create_private_directory(&agents.join(AGENTS[1])).unwrap();
        std::os::unix::fs::symlink(work, agents.join(AGENTS[1]).join("agent")).unwrap();
        let linked = agents.join(AGENTS[2]).join("agent");
        create_private_directory(&linked).unwrap();
        let document = "auth-profiles.json";
        std::os::unix::fs::symlink(ops.join(document), linked.join(document)).unwrap();
    }

    /// Copies a login of `main` to the other agents, as a user does by hand.
    fn copy(&self) {
        let id = self.credentials.profile(COPIED);
        let entry = self.credentials.profiles(AGENTS[0])["profiles"][&id].clone();
        for agent in &AGENTS[1..] {
            let mut document = self.credentials.profiles(agent);
            document["profiles"][&id] = entry.clone();
            self.credentials.write(agent, &document);
        }
    }

    fn succeed(&self, args: &[&str]) {
        let (code, _, stderr) = self.execute(args, 0, None, None, None);
        assert_eq!(code, Some(0), "{args:?}: {stderr}");
    }

    /// Runs one operation to its end, or to its death.
    pub(crate) fn run(&self, plan: &Plan) {
        let mut plan = plan.clone();
        let owes = || {
            let take = |owed: usize| owed.checked_sub(1);
            self.owed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
        };
        if plan.harm.is_none() && plan.number < usize::MAX / 2 && owes() {
            let mut random = StdRng::seed_from_u64(self.seed ^ plan.number as u64);
            let (when, group) = (When::Part(random.gen_range(0.0..0.8)), random.gen_bool(0.5));
            plan.harm = Some(Harm { signal: Signal::KILL, group, when });
        }
        let (agent, account) = SLOTS[plan.slot];
        let id = self.credentials.profile(account);
        let pasted = PASTED[plan.number % PASTED.len()];
        let mut args = vec!["models", "auth"];
        let mut input = None;
        match plan.kind {
            Kind::Token => args.extend(["token", "--profile", &id]),
            Kind::ForceRefresh => args.extend(["token", "--profile", &id, "--force-refresh"]),
            Kind::Login => {
                args.extend(["login", "--provider", "openai-codex", "--no-browser"]);
                if self.credentials.is_unlocked(account) {
                    args.extend(["--profile-id", &id]);
                }
            }
            Kind::Logout => args.extend(["logout", &id]),
            Kind::List => args.extend(["list", "--json"]),
            Kind::Order => {
                // What is beside a linked document is not shared.
                plan.door = 0;
                args.extend(["order", "set"]);
                args.extend(plan.value.split(' '));
            }
            Kind::Paste => {
                args.extend(["paste-token", "--provider", "mistral", "--profile-id", pasted]);
                input = Some(plan.value.as_str());
            }
        }
        args.extend(["--agent", agent]);
        let start = Instant::now();
        let account = (plan.kind == Kind::Login).then_some(account);
        let (code, stdout, stderr) = self.execute(&args, plan.door, input, account, Some(&plan));
        let end = Instant::now();
        if code.is_some() {
            if plan.harm.is_some_and(Harm::is_kill) {
                self.owed.fetch_add(1, Ordering::Relaxed);
            }
            let mut typical = self.typical.lock().unwrap();
            let mean = typical.entry(plan.kind).or_insert(end - start);
            *mean = (*mean * 7 + (end - start)) / 8;
        }
        self.done.lock().unwrap().push(Done { plan, start, end, code, stderr, stdout });
    }

    /// Exit code (none when killed), standard output and standard error of a run.
    pub(crate) fn execute(
        &self,
        args: &[&str],
        door: usize,
        input: Option<&str>,
        account: Option<&str>,
        plan: Option<&Plan>,
    ) -> (Option<i32>, String, String) {
        let piped = input.is_some() || account.is_some();
        let mut child = Command::new(&self.program)
            .args(args)
            .env_clear()
            .env("HOME", &self.home)
            .env("OPENCLAW_STATE_DIR", &self.state_dirs[door])
            .current_dir(&self.home)
            .process_group(0)
            .stdin(if piped { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program under test");
        let pid = child.id();
        let harm = plan.and_then(|plan| Some((plan.kind, plan.harm?)));
        let number = plan.map_or(usize::MAX, |plan| plan.number);
        self.gate.processes.add(pid, number, harm.map(|(_, harm)| harm));
        if let Some((kind, harm @ Harm { when: When::Part(part), .. })) = harm {
            let gate = Arc::clone(&self.gate);
            let typical = self.typical.lock().unwrap().get(&kind).copied();
            let delay = typical.unwrap_or(Duration::from_millis(30)).mul_f64(part);
            std::thread::spawn(move || {
                std::thread::sleep(delay);
                gate.processes.harm(pid, harm);
            });
        }
        let mut stdin = child.stdin.take();
        if let (Some(line), Some(mut pipe)) = (input, stdin.take_if(|_| input.is_some())) {
            // Who is killed reads nothing.
            let _ = pipe.write_all(format!("{line}\n").as_bytes());
        }
        let mut stderr = String::new();
        if let Some(account) = account {
            self.sign_in(&mut child, account, &mut stderr);
        }
        let output = child.wait_with_output().expect("the end of the program");
        drop(stdin);
        self.gate.processes.remove(pid);
        stderr.push_str(&String::from_utf8_lossy(&output.stderr));
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), stdout, stderr)
    }

    /// The part of the user and the browser, as far as the program lives to see it.
    fn sign_in(&self, child: &mut Child, account: &str, seen: &mut String) {
        let mut lines = BufReader::new(child.stderr.as_mut().expect("a pipe"));
        let url = loop {
            let mut line = String::new();
            if !lines.read_line(&mut line).is_ok_and(|length| length > 0) {
                return;
            }
            seen.push_str(&line);
            if line.starts_with("  http") {
                break line.trim().to_owned();
            }
        };
        let redirect = {
            let _alone = self.consent.lock().unwrap();
            let email = format!("{account}@example.test");
            self.server.configure(|want| want.account = Account::of_email(&email));
            user_agent::authorize(&url)
        };
        let _ = visit(&Url::parse(&redirect).expect("a redirect"));
        // What is left in the buffer, and what comes.
        let _ = lines.read_to_string(seen);
    }
}

/// Opens a URL of the program's listener, which may be dead.
fn visit(url: &Url) -> std::io::Result<()> {
    let addresses = url.socket_addrs(|| None)?;
    let mut stream = TcpStream::connect(addresses.as_slice())?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let head = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut page = Vec::new();
    stream.read_to_end(&mut page).map(drop)
}
