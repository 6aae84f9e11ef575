//! A real Prometheus, where there is one: it reads the page, loads the alert rules, and answers the dashboard.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::process::{Child, Command};

/// For all of it: a busy machine needs some seconds.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(500);

/// Panels whose numbers this test does not make: nothing fails there, or nothing was renewed.
const QUIET: &[&str] = &[
    "Renewals, by what came of them",
    "Verbs that fail",
    "Grants whose provider is left alone",
];

/// `work` goes on meanwhile, so that there are rates.
pub(crate) async fn answers_the_dashboard(target: &str, work: impl AsyncFn()) {
    let Some(program) = env::var_os("PROMETHEUS").filter(|program| !program.is_empty()) else {
        println!("PROMETHEUS is not set: no real one was asked");
        return;
    };
    let program = Path::new(&program);
    check_rules(&program.with_file_name("promtool")).await;
    let (prometheus, url) = start(program, target).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let deadline = Instant::now() + PATIENCE;
    let mut unanswered = queries();
    assert!(unanswered.len() > 25, "{}", unanswered.len());
    while !unanswered.is_empty() {
        let words = unanswered
            .iter()
            .map(|(title, query)| format!("{title}: {query}"));
        let words = words.collect::<Vec<_>>().join("\n");
        assert!(Instant::now() < deadline, "no answer to\n{words}");
        work().await;
        let mut left = Vec::new();
        for (title, query) in unanswered {
            let answer = ask(&http, &url, &query).await;
            let has_come = (answer["data"]["result"].as_array()).is_some_and(|all| !all.is_empty());
            if !has_come && !QUIET.contains(&&*title) {
                left.push((title, query));
            }
        }
        unanswered = left;
        tokio::time::sleep(PAUSE).await;
    }
    let rules = http
        .get(format!("{url}/api/v1/rules"))
        .send()
        .await
        .unwrap();
    let rules: Value = serde_json::from_slice(&rules.bytes().await.unwrap()).unwrap();
    let groups = rules["data"]["groups"].as_array().unwrap();
    let rules: Vec<&Value> = groups
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap())
        .collect();
    assert!(rules.len() >= 10, "{rules:?}");
    for rule in rules {
        // None of them is in error, whatever it says.
        assert_ne!(rule["health"], "err", "{rule}");
    }
    drop(prometheus);
}

/// The queries of the dashboard, with their panels, as Grafana would ask them.
fn queries() -> Vec<(String, String)> {
    let board: Value = serde_json::from_str(include_str!("../../metrics/grafana.json")).unwrap();
    let mut queries = Vec::new();
    for panel in board["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = target["expr"].as_str().unwrap();
            let query = query.replace("$__rate_interval", "1m");
            let query = ["$job", "$instance", "$provider"]
                .iter()
                .fold(query, |query, variable| query.replace(variable, ".*"));
            queries.push((panel["title"].as_str().unwrap().to_owned(), query));
        }
    }
    queries
}

async fn ask(http: &reqwest::Client, url: &str, query: &str) -> Value {
    let mut asked = url::Url::parse(&format!("{url}/api/v1/query")).unwrap();
    asked.query_pairs_mut().append_pair("query", query);
    let Ok(answer) = http.get(asked).send().await else {
        // It is not there yet.
        return json!({});
    };
    let text = answer.text().await.unwrap_or_default();
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    assert_ne!(answer["status"], "error", "{query}: {answer}");
    answer
}

/// Each rule on numbers that are well, and on numbers that are not.
async fn check_rules(promtool: &Path) {
    if !promtool.exists() {
        println!(
            "there is no {}: the rules are not tried",
            promtool.display()
        );
        return;
    }
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/metrics/alerts_test.yml");
    let mut command = Command::new(promtool);
    let output = command.args(["test", "rules"]).arg(tests).output().await;
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
}

async fn start(program: &Path, target: &str) -> (Child, String) {
    let folder = testkit::redis::fresh_dir();
    let rules = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("metrics/alerts.yml");
    let config = json!({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [rules],
        "scrape_configs": [{"job_name": "mcp", "static_configs": [{"targets": [target]}]}],
    });
    // JSON is YAML.
    let file = folder.join("prometheus.yml");
    fs::write(&file, config.to_string()).unwrap();
    let here = format!("127.0.0.1:{}", crate::free_port());
    let child = Command::new(program)
        .arg(format!("--config.file={}", file.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.join("data").display()
        ))
        .arg(format!("--web.listen-address={here}"))
        .current_dir(&folder)
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("log")).unwrap())
        .kill_on_drop(true)
        .spawn()
        .expect("PROMETHEUS names a program");
    (child, format!("http://{here}"))
}
