//! Several servers: Sentinel, and a cluster.

use super::servers::Program;
use super::*;

struct Watched {
    master: Server,
    replica: Server,
    sentinels: Vec<Server>,
}

impl Watched {
    /// Starts a master, its replica, and three sentinels that agree about them.
    fn start(program: &Program) -> Self {
        let user = format!("user gate on >secret {}", documented_rights("+role"));
        let lines = format!("repl-diskless-sync-delay 0\n{user}");
        let master = Server::start(program, &lines);
        let port = master.address.port;
        let replica = Server::start(program, &format!("replicaof 127.0.0.1 {port}\n{user}"));
        replica.ask_until("INFO replication", |text| text.contains("master_link_status:up"));
        let lines = format!(
            "sentinel monitor main 127.0.0.1 {port} 2\nsentinel down-after-milliseconds main 500\n\
             sentinel failover-timeout main 3000\n\
             user watcher on >known +sentinel|get-master-addr-by-name"
        );
        let sentinels: Vec<_> = (0..3).map(|_| Server::start_sentinel(program, &lines)).collect();
        for sentinel in &sentinels {
            sentinel.ask_until("INFO sentinel", |text| {
                text.contains("status=ok") && text.contains("slaves=1,sentinels=3")
            });
        }
        Self { master, replica, sentinels }
    }

