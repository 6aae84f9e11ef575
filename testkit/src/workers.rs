//! The races of the contract again, between processes: a test binary runs itself.
//!
//! The binary has a test named `workers::worker` that calls [`work`], and one that calls [`race_all`].

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use tokio::{runtime::Runtime, sync::Barrier, task::JoinSet};
use tower_oauth_proxy::TokenStorage;

const URL: &str = "WORKER_STORE_URL";
const NUMBER: &str = "WORKER_NUMBER";
const MARK: &str = "worker says ";
const MINUTE: Duration = Duration::from_secs(60);
const PROCESSES: usize = 8;
const CALLERS: usize = 25;
const ROUNDS: usize = 10;

/// Two hundred callers in eight processes, on the store at this URL; `store` is the same one.
pub fn race_all(url: &str, store: &dyn TokenStorage, runtime: &Runtime) {
    let mut workers: Vec<_> = (0..PROCESSES).map(|n| Worker::start(url, n)).collect();
    for worker in &workers {
        assert_eq!(worker.hear(), "ready");
    }
    let put = |key: &str, value: &[u8]| {
        let put = store.set(key, value.to_vec(), MINUTE);
        runtime.block_on(put).unwrap();
    };
    let read = |key: &str| runtime.block_on(store.get(key)).unwrap();
    for round in 0..ROUNDS {
        for verb in ["take", "insert", "swap", "revive"] {
            let key = format!("{verb}-{round}");
            if verb != "insert" {
                put(&key, b"old");
            }
            let won: usize = all(&mut workers, &format!("{verb} {key}")).iter().sum();
            match verb {
                "revive" => assert_eq!(read(&key), None, "{key} came back"),
                _ => assert_eq!(won, 1, "{key}"),
            }
        }
        let key = format!("count-{round}");
        put(&key, b"0");
        let counted: usize = all(&mut workers, &format!("count {key}")).iter().sum();
        assert_eq!(read(&key), Some(counted.to_string().into_bytes()));
        assert_eq!(counted, PROCESSES * 5);
    }
}

/// What each of the processes does: nothing, where it was started as a test.
pub fn work<S: TokenStorage>(connect: impl AsyncFnOnce(String) -> S) {
    let Ok(url) = env::var(URL) else {
        return;
    };
    let number = env::var(NUMBER).unwrap();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
    let store: Arc<dyn TokenStorage> = Arc::new(runtime.block_on(connect(url)));
    println!("{MARK}ready");
    for order in std::io::stdin().lines() {
        let order = order.unwrap();
        let (verb, key) = order.split_once(' ').unwrap();
        let won = runtime.block_on(race(&store, verb, key, &number));
        println!("{MARK}{won}");
    }
}

fn all(workers: &mut [Worker], order: &str) -> Vec<usize> {
    for worker in &mut *workers {
        worker.tell(order);
    }
    let heard = workers.iter().map(|worker| worker.hear().parse().unwrap());
    heard.collect()
}

struct Worker {
    process: Child,
    orders: ChildStdin,
    answers: mpsc::Receiver<String>,
}

impl Worker {
    fn start(url: &str, number: usize) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        let mut process = command
            .args(["--exact", "workers::worker", "--nocapture"])
            .env(URL, url)
            .env(NUMBER, number.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, answers) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some((_, said)) = line.split_once(MARK) {
                    let _ = sender.send(said.to_owned());
                }
            }
        });
        let orders = process.stdin.take().unwrap();
        Self {
            process,
            orders,
            answers,
        }
    }

    fn tell(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
    }

    fn hear(&self) -> String {
        let answer = self.answers.recv_timeout(Duration::from_secs(30));
        answer.expect("a worker answers")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How many of this process's callers won.
async fn race(store: &Arc<dyn TokenStorage>, verb: &str, key: &str, process: &str) -> usize {
    let start = Arc::new(Barrier::new(CALLERS));
    let mut callers = JoinSet::new();
    for n in 0..CALLERS {
        let (store, start) = (Arc::clone(store), Arc::clone(&start));
        let (verb, key) = (verb.to_owned(), key.to_owned());
        let own = format!("{process}-{n}").into_bytes();
        callers.spawn(async move {
            start.wait().await;
            match &*verb {
                "take" => store.take(&key).await.unwrap().is_some(),
                "insert" => store.insert_if_absent(&key, own, MINUTE).await.unwrap(),
                "swap" => store
                    .compare_and_swap(&key, b"old", own, MINUTE)
                    .await
                    .unwrap(),
                "revive" if n % 2 == 0 => store.take(&key).await.unwrap().is_some(),
                "revive" => {
                    for (from, to) in [("old", "new"), ("new", "old")] {
                        let swap = store.compare_and_swap(
                            &key,
                            from.as_bytes(),
                            to.as_bytes().to_vec(),
                            MINUTE,
                        );
                        swap.await.unwrap();
                    }
                    false
                }
                "count" => n < 5 && count(&*store, &key).await,
                _ => panic!("no such race"),
            }
        });
    }
    callers
        .join_all()
        .await
        .into_iter()
        .filter(|won| *won)
        .count()
}

async fn count(store: &dyn TokenStorage, key: &str) -> bool {
    loop {
        let before = store.get(key).await.unwrap().expect("never goes missing");
        let number: usize = str::from_utf8(&before).unwrap().parse().unwrap();
        let next = (number + 1).to_string().into_bytes();
        if store
            .compare_and_swap(key, &before, next, MINUTE)
            .await
            .unwrap()
        {
            return true;
        }
    }
}
