//! A Redis Cluster of three nodes.

use std::{
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use tower_oauth_proxy::{
    StorageError,
    storage::{RedisStorage, TokenStorage, contract},
};

use testkit::redis::Server;

const MINUTE: Duration = Duration::from_secs(60);

const OPTIONS: [&str; 8] = [
    "--repl-diskless-sync-delay",
    "0",
    "--cluster-enabled",
    "yes",
    "--cluster-node-timeout",
    "2000",
    // A lost shard does not stop the others.
    "--cluster-require-full-coverage",
    "no",
];

struct Cluster(Vec<Server>);

impl Cluster {
    fn start() -> Self {
        let nodes: Vec<_> = (0..3).map(|_| Server::with(&OPTIONS)).collect();
        let addresses: Vec<_> = nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port))
            .collect();
        let mut create = vec!["--cluster", "create"];
        create.extend(addresses.iter().map(String::as_str));
        create.extend(["--cluster-replicas", "0", "--cluster-yes"]);
        let said = nodes[0].cli(&create);
        let is_ready = |node: &Server| {
            let info = node.cli(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.contains("cluster_slots_assigned:16384")
        };
        assert!(said.contains("16384 slots covered"), "{said}");
        eventually(|| nodes.iter().all(is_ready));
        Self(nodes)
    }

    async fn store(&self) -> RedisStorage {
        let urls = self.0.iter().map(Server::url);
        RedisStorage::cluster(urls).connect().await.unwrap()
    }

    /// The node that serves a key.
    fn serving(&self, key: &str) -> usize {
        let slot = self.0[0].cli(&["CLUSTER", "KEYSLOT", &format!("oauth-proxy:{key}")]);
        let slot: u16 = slot.parse().unwrap();
        let serves = |node: &Server| {
            let nodes = node.cli(&["CLUSTER", "NODES"]);
            let line = nodes.lines().find(|line| line.contains("myself")).unwrap();
            line.split_whitespace().skip(8).any(|range| {
                let (from, to) = range.split_once('-').unwrap_or((range, range));
                let (Ok(from), Ok(to)) = (from.parse::<u16>(), to.parse::<u16>()) else {
                    return false;
                };
                (from..=to).contains(&slot)
            })
        };
        self.0.iter().position(serves).unwrap()
    }

    /// A key that this node serves.
    fn key_of(&self, node: usize) -> String {
        let mut keys = (0..).map(|n| format!("key{n}"));
        keys.find(|key| self.serving(key) == node).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_keeps_the_contract() {
    let cluster = Cluster::start();
    let store = Arc::new(cluster.store().await);
    contract::run(store, async |time| tokio::time::sleep(time).await).await;

    // Any one node is enough to find the others.
    let seed = RedisStorage::cluster([cluster.0[2].url()]);
    let store = Arc::new(seed.connect().await.unwrap());
    contract::run(store, async |time| tokio::time::sleep(time).await).await;

    let alone = RedisStorage::connect(cluster.0[0].url()).await.unwrap_err();
    assert!(
        alone.to_string().contains("RedisStorage::cluster"),
        "{alone}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slot_that_moves_is_followed_and_no_verb_fails() {
    let cluster = Cluster::start();
    let store = cluster.store().await;
    let key = cluster.key_of(0);
    let slot = cluster.0[0].cli(&["CLUSTER", "KEYSLOT", &format!("oauth-proxy:{key}")]);
    let id = |node: usize| cluster.0[node].cli(&["CLUSTER", "MYID"]);
    let (from, to) = (id(0), id(1));
    let setslot = |node: usize, what: &str, id: &str| {
        let said = cluster.0[node].cli(&["CLUSTER", "SETSLOT", &slot, what, id]);
        assert_eq!(said, "OK");
    };
    store.set(&key, vec![1], MINUTE).await.unwrap();
    setslot(1, "IMPORTING", &from);
    setslot(0, "MIGRATING", &to);
    // The record is still here.
    assert!(
        store
            .compare_and_swap(&key, &[1], vec![2], MINUTE)
            .await
            .unwrap()
    );
    let name = format!("oauth-proxy:{key}");
    let port = cluster.0[1].port.to_string();
    let moved = cluster.0[0].cli(&["MIGRATE", "127.0.0.1", &port, &name, "0", "5000"]);
    assert_eq!(moved, "OK");
    // The record is there, the slot still here: ASK.
    assert_eq!(store.get(&key).await.unwrap(), Some(vec![2]));
    assert!(
        store
            .compare_and_swap(&key, &[2], vec![3], MINUTE)
            .await
            .unwrap()
    );
    assert!(!store.insert_if_absent(&key, vec![9], MINUTE).await.unwrap());
    assert_eq!(store.take(&key).await.unwrap(), Some(vec![3]));
    assert!(store.insert_if_absent(&key, vec![4], MINUTE).await.unwrap());
    for node in [1, 0, 2] {
        setslot(node, "NODE", &to);
    }
    // The slot is there: MOVED.
    assert_eq!(store.get(&key).await.unwrap(), Some(vec![4]));
    assert!(
        store
            .compare_and_swap(&key, &[4], vec![5], MINUTE)
            .await
            .unwrap()
    );
    store.remove(&key).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_that_dies_or_freezes_takes_its_own_records_only_and_comes_back() {
    let mut cluster = Cluster::start();
    let store = cluster.store().await;
    let keys: Vec<_> = (0..3).map(|node| cluster.key_of(node)).collect();
    for key in &keys {
        store.set(key, vec![1], MINUTE).await.unwrap();
    }
    cluster.0[2].freeze();
    let start = Instant::now();
    for turn in 0..6 {
        let asked = Instant::now();
        let frozen = store.get(&keys[2]).await;
        assert!(
            matches!(frozen, Err(StorageError::Unavailable(_))),
            "{frozen:?}"
        );
        assert!(
            asked.elapsed() < Duration::from_millis(2_500),
            "{turn}: {:?}",
            asked.elapsed()
        );
        for key in &keys[..2] {
            let asked = Instant::now();
            assert_eq!(store.get(key).await.unwrap(), Some(vec![1]), "turn {turn}");
            assert!(asked.elapsed() < Duration::from_millis(2_500));
        }
    }
    println!("six turns with a frozen shard: {:?}", start.elapsed());
    cluster.0[2].thaw();
    let recovery = recovers(&store, &keys[2]).await;
    println!("thawed: {recovery:?}");

    cluster.0[1].kill();
    let dead = store.take(&keys[1]).await;
    assert!(
        matches!(dead, Err(StorageError::Unavailable(_))),
        "{dead:?}"
    );
    assert_eq!(store.get(&keys[0]).await.unwrap(), Some(vec![1]));
    cluster.0[1].restart();
    let recovery = recovers(&store, &keys[1]).await;
    println!("restarted: {recovery:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_frozen_primary_s_replica_takes_over_and_is_found() {
    let cluster = Cluster::start();
    let replica = Server::with(&OPTIONS);
    let primary = cluster.0[2].cli(&["CLUSTER", "MYID"]);
    let port = cluster.0[0].port.to_string();
    assert_eq!(replica.cli(&["CLUSTER", "MEET", "127.0.0.1", &port]), "OK");
    // The newcomer has to hear of the primary first.
    eventually(|| replica.cli(&["CLUSTER", "REPLICATE", &primary]) == "OK");
    eventually(|| {
        let replication = replica.cli(&["INFO", "replication"]);
        replication.contains("master_link_status:up")
    });
    // And everybody of the newcomer: the other primaries vote for no replica that they do not know, and
    // the next election is eight seconds later.
    let newcomer = replica.cli(&["CLUSTER", "MYID"]);
    let knows = |node: &Server| {
        let nodes = node.cli(&["CLUSTER", "NODES"]);
        let mut lines = nodes.lines();
        lines.any(|line| line.starts_with(&newcomer) && line.contains(&format!("slave {primary}")))
    };
    eventually(|| cluster.0.iter().all(knows) && knows(&replica));
    eventually(|| {
        let nodes = replica.cli(&["CLUSTER", "NODES"]);
        let is_linked = |line: &&str| line.contains("master") && line.contains(" connected ");
        nodes.lines().filter(is_linked).count() == 3
    });
    let store = cluster.store().await;
    let key = cluster.key_of(2);
    store.set(&key, vec![1], MINUTE).await.unwrap();
    assert_eq!(cluster.0[2].cli(&["WAIT", "1", "1000"]), "1");
    cluster.0[2].freeze();
    let start = Instant::now();
    let recovery = recovers(&store, &key).await;
    assert_eq!(store.get(&key).await.unwrap(), Some(vec![1]));
    assert!(
        store
            .compare_and_swap(&key, &[1], vec![2], MINUTE)
            .await
            .unwrap()
    );
    println!("failed over: {recovery:?} of {:?}", start.elapsed());
    cluster.0[2].thaw();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(store.get(&key).await.unwrap(), Some(vec![2]));
}

fn eventually(is_true: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < Duration::from_secs(60), "never");
        sleep(Duration::from_millis(100));
    }
}

async fn recovers(store: &RedisStorage, key: &str) -> Duration {
    let start = Instant::now();
    while store.get(key).await.is_err() {
        assert!(start.elapsed() < Duration::from_secs(20), "no recovery");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    start.elapsed()
}