    fn settings(&self) -> Settings {
        let addresses = self.sentinels.iter().map(|server| server.address.clone()).collect();
        let master = "main".to_owned();
        let mode = Mode::Sentinel { master, credentials: credentials("watcher", "known") };
        Settings { credentials: credentials("gate", "secret"), ..Settings::new(mode, addresses) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract_with_sentinels_also_after_the_master_died() {
    let Some(program) = Program::redis() else { return };
    let mut group = Watched::start(&program);
    let store = Redis::connect(group.settings()).unwrap();
    until_watching(&store).await;
    contract::check(&store).await;
    let (key, now) = (session(), contract::begin());
    store.put(key, contract::record(b"x", now, 600)).await.unwrap();
    // What a replica has not heard of is lost with the master.
    group.master.is_followed_by(&group.replica);
    let mut events = store.watch();
    group.master.kill();
    // Until there is another master, nothing is known, and no session is said to be gone.
    let begin = tokio::time::Instant::now();
    eventually("there is another master", || async {
        match store.get(key, now).await {
            Ok(found) => found.is_some() || panic!("the session was said to be gone"),
            Err(_) => false,
        }
    })
    .await;
    eprintln!("another master after {:?}", begin.elapsed());
    assert!(group.replica.ask("ROLE").starts_with('*'));
    until_watching(&store).await;
    while events.recv().await.unwrap() != Event::Missed {}
    contract::check(&store).await;
    // A sentinel that is gone changes nothing.
    group.sentinels[0].kill();
    store.check().await.unwrap();
    let late = Redis::connect(group.settings()).unwrap();
    until_used(&late).await;
    assert!(late.get(key, now).await.unwrap().is_some());
}

#[tokio::test]
async fn sentinels_that_know_no_such_master_are_quoted() {
    let Some(program) = Program::redis() else { return };
    let sentinel = Server::start_sentinel(&program, "");
    let mode = Mode::Sentinel { master: "other".to_owned(), credentials: None };
    let store = Redis::connect(Settings::new(mode, vec![sentinel.address.clone()])).unwrap();
    let Unavailable(text) = store.check().await.unwrap_err();
    assert!(text.contains("knows no master \"other\""), "{text}");
}

fn start_node(program: &Program) -> Server {
    let rights = documented_rights("+cluster|slots +asking");
    let lines = format!(
        "cluster-enabled yes\ncluster-node-timeout 1000\nrepl-diskless-sync-delay 0\n\
         user gate on >secret {rights}"
    );
    Server::start(program, &lines)
}

/// Starts three nodes and makes them a cluster.
fn start_cluster(program: &Program) -> Vec<Server> {
    let nodes: Vec<_> = (0..3).map(|_| start_node(program)).collect();
    let ranges = ["0 5460", "5461 10922", "10923 16383"];
    for (number, (node, range)) in nodes.iter().zip(ranges).enumerate() {
        assert_eq!(node.ask(&format!("CLUSTER ADDSLOTSRANGE {range}")), "+OK");
        assert_eq!(node.ask(&format!("CLUSTER SET-CONFIG-EPOCH {}", number + 1)), "+OK");
        let meet = format!("CLUSTER MEET 127.0.0.1 {}", nodes[0].address.port);
        assert_eq!(node.ask(&meet), "+OK");
    }
    for node in &nodes {
        node.ask_until("CLUSTER INFO", |text| {
            text.contains("cluster_state:ok") && text.contains("cluster_known_nodes:3")
        });
        // Every node knows the part of each other.
        node.ask_until("CLUSTER SLOTS", |text| text == "*3");
    }
    nodes
}

fn connect_cluster(node: &Server) -> Redis {
    let settings = Settings::new(Mode::Cluster, vec![node.address.clone()]);
    Redis::connect(Settings { credentials: credentials("gate", "secret"), ..settings }).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract_in_a_cluster_and_hears_events_of_every_node() {
    let Some(program) = Program::redis() else { return };
    let nodes = start_cluster(&program);
    let (store, other) = (connect_cluster(&nodes[0]), connect_cluster(&nodes[2]));
    until_watching(&store).await;
    until_watching(&other).await;
    contract::check(&store).await;
    let now = contract::begin();
    let mut events = other.watch();
    for _ in 0..20 {
        let key = session();
        store.put(key, contract::record(b"x", now, 60)).await.unwrap();
        store.take(key, now).await.unwrap().unwrap();
        let hearing = async { while events.recv().await.unwrap() != Event::Gone(key) {} };
        tokio::time::timeout(Duration::from_secs(1), hearing).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract_in_a_cluster_of_valkey() {
    let Some(program) = Program::valkey() else { return };
    let nodes = start_cluster(&program);
    let store = connect_cluster(&nodes[1]);
    until_watching(&store).await;
    contract::check(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_gone_is_followed_by_its_replica() {
    let Some(program) = Program::redis() else { return };
    let mut nodes = start_cluster(&program);
    let replica = start_node(&program);
    let id = nodes[0].ask("CLUSTER MYID");
    let meet = format!("CLUSTER MEET 127.0.0.1 {}", nodes[0].address.port);
    assert_eq!(replica.ask(&meet), "+OK");
    replica.ask_until("CLUSTER INFO", |text| text.contains("cluster_known_nodes:4"));
    replica.ask_until(&format!("CLUSTER REPLICATE {id}"), |answer| answer == "+OK");
    replica.ask_until("INFO replication", |text| text.contains("master_link_status:up"));
    let known = |text: &str| text.contains("cluster_known_nodes:4") && text.contains("state:ok");
    nodes.iter().for_each(|node| node.ask_until("CLUSTER INFO", known));
    let store = connect_cluster(&nodes[0]);
    until_watching(&store).await;
    let now = contract::begin();
    let keys: Vec<_> = std::iter::repeat_with(session).take(30).collect();
    for key in &keys {
        store.put(*key, contract::record(b"x", now, 600)).await.unwrap();
    }
    nodes[0].is_followed_by(&replica);
    nodes[0].kill();
    for key in &keys {
        eventually("the session is found again", || async {
            match store.get(*key, now).await {
                Ok(found) => found.is_some() || panic!("the session was said to be gone"),
                Err(_) => false,
            }
        })
        .await;
    }
    until_watching(&store).await;
    contract::check(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_keys_that_move_to_another_node() {
    let Some(program) = Program::redis() else { return };
    let nodes = start_cluster(&program);
    let store = connect_cluster(&nodes[0]);
    until_used(&store).await;
    // A key of the first node, whose slot goes to the second.
    let now = contract::begin();
    let key = std::iter::repeat_with(session)
        .find(|key| topology::slot(&store.names.record(*key)) <= 5460)
        .unwrap();
    store.put(key, contract::record(b"x", now, 60)).await.unwrap();
    let slot = topology::slot(&store.names.record(key));
    let (from, to) = (nodes[0].ask("CLUSTER MYID"), nodes[1].ask("CLUSTER MYID"));
    nodes[1].ask(&format!("CLUSTER SETSLOT {slot} IMPORTING {from}"));
    nodes[0].ask(&format!("CLUSTER SETSLOT {slot} MIGRATING {to}"));
    let name = store.names.record(key);
    assert_eq!(
        nodes[0].ask(&format!("MIGRATE 127.0.0.1 {} {name} 0 5000", nodes[1].address.port)),
        "+OK"
    );
    // On the way: the old node says where to ask. What was never there has to be asked for there,
    // too.
    assert!(store.get(key, now).await.unwrap().is_some());
    let touch = Touch { key, alive: 1, expires: contract::after(now, 90) };
    store.touch(vec![touch]).await.unwrap();
    assert!(store.get(key, contract::after(now, 80)).await.unwrap().is_some());
    // Arrived: the old node sends on, for good.
    for node in [&nodes[1], &nodes[0], &nodes[2]] {
        assert_eq!(node.ask(&format!("CLUSTER SETSLOT {slot} NODE {to}")), "+OK");
    }
    store.put(key, contract::record(b"y", now, 60)).await.unwrap();
    assert_eq!(store.take(key, now).await.unwrap().unwrap().sealed, "y");
    until_used(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_gone_takes_nobody_for_signed_out() {
    let Some(program) = Program::redis() else { return };
    let mut nodes = start_cluster(&program);
    let store = connect_cluster(&nodes[0]);
    until_watching(&store).await;
    let now = contract::begin();
    let keys: Vec<_> = std::iter::repeat_with(session).take(30).collect();
    for key in &keys {
        store.put(*key, contract::record(b"x", now, 60)).await.unwrap();
    }
    nodes[0].kill();
    for key in &keys {
        // There, or not known; never not there.
        assert!(!matches!(store.get(*key, now).await, Ok(None)));
    }
    store.check().await.unwrap_err();
    eventually("the loss is noticed", || async { !store.is_watching() }).await;
}
